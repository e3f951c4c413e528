package vendortest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/testserver"
	"github.com/seed627bd532/runner/engine/state"
)

const (
	ensureOne = "pipelines/intcomex/ensure_company.yaml"
	ensureAll = "pipelines/intcomex/ensure_companies.yaml"
)

// A ran is what a run left behind.
type ran struct {
	result *engine.Result
	err    error
	rows   map[string][]engine.Row
	text   string // all that anybody could see of it
}

func (r *ran) counts() [3]any {
	return [3]any{r.result.Outputs["created"], r.result.Outputs["found"], r.result.Outputs["failed"]}
}

// program is the repository's own, connected to v.
func (v *icp) program(t *testing.T, sink event.Sink, config map[string]any) *engine.Program {
	t.Helper()
	all := map[string]any{"username": "reseller@example.com", "password": icpPassword}
	for name, value := range config {
		all[name] = value
	}
	p, err := engine.Load(os.DirFS("../.."), engine.Options{
		Paths:       []string{"specs/intcomex.yaml", "pipelines/intcomex"},
		Connections: map[string]engine.Connection{"intcomex": {Vendor: "intcomex", BaseURL: "http://icp.example", Config: all}},
		Client:      v.client,
		State:       v.state,
		Events:      sink,
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// run runs a pipeline or an operation against v, and checks what holds for every run.
func (v *icp) run(t *testing.T, name string, inputs, config map[string]any) *ran {
	t.Helper()
	stop := v.start()
	defer stop()
	sink := &testserver.Heard{}
	p := v.program(t, sink, config)
	r := &ran{rows: map[string][]engine.Row{}}
	out := t.TempDir()
	request := engine.Request{Pipeline: name, Inputs: inputs, OutDir: out, Rows: func(row engine.Row) { r.rows[row.Key] = append(r.rows[row.Key], row) }}
	if strings.HasSuffix(name, ".yaml") {
		r.result, r.err = p.Run(context.Background(), request)
	} else {
		r.result, r.err = p.Call(context.Background(), name, request)
	}
	text, _ := json.Marshal(r.result)
	r.text = sink.Text() + string(text) + fmt.Sprintf("%+v %v", r.rows, r.err)
	var failed *engine.Error
	if errors.As(r.err, &failed) {
		r.text += fmt.Sprintf("%+v", failed.Failure)
	}
	err := filepath.WalkDir(out, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		r.text += string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	v.judge(t, r)
	return r
}

// judge checks what holds for every run.
func (v *icp) judge(t *testing.T, r *ran) {
	t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, c := range v.complaints {
		t.Errorf("the platform complains: %s", c)
	}
	secrets := []string{icpPassword}
	for token := range v.sessions {
		secrets = append(secrets, token)
	}
	for _, secret := range secrets {
		for _, form := range testserver.Encoded(secret) {
			if i := strings.Index(r.text, form); i >= 0 {
				t.Errorf("a secret is seen: …%.200s", r.text[max(0, i-80):])
				return
			}
		}
	}
	for vat, n := range v.created {
		if n > 1 {
			t.Errorf("VAT ID %s was created %d times", vat, n)
		}
	}
}

func order(vat string, more ...any) map[string]any {
	row := map[string]any{
		"vat_id": vat, "name": "RB API Ltd. " + vat, "address": "RB API Street", "city": "API City", "country": "Bermuda",
		"zip": "00051", "email": "info@rbapi.com", "domains": []string{"rbapi.api"}, "parent_account_id": 100407, "marketplaces": []int{67},
	}
	for i := 0; i < len(more); i += 2 {
		row[more[i].(string)] = more[i+1]
	}
	return row
}

// crowd is 16 rows: 3 companies exist, 2 rows are of one new company, 11 are new.
func crowd() (v *icp, inputs map[string]any) {
	v = newICP(existing(1, "PT0", "ZERO"), existing(2, "PT1", "ONE"), existing(9007199254740993, "PT2", "TWO"), existing(4, "EMPTY", "STRANGER"), existing(5, "", "STRANGER"))
	var rows []any
	for i := range 15 {
		rows = append(rows, order(fmt.Sprint("PT", i)))
	}
	return v, map[string]any{"companies": append(rows, order("PT14"))}
}

func forAll(limit int) func(int) int { return func(int) int { return limit } }

func first(limit int) func(int) int {
	return func(n int) int {
		if n == 1 {
			return limit
		}
		return 0
	}
}

// Whichever way the platform reads its own guide, a crowd of rows comes out right.
func TestIntcomexWhicheverReading(t *testing.T) {
	t.Parallel()
	type test struct {
		name   string
		set    func(v *icp)
		config map[string]any
		logins int // 0: one
	}
	tests := []test{
		{name: "natural", set: func(*icp) {}},
		{name: "another token header", set: func(v *icp) { v.tokenHeader = "X-Session" }, config: map[string]any{"token_header": "X-Session"}},
		{name: "token with blanks and a tag", set: func(v *icp) {
			v.token = func(n int) string { return fmt.Sprintf("<token> d7uRTX97TG+/=%d gmnik4 CSXEa5WI", n) }
		}},
		{name: "short token", set: func(v *icp) { v.token = func(n int) string { return fmt.Sprintf("key%d", n) } }},
		{name: "loose comparison", set: func(v *icp) {
			v.matches = func(have any, want string) bool {
				s, _ := have.(string)
				return s == "EMPTY" || s == "" || strings.HasPrefix(strings.ToLower(s), strings.ToLower(want)) || strings.HasPrefix(want, s)
			}
		}},
		{name: "everything is found", set: func(v *icp) { v.matches = func(any, string) bool { return true } }},
		{name: "duplicates refused", set: func(v *icp) { r := testserver.Plain(409, "Company exists"); v.duplicate = &r }},
		{name: "created with 201", set: func(v *icp) { v.createdAs = 201 }},
		{name: "all members demanded", set: func(v *icp) { v.demandAll = true }},
		{name: "null in every optional member", set: func(v *icp) {
			v.render = func(c company) company {
				for name := range c {
					if name != "AccountId" && name != "CompanyName" && name != "VATID" {
						c[name] = nil
					}
				}
				c["CustomerId"] = nil
				return c
			}
		}},
		{name: "VAT ID null where there is none", set: func(v *icp) {
			v.companies = append(v.companies, existing(77, nil, "NOBODY"))
			v.matches = func(any, string) bool { return true }
		}},
		{name: "the only company found is one object", set: func(v *icp) {
			v.wire = func(r testserver.Reply) testserver.Reply {
				var found []json.RawMessage
				if json.Unmarshal([]byte(r.Body), &found) == nil && len(found) == 1 {
					r.Body = string(found[0])
				}
				return r
			}
		}},
		{name: "no optional members", set: func(v *icp) {
			v.render = func(c company) company {
				return company{"AccountId": c["AccountId"], "CompanyName": c["CompanyName"], "VATID": c["VATID"]}
			}
		}},
		{name: "unknown members", set: func(v *icp) {
			v.render = func(c company) company {
				c["Extra"], c["accountId"], c["Status"], c["Message"], c["ErrorMessage"] = map[string]any{"a": nil}, "x", "ok", "", nil
				return c
			}
		}},
		{name: "names with all kinds of text", set: func(v *icp) {
			v.render = func(c company) company {
				c["CompanyName"] = "  <b>Ñandú</b> \"& Söhne\" \u2028 session expired, invalid token 😀 "
				return c
			}
		}},
		{name: "refused connections", set: func(v *icp) { v.refuseDial = 2 }},
		{name: "a slow start", set: func(v *icp) {
			v.troubles = []testserver.Trouble{{Service: "GetSessionToken", Calls: 1, Wait: 10 * time.Minute}}
		}, logins: 2},
		{name: "login unavailable at first", set: func(v *icp) {
			r := testserver.HtmlPage(503)
			v.troubles = []testserver.Trouble{{Service: "GetSessionToken", Calls: 2, Answer: &r}}
		}, logins: 3},
		{name: "gzip", set: func(v *icp) { v.wire = testserver.Gzipped }},
		{name: "chunked", set: func(v *icp) { v.wire = testserver.Chunked }},
		{name: "byte order mark", set: func(v *icp) { v.wire = testserver.Marked }},
		{name: "no content type", set: func(v *icp) { v.wire = testserver.Untyped }},
		{name: "JSON as text/plain", set: func(v *icp) { v.wire = testserver.Typed("text/plain") }},
		{name: "JSON as text/html", set: func(v *icp) { v.wire = testserver.Typed("text/html; charset=utf-8") }},
		{name: "JSON with a strange charset", set: func(v *icp) { v.wire = testserver.Typed(`text/json;charset="UTF-8"`) }},
		{name: "connections closed after each answer", set: func(v *icp) {
			v.wire = func(r testserver.Reply) testserver.Reply { return r.With("Connection", "close") }
		}},
	}
	for name, r := range map[string]testserver.Reply{
		"null": testserver.AsJSON(200, " null\r\n"), "[] as text": testserver.Plain(200, "[]"), "[ ]": testserver.AsJSON(200, "[ ]\n"),
	} {
		tests = append(tests, test{name: "nobody: " + name, set: func(v *icp) { v.nothing = r }})
	}
	for name, over := range sessionsOver() {
		tests = append(tests,
			test{name: "session over by calls: " + name, logins: 2, set: func(v *icp) { v.noSession, v.sessionCalls = over, first(6) }},
			test{name: "session over before its first use: " + name, logins: 2, set: func(v *icp) {
				v.noSession, v.sessionCalls = over, func(n int) int { return map[bool]int{true: -1}[n == 1] }
			}},
			test{name: "session over within a create: " + name, logins: 2, set: func(v *icp) {
				v.noSession = over
				v.sessionCalls = first(17)
			}})
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				v, inputs := crowd()
				tt.set(v)
				r := v.run(t, ensureAll, inputs, tt.config)
				if r.err != nil || r.result.Status != engine.Succeeded || r.counts() != [3]any{int64(12), int64(4), int64(0)} {
					t.Fatalf("%v %v %v\n%+v", r.counts(), r.result.Status, r.err, r.rows)
				}
				if len(v.created) != 12 || v.asked["CreateCompany"] < 12 {
					t.Errorf("created %v", v.created)
				}
				if want := max(1, tt.logins); v.asked["GetSessionToken"] != want {
					t.Errorf("%d logins, want %d", v.asked["GetSessionToken"], want)
				}
				if id := r.rows["PT2"][0].Outputs["account_id"]; id != int64(9007199254740993) {
					t.Errorf("account_id of PT2 is %v", id)
				}
			})
		})
	}
}

// Only [] and null say that there is no such company. Nothing is created after anything else, neither where
// the pipeline looks nor where a lost create is looked for.
func TestIntcomexCompaniesAreAbsentOnlyWhereTheVendorSaysSo(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]testserver.Reply{
		"empty body": {Status: 200}, "blank": testserver.Plain(200, " \r\n"), "204": {Status: 204}, "an empty text": testserver.AsJSON(200, `""`), "201 null": testserver.AsJSON(201, "null"),
		"a page": testserver.HtmlPage(200), "404 page": testserver.HtmlPage(404), "404 without text": {Status: 404}, "404 list": testserver.AsJSON(404, "[]"), "404 null": testserver.AsJSON(404, "null"),
		"404 text": testserver.Plain(404, "Company not found"), "404 JSON": testserver.AsJSON(404, `{"Message":"No company was found with that VAT ID."}`), "404 account": testserver.Plain(404, "Account not found"),
		"404 in Spanish": testserver.Plain(404, "No se encontró la empresa"), "404 without a name": testserver.Plain(404, "Not found"),
		"400 text": testserver.Plain(400, "Company not found"), "500 text": testserver.Plain(500, "VAT ID does not exist."), "500 JSON": testserver.AsJSON(500, `{"Message":"No company found with vatId PT7"}`),
		"false": testserver.AsJSON(200, "false"), "0": testserver.AsJSON(200, "0"), "an empty object": testserver.AsJSON(200, "{}"), "a list of null": testserver.AsJSON(200, "[null]"), "text": testserver.Plain(200, "no results"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				v := newICP(existing(7, "PT1", "ONE"))
				v.troubles = []testserver.Trouble{{Service: "GetCompanyByVatId", Answer: &r}}
				if got := v.run(t, ensureOne, order("PT1"), nil); got.err == nil || v.asked["CreateCompany"] != 0 {
					t.Errorf("%v after %v", got.err, v.asked)
				}
			})
			synctest.Test(t, func(t *testing.T) {
				v := newICP()
				v.troubles = []testserver.Trouble{{Service: "CreateCompany", Worked: true, HangUp: true}, {Service: "GetCompanyByVatId", Spared: 1, Answer: &r}}
				got := v.run(t, ensureOne, order("PT9"), nil)
				if got.result.Status.ExitCode() != 4 || v.asked["CreateCompany"] != 1 || !strings.Contains(fmt.Sprint(got.err), "the look-up with intcomex.get_company_by_vat_id failed") {
					t.Errorf("%v: %v after %v", got.result.Status, got.err, v.asked)
				}
			})
		})
	}
}

// sessionsOver are the ways to say that a session is over.
func sessionsOver() map[string]testserver.Reply {
	return map[string]testserver.Reply{
		"401":                 testserver.Plain(401, "Unauthorized"),
		"401 without text":    {Status: 401},
		"401 page":            testserver.HtmlPage(401),
		"403":                 testserver.Plain(403, "Session expired"),
		"400":                 testserver.Plain(400, "Session is not active."),
		"400 JSON":            testserver.AsJSON(400, `{"Message":"Invalid session token"}`),
		"440":                 testserver.Plain(440, "Login Time-out"),
		"500":                 testserver.Plain(500, "Session expired"),
		"500 invalid session": testserver.Plain(500, "Invalid session token"),
		"500 JSON":            testserver.AsJSON(500, `{"Message":"The session has expired."}`),
		"200":                 testserver.Plain(200, "Session expired"),
		"200 JSON string":     testserver.AsJSON(200, `"Session expired. Please log in again."`),
		"200 not logged in":   testserver.AsJSON(200, `"User is not logged in"`),
		"200 invalid token":   testserver.Plain(200, "Invalid Token"),
		"200 in Spanish":      testserver.Plain(200, "La sesión ha expirado"),
		"200 object":          testserver.AsJSON(200, `{"Message":"Session expired"}`),
		"200 error object":    testserver.AsJSON(200, `{"ErrorMessage":"Session is not active"}`),
		"200 object of codes": testserver.AsJSON(200, `{"ErrorCode":17,"ErrorMessage":"Token expired"}`),
		"403 without reason":  testserver.Plain(403, "Forbidden"),
		"403 without text":    {Status: 403},
		"403 page":            testserver.HtmlPage(403),
		"403 login required":  testserver.AsJSON(403, `{"message":"Login required"}`),
		"403 XML":             testserver.Plain(403, "<Error><Message>Session expired</Message></Error>"),
		"419":                 testserver.Plain(419, "Authentication Timeout"),
		"200 XML":             testserver.Plain(200, `<?xml version="1.0"?><string>Session expired</string>`),
		"200 logged out":      testserver.AsJSON(200, `"You have been logged out"`),
		"200 please log in":   testserver.Plain(200, "Please log in."),
	}
}

// Nothing, however it is written, means alive; whatever else is answered does not.
func TestIntcomexPing(t *testing.T) {
	t.Parallel()
	alive := map[string]testserver.Reply{"empty": {Status: 200}, "blank": testserver.Plain(200, "\r\n"), "204": {Status: 204}, "empty string": testserver.AsJSON(200, `""`), "null": testserver.AsJSON(200, "null")}
	dead := sessionsOver()
	dead["any text"] = testserver.Plain(200, "pong?")
	dead["any JSON"] = testserver.AsJSON(200, `{"active":false}`)
	dead["false"] = testserver.AsJSON(200, `false`)
	for name, r := range alive {
		t.Run("alive: "+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newICP()
				v.pingAlive = r
				got := v.run(t, "intcomex.ping", nil, nil)
				if got.err != nil || v.asked["GetSessionToken"] != 1 {
					t.Errorf("%v after %v", got.err, v.asked)
				}
			})
		})
	}
	for name, r := range dead {
		t.Run("dead: "+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newICP()
				v.pingDead, v.sessionCalls = &r, forAll(-1)
				got := v.run(t, "intcomex.ping", nil, nil)
				if got.err == nil || v.asked["PingPong"] < 1 || v.asked["GetSessionToken"] != 2 {
					t.Errorf("%v after %v", got.err, v.asked)
				}
			})
		})
	}
}

// In a long run a token grows older than its assumed lifetime, and is replaced
// by one login for all rows; so is one that died before.
func TestIntcomexLongRuns(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		life   time.Duration
		rows   int
		logins int
	}{
		"sessions live for ever":        {0, 400, 2},
		"sessions live for two minutes": {2 * time.Minute, 60, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newICP()
				v.sessionLife = tt.life
				v.troubles = []testserver.Trouble{{Service: "CreateCompany", Worked: true, Wait: 25 * time.Second}}
				var rows []any
				for i := range tt.rows {
					rows = append(rows, order(fmt.Sprint("PT", i)))
				}
				began := time.Now()
				got := v.run(t, ensureAll, map[string]any{"companies": rows}, nil)
				if got.err != nil || got.counts() != [3]any{int64(tt.rows), int64(0), int64(0)} {
					t.Errorf("%v %v", got.counts(), got.err)
				}
				if n := v.asked["GetSessionToken"]; n != tt.logins {
					t.Errorf("%d logins in %v, want %d", n, time.Since(began), tt.logins)
				}
			})
		})
	}
}

// A password that is wrong is tried once, and no row goes on.
func TestIntcomexWrongPasswordIsTriedOnce(t *testing.T) {
	t.Parallel()
	const words = "Invalid username or password"
	for name, r := range map[string]testserver.Reply{
		"401":             testserver.Plain(401, words),
		"400":             testserver.Plain(400, words),
		"403":             testserver.Plain(403, words),
		"404":             testserver.Plain(404, words),
		"422":             testserver.AsJSON(422, `{"Message":"`+words+`"}`),
		"500":             testserver.Plain(500, words),
		"500 JSON string": testserver.AsJSON(500, `"`+words+`"`),
		"500 JSON":        testserver.AsJSON(500, `{"ErrorMessage":"`+words+`"}`),
		"200 text":        testserver.Plain(200, words),
		"200 JSON string": testserver.AsJSON(200, `"`+words+`"`),
		"200 JSON object": testserver.AsJSON(200, `{"ErrorMessage":"`+words+`"}`),
		"echo":            testserver.Plain(401, words+": "+icpPassword+" "+url.QueryEscape(icpPassword)+" "+html.EscapeString(icpPassword)),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v, inputs := crowd()
				v.password, v.badLogin = "another", r
				got := v.run(t, ensureAll, inputs, nil)
				if got.result.Status != engine.Failed || got.err == nil {
					t.Fatalf("%v %v", got.result.Status, got.err)
				}
				if v.asked["GetSessionToken"] != 1 || len(v.asked) != 1 {
					t.Errorf("calls: %v", v.asked)
				}
				if text := got.err.Error(); !strings.Contains(text, words) || !strings.Contains(text, "intcomex.get_") {
					t.Errorf("error %q", text)
				}
			})
		})
	}
}

// A create of which no answer tells is sent once, and looked for. Whether it happened
// stays open only where nothing is found.
func TestIntcomexUnknownCreateIsNeverSentTwice(t *testing.T) {
	t.Parallel()
	answer := func(r testserver.Reply) *testserver.Reply { return &r }
	for name, tr := range map[string]testserver.Trouble{
		"lost after the work":         {Worked: true, HangUp: true},
		"lost before the work":        {HangUp: true},
		"slower than our patience":    {Worked: true, Wait: time.Hour},
		"broken off":                  {Worked: true, Cut: true},
		"500 after the work":          {Worked: true, Answer: answer(testserver.Plain(500, "Internal error 4711"))},
		"500 page after the work":     {Worked: true, Answer: answer(testserver.HtmlPage(500))},
		"502 after the work":          {Worked: true, Answer: answer(testserver.HtmlPage(502))},
		"504 after the work":          {Worked: true, Answer: answer(testserver.HtmlPage(504))},
		"200 page":                    {Worked: true, Answer: answer(testserver.HtmlPage(200))},
		"200 null":                    {Worked: true, Answer: answer(testserver.AsJSON(200, "null"))},
		"200 empty":                   {Worked: true, Answer: answer(testserver.AsJSON(200, ""))},
		"204":                         {Worked: true, Answer: answer(testserver.Reply{Status: 204})},
		"200 list":                    {Worked: true, Answer: answer(testserver.AsJSON(200, `[{"AccountId":1,"CompanyName":"a"}]`))},
		"AccountId missing":           {Worked: true, Answer: answer(testserver.AsJSON(200, `{"CompanyName":"a","VATID":"PT9"}`))},
		"AccountId is text":           {Worked: true, Answer: answer(testserver.AsJSON(200, `{"AccountId":"221863","CompanyName":"a","VATID":"PT9"}`))},
		"AccountId null":              {Worked: true, Answer: answer(testserver.AsJSON(200, `{"AccountId":null,"CompanyName":"a","VATID":"PT9"}`))},
		"200 object of words":         {Worked: true, Answer: answer(testserver.AsJSON(200, `{"Message":"Internal error 4711"}`))},
		"200 words":                   {Worked: true, Answer: answer(testserver.Plain(200, "Internal error 4711"))},
		"truncated JSON":              {Worked: true, Answer: answer(testserver.AsJSON(200, `{"AccountId":221863,"CompanyName":"`))},
		"two documents":               {Worked: true, Answer: answer(testserver.AsJSON(200, `{"AccountId":1,"CompanyName":"a"}{"AccountId":2}`))},
		"503 after the work":          {Worked: true, Answer: answer(testserver.HtmlPage(503).With("Retry-After", "7"))},
		"408 after the work":          {Worked: true, Answer: answer(testserver.Plain(408, "took too long"))},
		"303 to what it made":         {Worked: true, Answer: answer(testserver.Plain(303, "").With("Location", "/companies/1"))},
		"307 after the work":          {Worked: true, Answer: answer(testserver.Plain(307, "").With("Location", "/CreateCompany/"))},
		"429 after the work":          {Worked: true, Answer: answer(testserver.Plain(429, "").With("Retry-After", "7"))},
		"gzip that is none":           {Worked: true, Answer: answer(testserver.AsJSON(200, `{"AccountId":1}`).With("Content-Encoding", "gzip"))},
		"500 that speaks of an error": {Worked: true, Answer: answer(testserver.Plain(500, "Object reference not set to an instance of an object (token cache)."))},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newICP()
				tr.Service = "CreateCompany"
				v.troubles = []testserver.Trouble{tr}
				got := v.run(t, ensureOne, order("PT9"), nil)
				if v.asked["CreateCompany"] != 1 {
					t.Errorf("sent %d times", v.asked["CreateCompany"])
				}
				if tr.Worked {
					want := map[string]any{"account_id": int64(221863), "created": true}
					if got.err != nil || !reflect.DeepEqual(got.result.Outputs, want) || v.asked["GetCompanyByVatId"] != 2 {
						t.Errorf("%v, %v after %v", got.err, got.result.Outputs, v.asked)
					}
					return
				}
				if got.result.Status.ExitCode() != 4 || v.asked["GetCompanyByVatId"] != 5 {
					t.Errorf("%v: %v after %v", got.result.Status, got.err, v.asked)
				}
			})
			synctest.Test(t, func(t *testing.T) {
				v := newICP()
				tr.Service = "CreateCompany"
				v.troubles = []testserver.Trouble{tr, {Service: "GetCompanyByVatId", Spared: 1, HangUp: true}}
				got := v.run(t, ensureOne, order("PT9"), nil)
				if got.result.Status.ExitCode() != 4 || v.asked["CreateCompany"] != 1 {
					t.Errorf("%v: %v after %v", got.result.Status, got.err, v.asked)
				}
				text := got.err.Error()
				if !strings.Contains(text, "the look-up with intcomex.get_company_by_vat_id failed") {
					t.Errorf("error %q", text)
				}
				if !strings.Contains(text, "intcomex.create_company: unknown") {
					t.Errorf("error %q", text)
				}
				for _, words := range []string{"Internal error 4711", "token cache", "took too long", "Sorry"} {
					if tr.Answer != nil && strings.Contains(tr.Answer.Body, words) && !strings.Contains(text, words) {
						t.Errorf("error %q lacks %q", text, words)
					}
				}
			})
			synctest.Test(t, func(t *testing.T) {
				v, inputs := crowd()
				tr.Service, tr.Calls = "CreateCompany", 1
				v.troubles = []testserver.Trouble{tr}
				got := v.run(t, ensureAll, inputs, nil)
				want := [3]any{int64(12), int64(4), int64(0)}
				if !tr.Worked {
					want = [3]any{int64(11), int64(4), int64(1)}
				}
				if got.counts() != want {
					t.Errorf("%v: %v: created, found, failed: %v", got.result.Status, got.err, got.counts())
				}
			})
		})
	}
}

// A create that surely did nothing is made again, or its refusal told.
func TestIntcomexCreateRefused(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]testserver.Reply{
		"400":             testserver.Plain(400, "Country is not valid: Atlantis"),
		"400 JSON":        testserver.AsJSON(400, `{"Message":"Country is not valid: Atlantis"}`),
		"400 JSON string": testserver.AsJSON(400, `"Country is not valid: Atlantis"`),
		"400 error":       testserver.AsJSON(400, `{"ErrorMessage":"Country is not valid: Atlantis"}`),
		"400 list":        testserver.AsJSON(400, `[{"Result":"FAILED","ErrorDetails":"Country is not valid: Atlantis","FieldName":"Country"}]`),
		"409":             testserver.Plain(409, "Country is not valid: Atlantis"),
		"422":             testserver.Plain(422, "Country is not valid: Atlantis"),
		"403":             testserver.Plain(403, "Country is not valid: Atlantis"),
		"405":             testserver.Plain(405, "Country is not valid: Atlantis"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newICP()
				v.refuse = func(map[string]any) *testserver.Reply { return &r }
				got := v.run(t, ensureOne, order("PT9"), nil)
				if got.result.Status != engine.Failed || v.asked["CreateCompany"] != 1 {
					t.Errorf("%v after %v", got.result.Status, v.asked)
				}
				if text := got.err.Error(); !strings.Contains(text, "intcomex.create_company") || !strings.Contains(text, "Country is not valid: Atlantis") {
					t.Errorf("error %q", text)
				} else if strings.HasPrefix(r.Body, "{") && strings.Contains(text, "{") {
					t.Errorf("error %q holds the object about the words", text)
				}
			})
		})
	}
	for name, r := range map[string]testserver.Reply{
		"429":              testserver.Plain(429, "Too many requests").With("Retry-After", "7"),
		"429 until a date": testserver.Plain(429, "Too many requests").With("Retry-After", "Sat, 01 Jan 2000 00:00:07 GMT"),
		"429 without":      testserver.Plain(429, "Too many requests"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newICP()
				v.troubles = []testserver.Trouble{{Service: "CreateCompany", Calls: 1, Answer: &r}}
				began := time.Now()
				got := v.run(t, ensureOne, order("PT9"), nil)
				if got.err != nil || v.asked["CreateCompany"] != 2 || v.asked["GetCompanyByVatId"] != 2 || v.created["PT9"] != 1 {
					t.Errorf("%v after %v", got.err, v.asked)
				}
				if took := time.Since(began); r.Header["Retry-After"] != "" && (took < 7*time.Second || took > time.Minute) {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

// Reads are made again, and a platform that stays down is named in its own words.
func TestIntcomexReadsAreMadeAgain(t *testing.T) {
	t.Parallel()
	answer := func(r testserver.Reply) *testserver.Reply { return &r }
	for name, tr := range map[string]testserver.Trouble{
		"hang-up":      {HangUp: true},
		"500":          {Answer: answer(testserver.Plain(500, "Internal error 4711"))},
		"502 page":     {Answer: answer(testserver.HtmlPage(502))},
		"503":          {Answer: answer(testserver.Plain(503, "down").With("Retry-After", "3"))},
		"429":          {Answer: answer(testserver.Plain(429, "slow down"))},
		"slow":         {Wait: time.Hour},
		"broken off":   {Worked: true, Cut: true},
		"half a JSON":  {Answer: answer(testserver.AsJSON(200, `[{"AccountId":`))},
		"a page":       {Answer: answer(testserver.HtmlPage(200))},
		"408":          {Answer: answer(testserver.Plain(408, "too slow"))},
		"bad gzip":     {Answer: answer(testserver.AsJSON(200, `[]`).With("Content-Encoding", "gzip"))},
		"words":        {Answer: answer(testserver.AsJSON(200, `{"Message":"Internal error 4711"}`))},
		"strange JSON": {Answer: answer(testserver.AsJSON(200, `[{"AccountId":"x"}]`))},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newICP()
				tr.Service, tr.Calls = "GetCompanyByVatId", 1
				v.troubles = []testserver.Trouble{tr}
				got := v.run(t, ensureOne, order("PT9"), nil)
				if name == "strange JSON" {
					if got.err == nil || !strings.Contains(got.err.Error(), "intcomex.get_company_by_vat_id") || len(v.created) != 0 {
						t.Errorf("%v", got.err)
					}
					return
				}
				if got.err != nil || got.result.Outputs["created"] != true {
					t.Errorf("%v after %v", got.err, v.asked)
				}
			})
			synctest.Test(t, func(t *testing.T) {
				v := newICP()
				tr.Service, tr.Calls = "GetCompanyByVatId", 0
				v.troubles = []testserver.Trouble{tr}
				got := v.run(t, ensureOne, order("PT9"), nil)
				if got.result.Status != engine.Failed || len(v.created) != 0 {
					t.Fatalf("%v %v", got.result.Status, v.created)
				}
				text := got.err.Error()
				if !strings.Contains(text, "intcomex.get_company_by_vat_id") {
					t.Errorf("error %q", text)
				}
				if tr.Answer != nil && strings.Contains(tr.Answer.Body, "4711") && !strings.Contains(text, "Internal error 4711") {
					t.Errorf("error %q lacks the platform's words", text)
				}
			})
		})
	}
}

func TestIntcomexVatIDsThatMeanNone(t *testing.T) {
	t.Parallel()
	for _, vat := range []string{"", " ", "\t", "\u00a0", "EMPTY", "empty", " Empty ", "null", "NULL", " null\n", "\u200b", "\ufeff", "\u3000"} {
		t.Run(fmt.Sprintf("%q", vat), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newICP(existing(4, "EMPTY", "STRANGER"), existing(5, "", "STRANGER"))
				stop := v.start()
				defer stop()
				_, err := v.program(t, nil, nil).Run(context.Background(), engine.Request{Pipeline: ensureOne, Inputs: order(vat)})
				if err == nil || len(v.asked) != 0 {
					t.Errorf("%v after %v", err, v.asked)
				}
			})
			synctest.Test(t, func(t *testing.T) {
				v := newICP(existing(4, "EMPTY", "STRANGER"), existing(5, "", "STRANGER"))
				got := v.run(t, ensureAll, map[string]any{"companies": []any{order("PT8"), order(vat)}}, nil)
				if got.err != nil || got.result.Status != engine.Partial || got.counts() != [3]any{int64(1), int64(0), int64(1)} || v.asked["GetCompanyByVatId"] != 1 {
					t.Errorf("%v %v after %v: %v", got.counts(), got.err, v.asked, got.rows)
				}
			})
		})
	}
}

func TestIntcomexSeveralCompaniesAreNamed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := newICP(existing(71, "PT9", "ALPHA"), existing(72, "PT9", " Béta <&> "), existing(73, "PT10", "GAMMA"))
		v.matches = func(have any, want string) bool { return strings.HasPrefix(have.(string), want) }
		got := v.run(t, ensureOne, order("PT9"), nil)
		want := "VAT ID PT9 belongs to 2 companies: ALPHA (71),  Béta <&>  (72)"
		if got.err == nil || got.err.Error() != want || v.asked["CreateCompany"] != 0 {
			t.Errorf("error %v, want %s", got.err, want)
		}
	})
}

// Texts and digits reach the platform as they were given; of a VAT ID, blanks are no part.
func TestIntcomexKeepsTexts(t *testing.T) {
	t.Parallel()
	for _, vat := range []string{"00012", " X PP3DI3456CSP", "12345678901234567890", "1e5", "PT/9+&\"'<ü>", "true", "0x10", "ÑÁ 😀", "it's; \\n", "12.50"} {
		t.Run(vat, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newICP()
				name := "  Ñandú \"& Söhne\" </b>\u2028 😀\t"
				got := v.run(t, ensureAll, map[string]any{"companies": []any{
					order(vat, "name", name, "customer_id", "", "contract_id", " 007", "parent_account_id", int64(9007199254740993), "domains", []string{"a.example", "b"}, "marketplaces", []int{67, 30}),
					order(vat),
				}}, nil)
				if got.err != nil || got.counts() != [3]any{int64(1), int64(1), int64(0)} {
					t.Fatalf("%v %v %v", got.counts(), got.err, got.rows)
				}
				number := strings.Join(strings.Fields(vat), "")
				sent := v.sent[number]
				for member, want := range map[string]any{
					"CompanyName": name, "VATID": number, "Zip": "00051", "ContractId": " 007", "CustomerId": "", "ParentAccountId": int64(9007199254740993),
					"Domain": []string{"a.example", "b"}, "Marketplaces": []int64{67, 30}, "Email": "info@rbapi.com",
				} {
					if fmt.Sprintf("%#v", sent[member]) != fmt.Sprintf("%#v", want) {
						t.Errorf("%s is %#v, want %#v", member, sent[member], want)
					}
				}
			})
		})
	}
}

// Blanks are no difference between VAT IDs, however many runs and rows write them.
func TestIntcomexBlanksOfVATIDsAreNoDifference(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := newICP(existing(71, "X PP3", "THERE"))
		v.state = state.NewMemory()
		got := v.run(t, ensureAll, map[string]any{"companies": []any{
			order("P1"), order(" P1"), order("P1 "), order("\u00a0P1\t"), order("P 1"), order("P\u00a01"), order("X PP3"), order("\u200bP1"), order(" X PP3 "),
		}}, nil)
		if got.err != nil || got.counts() != [3]any{int64(1), int64(8), int64(0)} || len(v.companies) != 2 || v.sent["P1"] == nil {
			t.Fatalf("%v %v %v\n%v", got.counts(), got.err, got.rows, v.companies)
		}
		for _, vat := range []string{"P1", " P1 ", "P\u00a0 1"} {
			if got := v.run(t, ensureAll, map[string]any{"companies": []any{order(vat)}}, nil); got.err != nil || got.counts() != [3]any{int64(0), int64(1), int64(0)} {
				t.Errorf("%q: %v %v", vat, got.counts(), got.err)
			}
		}
		for _, vat := range []string{"E M P T Y", " n ull"} {
			if got := v.run(t, ensureAll, map[string]any{"companies": []any{order(vat)}}, nil); got.counts() != [3]any{int64(0), int64(0), int64(1)} {
				t.Errorf("%q: %v %v", vat, got.counts(), got.err)
			}
		}
		// A lost answer is looked for under what was sent.
		v.troubles = []testserver.Trouble{{Service: "CreateCompany", Worked: true, HangUp: true}}
		if got := v.run(t, ensureAll, map[string]any{"companies": []any{order(" P 2")}}, nil); got.err != nil || got.counts() != [3]any{int64(1), int64(0), int64(0)} {
			t.Errorf("%v %v", got.counts(), got.err)
		}
	})
}

// The services that pipelines do not use yet.
func TestIntcomexOtherServices(t *testing.T) {
	t.Parallel()
	there := []company{existing(7, "PT7", "SEVEN"), existing(9007199254740993, "EMPTY", "BIG")}
	for name, tt := range map[string]struct {
		inputs map[string]any
		want   []string
		fails  bool
	}{
		"intcomex.get_companies":         {inputs: map[string]any{"parent_account_id": 100407}, want: []string{"SEVEN", "BIG", "9007199254740993", `"EMPTY"`}},
		"intcomex.get_company":           {inputs: map[string]any{"account_id": int64(9007199254740993)}, want: []string{"BIG", "9007199254740993"}},
		"intcomex.get_company_by_vat_id": {inputs: map[string]any{"vat_id": "PT7"}, want: []string{"SEVEN"}},
		"intcomex.ping":                  {want: []string{"succeeded"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newICP(there...)
				got := v.run(t, name, tt.inputs, nil)
				text, _ := json.Marshal(got.result)
				for _, want := range tt.want {
					if got.err != nil || !strings.Contains(string(text), want) {
						t.Errorf("%v: %s lacks %s", got.err, text, want)
					}
				}
			})
		})
	}
	t.Run("no such account", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			v := newICP(there...)
			got := v.run(t, "intcomex.get_company", map[string]any{"account_id": 8}, nil)
			if got.err == nil || !strings.Contains(got.err.Error(), "Company not found") {
				t.Errorf("error %v", got.err)
			}
		})
	})
}
