package engine_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// The simulated vendors share what every server has: answers, what befalls them, and a network.

// A reply is an answer as it goes out.
type reply struct {
	status int
	header map[string]string
	body   string
}

func plain(status int, body string) reply {
	return reply{status, map[string]string{"Content-Type": "text/plain; charset=utf-8"}, body}
}

func asJSON(status int, body string) reply {
	return reply{status, map[string]string{"Content-Type": "application/json; charset=utf-8"}, body}
}

func htmlPage(status int) reply {
	return reply{status, map[string]string{"Content-Type": "text/html"}, "<!DOCTYPE html><html><head><title>Sorry</title></head><body><h1>We are busy</h1></body></html>"}
}

func (r reply) with(name, value string) reply {
	header := map[string]string{name: value}
	for other, text := range r.header {
		if other != name {
			header[other] = text
		}
	}
	r.header = header
	return r
}

// A trouble befalls calls of a service.
type trouble struct {
	service string
	spared  int           // how many calls go well first
	calls   int           // how many calls after these; 0: all
	worked  bool          // the work is done all the same
	wait    time.Duration // before the answer
	hangUp  bool          // instead of an answer
	cut     bool          // the answer breaks off in its middle
	answer  *reply        // instead of the right one
}

// befalling returns the trouble of the n-th call of a service, from 1; nil for none.
func befalling(troubles []trouble, service string, n int) *trouble {
	for i, t := range troubles {
		if after := n - t.spared; t.service == service && after > 0 && (t.calls == 0 || after <= t.calls) {
			return &troubles[i]
		}
	}
	return nil
}

// put puts the answer to a request on the wire, or what befalls it. t may be nil.
func (r reply) put(w http.ResponseWriter, request *http.Request, t *trouble) {
	if t != nil {
		if t.answer != nil {
			r = *t.answer
		}
		select {
		case <-time.After(t.wait):
		case <-request.Context().Done():
			return
		}
		if t.hangUp {
			panic(http.ErrAbortHandler)
		}
	}
	r.write(w, t != nil && t.cut)
}

// write writes the answer, or its first half.
func (r reply) write(w http.ResponseWriter, half bool) {
	for name, value := range r.header {
		w.Header().Set(name, value)
	}
	if _, typed := r.header["Content-Type"]; !typed {
		w.Header()["Content-Type"] = nil
	}
	if half {
		w.Header().Set("Content-Length", strconv.Itoa(len(r.body)))
		w.WriteHeader(r.status)
		_, _ = io.WriteString(w, r.body[:len(r.body)/2])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(r.status)
	if r.header["X-Chunks"] != "" {
		for _, b := range []byte(r.body) {
			_, _ = w.Write([]byte{b})
			w.(http.Flusher).Flush()
		}
		return
	}
	_, _ = io.WriteString(w, r.body)
}

// gzipped, chunked, marked and untyped are ways to put the same answer on the wire.
func gzipped(r reply) reply {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, r.body)
	z.Close()
	r.body = b.String()
	return r.with("Content-Encoding", "gzip")
}

func chunked(r reply) reply { return r.with("X-Chunks", "yes") }

func marked(r reply) reply {
	r.body = "\ufeff" + r.body + "\r\n"
	return r
}

func untyped(r reply) reply {
	r.header = nil
	return r
}

func typed(contentType string) func(reply) reply {
	return func(r reply) reply { return r.with("Content-Type", contentType) }
}

// overPipes serves a handler within a synctest bubble, under every address.
func overPipes(h http.Handler) (client *http.Client, stop func()) {
	l, end := servePipes(h)
	transport := &http.Transport{MaxIdleConnsPerHost: 64, DialContext: l.dial}
	return &http.Client{Transport: transport}, func() {
		transport.CloseIdleConnections()
		end()
	}
}

// servePipes serves a handler within a synctest bubble, to those who dial.
func servePipes(h http.Handler) (l *pipes, stop func()) {
	l = &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: h}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(l)
	}()
	return l, func() {
		server.Close()
		<-served
	}
}

// pipes is a network of one host.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case l.conns <- there:
		return here, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipes) Close() error { l.once.Do(func() { close(l.closed) }); return nil }

func (l *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "sim", Net: "pipe"} }
