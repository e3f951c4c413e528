package vendortest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/sandbox"
)

// mpsFiles are the product's own; with less patience between attempts, and with
// timeouts that a delay of 3s is beyond, so that a fault does not hold a test up.
func mpsFiles(t *testing.T, hasty bool) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	for _, pattern := range []string{"specs/mps*.yaml", "pipelines/mps/*.yaml"} {
		names, err := fs.Glob(os.DirFS("../.."), pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, name := range names {
			text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(name)))
			if err != nil {
				t.Fatal(err)
			}
			files[name] = &fstest.MapFile{Data: text}
		}
	}
	spec := string(files["specs/mps.yaml"].Data)
	changes := map[string]string{"first: 1s, max: 30s": "first: 1ms, max: 4ms"}
	if hasty {
		changes["timeout: 60s"], changes["timeout: 5m"], changes["timeout: 2m"] = "timeout: 2s", "timeout: 2s", "timeout: 2s"
	}
	for old, text := range changes {
		if strings.Count(spec, old) != 1 {
			t.Fatalf("specs/mps.yaml does not say %q once", old)
		}
		spec = strings.Replace(spec, old, text, 1)
	}
	files["specs/mps.yaml"].Data = []byte(spec)
	return files
}

// startMPS serves the sandbox over HTTP with these faults, and returns the program that is connected to it.
func startMPS(t *testing.T, faults ...string) (*sandbox.Sandbox, *engine.Program) {
	t.Helper()
	files := mpsFiles(t, slices.ContainsFunc(faults, func(f string) bool { return strings.HasPrefix(f, "delay=3s") }))
	def, err := sandbox.Load(files, "specs/mps.sandbox.yaml")
	if err != nil {
		t.Fatal(err)
	}
	box := sandbox.New(def, sandbox.Options{})
	for _, text := range faults {
		fault, err := sandbox.ParseFault(text)
		if err == nil {
			err = box.AddFault(fault)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(box)
	t.Cleanup(server.Close)
	p, err := engine.Load(files, engine.Options{
		Paths: []string{"specs/mps.yaml", "pipelines/mps"},
		Connections: map[string]engine.Connection{"mps": {Vendor: "mps", BaseURL: server.URL, Config: map[string]any{
			"username": "reseller@example.com", "password": "demo+p&ss w%rd",
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return box, p
}

// mpsInputs are those that the documents run.
func mpsInputs(t *testing.T) map[string]any {
	t.Helper()
	text, err := os.ReadFile("../../testdata/mps_order.yaml")
	if err != nil {
		t.Fatal(err)
	}
	in, err := engine.ReadInputs("mps_order.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func runMPS(t *testing.T, p *engine.Program, pipeline string, inputs map[string]any) (*engine.Result, string, error) {
	t.Helper()
	out := t.TempDir()
	result, err := p.Run(context.Background(), engine.Request{Pipeline: pipeline, Inputs: inputs, OutDir: out})
	if result == nil {
		t.Fatal(err)
	}
	text, readErr := os.ReadFile(filepath.Join(out, "products.csv"))
	if readErr != nil && !os.IsNotExist(readErr) {
		t.Fatal(readErr)
	}
	return result, string(text), err
}

const mpsSandboxRows = mpsSampleTitle + mpsSampleRow +
	`SM-J250MZDDCOO,MOVILIDAD,Celulares,GALAXY J2 Pro Dorado,"Teléfono de 5"", 16 GB, ""dual SIM""; incluye cargador",SAMSUNGMOVILIDAD,342808,342808,COP,12,EXCLUIDO,0
KLQ-00219,SOFTWARE,ESD,Microsoft 365 Business Standard ESD,Licencia digital por un año,MICROSOFT ESD,104.50,417164.9975,USD,9999,GRAVADO,2.5
0012345,SOFTWARE,ESD,Office Hogar y Estudiantes ESD,,MICROSOFT ESD,99.00,395208.2,USD,0,GRAVADO,0
`

func TestMPSSandboxPipelines(t *testing.T) {
	t.Parallel()
	_, p := startMPS(t)
	result, file, err := runMPS(t, p, mpsExport, nil)
	if err != nil || file != mpsSandboxRows || result.Outputs["count"] != int64(4) {
		t.Errorf("%v %v\n%s", err, result.Outputs, file)
	}
	result, file, err = runMPS(t, p, mpsExport, map[string]any{"family": "SOFTWARE", "category": "ESD", "brand": "MICROSOFT ESD", "available": false})
	if err != nil || result.Outputs["count"] != int64(1) || !strings.Contains(file, "\n0012345,") {
		t.Errorf("%v %v\n%s", err, result.Outputs, file)
	}
	result, file, err = runMPS(t, p, mpsExport, map[string]any{"part_number": " 2HL38AA#ABM"})
	if err != nil || file != mpsSampleTitle+mpsSampleRow {
		t.Errorf("%v %v\n%s", err, result.Outputs, file)
	}
	result, file, err = runMPS(t, p, mpsExport, map[string]any{"category": "nothing"})
	if err != nil || result.Outputs["count"] != int64(0) || file != mpsSampleTitle {
		t.Errorf("%v %v\n%s", err, result.Outputs, file)
	}
	result, _, err = runMPS(t, p, mpsList, nil)
	want := []any{
		map[string]any{"family": "PORTATIL", "category": "Consumo"},
		map[string]any{"family": "MOVILIDAD", "category": "Celulares"},
		map[string]any{"family": "SOFTWARE", "category": "ESD"},
	}
	if err != nil || !reflect.DeepEqual(result.Outputs["categories"], want) {
		t.Errorf("%v %v", err, result.Outputs)
	}
	for _, number := range []string{"00001012", "00001013"} {
		result, _, err = runMPS(t, p, mpsPlace, mpsInputs(t))
		if err != nil || result.Outputs["order_number"] != number || result.Outputs["message"] != "Mensaje enviado satisfactoriamente. Su Pedido Virtual es: "+number {
			t.Errorf("%v %v", err, result.Outputs)
		}
	}
	in := mpsInputs(t)
	in["lines"] = engine.File("../../testdata/mps_lines.csv")
	result, _, err = runMPS(t, p, mpsPlace, in)
	if err != nil || result.Outputs["order_number"] != "00001014" {
		t.Errorf("%v %v", err, result.Outputs)
	}
}

// Each operation, called alone.
func TestMPSSandboxOperations(t *testing.T) {
	t.Parallel()
	_, p := startMPS(t)
	for name, tt := range map[string]struct {
		inputs map[string]any
		want   string
	}{
		"mps.list_categories": {nil, `"family":"PORTATIL"`},
		"mps.get_catalogue":   {map[string]any{"available": true, "brand": "HPPCSCONSUMO"}, `"price":1833888.49`},
		"mps.place_order":     {mpsInputs(t), `"order_number":"00001012"`},
	} {
		result, err := p.Call(context.Background(), name, engine.Request{Inputs: tt.inputs})
		text, _ := json.Marshal(result)
		if err != nil || !strings.Contains(string(text), tt.want) {
			t.Errorf("%s: %v %s", name, err, text)
		}
	}
}

// The sandbox refuses as the vendor does: by a number other than 1.
func TestMPSSandboxRefusals(t *testing.T) {
	t.Parallel()
	line := func(name string, v any) func(in map[string]any) {
		return func(in map[string]any) { in["lines"].([]any)[0].(map[string]any)[name] = v }
	}
	for want, change := range map[string]func(in map[string]any){
		"mps.place_order: invalid: El producto ESD-1 no existe":                    line("part_number", "ESD-1"),
		"mps.place_order: invalid: La bodega BX no existe":                         line("warehouse", "BX"),
		"mps.place_order: invalid: No hay existencias del producto SM-J250MZDDCOO": line("quantity", 13),
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			box, p := startMPS(t)
			in := mpsInputs(t)
			change(in)
			result, _, err := runMPS(t, p, mpsPlace, in)
			if err == nil || err.Error() != want || result.Status != engine.Failed || box.Stats().Calls["order"] != 1 {
				t.Errorf("%v, want %s", err, want)
			}
		})
	}
}

// Every kind of fault, at every operation. Reads get over it; an order that may have been made is never made again.
func TestMPSSandboxFaults(t *testing.T) {
	t.Parallel()
	type test struct {
		fault  string
		status engine.Status
		calls  int // of the operation that is struck; 0 where net/http may send a read once more by itself
	}
	read := func(kind string, calls int) test { return test{kind, engine.Succeeded, calls} }
	reads := []test{
		read("lose_request:%s:1-2", 3), read("lose_answer:%s:1-2", 3), read("delay=3s:%s:1", 2), read("delay=10ms:%s", 1),
		read("status=500:%s:1-4", 5), read("status=503:%s:1", 2), read("status=429:%s:1-2", 3), read("status=401:%s:1", 2),
		read("truncate:%s:1-2", 3), read("garbage:%s:1-2", 3), read("expire:%s:1", 2),
		{"lose_request:%s", engine.Failed, 0}, {"truncate:%s", engine.Failed, 5}, {"garbage:%s", engine.Failed, 5}, {"status=429:%s", engine.Failed, 5},
		{"status=503:%s", engine.Failed, 5}, {"expire:%s", engine.Failed, 2}, {"status=403:%s", engine.Failed, 1}, {"status=302:%s", engine.Failed, 5},
	}
	orders := []struct {
		test
		made int
	}{
		{test{"lose_request:%s", engine.Ambiguous, 1}, 0}, {test{"lose_answer:%s", engine.Ambiguous, 1}, 1}, {test{"delay=3s:%s", engine.Ambiguous, 1}, 1},
		{test{"delay=10ms:%s", engine.Succeeded, 1}, 1}, {test{"status=500:%s", engine.Ambiguous, 1}, 0}, {test{"status=503/1s:%s", engine.Ambiguous, 1}, 0},
		{test{"status=429:%s:1-2", engine.Succeeded, 3}, 1}, {test{"status=429:%s", engine.Failed, 5}, 0}, {test{"status=401:%s:1", engine.Succeeded, 2}, 1},
		{test{"truncate:%s", engine.Ambiguous, 1}, 1}, {test{"garbage:%s", engine.Ambiguous, 1}, 1}, {test{"expire:%s:1", engine.Succeeded, 2}, 1},
		{test{"expire:%s", engine.Failed, 2}, 0}, {test{"status=403:%s", engine.Failed, 1}, 0}, {test{"status=409:%s", engine.Failed, 1}, 0},
	}
	run := func(pipeline, operation string, tt test, made int) {
		fault := fmt.Sprintf(tt.fault, operation)
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			box, p := startMPS(t, fault)
			var in map[string]any
			if pipeline == mpsPlace {
				in = mpsInputs(t)
			}
			result, file, err := runMPS(t, p, pipeline, in)
			stats := box.Stats()
			if result.Status != tt.status || tt.calls > 0 && stats.Calls[operation] != tt.calls {
				t.Errorf("%s after %v, want %s after %d: %v", result.Status, stats.Calls, tt.status, tt.calls, err)
			}
			n := 0
			for _, times := range stats.Creates["order"] {
				n += times
			}
			if n != made {
				t.Errorf("%d orders were made, want %d", n, made)
			}
			switch {
			case err == nil && pipeline == mpsExport && file != mpsSandboxRows:
				t.Errorf("products.csv is\n%s", file)
			case err != nil && file != "":
				t.Errorf("a run that failed left products.csv\n%s", file)
			case err != nil && !strings.HasPrefix(err.Error(), "mps."):
				t.Errorf("error %q", err)
			}
		})
	}
	for _, tt := range reads {
		run(mpsExport, "catalogue", tt, 0)
		run(mpsList, "categories", tt, 0)
	}
	for _, tt := range orders {
		run(mpsPlace, "order", tt.test, tt.made)
	}
	for _, tt := range []test{
		read("lose_request:%s:1", 2), read("lose_answer:%s:1", 2), read("delay=3s:%s:1", 2), read("status=503:%s:1-2", 3), read("status=429:%s:1", 2),
		read("truncate:%s:1", 2), read("garbage:%s:1", 2), read("expire:%s:1", 1), {"status=400:%s", engine.Failed, 1}, {"lose_request:%s", engine.Failed, 5},
	} {
		made := 0
		if tt.status == engine.Succeeded {
			made = 1
		}
		run(mpsPlace, "token", tt, made)
	}
}

// The password of the connection is tried once.
func TestMPSSandboxWrongPassword(t *testing.T) {
	t.Parallel()
	box, _ := startMPS(t)
	server := httptest.NewServer(box)
	defer server.Close()
	p, err := engine.Load(mpsFiles(t, false), engine.Options{
		Paths:       []string{"specs/mps.yaml", "pipelines/mps"},
		Connections: map[string]engine.Connection{"mps": {Vendor: "mps", BaseURL: server.URL, Config: map[string]any{"username": "reseller@example.com", "password": "demo p&ss"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	result, _, err := runMPS(t, p, mpsPlace, mpsInputs(t))
	if result.Status != engine.Failed || !reflect.DeepEqual(box.Stats().Calls, map[string]int{"token": 1}) || !strings.Contains(err.Error(), "The user name or password is incorrect. (invalid_grant)") {
		t.Errorf("%v after %v", err, box.Stats().Calls)
	}
}

// The sandbox reads raw requests, so that a wrong vendor file fails against it.
func TestMPSSandboxIsStrict(t *testing.T) {
	t.Parallel()
	const order = `{"listaPedido":[{"AccountNum":"79580718","NombreClienteEntrega":"Demo","ClienteEntrega":"7","TelefonoEntrega":"9","DireccionEntrega":"calle 1",` +
		`"StateId":"11","CountyId":"1","RecogerEnSitio":1,"EntregaUsuarioFinal":0,"dlvTerm":"","dlvmode":"","Observaciones":"",` +
		`"listaPedidoDetalle":[{"PartNum":"KLQ-00219","Producto":"M365","Precio":104.50,"Cantidad":2,"Marks":"MICROSOFT ESD","Bodega":"BELEC"}]}]}`
	const form = "grant_type=password&username=reseller%40example.com&password=demo%2Bp%26ss+w%25rd"
	const denied = `401 {"Message":"Authorization has been denied for this request."}`
	for _, tt := range []struct{ name, request, headers, body, want string }{
		{"a login", "POST /Token", "Content-Type: application/x-www-form-urlencoded", form, `200 {"access_token":"`},
		{"a login by JSON", "POST /Token", "Content-Type: application/json", `{"grant_type":"password"}`, `400 {"error":"unsupported_grant_type"}`},
		{"another grant", "POST /Token", "Content-Type: application/x-www-form-urlencoded", strings.Replace(form, "=password", "=client_credentials", 1), `400 {"error":"unsupported_grant_type"}`},
		{"a password that is not escaped", "POST /Token", "Content-Type: application/x-www-form-urlencoded", "grant_type=password&username=reseller@example.com&password=demo+p", `400 {"error":"invalid_grant",`},
		{"no token", "GET /api/WebApi/VerCategoria", "Content-Type: application/json", "", denied},
		{"another scheme", "GET /api/WebApi/VerCategoria", "Content-Type: application/json|Authorization: Token TOKEN", "", denied},
		{"another token", "POST /api/WebApi/RealizarPedido", "Content-Type: application/json|Authorization: Bearer x", order, denied},
		{"no content type", "GET /api/WebApi/GetConsultarCatalogo", "Authorization: Bearer TOKEN", "", `415 {"Message":`},
		{"another method", "POST /api/WebApi/GetConsultarCatalogo", "Content-Type: application/json|Authorization: Bearer TOKEN", "{}", "405 "},
		{"another path", "GET /api/WebApi/Catalogo", "Content-Type: application/json|Authorization: Bearer TOKEN", "", "404 "},
		{"a filter", "GET /api/WebApi/GetConsultarCatalogo", "Content-Type: application/json|Authorization: Bearer TOKEN|x-marks: HPPCSCONSUMO", "", "200 [" + mpsSample + "]"},
		{"a filter that is no number", "GET /api/WebApi/GetConsultarCatalogo", "Content-Type: application/json|Authorization: Bearer TOKEN|X-DISPONIBILIDAD: true", "", "400 "},
		{"an order", "POST /api/WebApi/RealizarPedido", "Content-Type: application/json|Authorization: Bearer TOKEN", order, `200 [{"valor":"1","mensaje":"Mensaje enviado satisfactoriamente. Su Pedido Virtual es: 00001012","pedido":"00001012"}]`},
		{"no list", "POST /api/WebApi/RealizarPedido", "Content-Type: application/json|Authorization: Bearer TOKEN", `{"AccountNum":"1"}`, `400 {"Message":"The request is invalid."}`},
		{"no lines", "POST /api/WebApi/RealizarPedido", "Content-Type: application/json|Authorization: Bearer TOKEN", `{"listaPedido":[{"AccountNum":"1","listaPedidoDetalle":[]}]}`, `400 {"Message":"The request is invalid."}`},
		{"a member less", "POST /api/WebApi/RealizarPedido", "Content-Type: application/json|Authorization: Bearer TOKEN", strings.Replace(order, `"CountyId":"1",`, "", 1), `200 [{"valor":"2","mensaje":"Faltan datos del pedido: CountyId","pedido":""}]`},
		{"a member of a line less", "POST /api/WebApi/RealizarPedido", "Content-Type: application/json|Authorization: Bearer TOKEN", strings.Replace(order, `"Precio":104.50,`, "", 1), `200 [{"valor":"2","mensaje":"Faltan datos del pedido: Precio","pedido":""}]`},
		{"a boolean", "POST /api/WebApi/RealizarPedido", "Content-Type: application/json|Authorization: Bearer TOKEN", strings.Replace(order, `Sitio":1`, `Sitio":true`, 1), `200 [{"valor":"2","mensaje":"RecogerEnSitio y EntregaUsuarioFinal son 0 o 1","pedido":""}]`},
		{"a number as text", "POST /api/WebApi/RealizarPedido", "Content-Type: application/json|Authorization: Bearer TOKEN", strings.Replace(order, `104.50`, `"104.50"`, 1), `400 {"Message":"The request is invalid: Precio"}`},
		{"a text as number", "POST /api/WebApi/RealizarPedido", "Content-Type: application/json|Authorization: Bearer TOKEN", strings.Replace(order, `"CountyId":"1"`, `"CountyId":1`, 1), `400 {"Message":"The request is invalid: CountyId"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			box, _ := startMPS(t)
			ask := func(request, headers, body string) string {
				method, path, _ := strings.Cut(request, " ")
				r := httptest.NewRequest(method, path, strings.NewReader(body))
				for _, header := range strings.Split(headers, "|") {
					name, value, _ := strings.Cut(header, ": ")
					r.Header.Set(name, value)
				}
				w := httptest.NewRecorder()
				box.ServeHTTP(w, r)
				return fmt.Sprint(w.Code, " ", w.Body)
			}
			login := ask("POST /Token", "Content-Type: application/x-www-form-urlencoded", form)
			_, login, _ = strings.Cut(login, `"access_token":"`)
			token, _, _ := strings.Cut(login, `"`)
			if got := ask(tt.request, strings.Replace(tt.headers, "TOKEN", token, 1), tt.body); token == "" || !strings.HasPrefix(got, tt.want) {
				t.Errorf("answers %s, want %s", got, tt.want)
			}
			if errors := box.Stats().Errors; len(errors) > 0 {
				t.Errorf("the sandbox fails: %v", errors)
			}
		})
	}
}
