package sandbox

import (
	"net/http"
	"strconv"
)

// An answer is what goes over the wire.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func textAnswer(status int, text string) *answer {
	return &answer{
		status: status,
		header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}},
		body:   []byte(text),
	}
}

func (a *answer) send(w http.ResponseWriter) {
	a.sendHead(w)
	_, _ = w.Write(a.body) // a client that has gone is no fault of the sandbox
}

// sendHalf promises the whole answer and breaks off in its middle; one that
// cannot have a body is lost as a whole.
func (a *answer) sendHalf(w http.ResponseWriter) {
	if a.bodiless() {
		panic(http.ErrAbortHandler)
	}
	promised := *a
	if len(promised.body) == 0 {
		promised.body = []byte{' '}
	}
	promised.sendHead(w)
	_, _ = w.Write(a.body[:len(a.body)/2])
	_ = http.NewResponseController(w).Flush() // where it cannot flush, less arrives
	panic(http.ErrAbortHandler)
}

func (a *answer) sendHead(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	if !a.bodiless() {
		w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
}

// bodiless reports whether HTTP forbids this answer a body.
func (a *answer) bodiless() bool {
	return a.status == http.StatusNoContent || a.status == http.StatusNotModified
}
