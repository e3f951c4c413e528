package sandbox

import (
	"encoding/json"
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

// These tests hold the Intcomex sandbox against the vendor's guide: raw
// requests as its tables print them, and the answers beside them.

// ask sends a body to a service of the sandbox and returns status and text.
func ask(t *testing.T, box *Sandbox, token, service, body string) (int, string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, service, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Token", token)
	}
	w := httptest.NewRecorder()
	box.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func intcomex(t *testing.T) (box *Sandbox, token string) {
	t.Helper()
	def, err := Load(os.DirFS("../.."), "specs/intcomex.sandbox.yaml")
	if err != nil {
		t.Fatal(err)
	}
	box = New(def, Options{})
	status, text := ask(t, box, "", "/GetSessionToken", `{"username": "demo", "password": "demo-password"}`)
	if status != 200 {
		t.Fatalf("login: got %d %s", status, text)
	}
	if err := json.Unmarshal([]byte(text), &token); err != nil {
		t.Fatalf("the token is no JSON string: %s", text)
	}
	return box, token
}

const demoReseller = `{"ParentAccountId":100074,"AccountId":100407,"AccountState":"Active","CompanyName":"DEMO RESELLER",` +
	`"VATID":"XUS4907CSP","Domain":["cecomsa.com","demo.bi"],"BillingStartDate":"2017-02-24T08:56:09.727","CustomerId":"4907",` +
	`"Currency":"USD","Address":"Nueva Direccion","City":"SANTIAGO DE LOS CABALLEROS","Country":"Dominican Republic","Zip":"51000",` +
	`"Email":"contact@example.com","Marketplace":32,"Marketplaces":[32,30],"MPNId":"2498623","AccountType":"Reseller",` +
	`"NumericId":"700087","BankDetails":{"TermsOfPayment":"14 Days"},"Language":"Spanish"}`

func TestIntcomexAnswersAsItsGuideSays(t *testing.T) {
	t.Parallel()
	box, token := intcomex(t)
	for _, test := range []struct {
		name, service, body string
		status              int
		text                string
	}{
		{"an active session answers nothing", "/PingPong", `{}`, 200, ""},
		{"one company by account", "/GetCompany", `{"accountId": 100407}`, 200, demoReseller},
		{"a list by VAT ID", "/GetCompanyByVatId", `{"vatId": "XUS4907CSP"}`, 200, "[" + demoReseller + "]"},
		{"an empty list for an unknown VAT ID", "/GetCompanyByVatId", `{"vatId": "xus4907csp"}`, 200, "[]"},
		{"all children of a parent", "/GetCompanies", `{"parentAccountId": 100074}`, 200, "[" + demoReseller + "]"},
		{"no children", "/GetCompanies", `{"parentAccountId": 1}`, 200, "[]"},
		{"an id as text is another value", "/GetCompanies", `{"parentAccountId": "100074"}`, 200, "[]"},
		{"an unknown account", "/GetCompany", `{"accountId": 1}`, 404, "There is no company with this account"},
		{"a misspelt parameter", "/GetCompanyByVatId", `{"vatID": "XUS4907CSP"}`, 400, "vatId is required"},
	} {
		if status, text := ask(t, box, token, test.service, test.body); status != test.status || text != test.text {
			t.Errorf("%s\n got %d %s\nwant %d %s", test.name, status, text, test.status, test.text)
		}
	}
}

// create is the guide's sample, with a VAT ID.
const create = `{"companyAccount": {"Address": "RB API Street", "City": "API City", "CompanyName": "RB API Ltd.", "ContractId": "", ` +
	`"Country": "Bermuda", "CrefoNumber": "", "CustomerId": "", "Domain": ["rbapi.api"], "Email": "info@rbapi.com", ` +
	`"Marketplaces": [67], "ParentAccountId": 100407, "VATID": "BM-1", "Zip": "51000"}}`

func TestIntcomexCreatesCompanies(t *testing.T) {
	t.Parallel()
	box, token := intcomex(t)
	const created = `{"ParentAccountId":100407,"AccountId":221863,"AccountState":"Active","CompanyName":"RB API Ltd.","VATID":"BM-1",` +
		`"Domain":["rbapi.api"],"BillingStartDate":"2020-05-20T18:40:28.243","CustomerId":"","Currency":"USD","Address":"RB API Street",` +
		`"City":"API City","Country":"Bermuda","Zip":"51000","Email":"info@rbapi.com","Marketplace":0,"Marketplaces":[67],"CrefoNumber":"",` +
		`"AccountType":"Company","NumericId":"720686","BankDetails":{"TermsOfPayment":"14 Days"},"Language":"Spanish"}`
	if status, text := ask(t, box, token, "/CreateCompany", create); status != 200 || text != created {
		t.Errorf("\n got %d %s\nwant 200 %s", status, text, created)
	}
	if _, text := ask(t, box, token, "/GetCompanyByVatId", `{"vatId": "BM-1"}`); text != "["+created+"]" {
		t.Errorf("what was created is not found again: %s", text)
	}
	// The vendor does not mind a second company with the same VAT ID; we do.
	if _, text := ask(t, box, token, "/CreateCompany", create); !strings.Contains(text, `"AccountId":221864`) {
		t.Errorf("the second company has no account of its own: %s", text)
	}
	if got := fmt.Sprint(box.Stats().Creates); got != "map[create:map[BM-1:2]]" {
		t.Errorf("creates: got %s", got)
	}
}

func TestIntcomexLeavesOutWhatWasNotSent(t *testing.T) {
	t.Parallel()
	box, token := intcomex(t)
	body := strings.NewReplacer(`"ContractId": "", `, `"ContractId": "C-1", `, `"CrefoNumber": "", "CustomerId": "", `, "").Replace(create)
	_, text := ask(t, box, token, "/CreateCompany", body)
	if !strings.Contains(text, `"ContractId":"C-1"`) || strings.Contains(text, "CrefoNumber") || strings.Contains(text, "CustomerId") {
		t.Errorf("got %s", text)
	}
}

func TestIntcomexRefusesBadCreates(t *testing.T) {
	t.Parallel()
	box, token := intcomex(t)
	for _, test := range []struct{ from, to, text string }{
		{`"companyAccount"`, `"company"`, "companyAccount is required"},
		{`"Zip": "51000"`, `"ZIP": "51000"`, "Zip is required"},
		{`"CompanyName": "RB API Ltd."`, `"CompanyName": " "`, "CompanyName is required"},
		{`"Marketplaces": [67]`, `"Marketplaces": []`, "Domain and Marketplaces must not be empty"},
	} {
		status, text := ask(t, box, token, "/CreateCompany", strings.Replace(create, test.from, test.to, 1))
		if status != 400 || text != test.text {
			t.Errorf("%s: got %d %s, want 400 %s", test.to, status, text, test.text)
		}
	}
	if made := box.Stats().Creates; len(made) != 0 {
		t.Errorf("refused creates are counted: %v", made)
	}
}

func TestIntcomexKnowsRoles(t *testing.T) {
	t.Parallel()
	box, _ := intcomex(t)
	_, text := ask(t, box, "", "/GetSessionToken", `{"username": "reader", "password": "reader"}`)
	var token string
	if err := json.Unmarshal([]byte(text), &token); err != nil {
		t.Fatal(err)
	}
	if status, _ := ask(t, box, token, "/GetCompany", `{"accountId": 100407}`); status != 200 {
		t.Errorf("a read-only user cannot read: %d", status)
	}
	if status, text := ask(t, box, token, "/CreateCompany", create); status != 403 || text != "The role of the user does not allow this action" {
		t.Errorf("got %d %s", status, text)
	}
}

func TestIntcomexSessions(t *testing.T) {
	t.Parallel()
	const dead = "The session is not active"
	if status, text := ask(t, first(intcomex(t)), "", "/GetSessionToken", `{"username": "demo", "password": "Demo-Password"}`); status != 401 || text != "The user name or the password is not correct" {
		t.Errorf("wrong password: got %d %s", status, text)
	}
	synctest.Test(t, func(t *testing.T) {
		box, token := intcomex(t)
		expect := func(when, token string, ping string, status int) {
			t.Helper()
			if got, text := ask(t, box, token, "/PingPong", `{}`); got != 200 || text != ping {
				t.Errorf("%s: PingPong answers %d %q, want 200 %q", when, got, text, ping)
			}
			if got, _ := ask(t, box, token, "/GetCompany", `{"accountId": 100407}`); got != status {
				t.Errorf("%s: GetCompany answers %d, want %d", when, got, status)
			}
		}
		expect("without token", "", dead, 401)
		expect("with quotes", `"`+token+`"`, dead, 401)
		expect("without its prefix", strings.TrimPrefix(token, "<token> "), dead, 401)
		expect("at once", token, "", 200)
		time.Sleep(20*time.Minute - time.Second)
		expect("before its end", token, "", 200)
		time.Sleep(time.Second)
		expect("after its end", token, dead, 401)
	})
}

func first(box *Sandbox, _ string) *Sandbox { return box }

func TestIntcomexSessionsExpireOnDemand(t *testing.T) {
	t.Parallel()
	box, token := intcomex(t)
	lay(t, box, "expire:find:2")
	for i, want := range []int{200, 401, 401} {
		if status, text := ask(t, box, token, "/GetCompanyByVatId", `{"vatId": "EMPTY"}`); status != want {
			t.Errorf("call %d: got %d %s, want %d", i+1, status, text, want)
		}
	}
}

func TestIntcomexTokenPassesThroughARealHeader(t *testing.T) {
	t.Parallel()
	box, token := intcomex(t)
	server := httptest.NewServer(box)
	defer server.Close()
	r, _ := http.NewRequest(http.MethodPost, server.URL+"/PingPong", strings.NewReader("{}"))
	r.Header.Set("Token", token)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if text, err := io.ReadAll(res.Body); err != nil || len(text) != 0 {
		t.Errorf("got %q, %v", text, err)
	}
}
