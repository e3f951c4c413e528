package sandbox

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/call"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/project"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// These tests hold specs/intcomex.yaml against the sandbox, which was written
// from the vendor's guide and not from the spec, and against answers that the
// guide leaves open.

func intcomexSpec(t *testing.T) *catalog.Vendor {
	t.Helper()
	p, faults := project.Load(os.DirFS("../.."), "specs/intcomex.yaml")
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	return p.LoadedVendor("intcomex")
}

// caller calls the vendor at base as the engine would.
type caller struct {
	t    *testing.T
	spec *catalog.Vendor
	exec *call.Executor
}

func callerOf(t *testing.T, base, password string) *caller {
	t.Helper()
	spec := intcomexSpec(t)
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	config, bad := spec.Config.Bind(value.ObjectOf("username", "demo", "password", password))
	if bad != nil {
		t.Fatal(bad)
	}
	return &caller{t, spec, call.New(call.Options{Connections: map[string]*call.Connection{
		"intcomex": {Name: "intcomex", Vendor: spec, BaseURL: u, Config: config},
	}})}
}

func (c *caller) call(operation string, inputs *value.Object) flow.Result {
	c.t.Helper()
	op := c.spec.Operation(operation)
	bound, bad := op.Inputs.Bind(inputs)
	if bad != nil {
		c.t.Fatal(bad)
	}
	res, err := c.exec.Do(c.t.Context(), flow.CallRequest{
		Key: "step", CallKey: "step", Connection: "intcomex", Operation: operation,
		Inputs: bound, Effect: op.Effect, RunID: "run",
	}, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	return res
}

// newcomer are the inputs of a create with these marks of their own.
func newcomer(vatID string) *value.Object {
	return value.ObjectOf(
		"vat_id", vatID, "name", ` "Café" 'Niño' `, "address", "Av. 1", "city", "Lima", "country", "Peru", "zip", "00001",
		"email", "info@example.com", "domains", value.List{"example.com"}, "parent_account_id", int64(100407),
		"marketplaces", value.List{int64(67)}, "customer_id", "007",
	)
}

func TestIntcomexSpecFitsTheSandbox(t *testing.T) {
	t.Parallel()
	box, _ := intcomex(t)
	server := httptest.NewServer(box)
	defer server.Close()
	c := callerOf(t, server.URL, "demo-password")

	made := c.call("create_company", newcomer("PE-1"))
	if made.Outcome != flow.OK || made.Outputs.At("account_id") != int64(221863) {
		t.Fatalf("create: got %s %s, %v", made.Outcome, made.Message, made.Outputs)
	}
	company, _ := c.call("get_company", value.ObjectOf("account_id", int64(221863))).Outputs.At("company").(*value.Object)
	if company.At("CompanyName") != ` "Café" 'Niño' ` || company.At("CustomerId") != "007" || company.At("Zip") != "00001" {
		t.Errorf("blanks, quotes or zeros were lost: %s", shown(company))
	}
	if unused, sent := company.Get("CrefoNumber"); !sent || unused != "" {
		t.Errorf("a code that was not given was sent as %v, not as the guide's empty text", unused)
	}
	for _, test := range []struct {
		operation, output string
		inputs            *value.Object
		want              string
	}{
		{"get_company_by_vat_id", "companies", value.ObjectOf("vat_id", "PE-1"), "[" + shown(company) + "]"},
		{"get_company_by_vat_id", "companies", value.ObjectOf("vat_id", "PE-2"), "[]"},
		{"get_company", "company", value.ObjectOf("account_id", int64(100407)), demoReseller},
		{"get_companies", "companies", value.ObjectOf("parent_account_id", int64(100074)), "[" + demoReseller + "]"},
	} {
		res := c.call(test.operation, test.inputs)
		if res.Outcome != flow.OK || shown(res.Outputs.At(test.output)) != test.want {
			t.Errorf("%s: got %s %s %s\nwant %s", test.operation, res.Outcome, res.Message, shown(res.Outputs), test.want)
		}
	}
	if res := c.call("get_company", value.ObjectOf("account_id", int64(1))); res.Outcome != flow.NotFound {
		t.Errorf("unknown account: got %s %s", res.Outcome, res.Message)
	}
	if res := c.call("ping", value.NewObject(0)); res.Outcome != flow.OK {
		t.Errorf("ping: got %s %s", res.Outcome, res.Message)
	}

	lay(t, box, "expire:*:1")
	if res := c.call("create_company", newcomer("PE-3")); res.Outcome != flow.OK {
		t.Errorf("after the session's end: got %s %s", res.Outcome, res.Message)
	}
	stats := box.Stats()
	if got := fmt.Sprint(stats.Creates); got != "map[create:map[PE-1:1 PE-3:1]]" {
		t.Errorf("creates: got %s", got)
	}
	if len(stats.Errors) > 0 {
		t.Errorf("the sandbox could not follow: %v", stats.Errors)
	}
	if res := callerOf(t, server.URL, "wrong").call("ping", value.NewObject(0)); !res.Fatal {
		t.Errorf("a wrong password does not end the run: %s %s", res.Outcome, res.Message)
	}
}

func TestIntcomexSpecReadsWhatTheGuideLeavesOpen(t *testing.T) {
	t.Parallel()
	find := value.ObjectOf("vat_id", "PE-1")
	for _, test := range []struct {
		operation string
		status    int
		text      string
		want      flow.Outcome
	}{
		{"ping", 200, "", flow.OK},
		{"ping", 200, "session is not active", flow.Auth},
		{"ping", 200, "hello", flow.Auth},
		{"ping", 200, "null", flow.OK},
		{"ping", 204, "", flow.OK},
		{"ping", 500, "", flow.Unknown},

		{"get_company_by_vat_id", 200, "[]", flow.OK},
		{"get_company_by_vat_id", 200, "null", flow.Empty},
		{"get_company_by_vat_id", 200, "", flow.Unknown},
		{"get_company_by_vat_id", 204, "", flow.Unknown},
		{"get_company_by_vat_id", 404, `"Company not found"`, flow.NotFound},
		{"get_company_by_vat_id", 404, `{"Message":"No empresa con ese VAT"}`, flow.NotFound},
		{"get_company_by_vat_id", 404, "", flow.NotFound},
		{"get_company_by_vat_id", 404, "<html>No such page. Our company regrets.</html>", flow.NotFound},
		{"get_company_by_vat_id", 404, `{"Message":"No HTTP resource at /GetCompanyByVatId"}`, flow.NotFound},
		{"get_company_by_vat_id", 401, "", flow.Auth},
		{"get_company_by_vat_id", 200, `"Session expired"`, flow.Auth},
		{"get_company_by_vat_id", 200, "La sesión no está activa", flow.Auth},
		{"get_company_by_vat_id", 500, "Session is not active", flow.Auth},
		{"get_company_by_vat_id", 400, "Invalid token", flow.Auth},
		{"get_company_by_vat_id", 400, "vatId is required", flow.Invalid},
		{"get_company_by_vat_id", 400, "The token has expired", flow.Auth},
		{"get_company_by_vat_id", 200, `{"Message":"Session expired"}`, flow.Auth},
		{"get_company_by_vat_id", 500, `{"Message":"Session expired"}`, flow.Auth},
		{"get_company_by_vat_id", 400, "User is not logged in", flow.Auth},
		{"get_company_by_vat_id", 200, "Access denied", flow.Unknown},
		{"get_company_by_vat_id", 200, `[{"AccountId":1,"CompanyName":"Session Validation Inc."}]`, flow.OK},
		{"get_company_by_vat_id", 200, `[{"AccountId":"1","CompanyName":"x"}]`, flow.Invalid},

		{"create_company", 200, `{"AccountId":1,"CompanyName":"x"}`, flow.OK},
		{"create_company", 200, `{"CompanyName":"x"}`, flow.Unknown},
		{"create_company", 200, "null", flow.Unknown},
		{"create_company", 200, `{"AccountId":"1","CompanyName":"Token Session Expired Ltd."}`, flow.Unknown},
		{"create_company", 500, `{"ExceptionMessage":"Session is closed!"}`, flow.Unknown},
		{"create_company", 500, "The token of the supplier has expired", flow.Unknown},
		{"create_company", 500, "<html>Your session has expired</html>", flow.Unknown},
		{"create_company", 403, "role", flow.Denied},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/GetSessionToken" {
				w.Write([]byte(`"<token> session expired="`)) // no words about it: a token is a token
				return
			}
			w.WriteHeader(test.status)
			w.Write([]byte(test.text))
		}))
		inputs := find
		switch test.operation {
		case "ping":
			inputs = value.NewObject(0)
		case "create_company":
			inputs = newcomer("PE-1")
		}
		if res := callerOf(t, server.URL, "demo-password").call(test.operation, inputs); res.Outcome != test.want {
			t.Errorf("%s, %d %s\n got %s %s\nwant %s", test.operation, test.status, test.text, res.Outcome, res.Message, test.want)
		}
		server.Close()
	}
}

func TestIntcomexSpecRefusesLoginsAsTheyCome(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status int
		text   string
		want   flow.Outcome
	}{
		{200, `"<token> a/b+c= d"`, flow.OK},
		{200, `"Invalid username or password."`, flow.Denied},
		{200, `{"ErrorMessage":"La contraseña no es válida: usuario inválido"}`, flow.Denied},
		{400, "no", flow.Denied},
		{401, "", flow.Denied},
		{500, "Invalid user name or password", flow.Denied},
		{500, "NullReferenceException", flow.Unknown},
		{503, "down", flow.Unknown},
		{429, "", flow.Throttled},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(test.status)
			w.Write([]byte(test.text))
		}))
		res := callerOf(t, server.URL, "demo-password").call("get_session_token", value.ObjectOf("username", "u", "password", "p"))
		if res.Outcome != test.want {
			t.Errorf("%d %s: got %s %s, want %s", test.status, test.text, res.Outcome, res.Message, test.want)
		}
		if test.want == flow.OK && res.Outputs.At("token") != "<token> a/b+c= d" {
			t.Errorf("the token is %q", res.Outputs.At("token"))
		}
		server.Close()
	}
}

func TestIntcomexRefusesVatIDsThatMeanNone(t *testing.T) {
	t.Parallel()
	op := intcomexSpec(t).Operation("get_company_by_vat_id")
	for _, none := range []string{"", " ", "\t", "EMPTY", "empty", " EMPTY ", "null", "NULL"} {
		if _, bad := op.Inputs.Bind(value.ObjectOf("vat_id", none)); len(bad) == 0 {
			t.Errorf("%q was accepted", none)
		}
	}
	for _, id := range []string{"X", "00123", "X PP3DI3456CSP", "EMPTY1", "nullarbor"} {
		if _, bad := op.Inputs.Bind(value.ObjectOf("vat_id", id)); bad != nil {
			t.Errorf("%q was refused: %v", id, bad)
		}
	}
}
