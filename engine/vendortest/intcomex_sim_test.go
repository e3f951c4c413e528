package vendortest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/seed627bd532/runner/engine/internal/testserver"
	"github.com/seed627bd532/runner/engine/state"
)

// An icp is the Intcomex platform as one reading of its guide has it. It owes
// nothing to the vendor file or to its sandbox, so that a misreading there
// shows. It is strict about requests: whatever the guide does not show is a
// complaint.
type icp struct {
	reading

	mu         sync.Mutex
	companies  []company
	sessions   map[string]*icpSession
	asked      map[string]int            // calls that reached a service, by name
	created    map[string]int            // companies made, by VAT ID
	sent       map[string]map[string]any // the last create, by VAT ID
	complaints []string
	dials      int
	nextID     int64
	client     *http.Client
	state      state.Store // of all runs against it; nil: each has its own

	market // tenants, products and invoices
}

type company map[string]any

type icpSession struct {
	born  time.Time
	calls int
}

// A reading is what the guide leaves open, or what servers do without a guide.
type reading struct {
	username, password string
	tokenHeader        string
	token              func(n int) string // the n-th token, from 1
	sessionCalls       func(n int) int    // calls that the n-th session lives for; nil or 0: for ever
	sessionLife        time.Duration      // 0: for ever

	badLogin  testserver.Reply
	noSession testserver.Reply
	pingAlive testserver.Reply
	pingDead  *testserver.Reply // nil: as noSession
	nothing   testserver.Reply  // GetCompanyByVatId finds nobody
	matches   func(have any, want string) bool

	duplicate  *testserver.Reply // of a VAT ID that is there; nil: it makes a second company
	refuse     func(c map[string]any) *testserver.Reply
	createdAs  int                                       // the status of a creation
	demandAll  bool                                      // a create has all members of the guide's sample
	render     func(c company) company                   // how a company is shown
	wire       func(r testserver.Reply) testserver.Reply // how any answer is put on the wire
	troubles   []testserver.Trouble
	refuseDial int // how many connections are refused first
}

// newICP returns the most natural reading: nothing goes wrong.
func newICP(companies ...company) *icp {
	v := &icp{
		companies: companies,
		sessions:  map[string]*icpSession{},
		asked:     map[string]int{},
		created:   map[string]int{},
		sent:      map[string]map[string]any{},
		nextID:    221863,
	}
	v.reading = reading{
		username:    "reseller@example.com",
		password:    icpPassword,
		tokenHeader: "Token",
		token: func(n int) string {
			return fmt.Sprintf("d7uRTX97TGgmnik4CSXEa5WI/zltpEcaXYY34fxeTwxrXqZsPp+0uhZX/%dH4PgIHTFR2cJXOUVwKC5bOmbtTaSuonZFTqrwM7SzSGAthLr9LusvKXc=", n)
		},
		badLogin:  testserver.Plain(401, "Invalid username or password."),
		noSession: testserver.Plain(401, "Session is not active."),
		pingAlive: testserver.Reply{Status: 200},
		nothing:   testserver.AsJSON(200, "[]"),
		matches:   func(have any, want string) bool { return have == want },
		createdAs: 200,
		render:    func(c company) company { return c },
		wire:      func(r testserver.Reply) testserver.Reply { return r },
	}
	v.market = newMarket()
	return v
}

// A value that is not in any other text, with all that encodings change.
const icpPassword = `p&ss"wörd/+ 4711<%>`

// start serves the platform over pipes, so that it lives in a synctest bubble.
func (v *icp) start() (stop func()) {
	l, end := testserver.ServePipes(v)
	transport := &http.Transport{MaxIdleConnsPerHost: 64, DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		v.mu.Lock()
		v.dials++
		refused := v.dials <= v.refuseDial
		v.mu.Unlock()
		if refused {
			return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
		}
		return l.Dial(ctx, network, addr)
	}}
	v.client = &http.Client{Transport: transport}
	return func() {
		transport.CloseIdleConnections()
		end()
	}
}

func (v *icp) complain(format string, args ...any) {
	v.complaints = append(v.complaints, fmt.Sprintf(format, args...))
}

func (v *icp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	service := strings.TrimPrefix(r.URL.Path, "/")
	v.mu.Lock()
	if err != nil {
		v.complain("%s: body: %v", service, err)
	}
	v.asked[service]++
	t := testserver.Befalling(v.troubles, service, v.asked[service])
	var answer testserver.Reply
	if t == nil || t.Worked {
		answer = v.serve(service, r, body)
	}
	v.mu.Unlock()
	answer.Put(w, r, t)
}

// serve does the work of one call.
func (v *icp) serve(service string, r *http.Request, body []byte) testserver.Reply {
	if r.Method != http.MethodPost {
		v.complain("%s: method %s", service, r.Method)
		return testserver.Plain(405, "The requested resource does not support http method '"+r.Method+"'.")
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		v.complain("%s: content type %q", service, r.Header.Get("Content-Type"))
		return testserver.Plain(415, "Unsupported media type")
	}
	if r.URL.RawQuery != "" {
		v.complain("%s: query %q", service, r.URL.RawQuery)
	}
	if service == "GetSessionToken" {
		return v.login(r, body)
	}
	if !v.alive(r.Header.Get(v.tokenHeader)) {
		if service == "PingPong" && v.pingDead != nil {
			return *v.pingDead
		}
		return v.noSession
	}
	switch service {
	case "PingPong":
		if got := strings.TrimSpace(string(body)); got != "{}" {
			v.complain("PingPong: body %q", got)
		}
		return v.pingAlive
	case "GetCompanies":
		var in struct {
			ParentAccountID *int64 `json:"parentAccountId"`
		}
		if !v.read(service, body, &in) || in.ParentAccountID == nil {
			return testserver.Plain(400, "parentAccountId is missing")
		}
		return v.list(func(c company) bool { return c["ParentAccountId"] == *in.ParentAccountID }, testserver.AsJSON(200, "[]"))
	case "GetCompany":
		var in struct {
			AccountID *int64 `json:"accountId"`
		}
		if !v.read(service, body, &in) || in.AccountID == nil {
			return testserver.Plain(400, "accountId is missing")
		}
		for _, c := range v.companies {
			if c["AccountId"] == *in.AccountID {
				return v.wire(testserver.AsJSON(200, v.show(c)))
			}
		}
		return testserver.Plain(404, "Company not found")
	case "GetCompanyByVatId":
		var in struct {
			VatID *string `json:"vatId"`
		}
		if !v.read(service, body, &in) || in.VatID == nil {
			return testserver.Plain(400, "vatId is missing")
		}
		return v.list(func(c company) bool { return v.matches(c["VATID"], *in.VatID) }, v.nothing)
	case "CreateCompany":
		return v.create(body)
	}
	if answer := v.subscribe(service, body); answer != nil {
		return v.wire(*answer)
	}
	v.complain("no service %s", service)
	return testserver.Plain(404, "No HTTP resource was found that matches the request URI.")
}

// read decodes a request whose members are exactly those of in.
func (v *icp) read(service string, body []byte, in any) bool {
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(body, &keys); err != nil {
		v.complain("%s: %v in %s", service, err, body)
		return false
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(in); err != nil {
		v.complain("%s: %v in %s", service, err, body)
		return false
	}
	// encoding/json folds case, the platform need not.
	want, _ := json.Marshal(in)
	var known map[string]json.RawMessage
	_ = json.Unmarshal(want, &known)
	for k := range keys {
		if _, ok := known[k]; !ok {
			v.complain("%s: unknown member %s", service, k)
			return false
		}
	}
	return true
}

func (v *icp) login(r *http.Request, body []byte) testserver.Reply {
	var in struct {
		Username string `json:"username"`
		Password string `json:"password"`
	}
	if !v.read("GetSessionToken", body, &in) {
		return testserver.Plain(400, "bad request")
	}
	if r.Header.Get(v.tokenHeader) != "" {
		v.complain("GetSessionToken: it needs no token, and got one")
	}
	if in.Username != v.username || in.Password != v.password {
		return v.badLogin
	}
	token := v.token(len(v.sessions) + 1)
	v.sessions[token] = &icpSession{born: time.Now()}
	text, _ := json.Marshal(token)
	return v.wire(testserver.AsJSON(200, string(text)))
}

func (v *icp) alive(token string) bool {
	s := v.sessions[token]
	if s == nil {
		return false
	}
	s.calls++
	if v.sessionLife > 0 && time.Since(s.born) >= v.sessionLife {
		return false
	}
	if v.sessionCalls == nil {
		return true
	}
	for n := 1; n <= len(v.sessions); n++ {
		if v.token(n) == token {
			limit := v.sessionCalls(n)
			return limit == 0 || s.calls <= limit
		}
	}
	return true
}

func (v *icp) show(c company) string {
	text, err := json.Marshal(v.render(maps.Clone(c)))
	if err != nil {
		panic(err)
	}
	return string(text)
}

func (v *icp) list(match func(company) bool, nothing testserver.Reply) testserver.Reply {
	var shown []string
	for _, c := range v.companies {
		if match(c) {
			shown = append(shown, v.show(c))
		}
	}
	if len(shown) == 0 {
		return v.wire(nothing)
	}
	return v.wire(testserver.AsJSON(200, "["+strings.Join(shown, ",\n  ")+"]"))
}

// createMembers are the members of the guide's sample, with their types there.
var createMembers = map[string]any{
	"Address": "", "City": "", "CompanyName": "", "ContractId": "", "Country": "", "CrefoNumber": "", "CustomerId": "",
	"Domain": []string{}, "Email": "", "Marketplaces": []int64{}, "ParentAccountId": int64(0), "VATID": "", "Zip": "",
}

func (v *icp) create(body []byte) testserver.Reply {
	var in struct {
		CompanyAccount map[string]json.RawMessage `json:"companyAccount"`
	}
	if !v.read("CreateCompany", body, &in) {
		return testserver.Plain(400, "bad request")
	}
	c := company{}
	for _, name := range slices.Sorted(maps.Keys(in.CompanyAccount)) {
		value, err := decodeMember(name, in.CompanyAccount[name])
		if err != nil {
			v.complain("CreateCompany: %s: %v", name, err)
			return testserver.Plain(400, "The request is invalid: "+name)
		}
		c[name] = value
	}
	for _, name := range slices.Sorted(maps.Keys(createMembers)) {
		optional := name == "ContractId" || name == "CrefoNumber" || name == "CustomerId"
		if _, given := c[name]; !given && (v.demandAll || !optional) {
			v.complain("CreateCompany: %s is missing", name)
			return testserver.Plain(400, name+" is missing")
		}
	}
	vat := c["VATID"].(string)
	v.sent[vat] = maps.Clone(c)
	if v.refuse != nil {
		if refusal := v.refuse(c); refusal != nil {
			return *refusal
		}
	}
	if v.duplicate != nil && slices.ContainsFunc(v.companies, func(old company) bool { return old["VATID"] == vat }) {
		return *v.duplicate
	}
	c["AccountId"] = v.nextID
	c["AccountState"] = "Active"
	c["BillingStartDate"] = "2020-05-20T18:40:28.243"
	c["Currency"] = "USD"
	c["Marketplace"] = int64(0)
	c["AccountType"] = "Company"
	c["NumericId"] = strconv.FormatInt(v.nextID%1000000, 10)
	c["BankDetails"] = map[string]any{"TermsOfPayment": "14 Days"}
	c["Language"] = "Spanish"
	v.nextID++
	v.companies = append(v.companies, c)
	v.created[vat]++
	return v.wire(testserver.AsJSON(v.createdAs, v.show(c)))
}

func decodeMember(name string, text json.RawMessage) (any, error) {
	sample, known := createMembers[name]
	if !known {
		return nil, errors.New("unknown member")
	}
	if string(text) == "null" {
		return nil, errors.New("null")
	}
	switch sample.(type) {
	case string:
		var s string
		err := json.Unmarshal(text, &s)
		return s, err
	case int64:
		var n int64
		err := json.Unmarshal(text, &n)
		return n, err
	case []string:
		var l []string
		err := json.Unmarshal(text, &l)
		return l, err
	default:
		var l []int64
		err := json.Unmarshal(text, &l)
		return l, err
	}
}

// existing returns a company that looks like the guide's samples: not all
// members are there.
func existing(id int64, vat any, name string) company {
	return company{
		"ParentAccountId": int64(100407), "AccountId": id, "AccountState": "Active", "CompanyName": name, "VATID": vat,
		"Domain": []string{"bancodeahorro.onmicrosoft.com"}, "BillingStartDate": "2017-02-26T18:55:29.53", "ContractId": "null",
		"Currency": "USD", "Address": "AV. BOLIVAR", "City": "GAZCUE", "Country": "Saint Barthelemy", "Zip": "FL 02",
		"Email": "contact@example.com", "Marketplace": int64(67), "Marketplaces": []int64{67}, "AccountType": "Company",
		"NumericId": "700189", "Language": "English",
	}
}
