package vendortest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/seed627bd532/runner/engine"
)

// payments answers as Stripe does: forms with brackets, the same answer to the same idempotency
// key, lists by the last id, and 429 without a word on when to come back.
type payments struct {
	mu       sync.Mutex
	invoices []map[string]any
	answered map[string]map[string]any // by idempotency key
	forms    []url.Values
	// what goes wrong: creates whose answer is lost, requests that are throttled, and how many
	// searches do not find the newest invoice yet.
	lose, throttle, stale int
}

func invoice(n int, reference string, lines ...map[string]any) map[string]any {
	return map[string]any{"id": fmt.Sprintf("in_%d", n), "currency": "eur", "created": 1700000000 + n*86400, "metadata": map[string]any{"reference": reference},
		"lines": map[string]any{"object": "list", "data": lines}}
}

func (p *payments) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case r.Header.Get("Authorization") != "Bearer sk_test_4711":
		tell(w, 401, map[string]any{"error": map[string]any{"message": "Invalid API Key provided"}})
	case p.throttle > 0:
		p.throttle--
		tell(w, 429, map[string]any{"error": map[string]any{"code": "rate_limit", "message": "Too many requests"}})
	case r.Method == http.MethodPost && r.URL.Path == "/v1/invoices":
		p.create(w, r)
	case r.URL.Path == "/v1/invoices/search":
		p.search(w, r.URL.Query().Get("query"))
	case r.URL.Path == "/v1/invoices":
		p.list(w, r.URL.Query())
	default:
		tell(w, 404, map[string]any{"error": map[string]any{"message": "Unrecognized request URL"}})
	}
}

func (p *payments) create(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	key, f := r.Header.Get("Idempotency-Key"), r.PostForm
	if made := p.answered[key]; made != nil {
		tell(w, 200, made)
		return
	}
	if f.Get("lines[0][price]") == "" || key == "" {
		tell(w, 400, map[string]any{"error": map[string]any{"message": "Missing required param: lines[0][price]."}})
		return
	}
	p.forms = append(p.forms, f)
	var lines []map[string]any
	for i := 0; f.Has(fmt.Sprintf("lines[%d][price]", i)); i++ {
		cents, _ := strconv.Atoi(f.Get(fmt.Sprintf("lines[%d][amount]", i)))
		lines = append(lines, map[string]any{"price": f.Get(fmt.Sprintf("lines[%d][price]", i)), "amount": cents})
	}
	made := invoice(len(p.invoices)+1, f.Get("metadata[reference]"), lines...)
	p.invoices = append(p.invoices, made)
	if p.answered == nil {
		p.answered = map[string]map[string]any{}
	}
	p.answered[key] = made
	if p.lose > 0 {
		p.lose--
		hangUp()
	}
	tell(w, 200, made)
}

func (p *payments) search(w http.ResponseWriter, query string) {
	found := []map[string]any{}
	for i, in := range p.invoices {
		reference := in["metadata"].(map[string]any)["reference"]
		if query == fmt.Sprintf("metadata['reference']:'%s'", reference) && (p.stale == 0 || i < len(p.invoices)-1) {
			found = append(found, in)
		}
	}
	if len(p.invoices) > 0 {
		p.stale = max(0, p.stale-1)
	}
	tell(w, 200, map[string]any{"object": "search_result", "data": found})
}

func (p *payments) list(w http.ResponseWriter, q url.Values) {
	limit, _ := strconv.Atoi(q.Get("limit"))
	since, _ := strconv.Atoi(q.Get("created[gte]"))
	rest := slices.DeleteFunc(slices.Clone(p.invoices), func(in map[string]any) bool { return in["created"].(int) < since })
	if after := q.Get("starting_after"); after != "" {
		at := slices.IndexFunc(rest, func(in map[string]any) bool { return in["id"] == after })
		rest = rest[at+1:]
	}
	tell(w, 200, map[string]any{"object": "list", "data": rest[:min(limit, len(rest))], "has_more": len(rest) > limit})
}

func (p *payments) run(t *testing.T, name string, inputs map[string]any) (*engine.Result, string) {
	t.Helper()
	a := apiRun{p, "stripe", map[string]any{"api_key": "sk_test_4711"}, []string{"sk_test_4711"}}
	return a.run(t, name, inputs)
}

func TestStripeAPIEnsuresAnInvoice(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := &payments{throttle: 2}
		order := map[string]any{"reference": "R 1&2", "lines": []any{
			map[string]any{"price": "p_1", "amount": json.Number("19.99")}, map[string]any{"price": "p_2", "amount": json.Number("5")}}}
		for i, want := range []string{`{"created":true,"id":"in_1","reconciled":false}`, `{"created":false,"id":"in_1","reconciled":false}`} {
			if _, got := p.run(t, "pipelines/ensure_invoice.yaml", order); got != want {
				t.Errorf("run %d: %s", i+1, got)
			}
		}
		const want = "currency=eur&lines[0][amount]=1999&lines[0][price]=p_1&lines[1][amount]=500&lines[1][price]=p_2&metadata[reference]=R 1&2"
		if sent, _ := url.QueryUnescape(p.forms[0].Encode()); len(p.forms) != 1 || sent != want {
			t.Errorf("sent %d times: %s", len(p.forms), sent)
		}
	})
}

// The answer is lost, and the search shows the new invoice a little late.
func TestStripeAPILooksForALostInvoice(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := &payments{lose: 1, stale: 2}
		began := time.Now()
		_, got := p.run(t, "pipelines/ensure_invoice.yaml", map[string]any{"reference": "R-1", "lines": []any{map[string]any{"price": "p_1", "amount": json.Number("1")}}})
		if got != `{"created":true,"id":"in_1","reconciled":true}` || len(p.forms) != 1 || time.Since(began) < 10*time.Second {
			t.Errorf("%s after %d creates and %v", got, len(p.forms), time.Since(began))
		}
	})
}

func TestStripeAPIListsLines(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := &payments{}
		for n := 1; n <= 5; n++ {
			p.invoices = append(p.invoices, invoice(n, "", map[string]any{"price": "p_1", "amount": n}, map[string]any{"price": "p_2", "amount": 1000}))
		}
		_, got := p.run(t, "pipelines/invoice_lines.yaml", map[string]any{"since": "2023-11-17"})
		const want = `{"lines":[{"amount":0.03,"day":"2023-11-17","invoice":"in_3","price":"p_1"},{"amount":10,"day":"2023-11-17","invoice":"in_3","price":"p_2"},` +
			`{"amount":0.04,"day":"2023-11-18","invoice":"in_4","price":"p_1"},{"amount":10,"day":"2023-11-18","invoice":"in_4","price":"p_2"},` +
			`{"amount":0.05,"day":"2023-11-19","invoice":"in_5","price":"p_1"},{"amount":10,"day":"2023-11-19","invoice":"in_5","price":"p_2"}],"total":30.12}`
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}
