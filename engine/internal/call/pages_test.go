package call

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/value"
)

const listings = `
vendor: acme
version: 1
config:
  key: {type: string, secret: true, default: k-very-secret}
auth:
  inject:
    query: {key: "${{ config.key }}"}
defaults:
  retry: {attempts: 3, first: 1ms, max: 2ms}
operations:
  numbered:
    effect: read
    paginate: {by: number, items: ids, size: 3, max_pages: 5}
    request: {method: GET, path: "/numbered/${{ page.number }}", query: {size: "${{ page.size }}"}}
    response:
      message: error
      outcomes: [{if: status == 204, is: empty}]
      schema: {type: object, properties: {items: {type: array, items: {type: integer}}, total: {type: integer}, last: {type: boolean}, next: {type: [string, integer, "null"]}}}
      outputs: {ids: items, total: total}
  stopped:
    effect: read
    paginate: {by: number, items: ids, start: 0, stop: body.last == true or page.number == 2}
    request: {method: GET, path: /listing, query: {page: "${{ page.number }}"}}
    response: {outputs: {ids: items, total: total}}
  short:
    effect: read
    paginate: {by: number, items: ids, size: 3, stop: len(outputs.ids) < page.size and outcome == "ok"}
    request: {method: GET, path: /listing, query: {page: "${{ page.number }}", size: "${{ page.size }}"}}
    response: {outputs: {ids: items, total: total}}
  unsure:
    effect: read
    paginate: {by: number, items: ids, stop: body.last}
    request: {method: GET, path: /listing, query: {page: "${{ page.number }}"}}
    response: {outputs: {ids: items}}
  chosen:
    effect: read
    paginate: {by: offset, items: ids}
    request: {method: GET, path: /listing, query: {offset: "${{ page.offset }}"}}
    response: {outputs: {ids: "items.#(on==true)#.id"}}
  told:
    effect: read
    paginate: {by: cursor, items: ids, next: next, stop: body.more == false}
    request: {method: GET, path: /listing, query: {cursor: "${{ page.cursor ?? omit }}"}}
    response: {outputs: {ids: {path: items, default: []}}}
  skipped:
    effect: read
    paginate: {by: offset, items: ids, size: 3}
    request: {method: GET, path: /listing, query: {offset: "${{ page.offset }}", limit: "${{ page.size }}"}}
    response: {outputs: {ids: items, total: total}}
  handed:
    effect: read
    paginate: {by: cursor, items: ids, next: next}
    request: {method: POST, path: /listing, body: {cursor: "${{ page.cursor ?? omit }}"}}
    response: {outputs: {ids: items, total: total}}
  headed:
    effect: read
    paginate: {by: cursor, items: ids, start: "*", next: {header: X-Next}}
    request: {method: GET, path: /listing, query: {cursor: "${{ page.cursor }}"}}
    response: {outputs: {ids: items, total: total}}
  linked:
    effect: read
    paginate: {by: link, items: ids, next: {header: link}}
    request: {method: GET, path: /listing, query: {page: 1}}
    response: {outputs: {ids: items, total: total}}
  addressed:
    effect: read
    paginate: {by: link, items: ids, next: next}
    request: {method: GET, path: /listing, query: {page: 1}}
    response: {outputs: {ids: items, total: total}}
`

// A listed is one request to a listing and its answer.
type listed struct{ request, answer string }

// answering serves the answers in turn, and fails the test at other requests. An answer
// is a status (200 where it is left out), headers in brackets, and a body.
func answering(t *testing.T, turns ...listed) *Executor {
	t.Helper()
	var n atomic.Int32
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		i := int(n.Add(1)) - 1
		if i >= len(turns) {
			t.Errorf("request %d: %s %s, and no more was awaited", i+1, r.Method, r.RequestURI)
			w.WriteHeader(http.StatusTeapot)
			return
		}
		got := strings.TrimSpace(r.Method + " " + r.RequestURI + " " + body(r))
		want := replace(turns[i].request, "KEY", "key=k-very-secret")
		if got != want {
			t.Errorf("request %d:\ngot  %s\nwant %s", i+1, got, want)
		}
		reply(w, replace(turns[i].answer, "HOST", "http://"+r.Host))
	})
	t.Cleanup(func() {
		if got := int(n.Load()); got != len(turns) {
			t.Errorf("there were %d requests, want %d", got, len(turns))
		}
	})
	return connect(t, vendorOf(t, listings), base, nil, Options{})
}

func reply(w http.ResponseWriter, text string) {
	if rest, ok := strings.CutPrefix(text, "["); ok && strings.Contains(text, "] ") {
		header, body, _ := strings.Cut(rest, "] ")
		name, v, _ := strings.Cut(header, ": ")
		w.Header().Set(name, v)
		text = body
	}
	if code, body, ok := strings.Cut(text, " "); ok && len(code) == 3 {
		status, _ := strconv.Atoi(code)
		w.WriteHeader(status)
		text = body
	}
	io.WriteString(w, text)
}

func TestListingsAreReadPageByPage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, operation string
		turns           []listed
		want            string
	}{
		{"numbers, to the empty page", "numbered", []listed{
			{"GET /numbered/1?size=3&KEY", `{"items":[1,2,3],"total":5}`},
			{"GET /numbered/2?size=3&KEY", `{"items":[4,5],"total":6}`},
			{"GET /numbered/3?size=3&KEY", `{"items":[]}`},
		}, `ok {"ids":[1,2,3,4,5],"total":5}`},
		{"numbers, to the outcome empty", "numbered", []listed{
			{"GET /numbered/1?size=3&KEY", `{"items":[1,2,3],"total":5}`},
			{"GET /numbered/2?size=3&KEY", `204 `},
		}, `ok {"ids":[1,2,3],"total":5}`},
		{"nothing at all", "numbered", []listed{
			{"GET /numbered/1?size=3&KEY", `204 `},
		}, `empty {"ids":[],"total":null}`},
		{"an empty list", "numbered", []listed{
			{"GET /numbered/1?size=3&KEY", `{"items":[],"total":0}`},
		}, `ok {"ids":[],"total":0}`},
		{"pages with equal elements", "numbered", []listed{
			{"GET /numbered/1?size=3&KEY", `{"items":[7,7,7]}`},
			{"GET /numbered/2?size=3&KEY", `{"items":[7,7,7]}`},
			{"GET /numbered/3?size=3&KEY", `{"items":[7]}`},
			{"GET /numbered/4?size=3&KEY", `{"items":[]}`},
		}, `ok {"ids":[7,7,7,7,7,7,7],"total":null}`},
		{"many pages with equal elements, behind cursors", "handed", []listed{
			{"POST /listing?KEY", `{"items":[7],"next":"a"}`},
			{`POST /listing?KEY {"cursor":"a"}`, `{"items":[7],"next":"b"}`},
			{`POST /listing?KEY {"cursor":"b"}`, `{"items":[7],"next":"c"}`},
			{`POST /listing?KEY {"cursor":"c"}`, `{"items":[7]}`},
		}, `ok {"ids":[7,7,7,7],"total":null}`},
		{"a page of which an output takes nothing", "chosen", []listed{
			{"GET /listing?offset=0&KEY", `{"items":[{"id":1,"on":true},{"id":2}]}`},
			{"GET /listing?offset=2&KEY", `{"items":[{"id":3}]}`},
			{"GET /listing?offset=3&KEY", `{"items":[{"id":4,"on":true}]}`},
			{"GET /listing?offset=4&KEY", `{"items":[]}`},
		}, `ok {"ids":[1,4]}`},
		{"an empty page that is not the last one, says stop", "told", []listed{
			{"GET /listing?KEY", `{"items":[1],"next":"a","more":true}`},
			{"GET /listing?cursor=a&KEY", `{"items":[],"next":"b","more":true}`},
			{"GET /listing?cursor=b&KEY", `{"items":[2],"more":false}`},
		}, `ok {"ids":[1,2]}`},
		{"an empty page among counted ones", "stopped", []listed{
			{"GET /listing?page=0&KEY", `{"items":[1]}`},
			{"GET /listing?page=1&KEY", `{"items":[]}`},
			{"GET /listing?page=2&KEY", `{"items":[2]}`},
		}, `ok {"ids":[1,2],"total":null}`},
		{"two empty pages", "stopped", []listed{
			{"GET /listing?page=0&KEY", `{"items":[]}`},
			{"GET /listing?page=1&KEY", `{"items":[]}`},
		}, `ok {"ids":[],"total":null}`},
		{"numbers, to what the answer says", "stopped", []listed{
			{"GET /listing?page=0&KEY", `{"items":[1]}`},
			{"GET /listing?page=1&KEY", `{"items":[2],"last":true}`},
		}, `ok {"ids":[1,2],"total":null}`},
		{"numbers, to what the page says", "stopped", []listed{
			{"GET /listing?page=0&KEY", `{"items":[1]}`},
			{"GET /listing?page=1&KEY", `{"items":[2]}`},
			{"GET /listing?page=2&KEY", `{"items":[3]}`},
		}, `ok {"ids":[1,2,3],"total":null}`},
		{"numbers, to a short page", "short", []listed{
			{"GET /listing?page=1&size=3&KEY", `{"items":[1,2,3]}`},
			{"GET /listing?page=2&size=3&KEY", `{"items":[4]}`},
		}, `ok {"ids":[1,2,3,4],"total":null}`},
		{"offsets, by what was handed out", "skipped", []listed{
			{"GET /listing?offset=0&limit=3&KEY", `{"items":[1.50,"b"]}`},
			{"GET /listing?offset=2&limit=3&KEY", `{"items":[{"id":3}]}`},
			{"GET /listing?offset=3&limit=3&KEY", `{"items":[]}`},
		}, `ok {"ids":[1.50,"b",{"id":3}],"total":null}`},
		{"cursors", "handed", []listed{
			{"POST /listing?KEY", `{"items":[1],"next":"a/b"}`},
			{`POST /listing?KEY {"cursor":"a/b"}`, `{"items":[2],"next":17}`},
			{`POST /listing?KEY {"cursor":"17"}`, `{"items":[3],"next":null}`},
		}, `ok {"ids":[1,2,3],"total":null}`},
		{"cursors that end as a text without letters", "handed", []listed{
			{"POST /listing?KEY", `{"items":[1],"next":""}`},
		}, `ok {"ids":[1],"total":null}`},
		{"cursors that end with an empty page", "handed", []listed{
			{"POST /listing?KEY", `{"items":[1],"next":"a"}`},
			{`POST /listing?KEY {"cursor":"a"}`, `{"items":[],"next":"a"}`},
		}, `ok {"ids":[1],"total":null}`},
		{"cursors in a header", "headed", []listed{
			{"GET /listing?cursor=%2A&KEY", `[X-Next: p 2] {"items":[1]}`},
			{"GET /listing?cursor=p+2&KEY", `{"items":[2]}`},
		}, `ok {"ids":[1,2],"total":null}`},
		{"links in a header", "linked", []listed{
			{"GET /listing?page=1&KEY", `[Link: <HOST/more/a%2Fb?page=2&key=old>; rel="next", <HOST/last>; rel=last] {"items":[1]}`},
			{"GET /more/a%2Fb?page=2&KEY", `[Link: <c?page=3#top>; rel=next] {"items":[2]}`},
			{"GET /more/c?page=3&KEY", `[Link: <HOST/listing>; rel=prev] {"items":[3]}`},
		}, `ok {"ids":[1,2,3],"total":null}`},
		{"links in the answer", "addressed", []listed{
			{"GET /listing?page=1&KEY", `{"items":[1],"next":"?page=2"}`},
			{"GET /listing?page=2&KEY", `{"items":[2],"next":"HOST/"}`},
			{"GET /?KEY", `{"items":[3],"next":false}`},
		}, `ok {"ids":[1,2,3],"total":null}`},
		{"a redirect on the way", "addressed", []listed{
			{"GET /listing?page=1&KEY", `[Location: /moved/listing?page=1] 302 `},
			{"GET /moved/listing?page=1", `{"items":[1],"next":"two"}`},
			{"GET /moved/two?KEY", `{"items":[2]}`},
		}, `ok {"ids":[1,2],"total":null}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			res := ask(t, answering(t, c.turns...), c.operation)
			if got := string(res.Outcome) + " " + outputs(res); got != c.want {
				t.Errorf("got  %s\nwant %s (%s)", got, c.want, summary(res))
			}
		})
	}
}

func TestListingsThatGoWrong(t *testing.T) {
	t.Parallel()
	const circle = "the listing would never end: check how the request asks for a page, and what ends the listing (paginate.stop)"
	const noList = "check the path; where the vendor leaves the list out because nothing is there, an outcome says so, as in {if: body.items == null, is: empty}"
	for _, c := range []struct {
		name, operation string
		turns           []listed
		want, hint      string
	}{
		{"the vendor does not heed the page", "numbered", []listed{
			{"GET /numbered/1?size=3&KEY", `{"items":[1,2,3],"total":5}`},
			{"GET /numbered/2?size=3&KEY", `{"items":[1,2,3],"total":5}`},
			{"GET /numbered/3?size=3&KEY", `{"items":[1,2,3],"total":5}`},
		}, "invalid page-repeated: page 3 of acme.numbered is the same answer as the 2 pages before it",
			"check that the vendor heeds page.number, and what ends the listing (paginate.stop)"},
		{"cursors in a circle", "handed", []listed{
			{"POST /listing?KEY", `{"items":[1],"next":"a"}`},
			{`POST /listing?KEY {"cursor":"a"}`, `{"items":[2],"next":"b"}`},
			{`POST /listing?KEY {"cursor":"b"}`, `{"items":[3],"next":"a"}`},
		}, "invalid page-repeated: page 3 of acme.handed names the same next page as page 1: a", circle},
		{"addresses in a circle, each written in two ways", "addressed", []listed{
			{"GET /listing?page=1&KEY", `{"items":[1],"next":"?page=2"}`},
			{"GET /listing?page=2&KEY", `{"items":[2],"next":"/listing?page=3"}`},
			{"GET /listing?page=3&KEY", `{"items":[3],"next":"HOST/listing?page=2"}`},
		}, "invalid page-repeated: page 3 of acme.addressed names the same next page as page 1: BASE/listing?page=2", circle},
		{"a missing list", "numbered", []listed{
			{"GET /numbered/1?size=3&KEY", `{"message":"try again"}`},
		}, `invalid contract-broken: the answer of acme.numbered breaks its contract: output ids: path items finds no list; it says {"message":"try again"}`, noList},
		{"a list that is null", "told", []listed{
			{"GET /listing?KEY", `{"items":null,"next":"a"}`},
		}, `invalid contract-broken: the answer of acme.told breaks its contract: output ids: path items finds no list; it says {"items":null,"next":"a"}`, noList},
		{"a missing list in the middle, where the output has a default", "told", []listed{
			{"GET /listing?KEY", `{"items":[1],"next":"a","more":true}`},
			{"GET /listing?cursor=a&KEY", `{}`},
		}, "invalid contract-broken: page 2: the answer of acme.told breaks its contract: output ids: path items finds no list", noList},
		{"a list that some elements are taken of, and is missing", "chosen", []listed{
			{"GET /listing?offset=0&KEY", `{"item":[{"id":1,"on":true}]}`},
		}, `invalid contract-broken: the answer of acme.chosen breaks its contract: output ids: path items.#(on==true)#.id finds no list; it says {"item":[{"id":1,"on":true}]}`, noList},
		{"an empty answer", "skipped", []listed{
			{"GET /listing?offset=0&limit=3&KEY", ``},
		}, "invalid contract-broken: the answer of acme.skipped breaks its contract: output ids: path items finds no list", noList},
		{"no next page where stop is false", "told", []listed{
			{"GET /listing?KEY", `{"items":[1],"more":true,"nxt":"a"}`},
		}, "invalid contract-broken: the answer of acme.told breaks its contract: paginate.stop says that more pages follow, and paginate.next (next) finds nothing",
			"check where next looks, and whether stop is true of the last page"},
		{"a link to itself", "addressed", []listed{
			{"GET /listing?page=1&KEY", `{"items":[1],"next":"?page=1"}`},
			{"GET /listing?page=1&KEY", `{"items":[1],"next":"?page=1"}`},
		}, "invalid page-repeated: page 2 of acme.addressed names the same next page as page 1: ?page=1", circle},
		{"too many pages", "numbered", []listed{
			{"GET /numbered/1?size=3&KEY", `{"items":[1]}`},
			{"GET /numbered/2?size=3&KEY", `{"items":[2]}`},
			{"GET /numbered/3?size=3&KEY", `{"items":[1]}`},
			{"GET /numbered/4?size=3&KEY", `{"items":[2]}`},
			{"GET /numbered/5?size=3&KEY", `{"items":[1]}`},
		}, "invalid too-many-pages: acme.numbered has more than 5 pages",
			"a list that is cut off would look like a whole one: raise paginate.max_pages, or ask for less"},
		{"a refusal in the middle", "numbered", []listed{
			{"GET /numbered/1?size=3&KEY", `{"items":[1]}`},
			{"GET /numbered/2?size=3&KEY", `403 {"error":"not k-very-secret"}`},
		}, "denied: page 2: not •••", ""},
		{"a page of another shape", "numbered", []listed{
			{"GET /numbered/1?size=3&KEY", `{"items":[1]}`},
			{"GET /numbered/2?size=3&KEY", `{"items":["a"]}`},
		}, `invalid contract-broken: page 2: the answer of acme.numbered breaks its contract: items[0]: expected integer, found text "a"`, ""},
		{"a page that is no list", "skipped", []listed{
			{"GET /listing?offset=0&limit=3&KEY", `{"items":{"a":1}}`},
		}, "invalid contract-broken: the answer of acme.skipped breaks its contract: output ids: path items finds no list; it says {\"items\":{\"a\":1}}", noList},
		{"a stop that is no answer", "unsure", []listed{
			{"GET /listing?page=1&KEY", `{"items":[1]}`},
		}, "invalid contract-broken: the answer of acme.unsure breaks its contract: paginate.stop: specs/acme.yaml:33:46: the condition gives null, expected true or false",
			"say what counts where the answer leaves something out, as in body.last ?? false"},
		{"a cursor that is none", "handed", []listed{
			{"POST /listing?KEY", `{"items":[1],"next":{"page":2}}`},
		}, "invalid contract-broken: the answer of acme.handed breaks its contract: paginate.next: path next: expected a text or a number, found object", ""},
		{"a link to elsewhere", "linked", []listed{
			{"GET /listing?page=1&KEY", `[Link: <https://elsewhere.example/listing?page=2>; rel=next] {"items":[1]}`},
		}, "invalid bad-request: page 2: cannot make the request of acme.linked: the answer names the next page https://elsewhere.example/listing?page=2, which is not on BASE",
			"credentials go to the connection's base_url only; if the vendor moved, change base_url"},
		{"a link that is none", "addressed", []listed{
			{"GET /listing?page=1&KEY", `{"items":[1],"next":"http://[::1"}`},
		}, `invalid bad-request: page 2: cannot make the request of acme.addressed: the answer names the next page "http://[::1", which is no address`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := answering(t, c.turns...)
			res := ask(t, e, c.operation)
			want := replace(c.want, "BASE", e.connections["acme"].BaseURL.String())
			if got := summary(res); got != want || res.Hint != c.hint || res.Outputs != nil {
				t.Errorf("got  %s\nwant %s\nhint %s", got, want, res.Hint)
			}
			if res.Repeatable(flow.Read) {
				t.Error("the call would be made again, from the first page")
			}
		})
	}
}

func TestPagesThatDifferInWhatIsNotTakenAreNotTheSame(t *testing.T) {
	t.Parallel()
	for _, output := range []string{"{path: items, each: {pad: pad}}", `"items.#.pad"`} {
		v := vendorOf(t, replace(long, "{path: items, each: {id: id, costs: costs, pad: pad}}", output))
		for pad, o := range map[string]Options{"x": {}, strings.Repeat("x", 300): {SpoolFrom: 64 << 10}} {
			const pages, size = 3, 300
			res := ask(t, connect(t, v, serve(t, pagesOf(pages, size, pad)), nil, o), "listing")
			if n, _ := value.Length(res.Outputs.At("rows")); res.Outcome != flow.OK || n != pages*size {
				t.Errorf("%s: %s, %d rows", output, summary(res), n)
			}
		}
	}
}

func TestALargePageThatIsRepeated(t *testing.T) {
	t.Parallel()
	for _, output := range []string{"{path: items, each: {id: id}}", `"items.#.pad"`} {
		v := vendorOf(t, replace(long, "{path: items, each: {id: id, costs: costs, pad: pad}}", output))
		page := pagesOf(1, 700, strings.Repeat("x", 100))
		base := serve(t, func(w http.ResponseWriter, r *http.Request) {
			r.URL.RawQuery = "page=1"
			page(w, r)
		})
		res := ask(t, connect(t, v, base, nil, small), "listing")
		if got, want := summary(res), "invalid page-repeated: page 3 of acme.listing is the same answer as the 2 pages before it"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestAPageThatFailsIsReadAgainAndNoOther(t *testing.T) {
	t.Parallel()
	e := answering(t,
		listed{"GET /numbered/1?size=3&KEY", `{"items":[1]}`},
		listed{"GET /numbered/2?size=3&KEY", `500 {"error":"oh"}`},
		listed{"GET /numbered/2?size=3&KEY", `429 {"error":"slowly"}`},
		listed{"GET /numbered/2?size=3&KEY", `{"items":[2]}`},
		listed{"GET /numbered/3?size=3&KEY", `503 {"error":"oh"}`},
		listed{"GET /numbered/3?size=3&KEY", `{"items":[]}`},
	)
	var told story
	res, err := e.Do(context.Background(), request(e, "numbered"), &told)
	if got := outputs(res); err != nil || res.Outcome != flow.OK || got != `{"ids":[1,2],"total":null}` {
		t.Errorf("%s %s %v", summary(res), got, err)
	}
	var retries []string
	for line := range strings.Lines(told.text()) {
		if strings.Contains(line, `"Wait":`) {
			_, line, _ = strings.Cut(line, `"Attempt":`)
			line, _, _ = strings.Cut(line, `,"Wait"`)
			retries = append(retries, line)
		}
	}
	want := `1,"Of":3,"Outcome":"unknown","Message":"page 2: oh"
2,"Of":3,"Outcome":"throttled","Message":"page 2: slowly"
1,"Of":3,"Outcome":"unknown","Message":"page 3: oh"`
	if got := strings.Join(retries, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if strings.Contains(told.text(), "k-very-secret") {
		t.Error("the key is shown")
	}
}

func TestAPageThatFailsForGoodEndsTheListing(t *testing.T) {
	t.Parallel()
	e := answering(t,
		listed{"GET /numbered/1?size=3&KEY", `{"items":[1]}`},
		listed{"GET /numbered/2?size=3&KEY", `500 {"error":"oh"}`},
		listed{"GET /numbered/2?size=3&KEY", `500 {"error":"oh"}`},
		listed{"GET /numbered/2?size=3&KEY", `500 {"error":"oh no"}`},
	)
	res := ask(t, e, "numbered")
	if got := summary(res); got != "unknown: page 2: oh no" || !res.Exhausted {
		t.Errorf("got %s, exhausted: %v", got, res.Exhausted)
	}
}

func TestAListingIsStopped(t *testing.T) {
	t.Parallel()
	text := replace(listings, "first: 1ms, max: 2ms", "first: 1h, max: 1h")
	failing := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/numbered/1" {
			io.WriteString(w, `{"items":[1]}`)
			return
		}
		w.WriteHeader(http.StatusInternalServerError)
	}
	e := connect(t, vendorOf(t, text), serve(t, failing), nil, Options{})
	req := request(e, "numbered")
	req.Timeout = time.Minute
	res, err := e.Do(context.Background(), req, nil)
	if err != nil || res.Outcome != flow.Unknown || res.Code != "timeout" || !strings.HasPrefix(res.Message, "page 2: no time is left to wait ") {
		t.Errorf("got %s, %v", summary(res), err)
	}

	ctx, cancel := context.WithCancel(context.Background())
	if _, err = e.Do(ctx, request(e, "numbered"), &stopper{cancel}); err == nil || err.Error() != "acme.numbered: context canceled" {
		t.Errorf("got %v", err)
	}
}

const renewed = `
vendor: acme
version: 1
auth:
  token: {call: enter, value: outputs.token, check: listing}
  inject: {headers: {Token: "${{ token }}"}}
operations:
  enter:
    effect: idempotent
    auth: none
    request: {method: POST, path: /enter}
    response: {outputs: {token: {path: token, type: text, secret: true, default: ""}}}
  listing:
    effect: read
    paginate: {by: number, items: ids}
    limits: {concurrency: 1}
    request: {method: GET, path: "/listing/${{ page.number }}"}
    response: {outputs: {ids: items}}
`

func TestATokenEndsInTheMiddleOfAListing(t *testing.T) {
	t.Parallel()
	var logins atomic.Int32
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/enter" {
			fmt.Fprintf(w, `{"token":"token-no-%d"}`, logins.Add(1))
			return
		}
		n, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/listing/"))
		// Each token is good for two pages.
		switch want := fmt.Sprintf("token-no-%d", (n+1)/2); {
		case r.Header.Get("Token") != want:
			w.WriteHeader(http.StatusUnauthorized)
		case n == 5:
			io.WriteString(w, `{"items":[]}`)
		default:
			fmt.Fprintf(w, `{"items":[%d]}`, n)
		}
	})
	e := connect(t, vendorOf(t, renewed), base, nil, Options{})
	res := ask(t, e, "listing")
	if got := outputs(res); res.Outcome != flow.OK || got != `{"ids":[1,2,3,4]}` || logins.Load() != 3 {
		t.Errorf("%s %s, %d logins", summary(res), got, logins.Load())
	}
}

// pagesOf serves pages of size elements to "/listing?page=N".
func pagesOf(pages, size int, pad string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("page"))
		out := []byte(`{"items":[`)
		for i := range size {
			if n > pages {
				break
			}
			if i > 0 {
				out = append(out, ',')
			}
			out = fmt.Appendf(out, `{"id":%d,"costs":%d.50,"pad":"%s"}`, (n-1)*size+i, n, pad)
		}
		w.Write(append(out, "]}"...))
	}
}

const long = `
vendor: acme
version: 1
operations:
  listing:
    effect: read
    paginate: {by: number, items: rows, max_pages: 10001}
    request: {method: GET, path: /listing, query: {page: "${{ page.number }}"}}
    response:
      outputs:
        rows: {path: items, each: {id: id, costs: costs, pad: pad}}
        all: "@this"
`

// direct answers requests without a network between.
type direct struct{ h http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	d.h.ServeHTTP(w, r)
	return w.Result(), nil
}

func checkRows(t *testing.T, res flow.Result, n int) {
	t.Helper()
	rows, ok := res.Outputs.At("rows").(*value.Rows)
	if res.Outcome != flow.OK || !ok || rows.Len() != n {
		t.Fatalf("%s %T", summary(res), res.Outputs.At("rows"))
	}
	i := int64(0)
	for v, err := range rows.All() {
		if err != nil || v.(*value.Object).At("id") != i {
			t.Fatalf("row %d: %v, %v", i, v, err)
		}
		i++
	}
}

func TestManySmallPagesDoNotStayInMemory(t *testing.T) {
	const pages, size = 10_000, 10
	e := connect(t, vendorOf(t, long), "https://acme.example", nil, Options{
		Client:    &http.Client{Transport: direct{pagesOf(pages, size, strings.Repeat("x", 200))}},
		SpoolFrom: 1 << 20,
	})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	res := ask(t, e, "listing")
	runtime.GC()
	runtime.ReadMemStats(&after)
	// The list is about 24 MiB of JSON, and several times that as values.
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 8<<20 {
		t.Errorf("the heap has grown by %s", bytesText(grown))
	}
	checkRows(t, res, pages*size)
	if first, _ := value.Length(res.Outputs.At("all").(*value.Object).At("items")); first != size {
		t.Errorf("the other output has %d elements, not those of the first page", first)
	}
}

func TestLargePagesOfAListing(t *testing.T) {
	t.Parallel()
	const pages, size = 5, 700
	base := serve(t, pagesOf(pages, size, strings.Repeat("x", 100)))
	checkRows(t, ask(t, connect(t, vendorOf(t, long), base, nil, small), "listing"), pages*size)

	tight := small
	tight.MaxSpooled = 300 << 10
	res := ask(t, connect(t, vendorOf(t, long), base, nil, tight), "listing")
	if got, want := summary(res), "invalid too-large: page 4: the list of all pages is larger than 300 KiB"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}

	secret := vendorOf(t, replace(long, `all: "@this"`, `all: {path: token, type: text, secret: true, default: ""}`))
	inMemory := small
	inMemory.MaxAnswer = 300 << 10
	res = ask(t, connect(t, secret, base, nil, inMemory), "listing")
	if got, want := summary(res), "invalid too-large: page 4: the list of all pages is larger than 300 KiB"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestListingsLeaveNoFiles(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a spool keeps its name there, until it is closed")
	}
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	base := serve(t, pagesOf(5, 700, strings.Repeat("x", 100)))
	e := connect(t, vendorOf(t, long), base, nil, small)
	checkRows(t, ask(t, e, "listing"), 3500)
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		t.Errorf("there are %v, %v", files, err)
	}
	t.Setenv("TMPDIR", dir+"/none")
	base = serve(t, pagesOf(100, 10, strings.Repeat("x", 100)))
	res := ask(t, connect(t, vendorOf(t, long), base, nil, small), "listing")
	if res.Code != "unreadable" || !strings.Contains(res.Message, ": cannot keep a large answer: ") {
		t.Errorf("got %s", summary(res))
	}
}

func TestSecretsOfEveryPageAreMasked(t *testing.T) {
	t.Parallel()
	v := vendorOf(t, replace(long, "      outputs:\n        rows: {path: items, each: {id: id, costs: costs, pad: pad}}\n        all: \"@this\"",
		"      secrets: ['items.#.pass']\n      outputs:\n        rows: {path: items, each: {code: {path: code, secret: true}, pass: pass}}"))
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if n := r.URL.Query().Get("page"); n < "3" {
			fmt.Fprintf(w, `{"items":[{"code":"the-code-%s","pass":"the-pass-%s"}]}`, n, n)
			return
		}
		io.WriteString(w, `{"items":[]}`)
	})
	e := connect(t, v, base, nil, Options{})
	var told story
	res, err := e.Do(context.Background(), request(e, "listing"), &told)
	if got, want := outputs(res), `{"rows":[{"code":"the-code-1","pass":"•••"},{"code":"the-code-2","pass":"•••"}]}`; err != nil || got != want {
		t.Errorf("got %s, want %s, %v", got, want, err)
	}
	if got := e.gate.Text("the-code-1 the-pass-1 the-code-2 the-pass-2"); got != "••• ••• ••• •••" {
		t.Errorf("got %s", got)
	}
	if strings.Contains(told.text(), "the-") {
		t.Errorf("a secret is told: %s", told.text())
	}
}

func TestLimitsHoldForEveryPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := vendorOf(t, replace(long, "    request:", "    limits: {rate: 2/m}\n    request:"))
		e := connect(t, v, "https://acme.example", nil, Options{Client: &http.Client{Transport: direct{pagesOf(4, 1, "")}}})
		began := time.Now()
		res := ask(t, e, "listing")
		if took := time.Since(began); res.Outcome != flow.OK || took != 2*time.Minute {
			t.Errorf("%s after %v", summary(res), took)
		}
	})
}

func TestListingsSideBySideKeepApart(t *testing.T) {
	t.Parallel()
	base := serve(t, pagesOf(20, 3, ""))
	e := connect(t, vendorOf(t, long), base, nil, Options{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			res, err := e.Do(context.Background(), request(e, "listing"), nil)
			if err != nil || res.Outcome != flow.OK {
				t.Errorf("%s %v", summary(res), err)
				return
			}
			for i, v := range res.Outputs.At("rows").(value.List) {
				if v.(*value.Object).At("id") != int64(i) {
					t.Errorf("row %d is %v", i, v)
				}
			}
		})
	}
	wg.Wait()
}

// A stopper ends the run as soon as a page is to be read again.
type stopper struct{ cancel context.CancelFunc }

func (s *stopper) Emit(e event.Event) {
	if _, ok := e.(*event.RetryScheduled); ok {
		s.cancel()
	}
}
