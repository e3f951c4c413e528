package vendortest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mccutchen/go-httpbin/v2/httpbin"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/internal/testserver"
)

const (
	binToken    = "a-t0ken/+of-bin"
	binPassword = `p&ss wörd/"4711"`
)

// bin is go-httpbin, a vendor that knows nothing of us, at http://bin.example. What
// it cannot be told to do is laid around it by wrap.
type bin struct {
	wrap  func(next http.Handler) http.Handler
	calls atomic.Int64
}

// call makes one call, or runs a pipeline, in the time of a synctest bubble.
func (b *bin) call(t *testing.T, name string, inputs map[string]any) (*engine.Result, string, error) {
	t.Helper()
	handler := httpbin.New().Handler()
	if b.wrap != nil {
		handler = b.wrap(handler)
	}
	l, stop := testserver.ServePipes(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.calls.Add(1)
		handler.ServeHTTP(w, r)
	}))
	transport := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		if addr != "bin.example:80" {
			return nil, fmt.Errorf("nobody should call %s", addr)
		}
		return l.Dial(ctx, network, addr)
	}}
	defer func() {
		transport.CloseIdleConnections()
		stop()
	}()
	sink := &testserver.Heard{}
	p, err := engine.Load(os.DirFS("testdata/httpbin"), engine.Options{
		Connections: map[string]engine.Connection{
			"httpbin": {Vendor: "httpbin", BaseURL: "http://bin.example", Config: map[string]any{"token": binToken}},
			"httpbin_basic": {Vendor: "httpbin_basic", BaseURL: "http://bin.example", Config: map[string]any{
				"user": "ann", "password": binPassword,
			}},
		},
		Client: &http.Client{Transport: transport},
		Events: sink,
	})
	if err != nil {
		t.Fatal(err)
	}
	var r *engine.Result
	request := engine.Request{Pipeline: name, Inputs: inputs}
	if strings.HasSuffix(name, ".yaml") {
		r, err = p.Run(context.Background(), request)
	} else {
		r, err = p.Call(context.Background(), name, request)
	}
	text, _ := json.Marshal(r.Outputs)
	for _, form := range append(testserver.Encoded(binToken), testserver.Encoded(binPassword)...) {
		if seen := sink.Text() + string(text) + fmt.Sprint(err); strings.Contains(seen, form) {
			t.Errorf("the secret %s is seen", form)
		}
	}
	return r, string(text), err
}

// Calls of all kinds come out as go-httpbin says that it got them.
func TestHttpbinCalls(t *testing.T) {
	t.Parallel()
	const elsewhere = "http://elsewhere.example/get"
	for name, tt := range map[string]struct {
		operation string
		inputs    map[string]any
		want      string // of the outputs, or of the error
		calls     int64
	}{
		"bearer":                 {"bearer", nil, `{"authenticated":true}`, 1},
		"query and headers":      {"echo", map[string]any{"name": "a&b=ü", "page": 2}, `{"args":{"name":["a\u0026b=ü"],"page":["2"]},"url":"http://bin.example/get?name=a%26b%3D%C3%BC\u0026page=2","x_name":"plain"}`, 1},
		"a query left out":       {"echo", map[string]any{"name": ""}, `{"args":{"name":[""]},"url":"http://bin.example/get?name=","x_name":"plain"}`, 1},
		"lists in lists":         {"slides", nil, `{"author":"Yours Truly","slides":[{"lines":null,"title":"Wake up to WonderWidgets!"},{"lines":["Why \u003cem\u003eWonderWidgets\u003c/em\u003e are great","Who \u003cem\u003ebuys\u003c/em\u003e WonderWidgets"],"title":"Overview"}]}`, 1},
		"digits of a body":       {"send_json", map[string]any{"order": map[string]any{"total": json.Number("0.10"), "n": json.Number("12345678901234567890"), "é": "ü"}}, `{"data":"{\"n\":12345678901234567890,\"total\":0.10,\"é\":\"ü\"}","type":"application/json"}`, 1},
		"form":                   {"send_form", map[string]any{"secret": binPassword, "text": "a b&c=d+é"}, `{"text":"a b\u0026c=d+é","type":"application/x-www-form-urlencoded"}`, 1},
		"text":                   {"send_text", map[string]any{"text": "two\nlines"}, `{"data":"two\nlines","method":"PATCH"}`, 1},
		"gzip":                   {"gzip", nil, `{"gzipped":true}`, 1},
		"XML as text":            {"xml", nil, "Wake up to WonderWidgets!", 1},
		"a delay below the end":  {"delay", map[string]any{"seconds": json.Number("4.5")}, `{}`, 1},
		"a delay beyond it":      {"delay", map[string]any{"seconds": 9}, "httpbin.delay: unknown: no answer within 5s", 3},
		"bytes that drip":        {"drip", map[string]any{"seconds": 3}, `{"text":"**********"}`, 1},
		"bytes that drip slowly": {"drip", map[string]any{"seconds": 8}, "httpbin.drip: unknown: no answer within 5s", 3},
		"a page":                 {"page", nil, "httpbin.page: unknown: the answer is not JSON: ", 3},
		"a coding not asked for": {"deflate", nil, "httpbin.deflate: unknown: ", 3},
		"words of an error":      {"bad_request", nil, "httpbin.bad_request: invalid: Bad Request", 1},
		"204":                    {"read_status", map[string]any{"code": 204}, `{}`, 1},
		"401":                    {"read_status", map[string]any{"code": 401}, "httpbin.read_status: auth: ", 1},
		"403":                    {"read_status", map[string]any{"code": 403}, "httpbin.read_status: denied: ", 1},
		"404":                    {"read_status", map[string]any{"code": 404}, "httpbin.read_status: not_found: ", 1},
		"408":                    {"read_status", map[string]any{"code": 408}, "httpbin.read_status: unknown: ", 3},
		"409":                    {"read_status", map[string]any{"code": 409}, "httpbin.read_status: conflict: ", 1},
		"418":                    {"read_status", map[string]any{"code": 418}, "httpbin.read_status: invalid: ", 1},
		"429":                    {"read_status", map[string]any{"code": 429}, "httpbin.read_status: throttled: ", 3},
		"500":                    {"read_status", map[string]any{"code": 500}, "httpbin.read_status: unknown: ", 3},
		"503":                    {"read_status", map[string]any{"code": 503}, "httpbin.read_status: unknown: ", 3},
		"a create, 201":          {"create_status", map[string]any{"code": 201}, `{}`, 1},
		"a create, 409":          {"create_status", map[string]any{"code": 409}, "httpbin.create_status: conflict: ", 1},
		"a create, 429":          {"create_status", map[string]any{"code": 429}, "httpbin.create_status: throttled: ", 3},
		"a create, 500":          {"create_status", map[string]any{"code": 500}, "httpbin.create_status: unknown: ", 1},
		"a create, 503":          {"create_status", map[string]any{"code": 503}, "httpbin.create_status: unknown: ", 1},
		"three redirects":        {"redirect", map[string]any{"times": 3}, `"url":"http://bin.example/get"`, 4},
		"six redirects":          {"redirect", map[string]any{"times": 6}, "httpbin.redirect: invalid: redirected more than 5 times", 6},
		"redirect here":          {"redirect_to", map[string]any{"url": "/get?a=1"}, `"args":{"a":["1"]}`, 2},
		"redirect elsewhere":     {"redirect_to", map[string]any{"url": elsewhere}, "httpbin.redirect_to: invalid: redirected to " + elsewhere + ", which is not followed", 1},
		"POST that becomes GET":  {"post_redirect_to", map[string]any{"url": "/get", "status": 302}, "httpbin.post_redirect_to: invalid: redirected to /get, which is not followed", 1},
		"POST that stays POST":   {"post_redirect_to", map[string]any{"url": "/post", "status": 307}, "httpbin.post_redirect_to: invalid: redirected to /post, which is not followed", 1},
		"POST sent elsewhere":    {"post_redirect_to", map[string]any{"url": elsewhere, "status": 308}, "httpbin.post_redirect_to: invalid: redirected to " + elsewhere + ", which is not followed", 1},
		"basic":                  {"httpbin_basic.who", map[string]any{"password": binPassword}, `{"user":"ann"}`, 1},
		"basic, wrong":           {"httpbin_basic.who", map[string]any{"password": "another"}, "httpbin_basic.who: auth: ", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := &bin{}
				if !strings.Contains(tt.operation, ".") {
					tt.operation = "httpbin." + tt.operation
				}
				r, got, err := b.call(t, tt.operation, tt.inputs)
				if err != nil {
					got = err.Error()
				}
				if fails := strings.HasPrefix(tt.want, tt.operation); !strings.Contains(got, tt.want) || fails != (err != nil) {
					t.Errorf("got\n%s\nwant\n%s", got, tt.want)
				}
				if n := b.calls.Load(); n != tt.calls {
					t.Errorf("%d requests, want %d", n, tt.calls)
				}
				if unsure := r.Status == engine.Ambiguous; unsure != (strings.HasPrefix(name, "a create, 5")) {
					t.Errorf("the run %s", r.Status)
				}
			})
		})
	}
}

// A refused redirect says what it would have led to, and what can be done.
func TestHttpbinRedirectIsExplained(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, _, err := (&bin{}).call(t, "httpbin.post_redirect_to", map[string]any{"url": "/get", "status": 302})
		var failed *engine.Error
		const want = "credentials go to the connection's base_url only, and a POST stays a POST; if the vendor moved, change base_url or the operation's path"
		if !errors.As(err, &failed) || failed.Failure.Hint != want {
			t.Errorf("%+v", err)
		}
	})
}

// go-httpbin gives no Retry-After, so it is told to by what stands before it.
func TestHttpbinRetryAfter(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"429", "503"} {
		synctest.Test(t, func(t *testing.T) {
			b := &bin{}
			b.wrap = func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if b.calls.Load() <= 2 {
						w.Header().Set("Retry-After", "20")
						r.URL.Path = "/status/" + code
					}
					next.ServeHTTP(w, r)
				})
			}
			began := time.Now()
			_, _, err := b.call(t, "httpbin.read_status", map[string]any{"code": 200})
			if took := time.Since(began); err != nil || b.calls.Load() != 3 || took < 40*time.Second || took > 44*time.Second {
				t.Errorf("%s: %v after %d requests and %v", code, err, b.calls.Load(), took)
			}
		})
	}
}

// A pipeline over an API that nobody here wrote.
func TestHttpbinPipeline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &bin{}
		r, got, err := b.call(t, "pipelines/tour.yaml", map[string]any{"name": "Ann & Söhne +1", "codes": []any{200, 404, 201, 500}})
		const want = `{"author":"Yours Truly","codes":["200 done","404 failed","201 done","500 failed"],"gone":"not_found",` +
			`"lines":["Why \u003cem\u003eWonderWidgets\u003c/em\u003e are great","Who \u003cem\u003ebuys\u003c/em\u003e WonderWidgets"],` +
			`"name":["Ann \u0026 Söhne +1"],"page":["2"],"sent":"Wake up to WonderWidgets!"}`
		if err != nil || r.Status != engine.Partial || got != want {
			t.Errorf("%v %v\n%s\nwant\n%s", r.Status, err, got, want)
		}
		if n := b.calls.Load(); n != 2+6+1+1 {
			t.Errorf("%d requests", n)
		}
	})
}
