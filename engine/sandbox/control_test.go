package sandbox

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func control(t *testing.T, method, url, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

func TestOtherProcessesCanSteerASandbox(t *testing.T) {
	t.Parallel()
	box, url := start(t, load(t, shop), Options{})
	post(t, url+"/rpc", `{"do":"add","code":"a"}`)

	_, text := control(t, "GET", url+"/_sandbox/stats", "")
	var stats Stats
	if err := json.Unmarshal([]byte(text), &stats); err != nil {
		t.Fatal(err)
	}
	if stats.Creates["rpc_add"]["a"] != 1 || stats.Total != 1 || stats.Requests[0].Body != `{"do":"add","code":"a"}` {
		t.Errorf("got %s", text)
	}

	for _, test := range []struct {
		method, path, body string
		status             int
		text               string
	}{
		{"POST", "faults", "lose_answer:rpc_add:2\n\n delay=5ms \n", 200, "lose_answer:rpc_add:2\ndelay=5ms\n"},
		{"POST", "faults", "garbage\nlose_answer:nope", 400, "fault lose_answer:nope of sandbox shop: no operation \"nope\", there are hello, quiet, form, rpc_add, rpc_pay, rpc_drop, rpc_break, rpc_nothing, ready, all, members\n"},
		{"POST", "faults", "burn", 400, "fault \"burn\": no fault \"burn\", there are lose_request, lose_answer, delay, status, truncate, garbage, expire\n"},
		{"GET", "faults", "", 200, "lose_answer:rpc_add:2\ndelay=5ms\n"},
		{"DELETE", "faults", "", 200, ""},
		{"POST", "reset", "", 200, ""},
		{"GET", "reset", "", 404, "/_sandbox/ has no GET reset: there are GET stats, GET, POST and DELETE faults, POST reset\n"},
	} {
		status, text := control(t, test.method, url+"/_sandbox/"+test.path, test.body)
		if status != test.status || text != test.text {
			t.Errorf("%s %s\n got %d %s\nwant %d %s", test.method, test.path, status, text, test.status, test.text)
		}
	}
	if total := box.Stats().Total; total != 0 {
		t.Errorf("after the reset %d requests are counted", total)
	}
}

func TestSteeringIsForThisMachineOnly(t *testing.T) {
	t.Parallel()
	box := New(load(t, shop), Options{})
	for _, test := range []struct {
		remote string
		status int
	}{
		{"192.0.2.1:4000", 403}, {"[2001:db8::1]:4000", 403},
		{"127.0.0.1:4000", 200}, {"[::1]:4000", 200}, {"pipe", 200}, {"@", 200},
	} {
		r := httptest.NewRequest("GET", "/_sandbox/stats", nil)
		r.RemoteAddr = test.remote
		w := httptest.NewRecorder()
		box.ServeHTTP(w, r)
		if w.Code != test.status {
			t.Errorf("%s: got %d, want %d", test.remote, w.Code, test.status)
		}
	}
}
