package call

import (
	"bufio"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/flow"
)

// raw starts a server that answers the n-th connection, from 1, with what
// answer does; the request was read to its end.
func raw(t *testing.T, answer func(n int, c net.Conn, r *http.Request)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for n := 1; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				r, err := http.ReadRequest(bufio.NewReader(c))
				if err != nil {
					return
				}
				io.Copy(io.Discard, r.Body)
				answer(n, c, r)
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

func TestBrokenAnswersAreUnknown(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, answer, want string
	}{
		{"short body", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"id\":1}", "unknown unreadable: the answer broke off after 8 bytes: unexpected EOF"},
		{"chunk missing", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{\"id\":1}\r\n", "unknown unreadable: the answer broke off after 8 bytes: unexpected EOF"},
		{"no answer", "", "unknown connection-lost: the connection was lost before an answer came: EOF"},
		{"no HTTP", "SSH-2.0-x\r\n\r\n", `unknown connection-lost: the connection was lost before an answer came: malformed HTTP response "SSH-2.0-x"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			base := raw(t, func(_ int, c net.Conn, _ *http.Request) { io.WriteString(c, test.answer) })
			e := connect(t, vendorOf(t, shop), base, nil, Options{})
			for _, operation := range []string{"make", "find"} {
				res := ask(t, e, operation)
				if got := summary(res); got != test.want || !res.Sent {
					t.Errorf("%s: sent %v\ngot  %s\nwant %s", operation, res.Sent, got, test.want)
				}
			}
		})
	}
}

func TestResetAfterSendingIsUnknown(t *testing.T) {
	t.Parallel()
	base := raw(t, func(_ int, c net.Conn, _ *http.Request) { c.(*net.TCPConn).SetLinger(0) })
	res := ask(t, connect(t, vendorOf(t, shop), base, nil, Options{}), "make")
	if res.Outcome != flow.Unknown || res.Code != "connection-lost" || !res.Sent {
		t.Errorf("%s, sent %v", summary(res), res.Sent)
	}
}

func TestRefusedConnectionIsBusy(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(nil)
	s.Close()
	res := ask(t, connect(t, vendorOf(t, shop), s.URL, nil, Options{}), "make")
	if res.Outcome != flow.Busy || res.Code != "unreachable" || res.Sent || !strings.Contains(res.Message, "connection refused") {
		t.Errorf("%s, sent %v", summary(res), res.Sent)
	}
}

func TestUntrustedCertificateIsBusyWithAHint(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = quiet()
	s.StartTLS()
	t.Cleanup(s.Close)
	res := ask(t, connect(t, vendorOf(t, shop), s.URL, nil, Options{}), "make")
	if res.Outcome != flow.Busy || res.Sent || res.Hint != "the certificate of the vendor's host is not trusted on this machine" {
		t.Errorf("%s, sent %v, hint %q", summary(res), res.Sent, res.Hint)
	}
}

// A connection that the vendor closes while a create is on its way must not
// make net/http send the create a second time.
func TestCreateOnAStaleConnectionIsSentOnce(t *testing.T) {
	t.Parallel()
	const spec = `
vendor: acme
version: 1
operations:
  make:
    effect: create
    request:
      method: POST
      path: /make
      headers: {Idempotency-Key: "${{ call.key }}", X-Idempotency-Key: "${{ call.key }}"}
      body: {a: 1}
  make_empty:
    effect: create
    request:
      method: POST
      path: /make
      headers: {Idempotency-Key: "${{ call.key }}"}
  make_by_get:
    effect: create
    request: {method: GET, path: /make}
  look:
    effect: read
    request: {method: GET, path: /look}
`
	v := vendorOf(t, spec)
	for _, operation := range []string{"make", "make_empty", "make_by_get", "look"} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			var seen atomic.Int64
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					go func() {
						defer c.Close()
						r := bufio.NewReader(c)
						// One answer, then the second request of the connection is read and dropped.
						for n := range 2 {
							req, err := http.ReadRequest(r)
							if err != nil {
								return
							}
							io.Copy(io.Discard, req.Body)
							seen.Add(1)
							if n == 0 {
								io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
							}
						}
					}()
				}
			}()
			e := connect(t, v, "http://"+l.Addr().String(), nil, Options{})
			if res := ask(t, e, operation); res.Outcome != flow.OK {
				t.Fatal(summary(res))
			}
			res := ask(t, e, operation)
			if operation == "look" {
				// A read may be repeated, and net/http does so.
				if res.Outcome != flow.OK || seen.Load() != 3 {
					t.Errorf("%s after %d requests", summary(res), seen.Load())
				}
				return
			}
			if res.Outcome != flow.Unknown || !res.Sent || seen.Load() != 2 {
				t.Errorf("%s after %d requests, want unknown after 2", summary(res), seen.Load())
			}
		})
	}
}

func TestCreateByGetHasNoBodyOnTheWire(t *testing.T) {
	t.Parallel()
	const spec = `
vendor: acme
version: 1
operations:
  make:
    effect: create
    request: {method: GET, path: /make}
    response: {as: text, outputs: {echo: "@this"}}
`
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%d %v %q", r.ContentLength, r.TransferEncoding, body(r))
	})
	if got := ask(t, connect(t, vendorOf(t, spec), base, nil, Options{}), "make").Outputs.At("echo"); got != `0 [] ""` {
		t.Errorf("the request had length, encoding, body %v", got)
	}
}

func TestPackedAnswers(t *testing.T) {
	t.Parallel()
	pack := func(w http.ResponseWriter, n int, cut bool) {
		w.Header().Set("Content-Encoding", "gzip")
		var b strings.Builder
		z := gzip.NewWriter(&b)
		io.WriteString(z, `{"id":1}`+strings.Repeat(" ", n))
		z.Close()
		text := b.String()
		if cut {
			text = text[:len(text)-9]
		}
		io.WriteString(w, text)
	}
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/ok/make":
			pack(w, 100, false)
		case "/bomb/make", "/bomb/find":
			pack(w, 1<<21, false)
		case "/cut/make":
			pack(w, 100, true)
		}
	})
	tests := []struct{ path, operation, want string }{
		{"/ok", "make", "ok"},
		{"/bomb", "make", "unknown too-large: the answer is larger than 1 MiB"},
		{"/bomb", "find", "invalid too-large: outside of lists, or in one element of a list, the answer is larger than 1 MiB"},
		{"/cut", "make", "unknown unreadable: the answer broke off after 108 bytes: unexpected EOF"},
	}
	v := vendorOf(t, shop)
	for _, test := range tests {
		res := ask(t, connect(t, v, base+test.path, nil, Options{MaxAnswer: 1 << 20}), test.operation)
		if got := summary(res); got != test.want {
			t.Errorf("%s %s:\ngot  %s\nwant %s", test.path, test.operation, got, test.want)
		}
	}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	const spec = `
vendor: acme
version: 1
config:
  key: {type: string, secret: true, default: s3cret-key}
auth:
  inject:
    headers:
      X-Key: ${{ config.key }}
operations:
  look:
    effect: read
    request: {method: GET, path: /look}
    response: {as: text, outputs: {text: "@this"}}
  ask:
    effect: read
    request: {method: POST, path: /look, body: {}}
  make:
    effect: create
    request: {method: POST, path: /look, body: {}}
  session:
    effect: read
    request: {method: GET, path: /look}
    response:
      outcomes:
        - if: status == 302 and (headers.location ?? '') contains 'login'
          is: denied
`
	var elsewhere atomic.Int64
	other := serve(t, func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) })
	var location string
	var status int
	var seen atomic.Int64
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen.Add(1)
		if r.URL.Path == "/there" {
			fmt.Fprintf(w, "%s with %s", r.Method, r.Header.Get("X-Key"))
			return
		}
		w.Header().Set("Location", location)
		w.WriteHeader(status)
	})
	e := connect(t, vendorOf(t, spec), base, nil, Options{})
	tests := []struct {
		operation string
		status    int
		location  string
		want      string
		requests  int64
	}{
		{"look", 302, "/there", "ok", 2},
		{"look", 307, base + "/there", "ok", 2},
		{"look", 302, other, "invalid redirected: redirected to " + other + ", which is not followed", 1},
		{"look", 302, "/look", "invalid redirected: redirected more than 5 times", 6},
		{"look", 302, "//evil.example/x", "invalid redirected: redirected to //evil.example/x, which is not followed", 1},
		{"look", 302, "", "unknown: HTTP status 302 Found", 1},
		{"ask", 302, "/there", "invalid redirected: redirected to /there, which is not followed", 1},
		{"ask", 307, "/there", "invalid redirected: redirected to /there, which is not followed", 1},
		{"make", 300, "/things/1", "unknown: HTTP status 300 Multiple Choices", 1},
		{"make", 301, "/there", "unknown redirected: redirected to /there, which is not followed", 1},
		{"make", 302, "/there", "unknown redirected: redirected to /there, which is not followed", 1},
		{"make", 302, "", "unknown: HTTP status 302 Found", 1},
		{"make", 307, other, "unknown redirected: redirected to " + other + ", which is not followed", 1},
		{"make", 308, "/there", "unknown redirected: redirected to /there, which is not followed", 1},
		{"make", 303, "/things/1", "unknown redirected: redirected to /things/1, which is not followed", 1},
		{"session", 302, "/login", "denied: HTTP status 302 Found", 1},
	}
	for _, test := range tests {
		location, status = test.location, test.status
		seen.Store(0)
		res := ask(t, e, test.operation)
		if got := summary(res); got != test.want || seen.Load() != test.requests {
			t.Errorf("%s %d %q after %d requests:\ngot  %s\nwant %s", test.operation, test.status, test.location, seen.Load(), got, test.want)
		}
		if res.Code == "redirected" && res.Hint == "" && !strings.Contains(res.Message, "times") {
			t.Errorf("%q: no hint", test.location)
		}
	}
	if elsewhere.Load() != 0 {
		t.Errorf("%d requests went to another origin", elsewhere.Load())
	}
}

// An answer that hands the connection over has no end, and net/http lets no context end it.
func TestAConnectionThatIsHandedOverIsUnreadable(t *testing.T) {
	t.Parallel()
	for name, head := range map[string]string{
		"switched":          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\nConnection: Upgrade\r\n\r\nnot HTTP",
		"switched to none":  "HTTP/1.1 101 Switching Protocols\r\n\r\n",
		"after early hints": "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\nConnection: Upgrade\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ended := make(chan struct{})
			t.Cleanup(func() { close(ended) })
			base := raw(t, func(_ int, c net.Conn, _ *http.Request) {
				_, _ = io.WriteString(c, head)
				<-ended // neither says anything more nor hangs up
			})
			e := connect(t, vendorOf(t, shop), base, nil, Options{})
			for _, operation := range []string{"find", "put", "make"} {
				res := ask(t, e, operation)
				if got := summary(res); got != "unknown unreadable: the vendor switched to another protocol, which was not requested" || !res.Sent || res.Status != 101 {
					t.Errorf("%s: %s, sent %v, status %d", operation, got, res.Sent, res.Status)
				}
			}
		})
	}
}

func TestStoppedBeforeSendingIsAnError(t *testing.T) {
	t.Parallel()
	base := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
	e := connect(t, vendorOf(t, shop), base, nil, Options{})
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(fmt.Errorf("ctrl-c"))
	_, err := e.Do(ctx, request(e, "make"), nil)
	if err == nil || err.Error() != "acme.make: ctrl-c" {
		t.Errorf("got %v", err)
	}
}

func TestStoppedAfterSendingIsUnknown(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body(r)
		cancel()
		<-r.Context().Done()
	})
	e := connect(t, vendorOf(t, shop), base, nil, Options{})
	res, err := e.Do(ctx, request(e, "put"), nil)
	if err != nil || summary(res) != "unknown interrupted: the run was stopped before the answer came" || !res.Sent {
		t.Errorf("%s, sent %v, error %v", summary(res), res.Sent, err)
	}
}

func TestNamesThatDoNotExistAreErrors(t *testing.T) {
	t.Parallel()
	e := connect(t, vendorOf(t, shop), "http://127.0.0.1:1", nil, Options{})
	for want, r := range map[string]flow.CallRequest{
		`no connection "b"`:                  {Connection: "b"},
		`vendor acme has no operation "fly"`: {Connection: "acme", Operation: "fly"},
	} {
		if _, err := e.Do(context.Background(), r, nil); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// quiet is for servers whose clients are meant to fail.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

func TestOnlyHarmlessRequestsCanBeRewound(t *testing.T) {
	t.Parallel()
	e := connect(t, vendorOf(t, shop), "http://127.0.0.1:1", nil, Options{})
	for operation, want := range map[string]bool{"find": true, "put": true, "make": false} {
		c := e.connections["acme"]
		w, err := e.request(&job{connection: c, op: c.operations[operation]}, nil, c.static)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.http(context.Background()).GetBody != nil; got != want {
			t.Errorf("%s can be rewound: %v", operation, got)
		}
	}
}
