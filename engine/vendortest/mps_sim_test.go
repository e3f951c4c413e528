package vendortest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/testserver"
	"github.com/seed627bd532/runner/engine/state"
)

// An mpsSim is MPS shopcommerce as one reading of its document has it. It owes
// nothing to the vendor file or to its sandbox, so that a misreading there
// shows. It is strict about requests: whatever the document does not show is a
// complaint.
type mpsSim struct {
	mpsReading

	mu         sync.Mutex
	tokens     map[string]*mpsToken
	asked      map[string]int // requests that came, by path
	filters    []http.Header  // what each request of the catalogue was filtered by
	orders     []mpsOrder     // those that were made
	complaints []string
	client     *http.Client
}

type mpsToken struct {
	born  time.Time
	calls int
}

// An mpsOrder is what a request asked for, numbers as they were written.
type mpsOrder struct {
	head  map[string]any
	lines []map[string]any
}

// An mpsReading is what the document leaves open, or what servers do without one.
type mpsReading struct {
	tokenLife  time.Duration // how long a token is good, whatever the answer says of it
	tokenCalls int           // how many calls the first token is good for; 0: all
	grant      func(token string) testserver.Reply
	badLogin   testserver.Reply
	over       testserver.Reply // of a call under a token that is not good
	categories testserver.Reply
	catalogue  func(filters http.Header) testserver.Reply
	refuse     func(o mpsOrder) *testserver.Reply
	receipt    func(number string) string
	wire       func(r testserver.Reply) testserver.Reply
	troubles   []testserver.Trouble // of a path
}

const (
	mpsUser     = "reseller+1@example.com"
	mpsPassword = `p&ss"wörd/+ 4711=<%>`

	mpsTokenPath   = "/Token"
	mpsFamilies    = "/api/WebApi/VerCategoria"
	mpsCatalogue   = "/api/WebApi/GetConsultarCatalogo"
	mpsOrderPath   = "/api/WebApi/RealizarPedido"
	mpsSample      = `{"PartNum":" 2HL38AA#ABM","Familia":"PORTATIL","Categoria":"Consumo","Name":"AIO HP PAVILION A9 MEMORIA 6GB DISCO 1TB  PANTALLA 27 Win 10 BLANCO","Description":null,"Marks":"HPPCSCONSUMO","Salesminprice":1833888.49,"precio":0,"CurrencyDef":"COP","Quantity":45,"TributariClassification":"EXCLUIDO","Descuento":0}`
	mpsSampleRow   = `" 2HL38AA#ABM",PORTATIL,Consumo,AIO HP PAVILION A9 MEMORIA 6GB DISCO 1TB  PANTALLA 27 Win 10 BLANCO,,HPPCSCONSUMO,1833888.49,0,COP,45,EXCLUIDO,0` + "\n"
	mpsSampleTitle = "part_number,family,category,name,description,brand,price,price_cop,currency,quantity,tax_classification,discount\n"
)

// newMPS returns the most natural reading: nothing goes wrong.
func newMPS() *mpsSim {
	v := &mpsSim{tokens: map[string]*mpsToken{}, asked: map[string]int{}}
	v.mpsReading = mpsReading{
		tokenLife: 1209599 * time.Second,
		grant: func(token string) testserver.Reply {
			return testserver.AsJSON(200, `{"access_token":"`+token+`","token_type":"bearer","expires_in":1209599,"userName":"`+mpsUser+
				`",".issued":"Tue, 14 Nov 2017 16:04:31 GMT",".expires":"Tue, 28 Nov 2017 16:04:31 GMT"}`)
		},
		badLogin:   testserver.AsJSON(400, `{"error":"invalid_grant","error_description":"The user name or password is incorrect."}`),
		over:       testserver.AsJSON(401, `{"Message":"Authorization has been denied for this request."}`),
		categories: testserver.AsJSON(200, `[{"Familia":"PORTATIL","Categoria":"Consumo"}]`),
		catalogue:  func(http.Header) testserver.Reply { return testserver.AsJSON(200, "["+mpsSample+"]") },
		receipt: func(number string) string {
			return `[{"valor":"1","mensaje":"Mensaje enviado satisfactoriamente. Su Pedido Virtual es: ` + number + `","pedido":"` + number + `"}]`
		},
		wire: func(r testserver.Reply) testserver.Reply { return r },
	}
	return v
}

// start serves the vendor over pipes, so that it lives in a synctest bubble.
func (v *mpsSim) start() (stop func()) {
	v.client, stop = testserver.OverPipes(v)
	return stop
}

func (v *mpsSim) complain(format string, args ...any) {
	v.complaints = append(v.complaints, fmt.Sprintf(format, args...))
}

func (v *mpsSim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	v.mu.Lock()
	if err != nil {
		v.complain("%s: body: %v", r.URL.Path, err)
	}
	v.asked[r.URL.Path]++
	t := testserver.Befalling(v.troubles, r.URL.Path, v.asked[r.URL.Path])
	var answer testserver.Reply
	if t == nil || t.Worked {
		answer = v.serve(r, body)
	}
	v.mu.Unlock()
	answer.Put(w, r, t)
}

// serve does the work of one request.
func (v *mpsSim) serve(r *http.Request, body []byte) testserver.Reply {
	path := r.URL.Path
	if r.URL.RawQuery != "" {
		v.complain("%s: query %q", path, r.URL.RawQuery)
	}
	method, known := map[string]string{
		mpsTokenPath: "POST", mpsFamilies: "GET", mpsCatalogue: "GET", mpsOrderPath: "POST",
	}[path]
	switch {
	case !known:
		v.complain("there is no %s", path)
		return testserver.AsJSON(404, `{"Message":"No HTTP resource was found that matches the request URI."}`)
	case r.Method != method:
		v.complain("%s: method %s", path, r.Method)
		return testserver.AsJSON(405, `{"Message":"The requested resource does not support http method."}`)
	case path == mpsTokenPath:
		return v.login(r, string(body))
	}
	for name := range r.Header {
		if strings.HasPrefix(name, "X-") && (path != mpsCatalogue || !mpsFilters[name]) {
			v.complain("%s: header %s", path, name)
		}
	}
	if got := r.Header.Get("Content-Type"); got != "application/json" {
		v.complain("%s: content type %q", path, got)
	}
	if !v.good(r.Header.Values("Authorization")) {
		return v.over
	}
	if method == "GET" && len(body) > 0 {
		v.complain("%s: body %q", path, body)
	}
	switch path {
	case mpsFamilies:
		return v.wire(v.categories)
	case mpsCatalogue:
		filters := http.Header{}
		for name := range mpsFilters {
			if values := r.Header.Values(name); len(values) > 0 {
				filters[name] = values
			}
		}
		v.filters = append(v.filters, filters)
		return v.wire(v.catalogue(filters))
	}
	return v.order(body)
}

// mpsFilters are the filters of the catalogue, in the form in which net/http has their names.
var mpsFilters = map[string]bool{"X-Familia": true, "X-Categoria": true, "X-Marks": true, "X-Disponibilidad": true, "X-Partnum": true}

func (v *mpsSim) login(r *http.Request, body string) testserver.Reply {
	if got := r.Header.Get("Content-Type"); got != "application/x-www-form-urlencoded" {
		v.complain("Token: content type %q", got)
	}
	if len(r.Header.Values("Authorization")) > 0 {
		v.complain("Token: it needs no token, and got one")
	}
	form := map[string]string{}
	for _, field := range strings.Split(body, "&") {
		name, text, _ := strings.Cut(field, "=")
		text, err := unescapeForm(text)
		if _, twice := form[name]; err != nil || twice {
			v.complain("Token: field %q", field)
		}
		form[name] = text
	}
	if want := []string{"grant_type", "password", "username"}; !slices.Equal(slices.Sorted(maps.Keys(form)), want) {
		v.complain("Token: fields %v", form)
	}
	if form["grant_type"] != "password" {
		return testserver.AsJSON(400, `{"error":"unsupported_grant_type"}`)
	}
	if form["username"] != mpsUser || form["password"] != mpsPassword {
		return v.badLogin
	}
	token := fmt.Sprintf("HfLdRYxSyku9cG64D70iy-m_%d_WGQHQJ8Cus2hMe-P9ieK1c9VfgBq5EpXLTOVE19i6cQtj1z", len(v.tokens)+1)
	v.tokens[token] = &mpsToken{born: time.Now()}
	return v.grant(token)
}

// unescapeForm decodes the text of a form field, byte by byte.
func unescapeForm(text string) (string, error) {
	var b []byte
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '+':
			b = append(b, ' ')
		case c == '%' && i+2 < len(text):
			n, err := strconv.ParseUint(text[i+1:i+3], 16, 8)
			if err != nil {
				return "", err
			}
			b, i = append(b, byte(n)), i+2
		case strings.IndexByte("%\"<>/ ", c) >= 0 || c >= 0x80:
			return "", fmt.Errorf("%q stands bare", c)
		default:
			b = append(b, c)
		}
	}
	return string(b), nil
}

func (v *mpsSim) good(authorization []string) bool {
	if len(authorization) != 1 {
		v.complain("%d Authorization headers", len(authorization))
		return false
	}
	token, bearer := strings.CutPrefix(authorization[0], "Bearer ")
	t := v.tokens[token]
	if !bearer || t == nil {
		v.complain("Authorization %q", authorization[0])
		return false
	}
	t.calls++
	first := strings.Contains(token, "_1_")
	return time.Since(t.born) < v.tokenLife && (!first || v.tokenCalls == 0 || t.calls <= v.tokenCalls)
}

// The members of a request, with the kind that the document's tables name.
var (
	mpsHead = map[string]string{
		"AccountNum": "text", "NombreClienteEntrega": "text", "ClienteEntrega": "text", "TelefonoEntrega": "text", "DireccionEntrega": "text",
		"StateId": "text", "CountyId": "text", "RecogerEnSitio": "0 or 1", "EntregaUsuarioFinal": "0 or 1",
		"dlvTerm": "may be missing", "dlvmode": "may be missing", "Observaciones": "may be missing",
	}
	mpsLine = map[string]string{"PartNum": "text", "Producto": "text", "Precio": "number", "Cantidad": "count", "Marks": "text", "Bodega": "text"}
)

func (v *mpsSim) order(body []byte) testserver.Reply {
	var all map[string][]map[string]any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&all); err != nil || len(all) != 1 || len(all["listaPedido"]) != 1 {
		v.complain("RealizarPedido: %v in %s", err, body)
		return testserver.AsJSON(400, `{"Message":"The request is invalid."}`)
	}
	o := mpsOrder{head: all["listaPedido"][0]}
	lines, _ := o.head["listaPedidoDetalle"].([]any)
	delete(o.head, "listaPedidoDetalle")
	v.members(o.head, mpsHead)
	if len(lines) == 0 {
		v.complain("RealizarPedido: no lines in %s", body)
	}
	for _, l := range lines {
		line, _ := l.(map[string]any)
		v.members(line, mpsLine)
		o.lines = append(o.lines, line)
	}
	if v.refuse != nil {
		if refusal := v.refuse(o); refusal != nil {
			return v.wire(*refusal)
		}
	}
	v.orders = append(v.orders, o)
	return v.wire(testserver.AsJSON(200, v.receipt(fmt.Sprintf("%08d", 1011+len(v.orders)))))
}

// members complains of members that are not of the kinds that want has.
func (v *mpsSim) members(got map[string]any, want map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(got)) {
		text, isText := got[name].(string)
		number, isNumber := got[name].(json.Number)
		var right bool
		switch want[name] {
		case "text":
			right = isText && text != ""
		case "may be missing":
			right = isText
		case "0 or 1":
			right = isNumber && (number == "0" || number == "1")
		case "number":
			right = isNumber
		case "count":
			n, err := strconv.Atoi(string(number))
			right = isNumber && err == nil && n > 0
		}
		if !right {
			v.complain("RealizarPedido: %s is %#v", name, got[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if _, there := got[name]; !there && want[name] != "may be missing" {
			v.complain("RealizarPedido: %s is missing", name)
		}
	}
}

const (
	mpsExport = "pipelines/mps/export_catalogue.yaml"
	mpsList   = "pipelines/mps/list_categories.yaml"
	mpsPlace  = "pipelines/mps/place_order.yaml"
)

// An mpsRan is what a run left behind.
type mpsRan struct {
	result *engine.Result
	err    error
	hint   string
	files  map[string]string
}

// program is the repository's own, connected to v.
func (v *mpsSim) program(t *testing.T, sink event.Sink, tokens state.Tokens) *engine.Program {
	t.Helper()
	p, err := engine.Load(os.DirFS("../.."), engine.Options{
		Paths: []string{"specs/mps.yaml", "pipelines/mps"},
		Connections: map[string]engine.Connection{"mps": {
			Vendor: "mps", BaseURL: "http://mps.example:7071", Config: map[string]any{"username": mpsUser, "password": mpsPassword},
		}},
		Client: v.client,
		Tokens: tokens,
		Events: sink,
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// run runs a pipeline or an operation against v, and checks what holds for every run.
func (v *mpsSim) run(t *testing.T, name string, inputs map[string]any) *mpsRan {
	t.Helper()
	stop := v.start()
	defer stop()
	sink := &testserver.Heard{}
	return v.runIn(t, v.program(t, sink, nil), sink, name, inputs)
}

func (v *mpsSim) runIn(t *testing.T, p *engine.Program, sink *testserver.Heard, name string, inputs map[string]any) *mpsRan {
	t.Helper()
	r := &mpsRan{files: map[string]string{}}
	out := t.TempDir()
	request := engine.Request{Pipeline: name, Inputs: inputs, OutDir: out}
	if strings.HasSuffix(name, ".yaml") {
		r.result, r.err = p.Run(context.Background(), request)
	} else {
		r.result, r.err = p.Call(context.Background(), name, request)
	}
	var failed *engine.Error
	if errors.As(r.err, &failed) {
		r.hint = failed.Failure.Hint
	}
	entries, err := os.ReadDir(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(out, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		r.files[e.Name()] = string(text)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, c := range v.complaints {
		t.Errorf("the vendor complains: %s", c)
	}
	seen := fmt.Sprintf("%s %+v %v %s", sink.Text(), r.result, r.err, r.hint)
	for token := range v.tokens {
		if strings.Contains(seen, token) {
			t.Errorf("the token %s is seen", token)
		}
	}
	for _, form := range testserver.Encoded(mpsPassword) {
		if strings.Contains(seen, form) {
			t.Errorf("the password is seen as %s", form)
		}
	}
	return r
}

// mpsWant is an order as the document's sample has it, with other values where more says so.
func mpsWant(more ...any) map[string]any {
	in := map[string]any{
		"customer": map[string]any{
			"account_number": "79580718", "name": "Cliente Demo\nDemo", "tax_id": "79580718", "phone": "99999", "address": "calle\u00a01 # 2-3",
			"state_id": "05", "county_id": "001", "end_user": false,
		},
		"notes": "Pedido de prueba",
		"lines": []any{
			map[string]any{"part_number": " SM-J250MZDDCOO", "product": "GALAXY J2 \"Pro\"", "price": json.Number("342808"), "quantity": json.Number("2.0"), "brand": "SAMSUNGMOVILIDAD", "warehouse": "BCOTA"},
			map[string]any{"part_number": "0012345", "product": "Office ESD", "price": json.Number("1833888.4900"), "quantity": 1},
		},
	}
	for i := 0; i < len(more); i += 2 {
		in[more[i].(string)] = more[i+1]
	}
	return in
}

func TestMPSOrderIsSentAsDocumented(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := newMPS()
		got := v.run(t, mpsPlace, mpsWant())
		want := map[string]any{"order_number": "00001012", "message": "Mensaje enviado satisfactoriamente. Su Pedido Virtual es: 00001012"}
		if got.err != nil || !reflect.DeepEqual(got.result.Outputs, want) {
			t.Errorf("%v %v, want %v", got.err, got.result.Outputs, want)
		}
		sent := mpsOrder{
			head: map[string]any{
				"AccountNum": "79580718", "NombreClienteEntrega": "Cliente Demo\nDemo", "ClienteEntrega": "79580718", "TelefonoEntrega": "99999",
				"DireccionEntrega": "calle\u00a01 # 2-3", "StateId": "05", "CountyId": "001", "RecogerEnSitio": json.Number("1"),
				"EntregaUsuarioFinal": json.Number("0"), "dlvTerm": "", "dlvmode": "", "Observaciones": "Pedido de prueba",
			},
			lines: []map[string]any{
				{"PartNum": " SM-J250MZDDCOO", "Producto": "GALAXY J2 \"Pro\"", "Precio": json.Number("342808"), "Cantidad": json.Number("2"), "Marks": "SAMSUNGMOVILIDAD", "Bodega": "BCOTA"},
				{"PartNum": "0012345", "Producto": "Office ESD", "Precio": json.Number("1833888.4900"), "Cantidad": json.Number("1"), "Marks": "MICROSOFT ESD", "Bodega": "BELEC"},
			},
		}
		if !reflect.DeepEqual(v.orders, []mpsOrder{sent}) {
			t.Errorf("sent %v, want %v", v.orders, sent)
		}
	})
}

// Whatever says that the order was made says so, and its number keeps its digits.
func TestMPSReceipts(t *testing.T) {
	t.Parallel()
	for receipt, want := range map[string][2]string{
		`[{"valor":"1","mensaje":"Bien","pedido":"00001012"}]`:                                                        {"00001012", "Bien"},
		`[{"valor":1,"mensaje":"Bien","pedido":"00001012"}]`:                                                          {"00001012", "Bien"},
		`[{"valor":" 1 ","mensaje":"Bien","pedido":"00001012"}]`:                                                      {"00001012", "Bien"},
		`[{"valor":1.0,"mensaje":"Bien","pedido":"00001012"}]`:                                                        {"00001012", "Bien"},
		`[{"valor":"1","mensaje":"Bien","pedido":1012}]`:                                                              {"1012", "Bien"},
		`{"valor":"1","mensaje":"Bien","pedido":"00001012"}`:                                                          {"00001012", "Bien"},
		`[{"valor":"1","mensaje":null,"pedido":"00001012"}]`:                                                          {"00001012", ""},
		`[{"valor":"1","pedido":"00001012","extra":{"a":[1]}}]`:                                                       {"00001012", ""},
		`[{"valor":"1","mensaje":"a","pedido":"0007"},{"valor":"1","mensaje":"b","pedido":"0007"}]`:                   {"0007", "a"},
		"\ufeff" + `[ {"valor" : "1", "mensaje" : "Su Pedido <b>ñ</b> \"1\"", "pedido" : "00000000000000000001012"}]`: {"00000000000000000001012", `Su Pedido <b>ñ</b> "1"`},
	} {
		t.Run(receipt, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newMPS()
				v.receipt = func(string) string { return receipt }
				got := v.run(t, mpsPlace, mpsWant())
				if outputs := (map[string]any{"order_number": want[0], "message": want[1]}); got.err != nil || !reflect.DeepEqual(got.result.Outputs, outputs) {
					t.Errorf("%v %v", got.err, got.result.Outputs)
				}
			})
		})
	}
}

// A refusal ends the run with the vendor's words, and nothing is sent again.
func TestMPSOrderRefused(t *testing.T) {
	t.Parallel()
	const words = "El producto no tiene existencia en BELEC"
	for name, r := range map[string]testserver.Reply{
		"valor 0":    testserver.AsJSON(200, `[{"valor":"0","mensaje":"`+words+`","pedido":""}]`),
		"valor 2":    testserver.AsJSON(200, `[{"valor":"2","mensaje":"`+words+`","pedido":null}]`),
		"a number":   testserver.AsJSON(200, `[{"valor":0,"mensaje":"`+words+`"}]`),
		"negative":   testserver.AsJSON(200, `[{"valor":-1,"mensaje":"`+words+`","pedido":"0"}]`),
		"11":         testserver.AsJSON(200, `[{"valor":"11","mensaje":"`+words+`","pedido":""}]`),
		"one object": testserver.AsJSON(200, `{"valor":"0","mensaje":"`+words+`","pedido":""}`),
		"201":        testserver.AsJSON(201, `{"valor":"0","mensaje":"`+words+`","pedido":""}`),
		"a word":     testserver.AsJSON(200, `[{"valor":"ERROR","mensaje":"`+words+`","pedido":""}]`),
		"400":        testserver.AsJSON(400, `{"Message":"`+words+`"}`),
		"400 list":   testserver.AsJSON(400, `[{"valor":"0","mensaje":"`+words+`"}]`),
		"400 text":   testserver.Plain(400, words),
		"403":        testserver.AsJSON(403, `{"Message":"`+words+`"}`),
		"404":        testserver.Plain(404, words),
		"409":        testserver.Plain(409, words),
		"415":        testserver.AsJSON(415, `{"Message":"`+words+`"}`),
		"422":        testserver.AsJSON(422, `{"mensaje":"`+words+`"}`),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newMPS()
				v.refuse = func(mpsOrder) *testserver.Reply { return &r }
				got := v.run(t, mpsPlace, mpsWant())
				if got.result.Status != engine.Failed || v.asked[mpsOrderPath] != 1 {
					t.Errorf("%v after %v", got.result.Status, v.asked)
				}
				text := got.err.Error()
				if !strings.Contains(text, "mps.place_order: ") || !strings.Contains(text, words) {
					t.Errorf("error %q", text)
				}
			})
		})
	}
}

// An ambiguous order is sent once.
func TestMPSUnknownOrderIsNeverSentTwice(t *testing.T) {
	t.Parallel()
	answer := func(r testserver.Reply) *testserver.Reply { return &r }
	for name, tr := range map[string]testserver.Trouble{
		"lost after the work":      {Worked: true, HangUp: true},
		"lost before the work":     {HangUp: true},
		"slower than our patience": {Worked: true, Wait: time.Hour},
		"broken off":               {Worked: true, Cut: true},
		"500 after the work":       {Worked: true, Answer: answer(testserver.AsJSON(500, `{"Message":"An error has occurred.","ExceptionMessage":"Internal 4711"}`))},
		"500 that refuses":         {Worked: true, Answer: answer(testserver.AsJSON(500, `[{"valor":"0","mensaje":"Internal 4711"}]`))},
		"502 page":                 {Worked: true, Answer: answer(testserver.HtmlPage(502))},
		"503":                      {Worked: true, Answer: answer(testserver.HtmlPage(503).With("Retry-After", "7"))},
		"408":                      {Worked: true, Answer: answer(testserver.Plain(408, "Internal 4711"))},
		"200 page":                 {Worked: true, Answer: answer(testserver.HtmlPage(200))},
		"200 nothing":              {Worked: true, Answer: answer(testserver.AsJSON(200, ""))},
		"204":                      {Worked: true, Answer: answer(testserver.Reply{Status: 204})},
		"null":                     {Worked: true, Answer: answer(testserver.AsJSON(200, "null"))},
		"no element":               {Worked: true, Answer: answer(testserver.AsJSON(200, "[]"))},
		"an element that is null":  {Worked: true, Answer: answer(testserver.AsJSON(200, "[null]"))},
		"valor missing":            {Worked: true, Answer: answer(testserver.AsJSON(200, `[{"mensaje":"Internal 4711","pedido":"00001012"}]`))},
		"valor null":               {Worked: true, Answer: answer(testserver.AsJSON(200, `[{"valor":null,"mensaje":"Internal 4711","pedido":"00001012"}]`))},
		"valor blank":              {Worked: true, Answer: answer(testserver.AsJSON(200, `[{"valor":" ","mensaje":"Internal 4711","pedido":"00001012"}]`))},
		"valor true":               {Worked: true, Answer: answer(testserver.AsJSON(200, `[{"valor":true,"mensaje":"Internal 4711","pedido":"00001012"}]`))},
		"pedido missing":           {Worked: true, Answer: answer(testserver.AsJSON(200, `[{"valor":"1","mensaje":"Internal 4711"}]`))},
		"pedido blank":             {Worked: true, Answer: answer(testserver.AsJSON(200, `[{"valor":"1","mensaje":"Internal 4711","pedido":" "}]`))},
		"two orders":               {Worked: true, Answer: answer(testserver.AsJSON(200, `[{"valor":"1","mensaje":"Internal 4711","pedido":"1"},{"valor":"1","mensaje":"","pedido":"2"}]`))},
		"half of it refused":       {Worked: true, Answer: answer(testserver.AsJSON(200, `[{"valor":"1","mensaje":"Internal 4711","pedido":"1"},{"valor":"0","mensaje":"","pedido":"1"}]`))},
		"words":                    {Worked: true, Answer: answer(testserver.AsJSON(200, `{"Message":"Internal 4711"}`))},
		"half a JSON":              {Worked: true, Answer: answer(testserver.AsJSON(200, `[{"valor":"1","mens`))},
		"to what it made":          {Worked: true, Answer: answer(testserver.Plain(303, "").With("Location", "/api/WebApi/Pedido/1"))},
		"moved after the work":     {Worked: true, Answer: answer(testserver.Plain(301, "").With("Location", "https://elsewhere.example/api/WebApi/RealizarPedido"))},
		"moved for good":           {Worked: true, Answer: answer(testserver.Plain(308, "").With("Location", "/api/WebApi/RealizarPedido/"))},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newMPS()
				tr.Service = mpsOrderPath
				v.troubles = []testserver.Trouble{tr}
				got := v.run(t, mpsPlace, mpsWant())
				if got.result.Status != engine.Ambiguous || got.result.Status.ExitCode() != 4 || v.asked[mpsOrderPath] != 1 {
					t.Errorf("%v after %v: %v", got.result.Status, v.asked, got.err)
				}
				text := got.err.Error()
				if !strings.Contains(text, "mps.place_order: unknown: it may or may not have been done: POST http://mps.example:7071/api/WebApi/RealizarPedido was sent at ") ||
					!strings.Contains(got.hint, `order of 79580718 for Cliente Demo\nDemo (79580718), 2 lines, `) {
					t.Errorf("error %q\nhint %q", text, got.hint)
				}
				if tr.Answer != nil && strings.Contains(tr.Answer.Body, "4711") && !strings.Contains(text, "Internal 4711") {
					t.Errorf("error %q lacks the vendor's words", text)
				}
			})
		})
	}
}

// What was surely not done is done again, once.
func TestMPSOrderThatWasNotDoneIsRepeated(t *testing.T) {
	t.Parallel()
	over := testserver.AsJSON(401, `{"Message":"Authorization has been denied for this request."}`)
	forbidden := testserver.AsJSON(403, `{"Message":"Authorization has been denied for this request."}`)
	slow, slowFor := testserver.AsJSON(429, `{"Message":"Too many requests"}`), testserver.AsJSON(429, `{"Message":"Too many requests"}`).With("Retry-After", "90")
	for name, tt := range map[string]struct {
		trouble testserver.Trouble
		logins  int
		wait    time.Duration
	}{
		"token over":             {testserver.Trouble{Calls: 1, Answer: &over}, 2, 0},
		"token over, under 403":  {testserver.Trouble{Calls: 1, Answer: &forbidden}, 2, 0},
		"too many":               {testserver.Trouble{Calls: 2, Answer: &slow}, 1, time.Second},
		"too many, for a minute": {testserver.Trouble{Calls: 1, Answer: &slowFor}, 1, 90 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newMPS()
				tt.trouble.Service = mpsOrderPath
				v.troubles = []testserver.Trouble{tt.trouble}
				began := time.Now()
				got := v.run(t, mpsPlace, mpsWant())
				if got.err != nil || len(v.orders) != 1 || v.asked[mpsTokenPath] != tt.logins || v.asked[mpsOrderPath] != tt.trouble.Calls+1 {
					t.Errorf("%v after %v", got.err, v.asked)
				}
				if took := time.Since(began); took < tt.wait || took > tt.wait+time.Minute {
					t.Errorf("took %v, want %v", took, tt.wait)
				}
			})
		})
	}
}

// Orders that are wrong are refused before anything is sent.
func TestMPSOrderInputs(t *testing.T) {
	t.Parallel()
	line := func(name string, v any) map[string]any {
		l := map[string]any{"part_number": "A", "product": "a", "price": json.Number("1.50"), "quantity": 1}
		l[name] = v
		if v == nil {
			delete(l, name)
		}
		return map[string]any{"lines": []any{l}}
	}
	customer := func(name string, v any) map[string]any {
		c := maps.Clone(mpsWant()["customer"].(map[string]any))
		c[name] = v
		if v == nil {
			delete(c, name)
		}
		return map[string]any{"customer": c}
	}
	for want, change := range map[string]map[string]any{
		"input lines: must not be empty":                                          {"lines": []any{}},
		"input lines: is missing":                                                 {"lines": nil},
		"input lines[0].quantity: expected at least 1, found 0":                   line("quantity", 0),
		"input lines[0].quantity: expected integer, found number 1.5":             line("quantity", json.Number("1.5")),
		"input lines[0].price: expected at least 0, found -1":                     line("price", -1),
		"input lines[0].price: expected decimal, found text \"1,50\"":             line("price", "1,50"),
		"input lines[0]: missing member \"price\"":                                line("price", nil),
		"input lines[0].part_number: must not be empty":                           line("part_number", ""),
		"input lines[0].part_number: expected text, found integer 7":              line("part_number", 7),
		"input lines[0]: missing member \"product\"":                              line("product", nil),
		"input lines[0].qty: unknown member \"qty\"":                              line("qty", 7),
		"input customer.state_id: expected text, found integer 5":                 customer("state_id", 5),
		"input customer: missing member \"phone\"":                                customer("phone", nil),
		"input customer.address: must not be empty":                               customer("address", ""),
		"input customer.pick_up: expected boolean, found text \"si\"":             customer("pick_up", "si"),
		"input customer.pickup: unknown member \"pickup\"; did you mean pick_up?": customer("pickup", false),
		"input comment: is not known here":                                        {"comment": "x"},
		"input customer: expected object, found text \"79580718\"":                {"customer": "79580718"},
		"input notes: expected text, found integer 7":                             {"notes": 7},
	} {
		t.Run(want, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newMPS()
				stop := v.start()
				defer stop()
				in := mpsWant()
				for name, value := range change {
					in[name] = value
					if value == nil {
						delete(in, name)
					}
				}
				_, err := v.program(t, nil, nil).Run(context.Background(), engine.Request{Pipeline: mpsPlace, Inputs: in})
				if err == nil || err.Error() != want || len(v.asked) != 0 {
					t.Errorf("%v after %v", err, v.asked)
				}
			})
		})
	}
}

// Two orders are the same when customer, notes and lines are, however they are written.
func TestMPSIdentityOfAnOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		identity := func(in map[string]any) string {
			v := newMPS()
			v.troubles = []testserver.Trouble{{Service: mpsOrderPath, HangUp: true}}
			got := v.run(t, mpsPlace, in)
			_, text, _ := strings.Cut(got.hint, `"order of `)
			text, _, found := strings.Cut(text, `"`)
			if !found {
				t.Fatalf("hint %q", got.hint)
			}
			return text
		}
		line := func(part, price string, more ...any) map[string]any {
			l := map[string]any{"part_number": part, "product": "p", "price": json.Number(price), "quantity": 1}
			for i := 0; i < len(more); i += 2 {
				l[more[i].(string)] = more[i+1]
			}
			return l
		}
		lines := func(l ...any) map[string]any { return mpsWant("lines", l) }
		want := identity(lines(line("A", "1.50"), line("B", "2")))
		for name, in := range map[string]map[string]any{
			"lines the other way round": lines(line("B", "2"), line("A", "1.50")),
			"another form of a price":   lines(line("A", "1.5"), line("B", "2.00")),
			"what is default is given":  lines(line("A", "1.50", "brand", "MICROSOFT ESD", "warehouse", "BELEC"), line("B", "2")),
		} {
			if got := identity(in); got != want {
				t.Errorf("%s: %s, want %s", name, got, want)
			}
		}
		for name, in := range map[string]map[string]any{
			"another price":    lines(line("A", "1.51"), line("B", "2")),
			"another part":     lines(line(" A", "1.50"), line("B", "2")),
			"another quantity": lines(line("A", "1.50", "quantity", 2), line("B", "2")),
			"a line twice":     lines(line("A", "1.50"), line("A", "1.50"), line("B", "2")),
			"no notes":         mpsWant("lines", lines(line("A", "1.50"), line("B", "2"))["lines"], "notes", nil),
		} {
			if got := identity(in); got == want {
				t.Errorf("%s: it is the same", name)
			}
		}
	})
}

func TestMPSFiltersOfTheCatalogue(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		inputs map[string]any
		want   http.Header
	}{
		"none":             {nil, http.Header{}},
		"all":              {map[string]any{"family": "PORTATIL", "category": "Consumo", "brand": "HP & Cía", "available": true, "part_number": "2HL38AA#ABM"}, http.Header{"X-Familia": {"PORTATIL"}, "X-Categoria": {"Consumo"}, "X-Marks": {"HP & Cía"}, "X-Disponibilidad": {"1"}, "X-Partnum": {"2HL38AA#ABM"}}},
		"not available":    {map[string]any{"available": false}, http.Header{"X-Disponibilidad": {"0"}}},
		"as the vendor":    {map[string]any{"available": "1"}, http.Header{"X-Disponibilidad": {"1"}}},
		"a number":         {map[string]any{"available": json.Number("0")}, http.Header{"X-Disponibilidad": {"0"}}},
		"a word":           {map[string]any{"available": "True"}, http.Header{"X-Disponibilidad": {"1"}}},
		"a word of theirs": {map[string]any{"available": "SI"}, http.Header{"X-Disponibilidad": {"SI"}}},
		"nothing given":    {map[string]any{"family": nil, "category": "", "brand": " ", "available": nil, "part_number": ""}, http.Header{}},
		"digits":           {map[string]any{"part_number": "0012345"}, http.Header{"X-Partnum": {"0012345"}}},
		// HTTP takes blanks at the ends of a header away.
		"a leading blank": {map[string]any{"part_number": " 2HL38AA#ABM"}, http.Header{"X-Partnum": {"2HL38AA#ABM"}}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newMPS()
				got := v.run(t, mpsExport, tt.inputs)
				if got.err != nil || !reflect.DeepEqual(v.filters, []http.Header{tt.want}) {
					t.Errorf("%v: %v, want %v", got.err, v.filters, tt.want)
				}
				if got.files["products.csv"] != mpsSampleTitle+mpsSampleRow || got.result.Outputs["count"] != int64(1) {
					t.Errorf("%v\n%s", got.result.Outputs, got.files["products.csv"])
				}
			})
		})
	}
	t.Run("no second line in a header", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			v := newMPS()
			got := v.run(t, mpsExport, map[string]any{"family": "A\r\nX-Marks: B"})
			if got.err == nil || v.asked[mpsCatalogue] != 0 {
				t.Errorf("%v after %v", got.err, v.asked)
			}
		})
	})
}

// mpsProduct is the sample with another text in the place of old.
func mpsProduct(old, text string) string {
	if !strings.Contains(mpsSample, old) {
		panic("the sample lacks " + old)
	}
	return strings.Replace(mpsSample, old, text, 1)
}

func TestMPSCatalogueReadings(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer testserver.Reply
		rows   string
	}{
		"sample":           {testserver.AsJSON(200, "["+mpsSample+"]"), mpsSampleRow},
		"nothing":          {testserver.AsJSON(200, "[]"), ""},
		"null":             {testserver.AsJSON(200, "null").With("Content-Length", "4"), ""},
		"204":              {testserver.Reply{Status: 204}, ""},
		"unknown members":  {testserver.AsJSON(200, "["+mpsProduct("{", `{"Message":"Authorization has been denied","Bodegas":[{"a":1}],"id":7,`)+"]"), mpsSampleRow},
		"no Description":   {testserver.AsJSON(200, "["+mpsProduct(`"Description":null,`, "")+"]"), mpsSampleRow},
		"long numbers":     {testserver.AsJSON(200, "["+mpsProduct("1833888.49", "12345678901234567890.12345678901234567890")+"]"), strings.Replace(mpsSampleRow, "1833888.49", "12345678901234567890.12345678901234567890", 1)},
		"trailing zeros":   {testserver.AsJSON(200, "["+mpsProduct("1833888.49,\"precio\":0,", "1833888.4900,\"precio\":0.00,")+"]"), strings.Replace(mpsSampleRow, "1833888.49,0,", "1833888.4900,0.00,", 1)},
		"nulls":            {testserver.AsJSON(200, "["+strings.Replace(mpsProduct(`"Familia":"PORTATIL","Categoria":"Consumo"`, `"Familia":null,"Categoria":null`), `"Descuento":0`, `"Descuento":null`, 1)+"]"), strings.Replace(strings.Replace(mpsSampleRow, "PORTATIL,Consumo", ",", 1), "EXCLUIDO,0", "EXCLUIDO,", 1)},
		"texts with lines": {testserver.AsJSON(200, "["+mpsProduct(`"Description":null`, `"Description":"\"a\",\r\nb;ñ 😀"`)+"]"), strings.Replace(mpsSampleRow, "BLANCO,,", "BLANCO,\"\"\"a\"\",\r\nb;ñ 😀\",", 1)},
		"zeros of a part":  {testserver.AsJSON(200, "["+mpsProduct(`" 2HL38AA#ABM"`, `"0012345 "`)+"]"), strings.Replace(mpsSampleRow, `" 2HL38AA#ABM"`, "0012345 ", 1)},
		"as text":          {testserver.Plain(200, "["+mpsSample+"]"), mpsSampleRow},
		"gzip":             {testserver.Gzipped(testserver.AsJSON(200, "["+mpsSample+"]")), mpsSampleRow},
		"byte order mark":  {testserver.Marked(testserver.AsJSON(200, "["+mpsSample+"]")), mpsSampleRow},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newMPS()
				v.catalogue = func(http.Header) testserver.Reply { return tt.answer }
				got := v.run(t, mpsExport, nil)
				if file := got.files["products.csv"]; got.err != nil || file != mpsSampleTitle+tt.rows {
					t.Errorf("%v\n%s", got.err, file)
				}
			})
		})
	}
}

// A catalogue that is not whole or not right leaves no file, and is named in the vendor's words.
func TestMPSCatalogueFails(t *testing.T) {
	t.Parallel()
	long := "[" + strings.Repeat(mpsSample+",", 20_000) + mpsSample + "]"
	answer := func(r testserver.Reply) *testserver.Reply { return &r }
	for name, tt := range map[string]struct {
		trouble testserver.Trouble
		want    string
		asked   int
	}{
		"no PartNum":         {testserver.Trouble{Answer: answer(testserver.AsJSON(200, "["+mpsSample+","+mpsProduct(`"PartNum":" 2HL38AA#ABM",`, "")+"]"))}, "mps.get_catalogue: invalid: the answer of mps.get_catalogue breaks its contract: [1]: missing member \"PartNum\"", 1},
		"no precio":          {testserver.Trouble{Answer: answer(testserver.AsJSON(200, "["+mpsProduct(`"precio":0,`, "")+"]"))}, "mps.get_catalogue: invalid: the answer of mps.get_catalogue breaks its contract: [0]: missing member \"precio\"", 1},
		"no Quantity at end": {testserver.Trouble{Answer: answer(testserver.AsJSON(200, strings.TrimSuffix(long, "]")+","+mpsProduct(`"Quantity":45,`, "")+"]"))}, "mps.get_catalogue: invalid: the answer of mps.get_catalogue breaks its contract: [20001]: missing member \"Quantity\"", 1},
		"price null":         {testserver.Trouble{Answer: answer(testserver.AsJSON(200, "["+mpsProduct("1833888.49", "null")+"]"))}, "mps.get_catalogue: invalid: the answer of mps.get_catalogue breaks its contract: [0].Salesminprice: expected number, found null", 1},
		"an object":          {testserver.Trouble{Answer: answer(testserver.AsJSON(200, `{"Message":"No hay catálogo"}`))}, "mps.get_catalogue: invalid: the answer of mps.get_catalogue breaks its contract: expected list, found object", 1},
		"null in the list":   {testserver.Trouble{Answer: answer(testserver.AsJSON(200, "[null]"))}, "mps.get_catalogue: invalid: the answer of mps.get_catalogue breaks its contract: [0]: expected object, found null", 1},
		"nothing":            {testserver.Trouble{Answer: answer(testserver.AsJSON(200, ""))}, "mps.get_catalogue: unknown: the answer is empty (HTTP status 200 OK)", 5},
		"page":               {testserver.Trouble{Answer: answer(testserver.HtmlPage(200))}, "mps.get_catalogue: unknown: the answer is not JSON: Sorry", 5},
		"broken off":         {testserver.Trouble{Cut: true, Answer: answer(testserver.AsJSON(200, long))}, "mps.get_catalogue: unknown: the answer broke off after 2 MiB: unexpected EOF", 5},
		"half a list":        {testserver.Trouble{Answer: answer(testserver.AsJSON(200, long[:len(long)/2]))}, "mps.get_catalogue: unknown: the answer is not JSON: ", 5},
		"500":                {testserver.Trouble{Answer: answer(testserver.AsJSON(500, `{"Message":"An error has occurred."}`))}, "mps.get_catalogue: unknown: An error has occurred.", 5},
		"503":                {testserver.Trouble{Answer: answer(testserver.Plain(503, "en mantenimiento").With("Retry-After", "3"))}, "mps.get_catalogue: throttled: en mantenimiento", 5},
		"429":                {testserver.Trouble{Answer: answer(testserver.Plain(429, "slow down").With("Retry-After", "3"))}, "mps.get_catalogue: throttled: slow down", 5},
		"403":                {testserver.Trouble{Answer: answer(testserver.AsJSON(403, `{"Message":"Sin permiso"}`))}, "mps.get_catalogue: denied: Sin permiso", 1},
		"elsewhere":          {testserver.Trouble{Answer: answer(testserver.Plain(302, "").With("Location", "https://elsewhere.example/"))}, "mps.get_catalogue: invalid: ", 1},
		"slow":               {testserver.Trouble{Wait: time.Hour}, "mps.get_catalogue: unknown: no answer within 5m0s", 5},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newMPS()
				tt.trouble.Service = mpsCatalogue
				v.troubles = []testserver.Trouble{tt.trouble}
				got := v.run(t, mpsExport, nil)
				if got.result.Status != engine.Failed || len(got.files) != 0 || v.asked[mpsCatalogue] != tt.asked {
					t.Errorf("%v after %v, left %d files", got.result.Status, v.asked, len(got.files))
				}
				if text := got.err.Error(); !strings.HasPrefix(text, tt.want) {
					t.Errorf("error %q\nwant  %q", text, tt.want)
				}
			})
		})
	}
}

// Reads go on where they were struck for a while.
func TestMPSReadsAreMadeAgain(t *testing.T) {
	t.Parallel()
	answer := func(r testserver.Reply) *testserver.Reply { return &r }
	for name, tr := range map[string]testserver.Trouble{
		"hang-up":    {HangUp: true},
		"broken off": {Worked: true, Cut: true},
		"500":        {Answer: answer(testserver.Plain(500, "Internal 4711"))},
		"503":        {Answer: answer(testserver.HtmlPage(503))},
		"429":        {Answer: answer(testserver.Plain(429, "slow down").With("Retry-After", "2"))},
		"page":       {Answer: answer(testserver.HtmlPage(200))},
		"slow":       {Wait: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newMPS()
				tr.Calls = 2
				for _, path := range []string{mpsTokenPath, mpsCatalogue, mpsFamilies} {
					tr.Service = path
					v.troubles = append(v.troubles, tr)
				}
				if got := v.run(t, mpsExport, nil); got.err != nil || got.files["products.csv"] != mpsSampleTitle+mpsSampleRow {
					t.Errorf("%v after %v: %v", got.err, v.asked, got.files)
				}
				if got := v.run(t, mpsList, nil); got.err != nil || v.asked[mpsFamilies] != 3 {
					t.Errorf("%v after %v", got.err, v.asked)
				}
			})
		})
	}
}

// A token is trusted as long as its answer says, kept for later runs, and renewed once when it is over before.
func TestMPSTokens(t *testing.T) {
	t.Parallel()
	run := func(t *testing.T, v *mpsSim, tokens state.Tokens, pause ...time.Duration) {
		t.Helper()
		stop := v.start()
		defer stop()
		sink := &testserver.Heard{}
		p := v.program(t, sink, tokens)
		for _, d := range append([]time.Duration{0}, pause...) {
			time.Sleep(d)
			if got := v.runIn(t, p, sink, mpsExport, nil); got.err != nil {
				t.Error(got.err)
			}
		}
	}
	grant := func(members string) func(string) testserver.Reply {
		return func(token string) testserver.Reply {
			return testserver.AsJSON(200, `{"access_token":"`+token+`","token_type":"bearer",`+members+`".issued":"Sat, 01 Jan 2000 00:00:00 GMT"}`)
		}
	}
	const day = 24 * time.Hour
	for name, tt := range map[string]struct {
		set           func(v *mpsSim)
		pause         []time.Duration
		logins, asked int
	}{
		"one for many runs":                  {func(*mpsSim) {}, []time.Duration{0, 0}, 1, 3},
		"two weeks, not the day of the text": {func(*mpsSim) {}, []time.Duration{13 * day}, 1, 2},
		"over after two weeks":               {func(*mpsSim) {}, []time.Duration{14 * day}, 2, 2},
		"a shorter one":                      {func(v *mpsSim) { v.grant = grant(`"expires_in":3600,`) }, []time.Duration{50 * time.Minute, 20 * time.Minute}, 2, 3},
		"as text":                            {func(v *mpsSim) { v.grant = grant(`"expires_in":"3600",`) }, []time.Duration{50 * time.Minute, 20 * time.Minute}, 2, 3},
		".expires alone":                     {func(v *mpsSim) { v.grant = grant(`".expires":"Sat, 01 Jan 2000 01:00:00 GMT",`) }, []time.Duration{50 * time.Minute, 20 * time.Minute}, 2, 3},
		"no end: a day":                      {func(v *mpsSim) { v.grant = grant("") }, []time.Duration{23 * time.Hour, 2 * time.Hour}, 2, 3},
		"over before its end, between runs":  {func(v *mpsSim) { v.tokenCalls = 1 }, []time.Duration{0}, 2, 3},
		"over before its end, at once":       {func(v *mpsSim) { v.tokenCalls = -1 }, nil, 2, 2},
		"over before its end, by the clock":  {func(v *mpsSim) { v.tokenLife = day }, []time.Duration{25 * time.Hour}, 2, 3},
		"members that nobody knows, bearer":  {func(v *mpsSim) { v.grant = grant(`"expires_in":1209599,"as:client_id":"","roles":[1],`) }, []time.Duration{0}, 1, 2},
		"a token answer under 201, as a text": {func(v *mpsSim) {
			v.grant = func(token string) testserver.Reply { return testserver.Plain(201, `{"access_token":"`+token+`"}`) }
		}, []time.Duration{0}, 1, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newMPS()
				tt.set(v)
				run(t, v, state.NewMemory(), tt.pause...)
				if v.asked[mpsTokenPath] != tt.logins || v.asked[mpsCatalogue] != tt.asked {
					t.Errorf("%v, want %d logins and %d calls", v.asked, tt.logins, tt.asked)
				}
			})
		})
	}
	t.Run("never good", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			v := newMPS()
			v.tokenLife = -1
			got := v.run(t, mpsPlace, mpsWant())
			if got.result.Status != engine.Failed || v.asked[mpsOrderPath] != 2 || v.asked[mpsTokenPath] != 2 ||
				!strings.Contains(got.err.Error(), "Authorization has been denied for this request.") {
				t.Errorf("%v after %v", got.err, v.asked)
			}
		})
	})
}

// A password that is wrong is tried once.
func TestMPSWrongPasswordIsTriedOnce(t *testing.T) {
	t.Parallel()
	const words = "The user name or password is incorrect."
	for name, r := range map[string]testserver.Reply{
		"400":      testserver.AsJSON(400, `{"error":"invalid_grant","error_description":"`+words+`"}`),
		"401":      testserver.AsJSON(401, `{"error":"invalid_grant","error_description":"`+words+`"}`),
		"400 text": testserver.Plain(400, words),
		"200":      testserver.AsJSON(200, `{"error":"invalid_grant","error_description":"`+words+`"}`),
		"403":      testserver.Plain(403, words),
	} {
		t.Run(name, func(t *testing.T) {
			for _, pipeline := range []string{mpsExport, mpsList, mpsPlace} {
				synctest.Test(t, func(t *testing.T) {
					v := newMPS()
					v.troubles = []testserver.Trouble{{Service: mpsTokenPath, Answer: &r}}
					in := map[string]any{}
					if pipeline == mpsPlace {
						in = mpsWant()
					}
					got := v.run(t, pipeline, in)
					if got.result.Status != engine.Failed || !reflect.DeepEqual(v.asked, map[string]int{mpsTokenPath: 1}) || !strings.Contains(got.err.Error(), words) {
						t.Errorf("%v after %v", got.err, v.asked)
					}
				})
			}
		})
	}
}

// The answer of VerCategoria is not documented: all that is likely is read.
func TestMPSCategories(t *testing.T) {
	t.Parallel()
	pair := func(family, category any) any { return map[string]any{"family": family, "category": category} }
	for answer, want := range map[string][]any{
		`[{"Familia":"A","Categoria":"a"},{"Familia":"A","Categoria":"b "}]`: {pair("A", "a"), pair("A", "b ")},
		`[{"familia":"A","categoria":"a","Id":1}]`:                           {pair("A", "a")},
		`[{"Categoria":"a"}]`:                {pair(nil, "a")},
		`[{"Familia":null,"Categoria":"a"}]`: {pair(nil, "a")},
		`[{"Familia":"A","Categoria":null}]`: {pair("A", nil)},
		`[{"Familia":"A"}]`:                  {pair("A", nil)},
		`[{"Id":1,"Nombre":"a"}]`:            {pair(nil, "a")},
		`["a","b"]`:                          {pair(nil, "a"), pair(nil, "b")},
		`[["A","a"],["A","b"]]`:              {pair("A", "a"), pair("A", "b")},
		`[{"Familia":"A","Categorias":["a","b"]},{"Familia":"B","Categorias":["c"]}]`: {pair("A", "a"), pair("A", "b"), pair("B", "c")},
		`[{"Familia":"A","Categorias":[{"Categoria":"a"},{"Nombre":"b"}]}]`:           {pair("A", "a"), pair("A", "b")},
		`[{"Nombre":"A","Categorias":["a"]}]`:                                         {pair("A", "a")},
		`[{"Familia":"A","Categoria":["a","b"]}]`:                                     {pair("A", "a"), pair("A", "b")},
		`{"Categorias":[{"Familia":"A","Categoria":"a"}]}`:                            {pair("A", "a")},
		`{"data":[{"Familia":"A","Categorias":["a"]}]}`:                               {pair("A", "a")},
		`{"A":["a","b"],"B":["c"]}`:                                                   {pair("A", "a"), pair("A", "b"), pair("B", "c")},
		`{"A":[{"Categoria":"a"}]}`:                                                   {pair("A", "a")},
		`{"Familia":"A","Categoria":"a"}`:                                             {pair("A", "a")},
		`[{"Familia":7,"Categoria":8}]`:                                               {pair("7", "8")},
		`[]`:                                                                          {},
		`null`:                                                                        {},
	} {
		t.Run(answer, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newMPS()
				v.categories = testserver.AsJSON(200, answer)
				got := v.run(t, mpsList, nil)
				if got.err != nil || !reflect.DeepEqual(got.result.Outputs["categories"], want) {
					t.Errorf("%v %v, want %v", got.err, got.result.Outputs, want)
				}
			})
		})
	}
	for answer, want := range map[string]string{
		`[{"x":1}]`:                 `VerCategoria answers with something that is neither family nor category: {"x":1}`,
		`[1,2]`:                     `VerCategoria answers with something that is neither family nor category: 1`,
		`{"Message":"Sin permiso"}`: `VerCategoria answers with something that is neither family nor category: {"Message":"Sin permiso"}`,
		`"Sin permiso"`:             `mps.list_categories: invalid: the answer of mps.list_categories breaks its contract: expected list, found null`,
	} {
		t.Run(answer, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newMPS()
				v.categories = testserver.AsJSON(200, answer)
				if got := v.run(t, mpsList, nil); got.err == nil || got.err.Error() != want {
					t.Errorf("error %v\nwant  %s", got.err, want)
				}
			})
		})
	}
}

// A catalogue of the size that the vendor has is written whole, in its order.
func TestMPSLargeCatalogue(t *testing.T) {
	t.Parallel()
	const products = 50_000
	var list, want strings.Builder
	want.WriteString(mpsSampleTitle)
	for i := range products {
		part := fmt.Sprintf(" P%07d", i)
		list.WriteString(map[bool]string{true: "[", false: ",\n  "}[i == 0])
		list.WriteString(mpsProduct(" 2HL38AA#ABM", part))
		want.WriteString(strings.Replace(mpsSampleRow, " 2HL38AA#ABM", part, 1))
	}
	list.WriteString("]")
	synctest.Test(t, func(t *testing.T) {
		v := newMPS()
		v.catalogue = func(http.Header) testserver.Reply { return testserver.AsJSON(200, list.String()) }
		got := v.run(t, mpsExport, nil)
		if got.err != nil || got.result.Outputs["count"] != int64(products) || got.files["products.csv"] != want.String() {
			t.Errorf("%v, count %v, %d bytes in the file, want %d", got.err, got.result.Outputs["count"], len(got.files["products.csv"]), want.Len())
		}
	})
}

// What may have been ordered is ordered by no later run, until a person says what became of it.
func TestMPSOrderInDoubtIsSettledByAPerson(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		settle engine.Settlement
		made   int
		number any
	}{
		"it was done": {engine.Settlement{Done: true, Outputs: map[string]any{"order_number": "00001012", "message": "seen in the shop"}}, 1, "00001012"},
		"it was not":  {engine.Settlement{}, 2, "00001013"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newMPS()
				v.troubles = []testserver.Trouble{{Service: mpsOrderPath, Calls: 1, Worked: true, HangUp: true}}
				stop := v.start()
				defer stop()
				sink := &testserver.Heard{}
				p := v.program(t, sink, nil)
				first := v.runIn(t, p, sink, mpsPlace, mpsWant())
				in := mpsWant()
				slices.Reverse(in["lines"].([]any))
				second := v.runIn(t, p, sink, mpsPlace, in)
				if first.result.Status != engine.Ambiguous || second.result.Status != engine.Ambiguous || v.asked[mpsOrderPath] != 1 ||
					!strings.Contains(second.err.Error(), "run "+first.result.RunID+" sent a create of \"order of 79580718 for ") {
					t.Fatalf("%v, then %v after %v", first.err, second.err, v.asked)
				}
				r, err := p.Resume(context.Background(), first.result.RunID, engine.ResumeRequest{Settle: map[string]engine.Settlement{"order": tt.settle}})
				if err != nil || r.Outputs["order_number"] != tt.number || len(v.orders) != tt.made {
					t.Errorf("%v %v after %d orders", err, r, len(v.orders))
				}
			})
		})
	}
}
