package sandbox

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/value"
)

const (
	tenantService  = "100113_MicrosoftOrganizationtenant_19355"
	productService = "100113_INTXOneDriveForBusinessPlan1_66995"
)

// object reads JSON, for inputs.
func object(t *testing.T, text string) *value.Object {
	t.Helper()
	v, err := value.Decode([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v.(*value.Object)
}

// order are the inputs of create_subscription for the guide's tenant.
func order(t *testing.T) *value.Object {
	return value.ObjectOf("service_name", tenantService, "service_display_name", "Microsoft Organization tenant",
		"parent_account_id", int64(218539), "fields", object(t, tenantFields))
}

// consent are the inputs of accept_mca.
func consent(tenant int64) *value.Object {
	service := strings.Replace(tenantService, "tenant", "Tenant", 1) // as the sample of the action has it
	return value.ObjectOf("account_id", tenant, "service_name", service, "first_name", "Test", "last_name", "API",
		"email", "test@test.com", "accepted_on", "2020-05-20")
}

func licenses(name string, n int64) *value.Object {
	return value.ObjectOf("account_id", int64(218778), "parent_account_id", int64(217559), "service_name", productService,
		"fields", value.List{value.ObjectOf("name", name, "value", n)})
}

func TestIntcomexSpecSendsWhatTheGuideShows(t *testing.T) {
	t.Parallel()
	sent := map[string]string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		sent[r.URL.Path] = string(body)
		if r.URL.Path == "/GetSessionToken" {
			w.Write([]byte(`"token"`))
			return
		}
		w.Write([]byte("null"))
	}))
	defer server.Close()
	c := callerOf(t, server.URL, "demo-password")
	product := value.ObjectOf("service_name", productService, "service_display_name", "OneDrive for Business (Plan 1)",
		"parent_account_id", int64(218539), "account_id", int64(221909), "fields", object(t, `{"NumberOfCSPLicenses": 10, "BillingType": "Monthly"}`))
	check := value.ObjectOf("service_name", tenantService, "parent_account_id", int64(221863), "fields", object(t, tenantFields))
	for _, test := range []struct {
		operation, service string
		inputs             *value.Object
		want               string
	}{
		{"validate_fields", "/ValidateFields", check, `{"subscriptionAccount": {"Fields": ` + tenantFields +
			`, "ServiceName": "100113_MicrosoftOrganizationtenant_19355", "ParentAccountId": 221863}}`},
		{"create_subscription", "/CreateSubscription", order(t), tenantOrder},
		{"create_subscription", "/CreateSubscription", product, strings.Replace(productOrder, "321909", "221909", 1)},
		{"accept_mca", "/ExecuteAccountCustomAction", consent(321909), agreement},
		{"get_subscription", "/GetSubscription", value.ObjectOf("account_id", int64(221929)), `{"accountId": 221929}`},
		{"update_subscription", "/UpdateSubscription", licenses("NumberofCSLicenses", 15), licenseChange},
		{"get_latest_invoices", "/GetLatestInvoices", value.NewObject(0), `{}`},
	} {
		c.call(test.operation, test.inputs)
		if got := object(t, sent[test.service]); !value.Equal(got, object(t, test.want)) {
			t.Errorf("%s\n got %s\nwant %s", test.operation, sent[test.service], test.want)
		}
	}
}

func TestIntcomexSpecSubscribes(t *testing.T) {
	t.Parallel()
	box, _ := intcomex(t)
	server := httptest.NewServer(box)
	defer server.Close()
	c := callerOf(t, server.URL, "demo-password")
	expect := func(res flow.Result, outcome flow.Outcome, outputs string) {
		t.Helper()
		if res.Outcome != outcome || outputs != "" && shown(res.Outputs) != outputs {
			t.Errorf("got %s %s %s\nwant %s %s", res.Outcome, res.Message, shown(res.Outputs), outcome, outputs)
		}
	}
	tenant := value.ObjectOf("account_id", int64(321909))
	product := value.ObjectOf("service_name", productService, "service_display_name", "OneDrive for Business (Plan 1)",
		"parent_account_id", int64(218539), "account_id", int64(321909), "fields", object(t, `{"NumberOfCSPLicenses": 10, "BillingType": "Monthly"}`))

	expect(c.call("validate_fields", value.ObjectOf("service_name", tenantService, "parent_account_id", int64(218539), "fields", object(t, tenantFields))),
		flow.OK, `{"results":[{"Result":"OK","FieldName":"Primarydomainname"},{"Result":"OK","FieldName":"MicrosoftpartnerID"},{"Result":"OK","FieldName":"PostalCode"}]}`)
	expect(c.call("create_subscription", order(t)), flow.OK, `{"account_id":321909,"status":"Pending","error_details":null}`)
	expect(c.call("accept_mca", consent(321909)), flow.Conflict, "")
	expect(c.call("create_subscription", product), flow.Invalid, "")
	expect(c.call("get_subscription", tenant), flow.OK, "")
	expect(c.call("accept_mca", consent(321909)), flow.Conflict, "")
	if ready := c.call("get_subscription", tenant); ready.Outputs.At("status") != "Completed" {
		t.Errorf("the tenant is not ready: %s", shown(ready.Outputs))
	}
	expect(c.call("accept_mca", consent(321909)), flow.OK, `{}`)
	expect(c.call("create_subscription", product), flow.OK, `{"account_id":321910,"status":"Pending","error_details":null}`)

	expect(c.call("update_subscription", licenses("NumberOfCSPLicenses", 0)), flow.OK, `{}`)
	expect(c.call("get_subscription", value.ObjectOf("account_id", int64(218778))), flow.OK,
		`{"account_id":218778,"status":"Completed","error_details":null,"state":"Active","parent_account_id":217559,`+
			`"service_name":"100113_INTXOneDriveForBusinessPlan1_66995","service_display_name":"OneDrive for Business (Plan 1)",`+
			`"dependency_account_id":null,"fields":[{"Name":"BillingType","DisplayName":"Billing Type","Value":"Monthly"},`+
			`{"Name":"NumberOfCSLicenses","DisplayName":"Number of CSP licenses","Value":0}],"priceable_items":[]}`)
	expect(c.call("get_subscription", value.ObjectOf("account_id", int64(1))), flow.NotFound, "")
	invoices := c.call("get_latest_invoices", value.NewObject(0))
	if text := shown(invoices.Outputs); invoices.Outcome != flow.OK || !strings.Contains(text, `"Costs":-307.2800,`) {
		t.Errorf("invoices: got %s %s %s", invoices.Outcome, invoices.Message, text)
	}
	if stats := box.Stats(); len(stats.Errors) > 0 {
		t.Errorf("the sandbox could not follow: %v", stats.Errors)
	}
}

// No operation lets the initial password of a tenant out.
func TestIntcomexSpecHidesPasswords(t *testing.T) {
	t.Parallel()
	for _, field := range []string{
		`{"Name":"InitialPassword","DisplayName":"Initial Password","Value":"Kuv-1\"/xk"}`,
		`{"Name":"Initialpassword","DisplayName":"Initial","Value":"Kuv-1\"/xk"}`,
		`{"Name":"INITIALPASSWORD","Value":"Kuv-1\"/xk"}`,
		`{"Name":"Initial_Secret","DisplayName":"Initial password","Value":"Kuv-1\"/xk"}`,
		`{"Name":"x","name":"initialPassword","value":"Kuv-1\"/xk"}`,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/GetSessionToken" {
				w.Write([]byte(`"token"`))
				return
			}
			w.Write([]byte(`{"ParentAccountId":1,"AccountId":2,"ServiceName":"s","ProvisioningStatus":"Completed","Fields":[` + field + `]}`))
		}))
		for operation, inputs := range map[string]*value.Object{
			"get_subscription":    value.ObjectOf("account_id", int64(2)),
			"create_subscription": order(t),
			"accept_mca":          consent(2),
			"update_subscription": licenses("x", 1),
		} {
			res := callerOf(t, server.URL, "demo-password").call(operation, inputs)
			for _, text := range []string{shown(res.Outputs), res.Message} {
				if strings.Contains(text, "Kuv-1") || strings.Contains(text, "xk") {
					t.Errorf("%s shows the password of %s: %s %s", operation, field, res.Outcome, text)
				}
			}
		}
		server.Close()
	}
}

func TestIntcomexSpecReadsSubscriptionsAsTheyCome(t *testing.T) {
	t.Parallel()
	const whole = `{"ParentAccountId":1,"AccountId":2,"ServiceName":"s","ProvisioningStatus":"Pending","Fields":[]}`
	for _, test := range []struct {
		operation string
		status    int
		text      string
		want      flow.Outcome
	}{
		{"validate_fields", 200, "[]", flow.OK},
		{"validate_fields", 200, "null", flow.Empty},
		{"validate_fields", 200, `[{"Result":"FAILED","FieldName":"Phone"}]`, flow.OK},
		{"validate_fields", 200, `[{"Result":true,"FieldName":"Phone"}]`, flow.Invalid},
		{"validate_fields", 400, "Fields must be an object", flow.Invalid},

		{"create_subscription", 200, whole, flow.OK},
		{"create_subscription", 200, `{"AccountId":2}`, flow.OK},
		{"create_subscription", 200, `{"AccountId":"2"}`, flow.Unknown},
		{"create_subscription", 200, "null", flow.Unknown},
		{"create_subscription", 500, "pending", flow.Unknown},
		{"create_subscription", 400, "tenant is pending", flow.Invalid},

		{"get_subscription", 200, whole, flow.OK},
		{"get_subscription", 200, "null", flow.NotFound},
		{"get_subscription", 200, `{"AccountId":2}`, flow.Invalid},
		{"get_subscription", 200, strings.Replace(whole, `[]`, `[{"Name":"a"},{"Name":"b","Value":null},{"Name":"c","Value":false},{"Name":"d","Value":1.50}]`, 1), flow.OK},
		{"get_subscription", 200, strings.Replace(whole, `[]`, `[{"Name":"a","Value":[1]}]`, 1), flow.Invalid},
		{"get_subscription", 200, strings.Replace(whole, `[]`, `{"a":1}`, 1), flow.Invalid},

		{"accept_mca", 200, "null", flow.OK},
		{"accept_mca", 200, "", flow.OK},
		{"accept_mca", 200, `"The tenant is not there"`, flow.Unknown},
		{"accept_mca", 200, "{}", flow.OK},
		{"accept_mca", 400, "The agreement has already been accepted", flow.OK},
		{"accept_mca", 400, "Tenant is Pending", flow.Conflict},
		{"accept_mca", 500, `"La cuenta está pendiente"`, flow.Conflict},
		{"accept_mca", 400, "Date is wrong", flow.Invalid},
		{"accept_mca", 200, "Session is not active", flow.Auth},

		{"update_subscription", 200, " null ", flow.OK},
		{"update_subscription", 200, "{}", flow.OK},
		{"update_subscription", 200, `{"AccountId":218778}`, flow.OK},
		{"update_subscription", 200, `{"AccountId":1}`, flow.Unknown},
		{"update_subscription", 200, `"License count not valid"`, flow.Unknown},
		{"update_subscription", 400, "License count not valid", flow.Invalid},

		{"get_latest_invoices", 200, "[]", flow.OK},
		{"get_latest_invoices", 200, "null", flow.Empty},
		{"get_latest_invoices", 200, `[{"CompanyName":"c","CompanyAccountId":1,"BillingInterval":"02/2020","Charges":null}]`, flow.OK},
		{"get_latest_invoices", 200, `[{"CompanyName":"c","CompanyAccountId":1,"BillingInterval":"02/2020","Charges":[` +
			`{"ServiceName":"s","ServiceId":"i","AccountId":1,"Costs":1.0000,"SalesPrice":-1.0000,"Currency":"USD"}]}]`, flow.OK},
		{"get_latest_invoices", 200, `[{"CompanyName":"c","CompanyAccountId":1,"BillingInterval":"02/2020","Charges":[` +
			`{"ServiceName":"s","ServiceId":"i","AccountId":1,"SalesPrice":-1.0000,"Currency":"USD"}]}]`, flow.Invalid},
		{"get_latest_invoices", 200, `[{"CompanyName":"c","CompanyAccountId":1,"BillingInterval":"02/2020","Charges":[` +
			`{"ServiceName":"s","ServiceId":"i","AccountId":1,"Costs":"1.0000","SalesPrice":-1.0000,"Currency":"USD"}]}]`, flow.Invalid},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/GetSessionToken" {
				w.Write([]byte(`"token"`))
				return
			}
			w.WriteHeader(test.status)
			w.Write([]byte(test.text))
		}))
		inputs := map[string]*value.Object{
			"validate_fields":     value.ObjectOf("service_name", tenantService, "parent_account_id", int64(1), "fields", object(t, tenantFields)),
			"create_subscription": order(t),
			"get_subscription":    value.ObjectOf("account_id", int64(2)),
			"accept_mca":          consent(2),
			"update_subscription": licenses("x", 1),
			"get_latest_invoices": value.NewObject(0),
		}[test.operation]
		if res := callerOf(t, server.URL, "demo-password").call(test.operation, inputs); res.Outcome != test.want {
			t.Errorf("%s, %d %s\n got %s %s\nwant %s", test.operation, test.status, test.text, res.Outcome, res.Message, test.want)
		}
		server.Close()
	}
}

func TestIntcomexSpecTellsSubscriptionsApart(t *testing.T) {
	t.Parallel()
	op := intcomexSpec(t).Operation("create_subscription")
	identity := func(inputs *value.Object) string {
		t.Helper()
		bound, bad := op.Inputs.Bind(inputs)
		if bad != nil {
			t.Fatal(bad)
		}
		v, err := op.Identity.Eval([]value.Value{bound})
		if err != nil {
			t.Fatal(err)
		}
		return v.(string)
	}
	if got, want := identity(order(t)), "218539 100113_microsoftorganizationtenant_19355 apitestingxyz"; got != want {
		t.Errorf("tenant: got %q, want %q", got, want)
	}
	product := func(tenant int64, billing string) *value.Object {
		return value.ObjectOf("service_name", productService, "service_display_name", "x", "parent_account_id", int64(218539),
			"account_id", tenant, "fields", value.ObjectOf("NumberOfCSPLicenses", int64(1), "BillingType", billing))
	}
	if got, want := identity(product(221909, "Monthly")), "218539 221909 100113_intxonedriveforbusinessplan1_66995 monthly"; got != want {
		t.Errorf("product: got %q, want %q", got, want)
	}
	if identity(product(221909, "Monthly")) == identity(product(221910, "Monthly")) ||
		identity(product(221909, "Monthly")) == identity(product(221909, "Annually prepaid")) {
		t.Error("products of other tenants or with another billing are taken for the same")
	}
}
