package vendortest_test

import (
	"encoding/json"
	"fmt"
	"github.com/seed627bd532/runner/engine/internal/testserver"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A market is the part of the platform that sells: tenants, products and invoices.
type market struct {
	marketReading

	subs     []*sub
	nextSub  int64
	ordered  map[string]int // subscriptions made, by company, service and what tells one from the next
	agreed   map[int64]int  // agreements taken, by tenant
	updates  []string       // taken, as account, field and value
	invoices string         // the answer, as it is written
}

// A sub is a tenant or a product.
type sub struct {
	id, parent, dependency int64
	service, display       string
	fields                 []subField
	born                   time.Time
	reads                  int
	due                    map[string]dueValue // updates that show later
}

type subField struct {
	name, display string
	value         any // nil: there is none yet
}

type dueValue struct {
	reads int
	value any
}

func (s *sub) tenant() bool {
	return strings.Contains(strings.ToLower(s.service), "organizationtenant")
}

func (s *sub) field(name string) *subField {
	for i := range s.fields {
		if strings.EqualFold(s.fields[i].name, name) {
			return &s.fields[i]
		}
	}
	return nil
}

// A marketReading is what the guide leaves open about subscriptions.
type marketReading struct {
	status    func(s *sub) string // at a read, or at the creation, when s.reads is 0
	licences  string              // how the field's name is written in answers
	value     func(v any) any     // how a field's value is shown
	renderSub func(m map[string]any)
	reveals   func(m map[string]any, s *sub) // puts the initial password into an answer
	results   func(service string, fields map[string]any) string
	refused   map[string]string // reasons of ValidateFields, by field
	done      testserver.Reply  // a success that has nothing to say
	early     testserver.Reply  // ACCEPTMCA of a tenant that is pending
	again     *testserver.Reply // ACCEPTMCA of what was accepted before; nil: as the first time
	// named is how ACCEPTMCA wants the service spelt; nil: in any case.
	named func(s *sub) string
	takes func(s *sub, field *subField, value any)
	deaf  bool // updates of fields that are spelt otherwise than in answers are passed over
}

// initialPassword is not in any other text either.
const initialPassword = `Kuv&9/"xk" +%ñ<`

const (
	tenantService = "100113_MicrosoftOrganizationtenant_19355"
	oneDrive      = "100113_INTXOneDriveForBusinessPlan1_66995"
	office        = "100113_INTXOffice365EnterprisE3_66729"
)

func newMarket() market {
	return market{
		nextSub: 221909,
		ordered: map[string]int{},
		agreed:  map[int64]int{},
		marketReading: marketReading{
			status:    pendingFor(2, "Pending", "Completed"),
			licences:  "NumberofCSPLicenses",
			value:     func(v any) any { return v },
			renderSub: func(map[string]any) {},
			reveals:   inField("InitialPassword", "Initial Password"),
			done:      testserver.AsJSON(200, "null"),
			early:     testserver.Plain(400, "The account is pending, 4711"),
			takes:     func(_ *sub, field *subField, value any) { field.value = value },
		},
		invoices: "[]",
	}
}

// pendingFor says pending for so many reads, and done afterwards.
func pendingFor(reads int, pending, done string) func(*sub) string {
	return func(s *sub) string {
		if s.reads <= reads {
			return pending
		}
		return done
	}
}

func pendingUntil(age time.Duration, pending, done string) func(*sub) string {
	return func(s *sub) string {
		if time.Since(s.born) < age {
			return pending
		}
		return done
	}
}

// inField shows the password as the value of a field of a tenant that is complete.
func inField(name, display string) func(map[string]any, *sub) {
	return func(m map[string]any, s *sub) {
		field := map[string]any{"Name": name, "DisplayName": display}
		if s.reads > 0 {
			field["Value"] = initialPassword
		}
		m["Fields"] = append(m["Fields"].([]any), field)
	}
}

// subscribe does the work of the services of the market; nil when it has none of this name.
func (v *icp) subscribe(service string, body []byte) *testserver.Reply {
	var answer testserver.Reply
	switch service {
	case "ValidateFields":
		answer = v.validateFields(body)
	case "CreateSubscription":
		answer = v.createSubscription(body)
	case "ExecuteAccountCustomAction":
		answer = v.customAction(body)
	case "GetSubscription":
		answer = v.getSubscription(body)
	case "UpdateSubscription":
		answer = v.updateSubscription(body)
	case "GetLatestInvoices":
		if string(body) != "{}" {
			v.complain("GetLatestInvoices: body %q", body)
		}
		answer = testserver.AsJSON(200, v.invoices)
	default:
		return nil
	}
	return &answer
}

// An order is what ValidateFields and CreateSubscription are sent.
type subOrder struct {
	ContractID         *string        `json:"ContractId"`
	AccountID          *int64         `json:"AccountId"`
	Fields             map[string]any `json:"Fields"`
	ParentAccountID    *int64         `json:"ParentAccountId"`
	ServiceName        string         `json:"ServiceName"`
	ServiceDisplayName *string        `json:"ServiceDisplayName"`
}

// order reads one, and says what is amiss with it.
func (v *icp) order(service string, body []byte) (o subOrder, amiss string) {
	var in struct {
		SubscriptionAccount map[string]json.RawMessage `json:"subscriptionAccount"`
	}
	if !v.read(service, body, &in) {
		return o, "bad request"
	}
	inner, _ := json.Marshal(in.SubscriptionAccount)
	if !v.read(service, inner, &o) {
		return o, "bad request"
	}
	for name, text := range in.SubscriptionAccount {
		if string(text) == "null" {
			v.complain("%s: %s is null", service, name)
		}
	}
	tenant := strings.EqualFold(o.ServiceName, tenantService)
	required := map[string]string{
		"Primarydomainname": "s", "Primarycontactfirstname": "s", "Primarycontactlastname": "s", "PrimaryContactEmailAddress": "s",
		"SpecialQualifications": "s", "Phone": "s", "MicrosoftpartnerID": "s", "ExistingOffice365customer": "b", "PostalCode": "s",
	}
	if !tenant {
		required = map[string]string{"NumberOfCSPLicenses": "n", "BillingType": "s"}
	}
	kinds := map[string]string{}
	for name, value := range o.Fields {
		switch value.(type) {
		case string:
			kinds[name] = "s"
		case bool:
			kinds[name] = "b"
		case float64:
			kinds[name] = "n"
		}
	}
	if !maps.Equal(kinds, required) {
		v.complain("%s: fields %v", service, o.Fields)
		return o, "Fields are not those of the service"
	}
	if o.ParentAccountID == nil || !slices.ContainsFunc(v.companies, func(c company) bool {
		return c["AccountId"] == *o.ParentAccountID && c["AccountType"] == "Company"
	}) {
		v.complain("%s: the parent is no company", service)
		return o, "ParentAccountId is wrong"
	}
	if tenant != (o.AccountID == nil) {
		v.complain("%s: AccountId of %s", service, o.ServiceName)
		return o, "AccountId is wrong"
	}
	if o.AccountID != nil {
		owner := v.sub(*o.AccountID)
		switch {
		case owner == nil || !owner.tenant() || owner.parent != *o.ParentAccountID:
			v.complain("%s: account %d is no tenant of the company", service, *o.AccountID)
			return o, "AccountId is wrong"
		case v.agreed[owner.id] == 0:
			v.complain("%s: the agreement is missing", service)
			return o, "MCA is missing"
		}
	}
	return o, ""
}

func (v *icp) sub(id int64) *sub {
	for _, s := range v.subs {
		if s.id == id {
			return s
		}
	}
	return nil
}

func (v *icp) validateFields(body []byte) testserver.Reply {
	o, amiss := v.order("ValidateFields", body)
	if amiss == "" && o.AccountID != nil && (o.ContractID == nil || o.ServiceDisplayName == nil) {
		amiss = "ContractId or ServiceDisplayName is missing" // the sample for products has them
		v.complain("ValidateFields: %s", amiss)
	}
	if amiss != "" {
		return testserver.Plain(400, amiss)
	}
	if v.results != nil {
		return testserver.AsJSON(200, v.results(o.ServiceName, o.Fields))
	}
	looked := []string{"Primarydomainname", "MicrosoftpartnerID", "PostalCode"}
	if o.AccountID != nil {
		looked = []string{"NumberOfCSPLicenses"}
	}
	var results []map[string]any
	for _, name := range looked {
		if reason, refused := v.refused[name]; refused {
			results = append(results, map[string]any{"Result": "FAILED", "ErrorDetails": reason, "FieldName": name})
		} else {
			results = append(results, map[string]any{"Result": "OK", "FieldName": name})
		}
	}
	text, _ := json.Marshal(results)
	return testserver.AsJSON(200, string(text))
}

func (v *icp) createSubscription(body []byte) testserver.Reply {
	o, amiss := v.order("CreateSubscription", body)
	if amiss == "" && (o.ContractID == nil || o.ServiceDisplayName == nil) {
		amiss = "ContractId or ServiceDisplayName is missing"
		v.complain("CreateSubscription: %s", amiss)
	}
	if amiss != "" {
		return testserver.Plain(400, amiss)
	}
	s := &sub{id: v.nextSub, parent: *o.ParentAccountID, service: o.ServiceName, display: *o.ServiceDisplayName, born: time.Now()}
	v.nextSub += 10
	if o.AccountID != nil {
		s.dependency = *o.AccountID
		s.fields = []subField{
			{"BillingType", "Billing Type", o.Fields["BillingType"]},
			{v.licences, "Number of CSP licenses", o.Fields["NumberOfCSPLicenses"]},
			{"OcpSubscriptionId", "OcpSubscriptionId", nil},
			{"OfferId", "OfferId", "90d3615e-aa96-478e-b6ce-8eb1e9a96b4b"},
		}
	} else {
		for _, name := range slices.Sorted(maps.Keys(o.Fields)) {
			s.fields = append(s.fields, subField{name, name, o.Fields[name]})
		}
		s.fields = append(s.fields, subField{"MicrosoftTenantId", "Microsoft Tenant Id", nil}, subField{"MCAsigningstatus", "MCA signing status", nil})
	}
	v.subs = append(v.subs, s)
	v.ordered[fmt.Sprint(s.parent, " ", strings.ToLower(s.service), " ", o.Fields["Primarydomainname"], o.Fields["BillingType"])]++
	return testserver.AsJSON(v.createdAs, v.showSub(s))
}

func (v *icp) showSub(s *sub) string {
	m := map[string]any{
		"ParentAccountId": s.parent, "ParentType": "Company", "AccountId": s.id, "AccountState": "Active",
		"ServiceName": s.service, "ServiceDisplayName": s.display, "ProvisioningStatus": v.status(s), "ErrorDetails": "",
		"PriceableItems": []any{map[string]any{
			"ChargeType": "Monthly", "PriceableItemDescription": s.display, "IsUDRCField": false,
			"PurchasePrice": json.Number("4.240000"), "SalesPrice": json.Number("5.000000"), "SuggestedRetailPrice": json.Number("5.000000"), "Currency": "USD",
		}},
	}
	if s.dependency != 0 {
		m["DependencyAccountId"] = s.dependency
		m["DependencyServiceName"] = "100113_MicrosoftOrganizationTenant_19355"
	}
	fields := []any{}
	for _, f := range s.fields {
		field := map[string]any{"Name": f.name, "DisplayName": f.display}
		if f.value != nil {
			field["Value"] = v.value(f.value)
		}
		fields = append(fields, field)
	}
	m["Fields"] = fields
	if s.tenant() {
		v.reveals(m, s)
	}
	v.renderSub(m)
	text, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return string(text)
}

var dotted = regexp.MustCompile(`^\d\d\.\d\d\.\d{4}$`)

func (v *icp) customAction(body []byte) testserver.Reply {
	const service = "ExecuteAccountCustomAction"
	var in struct {
		Action              string                     `json:"action"`
		SubscriptionAccount map[string]json.RawMessage `json:"subscriptionAccount"`
	}
	var account struct {
		AccountID   int64                      `json:"AccountId"`
		Fields      map[string]json.RawMessage `json:"Fields"`
		ServiceName string                     `json:"ServiceName"`
	}
	var fields struct {
		Confirmation bool   `json:"_CA_ACCEPTMCA_Confirmation"`
		FirstName    string `json:"_CA_ACCEPTMCA_FirstName"`
		LastName     string `json:"_CA_ACCEPTMCA_LastName"`
		Email        string `json:"_CA_ACCEPTMCA_EmailAddresses"`
		Date         string `json:"_CA_ACCEPTMCA_DateofAcceptance"`
	}
	if !v.read(service, body, &in) {
		return testserver.Plain(400, "bad request")
	}
	inner, _ := json.Marshal(in.SubscriptionAccount)
	if !v.read(service, inner, &account) {
		return testserver.Plain(400, "bad request")
	}
	innermost, _ := json.Marshal(account.Fields)
	if !v.read(service, innermost, &fields) {
		return testserver.Plain(400, "bad request")
	}
	s := v.sub(account.AccountID)
	switch {
	case s == nil || !s.tenant() || in.Action != "ACCEPTMCA" || !fields.Confirmation || fields.FirstName == "" || fields.LastName == "" || fields.Email == "" || !dotted.MatchString(fields.Date):
		v.complain("%s: %s", service, body)
		return testserver.Plain(400, "bad request")
	case !strings.EqualFold(account.ServiceName, s.service):
		v.complain("%s: service %s", service, account.ServiceName)
		return testserver.Plain(400, "bad request")
	case v.named != nil && account.ServiceName != v.named(s):
		return testserver.Plain(400, "The service is not known")
	case !strings.EqualFold(strings.TrimSpace(v.status(s)), "completed") && !strings.EqualFold(v.status(s), "active"):
		return v.early
	case v.agreed[s.id] > 0 && v.again != nil:
		return *v.again
	}
	v.agreed[s.id]++
	s.field("MCAsigningstatus").value = "Signed " + fields.Date
	return v.done
}

func (v *icp) getSubscription(body []byte) testserver.Reply {
	var in struct {
		AccountID *int64 `json:"accountId"`
	}
	if !v.read("GetSubscription", body, &in) || in.AccountID == nil {
		return testserver.Plain(400, "accountId is missing")
	}
	s := v.sub(*in.AccountID)
	if s == nil {
		return testserver.Plain(404, "Subscription not found")
	}
	s.reads++
	for name, due := range s.due {
		if s.reads > due.reads {
			s.field(name).value = due.value
		}
	}
	return testserver.AsJSON(200, v.showSub(s))
}

func (v *icp) updateSubscription(body []byte) testserver.Reply {
	const service = "UpdateSubscription"
	var in struct {
		Subscription map[string]json.RawMessage `json:"subscription"`
	}
	var change struct {
		AccountID       int64             `json:"AccountId"`
		Fields          []json.RawMessage `json:"Fields"`
		ParentAccountID int64             `json:"ParentAccountID"`
		ServiceName     string            `json:"ServiceName"`
	}
	if !v.read(service, body, &in) {
		return testserver.Plain(400, "bad request")
	}
	inner, _ := json.Marshal(in.Subscription)
	if !v.read(service, inner, &change) {
		return testserver.Plain(400, "bad request")
	}
	s := v.sub(change.AccountID)
	if s == nil || s.parent != change.ParentAccountID || s.service != change.ServiceName || len(change.Fields) != 1 {
		v.complain("%s: %s", service, body)
		return testserver.Plain(400, "bad request")
	}
	var field struct {
		Name  string `json:"name"`
		Value int64  `json:"value"`
	}
	if !v.read(service, change.Fields[0], &field) {
		return testserver.Plain(400, "bad request")
	}
	v.updates = append(v.updates, fmt.Sprint(change.AccountID, " ", field.Name, " ", field.Value))
	target := s.field(field.Name)
	if target == nil || v.deaf && target.name != field.Name {
		return v.done // it says nothing, and does nothing
	}
	v.takes(s, target, float64(field.Value))
	return v.done
}

// sells adds a product, with so many licences, of a tenant with an agreement.
func (v *icp) sells(id int64, licences any) *sub {
	v.companies = append(v.companies, existing(218539, "PT1", "ONE"))
	v.agreed[221000] = 1
	s := &sub{id: id, parent: 218539, dependency: 221000, service: oneDrive, display: "OneDrive for Business (Plan 1)", reads: 99, fields: []subField{
		{"BillingType", "Billing Type", "Monthly"},
		{v.licences, "Number of CSP licenses", licences},
		{"OcpSubscriptionId", "OcpSubscriptionId", "5F488E2E-CC6D-49F3-953C-4093D6A21ADD"},
	}}
	v.subs = append(v.subs, s)
	return s
}
