package sandbox

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The samples of the guide, as its tables print them.
const (
	tenantFields = `{"Primarydomainname": "apitestingxyz", "Primarycontactfirstname": "Nombre", "Primarycontactlastname": "Apellido", ` +
		`"PrimaryContactEmailAddress": "test@test.com", "SpecialQualifications": "None", "Phone": "12345678", ` +
		`"MicrosoftpartnerID": "6147682", "ExistingOffice365customer": false, "PostalCode": "HM 02"}`
	tenantOrder = `{"subscriptionAccount": {"ContractId": "", "Fields": ` + tenantFields + `, "ParentAccountId": 218539, ` +
		`"ServiceName": "100113_MicrosoftOrganizationtenant_19355", "ServiceDisplayName": "Microsoft Organization tenant"}}`
	agreement = `{"action": "ACCEPTMCA", "subscriptionAccount": {"AccountId": 321909, "Fields": {"_CA_ACCEPTMCA_Confirmation": true, ` +
		`"_CA_ACCEPTMCA_FirstName": "Test", "_CA_ACCEPTMCA_LastName": "API", "_CA_ACCEPTMCA_EmailAddresses": "test@test.com", ` +
		`"_CA_ACCEPTMCA_DateofAcceptance": "20.05.2020"}, "ServiceName": "100113_MicrosoftOrganizationTenant_19355"}}`
	productOrder = `{"subscriptionAccount": {"ContractId": "", "AccountId": 321909, "Fields": {"NumberOfCSPLicenses": 10, ` +
		`"BillingType": "Monthly"}, "ParentAccountId": 218539, "ServiceName": "100113_INTXOneDriveForBusinessPlan1_66995", ` +
		`"ServiceDisplayName": "OneDrive for Business (Plan 1)"}}`
	licenseChange = `{"subscription": {"AccountId": 218778, "Fields": [{"name": "NumberofCSLicenses", "value": 15}], ` +
		`"ParentAccountID": 217559, "ServiceName": "100113_INTXOneDriveForBusinessPlan1_66995"}}`
)

// The guide's answers to these, with accounts of the sandbox's own.
const (
	tenantMade = `{"ParentAccountId":218539,"ParentType":"Company","AccountId":321909,"AccountState":"Active",` +
		`"ServiceName":"100113_MicrosoftOrganizationtenant_19355","ServiceDisplayName":"Microsoft Organization tenant",` +
		`"ProvisioningStatus":"Pending","ErrorDetails":"","Fields":[` +
		`{"Name":"AdministratorUserName","DisplayName":"Administrator User Name"},` +
		`{"Name":"ExistingOffice365customer","DisplayName":"Existing Office 365 customer","Value":false},` +
		`{"Name":"ExistingOffice365customerinvitationURL","DisplayName":"Existing Office 365 customer invitation URL"},` +
		`{"Name":"InitialPassword","DisplayName":"Initial Password"},` +
		`{"Name":"MicrosoftpartnerID","DisplayName":"Microsoft partner ID","Value":"6147682"},` +
		`{"Name":"MicrosoftTenantId","DisplayName":"Microsoft Tenant Id"},` +
		`{"Name":"Phone","DisplayName":"Phone","Value":"12345678"},` +
		`{"Name":"PostalCode","DisplayName":"Postal Code","Value":"HM 02"},` +
		`{"Name":"PrimaryContactEmailAddress","DisplayName":"Primary Contact Email Address","Value":"test@test.com"},` +
		`{"Name":"Primarycontactfirstname","DisplayName":"Primary contact first name","Value":"Nombre"},` +
		`{"Name":"Primarycontactlastname","DisplayName":"Primary contact last name","Value":"Apellido"},` +
		`{"Name":"Primarydomainname","DisplayName":"Primary domain name","Value":"apitestingxyz"},` +
		`{"Name":"ResellerTenantID","DisplayName":"Reseller Tenant ID"},` +
		`{"Name":"SpecialQualifications","DisplayName":"Special Qualifications","Value":"None"},` +
		`{"Name":"MCAsigningstatus","DisplayName":"MCA signing status"}],"PriceableItems":[` +
		`{"ChargeType":"Subscription","PriceableItemDescription":"Microsoft Organization tenant Subscription Fee",` + free + `,` +
		`{"ChargeType":"Monthly","PriceableItemDescription":"Microsoft Organization tenant",` + free + `]}`
	productMade = `{"ParentAccountId":218539,"ParentType":"Company","AccountId":321910,"AccountState":"Active",` +
		`"ServiceName":"100113_INTXOneDriveForBusinessPlan1_66995","ServiceDisplayName":"OneDrive for Business (Plan 1)",` +
		`"ProvisioningStatus":"Pending","DependencyAccountId":321909,"DependencyServiceName":"100113_MicrosoftOrganizationTenant_19355",` +
		`"ErrorDetails":"","Fields":[{"Name":"BillingType","DisplayName":"Billing Type","Value":"Monthly"},` +
		`{"Name":"NumberofCSPLicenses","DisplayName":"Number of CSP licenses","Value":10},` +
		`{"Name":"OcpSubscriptionId","DisplayName":"OcpSubscriptionId"},` +
		`{"Name":"OfferId","DisplayName":"OfferId","Value":"90d3615e-aa96-478e-b6ce-8eb1e9a96b4b"},` +
		`{"Name":"Subscriptionenddate","DisplayName":"Subscription end date"},` +
		`{"Name":"Subscriptionstartdate","DisplayName":"Subscription start date"}],"PriceableItems":[` +
		`{"ChargeType":"Subscription","PriceableItemDescription":"OneDrive for Business (Plan 1) Subscription Fee",` + free + `,` +
		`{"ChargeType":"Monthly","PriceableItemDescription":"OneDrive for Business (Plan 1)",` + free + `,` +
		`{"ChargeType":"Monthly","PriceableItemDescription":"OneDrive for Business (Plan 1) with Billing Type Monthly per unit of NumberofCSPLicenses",` +
		`"FieldName":"NumberofCSPLicenses","IsUDRCField":true,"PurchasePrice":4.240000,"SalesPrice":5.000000,"SuggestedRetailPrice":5.000000,"Currency":"USD"}]}`
	free = `"IsUDRCField":false,"PurchasePrice":0.000000,"SalesPrice":0.000000,"SuggestedRetailPrice":0.000000,"Currency":"USD"}`
)

// settled returns what a subscription looks like later: with these replacements.
func settled(made string, pairs ...string) string {
	return strings.NewReplacer(append(pairs, `"Pending"`, `"Completed"`)...).Replace(made)
}

func TestIntcomexSubscribesAsItsGuideSays(t *testing.T) {
	t.Parallel()
	box, token := intcomex(t)
	tenantReady := settled(tenantMade,
		`Administrator User Name"`, `Administrator User Name","Value":"admin@apitestingxyz.onmicrosoft.com"`,
		`Initial Password"`, `Initial Password","Value":"Kuv-321909/\"xk\""`,
		`Microsoft Tenant Id"`, `Microsoft Tenant Id","Value":"6C1D6A02-8F5D-4C3B-9A57-000000321909"`,
		`Reseller Tenant ID"`, `Reseller Tenant ID","Value":"0B1F3E52-2F0C-4E0A-8D0E-000000100407"`)
	signed := strings.Replace(tenantReady, `signing status"`, `signing status","Value":"Signed"`, 1)
	productReady := settled(productMade,
		`"DisplayName":"OcpSubscriptionId"`, `"DisplayName":"OcpSubscriptionId","Value":"5F488E2E-CC6D-49F3-953C-000000321910"`,
		`"Subscription end date"`, `"Subscription end date","Value":"2021-06-02T00:00:00Z"`,
		`"Subscription start date"`, `"Subscription start date","Value":"2020-05-20T00:00:00Z"`)
	for i, step := range []struct {
		service, body string
		status        int
		text          string
	}{
		{"/CreateSubscription", tenantOrder, 200, tenantMade},
		{"/ExecuteAccountCustomAction", agreement, 400, "The action is not possible: the provisioning status is Pending"},
		{"/CreateSubscription", productOrder, 400, "The Microsoft Organization tenant is pending"},
		{"/GetSubscription", `{"accountId": 321909}`, 200, tenantMade},
		{"/GetSubscription", `{"accountId": 321909}`, 200, tenantReady},
		{"/CreateSubscription", productOrder, 400, "The Microsoft Cloud Agreement has not been accepted"},
		{"/ExecuteAccountCustomAction", agreement, 200, "null"},
		{"/ExecuteAccountCustomAction", agreement, 200, "null"},
		{"/GetSubscription", `{"accountId": 321909}`, 200, signed},
		{"/CreateSubscription", productOrder, 200, productMade},
		{"/GetSubscription", `{"accountId": 321910}`, 200, productMade},
		{"/GetSubscription", `{"accountId": 321910}`, 200, productReady},
		{"/GetSubscription", `{"accountId": 321911}`, 404, "There is no subscription with this account"},
	} {
		if status, text := ask(t, box, token, step.service, step.body); status != step.status || text != step.text {
			t.Errorf("step %d, %s\n got %d %s\nwant %d %s", i+1, step.service, status, text, step.status, step.text)
		}
	}
	want := "map[subscribe:map[218539 100113_INTXOneDriveForBusinessPlan1_66995 Monthly:1 218539 100113_MicrosoftOrganizationtenant_19355 apitestingxyz:1]]"
	if stats := box.Stats(); fmt.Sprint(stats.Creates) != want || len(stats.Errors) > 0 {
		t.Errorf("creates: got %v, errors %v\nwant %s", stats.Creates, stats.Errors, want)
	}
}

func TestIntcomexValidatesFields(t *testing.T) {
	t.Parallel()
	box, token := intcomex(t)
	ask(t, box, token, "/CreateCompany", create) // 221863, of Bermuda
	sample := strings.NewReplacer("apitestingxyz", "prueba", "HM 02", "00001", "218539", "221863").Replace(
		`{"subscriptionAccount": {"Fields": ` + tenantFields + `, "ServiceName": "100113_MicrosoftOrganizationtenant_19355", "ParentAccountId": 218539}}`)
	result := func(field, fault string) string {
		if fault == "" {
			return `{"Result":"OK","FieldName":"` + field + `"}`
		}
		return `{"Result":"FAILED","ErrorDetails":"\"` + fault + `\"","FieldName":"` + field + `"}`
	}
	tenant := func(domain, partner, code string) string {
		return "[" + result("Primarydomainname", domain) + "," + result("MicrosoftpartnerID", partner) + "," + result("PostalCode", code) + "]"
	}
	product := func(licenses, billing string) string {
		return "[" + result("NumberOfCSPLicenses", licenses) + "," + result("BillingType", billing) + "]"
	}
	for _, test := range []struct {
		name, body string
		replace    []string
		want       string
	}{
		{"the guide's sample", sample, nil, tenant("Domain already in use.", "", "Postal code format not valid for Bermuda")},
		{"the corrected one", sample, []string{"prueba", "libre", "00001", "HM 02"}, tenant("", "", "")},
		{"keys in other cases", sample, []string{"prueba", "libre", "00001", "HM 02", "Primarydomainname", "PrimaryDomainName"}, tenant("", "", "")},
		{"another country", sample, []string{"prueba", "libre", "221863", "217559"}, tenant("", "", "")},
		{"no domain", sample, []string{"prueba", "a b", "00001", "HM 02"}, tenant("Domain name not valid.", "", "")},
		{"no partner", sample, []string{"prueba", "libre", "00001", "HM 02", "6147682", ""}, tenant("", "Microsoft partner ID not valid.", "")},
		{"a product", productOrder, nil, product("", "")},
		{"licences in another spelling", productOrder, []string{"NumberOfCSPLicenses", "NumberofCSLicenses"}, product("", "")},
		{"licences as text", productOrder, []string{": 10", `: "10"`}, product("", "")},
		{"no licences", productOrder, []string{": 10", ": 0"}, product("Number of CSP licenses must be 1 or more.", "")},
		{"another billing", productOrder, []string{"Monthly", "monthly"}, product("", "Billing Type not valid.")},
	} {
		body := strings.NewReplacer(test.replace...).Replace(test.body)
		if status, text := ask(t, box, token, "/ValidateFields", body); status != 200 || text != test.want {
			t.Errorf("%s\n got %d %s\nwant 200 %s", test.name, status, text, test.want)
		}
	}
	ask(t, box, token, "/CreateSubscription", tenantOrder)
	if _, text := ask(t, box, token, "/ValidateFields", tenantOrder); text != tenant("Domain already in use.", "", "") {
		t.Errorf("the domain of a new tenant is free: %s", text)
	}
}

func TestIntcomexUpdatesLicences(t *testing.T) {
	t.Parallel()
	box, token := intcomex(t)
	for _, test := range []struct {
		name    string
		replace []string
		want    string
	}{
		{"as in the guide's last sample", nil, "15"},
		{"as in its first sample", []string{"NumberofCSLicenses", "NumberofCSPLicenses", "15", "16"}, "16"},
		{"in yet another case", []string{"NumberofCSLicenses", "NumberofCSPlicenses", "15", "0"}, "0"},
		{"another field is passed over", []string{"NumberofCSLicenses", "Licenses", "15", "17"}, "0"},
		{"the service in another case", []string{"OneDriveForBusiness", "OnedriveForBusiness", "15", "18"}, "18"},
	} {
		body := strings.NewReplacer(test.replace...).Replace(licenseChange)
		if status, text := ask(t, box, token, "/UpdateSubscription", body); status != 200 || text != "null" {
			t.Errorf("%s: got %d %s", test.name, status, text)
		}
		_, text := ask(t, box, token, "/GetSubscription", `{"accountId": 218778}`)
		field := `{"Name":"NumberOfCSLicenses","DisplayName":"Number of CSP licenses","Value":` + test.want + `}`
		if !strings.Contains(text, field) {
			t.Errorf("%s: want %s in %s", test.name, field, text)
		}
	}
}

func TestIntcomexRefusesBadSubscriptions(t *testing.T) {
	t.Parallel()
	box, token := intcomex(t)
	ask(t, box, token, "/CreateSubscription", tenantOrder)
	for range 2 {
		ask(t, box, token, "/GetSubscription", `{"accountId": 321909}`)
	}
	for _, test := range []struct {
		service, body, from, to string
		status                  int
		text                    string
	}{
		{"/ValidateFields", tenantOrder, `"subscriptionAccount"`, `"subscription"`, 400, "subscriptionAccount is required"},
		{"/ValidateFields", tenantOrder, `"ParentAccountId"`, `"ParentAccountID"`, 400, "ParentAccountId is required"},
		{"/ValidateFields", tenantOrder, `218539`, `100407`, 400, "ParentAccountId is not the account of a company"},
		{"/ValidateFields", tenantOrder, tenantFields, `[{"name": "Primarydomainname", "value": "x"}]`, 400, "Fields must be an object"},
		{"/CreateSubscription", tenantOrder, `"subscriptionAccount"`, `"subscription"`, 400, "subscriptionAccount is required"},
		{"/CreateSubscription", tenantOrder, `"ServiceDisplayName"`, `"DisplayName"`, 400, "ServiceDisplayName is required"},
		{"/CreateSubscription", tenantOrder, `218539`, `100407`, 400, "ParentAccountId is not the account of a company"},
		{"/CreateSubscription", tenantOrder, tenantFields, `[]`, 400, "Fields must be an object"},
		{"/CreateSubscription", tenantOrder, `"Phone": "12345678", `, ``, 400, "Phone is required"},
		{"/CreateSubscription", productOrder, `"NumberOfCSPLicenses": 10, `, ``, 400, "NumberofCSPLicenses is required"},
		{"/CreateSubscription", productOrder, `"AccountId": 321909`, `"AccountId": 218539`, 400, "The service requires a Microsoft Organization tenant of the company"},
		{"/CreateSubscription", productOrder, `"AccountId": 321909, `, ``, 400, "The service requires a Microsoft Organization tenant of the company"},
		{"/CreateSubscription", productOrder, `218539`, `217559`, 400, "The service requires a Microsoft Organization tenant of the company"},
		{"/ExecuteAccountCustomAction", agreement, `"ACCEPTMCA"`, `"AcceptMCA"`, 400, "The action is not known"},
		{"/ExecuteAccountCustomAction", agreement, `321909`, `321910`, 404, "There is no subscription with this account"},
		{"/ExecuteAccountCustomAction", agreement, `321909`, `221929`, 400, "The service does not have this action"},
		{"/ExecuteAccountCustomAction", agreement, `_19355`, `_1`, 400, "The service does not have this action"},
		{"/ExecuteAccountCustomAction", agreement, `"_CA_ACCEPTMCA_Confirmation": true`, `"_CA_ACCEPTMCA_Confirmation": false`, 400, "_CA_ACCEPTMCA_Confirmation must be true"},
		{"/ExecuteAccountCustomAction", agreement, `"Test"`, `" "`, 400, "_CA_ACCEPTMCA_FirstName is required"},
		{"/ExecuteAccountCustomAction", agreement, `20.05.2020`, `2020-05-20`, 400, "_CA_ACCEPTMCA_DateofAcceptance must be written dd.mm.yyyy"},
		{"/ExecuteAccountCustomAction", agreement, `20.05.2020`, `05.20.2020`, 400, "_CA_ACCEPTMCA_DateofAcceptance must be written dd.mm.yyyy"},
		{"/UpdateSubscription", licenseChange, `"subscription"`, `"subscriptionAccount"`, 400, "subscription is required"},
		{"/UpdateSubscription", licenseChange, `"ParentAccountID"`, `"ParentAccountId"`, 400, "ParentAccountID is required"},
		{"/UpdateSubscription", licenseChange, `[{"name": "NumberofCSLicenses", "value": 15}]`, `{"NumberofCSLicenses": 15}`, 400, "Fields must be a list"},
		{"/UpdateSubscription", licenseChange, `217559`, `217560`, 404, "There is no subscription with this account"},
		{"/GetLatestInvoices", ``, ``, ``, 400, "A body is required"},
	} {
		body := strings.Replace(test.body, test.from, test.to, 1)
		if test.to == `217559` {
			body = strings.ReplaceAll(test.body, test.from, test.to)
		}
		if status, text := ask(t, box, token, test.service, body); status != test.status || text != test.text {
			t.Errorf("%s with %s\n got %d %s\nwant %d %s", test.service, test.to, status, text, test.status, test.text)
		}
	}
	if made := box.Stats().Creates["subscribe"]; len(made) != 1 {
		t.Errorf("refused creates are counted: %v", made)
	}
}

func TestIntcomexRefusesChangesByReaders(t *testing.T) {
	t.Parallel()
	box, _ := intcomex(t)
	_, text := ask(t, box, "", "/GetSessionToken", `{"username": "reader", "password": "reader"}`)
	var token string
	if err := json.Unmarshal([]byte(text), &token); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		service, body string
		status        int
	}{
		{"/ValidateFields", tenantOrder, 200},
		{"/GetSubscription", `{"accountId": 221929}`, 200},
		{"/GetLatestInvoices", `{}`, 200},
		{"/CreateSubscription", tenantOrder, 403},
		{"/ExecuteAccountCustomAction", strings.Replace(agreement, "321909", "221909", 1), 403},
		{"/UpdateSubscription", licenseChange, 403},
	} {
		if status, text := ask(t, box, token, test.service, test.body); status != test.status {
			t.Errorf("%s: got %d %s, want %d", test.service, status, text, test.status)
		}
	}
}

func TestIntcomexProvisionsInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box, token := intcomex(t)
		expect := func(when string, account int, status, details string) {
			t.Helper()
			_, text := ask(t, box, token, "/GetSubscription", fmt.Sprintf(`{"accountId": %d}`, account))
			var got struct{ ProvisioningStatus, ErrorDetails string }
			if err := json.Unmarshal([]byte(text), &got); err != nil || got.ProvisioningStatus != status || got.ErrorDetails != details {
				t.Errorf("%s: got %s, want %s %s", when, text, status, details)
			}
		}
		for _, domain := range []string{"rapido", "lento", "prueba"} {
			if status, text := ask(t, box, token, "/CreateSubscription", strings.ReplaceAll(tenantOrder, "apitestingxyz", domain)); status != 200 {
				t.Fatalf("%s: got %d %s", domain, status, text)
			}
		}
		withdrawn := strings.NewReplacer("321909", "221909", "INTXOneDriveForBusinessPlan1_66995", "INTXOffice365EnterprisE3_66729").Replace(productOrder)
		if status, text := ask(t, box, token, "/CreateSubscription", withdrawn); status != 200 {
			t.Fatalf("a withdrawn offer: got %d %s", status, text)
		}
		time.Sleep(30 * time.Second)
		expect("the first look after half a minute", 321909, "Completed", "")
		expect("a domain in use", 321911, "Failed", "Domain already in use.")
		expect("a withdrawn offer", 321912, "Failed", "The offer is not available any more.")
		expect("a slow domain", 321910, "Pending", "")
		expect("a slow domain, looked at again", 321910, "Pending", "")
		time.Sleep(time.Hour)
		_, text := ask(t, box, "", "/GetSessionToken", `{"username": "demo", "password": "demo-password"}`)
		if err := json.Unmarshal([]byte(text), &token); err != nil {
			t.Fatal(err)
		}
		expect("a slow domain, after an hour", 321910, "Completed", "")
	})
}

func TestIntcomexGivesTheInvoicesOfItsGuide(t *testing.T) {
	t.Parallel()
	box, token := intcomex(t)
	_, text := ask(t, box, token, "/GetLatestInvoices", `{}`)
	const first = `[{"CompanyName":"CONSTRUCTORA EJEMPLO","CompanyAccountId":101440,"CompanyVatId":"EMPTY","BillingInterval":"02/2020","Charges":[` +
		`{"ServiceName":"Microsoft Azure Subscription","ServiceId":"100113_INTXMicrosoftAzureSubscription_27351","AccountId":101444,` +
		`"PriceableItemDescription":"Microsoft Azure Subscription per unit of DecimalTotalUsage","BillableParameter":"Total Usage=205.83",` +
		`"BillingStartDate":"2017-03-05T16:16:53.46","ActualChargeInterval":"01.02.2020 - 01.03.2020","Costs":203.7700,"CostsOfUnit":0.9900,` +
		`"SalesPrice":226.4100,"SalesPriceOfUnit":1.1000,"Currency":"USD","VendorReference":"A0C77829-6F9B-4F77-ACBC-0DA957A005E5",` +
		`"UDRCValue":205.83,"PriceableItemId":4098}]},{"CompanyName":" SOCIEDAD DE EJEMPLO DE INVERSIONES",`
	const credit = `"Costs":-307.2800,"CostsOfUnit":6.6000,"SalesPrice":-331.9500,"SalesPriceOfUnit":7.1300,"Currency":"USD",` +
		`"ServiceCode":"Z2000MSC00","VendorReference":"53846A0C-0025-4222-ADC4-7232FA6F3060","UDRCValue":-4.0,"EndCustomerName":"End Customer B","PriceableItemId":4594}`
	for _, want := range []string{first, credit} {
		if !strings.Contains(text, want) {
			t.Errorf("want %s in\n%s", want, text)
		}
	}
	if charges := strings.Count(text, `"ServiceId"`); charges != 11 {
		t.Errorf("got %d charges, want 11", charges)
	}
	if _, again := ask(t, box, token, "/GetLatestInvoices", `{"resellerContext": 0}`); again != text {
		t.Error("resellerContext 0 makes a difference")
	}
}
