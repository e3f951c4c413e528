package sandbox

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

func TestOverlapsAreCountedByToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := New(load(t, shop), Options{})
		lay(t, box, "delay=1s")
		var all sync.WaitGroup
		greet := func(key string) {
			all.Go(func() {
				r := httptest.NewRequest(http.MethodGet, "/hello", nil)
				r.Header.Set("X-Key", key)
				box.ServeHTTP(httptest.NewRecorder(), r)
			})
		}
		greet("k1")
		greet("k1")
		greet("k1")
		greet("k2")
		greet("") // without a token nothing overlaps
		greet("")
		all.Wait()
		greet("k1")
		all.Wait()

		stats := box.Stats()
		if got := fmt.Sprint(stats.Overlaps); got != "map[k1:2]" {
			t.Errorf("overlaps: got %s, want map[k1:2]", got)
		}
		if stats.Concurrency != 6 || stats.Total != 7 || stats.Calls["hello"] != 7 {
			t.Errorf("got concurrency %d, total %d, calls %v", stats.Concurrency, stats.Total, stats.Calls)
		}
	})
}

func TestCreatesAreCountedWhenTheyWereDone(t *testing.T) {
	t.Parallel()
	box, url := start(t, load(t, shop), Options{})
	post(t, url+"/rpc", `{"do":"add","code":"a"}`)
	post(t, url+"/rpc", `{"do":"add","code":"a"}`)
	post(t, url+"/rpc", `{"do":"add","code":42}`)
	post(t, url+"/rpc", `{"do":"add","code":["a",7]}`)
	post(t, url+"/rpc", `{"do":"add"}`) // refused
	if got := fmt.Sprint(box.Stats().Creates); got != "map[rpc_add:map[42:1 7:1 a:3]]" {
		t.Errorf("got %s", got)
	}
}

func TestTheLogKeepsTheLastRequests(t *testing.T) {
	t.Parallel()
	box, url := start(t, load(t, shop), Options{LogSize: 2})
	for i := range 5 {
		post(t, fmt.Sprintf("%s/quiet?n=%d", url, i+1), strings.Repeat("é", loggedBody))
	}
	stats := box.Stats()
	if stats.Total != 5 || len(stats.Requests) != 2 {
		t.Fatalf("got %d requests in total, %d in the log", stats.Total, len(stats.Requests))
	}
	for i, r := range stats.Requests {
		if want := i + 4; r.Number != want || r.Path != fmt.Sprintf("/quiet?n=%d", want) {
			t.Errorf("entry %d is number %d, %s", i, r.Number, r.Path)
		}
		if r.Method != "POST" || r.Operation != "quiet" || r.Status != 204 || r.Headers["x-key"] != "k1" || len(r.Body) != loggedBody {
			t.Errorf("got %s %s %d %v with a body of %d bytes", r.Method, r.Operation, r.Status, r.Headers, len(r.Body))
		}
	}
}

func TestStatsAreACopy(t *testing.T) {
	t.Parallel()
	box, url := start(t, load(t, shop), Options{})
	post(t, url+"/rpc", `{"do":"add","code":"a"}`)
	stats := box.Stats()
	stats.Calls["rpc_add"], stats.Creates["rpc_add"]["a"], stats.Requests[0].Status = 9, 9, 9
	again := box.Stats()
	if again.Calls["rpc_add"] != 1 || again.Creates["rpc_add"]["a"] != 1 || again.Requests[0].Status != 200 {
		t.Errorf("changing a copy changed the sandbox: %+v", again)
	}
}

func TestRequestsEndInTheCountsTheyBeganIn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := New(load(t, shop), Options{})
		lay(t, box, "delay=1s")
		var one sync.WaitGroup
		one.Go(func() { struck(box, 1) })
		synctest.Wait()
		box.Reset()
		one.Wait()
		struck(box, 1)
		if got := box.Stats().Concurrency; got != 1 {
			t.Errorf("got a concurrency of %d after the reset, want 1", got)
		}
	})
}
