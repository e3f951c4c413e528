package vendortest_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"
)

// exporter is a service as many export: a job with an address of its own, a file at another host
// under a signed address, and a limit that says in a header when it begins anew.
type exporter struct {
	mu     sync.Mutex
	asked  int
	reset  time.Time // before it, and once it is set, requests are refused
	limits int       // how often the limit was met
	file   string
	state  string // in which the job ends
	bad    []string
}

func (x *exporter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x.mu.Lock()
	defer x.mu.Unlock()
	key := r.URL.Query().Get("api_key")
	if r.Host == "files.example" {
		if key != "" || r.URL.RawQuery != "sig=a%2Fb%3D&n=1" {
			x.bad = append(x.bad, r.URL.String())
		}
		w.Header().Set("Content-Type", "text/csv")
		fmt.Fprint(w, x.file)
		return
	}
	if key != "k-4711/0815" {
		tell(w, 401, map[string]any{"errors": []map[string]any{{"detail": "no such key"}}})
		return
	}
	if time.Now().Before(x.reset) {
		x.limits++
		w.Header().Set("X-RateLimit-Remaining", "0")
		w.Header().Set("X-RateLimit-Reset", fmt.Sprint(x.reset.Unix()))
		tell(w, 403, map[string]any{"errors": []map[string]any{{"detail": "API rate limit exceeded"}}})
		return
	}
	switch {
	case r.Method == http.MethodPost:
		w.Header().Set("Location", "http://api.example/v2/jobs/17?token=x%2Fy")
		w.WriteHeader(http.StatusAccepted)
	case r.URL.Path == "/v2/jobs/17" && r.URL.Query().Get("token") == "x/y":
		x.job(w)
	case r.URL.Path == "/v2/exports":
		page := r.URL.Query().Get("page[number]")
		if page == "" {
			w.Header().Set("Link", `</v2/exports?page%5Bsize%5D=1&page%5Bnumber%5D=2>; rel="next", </v2/exports>; rel="first"`)
		}
		tell(w, 200, map[string]any{"data": []map[string]any{{"id": "export" + page}}})
	default:
		tell(w, 404, map[string]any{"errors": []map[string]any{{"detail": "nothing at " + r.URL.Path}}})
	}
}

func (x *exporter) job(w http.ResponseWriter) {
	switch x.asked++; x.asked {
	case 1:
		tell(w, 200, map[string]any{"state": "queued"})
	case 2: // the limit is met: it begins anew in 25 minutes
		x.reset = time.Now().Add(25 * time.Minute)
		tell(w, 200, map[string]any{"state": "running"})
	default:
		tell(w, 200, map[string]any{"state": x.state, "file": "http://files.example/stock.csv?sig=a%2Fb%3D&n=1"})
	}
}

func (x *exporter) run(t *testing.T) string {
	t.Helper()
	a := apiRun{x, "exports", map[string]any{"key": "k-4711/0815"}, []string{"k-4711", "a%2Fb%3D"}}
	_, outputs := a.run(t, "pipelines/export_stock.yaml", nil)
	return outputs
}

func TestExportsAPI(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		x := &exporter{state: "done", file: "\ufeffsku;qty;counted\r\n007;1.50;31.12.2025\r\n\"A;1\";20;\r\n"}
		began := time.Now()
		const want = `{"exports":["export","export2"],"rows":[{"counted":"2025-12-31","quantity":1.50,"sku":"007"},{"counted":null,"quantity":20,"sku":"A;1"}],"total":21.50}`
		if got := x.run(t); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		// One request met the limit, and the next one came when it had begun anew.
		if took := time.Since(began); x.limits != 1 || took < 25*time.Minute || took > 27*time.Minute || len(x.bad) > 0 {
			t.Errorf("the limit was met %d times, after %v; %v", x.limits, took, x.bad)
		}
	})
}

func TestExportsAPIThatFail(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		const failed = `exports.ask: what it waits for cannot come any more: outputs.state == 'failed'; last seen {"state":"failed"}`
		if got := (&exporter{state: "failed"}).run(t); got != failed {
			t.Error(got)
		}
		x := &exporter{state: "done", file: "sku;qty\n007\n"}
		const want = "exports.download: invalid: the answer of exports.download breaks its contract: it is not CSV: record on line 2: wrong number of fields; it begins: sku;qty 007"
		if got := x.run(t); got != want {
			t.Error(got)
		}
	})
}
