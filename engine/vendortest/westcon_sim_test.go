package vendortest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"github.com/seed627bd532/runner/engine/internal/testserver"
	"io"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	westconAPI   = "http://api.westcon.example"
	westconLogin = "http://login.example:8443/tenant-4711/oauth2/token"

	// The texts have what a form writes in another way; no text holds another one.
	westconID      = "3a5d1e48-2c97-4b1f"
	westconSecret  = `GpR+7d&B.z/q%31=X.u*5:J "ñ;2nR`
	westconFor     = "e41b20f9-b7d3-4c07"
	westconKey     = "bb0c5f7e21d94a36b8e04d91c7f3a268"
	westconPartner = "0004711003"
)

// A westcon is the vendor as one reading of its document has it: a login at one
// address, and the service at another. It owes nothing to the vendor file or to
// its sandbox. Whatever the document does not show is a complaint.
type westcon struct {
	westconReading

	mu         sync.Mutex
	lines      []map[string]any
	tokens     map[string]time.Time // when each was given
	asked      map[string]int       // requests to "token" and "status"
	orders     [][]string           // of each request for a status that was answered
	complaints []string
}

// A westconReading is what the document leaves open.
type westconReading struct {
	secret, key string
	life        time.Duration // of tokens; 0: for ever
	calls       int           // that each token is good for; 0: any number
	grant       map[string]any
	noToken     testserver.Reply
	badLogin    testserver.Reply
	badKey      testserver.Reply
	render      func(line map[string]any) map[string]any
	put         func(lines []map[string]any) testserver.Reply
	wire        func(testserver.Reply) testserver.Reply // how any answer is put on the wire
	troubles    []testserver.Trouble
	took        time.Duration // each status
}

func newWestcon() *westcon {
	line := func(order, number, customer, product, quantity, code, status, shipped, bill string) map[string]any {
		return map[string]any{
			"eRPOrderNumber": order, "eRPOrderLineNumber": number, "customerOrderNumber": customer, "customerLineNumber": "",
			"eRPProductNumber": product, "lineQuantity": quantity, "unitOfMeasure": "EA", "lineStatusCode": code,
			"lineStatusDescription": status, "statusDate": "20260131", "shipDate": shipped, "billingDocument": bill, "parentERPLine": "000000",
		}
	}
	w := &westcon{tokens: map[string]time.Time{}, asked: map[string]int{}, lines: []map[string]any{
		line("0000600014", "000010", "Rb1-03", "T000123", " 2.000", "INV", "Invoiced", "20260130", "012345670"),
		line("0000600014", "000020", "Rb1-03", "T9", " 1250.50", "INV", "Invoiced", "00000000", ""),
		line("0000600029", "000010", "VC REGULAR MFR SN", "U-U", "1", "SHI", "Shipped", "", ""),
	}}
	w.westconReading = westconReading{
		secret: westconSecret, key: westconKey,
		grant:    map[string]any{"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599},
		noToken:  testserver.AsJSON(401, `{"statusCode": 401, "message": "Unauthorized. Access token is missing or invalid."}`),
		badLogin: testserver.AsJSON(401, `{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret is provided.","error_codes":[7000215]}`),
		badKey:   testserver.AsJSON(401, `{"statusCode": 401, "message": "Access denied due to invalid subscription key. Make sure to provide a valid key for an active subscription."}`),
		render:   func(line map[string]any) map[string]any { return line },
		put: func(lines []map[string]any) testserver.Reply {
			text, _ := json.Marshal(map[string]any{"MT_OrderStatus_Response": lines})
			return testserver.AsJSON(200, string(text))
		},
		wire: func(r testserver.Reply) testserver.Reply { return r },
	}
	return w
}

// start serves both addresses over pipes, so that they live in a synctest bubble.
func (w *westcon) start() (client *http.Client, stop func()) {
	hosts := map[string]*testserver.Pipes{}
	var ends []func()
	for host, handler := range map[string]http.HandlerFunc{"login.example:8443": w.serveLogin, "api.westcon.example:80": w.serveAPI} {
		l, end := testserver.ServePipes(handler)
		hosts[host], ends = l, append(ends, end)
	}
	transport := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		l := hosts[addr]
		if l == nil {
			w.complain("nobody should call %s", addr)
			return nil, &net.DNSError{Err: "no such host", Name: addr, IsNotFound: true}
		}
		return l.Dial(ctx, network, addr)
	}}
	return &http.Client{Transport: transport}, func() {
		transport.CloseIdleConnections()
		for _, end := range ends {
			end()
		}
	}
}

func (w *westcon) complain(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.complaints = append(w.complaints, fmt.Sprintf(format, args...))
}

func (w *westcon) serveLogin(rw http.ResponseWriter, r *http.Request) {
	w.answer(rw, r, "token", func(body string) testserver.Reply {
		if r.Method != http.MethodPost || r.URL.Path != "/tenant-4711/oauth2/token" || r.URL.RawQuery != "" {
			w.complain("login: %s %s", r.Method, r.URL)
		}
		if got := r.Header.Get("Content-Type"); got != "application/x-www-form-urlencoded" {
			w.complain("login: content type %q", got)
		}
		if r.Header.Get("Authorization") != "" || r.Header.Get("Ocp-Apim-Subscription-Key") != "" {
			w.complain("login: credentials of the service")
		}
		if strings.ContainsAny(body, " \"ñ:/") {
			w.complain("login: the form is not escaped")
		}
		form, err := url.ParseQuery(body)
		want := url.Values{"grant_type": {"client_credentials"}, "client_id": {westconID}, "client_secret": {w.secret}, "resource": {westconFor}}
		if err != nil || !reflect.DeepEqual(form, want) {
			return w.badLogin
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		token := fmt.Sprintf("eyJ0eXAi.eyJhdWQi.s1gn-%d_x", len(w.tokens)+1)
		w.tokens[token] = time.Now()
		grant := map[string]any{"access_token": token}
		for name, v := range w.grant {
			grant[name] = v
		}
		text, _ := json.Marshal(grant)
		return testserver.AsJSON(200, string(text))
	})
}

func (w *westcon) serveAPI(rw http.ResponseWriter, r *http.Request) {
	w.answer(rw, r, "status", func(body string) testserver.Reply {
		if r.Method != http.MethodPost || r.URL.Path != "/Orders/orderStatus" || r.URL.RawQuery != "" {
			w.complain("status: %s %s", r.Method, r.URL)
			return testserver.AsJSON(404, `{"statusCode": 404, "message": "Resource not found"}`)
		}
		if got := r.Header.Get("Content-Type"); got != "application/json" {
			w.complain("status: content type %q", got)
		}
		if r.Header.Get("Ocp-Apim-Subscription-Key") != w.key {
			return w.badKey
		}
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !w.good(token) {
			return w.noToken
		}
		return w.status(body)
	})
}

func (w *westcon) good(token string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	given, known := w.tokens[token]
	w.asked[token]++
	return known && (w.life == 0 || time.Since(given) < w.life) && (w.calls == 0 || w.asked[token] <= w.calls)
}

func (w *westcon) status(body string) testserver.Reply {
	var whole map[string]map[string]any
	if err := json.Unmarshal([]byte(body), &whole); err != nil || len(whole) != 1 || len(whole["mT_OrderStatus_API_REQ"]) != 4 {
		w.complain("status: body %s", body)
		return testserver.AsJSON(400, `{"statusCode": 400, "message": "Bad request"}`)
	}
	asked := whole["mT_OrderStatus_API_REQ"]
	if asked["partnerKey"] != westconPartner || asked["language"] != "EN" {
		w.complain("status: body %s", body)
	}
	var orders []string
	for _, order := range asked["order"].([]any) {
		orders = append(orders, order.(string))
	}
	found := []map[string]any{}
	for _, line := range w.lines {
		name := strings.TrimLeft(line["eRPOrderNumber"].(string), "0")
		customer := line["customerOrderNumber"]
		if slices.ContainsFunc(orders, func(order string) bool {
			return asked["orderType"] == "W" && strings.TrimLeft(order, "0") == name || asked["orderType"] == "C" && order == customer
		}) {
			shown := map[string]any{}
			for member, v := range line {
				shown[member] = v
			}
			found = append(found, w.render(shown))
		}
	}
	w.mu.Lock()
	w.orders = append(w.orders, orders)
	w.mu.Unlock()
	time.Sleep(w.took) // in the time of the bubble
	return w.put(found)
}

// answer puts what do returns on the wire, or a trouble in its place.
func (w *westcon) answer(rw http.ResponseWriter, r *http.Request, service string, do func(body string) testserver.Reply) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.complain("%s: body: %v", service, err)
	}
	w.mu.Lock()
	w.asked[service]++
	t := testserver.Befalling(w.troubles, service, w.asked[service])
	w.mu.Unlock()
	var answer testserver.Reply
	if t == nil || t.Worked {
		answer = w.wire(do(string(body)))
	}
	answer.Put(rw, r, t)
}
