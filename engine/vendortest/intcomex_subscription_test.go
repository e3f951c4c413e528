package vendortest_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/internal/testserver"
)

const (
	onboard        = "pipelines/intcomex/onboard_customer.yaml"
	changeLicenses = "pipelines/intcomex/change_licenses.yaml"
	exportInvoices = "pipelines/intcomex/export_invoices.yaml"
)

// trade runs a pipeline, and checks what holds for every run of the market.
func (v *icp) trade(t *testing.T, name string, inputs map[string]any) *ran {
	t.Helper()
	r := v.run(t, name, inputs, nil)
	for identity, n := range v.ordered {
		if n > 1 {
			t.Errorf("%s was ordered %d times", identity, n)
		}
	}
	for _, form := range testserver.Encoded(initialPassword) {
		if i := strings.Index(r.text, form); i >= 0 {
			t.Errorf("the initial password is seen: …%.200s", r.text[max(0, i-80):])
		}
	}
	return r
}

func customer(more ...any) map[string]any {
	return order("PT1", append([]any{
		"tenant", map[string]any{
			"domain": "rbapi", "contact_first_name": "Nombre", "contact_last_name": "Apellido", "contact_email": "test@test.com",
			"phone": "0012345678", "partner_id": "06147682", "postal_code": "00001", "existing_customer": false,
		},
		"mca", map[string]any{"first_name": "Test", "last_name": "API", "email": "test@test.com", "accepted_on": "2020-05-02"},
		"products", []any{
			map[string]any{"service_name": oneDrive, "display_name": "OneDrive for Business (Plan 1)", "billing_type": "Monthly", "licenses": 10},
			map[string]any{"service_name": office, "display_name": "Office 365 E3", "billing_type": "Annually prepaid", "licenses": 1},
		},
	}, more...)...)
}

func withDone(r testserver.Reply) func(*icp) { return func(v *icp) { v.done = r } }
func withStatus(f func(*sub) string) func(*icp) {
	return func(v *icp) { v.status = f }
}
func withSub(f func(m map[string]any)) func(*icp) {
	return func(v *icp) { v.renderSub = f }
}
func withResults(text string) func(*icp) {
	return func(v *icp) { v.results = func(string, map[string]any) string { return text } }
}
func withTrouble(all ...testserver.Trouble) func(*icp) { return func(v *icp) { v.troubles = all } }

// subscriptionReadings are the ways to answer that mean no trouble.
func subscriptionReadings() map[string]func(*icp) {
	spelt := func(name string) func(*icp) { return func(v *icp) { v.licences = name } }
	readings := map[string]func(*icp){
		"natural":                            func(*icp) {},
		"done at once":                       withStatus(pendingFor(-1, "", "Completed")),
		"pending for minutes":                withStatus(pendingUntil(20*time.Minute, "Pending", "Completed")),
		"small letters":                      withStatus(pendingFor(3, "pending", "completed")),
		"capital letters":                    withStatus(pendingFor(3, "PENDING", "COMPLETED")),
		"blanks":                             withStatus(pendingFor(3, " Pending", "Completed ")),
		"in progress":                        withStatus(pendingFor(3, "InProgress", "Completed")),
		"in progress, with a blank":          withStatus(pendingFor(3, "In Progress", "Completed")),
		"pending, in progress and completed": withStatus(func(s *sub) string { return []string{"Pending", "Pending", "InProgress", "Completed"}[min(s.reads, 3)] }),
		"active":                             withStatus(pendingFor(3, "Pending", "Active")),
		"licences as NumberOfCSPLicenses":    spelt("NumberOfCSPLicenses"),
		"licences as NumberofCSPlicenses":    spelt("NumberofCSPlicenses"),
		"licences as NumberOfCSLicenses":     spelt("NumberOfCSLicenses"),
		"licences as NumberofCSLicenses":     spelt("NumberofCSLicenses"),
		"values are texts":                   func(v *icp) { v.value = func(x any) any { return fmt.Sprint(x) } },
		"licences with decimals": func(v *icp) {
			v.value = func(x any) any {
				if n, ok := x.(float64); ok {
					return json.RawMessage(fmt.Sprintf("%.1f", n))
				}
				return x
			}
		},
		"null in optional members": withSub(func(m map[string]any) {
			for name := range m {
				if !slices.Contains([]string{"AccountId", "ParentAccountId", "ServiceName", "ProvisioningStatus", "Fields"}, name) {
					m[name] = nil
				}
			}
			m["DependencyAccountId"] = nil
			for _, f := range m["Fields"].([]any) {
				if field := f.(map[string]any); field["Value"] == nil {
					field["Value"], field["DisplayName"] = nil, nil
				}
			}
		}),
		"no optional members": withSub(func(m map[string]any) {
			maps.DeleteFunc(m, func(name string, _ any) bool {
				return !slices.Contains([]string{"AccountId", "ParentAccountId", "ServiceName", "ProvisioningStatus", "Fields"}, name)
			})
		}),
		"unknown members": withSub(func(m map[string]any) {
			m["Status"], m["Message"], m["ErrorMessage"], m["accountId"], m["Extra"] = "failed", "", nil, "x", []any{map[string]any{"Value": 1}}
		}),
		"empty texts where there is no value": withSub(func(m map[string]any) {
			for _, f := range m["Fields"].([]any) {
				if field := f.(map[string]any); field["Value"] == nil {
					field["Value"] = ""
				}
			}
		}),
		"the tenant's service as its sample spells it": func(v *icp) {
			v.named = func(*sub) string { return "100113_MicrosoftOrganizationTenant_19355" }
		},
		"the tenant's service as it was ordered": func(v *icp) { v.named = func(s *sub) string { return s.service } },
		"all fields reported on":                 withResults(`[{"Result":"OK","FieldName":"Phone","ErrorDetails":null},{"Result":"OK","FieldName":"PostalCode","ErrorDetails":""}]`),
		"results in small letters":               withResults(`[{"Result":"ok","FieldName":"Phone","Extra":1}]`),
		"no results":                             withResults(`[]`),
		"null for results":                       withResults(`null`),
		"created with 201":                       func(v *icp) { v.createdAs = 201 },
		"session over within the polls":          func(v *icp) { v.sessionCalls = first(6) },
		"session over at the create":             func(v *icp) { v.sessionCalls = first(3) },
		"session over at the agreement":          func(v *icp) { v.sessionCalls = first(7) },
		"session over at the product":            func(v *icp) { v.sessionCalls = first(9) },
		"sessions live for five minutes, tenants wait": func(v *icp) {
			v.sessionLife = 5 * time.Minute
			v.status = pendingUntil(12*time.Minute, "Pending", "Completed")
		},
		"polls that are lost":                          withTrouble(testserver.Trouble{Service: "GetSubscription", Spared: 1, Calls: 2, HangUp: true}),
		"polls that break off":                         withTrouble(testserver.Trouble{Service: "GetSubscription", Calls: 2, Worked: true, Cut: true}),
		"validation that fails at first":               withTrouble(testserver.Trouble{Service: "ValidateFields", Calls: 2, Answer: &testserver.Reply{Status: 503}}),
		"an ambiguous agreement":                       withTrouble(testserver.Trouble{Service: "ExecuteAccountCustomAction", Calls: 1, Worked: true, HangUp: true}),
		"an agreement that breaks down after the work": withTrouble(testserver.Trouble{Service: "ExecuteAccountCustomAction", Calls: 1, Worked: true, Answer: &testserver.Reply{Status: 500}}),
		"too many requests": func(v *icp) {
			busy := testserver.Plain(429, "slow down").With("Retry-After", "9")
			v.troubles = []testserver.Trouble{{Service: "CreateSubscription", Calls: 2, Answer: &busy}, {Service: "GetSubscription", Calls: 2, Answer: &busy}}
		},
		"gzip":               func(v *icp) { v.wire = testserver.Gzipped },
		"byte order mark":    func(v *icp) { v.wire = testserver.Marked },
		"JSON as text/plain": func(v *icp) { v.wire = testserver.Typed("text/plain") },
	}
	for name, r := range map[string]testserver.Reply{
		"409": testserver.Plain(409, "The agreement has already been accepted"), "400 JSON": testserver.AsJSON(400, `{"Message":"MCA already signed."}`), "500 in Spanish": testserver.Plain(500, "El acuerdo ya fue aceptado"),
	} {
		readings["an ambiguous agreement, accepted before: "+name] = func(v *icp) {
			v.again = &r
			v.troubles = []testserver.Trouble{{Service: "ExecuteAccountCustomAction", Calls: 1, Worked: true, HangUp: true}}
		}
	}
	for name, r := range map[string]testserver.Reply{
		"null": testserver.AsJSON(200, "null"), "nothing": {Status: 200}, "blank": testserver.Plain(200, " \r\n"), "empty text": testserver.AsJSON(200, `""`), "204": {Status: 204}, "201": testserver.AsJSON(201, "null"), "202": {Status: 202},
		"true": testserver.AsJSON(200, "true"), "an empty object": testserver.AsJSON(200, " {} "), "OK": testserver.AsJSON(200, `"OK"`),
	} {
		readings["done said as "+name] = withDone(r)
	}
	for name, over := range sessionsOver() {
		readings["session over: "+name] = func(v *icp) { v.noSession, v.sessionCalls = over, first(5) }
	}
	for name, reveals := range passwords() {
		readings["initial password: "+name] = func(v *icp) { v.reveals = reveals }
	}
	return readings
}

// passwords are the ways in which an answer may hold the initial password.
func passwords() map[string]func(map[string]any, *sub) {
	always := func(member, text string) func(map[string]any, *sub) {
		return func(m map[string]any, _ *sub) {
			m["Fields"] = append(m["Fields"].([]any), map[string]any{"Name": member, "DisplayName": text, "Value": initialPassword})
		}
	}
	return map[string]func(map[string]any, *sub){
		"at creation":       always("InitialPassword", "Initial Password"),
		"small letters":     always("initialpassword", "initial password"),
		"capital letters":   always("INITIALPASSWORD", "INITIAL PASSWORD"),
		"two capitals":      always("InitialPassWord", "Initial PassWord"),
		"with a blank":      always("Initial Password", ""),
		"in the display":    always("Field17", "Initial Password"),
		"in Spanish":        always("ContrasenaInicial", "Contraseña inicial"),
		"by key in Spanish": always("Clave", "Clave inicial"),
		"short":             always("AdminPwd", "Admin Pwd"),
		"in small members": func(m map[string]any, _ *sub) {
			m["Fields"] = append(m["Fields"].([]any), map[string]any{"Name": "x", "name": "InitialPassword", "value": initialPassword})
		},
		"told in a text, too": func(m map[string]any, s *sub) {
			always("InitialPassword", "Initial Password")(m, s)
			m["ErrorDetails"] = "The password of the administrator is " + initialPassword
		},
	}
}

// Whichever way the platform reads its own guide, a customer gets everything once.
func TestIntcomexOnboardWhicheverReading(t *testing.T) {
	t.Parallel()
	for name, set := range subscriptionReadings() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				v := newICP()
				set(v)
				r := v.trade(t, onboard, customer())
				if r.err != nil || r.result.Status != engine.Succeeded {
					t.Fatalf("%v: %v after %v", r.result.Status, r.err, v.asked)
				}
				got, _ := json.Marshal(r.result.Outputs)
				done := strings.TrimSpace(v.status(&sub{reads: 99}))
				want := fmt.Sprintf(`{"account_id":221863,"subscriptions":[{"account_id":221919,"service_name":%q,"status":%q},{"account_id":221929,"service_name":%q,"status":%q}],"tenant_account_id":221909}`,
					oneDrive, done, office, done)
				if strings.ReplaceAll(string(got), done+" ", done) != want {
					t.Errorf("outputs %s\nwant    %s", got, want)
				}
				if len(v.subs) != 3 || v.agreed[221909] == 0 {
					t.Fatalf("made %v, agreed %v", v.ordered, v.agreed)
				}
				for field, want := range map[string]any{"Primarydomainname": "rbapi", "Phone": "0012345678", "MicrosoftpartnerID": "06147682", "PostalCode": "00001",
					"ExistingOffice365customer": false, "SpecialQualifications": "None", "MCAsigningstatus": "Signed 02.05.2020"} {
					if got := v.subs[0].field(field).value; got != want {
						t.Errorf("%s is %#v, want %#v", field, got, want)
					}
				}
			})
		})
	}
}

// What the platform refuses is not created, and each field is named with its reason.
func TestIntcomexOnboardRefusedFields(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		refused map[string]string
		text    string // of the results, instead of refused
		subs    int    // made all the same
		want    []string
	}{
		"as in the guide": {refused: map[string]string{"Primarydomainname": `"Domain already in use."`, "PostalCode": `"Postal code format not valid for Bermuda"`},
			want: []string{"Primarydomainname (Domain already in use.)", "PostalCode (Postal code format not valid for Bermuda)"}},
		"without quotes":   {refused: map[string]string{"MicrosoftpartnerID": "unknown; ask \"us\" 100%"}, want: []string{"MicrosoftpartnerID", "unknown; ask", "100%"}},
		"without a reason": {text: `[{"Result":"FAILED","FieldName":"Phone"},{"Result":"FAILED","ErrorDetails":null,"FieldName":"PostalCode"},{"Result":"failed","ErrorDetails":"","FieldName":"Zip"}]`, want: []string{"Phone", "PostalCode", "Zip"}},
		"another word":     {text: `[{"Result":"ERROR","ErrorDetails":"no","FieldName":"Phone"}]`, want: []string{"Phone (no)"}},
		"a product":        {refused: map[string]string{"NumberOfCSPLicenses": `"At least 300"`}, subs: 1, want: []string{oneDrive, "NumberOfCSPLicenses (At least 300)"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				v := newICP()
				v.refused = tt.refused
				if tt.text != "" {
					withResults(tt.text)(v)
				}
				r := v.trade(t, onboard, customer())
				if r.err == nil || r.result.Status != engine.Failed || len(v.subs) != tt.subs || v.asked["CreateSubscription"] != tt.subs {
					t.Fatalf("%v after %v", r.err, v.asked)
				}
				for _, want := range tt.want {
					if !strings.Contains(r.err.Error(), want) {
						t.Errorf("error %q lacks %q", r.err, want)
					}
				}
			})
		})
	}
}

// An ambiguous order is sent once: the tenant, or a product.
func TestIntcomexUnknownOrderIsNeverSentTwice(t *testing.T) {
	t.Parallel()
	answer := func(r testserver.Reply) *testserver.Reply { return &r }
	for name, tr := range map[string]testserver.Trouble{
		"lost after the work":      {Worked: true, HangUp: true},
		"lost before the work":     {HangUp: true},
		"slower than our patience": {Worked: true, Wait: time.Hour},
		"broken off":               {Worked: true, Cut: true},
		"500 after the work":       {Worked: true, Answer: answer(testserver.Plain(500, "Internal error 4711"))},
		"500 JSON after the work":  {Worked: true, Answer: answer(testserver.AsJSON(500, `{"Message":"Internal error 4711"}`))},
		"502 after the work":       {Worked: true, Answer: answer(testserver.HtmlPage(502))},
		"503 after the work":       {Worked: true, Answer: answer(testserver.HtmlPage(503).With("Retry-After", "7"))},
		"200 page":                 {Worked: true, Answer: answer(testserver.HtmlPage(200))},
		"200 null":                 {Worked: true, Answer: answer(testserver.AsJSON(200, "null"))},
		"200 empty":                {Worked: true, Answer: answer(testserver.Reply{Status: 200})},
		"204":                      {Worked: true, Answer: answer(testserver.Reply{Status: 204})},
		"200 list":                 {Worked: true, Answer: answer(testserver.AsJSON(200, `[{"AccountId":221909,"ProvisioningStatus":"Pending"}]`))},
		"200 words":                {Worked: true, Answer: answer(testserver.Plain(200, "Internal error 4711"))},
		"200 object of words":      {Worked: true, Answer: answer(testserver.AsJSON(200, `{"Message":"Internal error 4711"}`))},
		"AccountId is text":        {Worked: true, Answer: answer(testserver.AsJSON(200, `{"AccountId":"221909","Fields":[]}`))},
		"AccountId null":           {Worked: true, Answer: answer(testserver.AsJSON(200, `{"AccountId":null,"Fields":[]}`))},
		"truncated JSON":           {Worked: true, Answer: answer(testserver.AsJSON(200, `{"AccountId":221909,"Fields":[{"Name":"InitialPassword","Value":"`))},
	} {
		for which, spared := range map[string]int{"tenant": 0, "product": 1} {
			t.Run(name+" of the "+which, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					v := newICP()
					its := tr // both orders have their own
					its.Service, its.Spared = "CreateSubscription", spared
					v.troubles = []testserver.Trouble{its}
					r := v.trade(t, onboard, customer())
					if r.result.Status != engine.Ambiguous || r.result.Status.ExitCode() != 4 {
						t.Errorf("%v: %v", r.result.Status, r.err)
					}
					if v.asked["CreateSubscription"] != spared+1 {
						t.Errorf("sent %d times", v.asked["CreateSubscription"])
					}
					text := fmt.Sprint(r.err)
					if !strings.Contains(text, "intcomex.create_subscription: unknown") {
						t.Errorf("error %q", text)
					}
					if tr.Answer != nil && tr.Answer.Status != 200 && strings.Contains(tr.Answer.Body, "4711") && !strings.Contains(text, "Internal error 4711") {
						t.Errorf("error %q lacks the platform's words", text)
					}
				})
			})
		}
	}
}

func TestIntcomexOrderRefused(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]testserver.Reply{
		"400": testserver.Plain(400, "No credit, 4711"), "400 JSON": testserver.AsJSON(400, `{"Message":"No credit, 4711"}`), "400 JSON string": testserver.AsJSON(400, `"No credit, 4711"`),
		"409": testserver.Plain(409, "No credit, 4711"), "422": testserver.Plain(422, "No credit, 4711"), "403": testserver.Plain(403, "No credit, 4711"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				v := newICP()
				v.troubles = []testserver.Trouble{{Service: "CreateSubscription", Answer: &r}}
				got := v.trade(t, onboard, customer())
				if got.result.Status != engine.Failed || v.asked["CreateSubscription"] != 1 || !strings.Contains(got.err.Error(), "No credit, 4711") {
					t.Errorf("%v: %v after %v", got.result.Status, got.err, v.asked)
				}
			})
		})
	}
}

// A tenant that fails, or never comes, ends the run with what was seen last.
func TestIntcomexTenantThatDoesNotCome(t *testing.T) {
	t.Parallel()
	failed := func(word string) func(*icp) {
		return func(v *icp) {
			v.status = pendingFor(3, "Pending", word)
			v.renderSub = func(m map[string]any) {
				if m["ProvisioningStatus"] == word {
					m["ErrorDetails"] = `"Domain taken; see 4711"`
				}
			}
		}
	}
	for name, tt := range map[string]struct {
		set  func(v *icp)
		took time.Duration // at least
		want []string
	}{
		"for ever pending":           {withStatus(pendingFor(1e9, "Pending", "")), 29 * time.Minute, []string{"not there after 30m0s", `"status":"Pending"`}},
		"for ever in progress":       {withStatus(pendingFor(1e9, "InProgress", "")), 29 * time.Minute, []string{"not there after 30m0s", `"status":"InProgress"`}},
		"Failed":                     {failed("Failed"), 0, []string{`"status":"Failed"`, "Domain taken; see 4711"}},
		"FAILED":                     {failed("FAILED"), 0, []string{`"status":"FAILED"`, "Domain taken; see 4711"}},
		"Error":                      {failed("Error"), 0, []string{"Domain taken; see 4711"}},
		"Rejected":                   {failed("Rejected"), 0, []string{"Domain taken; see 4711"}},
		"unreadable polls":           {withTrouble(testserver.Trouble{Service: "GetSubscription", Answer: &testserver.Reply{Status: 200, Body: `{"AccountId":221909,"ParentAccountId":221863,"ServiceName":"a","Fields":[],"ProvisioningStatus":7}`}}), 0, []string{"ProvisioningStatus: expected text, found integer 7"}},
		"polls that are lost":        {withTrouble(testserver.Trouble{Service: "GetSubscription", HangUp: true}), 0, []string{"intcomex.get_subscription"}},
		"a tenant that is not found": {withTrouble(testserver.Trouble{Service: "GetSubscription", Answer: &testserver.Reply{Status: 404, Body: "Subscription not found"}}), 0, []string{"Subscription not found"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				v := newICP()
				tt.set(v)
				began := time.Now()
				r := v.trade(t, onboard, customer())
				if r.result.Status != engine.Failed || len(v.subs) != 1 || len(v.agreed) != 0 {
					t.Fatalf("%v: %v after %v", r.result.Status, r.err, v.asked)
				}
				if took := time.Since(began); took < tt.took || took > 31*time.Minute {
					t.Errorf("took %v", took)
				}
				for _, want := range tt.want {
					if !strings.Contains(r.err.Error(), want) {
						t.Errorf("error %q lacks %q", r.err, want)
					}
				}
			})
		})
	}
}

// The platform may confirm a tenant a little later than it says.
func TestIntcomexAgreementRefused(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]testserver.Reply{
		"400": testserver.Plain(400, "The account is Pending, 4711"), "409": testserver.Plain(409, "The account is Pending, 4711"), "500": testserver.Plain(500, "The account is Pending, 4711"),
		"400 JSON": testserver.AsJSON(400, `{"Message":"The account is Pending, 4711"}`), "500 JSON": testserver.AsJSON(500, `"The account is Pending, 4711"`),
		"200 JSON": testserver.AsJSON(200, `"The account is Pending, 4711"`), "200 object": testserver.AsJSON(200, `{"Message":"The account is Pending, 4711"}`),
		"400 in Spanish": testserver.Plain(400, "La cuenta está pendiente, 4711"), "400 for another reason": testserver.Plain(400, "Wrong address, 4711"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				v := newICP()
				v.troubles = []testserver.Trouble{{Service: "ExecuteAccountCustomAction", Answer: &r}}
				got := v.trade(t, onboard, customer())
				if got.result.Status != engine.Failed || len(v.subs) != 1 || !strings.Contains(got.err.Error(), "4711") {
					t.Errorf("%v: %v after %v", got.result.Status, got.err, v.asked)
				}
			})
		})
	}
}

// A second run finds the company, and its tenant's domain in use.
func TestIntcomexOnboardAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := newICP()
		if r := v.trade(t, onboard, customer()); r.err != nil {
			t.Fatal(r.err)
		}
		v.refused = map[string]string{"Primarydomainname": `"Domain already in use."`}
		r := v.trade(t, onboard, customer())
		if r.result.Status != engine.Failed || len(v.companies) != 1 || len(v.subs) != 3 || !strings.Contains(r.err.Error(), "Domain already in use.") {
			t.Errorf("%v with %v", r.err, v.ordered)
		}
	})
}

func TestIntcomexChangeLicenses(t *testing.T) {
	t.Parallel()
	later := func(reads int) func(*sub, *subField, any) {
		return func(s *sub, field *subField, value any) {
			s.due = map[string]dueValue{field.name: {s.reads + reads, value}}
		}
	}
	type test struct {
		set           func(v *icp)
		has           any
		wish          int
		before, after int64
		updates       int
		fails         string
	}
	tests := map[string]test{
		"more":                           {has: 10, wish: 15, before: 10, after: 15, updates: 1},
		"fewer":                          {has: 10, wish: 1, before: 10, after: 1, updates: 1},
		"none":                           {has: 10, wish: 0, before: 10, after: 0, updates: 1},
		"from none":                      {has: 0, wish: 3, before: 0, after: 3, updates: 1},
		"as many as before":              {has: 10, wish: 10, before: 10, after: 10},
		"as many, as text":               {has: "10", wish: 10, before: 10, after: 10},
		"as many, with .0":               {has: json.Number("10.0"), wish: 10, before: 10, after: 10},
		"as many, text .0":               {has: "10.0", wish: 10, before: 10, after: 10},
		"text with a blank":              {has: " 10 ", wish: 11, before: 10, after: 11, updates: 1},
		"many":                           {has: 1000000, wish: 2000000, before: 1000000, after: 2000000, updates: 1},
		"shown later":                    {set: func(v *icp) { v.takes = later(3) }, has: 10, wish: 15, before: 10, after: 15, updates: 1},
		"pending, then so":               {set: func(v *icp) { v.takes = later(3); v.status = pendingFor(102, "Pending", "Completed") }, has: 10, wish: 15, before: 10, after: 15, updates: 1},
		"never so":                       {set: func(v *icp) { v.takes = func(*sub, *subField, any) {} }, has: 10, wish: 15, updates: 1, fails: "has 10 licences"},
		"no such field":                  {set: func(v *icp) { v.licences = "Seats" }, has: 10, wish: 15, fails: "no number of licences"},
		"no value":                       {has: nil, wish: 15, fails: "no number of licences"},
		"a value that is no number":      {has: "ten", wish: 15, fails: "ten"},
		"refused":                        {set: withTrouble(testserver.Trouble{Service: "UpdateSubscription", Answer: &testserver.Reply{Status: 400, Body: "Too many, 4711"}}), has: 10, wish: 15, fails: "Too many, 4711"},
		"the subscription for an answer": {set: func(v *icp) { v.done = testserver.AsJSON(200, `{"AccountId":221929,"Fields":[]}`) }, has: 10, wish: 15, before: 10, after: 15, updates: 1},
		"another one for an answer":      {set: func(v *icp) { v.done = testserver.AsJSON(200, `{"AccountId":4711,"Fields":[]}`) }, has: 10, wish: 15, updates: 5, fails: "4711"},
		"lost after the work":            {set: withTrouble(testserver.Trouble{Service: "UpdateSubscription", Calls: 1, Worked: true, HangUp: true}), has: 10, wish: 15, before: 10, after: 15, updates: 2},
		"lost before the work":           {set: withTrouble(testserver.Trouble{Service: "UpdateSubscription", Calls: 1, HangUp: true}), has: 10, wish: 15, before: 10, after: 15, updates: 1},
		"500 after the work":             {set: withTrouble(testserver.Trouble{Service: "UpdateSubscription", Calls: 1, Worked: true, Answer: &testserver.Reply{Status: 500}}), has: 10, wish: 15, before: 10, after: 15, updates: 2},
		"session over":                   {set: func(v *icp) { v.sessionCalls = first(1) }, has: 10, wish: 15, before: 10, after: 15, updates: 1},
		"session over at the read back":  {set: func(v *icp) { v.sessionCalls = first(2) }, has: 10, wish: 15, before: 10, after: 15, updates: 1},
		"reads that are lost":            {set: withTrouble(testserver.Trouble{Service: "GetSubscription", Calls: 2, HangUp: true}), has: 10, wish: 15, before: 10, after: 15, updates: 1},
	}
	for _, spelling := range []string{"NumberOfCSPLicenses", "NumberofCSPLicenses", "NumberofCSPlicenses", "NumberOfCSLicenses", "NumberofCSLicenses"} {
		tests[spelling] = test{set: func(v *icp) { v.licences, v.deaf = spelling, true }, has: 10, wish: 15, before: 10, after: 15, updates: 1}
	}
	for name, set := range subscriptionReadings() {
		if strings.HasPrefix(name, "done said as") || strings.HasPrefix(name, "initial password") || strings.Contains(name, "members") || strings.Contains(name, "values") || strings.Contains(name, "decimals") || strings.Contains(name, "blanks") {
			tests[name] = test{set: set, has: float64(10), wish: 15, before: 10, after: 15, updates: 1}
		}
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				v := newICP()
				if tt.set != nil {
					tt.set(v)
				}
				v.sells(221929, tt.has)
				r := v.trade(t, changeLicenses, map[string]any{"subscription_account_id": 221929, "licenses": tt.wish})
				if len(v.updates) != tt.updates && !(tt.fails != "" && v.troubles != nil) {
					t.Errorf("updates %v", v.updates)
				}
				if tt.fails != "" {
					if r.result.Status != engine.Failed || !strings.Contains(fmt.Sprint(r.err), tt.fails) {
						t.Errorf("%v: %v, want %q", r.result.Status, r.err, tt.fails)
					}
					return
				}
				if want := map[string]any{"before": tt.before, "after": tt.after}; r.err != nil || !reflect.DeepEqual(r.result.Outputs, want) {
					t.Errorf("%v, want %v: %v", r.result.Outputs, want, r.err)
				}
			})
		})
	}
}

const chargeColumns = "company,company_account_id,company_vat_id,month,service,service_id,account_id,description,quantity,unit_cost,cost,unit_price,sale,currency,charge_interval,customer,service_code"

// Digits stay as they were written, and sums are exact.
func TestIntcomexExportInvoices(t *testing.T) {
	t.Parallel()
	charge := func(currency, cost, sale, more string) string {
		return fmt.Sprintf(`{"ServiceName":"Azure","ServiceId":"100113_A_1","AccountId":101444,"Costs":%s,"SalesPrice":%s,"Currency":%q%s}`, cost, sale, currency, more)
	}
	invoice := func(account int64, month, vat string, charges ...string) string {
		return fmt.Sprintf(`{"CompanyName":"Société; \"X\"\n, 1","CompanyAccountId":%d,"CompanyVatId":%s,"BillingInterval":%q,"Charges":[%s]}`, account, vat, month, strings.Join(charges, ","))
	}
	full := `,"PriceableItemDescription":" Azure; per \"unit\"\r\nof =SUM(A1)","UDRCValue":%s,"CostsOfUnit":%s,"SalesPriceOfUnit":%s,"ActualChargeInterval":"01.02.2020 - 01.03.2020","ServiceCode":"Z2000MSC09","EndCustomerName":"Ñandú \u2028 😀","BillingStartDate":null,"VendorReference":null,"Extra":{"a":[1]}`
	amounts := []string{"203.7700", "-307.2800", "0.0000", "4.240000", "1e-7", "-1E-7", "1e5", "0.1", "0.2", "12345678901234567890.123456", "-0.00", "789.7500", "1000000000000000000000", "0.30"}
	var all []string
	for i, amount := range amounts {
		all = append(all, charge("USD", amount, amounts[len(amounts)-1-i], fmt.Sprintf(full, "-4.0", "6.6000", amount)))
	}
	for name, tt := range map[string]struct {
		answer    string
		set       func(v *icp)
		companies int
		fails     []string
	}{
		"nothing":                    {answer: `[]`},
		"null":                       {answer: `null`},
		"empty":                      {answer: ``, fails: []string{"the answer is empty"}},
		"no charges":                 {answer: "[" + invoice(1, "02/2020", `"PT1"`) + "]", companies: 1},
		"charges null":               {answer: `[{"CompanyName":"A","CompanyAccountId":1,"BillingInterval":"02/2020","Charges":null}]`, companies: 1},
		"charges missing":            {answer: `[{"CompanyName":"A","CompanyAccountId":1,"BillingInterval":"02/2020"}]`, fails: []string{"[0]: missing member \"Charges\""}},
		"all kinds of digits":        {answer: "[" + invoice(1, "02/2020", `"EMPTY"`, all...) + "]", companies: 1},
		"two invoices of one":        {answer: "[" + invoice(1, "02/2020", `null`, all[0]) + "," + invoice(1, "02/2020", `"00123"`, all[1], all[2]) + "]", companies: 1},
		"several currencies":         {answer: "[" + invoice(9007199254740993, "02/2020", `"PT1"`, all[0], charge("EUR", "0.1", "-0.2", ""), charge("DOP", "1", "2", `,"UDRCValue":null,"CostsOfUnit":null,"ServiceCode":null`), all[1], charge("EUR", "0.20", "1.00", "")) + "," + invoice(2, "02/2020", `""`, all[3]) + "]", companies: 2},
		"another month":              {answer: "[" + invoice(1, "03/2020", `""`, all[0]) + "]", fails: []string{"02/2020", "03/2020"}},
		"mixed months":               {answer: "[" + invoice(1, "02/2020", `""`, all[0]) + "," + invoice(2, "03/2020", `""`, all[0]) + "," + invoice(3, "01/2020", `""`) + "]", fails: []string{"02/2020", "03/2020", "01/2020"}},
		"another month, no charges":  {answer: "[" + invoice(1, "03/2020", `""`) + "]", fails: []string{"03/2020"}},
		"month of another shape":     {answer: "[" + invoice(1, "2/2020", `""`, all[0]) + "]", fails: []string{"2/2020"}},
		"costs as text":              {answer: "[" + invoice(1, "02/2020", `""`, charge("USD", `"203.77"`, "1", "")) + "]", fails: []string{"Costs", "expected number", "203.77"}},
		"cost null":                  {answer: "[" + invoice(1, "02/2020", `""`, charge("USD", `null`, "1", "")) + "]", fails: []string{"Costs", "null"}},
		"no currency":                {answer: `[{"CompanyName":"A","CompanyAccountId":1,"BillingInterval":"02/2020","Charges":[{"ServiceName":"a","ServiceId":"b","AccountId":1,"Costs":1,"SalesPrice":1}]}]`, fails: []string{"Currency"}},
		"session over":               {answer: "[" + invoice(1, "02/2020", `"EMPTY"`, all...) + "]", set: func(v *icp) { v.sessionCalls = func(n int) int { return map[bool]int{true: -1}[n == 1] } }, companies: 1},
		"broken off once":            {answer: "[" + invoice(1, "02/2020", `"EMPTY"`, all...) + "]", set: withTrouble(testserver.Trouble{Service: "GetLatestInvoices", Calls: 1, Worked: true, Cut: true}), companies: 1},
		"gzip":                       {answer: "[" + invoice(1, "02/2020", `"EMPTY"`, all...) + "]", set: func(v *icp) { v.wire = testserver.Gzipped }, companies: 1},
		"words of sessions in names": {answer: strings.ReplaceAll("["+invoice(1, "02/2020", `"EMPTY"`, all...)+"]", "Azure", "session expired, invalid token"), companies: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				v := newICP()
				v.invoices = tt.answer
				if tt.set != nil {
					tt.set(v)
				}
				r := v.trade(t, exportInvoices, map[string]any{"month": "02/2020"})
				if tt.fails != nil {
					for _, want := range tt.fails {
						if r.result.Status != engine.Failed || !strings.Contains(fmt.Sprint(r.err), want) {
							t.Errorf("%v: %v, want %q", r.result.Status, r.err, want)
						}
					}
					return
				}
				if r.err != nil {
					t.Fatalf("%v after %v", r.err, v.asked)
				}
				checkCharges(t, tt.answer, r)
				if got := r.result.Outputs["companies"]; got != int64(tt.companies) {
					t.Errorf("%v companies, want %d", got, tt.companies)
				}
			})
		})
	}
}

// checkCharges compares the file and the totals with the platform's answer.
func checkCharges(t *testing.T, answer string, r *ran) {
	t.Helper()
	type amount = json.Number
	var invoices []struct {
		CompanyName      string
		CompanyAccountID amount `json:"CompanyAccountId"`
		CompanyVatID     string `json:"CompanyVatId"`
		BillingInterval  string
		Charges          []struct {
			ServiceName, Currency, PriceableItemDescription, ActualChargeInterval, EndCustomerName, ServiceCode string
			ServiceID                                                                                           string `json:"ServiceId"`
			AccountID                                                                                           amount `json:"AccountId"`
			Costs, SalesPrice, CostsOfUnit, SalesPriceOfUnit, UDRCValue                                         amount
		}
	}
	if answer != "" {
		if err := json.Unmarshal([]byte(answer), &invoices); err != nil {
			t.Fatal(err)
		}
	}
	want := [][]string{strings.Split(chargeColumns, ",")}
	sums := map[string][2]*big.Rat{}
	for _, i := range invoices {
		vat := i.CompanyVatID
		if vat == "EMPTY" {
			vat = ""
		}
		for _, c := range i.Charges {
			want = append(want, []string{
				i.CompanyName, i.CompanyAccountID.String(), vat, i.BillingInterval, c.ServiceName, c.ServiceID, c.AccountID.String(), c.PriceableItemDescription,
				c.UDRCValue.String(), c.CostsOfUnit.String(), c.Costs.String(), c.SalesPriceOfUnit.String(), c.SalesPrice.String(), c.Currency,
				c.ActualChargeInterval, c.EndCustomerName, c.ServiceCode,
			})
			if _, there := sums[c.Currency]; !there {
				sums[c.Currency] = [2]*big.Rat{new(big.Rat), new(big.Rat)}
			}
			for n, text := range []amount{c.Costs, c.SalesPrice} {
				x, ok := new(big.Rat).SetString(text.String())
				if !ok {
					t.Fatal(text)
				}
				sums[c.Currency][n].Add(sums[c.Currency][n], x)
			}
		}
	}
	file, _ := r.result.Outputs["charges"].(map[string]any)
	path, _ := file["file"].(string)
	text, err := os.ReadFile(path)
	if err != nil || filepath.Base(path) != "charges.csv" {
		t.Fatalf("%v: %v", r.result.Outputs["charges"], err)
	}
	got, err := csv.NewReader(strings.NewReader(strings.ReplaceAll(string(text), "\r\n", "\n"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range want[1:] {
		row[7] = strings.ReplaceAll(row[7], "\r\n", "\n")
	}
	if len(want) == 1 && len(got) == 0 {
		t.Errorf("no header in %q", text)
	} else if !reflect.DeepEqual(got, want) {
		t.Errorf("rows\n%q\nwant\n%q", got, want)
	}
	if n := r.result.Outputs["charge_count"]; n != int64(len(want)-1) {
		t.Errorf("charge_count %v, want %d", n, len(want)-1)
	}
	totals, _ := r.result.Outputs["totals"].([]any)
	if len(totals) != len(sums) {
		t.Fatalf("totals %v, want of %d currencies", totals, len(sums))
	}
	for _, each := range totals {
		total := each.(map[string]any)
		sum := sums[total["currency"].(string)]
		for n, name := range []string{"costs", "sales"} {
			x, ok := new(big.Rat).SetString(fmt.Sprint(total[name]))
			if !ok || x.Cmp(sum[n]) != 0 {
				t.Errorf("%s of %v are %v, want %s", name, total["currency"], total[name], sum[n].FloatString(8))
			}
		}
	}
}

// The answer holds all charges of all companies.
func TestIntcomexExportsManyInvoices(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := newICP()
		var b strings.Builder
		const companies, charges = 200, 100
		for i := range companies {
			fmt.Fprintf(&b, `,{"CompanyName":"Company %d","CompanyAccountId":%d,"CompanyVatId":"EMPTY","BillingInterval":"02/2020","Charges":[`, i, i)
			for j := range charges {
				if j > 0 {
					b.WriteByte(',')
				}
				fmt.Fprintf(&b, `{"ServiceName":"Azure","ServiceId":"100113_A_%d","AccountId":%d,"Costs":%d.%04d,"SalesPrice":-%d.%06d,"Currency":%q}`,
					j, i*1000+j, j, i, i, j, []string{"USD", "EUR", "DOP"}[j%3])
			}
			b.WriteString("]}")
		}
		v.invoices = "[" + b.String()[1:] + "]"
		r := v.trade(t, exportInvoices, map[string]any{"month": "02/2020"})
		if r.err != nil {
			t.Fatal(r.err)
		}
		checkCharges(t, v.invoices, r)
	})
}
