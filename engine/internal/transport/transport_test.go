package transport

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestSameOrigin(t *testing.T) {
	t.Parallel()
	tests := []struct {
		a, b string
		want bool
	}{
		{"https://api.example/a", "https://api.example/b?c", true},
		{"https://api.example", "https://API.example:443/", true},
		{"http://api.example:80", "http://api.example", true},
		{"http://api.example", "https://api.example", false},
		{"https://api.example", "https://api.example:8443", false},
		{"https://api.example", "https://api.example.evil.example", false},
		{"https://api.example", "https://api.example@evil.example", false},
		{"http://[::1]:80/", "http://[::1]/", true},
		{"ftp://h", "ftp://h:21", false},
	}
	for _, test := range tests {
		a, errA := url.Parse(test.a)
		b, errB := url.Parse(test.b)
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		if got := SameOrigin(a, b); got != test.want || SameOrigin(b, a) != test.want {
			t.Errorf("SameOrigin(%s, %s) = %v", test.a, test.b, got)
		}
	}
}

// try makes one POST and returns whether it may have left, and its error.
func try(t *testing.T, client *http.Client, url string, timeout time.Duration) (bool, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	var p Progress
	ctx = p.Context(ctx)
	req, err := http.NewRequestWithContext(ctx, "POST", url, struct{ io.Reader }{strings.NewReader("{}")})
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = 2
	resp, err := client.Do(req)
	if err != nil {
		return p.MayHaveLeft(ctx, err), err
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	return true, nil
}

func TestProgressKnowsWhatLeft(t *testing.T) {
	t.Parallel()
	live := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if r.URL.Path == "/drop" {
			panic(http.ErrAbortHandler)
		}
	}))
	t.Cleanup(live.Close)
	closed := httptest.NewServer(nil)
	closed.Close()
	secure := httptest.NewTLSServer(live.Config.Handler)
	t.Cleanup(secure.Close)
	trusting := Default()
	trusting.Transport.(*http.Transport).TLSClientConfig.RootCAs = secure.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs

	// A connection that takes nothing, though it is open.
	deafClient := New(func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		t.Cleanup(func() { far.Close() })
		return &mute{Conn: near, muted: true}, nil
	})

	tests := []struct {
		name   string
		client *http.Client
		url    string
		left   bool
	}{
		{"refused", Default(), closed.URL, false},
		{"untrusted certificate", Default(), secure.URL, false},
		{"dropped", Default(), live.URL + "/drop", true},
		{"dropped over TLS", trusting, secure.URL + "/drop", true},
		{"not a byte was taken", deafClient, "http://deaf.example", false},
		{"foreign dial error", foreign(&net.OpError{Op: "dial", Err: errors.New("no")}), "http://x.example", false},
		{"foreign read error", foreign(&net.OpError{Op: "read", Err: errors.New("no")}), "http://x.example", true},
		{"foreign error", foreign(errors.New("no")), "http://x.example", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			left, err := try(t, test.client, test.url, time.Minute)
			if err == nil || left != test.left {
				t.Errorf("left %v, want %v; error %v", left, test.left, err)
			}
			test.client.CloseIdleConnections()
		})
	}
}

// A connection that was used before has writes on it; only new ones count.
func TestProgressCountsFromTheRequestOn(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }))
	t.Cleanup(s.Close)
	var last *mute
	client := New(func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, address)
		last = &mute{Conn: c}
		return last, err
	})
	if _, err := try(t, client, s.URL, time.Minute); err != nil {
		t.Fatal(err)
	}
	last.muted = true
	if left, err := try(t, client, s.URL, time.Minute); err == nil || left {
		t.Errorf("left %v, error %v", left, err)
	}
}

// enough is a time in which a request leaves a busy machine.
const enough = time.Second

func TestProgressOfAStoppedRequestErrsToTheSafeSide(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(s.Close)
	defer close(release)
	client := Default()
	left, err := try(t, client, s.URL, enough)
	if !errors.Is(err, context.DeadlineExceeded) || !left {
		t.Errorf("left %v, error %v", left, err)
	}
}

func TestAClientsOwnTimeoutErrsToTheSafeSide(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(s.Close)
	defer close(release)
	client := Default()
	client.Timeout = enough
	if left, err := try(t, client, s.URL, time.Minute); err == nil || !left {
		t.Errorf("left %v, error %v", left, err)
	}
}

func TestHTTP2IsSpokenWhereItIsOffered(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }))
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	client := Default()
	defer client.CloseIdleConnections()
	client.Transport.(*http.Transport).TLSClientConfig.RootCAs = s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	resp, err := client.Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if proto, _ := io.ReadAll(resp.Body); string(proto) != "HTTP/2.0" {
		t.Errorf("the server saw %s", proto)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func foreign(err error) *http.Client {
	return &http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) { return nil, err })}
}

// mute is a connection that, once muted, refuses to take bytes.
type mute struct {
	net.Conn
	muted bool
}

func (m *mute) Write(p []byte) (int, error) {
	if m.muted {
		return 0, errors.New("muted")
	}
	return m.Conn.Write(p)
}

// The transport gives a stopped request back while its writer may not have
// begun: the count says nothing then.
func TestProgressDoesNotTrustTheCountOfAStoppedRequest(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	p := Progress{asked: true, got: true, conn: &watched{}}
	if p.MayHaveLeft(ctx, io.EOF) {
		t.Error("nothing was written, and yet it may have left")
	}
	if !p.MayHaveLeft(ctx, context.DeadlineExceeded) {
		t.Error("a client's own timeout: the writer may be about to write")
	}
	cancel()
	if !p.MayHaveLeft(ctx, io.EOF) {
		t.Error("stopped: the writer may be about to write")
	}
}
