package vendortest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/internal/testserver"
	"github.com/seed627bd532/runner/engine/sandbox"
)

const (
	ensureClient = "pipelines/managementpro/ensure_client.yaml"
	updateClient = "pipelines/managementpro/update_client.yaml"
	getClient    = "pipelines/managementpro/get_client.yaml"
	listClients  = "pipelines/managementpro/list_clients.yaml"
)

// An mpRun is what a run left behind.
type mpRun struct {
	outputs map[string]any
	status  engine.Status
	err     error
	file    string // clients.csv
	text    string // all that anybody could see of it
}

// An mpSite is the repository's own program, connected to a service.
type mpSite struct {
	*engine.Program
	sink *testserver.Heard
}

// siteOf connects a program to a service, until the test or its bubble ends.
func siteOf(t *testing.T, h http.Handler, config map[string]any) *mpSite {
	t.Helper()
	client, stop := testserver.OverPipes(h)
	t.Cleanup(stop)
	sink := &testserver.Heard{}
	p, err := engine.Load(os.DirFS("../.."), engine.Options{
		Paths:       []string{"specs/managementpro.yaml", "pipelines/managementpro"},
		Connections: map[string]engine.Connection{"managementpro": {Vendor: "managementpro", BaseURL: "http://mpro.example/wservices/", Config: config}},
		Client:      client,
		Events:      sink,
	})
	if err != nil {
		t.Fatal(err)
	}
	return &mpSite{p, sink}
}

// run runs a pipeline or an operation.
func (s *mpSite) run(t *testing.T, name string, inputs map[string]any) mpRun {
	t.Helper()
	request := engine.Request{Pipeline: name, Inputs: inputs, OutDir: t.TempDir()}
	run := s.Run
	if !strings.HasSuffix(name, ".yaml") {
		run = func(ctx context.Context, r engine.Request) (*engine.Result, error) { return s.Call(ctx, name, r) }
	}
	before := len(s.sink.Text())
	result, err := run(t.Context(), request)
	got := mpRun{err: err}
	if result != nil {
		got.outputs, got.status = result.Outputs, result.Status
	}
	file, _ := os.ReadFile(filepath.Join(request.OutDir, "clients.csv"))
	got.file = string(file)
	text, _ := json.Marshal(result)
	got.text = s.sink.Text()[before:] + string(text) + got.file
	var failed *engine.Error
	if errors.As(err, &failed) {
		got.text += fmt.Sprintf("%+v", failed.Failure)
	}
	return got
}

// run runs a pipeline or an operation against v, and checks what holds for every run.
func (v *wservice) run(t *testing.T, name string, inputs map[string]any) mpRun {
	t.Helper()
	if v.site == nil {
		style := "json"
		if v.form {
			style = "form"
		}
		v.site = siteOf(t, v, map[string]any{"api_key": mpKey, "body_style": style})
	}
	got := v.site.run(t, name, inputs)
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, c := range v.complaints {
		t.Errorf("the service complains: %s", c)
	}
	for _, form := range testserver.Encoded(mpKey) {
		if i := strings.Index(got.text, form); i >= 0 {
			t.Errorf("the key is seen: …%.200s", got.text[max(0, i-80):])
		}
	}
	for client, n := range v.created {
		if n > 1 {
			t.Errorf("client %s was created %d times", client, n)
		}
	}
	return got
}

// newClient are inputs of ensure_client.
func newClient(taxID, legal string, more ...any) map[string]any {
	in := map[string]any{
		"tax_id": taxID, "name": "Sr. " + strings.TrimSpace(legal), "legal_name": legal,
		"address": map[string]any{"street": "46", "district": "Serapio & Rendón", "postal_code": "09728", "city": "Mérida", "state": "Yucatán", "country": "México"},
	}
	for i := 0; i < len(more); i += 2 {
		in[more[i].(string)] = more[i+1]
	}
	return in
}

func fullClient(taxID, legal string) map[string]any {
	return newClient(taxID, legal, "branch", "0001", "segment", "0000", "business_line", "0000", "salesperson", "0000000001",
		"commercial_group", "0000000000", "terms_of_sale", "CONT", "phone_1", "0999", "phone_2", "2", "phone_3", "",
		"contact_1", "Alex", "contact_email_1", "Alex@gmail.com", "contact_2", "Marissa", "contact_email_2", "Marissa@gmail.com")
}

// someClients is a service with clients of both sorts of tax number.
func someClients() *wservice {
	return newWservice(
		person("XAXX010101000", "Cliente mostrador"),
		person("FSU980312AB1", "Ferretería del Sureste SA de CV "),
		person("xexx010101000 ", "Acme Ltd. "),
		person("XAXX010101000", "Alejando Zapata SA de CV  "),
		person("FSU980312AB12", "One number is a part of the other"),
	)
}

// mpReadings are the ways to read the document, by name.
func mpReadings() map[string]func(*wservice) {
	nothing := func(r testserver.Reply) func(*wservice) { return func(v *wservice) { v.nothing = r } }
	info := func(data string) func(*wservice) {
		return nothing(testserver.AsJSON(200, `{"type":"info","code":"200","message":"Consulta realizada correctamente"`+data+`}`))
	}
	refusal := func(code, words string) func(*wservice) {
		return nothing(testserver.AsJSON(200, fmt.Sprintf(`{"type":"error","code":%q,"message":%q}`, code, words)))
	}
	return map[string]func(*wservice){
		"natural":                      func(*wservice) {},
		"a lone client is an object":   func(v *wservice) { v.lone = true },
		"a client comes as a list":     func(v *wservice) { v.listed = true },
		"codes are the other way":      func(v *wservice) { v.swapped = true },
		"answers have names of writes": func(v *wservice) { v.asWritten = true },
		"an edit keeps the rest":       func(v *wservice) { v.keeps = true },
		"searches fold cases":          func(v *wservice) { v.folds = true },
		"numbers as codes": func(v *wservice) {
			v.wrap = func(kind, code, message, data string) testserver.Reply {
				return testserver.AsJSON(200, fmt.Sprintf(`{"type":%q,"code":%s,"message":%q,"data":%s}`, strings.ToUpper(kind), code, message, data))
			}
		},
		"more than the document has": func(v *wservice) {
			v.render = func(m map[string]any) { m["nuevo"] = map[string]any{"algo": 1}; m["direccion_entrega_1"] = nil }
		},
		"as text/html": func(v *wservice) {
			natural := v.wrap
			v.wrap = func(kind, code, message, data string) testserver.Reply {
				return natural(kind, code, message, data).With("Content-Type", "text/html; charset=utf-8")
			}
		},
		"nothing is null":            info(`,"data":{"cliente":null,"registros":0}`),
		"nothing is null data":       info(`,"data":null`),
		"nothing is a list as data":  info(`,"data":[]`),
		"nothing is an empty text":   info(`,"data":{"cliente":"","registros":"0"}`),
		"nothing is 404 in words":    refusal("404", "No se encontraron registros"),
		"nothing is 405 in words":    refusal("405", "Cliente no encontrado"),
		"nothing is 404 in English":  refusal("404", "No results found"),
		"nothing is HTTP 404":        nothing(testserver.AsJSON(404, `{"type":"error","code":"404","message":"No existen clientes con esos datos"}`)),
		"nothing is 404 with data":   nothing(testserver.AsJSON(200, `{"type":"error","code":"404","message":"No se encontraron clientes","data":[]}`)),
		"nothing is a count":         info(`,"data":{"registros":0}`),
		"nothing is info with a 404": nothing(testserver.AsJSON(200, `{"type":"info","code":"404","message":"No hay resultados","data":null}`)),
	}
}

// Whichever way the service reads its document, and in both styles, clients are found, made and changed.
func TestManagementProWhicheverReading(t *testing.T) {
	t.Parallel()
	for name, set := range mpReadings() {
		for _, style := range []string{"json", "form", "form whole"} {
			t.Run(name+" "+style, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					v := someClients()
					v.form, v.whole = style != "json", style == "form whole"
					set(v)
					for _, step := range []struct {
						inputs  map[string]any
						id      string
						created bool
					}{
						{fullClient("aej010101ab9 ", " Alimentos & Ejemplo SA de CV "), "0000000006", true},
						{fullClient("AEJ010101AB9", "Another Name, the same Number"), "0000000006", false},
						{newClient("FSU980312AB1", "FERRETERIA"), "0000000002", false},
						{newClient("XAXX010101000", "Alejando Zapata SA de CV"), "0000000004", false},
						{newClient("XEXX010101000", "Acme Ltd."), "0000000003", false},
						{newClient("XAXX010101000", "Acme Ltd."), "0000000007", true},
						{newClient("XAXX010101000", "acme  ltd."), "0000000007", false},
						{newClient("PT 507172230", "Näo Ltda."), "0000000008", true},
					} {
						if step.inputs["tax_id"] == "XEXX010101000" && !v.folds {
							v.clients[2].texts["rfc"] = "XEXX010101000 " // the search is the service's own
						}
						got := v.run(t, ensureClient, step.inputs)
						if got.err != nil || got.outputs["client_id"] != step.id || got.outputs["created"] != step.created {
							t.Fatalf("%v %v: %v %v, want %s", step.inputs["tax_id"], step.inputs["legal_name"], got.err, got.outputs, step.id)
						}
					}
					made := v.client("0000000006")
					if made.texts["rfc"] != "AEJ010101AB9" || made.texts["telefono_1"] != "0999" || made.texts["condicion_venta"] != "CONT" || made.address["codigo_postal"] != "09728" || made.texts["contacto_email_2"] != "Marissa@gmail.com" {
						t.Errorf("made %v", made)
					}
					if simple := v.client("0000000007"); len(simple.texts) != 5 {
						t.Errorf("the simple form has %v", simple.texts)
					}

					before := person("FSU980312AB1", "Ferretería del Sureste SA de CV", "telefono_3", "03", "condicion_venta", "CRED", "clave", "0000000002")
					before.texts["descripcion"] = "Sr. Ferretería del Sureste SA de CV"
					got := v.run(t, updateClient, map[string]any{"client_id": "0000000002", "phone_3": "03", "terms_of_sale": "CRED"})
					if got.err != nil || got.outputs["client_id"] != "0000000002" {
						t.Fatal(got.err)
					}
					after := v.client("0000000002")
					for name, text := range before.texts {
						if strings.TrimRight(after.texts[name], " ") != text {
							t.Errorf("%s is %q after the edit, want %q", name, after.texts[name], text)
						}
					}
					for name, text := range before.address {
						if after.address[name] != text {
							t.Errorf("direccion.%s is %q after the edit, want %q", name, after.address[name], text)
						}
					}

					got = v.run(t, getClient, map[string]any{"client_id": "0000000002"})
					client, _ := json.Marshal(got.outputs["client"])
					want := `{"address":{"city":"Mérida","country":"México","crossing_1":"42","crossing_2":"44","district":"Serapio Rendon","exterior_number":"217","interior_number":null,"municipality":"Mérida","postal_code":"09728","state":"Yucatán","street":"46"},"branch":"0001","business_line":"0003","client_id":"0000000002","commercial_group":null,"contact_1":"Alex","contact_2":null,"contact_email_1":"alex@example.com","contact_email_2":null,"legal_name":"Ferretería del Sureste SA de CV","name":"Sr. Ferretería del Sureste SA de CV","phone_1":"01","phone_2":"02","phone_3":"03","salesperson":null,"segment":"0002","status":"AC","tax_id":"FSU980312AB1","terms_of_sale":"CRED"}`
					if string(client) != want {
						t.Errorf("%v\ngot  %s\nwant %s", got.err, client, want)
					}

					got = v.run(t, listClients, map[string]any{"search": "FSU980312AB12"})
					wantFile := "client_id,status,tax_id,name,legal_name,address,branch,segment,business_line,salesperson,commercial_group,terms_of_sale,phone_1,phone_2,phone_3,contact_1,contact_email_1,contact_2,contact_email_2\n" +
						`0000000005,AC,FSU980312AB12,Sr. One number is a part of the other,One number is a part of the other,"{""street"":""46"",""exterior_number"":""217"",""interior_number"":null,""crossing_1"":""42"",""crossing_2"":""44"",""district"":""Serapio Rendon"",""postal_code"":""09728"",""municipality"":""Mérida"",""city"":""Mérida"",""state"":""Yucatán"",""country"":""México""}",0001,,,0000000004,0000000005,,01,02,,Alex,alex@example.com,,` + "\n"
					if got.err != nil || got.file != wantFile || fmt.Sprint(got.outputs["count"], got.outputs["more"], got.outputs["note"]) != "1 false <nil>" {
						t.Errorf("%v %v\ngot  %s\nwant %s", got.err, got.outputs, got.file, wantFile)
					}
					got = v.run(t, listClients, map[string]any{"search": "nobody at all"})
					if got.err != nil || fmt.Sprint(got.outputs["count"]) != "0" || strings.Count(got.file, "\n") != 1 {
						t.Errorf("%v %v %q", got.err, got.outputs, got.file)
					}
				})
			})
		}
	}
}

// The address comes from the lines where there is no address in parts.
func TestManagementProAddressInLines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := someClients()
		v.bare = true
		got := v.run(t, getClient, map[string]any{"client_id": "0000000002"})
		client, _ := got.outputs["client"].(map[string]any)
		address, _ := json.Marshal(client["address"])
		want := `{"city":null,"country":null,"crossing_1":null,"crossing_2":null,"district":"Serapio Rendon","exterior_number":null,"interior_number":null,"municipality":null,"postal_code":"09728","state":null,"street":"46 217"}`
		if string(address) != want {
			t.Errorf("%v\ngot  %s\nwant %s", got.err, address, want)
		}
	})
}

// A wrong key ends a run at its first request, in every wording.
func TestManagementProWrongKeyIsTriedOnce(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status        int
		body, outcome string
	}{
		{200, `{"type":"error","code":"404","message":"Apikey incorrecta"}`, "auth"},
		{200, `{"type":"error","code":"405","message":"No se encontro el registro de la API KEY"}`, "auth"},
		{200, `{"type":"error","code":401,"message":"Credenciales"}`, "auth"},
		{401, `{"type":"error","code":"401","message":"Credenciales"}`, "auth"},
		{403, `{"type":"error","code":"404","message":"La api_key no existe"}`, "auth"},
		{401, `Unauthorized`, "auth"},
		{200, `{"type":"error","code":"403","message":"No puede"}`, "denied"},
		{200, `{"type":"error","code":"404","message":"Acceso no autorizado a los registros"}`, "denied"},
		{403, `Forbidden`, "denied"},
	} {
		for name, inputs := range map[string]map[string]any{
			ensureClient: newClient("ABC", "Acme"),
			updateClient: {"client_id": "0000000002"},
			getClient:    {"client_id": "0000000002"},
			listClients:  nil,
		} {
			t.Run(fmt.Sprint(test.status, test.body, filepath.Base(name)), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					v := someClients()
					for _, action := range []string{"get", "list"} {
						v.troubles = append(v.troubles, testserver.Trouble{Service: action, Answer: &testserver.Reply{Status: test.status, Body: test.body}})
					}
					got := v.run(t, name, inputs)
					var failed *engine.Error
					if !errors.As(got.err, &failed) || failed.Failure.Outcome != test.outcome || got.status != engine.Failed {
						t.Errorf("%v %v", got.status, got.err)
					}
					if n := v.asked["get"] + v.asked["list"]; n != 1 || len(v.created) > 0 {
						t.Errorf("asked %v", v.asked)
					}
				})
			})
		}
	}
	// The key itself is looked at, too.
	synctest.Test(t, func(t *testing.T) {
		v := someClients()
		got := siteOf(t, v, map[string]any{"api_key": "another"}).run(t, ensureClient, newClient("ABC", "Acme"))
		if got.status != engine.Failed || got.err.Error() != "managementpro.list_clients: auth: Apikey incorrecta" || v.asked["list"] != 1 {
			t.Errorf("%v after %v", got.err, v.asked)
		}
	})
}

// An ambiguous client is looked up, and not created again.
func TestManagementProUnknownCreateIsLookedFor(t *testing.T) {
	t.Parallel()
	answer := func(r testserver.Reply) *testserver.Reply { return &r }
	for name, tr := range map[string]testserver.Trouble{
		"lost after the work":      {Worked: true, HangUp: true},
		"slower than our patience": {Worked: true, Wait: time.Hour},
		"broken off":               {Worked: true, Cut: true},
		"500 after the work":       {Worked: true, Answer: answer(testserver.AsJSON(500, `{"type":"error","code":"404","message":"Error 4711"}`))},
		"502 page after the work":  {Worked: true, Answer: answer(testserver.HtmlPage(502))},
		"503 after the work":       {Worked: true, Answer: answer(testserver.HtmlPage(503).With("Retry-After", "7"))},
		"200 page":                 {Worked: true, Answer: answer(testserver.HtmlPage(200))},
		"200 empty":                {Worked: true, Answer: answer(testserver.AsJSON(200, ""))},
		"200 null":                 {Worked: true, Answer: answer(testserver.AsJSON(200, "null"))},
		"200 list":                 {Worked: true, Answer: answer(testserver.AsJSON(200, "[]"))},
		"code 500":                 {Worked: true, Answer: answer(testserver.AsJSON(200, `{"type":"error","code":"500","message":"Error 4711"}`))},
		"a time-out in words":      {Worked: true, Answer: answer(testserver.AsJSON(200, `{"type":"error","code":"404","message":"Error 4711: tiempo de espera agotado"}`))},
		"type warning":             {Worked: true, Answer: answer(testserver.AsJSON(200, `{"type":"warning","code":"200","message":"Error 4711","data":{"cliente":{"clave":"0000000006"}}}`))},
		"no type":                  {Worked: true, Answer: answer(testserver.AsJSON(200, `{"code":"200","data":{"cliente":{"clave":"0000000006"}}}`))},
		"no data":                  {Worked: true, Answer: answer(testserver.AsJSON(200, `{"type":"info","code":"200","message":"Cliente agregado: 0000000006"}`))},
		"data null":                {Worked: true, Answer: answer(testserver.AsJSON(200, `{"type":"info","code":"200","message":"Cliente agregado: 0000000006","data":null}`))},
		"cliente null":             {Worked: true, Answer: answer(testserver.AsJSON(200, `{"type":"info","code":"200","message":"Cliente agregado","data":{"cliente":null}}`))},
		"cliente empty":            {Worked: true, Answer: answer(testserver.AsJSON(200, `{"type":"info","code":"200","message":"Cliente agregado","data":{"cliente":[]}}`))},
		"clave missing":            {Worked: true, Answer: answer(testserver.AsJSON(200, `{"type":"info","code":"200","message":"Cliente agregado","data":{"cliente":{}}}`))},
		"clave null":               {Worked: true, Answer: answer(testserver.AsJSON(200, `{"type":"info","code":"200","message":"Cliente agregado","data":{"cliente":{"clave":null}}}`))},
		"clave blank":              {Worked: true, Answer: answer(testserver.AsJSON(200, `{"type":"info","code":"200","message":"Cliente agregado","data":{"cliente":{"clave":" "}}}`))},
		"clave without zeros":      {Worked: true, Answer: answer(testserver.AsJSON(200, `{"type":"info","code":"200","message":"Cliente agregado","data":{"cliente":{"clave":6}}}`))},
	} {
		for _, test := range []struct{ tax, legal string }{{"AEJ010101AB9", "Alimentos"}, {"XAXX010101000", "Alejando Zapata"}} {
			t.Run(name+" "+test.tax, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					v := someClients()
					tr.Service = "add"
					v.troubles = []testserver.Trouble{tr}
					got := v.run(t, ensureClient, fullClient(test.tax, test.legal))
					if got.err != nil || got.outputs["client_id"] != "0000000006" || got.outputs["created"] != true || v.asked["add"] != 1 || v.asked["list"] != 2 {
						t.Errorf("%v: %v after %v", got.err, got.outputs, v.asked)
					}
					got = v.run(t, ensureClient, fullClient(test.tax, test.legal))
					if got.err != nil || got.outputs["client_id"] != "0000000006" || got.outputs["created"] != false {
						t.Errorf("%v: %v after %v", got.err, got.outputs, v.asked)
					}
				})
			})
		}
	}
}

// Where no look shows the client, a person must.
func TestManagementProUnknownCreateIsNeverSentTwice(t *testing.T) {
	t.Parallel()
	page, refusal := testserver.HtmlPage(200), testserver.AsJSON(200, `{"type":"error","code":"404","message":"Error 4711"}`)
	lost := testserver.Trouble{Service: "add", Worked: true, HangUp: true}
	for name, set := range map[string]func(v *wservice){
		"not done":             func(v *wservice) { v.troubles = []testserver.Trouble{{Service: "add", HangUp: true}} },
		"a page, and not done": func(v *wservice) { v.troubles = []testserver.Trouble{{Service: "add", Answer: &page}} },
		"the list is down": func(v *wservice) {
			v.troubles = []testserver.Trouble{lost, {Service: "list", Spared: 1, Answer: &page}}
		},
		"the list has errors": func(v *wservice) {
			v.troubles = []testserver.Trouble{lost, {Service: "list", Spared: 1, Answer: &refusal}}
		},
		"the list is cut off": func(v *wservice) {
			v.troubles, v.cap = []testserver.Trouble{lost}, 1
			v.refuse = func(map[string]any) *testserver.Reply { v.clients[4].texts["rfc"] = "AEJ010101AB99"; return nil } // a stranger comes first
		},
		"somebody else was faster": func(v *wservice) {
			v.troubles = []testserver.Trouble{lost}
			v.refuse = func(map[string]any) *testserver.Reply {
				v.clients = append(v.clients, person("AEJ010101AB9", "Alimentos", "clave", "0000000077"))
				return nil
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := someClients()
				set(v)
				got := v.run(t, ensureClient, fullClient("AEJ010101AB9", "Alimentos"))
				if text := fmt.Sprint(got.err); got.status != engine.Ambiguous || got.status.ExitCode() != 4 || v.asked["add"] != 1 || !strings.HasPrefix(text, "managementpro.add_client: unknown: ") {
					t.Errorf("%v: %v after %v", got.status, got.err, v.asked)
				}
			})
		})
	}
}

// Those who looked at the same time, and found nobody, still make one client.
func TestManagementProSideBySide(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := someClients()
		v.run(t, getClient, map[string]any{"client_id": "0000000001"})
		v.troubles = []testserver.Trouble{{Service: "list", Worked: true, Wait: time.Second}, {Service: "add", Worked: true, Wait: time.Second}}
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				taxID := []string{"AEJ010101AB9", "aej010101ab9 "}[i%2]
				if got := v.site.run(t, ensureClient, fullClient(taxID, "Alimentos")); got.err != nil || got.outputs["client_id"] != "0000000006" {
					t.Errorf("%v %v", got.err, got.outputs)
				}
			})
		}
		wg.Wait()
		if v.asked["add"] != 1 || v.asked["list"] != 8 {
			t.Errorf("asked %v", v.asked)
		}
	})
}

// What the service refuses is not sent again, and told in its words.
func TestManagementProRefusals(t *testing.T) {
	t.Parallel()
	words := "La sucursal 0009 no existe en los registros"
	for name, r := range map[string]testserver.Reply{
		"code 404": testserver.AsJSON(200, `{"type":"error","code":"404","message":"`+words+`"}`),
		"code 405": testserver.AsJSON(200, `{"type":"error","code":"405","message":"`+words+`"}`),
		"a number": testserver.AsJSON(200, `{"type":"error","code":404,"message":"`+words+`"}`),
		"code 409": testserver.AsJSON(200, `{"type":"error","code":"409","message":"`+words+`"}`),
		"code 200": testserver.AsJSON(200, `{"type":"error","code":"200","message":"`+words+`"}`),
		"no code":  testserver.AsJSON(200, `{"type":"error","message":"`+words+`"}`),
		"HTTP 400": testserver.AsJSON(400, `{"type":"error","code":"404","message":"`+words+`"}`),
		"HTTP 422": testserver.AsJSON(422, `{"type":"error","code":"404","message":"`+words+`"}`),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := someClients()
				v.refuse = func(map[string]any) *testserver.Reply { return &r }
				got := v.run(t, ensureClient, newClient("AEJ010101AB9", "Alimentos", "branch", "0009"))
				if got.status != engine.Failed || v.asked["add"] != 1 || !strings.HasPrefix(fmt.Sprint(got.err), "managementpro.add_client: ") || !strings.HasSuffix(fmt.Sprint(got.err), ": "+words) {
					t.Errorf("%v: %v after %v", got.status, got.err, v.asked)
				}
				got = v.run(t, updateClient, map[string]any{"client_id": "0000000002", "branch": "0009"})
				if got.status != engine.Failed || v.asked["edit"] != 1 || !strings.HasPrefix(fmt.Sprint(got.err), "managementpro.edit_client: ") || !strings.HasSuffix(fmt.Sprint(got.err), ": "+words) {
					t.Errorf("%v: %v after %v", got.status, got.err, v.asked)
				}
			})
		})
	}
}

// An error of any other sort must not pass for "there is no such client": a second one would be made.
func TestManagementProErrorsOfTheListAreNoAbsence(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]testserver.Reply{
		"the document's own":  testserver.AsJSON(200, `{"type":"error","code":"404","message":"Detalle del mensaje de error"}`),
		"a table":             testserver.AsJSON(200, `{"type":"error","code":"404","message":"No se encontraron datos: la tabla de clientes no existe"}`),
		"an action":           testserver.AsJSON(200, `{"type":"error","code":"404","message":"No existe la accion GetClienteLista para clientes"}`),
		"no words":            testserver.AsJSON(200, `{"type":"error","code":"404"}`),
		"another path":        testserver.HtmlPage(404),
		"another path, text":  testserver.Plain(404, "No existe el cliente"),
		"a count of others":   testserver.AsJSON(200, `{"type":"info","code":"200","message":"Consulta realizada correctamente","data":{"registros":3}}`),
		"no data":             testserver.AsJSON(200, `{"type":"info","code":"200","message":"Consulta realizada correctamente"}`),
		"no cliente":          testserver.AsJSON(200, `{"type":"info","code":"200","message":"Consulta realizada correctamente","data":{"clientes":[]}}`),
		"a text as a client":  testserver.AsJSON(200, `{"type":"info","code":"200","message":"Consulta realizada correctamente","data":{"cliente":["Acme"]}}`),
		"a null as a client":  testserver.AsJSON(200, `{"type":"info","code":"200","message":"Consulta realizada correctamente","data":{"cliente":[null]}}`),
		"an empty client":     testserver.AsJSON(200, `{"type":"info","code":"200","message":"Consulta realizada correctamente","data":{"cliente":{}}}`),
		"an error with data":  testserver.AsJSON(200, `{"type":"error","code":"200","message":"Consulta","data":{"cliente":[]}}`),
		"an info with errors": testserver.AsJSON(200, `{"type":"info","code":"500","message":"Consulta","data":{"cliente":[]}}`),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := someClients()
				v.nothing = r
				for _, name := range []string{ensureClient, listClients} {
					inputs := map[string]any{"search": "AEJ010101AB9"}
					if name == ensureClient {
						inputs = newClient("AEJ010101AB9", "Alimentos")
					}
					got := v.run(t, name, inputs)
					if got.status != engine.Failed || v.asked["add"] > 0 || !strings.HasPrefix(fmt.Sprint(got.err), "managementpro.list_clients: ") {
						t.Errorf("%v: %v after %v", got.status, got.err, v.asked)
					}
				}
			})
		})
	}
}

// An answer that lacks what it must have is named with operation and path.
func TestManagementProBrokenAnswers(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"clave", "descripcion", "razon_social", "rfc"} {
		synctest.Test(t, func(t *testing.T) {
			v := someClients()
			v.render = func(m map[string]any) { delete(m, name) }
			for pipeline, inputs := range map[string]map[string]any{
				getClient: {"client_id": "0000000002"}, listClients: nil, ensureClient: newClient("FSU980312AB1", "Ferretería"),
			} {
				got := v.run(t, pipeline, inputs)
				text := fmt.Sprint(got.err)
				if got.status != engine.Failed || v.asked["add"] > 0 || !strings.Contains(text, name) || !strings.Contains(text, "managementpro.") {
					t.Errorf("%s: %v %q", pipeline, got.status, text)
				}
			}
		})
	}
}

// Reads and edits are made again.
func TestManagementProWhatHarmsNobodyIsRepeated(t *testing.T) {
	t.Parallel()
	answer := func(r testserver.Reply) *testserver.Reply { return &r }
	for name, tr := range map[string]testserver.Trouble{
		"page":        {Answer: answer(testserver.HtmlPage(200))},
		"500":         {Answer: answer(testserver.Plain(500, "no"))},
		"429":         {Answer: answer(testserver.AsJSON(429, `{"type":"error","code":"404","message":"Espere"}`).With("Retry-After", "7"))},
		"code 429":    {Answer: answer(testserver.AsJSON(200, `{"type":"error","code":429,"message":"Espere"}`))},
		"code 500":    {Answer: answer(testserver.AsJSON(200, `{"type":"error","code":"500","message":"Espere"}`))},
		"broken off":  {Cut: true, Worked: true},
		"lost":        {HangUp: true},
		"lost answer": {HangUp: true, Worked: true},
		"slow":        {Wait: time.Hour, Worked: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := someClients()
				for _, action := range []string{"get", "list", "edit"} {
					tr.Service, tr.Calls = action, 2
					v.troubles = append(v.troubles, tr)
				}
				got := v.run(t, updateClient, map[string]any{"client_id": "0000000002", "phone_2": "77"})
				if got.err != nil || v.client("0000000002").texts["telefono_2"] != "77" || !maps.Equal(v.asked, map[string]int{"get": 3, "list": 3, "edit": 3}) {
					t.Errorf("%v after %v", got.err, v.asked)
				}
			})
		})
	}
	// A client that surely was not made is made later.
	synctest.Test(t, func(t *testing.T) {
		v := someClients()
		v.troubles = []testserver.Trouble{{Service: "add", Calls: 1, Answer: answer(testserver.Plain(429, "Espere").With("Retry-After", "7"))}}
		began := time.Now()
		got := v.run(t, ensureClient, newClient("AEJ010101AB9", "Alimentos"))
		if took := time.Since(began); got.err != nil || v.asked["add"] != 2 || len(v.clients) != 6 || took < 7*time.Second {
			t.Errorf("%v after %v and %v", got.err, v.asked, took)
		}
	})
}

func TestManagementProSeveralClientsAreNamed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := newWservice(person("CGE150101QQ7", "Gemela "), person("cge150101qq7", "Otra"), person("XAXX010101000", "Gemela"), person("XAXX010101000", " gemela", "estado", "BA"))
		v.folds = true
		for tax, want := range map[string]string{
			"CGE150101QQ7":  "tax number CGE150101QQ7 belongs to 2 clients: 0000000001 (Gemela, AC), 0000000002 (Otra, AC)",
			"XAXX010101000": "tax number XAXX010101000 belongs to 2 clients: 0000000003 (Gemela, AC), 0000000004 ( gemela, BA)",
		} {
			got := v.run(t, ensureClient, newClient(tax, "Gemela"))
			if got.status != engine.Failed || fmt.Sprint(got.err) != want || v.asked["add"] > 0 {
				t.Errorf("got  %v\nwant %s", got.err, want)
			}
		}
	})
}

// An answer that is as long as it may be says nothing about who is not in it.
func TestManagementProFullAnswersProveNothing(t *testing.T) {
	t.Parallel()
	crowd := func(taxID string) *wservice {
		var clients []*mpClient
		for i := range 1200 {
			clients = append(clients, person(taxID, fmt.Sprintf("Publico %d", i)))
		}
		return newWservice(clients...)
	}
	synctest.Test(t, func(t *testing.T) {
		v := crowd("XAXX010101000")
		for _, test := range []struct {
			legal, id string
			created   bool
		}{{"Publico 7", "0000000008", false}, {"Publico 1199", "0000001200", false}, {"Nuevo", "0000001201", true}} {
			got := v.run(t, ensureClient, newClient("XAXX010101000", test.legal))
			if got.err != nil || got.outputs["client_id"] != test.id || got.outputs["created"] != test.created {
				t.Errorf("%s: %v %v", test.legal, got.err, got.outputs)
			}
		}
		// Even the name is part of more legal names than one answer holds.
		got := v.run(t, ensureClient, newClient("XAXX010101000", "Publico"))
		if want := "whether Publico (XAXX010101000) is a client cannot be told: the vendor finds more clients than it shows in one answer"; got.status != engine.Failed || fmt.Sprint(got.err) != want {
			t.Errorf("got  %v\nwant %s", got.err, want)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		v := crowd("AEJ010101AB90")
		got := v.run(t, ensureClient, newClient("AEJ010101AB9", "Alimentos"))
		if got.status != engine.Failed || v.asked["add"] > 0 {
			t.Errorf("%v after %v", got.err, v.asked)
		}
	})
}

func TestManagementProListSaysThatThereMayBeMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var clients []*mpClient
		for i := range 14 {
			clients = append(clients, person(fmt.Sprint("R", i), "Cliente", "estado", []string{"AC", "BA"}[i%2]))
		}
		v := newWservice(clients...)
		for _, test := range []struct {
			inputs map[string]any
			want   string
		}{
			{nil, "10 true the vendor shows 10 clients, and there may be more: ask with a higher limit"},
			{map[string]any{"limit": 14}, "14 true the vendor shows 14 clients, and there may be more: ask with a higher limit"},
			{map[string]any{"limit": 15}, "14 false <nil>"},
			{map[string]any{"status": "BA"}, "7 false <nil>"},
			{map[string]any{"status": "BA", "limit": 3}, "3 true the vendor shows 3 clients, and there may be more: ask with a higher limit"},
			{map[string]any{"search": "R13", "limit": 2}, "1 false <nil>"},
		} {
			got := v.run(t, listClients, test.inputs)
			if is := fmt.Sprint(got.outputs["count"], " ", got.outputs["more"], " ", got.outputs["note"]); got.err != nil || is != test.want {
				t.Errorf("%v: %v\ngot  %s\nwant %s", test.inputs, got.err, is, test.want)
			}
			if n := fmt.Sprint(strings.Count(got.file, "\n") - 1); n != fmt.Sprint(got.outputs["count"]) {
				t.Errorf("%v: the file has %s rows", test.inputs, n)
			}
		}
	})
}

func TestManagementProUpdates(t *testing.T) {
	t.Parallel()
	for _, form := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			v := someClients()
			v.form = form
			update := func(more ...any) mpRun {
				inputs := map[string]any{"client_id": "0000000002"}
				for i := 0; i < len(more); i += 2 {
					inputs[more[i].(string)] = more[i+1]
				}
				return v.run(t, updateClient, inputs)
			}
			if got := update("phone_1", "01", "legal_name", "Ferretería del Sureste SA de CV"); got.err != nil || v.asked["edit"] != 0 || got.outputs["changed"] != false {
				t.Errorf("nothing changes: %v %v after %v", got.err, got.outputs, v.asked)
			}
			if got := update("contact_1", ""); got.err != nil || v.client("0000000002").texts["contacto_1"] != "" || got.outputs["changed"] != true {
				t.Errorf("an empty text: %v", got.err)
			}
			if got := update("address", map[string]any{"postal_code": "01000"}); got.err != nil || v.client("0000000002").address["codigo_postal"] != "01000" || v.client("0000000002").address["numero_exterior"] != "217" {
				t.Errorf("a part of the address: %v", got.err)
			}
			got := update("address", map[string]any{"street": "Calle 60 No. 1", "city": "Progreso"}, "tax_id", " fsu980312ab2", "name", "La Ferre ")
			address := v.client("0000000002").address
			if got.err != nil || address["calle"] != "Calle 60 No. 1" || address["numero_exterior"]+address["cruzamiento_1"]+address["municipio"] != "" || address["estado"] != "Yucatán" {
				t.Errorf("another street: %v %v", got.err, address)
			}
			if texts := v.client("0000000002").texts; texts["rfc"] != "FSU980312AB2" || texts["descripcion"] != "La Ferre" {
				t.Errorf("%v", texts)
			}
		})
	}
	for name, test := range map[string]struct {
		set     func(v *wservice)
		inputs  map[string]any
		message string
	}{
		"nobody":             {func(*wservice) {}, map[string]any{"client_id": "77", "phone_1": "1"}, "managementpro.get_client: not_found: El cliente no existe"},
		"nobody, by status":  {func(v *wservice) { v.nobody.Status = 405 }, map[string]any{"client_id": "77", "phone_1": "1"}, "managementpro.get_client: not_found: El cliente no existe"},
		"nobody, in nothing": {func(v *wservice) { v.nobody = v.nothing }, map[string]any{"client_id": "77", "phone_1": "1"}, "managementpro.get_client: not_found: Consulta realizada correctamente"},
		"somebody else":      {func(v *wservice) { v.render = func(m map[string]any) { m["clave"] = "0000000009" } }, map[string]any{"client_id": "0000000002", "phone_1": "1"}, "client 0000000002 was asked for, and the vendor answers with 0000000009"},
		"an edit that makes another": {func(v *wservice) {
			v.refuse = func(map[string]any) *testserver.Reply {
				r := testserver.AsJSON(200, `{"type":"info","code":"200","message":"Cliente agregado: 0000000099","data":{"cliente":{"clave":"0000000099"}}}`)
				return &r
			}
		}, map[string]any{"client_id": "0000000002", "phone_1": "1"}, "managementpro.edit_client: invalid: Cliente agregado: 0000000099"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := someClients()
				test.set(v)
				got := v.run(t, updateClient, test.inputs)
				if got.status != engine.Failed || fmt.Sprint(got.err) != test.message || v.asked["edit"] > 1 || len(v.edits) > 0 {
					t.Errorf("%v: %v after %v", got.status, got.err, v.asked)
				}
			})
		})
	}
}

// Inputs that cannot be right are refused before anything is sent.
func TestManagementProBadInputs(t *testing.T) {
	t.Parallel()
	v := someClients()
	site := siteOf(t, v, map[string]any{"api_key": mpKey})
	for name, test := range map[string]struct {
		pipeline string
		inputs   map[string]any
	}{
		"no tax number":          {ensureClient, newClient("", "Acme")},
		"a tax number of EMPTY":  {ensureClient, newClient(" EMPTY ", "Acme")},
		"a tax number of signs":  {ensureClient, newClient("--", "Acme")},
		"no legal name":          {ensureClient, newClient("XAXX010101000", "  ")},
		"no address":             {ensureClient, newClient("ABC", "Acme", "address", map[string]any{"street": "1"})},
		"a misspelt address":     {ensureClient, newClient("ABC", "Acme", "adress", map[string]any{})},
		"a code as a number":     {getClient, map[string]any{"client_id": 4}},
		"two codes":              {getClient, map[string]any{"client_id": "0000000001,0000000002"}},
		"no code":                {updateClient, map[string]any{"phone_1": "1"}},
		"an unknown field":       {updateClient, map[string]any{"client_id": "0000000001", "phone": "1"}},
		"an unknown address":     {updateClient, map[string]any{"client_id": "0000000001", "address": map[string]any{"calle": "1"}}},
		"a list of none":         {listClients, map[string]any{"limit": 0}},
		"a limit that is a text": {listClients, map[string]any{"limit": "many"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := site.run(t, test.pipeline, test.inputs); got.err == nil {
				t.Errorf("it succeeded: %v", got.outputs)
			}
		})
	}
	if len(v.asked) > 0 {
		t.Errorf("asked %v", v.asked)
	}
}

// What the sandbox does is what its document says, in both styles and under every fault.
func TestManagementProAtItsSandbox(t *testing.T) {
	t.Parallel()
	def, err := sandbox.Load(os.DirFS("../.."), "specs/managementpro.sandbox.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, style := range []string{"json", "form"} {
		config := map[string]any{"api_key": "sandbox-key", "body_style": style}
		for _, fault := range []string{
			"", "lose_request:*:1", "delay=200ms", "status=429/2s:*:1-2", "status=503:list:1", "status=500:get:1", "truncate:list:1", "truncate:get:1", "truncate:edit:1",
			"garbage:list:1", "garbage:get:1", "garbage:edit:1", "lose_answer:list:1", "lose_answer:get:1", "lose_answer:edit:1",
		} {
			t.Run(style+" "+fault, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					box := sandbox.New(def, sandbox.Options{})
					addFault(t, box, fault)
					site := siteOf(t, box, config)
					for _, step := range []struct {
						pipeline string
						inputs   map[string]any
						want     string
					}{
						{ensureClient, fullClient("FSU980312AB1", "Ferretería"), `{"client_id":"0000000002","created":false,"status":"AC"}`},
						{ensureClient, newClient("XAXX010101000", "Alejando Zapata SA de CV"), `{"client_id":"0000000004","created":false,"status":"AC"}`},
						{updateClient, map[string]any{"client_id": "0000000002", "phone_3": "9999230003"}, `{"changed":true,"client_id":"0000000002"}`},
						{updateClient, map[string]any{"client_id": "0000000002", "phone_3": "9999230003"}, `{"changed":false,"client_id":"0000000002"}`},
						{ensureClient, fullClient("AEJ010101AB9", "Alimentos"), `{"client_id":"0000000009","created":true,"status":null}`},
						{ensureClient, fullClient("AEJ010101AB9", "Alimentos"), `{"client_id":"0000000009","created":false,"status":"AC"}`},
					} {
						got := site.run(t, step.pipeline, step.inputs)
						if outputs, _ := json.Marshal(got.outputs); got.err != nil || string(outputs) != step.want {
							t.Errorf("%s: %v\ngot  %s\nwant %s", step.pipeline, got.err, outputs, step.want)
						}
					}
					got := site.run(t, listClients, map[string]any{"search": "0000000002"})
					if fmt.Sprint(got.outputs["count"]) != "1" || !strings.Contains(got.file, `0002,,,0000000002,0000000001,,9999230001,9999230002,9999230003,Ana Pech`) {
						t.Errorf("%v %v %s", got.err, got.outputs, got.file)
					}
					got = site.run(t, getClient, map[string]any{"client_id": "0000000002"})
					client, _ := got.outputs["client"].(map[string]any)
					if client["terms_of_sale"] != "CONT" || client["segment"] != "0001" || client["phone_3"] != "9999230003" || fmt.Sprint(client["address"]) != "map[city:Mérida country:México crossing_1:55 crossing_2:57 district:Centro exterior_number:480 interior_number:B municipality:Mérida postal_code:97000 state:Yucatán street:60]" {
						t.Errorf("%v %v", got.err, client)
					}
					if made := box.Stats().Creates["add"]; !maps.Equal(made, map[string]int{"AEJ010101AB9": 1}) {
						t.Errorf("creates %v", made)
					}
				})
			})
		}
		for fault, want := range map[string]engine.Status{
			"lose_answer:add": engine.Succeeded, "truncate:add": engine.Succeeded, "garbage:add": engine.Succeeded,
			"lose_request:add": engine.Ambiguous, "status=500:add": engine.Ambiguous,
		} {
			t.Run(style+" "+fault, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					box := sandbox.New(def, sandbox.Options{})
					addFault(t, box, fault)
					got := siteOf(t, box, config).run(t, ensureClient, fullClient("AEJ010101AB9", "Alimentos"))
					if got.status != want || box.Stats().Calls["add"] != 1 || want == engine.Succeeded && got.outputs["client_id"] != "0000000009" {
						t.Errorf("%v: %v %v after %v", got.status, got.err, got.outputs, box.Stats().Calls)
					}
				})
			})
		}
	}
	synctest.Test(t, func(t *testing.T) {
		box := sandbox.New(def, sandbox.Options{})
		site := siteOf(t, box, map[string]any{"api_key": "wrong"})
		for operation, message := range map[string]string{
			"get_client":  "managementpro.get_client: auth: La apikey no es válida",
			"edit_client": "managementpro.edit_client: auth: La apikey no es válida",
		} {
			inputs := map[string]any{"client_id": "0000000001"}
			if operation == "edit_client" {
				inputs = newClient("A", "B", "client_id", "0000000001")
			}
			got := site.run(t, "managementpro."+operation, inputs)
			if fmt.Sprint(got.err) != message {
				t.Errorf("got %v, want %s", got.err, message)
			}
		}
		if calls := slices.Collect(maps.Values(box.Stats().Calls)); fmt.Sprint(calls) != "[1 1]" {
			t.Errorf("calls %v", box.Stats().Calls)
		}
	})
}

func addFault(t *testing.T, box *sandbox.Sandbox, text string) {
	t.Helper()
	if text == "" {
		return
	}
	f, err := sandbox.ParseFault(text)
	if err == nil {
		err = box.AddFault(f)
	}
	if err != nil {
		t.Fatal(err)
	}
}
