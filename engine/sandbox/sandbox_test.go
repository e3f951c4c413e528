package sandbox

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"
)

// shop is a vendor that uses every word of the language once.
const shop = `
sandbox: shop
version: 1
connection:
  base_url: ${{ sandbox.url }}/api
  config: {user: demo, level: 3}
tokens: sessions
token: request.headers['x-key']
state:
  sessions:
    - {key: k1}
  orders: []
  lines: []
before:
  - if: operation != 'hello' and none(state.sessions, .key == request.headers['x-key'])
    reply: {status: 401, text: who are you}
operations:
  hello:
    method: GET
    path: /hello
    rules:
      - reply:
          status: 203
          headers: {X-Shop: "${{ request.query['name'] ?? 'nobody' }}", X-Count: 3}
          raw: "<b>${{ request.method }} ${{ request.path }}</b>"
  quiet:
    method: POST
    path: /quiet
    rules:
      - reply: {status: 204}
  form:
    method: POST
    path: /form
    rules:
      - reply: {body: {a: "${{ request.form['a'] }}", text: "${{ request.text }}", json: "${{ request.body }}"}}
  rpc_add:
    method: POST
    path: /rpc
    when: request.body?.do == 'add'
    identity: request.body?.code
    rules:
      - if: request.body?.code == null
        reply: {status: 400, text: code is required}
      - if: request.body.rush ?? false
        let:
          note: in a hurry
      - let:
          order:
            id: ${{ next('order', 9007199254740993) }}
            code: ${{ request.body.code }}
            price: 203.7700
            note: ${{ note ?? omit }}
        insert: {into: orders, value: "${{ order }}"}
      - insert:
          into: lines
          foreach: request.body.lines ?? []
          value: {order: "${{ order.id }}", item: "${{ row }}"}
      - reply: {body: "${{ order }}"}
  rpc_pay:
    method: POST
    path: /rpc
    when: request.body?.do == 'pay'
    rules:
      - update:
          in: orders
          where: row.code == request.body.code
          set: {paid: "${{ (row.paid ?? 0) + request.body.amount }}"}
        reply: {body: "${{ find(state.orders, .code == request.body.code) }}"}
  rpc_drop:
    method: POST
    path: /rpc
    when: request.body?.do == 'drop'
    rules:
      - remove: {from: orders, where: row.code == request.body.code}
        reply: {body: "${{ map(state.orders, .code) }}"}
  rpc_break:
    method: POST
    path: /rpc
    when: request.body?.do == 'break'
    rules:
      - insert: {into: orders, value: {code: never}}
      - reply: {body: "${{ request.body.text + 1 }}"}
  rpc_nothing:
    method: POST
    path: /rpc
    when: request.body?.do == 'nothing'
    rules:
      - if: 1 == 2
        reply: {status: 200}
  ready:
    method: POST
    path: /ready
    rules:
      - let:
          order: ${{ first(state.orders) }}
      - reply:
          body:
            reads: ${{ reads(order) }}
            again: ${{ reads(order) }}
            elapsed: ${{ elapsed(order) }}
  all:
    method: POST
    path: /all
    rules:
      - reply: {body: {orders: "${{ state.orders }}", lines: "${{ state.lines }}"}}
  members:
    method: POST
    path: /members
    rules:
      - reply:
          body:
            $each: "['data', 'list', 'text', 'broken']"
            as: name
            value: ${{ request.members[name] }}
`

func load(t testing.TB, text string) *Definition {
	t.Helper()
	d, err := Load(fstest.MapFS{"shop.sandbox.yaml": {Data: []byte(strings.TrimPrefix(text, "\n"))}}, "shop.sandbox.yaml")
	if err != nil {
		t.Fatalf("the sandbox file does not load: %v", err)
	}
	return d
}

func start(t testing.TB, d *Definition, o Options) (*Sandbox, string) {
	t.Helper()
	box := New(d, o)
	server := httptest.NewServer(box)
	t.Cleanup(server.Close)
	return box, server.URL
}

// post sends a body under the key k1 and returns status and text of the answer.
func post(t testing.TB, url, body string) (int, string) {
	t.Helper()
	status, text, err := tryPost(url, body)
	if err != nil {
		t.Fatal(err)
	}
	return status, text
}

func tryPost(url, body string) (int, string, error) {
	r, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("X-Key", "k1")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return res.StatusCode, string(text), err
}

func TestRulesAnswerAndRemember(t *testing.T) {
	t.Parallel()
	const order = `{"id":9007199254740993,"code":"a","price":203.7700}`
	for _, story := range []struct {
		name  string
		steps [][3]any // path, body, expected "status text"
	}{
		{"an insert is answered and found again", [][3]any{
			{"/rpc", `{"do":"add","code":"a"}`, "200 " + order},
			{"/all", ``, `200 {"orders":[` + order + `],"lines":[]}`},
		}},
		{"insert with foreach inserts one record for each element", [][3]any{
			{"/rpc", `{"do":"add","code":"a","lines":["x","y"]}`, "200 " + order},
			{"/all", ``, `200 {"orders":[` + order + `],"lines":[{"order":9007199254740993,"item":"x"},{"order":9007199254740993,"item":"y"}]}`},
		}},
		{"a name given by a rule that was passed over is null", [][3]any{
			{"/rpc", `{"do":"add","code":"a","rush":true}`, `200 {"id":9007199254740993,"code":"a","price":203.7700,"note":"in a hurry"}`},
			{"/rpc", `{"do":"add","code":"b"}`, `200 {"id":9007199254740994,"code":"b","price":203.7700}`},
		}},
		{"a refusal ends the rules", [][3]any{
			{"/rpc", `{"do":"add"}`, "400 code is required"},
			{"/all", ``, `200 {"orders":[],"lines":[]}`},
		}},
		{"an update sets members of the records it is about", [][3]any{
			{"/rpc", `{"do":"add","code":"a"}`, "200 " + order},
			{"/rpc", `{"do":"add","code":"b"}`, `200 {"id":9007199254740994,"code":"b","price":203.7700}`},
			{"/rpc", `{"do":"pay","code":"b","amount":0.1}`, `200 {"id":9007199254740994,"code":"b","price":203.7700,"paid":0.1}`},
			{"/rpc", `{"do":"pay","code":"b","amount":0.2}`, `200 {"id":9007199254740994,"code":"b","price":203.7700,"paid":0.3}`},
		}},
		{"a remove takes out the records it is about", [][3]any{
			{"/rpc", `{"do":"add","code":"a"}`, "200 " + order},
			{"/rpc", `{"do":"add","code":"b"}`, `200 {"id":9007199254740994,"code":"b","price":203.7700}`},
			{"/rpc", `{"do":"drop","code":"a"}`, `200 ["b"]`},
		}},
		{"a reply may be empty", [][3]any{
			{"/quiet", `{}`, "204 "},
		}},
		{"a body that is not JSON is null", [][3]any{
			{"/form", `{"a":`, `200 {"a":null,"text":"{\"a\":","json":null}`},
		}},
		{"when no operation of the path fits, the answer says so", [][3]any{
			{"/rpc", `{"do":"fly"}`, "404 sandbox shop has no operation for this request to POST /rpc"},
		}},
	} {
		t.Run(story.name, func(t *testing.T) {
			t.Parallel()
			_, url := start(t, load(t, shop), Options{})
			for _, s := range story.steps {
				status, text := post(t, url+s[0].(string), s[1].(string))
				if got := fmt.Sprint(status, " ", text); got != s[2] {
					t.Errorf("%s %s\n got %s\nwant %s", s[0], s[1], got, s[2])
				}
			}
		})
	}
}

// What is nested reads alike, whichever way it was sent.
func TestMembersOfAnyBody(t *testing.T) {
	t.Parallel()
	_, url := start(t, load(t, shop), Options{})
	for _, test := range []struct{ name, content, body, want string }{
		{"JSON", "application/json", `{"data": {"a": 1.50}, "list": [1], "text": "{no", "broken": null}`, `[{"a":1.50},[1],"{no",null]`},
		{"a form", "application/x-www-form-urlencoded", `data=%7B%22a%22%3A+1.50%7D&list=%5B1%5D&text=1&broken=%7B%22a%22`, `[{"a":1.50},[1],"1","{\"a\""]`},
		{"JSON that is no object", "application/json", `[1]`, `[null,null,null,null]`},
		{"neither", "text/plain", `data=1`, `[null,null,null,null]`},
	} {
		r, _ := http.NewRequest(http.MethodPost, url+"/members", strings.NewReader(test.body))
		r.Header.Set("Content-Type", test.content)
		r.Header.Set("X-Key", "k1")
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if got := string(text); got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
}

func TestRequestPartsReachTheRules(t *testing.T) {
	t.Parallel()
	_, url := start(t, load(t, shop), Options{})

	res, err := http.Get(url + "/hello?name=K%C5%AF%C5%88&name=other")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	if got, want := string(text), "<b>GET /hello</b>"; got != want || res.StatusCode != 203 {
		t.Errorf("got %d %s, want 203 %s", res.StatusCode, got, want)
	}
	if got := res.Header.Get("X-Shop"); got != "Kůň" {
		t.Errorf("X-Shop: got %q, want Kůň", got)
	}
	if got := res.Header.Get("X-Count"); got != "3" {
		t.Errorf("X-Count: got %q, want 3", got)
	}
	if got, there := res.Header["Content-Type"]; there {
		t.Errorf("a raw answer has the content type %q", got)
	}

	r, _ := http.NewRequest(http.MethodPost, url+"/form", strings.NewReader("a=1+2&b=3"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Key", "k1")
	form, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer form.Body.Close()
	text, _ = io.ReadAll(form.Body)
	if got, want := string(text), `{"a":"1 2","text":"a=1+2&b=3","json":null}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestUnknownPathsAndMethodsAreNamed(t *testing.T) {
	t.Parallel()
	_, url := start(t, load(t, shop), Options{})
	if status, text := post(t, url+"/nope", ""); status != 404 || text != "sandbox shop has no POST /nope" {
		t.Errorf("got %d %s", status, text)
	}
	res, err := http.Get(url + "/rpc")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	if got, want := string(text), "sandbox shop: /rpc takes POST, not GET"; got != want || res.StatusCode != 405 {
		t.Errorf("got %d %s, want 405 %s", res.StatusCode, got, want)
	}
	if got := res.Header.Get("Allow"); got != "POST" {
		t.Errorf("Allow: got %q, want POST", got)
	}
}

func TestBeforeGuardsEveryOperation(t *testing.T) {
	t.Parallel()
	_, url := start(t, load(t, shop), Options{})
	res, err := http.Post(url+"/all", "application/json", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	if res.StatusCode != 401 || string(text) != "who are you" {
		t.Errorf("got %d %s", res.StatusCode, text)
	}
}

func TestRuleThatFailsLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	box, url := start(t, load(t, shop), Options{})
	status, text := post(t, url+"/rpc", `{"do":"break","text":"x"}`)
	if status != 500 || !strings.HasPrefix(text, "sandbox shop: shop.sandbox.yaml:") {
		t.Errorf("got %d %s", status, text)
	}
	if _, text := post(t, url+"/all", ""); text != `{"orders":[],"lines":[]}` {
		t.Errorf("the insert of the failed request is still there: %s", text)
	}
	status, text = post(t, url+"/rpc", `{"do":"nothing"}`)
	if want := "no rule of operation rpc_nothing replies to this request"; status != 500 || !strings.HasSuffix(text, want) {
		t.Errorf("got %d %s, want 500 …%s", status, text, want)
	}
	if got := len(box.Stats().Errors); got != 2 {
		t.Errorf("got %d errors in the stats, want 2", got)
	}
}

func TestReadsAndElapsedTellARecordsLife(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := New(load(t, shop), Options{})
		ask := func(path, body string) string {
			r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
			r.Header.Set("X-Key", "k1")
			w := httptest.NewRecorder()
			box.ServeHTTP(w, r)
			return w.Body.String()
		}
		ask("/rpc", `{"do":"add","code":"a"}`)
		if got, want := ask("/ready", ""), `{"reads":1,"again":1,"elapsed":0.000}`; got != want {
			t.Errorf("at once: got %s, want %s", got, want)
		}
		time.Sleep(90*time.Second + 250*time.Millisecond)
		ask("/rpc", `{"do":"pay","code":"a","amount":1}`) // a changed record lives on
		if got, want := ask("/ready", ""), `{"reads":2,"again":2,"elapsed":90.250}`; got != want {
			t.Errorf("later: got %s, want %s", got, want)
		}
	})
}

func TestRulesOfOneRequestAreAtomic(t *testing.T) {
	t.Parallel()
	box, url := start(t, load(t, shop), Options{})
	const workers, each = 8, 25
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for range each {
				if status, text, err := tryPost(url+"/rpc", `{"do":"pay","code":"a","amount":1}`); err != nil || status != 200 {
					t.Errorf("got %d %s, %v", status, text, err)
				}
			}
		})
	}
	post(t, url+"/rpc", `{"do":"add","code":"a"}`)
	all.Wait()
	_, before := post(t, url+"/rpc", `{"do":"pay","code":"a","amount":0}`)
	for range 3 {
		all.Go(func() { tryPost(url+"/rpc", `{"do":"pay","code":"a","amount":1}`) })
	}
	all.Wait()
	_, after := post(t, url+"/rpc", `{"do":"pay","code":"a","amount":0}`)
	if paid(t, after) != paid(t, before)+3 {
		t.Errorf("three payments went from %s to %s", before, after)
	}
	if got := box.Stats().Calls["rpc_pay"]; got != workers*each+5 {
		t.Errorf("got %d calls, want %d", got, workers*each+5)
	}
}

func paid(t *testing.T, order string) (n int) {
	t.Helper()
	_, after, found := strings.Cut(order, `"paid":`)
	if _, err := fmt.Sscanf(after, "%d", &n); err != nil || !found {
		t.Fatalf("no payment in %s", order)
	}
	return n
}

func TestSandboxesOfOneDefinitionShareNothing(t *testing.T) {
	t.Parallel()
	d := load(t, shop)
	_, one := start(t, d, Options{})
	_, two := start(t, d, Options{})
	post(t, one+"/rpc", `{"do":"add","code":"a"}`)
	if _, text := post(t, two+"/all", ""); text != `{"orders":[],"lines":[]}` {
		t.Errorf("the other sandbox knows %s", text)
	}
}

func TestResetBringsBackTheFirstState(t *testing.T) {
	t.Parallel()
	box, url := start(t, load(t, shop), Options{})
	post(t, url+"/rpc", `{"do":"add","code":"a"}`)
	if err := box.AddFault(Fault{Kind: Status}); err != nil {
		t.Fatal(err)
	}
	box.Reset()
	if total := box.Stats().Total; total != 0 {
		t.Errorf("%d requests are still counted", total)
	}
	if _, text := post(t, url+"/all", ""); text != `{"orders":[],"lines":[]}` {
		t.Errorf("got %s", text)
	}
	if _, text := post(t, url+"/rpc", `{"do":"add","code":"a"}`); !strings.Contains(text, "9007199254740993") {
		t.Errorf("the counter goes on: %s", text)
	}
}

func TestConnectionSaysWhereTheSandboxIs(t *testing.T) {
	t.Parallel()
	c, err := load(t, shop).Connection("http://127.0.0.1:1234")
	if err != nil {
		t.Fatal(err)
	}
	if c.Vendor != "shop" || c.BaseURL != "http://127.0.0.1:1234/api" || c.Config["user"] != "demo" || c.Config["level"] != int64(3) {
		t.Errorf("got %+v", c)
	}
}
