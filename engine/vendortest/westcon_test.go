package vendortest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/internal/testserver"
	"github.com/seed627bd532/runner/engine/sandbox"
)

const orderStatus = "pipelines/westcon/order_status.yaml"

// A statusRun is what a run left behind, and the lines.csv that it wrote.
type statusRun struct {
	ran
	csv string
}

// run asks for the status of orders, and checks what holds for every run.
func (w *westcon) run(t *testing.T, inputs map[string]any) *statusRun {
	t.Helper()
	client, stop := w.start()
	defer stop()
	sink := &testserver.Heard{}
	p, err := engine.Load(os.DirFS("../.."), engine.Options{
		Paths: []string{"specs/westcon.yaml", "pipelines/westcon"},
		Connections: map[string]engine.Connection{"westcon": {Vendor: "westcon", BaseURL: westconAPI, Config: map[string]any{
			"client_id": westconID, "client_secret": westconSecret, "resource": westconFor,
			"subscription_key": westconKey, "partner_key": westconPartner, "login_url": westconLogin,
		}}},
		Client: client,
		Events: sink,
	})
	if err != nil {
		t.Fatal(err)
	}
	r := &statusRun{}
	out := t.TempDir()
	r.result, r.err = p.Run(context.Background(), engine.Request{Pipeline: orderStatus, Inputs: inputs, OutDir: out})
	text, _ := json.Marshal(r.result)
	r.text = sink.Text() + string(text) + fmt.Sprint(r.err)
	var failed *engine.Error
	if errors.As(r.err, &failed) {
		r.text += fmt.Sprintf("%+v", failed.Failure)
	}
	lines, err := os.ReadFile(filepath.Join(out, "lines.csv"))
	switch {
	case r.err != nil && !errors.Is(err, fs.ErrNotExist):
		t.Errorf("a run that failed left lines.csv: %v", err)
	case r.err == nil && err != nil:
		t.Error(err)
	}
	r.csv = string(lines)
	w.judge(t, r.text)
	return r
}

func (w *westcon) judge(t *testing.T, seen string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.complaints {
		t.Errorf("the vendor complains: %s", c)
	}
	secrets := []string{westconSecret, westconKey, westconPartner}
	for token := range w.tokens {
		secrets = append(secrets, token)
	}
	for _, secret := range secrets {
		for _, form := range testserver.Encoded(secret) {
			if i := strings.Index(seen, form); i >= 0 {
				t.Errorf("a secret is seen: …%.200s", seen[max(0, i-80):])
			}
		}
	}
}

var placeInYAML = regexp.MustCompile(`\.yaml:\d+:\d+:`)

func ask(orderType string, orders ...any) map[string]any {
	return map[string]any{"orders": orders, "order_type": orderType}
}

const linesHead = "order_number,line_number,customer_order,product,quantity,unit,status_code,status,status_date,ship_date,billing_document,parent_line\n"

// both are the lines of 600014 and 600029.
const both = linesHead +
	"0000600014,000010,Rb1-03,T000123,2.000,EA,INV,Invoiced,2026-01-31,2026-01-30,012345670,000000\n" +
	"0000600014,000020,Rb1-03,T9,1250.50,EA,INV,Invoiced,2026-01-31,,,000000\n" +
	"0000600029,000010,VC REGULAR MFR SN,U-U,1,EA,SHI,Shipped,2026-01-31,,,000000\n"

// Whichever way the vendor reads its own document, the lines come out right.
func TestWestconWhicheverReading(t *testing.T) {
	t.Parallel()
	grant := func(members map[string]any) func(*westcon) { return func(w *westcon) { w.grant = members } }
	wire := func(f func(testserver.Reply) testserver.Reply) func(*westcon) { return func(w *westcon) { w.wire = f } }
	for name, set := range map[string]func(*westcon){
		"natural":                     func(*westcon) {},
		"expires_in as text":          grant(map[string]any{"token_type": "Bearer", "expires_in": "3599", "expires_on": "946688399", "not_before": "946684499"}),
		"nothing but a token":         grant(nil),
		"a token type in small print": grant(map[string]any{"token_type": "bearer", "expires_in": 3599.0, "scope": nil}),
		"gzip":                        wire(testserver.Gzipped),
		"byte order mark":             wire(testserver.Marked),
		"JSON as text/plain":          wire(testserver.Typed("text/plain")),
		"JSON with a charset":         wire(testserver.Typed(`application/json;charset="UTF-8"`)),
		"connections are closed":      wire(func(r testserver.Reply) testserver.Reply { return r.With("Connection", "close") }),
		"unknown members": func(w *westcon) {
			w.render = func(line map[string]any) map[string]any {
				line["message"], line["error"], line["plant"] = "", nil, map[string]any{"id": 1}
				return line
			}
			put := w.put
			w.put = func(lines []map[string]any) testserver.Reply {
				r := put(lines)
				r.Body = strings.Replace(r.Body, "{", `{"errorMessage":"","requestId":7,`, 1)
				return r
			}
		},
		"null where there is no value": func(w *westcon) {
			w.render = func(line map[string]any) map[string]any {
				for _, name := range []string{"customerLineNumber", "shipDate", "billingDocument"} {
					if line[name] == "" || line[name] == "00000000" {
						line[name] = nil
					}
				}
				return line
			}
		},
		"nothing where there is no value": func(w *westcon) {
			w.render = func(line map[string]any) map[string]any {
				for _, name := range []string{"customerLineNumber", "shipDate", "billingDocument"} {
					if line[name] == "" || line[name] == "00000000" {
						delete(line, name)
					}
				}
				return line
			}
		},
		"fields of a fixed width": func(w *westcon) {
			w.render = func(line map[string]any) map[string]any {
				for name, v := range line {
					line[name] = fmt.Sprintf("%-20s", v)
				}
				return line
			}
		},
		"dates as numbers": func(w *westcon) {
			w.render = func(line map[string]any) map[string]any {
				for _, name := range []string{"statusDate", "shipDate"} {
					switch date := line[name].(string); date {
					case "", "00000000":
						line[name] = "0000-00-00"
					default:
						line[name] = json.RawMessage(date)
					}
				}
				return line
			}
		},
		"quantities as numbers": func(w *westcon) {
			w.render = func(line map[string]any) map[string]any {
				line["lineQuantity"] = json.RawMessage(strings.TrimSpace(line["lineQuantity"].(string)))
				return line
			}
		},
		"401 at first":         func(w *westcon) { w.troubles = []testserver.Trouble{{Service: "status", Calls: 1, Answer: &w.noToken}} },
		"a token for one call": func(w *westcon) { w.calls = 1 },
		"login lost":           func(w *westcon) { w.troubles = []testserver.Trouble{{Service: "token", Calls: 1, HangUp: true}} },
		"login too busy": func(w *westcon) {
			w.troubles = []testserver.Trouble{{Service: "token", Calls: 2, Answer: answer(testserver.Plain(429, "busy"))}}
		},
		"login answers pages": func(w *westcon) {
			w.troubles = []testserver.Trouble{{Service: "token", Calls: 2, Answer: answer(testserver.HtmlPage(503))}}
		},
		"login breaks off": func(w *westcon) {
			w.troubles = []testserver.Trouble{{Service: "token", Calls: 1, Worked: true, Cut: true}}
		},
		"login temporarily out": func(w *westcon) {
			w.troubles = []testserver.Trouble{{Service: "token", Calls: 1, Answer: answer(testserver.AsJSON(400, `{"error":"temporarily_unavailable"}`))}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWestcon()
				set(w)
				r := w.run(t, ask("W", "600014", "77", " 0000600029\t", "600014", "0600014"))
				if r.err != nil {
					t.Fatal(r.err)
				}
				if got := r.csv; got != both {
					t.Errorf("lines.csv is\n%s", got)
				}
				if got := fmt.Sprint(r.result.Outputs["missing"]); got != "[77]" {
					t.Errorf("missing %s", got)
				}
				if got := fmt.Sprint(w.orders); got != "[[600014 77 0000600029]]" {
					t.Errorf("asked for %s", got)
				}
			})
		})
	}
}

func answer(r testserver.Reply) *testserver.Reply { return &r }

// The customer's own numbers are compared as texts, though without regard to case.
func TestWestconCustomersNumbers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWestcon()
		w.lines[2]["customerOrderNumber"] = "00700"
		w.render = func(line map[string]any) map[string]any {
			line["customerOrderNumber"] = strings.ToUpper(line["customerOrderNumber"].(string))
			return line
		}
		r := w.run(t, ask("C", " Rb1-03", "700", "00700", "600014", "Rb1-03 "))
		if r.err != nil {
			t.Fatal(r.err)
		}
		if want := strings.NewReplacer("Rb1-03", "RB1-03", "VC REGULAR MFR SN", "00700").Replace(both); r.csv != want {
			t.Errorf("lines.csv is\n%s", r.csv)
		}
		if got := fmt.Sprint(r.result.Outputs["missing"], w.orders); got != "[700 600014] [[Rb1-03 700 00700 600014]]" {
			t.Errorf("missing and asked: %s", got)
		}
	})
}

// One line may come without a list around it, and none in many ways.
func TestWestconFewLines(t *testing.T) {
	t.Parallel()
	whole := func(text string) func([]map[string]any) testserver.Reply {
		return func([]map[string]any) testserver.Reply { return testserver.AsJSON(200, text) }
	}
	one := func(lines []map[string]any) testserver.Reply {
		text, _ := json.Marshal(map[string]any{"MT_OrderStatus_Response": lines[0]})
		return testserver.AsJSON(200, string(text))
	}
	const shipped = linesHead + "0000600029,000010,VC REGULAR MFR SN,U-U,1,EA,SHI,Shipped,2026-01-31,,,000000\n"
	const unknown = `{"MT_OrderStatus_Response":[{"eRPOrderNumber":"0000600029","eRPOrderLineNumber":"","customerOrderNumber":"","eRPProductNumber":"","lineQuantity":"","unitOfMeasure":"","lineStatusCode":"E","lineStatusDescription":"Order does not exist","statusDate":"00000000"}]}`
	for name, tt := range map[string]struct {
		put           func([]map[string]any) testserver.Reply
		lines, missed string
	}{
		"an object":               {one, shipped, "[]"},
		"an empty list":           {whole(`{"MT_OrderStatus_Response": [ ]}`), linesHead, "[600029]"},
		"null":                    {whole(`{ "MT_OrderStatus_Response" : null }` + "\r\n"), linesHead, "[600029]"},
		"an empty text":           {whole(`{"MT_OrderStatus_Response":""}`), linesHead, "[600029]"},
		"an empty object":         {whole(`{"MT_OrderStatus_Response":{}}`), linesHead, "[600029]"},
		"nothing at all":          {whole(`{}`), linesHead, "[600029]"},
		"null beside others":      {whole(`{"requestId":"7","MT_OrderStatus_Response":null,"errorMessage":""}`), linesHead, "[600029]"},
		"no content":              {func([]map[string]any) testserver.Reply { return testserver.Reply{Status: 204} }, linesHead, "[600029]"},
		"a line that says so":     {whole(unknown), linesHead + "0000600029,,,,,,E,Order does not exist,,,,\n", "[600029]"},
		"the line of a neighbour": {whole(strings.NewReplacer("600029", "600030", `""`, `"1"`).Replace(unknown)), linesHead + "0000600030,1,1,1,1,1,E,Order does not exist,,,,\n", "[600029]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWestcon()
				w.put = tt.put
				r := w.run(t, ask("W", "600029"))
				if r.err != nil {
					t.Fatal(r.err)
				}
				if got := r.csv; got != tt.lines {
					t.Errorf("lines.csv is\n%s", got)
				}
				if got := fmt.Sprint(r.result.Outputs["missing"]); got != tt.missed {
					t.Errorf("missing %s, want %s", got, tt.missed)
				}
			})
		})
	}
}

// That none of the orders of one request is there says nothing of those of the next.
func TestWestconARequestWithoutAnyOrder(t *testing.T) {
	t.Parallel()
	for name, none := range map[string]testserver.Reply{
		"gateway": testserver.AsJSON(404, `{"statusCode": 404, "message": "No orders found"}`), "text": testserver.Plain(404, "Order(s) not found"),
		"a number": testserver.AsJSON(404, `{"error":{"message":"Sales order 0000000100 does not exist."}}`), "one order": testserver.Plain(404, "order not found"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWestcon()
				put := w.put
				w.put = func(lines []map[string]any) testserver.Reply {
					if len(lines) == 0 {
						return none
					}
					return put(lines)
				}
				var orders []any
				for i := range 50 {
					orders = append(orders, fmt.Sprint(100+i))
				}
				r := w.run(t, ask("W", append(orders, "600014", "600029")...))
				if r.err != nil || r.csv != both || len(w.orders) != 2 {
					t.Fatalf("%v after %d requests, lines.csv is\n%s", r.err, len(w.orders), r.csv)
				}
				if missing, _ := r.result.Outputs["missing"].([]any); len(missing) != 50 || missing[0] != "100" {
					t.Errorf("missing %v", missing)
				}
			})
		})
	}
	for _, text := range []string{"The path /Orders/orderStatus was not found", "Operation not found", "orderStatus does not exist", "<p>No orders found</p>"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWestcon()
			w.put = func([]map[string]any) testserver.Reply { return testserver.Plain(404, text) }
			if r := w.run(t, ask("W", "600014")); r.err == nil {
				t.Errorf("%s: taken for no order", text)
			}
		})
	}
}

// What can never go well ends the run at once, in the vendor's words.
func TestWestconStopsAtOnce(t *testing.T) {
	t.Parallel()
	const (
		login4711 = "westcon.order_status: auth: cannot log in to westcon: login.example:8443/tenant-4711/oauth2/token: "
		hint      = "; hint: check the credentials of the connection"
		broken    = "westcon.order_status: invalid: the answer of westcon.order_status breaks its contract: "
	)
	login := func(r testserver.Reply) func(*westcon) {
		return func(w *westcon) { w.secret, w.badLogin = "another", r }
	}
	key := func(r testserver.Reply) func(*westcon) {
		return func(w *westcon) { w.key, w.badKey = "another", r }
	}
	status := func(r testserver.Reply) func(*westcon) {
		return func(w *westcon) { w.put = func([]map[string]any) testserver.Reply { return r } }
	}
	line := func(change func(line map[string]any)) func(*westcon) {
		return func(w *westcon) {
			w.render = func(line map[string]any) map[string]any { change(line); return line }
		}
	}
	for name, tt := range map[string]struct {
		set            func(*westcon)
		logins, status int
		want           string
	}{
		"wrong secret": {login(newWestcon().badLogin), 1, 0,
			login4711 + "AADSTS7000215: Invalid client secret is provided. (invalid_client)" + hint},
		"wrong secret, said with 400": {login(testserver.AsJSON(400, `{"error":"invalid_client"}`)), 1, 0,
			login4711 + "invalid_client" + hint},
		"wrong resource": {login(testserver.AsJSON(400, `{"error":"invalid_resource","error_description":"AADSTS500011: no such resource"}`)), 1, 0,
			login4711 + "AADSTS500011: no such resource (invalid_resource)" + hint},
		"login moved": {login(testserver.Plain(302, "").With("Location", "http://elsewhere.example/")), 1, 0,
			login4711 + "the answer leads elsewhere (HTTP status 302), where no credentials are sent; hint: check the token endpoint's url"},
		"wrong subscription key": {key(newWestcon().badKey), 1, 1,
			"westcon.order_status: denied: Access denied due to invalid subscription key. Make sure to provide a valid key for an active subscription."},
		"missing subscription key": {key(testserver.Plain(401, "Missing subscription key")), 1, 1,
			"westcon.order_status: denied: Missing subscription key"},
		"no quota left": {key(testserver.AsJSON(403, `{"statusCode": 403, "message": "Out of call volume quota. Quota will be replenished in 01:22:33."}`)), 1, 1,
			"westcon.order_status: denied: Out of call volume quota. Quota will be replenished in 01:22:33."},
		"no token is good": {func(w *westcon) { w.calls = -1 }, 2, 2,
			`westcon.order_status: auth: Unauthorized. Access token is missing or invalid.; hint: the login succeeded, and westcon accepts no request after it: does somebody else log in as the user of connection "westcon"? Or check auth.inject`},
		"wrong address": {status(testserver.AsJSON(404, `{ "statusCode": 404, "message": "Resource not found" }`)), 1, 1,
			"westcon.order_status: not_found: Resource not found"},
		"refused": {status(testserver.AsJSON(400, `{"statusCode":400,"message":"orderType is invalid"}`)), 1, 1,
			"westcon.order_status: invalid: orderType is invalid"},
		"moved": {status(testserver.Plain(307, "").With("Location", "http://elsewhere.example/Orders/orderStatus")), 1, 1,
			"westcon.order_status: invalid: redirected to http://elsewhere.example/Orders/orderStatus, which is not followed; hint: credentials go to the connection's base_url only, and a POST stays a POST; if the vendor moved, change base_url or the operation's path"},
		"an account in place of lines": {status(testserver.AsJSON(200, `{"MT_OrderStatus_Response":{"errorCode":"E17","errorMessage":"Partner is locked"}}`)), 1, 1,
			`westcon.order_status: invalid: {"MT_OrderStatus_Response":{"errorCode":"E17","errorMessage":"Partner is locked"}}`},
		"an account beside no lines": {status(testserver.AsJSON(200, `{"MT_OrderStatus_Response":[],"return":{"message":"Partner is locked"}}`)), 1, 1,
			`westcon.order_status: invalid: {"MT_OrderStatus_Response":[],"return":{"message":"Partner is locked"}}`},
		"a message in place of lines": {status(testserver.AsJSON(200, `{"message":"Partner is locked"}`)), 1, 1,
			"westcon.order_status: invalid: Partner is locked"},
		"a text in place of lines": {status(testserver.AsJSON(200, `"Partner is locked"`)), 1, 1,
			"westcon.order_status: invalid: Partner is locked"},
		"lines under another name": {status(testserver.AsJSON(200, `{"MT_OrderStatus_Respons":[{"eRPOrderNumber":"1"}]}`)), 1, 1,
			`westcon.order_status: invalid: {"MT_OrderStatus_Respons":[{"eRPOrderNumber":"1"}]}`},
		"lines without a name": {status(testserver.AsJSON(200, `[{"eRPOrderNumber":"1"}]`)), 1, 1,
			`westcon.order_status: invalid: [{"eRPOrderNumber":"1"}]`},
		"a line without a number": {line(func(line map[string]any) { delete(line, "eRPOrderNumber") }), 1, 1,
			broken + `[0]: missing member "eRPOrderNumber"`},
		"a line without quantity": {line(func(line map[string]any) { delete(line, "lineQuantity") }), 1, 1,
			broken + `[0]: missing member "lineQuantity"`},
		"a quantity that is none": {line(func(line map[string]any) { line["lineQuantity"] = "two" }), 1, 1,
			broken + `specs/westcon.yaml: output lines[0].quantity: path lineQuantity: expected decimal, found text "two"`},
		"a date that is none": {line(func(line map[string]any) { line["shipDate"] = "20261332" }), 1, 1,
			broken + `specs/westcon.yaml: output lines[0].ship_date: path shipDate: expected date, found text "20261332"`},
		"null for a status": {line(func(line map[string]any) { line["lineStatusCode"] = nil }), 1, 1,
			broken + `[0].lineStatusCode: expected text, found null`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWestcon()
				tt.set(w)
				began := time.Now()
				r := w.run(t, ask("W", "600029"))
				if r.result.Status != engine.Failed || w.asked["token"] != tt.logins || w.asked["status"] != tt.status {
					t.Errorf("%v after %v", r.result.Status, w.asked)
				}
				var failed *engine.Error
				if !errors.As(r.err, &failed) {
					t.Fatal(r.err)
				}
				got, _ := strings.CutSuffix(failed.Error(), "")
				got = placeInYAML.ReplaceAllString(got, ".yaml:")
				if failed.Failure.Hint != "" {
					got += "; hint: " + failed.Failure.Hint
				}
				if got != tt.want {
					t.Errorf("error\n%s\nwant\n%s", got, tt.want)
				}
				if took := time.Since(began); took > time.Second {
					t.Errorf("after %v", took)
				}
			})
		})
	}
}

// What may pass is waited for, and named when it does not.
func TestWestconTriesAgain(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		testserver.Trouble
		words string
		least time.Duration // until it went well
	}{
		"hang-up":            {testserver.Trouble{HangUp: true}, "unknown: the connection was lost before an answer came: EOF", 0},
		"broken off":         {testserver.Trouble{Worked: true, Cut: true}, "unknown: the answer broke off after", 0},
		"half a list":        {testserver.Trouble{Answer: answer(testserver.AsJSON(200, `{"MT_OrderStatus_Response":[{"eRPOrderNumber":"0000600014"`))}, "unknown: ", 0},
		"a page":             {testserver.Trouble{Answer: answer(testserver.HtmlPage(200))}, "unknown: the answer is not JSON: Sorry", 0},
		"a text":             {testserver.Trouble{Answer: answer(testserver.Plain(200, "Backend not reachable"))}, "unknown: the answer is not JSON: Backend not reachable", 0},
		"nothing":            {testserver.Trouble{Answer: answer(testserver.Reply{Status: 200})}, "unknown: ", 0},
		"500":                {testserver.Trouble{Answer: answer(testserver.AsJSON(500, `{"statusCode":500,"message":"Internal server error","activityId":"4711"}`))}, "unknown: Internal server error", 0},
		"504 page":           {testserver.Trouble{Answer: answer(testserver.HtmlPage(504))}, "unknown: Sorry", 0},
		"too slow":           {testserver.Trouble{Wait: time.Hour}, "unknown: no answer within 1m0s", time.Minute},
		"429":                {testserver.Trouble{Answer: answer(testserver.AsJSON(429, `{"statusCode":429,"message":"Rate limit is exceeded. Try again in 17 seconds."}`).With("Retry-After", "17"))}, "throttled: Rate limit is exceeded. Try again in 17 seconds.", 17 * time.Second},
		"503 with a time":    {testserver.Trouble{Answer: answer(testserver.Plain(503, "maintenance").With("Retry-After", "40"))}, "throttled: maintenance", 40 * time.Second},
		"429 without a time": {testserver.Trouble{Answer: answer(testserver.Plain(429, "slow down"))}, "throttled: slow down", 0},
	} {
		tt.Service = "status"
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWestcon()
				tt.Calls = 1
				w.troubles = []testserver.Trouble{tt.Trouble}
				began := time.Now()
				r := w.run(t, ask("W", "600014", "600029"))
				if r.err != nil || r.csv != both || w.asked["status"] != 2 || w.asked["token"] != 1 {
					t.Errorf("%v after %v:\n%s", r.err, w.asked, r.csv)
				}
				if took := time.Since(began); took < tt.least || took > tt.least+2*time.Second {
					t.Errorf("after %v, want %v", took, tt.least)
				}
			})
			synctest.Test(t, func(t *testing.T) {
				w := newWestcon()
				tt.Calls = 0
				w.troubles = []testserver.Trouble{tt.Trouble}
				r := w.run(t, ask("W", "600014"))
				if r.result.Status != engine.Failed || w.asked["status"] != 5 {
					t.Errorf("%v after %v", r.result.Status, w.asked)
				}
				if r.err == nil || !strings.HasPrefix(r.err.Error(), "westcon.order_status: "+tt.words) {
					t.Errorf("error %v, want %s", r.err, tt.words)
				}
			})
		})
	}
}

// Many orders go in several requests, and outlive their tokens: a token that ends
// early is noticed by its refusal, one whose end is known is replaced before it.
func TestWestconManyOrders(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		life   time.Duration
		grant  map[string]any
		logins int
		status int
	}{
		"for ever":                   {0, map[string]any{"expires_in": "3599"}, 1, 5},
		"ends before it said":        {90 * time.Second, map[string]any{"expires_in": 3599}, 2, 6},
		"ends when it said":          {90 * time.Second, map[string]any{"expires_in": 90}, 2, 5},
		"ends when it said, in text": {90 * time.Second, map[string]any{"expires_in": "90"}, 2, 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWestcon()
				w.life, w.grant, w.took = tt.life, tt.grant, 40*time.Second
				var orders []any
				for i := range 201 {
					orders = append(orders, fmt.Sprint(600014+15*i))
				}
				r := w.run(t, ask("W", orders...))
				if r.err != nil || r.csv != both || len(r.result.Outputs["missing"].([]any)) != 199 {
					t.Errorf("%v:\n%s", r.err, r.csv)
				}
				if w.asked["token"] != tt.logins || w.asked["status"] != tt.status {
					t.Errorf("asked %v", w.asked)
				}
				var sizes []int
				for _, orders := range w.orders {
					sizes = append(sizes, len(orders))
				}
				if !slices.Equal(sizes, []int{50, 50, 50, 50, 1}) {
					t.Errorf("requests of %v orders", sizes)
				}
			})
		})
	}
}

// What is wrong with the inputs is told before anything is sent.
func TestWestconInputs(t *testing.T) {
	t.Parallel()
	for name, inputs := range map[string]map[string]any{
		"no orders":         ask("W"),
		"a blank order":     ask("W", "600014", " \t"),
		"an empty order":    ask("W", ""),
		"a number":          ask("W", 600014),
		"another type":      ask("X", "600014"),
		"a small type":      ask("w", "600014"),
		"no type":           {"orders": []any{"600014"}},
		"a strange tongue":  {"orders": []any{"600014"}, "order_type": "W", "language": "english"},
		"no tongue":         {"orders": []any{"600014"}, "order_type": "W", "language": ""},
		"an unknown input":  {"orders": []any{"600014"}, "order_type": "W", "partner_key": "1"},
		"orders as a whole": {"orders": map[string]any{"a": "600014"}, "order_type": "W"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWestcon()
				if r := w.run(t, inputs); r.err == nil || r.result != nil || len(w.asked) != 0 {
					t.Errorf("%v after %v: %v", r.result, w.asked, r.err)
				}
			})
		})
	}
}

// westconBox is the sandbox over real HTTP, and the project with its patience cut short.
func westconBox(t *testing.T, faults ...string) (box *sandbox.Sandbox, run func(inputs map[string]any) (*engine.Result, error)) {
	t.Helper()
	d, err := sandbox.Load(os.DirFS("../.."), "specs/westcon.sandbox.yaml")
	if err != nil {
		t.Fatal(err)
	}
	box = sandbox.New(d, sandbox.Options{})
	for _, text := range faults {
		f, err := sandbox.ParseFault(text)
		if err == nil {
			err = box.AddFault(f)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(box)
	t.Cleanup(server.Close)
	c, err := d.Connection(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	for _, name := range []string{"specs/westcon.yaml", orderStatus} {
		text, err := os.ReadFile("../../" + name)
		if err != nil {
			t.Fatal(err)
		}
		short := strings.NewReplacer("timeout: 60s", "timeout: 1s", "first: 1s, max: 30s", "first: 1ms, max: 2ms").Replace(string(text))
		files[name] = &fstest.MapFile{Data: []byte(short)}
	}
	p, err := engine.Load(files, engine.Options{Connections: map[string]engine.Connection{
		"westcon": {Vendor: "westcon", BaseURL: c.BaseURL, Config: c.Config},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return box, func(inputs map[string]any) (*engine.Result, error) {
		return p.Run(context.Background(), engine.Request{Pipeline: orderStatus, Inputs: inputs})
	}
}

func TestWestconAgainstItsSandbox(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		inputs       map[string]any
		lines        int
		missing, see string
	}{
		"its numbers":       {ask("W", "600014", "0000600029", "600038", "600047", "1"), 5, "[600047 1]", "1250.500"},
		"customers' own":    {ask("C", "VC REGULAR MFR SN", "0012345", "12345"), 3, "[12345]", "000000000000081204"},
		"nothing is found":  {ask("W", "4711"), 0, "[4711]", "[]"},
		"another language":  {map[string]any{"orders": []any{"600014"}, "order_type": "W", "language": "es"}, 2, "[]", "2024-01-17"},
		"another partner's": {ask("C", "PO-1"), 0, "[PO-1]", "[]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, run := westconBox(t)
			r, err := run(tt.inputs)
			if err != nil {
				t.Fatal(err)
			}
			lines := r.Outputs["lines"].([]any)
			if len(lines) != tt.lines || fmt.Sprint(r.Outputs["missing"]) != tt.missing || !strings.Contains(fmt.Sprint(lines), tt.see) {
				t.Errorf("%v", r.Outputs)
			}
		})
	}
}

// Each kind of fault of the sandbox, once and for ever.
func TestWestconUnderFaults(t *testing.T) {
	t.Parallel()
	for fault, tt := range map[string]struct {
		calls map[string]int
		fails string // "": it goes well
	}{
		"lose_request:status:1":  {map[string]int{"login": 1, "status": 2}, ""},
		"lose_request:status":    {map[string]int{"login": 1, "status": 5}, "westcon.order_status: unknown: the connection was lost"},
		"lose_request:login:1":   {map[string]int{"login": 2, "status": 1}, ""},
		"lose_request:login":     {map[string]int{"login": 5}, "westcon.order_status: busy: cannot log in to westcon: cannot reach 127.0.0.1"},
		"lose_answer:status:1":   {map[string]int{"login": 1, "status": 2}, ""},
		"lose_answer:login:1-2":  {map[string]int{"login": 3, "status": 1}, ""},
		"delay=1500ms:status:1":  {map[string]int{"login": 1, "status": 2}, ""},
		"delay=1500ms:login:1":   {map[string]int{"login": 2, "status": 1}, ""},
		"delay=5ms":              {map[string]int{"login": 1, "status": 1}, ""},
		"status=500:status:1-4":  {map[string]int{"login": 1, "status": 5}, ""},
		"status=500:status":      {map[string]int{"login": 1, "status": 5}, "westcon.order_status: unknown: "},
		"status=429/1s:status:1": {map[string]int{"login": 1, "status": 2}, ""},
		"status=429:login:1-4":   {map[string]int{"login": 5, "status": 1}, ""},
		"status=403:status":      {map[string]int{"login": 1, "status": 1}, "westcon.order_status: denied: "},
		"status=401:status":      {map[string]int{"login": 2, "status": 2}, "westcon.order_status: auth: "},
		"status=401:login":       {map[string]int{"login": 1}, "westcon.order_status: auth: cannot log in to westcon: 127.0.0.1"},
		"truncate:status:1":      {map[string]int{"login": 1, "status": 2}, ""},
		"truncate:status":        {map[string]int{"login": 1, "status": 5}, "westcon.order_status: unknown: the answer broke off"},
		"truncate:login:1":       {map[string]int{"login": 2, "status": 1}, ""},
		"garbage:status:1-2":     {map[string]int{"login": 1, "status": 3}, ""},
		"garbage:status":         {map[string]int{"login": 1, "status": 5}, "westcon.order_status: unknown: "},
		"garbage:login:1":        {map[string]int{"login": 2, "status": 1}, ""},
		"expire:status:1":        {map[string]int{"login": 2, "status": 2}, ""},
		"expire:status:1-2":      {map[string]int{"login": 2, "status": 2}, "westcon.order_status: auth: Unauthorized. Access token is missing or invalid."},
		"status=503/1s:status:1": {map[string]int{"login": 1, "status": 2}, ""},
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			box, run := westconBox(t, fault)
			r, err := run(ask("W", "600014", "5"))
			if got := box.Stats().Calls; fmt.Sprint(got) != fmt.Sprint(tt.calls) {
				t.Errorf("calls %v, want %v", got, tt.calls)
			}
			switch {
			case tt.fails != "":
				if r.Status != engine.Failed || err == nil || !strings.HasPrefix(err.Error(), tt.fails) {
					t.Errorf("%v, want %s", err, tt.fails)
				}
			case err != nil || len(r.Outputs["lines"].([]any)) != 2:
				t.Errorf("%v: %v", err, r.Outputs)
			}
		})
	}
}

// The sandbox is as strict as the document, so that a wrong vendor file fails against it.
func TestWestconSandboxRefuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ config, value, want string }{
		"client":           {"client_id", "nobody", "auth: cannot log in to westcon: %s: AADSTS700016: The application was not found in the directory. (unauthorized_client)"},
		"secret":           {"client_secret", "wrong", "auth: cannot log in to westcon: %s: AADSTS7000215: Invalid client secret provided. (invalid_client)"},
		"resource":         {"resource", "wrong", "auth: cannot log in to westcon: %s: AADSTS500011: The resource principal was not found in the tenant. (invalid_resource)"},
		"subscription key": {"subscription_key", "wrong", "denied: Access denied due to invalid subscription key. Make sure to provide a valid key for an active subscription."},
		"partner key":      {"partner_key", "wrong", "denied: The partner key is not valid"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, err := sandbox.Load(os.DirFS("../.."), "specs/westcon.sandbox.yaml")
			if err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(sandbox.New(d, sandbox.Options{}))
			defer server.Close()
			c, err := d.Connection(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			c.Config[tt.config] = tt.value
			p, err := engine.Load(os.DirFS("../.."), engine.Options{
				Paths:       []string{orderStatus},
				Connections: map[string]engine.Connection{"westcon": {Vendor: "westcon", BaseURL: c.BaseURL, Config: c.Config}},
			})
			if err != nil {
				t.Fatal(err)
			}
			_, err = p.Run(context.Background(), engine.Request{Pipeline: orderStatus, Inputs: ask("W", "600014")})
			login, _ := strings.CutPrefix(fmt.Sprint(c.Config["login_url"]), "http://")
			want := "westcon.order_status: " + strings.Replace(tt.want, "%s", login, 1) + ""
			if err == nil || err.Error() != want {
				t.Errorf("error\n%v\nwant\n%s", err, want)
			}
		})
	}
}
