package sandbox

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestFaultsStrike(t *testing.T) {
	t.Parallel()
	const add = `{"do":"add","code":"a"}`
	for _, test := range []struct {
		fault string
		got   string // "status text" of a create, or "lost", or "cut: what arrived"
		made  int    // creates that were done
	}{
		{"lose_request", "lost", 0},
		{"lose_answer", "lost", 1},
		{"status", "503 injected status 503", 0},
		{"status=429/1500ms", "429 injected status 429", 0},
		{"truncate", `cut: {"id":9007199254740993,"c`, 1},
		{"garbage", "200 <!DOCTYPE html><html><head><title>Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>\n", 1},
		{"expire", "401 who are you", 0},
		{"delay=1ms", `200 {"id":9007199254740993,"code":"a","price":203.7700}`, 1},
	} {
		t.Run(test.fault, func(t *testing.T) {
			t.Parallel()
			box, url := start(t, load(t, shop), Options{})
			lay(t, box, test.fault+":rpc_add")
			status, text, err := tryPost(url+"/rpc", add)
			got := fmt.Sprint(status, " ", text)
			switch {
			case err != nil && status == 0:
				got = "lost"
			case err != nil:
				got = "cut: " + text
			}
			if got != test.got {
				t.Errorf("got %s\nwant %s", got, test.got)
			}
			stats := box.Stats()
			if n := stats.Creates["rpc_add"]["a"]; n != test.made {
				t.Errorf("it was made %d times, want %d", n, test.made)
			}
			if f := stats.Requests[0].Fault; !strings.HasPrefix(f, strings.Split(test.fault, "=")[0]) {
				t.Errorf("the log shows the fault as %q", f)
			}
		})
	}
}

func lay(t *testing.T, box *Sandbox, text string) {
	t.Helper()
	f, err := ParseFault(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := box.AddFault(f); err != nil {
		t.Fatal(err)
	}
}

func TestStatusFaultSaysWhenToComeAgain(t *testing.T) {
	t.Parallel()
	box, url := start(t, load(t, shop), Options{})
	lay(t, box, "status=429/1500ms:hello")
	res, err := http.Get(url + "/hello")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got := res.Header.Get("Retry-After"); res.StatusCode != 429 || got != "2" {
		t.Errorf("got %d with Retry-After %q, want 429 with 2: whole seconds, never too early", res.StatusCode, got)
	}
}

func TestDelayDoesTheWorkAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := New(load(t, shop), Options{})
		lay(t, box, "delay=10s:rpc_add")
		done := make(chan struct{})
		go func() {
			defer close(done)
			r := httptest.NewRequest(http.MethodPost, "/rpc", strings.NewReader(`{"do":"add","code":"a"}`))
			r.Header.Set("X-Key", "k1")
			box.ServeHTTP(httptest.NewRecorder(), r)
		}()
		began := time.Now()
		synctest.Wait()
		if n := box.Stats().Creates["rpc_add"]["a"]; n != 1 {
			t.Errorf("it was made %d times before the answer, want once", n)
		}
		<-done
		if waited := time.Since(began); waited != 10*time.Second {
			t.Errorf("the answer came after %s, want 10s", waited)
		}
	})
}

func TestFaultsStrikeTheCallsTheyAreAbout(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ fault, struck string }{
		{"status", "xxxxxx"},
		{"status:*:2", ".x...."},
		{"status:*:2-4", ".xxx.."},
		{"status:*:3+", "..xxxx"},
		{"status:hello:1", "x....."},
		{"status:quiet", "......"},
		{"status:*:100%", "xxxxxx"},
		{"status:*:2+:100%", ".xxxxx"},
	} {
		t.Run(test.fault, func(t *testing.T) {
			t.Parallel()
			box := New(load(t, shop), Options{})
			lay(t, box, test.fault)
			if got := struck(box, 6); got != test.struck {
				t.Errorf("got %s, want %s", got, test.struck)
			}
		})
	}
}

// struck greets n times, and writes x for each time that failed.
func struck(box *Sandbox, n int) string {
	var row strings.Builder
	for range n {
		w := httptest.NewRecorder()
		box.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/hello", nil))
		if w.Code == http.StatusServiceUnavailable {
			row.WriteByte('x')
		} else {
			row.WriteByte('.')
		}
	}
	return row.String()
}

func TestChanceFollowsFromTheSeed(t *testing.T) {
	t.Parallel()
	d := load(t, shop)
	row := func(seed uint64) string {
		box := New(d, Options{Seed: seed})
		lay(t, box, "status:*:30%")
		return struck(box, 200)
	}
	if first, again := row(1), row(1); first != again {
		t.Error("the same seed strikes other calls")
	}
	if row(1) == row(2) {
		t.Error("another seed strikes the same calls")
	}
	if n := strings.Count(row(1), "x"); n < 40 || n > 80 {
		t.Errorf("%d of 200 calls were struck, want about 60", n)
	}
}

func TestFaultsAddUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := New(load(t, shop), Options{})
		for _, f := range []string{"delay=1s", "delay=2s", "status=500:*:1", "garbage:*:1-2"} {
			lay(t, box, f)
		}
		began := time.Now()
		if got := struck(box, 1); got != "." {
			t.Errorf("got %s", got)
		}
		if waited := time.Since(began); waited != 3*time.Second {
			t.Errorf("waited %s, want 3s", waited)
		}
		r := box.Stats().Requests[0]
		if r.Status != 500 || r.Fault != "delay=1s delay=2s status=500:*:1" {
			t.Errorf("got %d, %q: of faults that exclude each other the first counts", r.Status, r.Fault)
		}
	})
}

func TestClearedFaultsStrikeNoMore(t *testing.T) {
	t.Parallel()
	box := New(load(t, shop), Options{})
	lay(t, box, "status")
	first := struck(box, 1)
	box.ClearFaults()
	if got := first + struck(box, 1); got != "x." {
		t.Errorf("got %s, want x.", got)
	}
}

func TestFaultsNameOperationsOfTheVendorFile(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ vendor, operation, want string }{
		{"intcomex", "create_company", "lose_answer:create:2"},
		{"intcomex", "create", "lose_answer:create:2"},
		{"managementpro", "add_client", "fault lose_answer:add_client:2 of sandbox managementpro: add_client is answered as add or edit or other: name one of these"},
	} {
		def, err := Load(os.DirFS("../../specs"), test.vendor+".sandbox.yaml")
		if err != nil {
			t.Fatal(err)
		}
		text := "lose_answer:" + test.operation + ":2"
		for how, answer := range map[string]func(box *Sandbox) string{
			"by Go": func(box *Sandbox) string {
				if err := box.AddFault(Fault{Kind: LoseAnswer, Operation: test.operation, Nth: 2, Count: 1}); err != nil {
					return err.Error()
				}
				return string(box.faultsAnswer().body)
			},
			"by HTTP": func(box *Sandbox) string { return string(box.addFaults(strings.NewReader(text)).body) },
		} {
			if got := strings.TrimSpace(answer(New(def, Options{}))); got != test.want {
				t.Errorf("%s of %s, %s:\n got %s\nwant %s", text, test.vendor, how, got, test.want)
			}
		}
	}
}

func TestUnfitFaultsAreRefused(t *testing.T) {
	t.Parallel()
	box := New(load(t, shop), Options{})
	keyless := New(load(t, strings.Replace(shop, "tokens: sessions\n", "", 1)), Options{})
	for _, test := range []struct {
		box   *Sandbox
		fault Fault
		want  string
	}{
		{box, Fault{Kind: "burn"}, `fault burn of sandbox shop: no fault "burn", there are lose_request, lose_answer, delay, status, truncate, garbage, expire`},
		{box, Fault{Kind: LoseAnswer, Operation: "create"}, `fault lose_answer:create of sandbox shop: no operation "create", there are hello, quiet, form, rpc_add, rpc_pay, rpc_drop, rpc_break, rpc_nothing, ready, all, members`},
		{box, Fault{Kind: Delay}, "fault delay=0s of sandbox shop: a delay says how long: delay=200ms"},
		{box, Fault{Kind: Status, Status: 99}, "fault status=99 of sandbox shop: a status is from 200 to 599, found 99"},
		{box, Fault{Kind: Status, Chance: 1.5}, "fault status=503:*:150% of sandbox shop: a chance is between 0 and 1, found 1.5"},
		{keyless, Fault{Kind: Expire}, "fault expire of sandbox shop: its file names no tokens that could expire"},
	} {
		if err := test.box.AddFault(test.fault); err == nil || err.Error() != test.want {
			t.Errorf("%+v\n got %v\nwant %s", test.fault, err, test.want)
		}
	}
}

func TestTruncatedAnswersBreakOffBelowTheirLength(t *testing.T) {
	t.Parallel()
	box, url := start(t, load(t, shop), Options{})
	lay(t, box, "truncate")
	status, text, err := tryPost(url+"/all", "")
	if status != 200 || text != `{"orders":[]` || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %d %s, %v; want the first half and %v", status, text, err, io.ErrUnexpectedEOF)
	}
	if status, text, err := tryPost(url+"/quiet", ""); err == nil {
		t.Errorf("an answer that cannot be halved arrived: %d %s", status, text)
	}
}
