// Package testserver is what the simulated vendors of tests share: answers, what befalls them, a network
// without sockets, and what events say.
package testserver

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
type Reply struct {
	Status int
	Header map[string]string
	Body   string
}

func Plain(status int, body string) Reply {
	return Reply{status, map[string]string{"Content-Type": "text/plain; charset=utf-8"}, body}
}

func AsJSON(status int, body string) Reply {
	return Reply{status, map[string]string{"Content-Type": "application/json; charset=utf-8"}, body}
}

func HtmlPage(status int) Reply {
	return Reply{status, map[string]string{"Content-Type": "text/html"}, "<!DOCTYPE html><html><head><title>Sorry</title></head><body><h1>We are busy</h1></body></html>"}
}

func (r Reply) With(name, value string) Reply {
	header := map[string]string{name: value}
	for other, text := range r.Header {
		if other != name {
			header[other] = text
		}
	}
	r.Header = header
	return r
}

// A trouble befalls calls of a service.
type Trouble struct {
	Service string
	Spared  int           // how many calls go well first
	Calls   int           // how many calls after these; 0: all
	Worked  bool          // the work is done all the same
	Wait    time.Duration // before the answer
	HangUp  bool          // instead of an answer
	Cut     bool          // the answer breaks off in its middle
	Answer  *Reply        // instead of the right one
}

// befalling returns the trouble of the n-th call of a service, from 1; nil for none.
func Befalling(troubles []Trouble, service string, n int) *Trouble {
	for i, t := range troubles {
		if after := n - t.Spared; t.Service == service && after > 0 && (t.Calls == 0 || after <= t.Calls) {
			return &troubles[i]
		}
	}
	return nil
}

// put puts the answer to a request on the wire, or what befalls it. t may be nil.
func (r Reply) Put(w http.ResponseWriter, request *http.Request, t *Trouble) {
	if t != nil {
		if t.Answer != nil {
			r = *t.Answer
		}
		select {
		case <-time.After(t.Wait):
		case <-request.Context().Done():
			return
		}
		if t.HangUp {
			panic(http.ErrAbortHandler)
		}
	}
	r.Write(w, t != nil && t.Cut)
}

// write writes the answer, or its first half.
func (r Reply) Write(w http.ResponseWriter, half bool) {
	for name, value := range r.Header {
		w.Header().Set(name, value)
	}
	if _, typed := r.Header["Content-Type"]; !typed {
		w.Header()["Content-Type"] = nil
	}
	if half {
		w.Header().Set("Content-Length", strconv.Itoa(len(r.Body)))
		w.WriteHeader(r.Status)
		_, _ = io.WriteString(w, r.Body[:len(r.Body)/2])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(r.Status)
	if r.Header["X-Chunks"] != "" {
		for _, b := range []byte(r.Body) {
			_, _ = w.Write([]byte{b})
			w.(http.Flusher).Flush()
		}
		return
	}
	_, _ = io.WriteString(w, r.Body)
}

// gzipped, chunked, marked and untyped are ways to put the same answer on the wire.
func Gzipped(r Reply) Reply {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, r.Body)
	z.Close()
	r.Body = b.String()
	return r.With("Content-Encoding", "gzip")
}

func Chunked(r Reply) Reply { return r.With("X-Chunks", "yes") }

func Marked(r Reply) Reply {
	r.Body = "\ufeff" + r.Body + "\r\n"
	return r
}

func Untyped(r Reply) Reply {
	r.Header = nil
	return r
}

func Typed(contentType string) func(Reply) Reply {
	return func(r Reply) Reply { return r.With("Content-Type", contentType) }
}

// overPipes serves a handler within a synctest bubble, under every address.
func OverPipes(h http.Handler) (client *http.Client, stop func()) {
	l, end := ServePipes(h)
	transport := &http.Transport{MaxIdleConnsPerHost: 64, DialContext: l.Dial}
	return &http.Client{Transport: transport}, func() {
		transport.CloseIdleConnections()
		end()
	}
}

// servePipes serves a handler within a synctest bubble, to those who dial.
func ServePipes(h http.Handler) (l *Pipes, stop func()) {
	l = &Pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
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
type Pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *Pipes) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
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

func (l *Pipes) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *Pipes) Close() error { l.once.Do(func() { close(l.closed) }); return nil }

func (l *Pipes) Addr() net.Addr { return &net.UnixAddr{Name: "sim", Net: "pipe"} }
