package vendortest_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/internal/testserver"
)

// An erp is SERPI as one reading of its guide has it. It owes nothing to the
// vendor file or to its sandbox, and complains of whatever the guide does not show.
type erp struct {
	erpReading

	mu         sync.Mutex
	records    []supplied
	nextID     int64
	asked      map[string]int // requests, by method
	made       map[string]int // records made, by article and supplier
	pages      []string       // what the GETs asked for
	bodies     []string       // of POST and PUT
	complaints []string
	underway   int
	overlaps   int
}

// supplied is a supplier article; numbers keep their digits.
type supplied struct {
	ID          int64        `json:"id,omitempty"`
	Article     *int64       `json:"idArticulo"`
	Name        string       `json:"descripcion,omitempty"`
	TaxID       *string      `json:"nitProveedor"`
	Code        *string      `json:"codigoProveedor"`
	Description *string      `json:"descripcionProveedor"`
	Default     *bool        `json:"proveedorPredeterminado"`
	Multiple    *json.Number `json:"multiploCompra"`
	Minimum     *json.Number `json:"pedidoMinimo"`
}

func (s *supplied) key() string { return fmt.Sprintf("%d %s", *s.Article, *s.TaxID) }

func supply(id, article int64, taxID, code, description string, isDefault bool, multiple, minimum string) supplied {
	number := func(text string) *json.Number {
		if text == "" {
			return nil
		}
		n := json.Number(text)
		return &n
	}
	return supplied{id, &article, fmt.Sprint("ARTICULO", article), &taxID, &code, &description, &isDefault, number(multiple), number(minimum)}
}

// An erpReading is what the guide leaves open, or what servers do without a guide.
type erpReading struct {
	biggest  int                                       // records on a page; 0: as many as are asked for
	beyond   func(page int) *testserver.Reply          // behind the last page; nil: code 204
	page     func(page int, all []supplied) []supplied // instead of the right page
	inBody   bool                                      // errors come under HTTP 200
	code     func(code int) any                        // how a code is written; nil: a number
	refuse   func(s *supplied) string                  // why a row is not made or changed; "" when it is
	unique   bool                                      // a second record of an article and supplier is refused
	says     func(done, of int) string                 // of a batch; nil: as in the guide
	token    string
	wire     func(r testserver.Reply) testserver.Reply
	troubles []testserver.Trouble
}

func newERP(records ...supplied) *erp {
	v := &erp{records: records, nextID: 1000, asked: map[string]int{}, made: map[string]int{}}
	v.erpReading = erpReading{token: serpiToken, wire: func(r testserver.Reply) testserver.Reply { return r }}
	return v
}

// Values that are in no other text.
const (
	serpiToken  = "t0k3n-4711-serpi/=+"
	serpiSecret = "s3cr3t-0815-serpi"
)

func (v *erp) complain(format string, args ...any) {
	v.complaints = append(v.complaints, fmt.Sprintf(format, args...))
}

func (v *erp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t, answer := v.arrive(r)
	defer v.leave()
	if t != nil {
		if t.Answer != nil {
			answer = *t.Answer
		}
		time.Sleep(t.Wait)
		if t.HangUp || answer.Status == 0 {
			panic(http.ErrAbortHandler)
		}
	}
	time.Sleep(time.Millisecond) // for others to overlap with
	answer.Write(w, t != nil && t.Cut)
}

func (v *erp) arrive(r *http.Request) (t *testserver.Trouble, answer testserver.Reply) {
	body, err := io.ReadAll(r.Body)
	v.mu.Lock()
	defer v.mu.Unlock()
	if err != nil {
		v.complain("%s: body: %v", r.Method, err)
	}
	if v.underway++; v.underway > 1 {
		v.overlaps++
	}
	v.asked[r.Method]++
	if t = testserver.Befalling(v.troubles, r.Method, v.asked[r.Method]); t == nil || t.Worked {
		answer = v.wire(v.serve(r, body))
	}
	return t, answer
}

func (v *erp) leave() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.underway--
}

func (v *erp) serve(r *http.Request, body []byte) testserver.Reply {
	switch {
	case r.URL.Path != "/api/v1/ArticuloProveedor":
		v.complain("path %s", r.URL.Path)
	case r.Header.Get("Authorization") != "Bearer "+v.token || r.Header.Get("secretkey") != serpiSecret:
		return v.fault(401, "El token no es válido")
	}
	switch r.Method {
	case http.MethodGet:
		return v.list(r)
	case http.MethodPost:
		return v.batch(body, 201, "crearon", v.create)
	case http.MethodPut:
		return v.batch(body, 200, "modificaron", v.change)
	}
	v.complain("method %s", r.Method)
	return v.fault(400, "?")
}

// fault is how an error comes.
func (v *erp) fault(code int, message string, errs ...string) testserver.Reply {
	status := code
	if v.inBody {
		status = 200
	}
	return v.envelope(status, false, code, message, "", errs)
}

func (v *erp) envelope(status int, success bool, code int, message, result string, errs []string) testserver.Reply {
	var written any = code
	if v.code != nil {
		written = v.code(code)
	}
	all := map[string]any{"success": success, "code": written, "message": message, "errors": errs}
	if result != "" {
		all["result"] = json.RawMessage(result)
	}
	text, err := json.Marshal(all)
	if err != nil {
		v.complain("%v", err)
	}
	return testserver.AsJSON(status, string(text))
}

func (v *erp) list(r *http.Request) testserver.Reply {
	query := r.URL.Query()
	v.pages = append(v.pages, r.URL.RawQuery)
	for name := range query {
		if !slices.Contains([]string{"limite", "pagina", "idArticulo"}, name) {
			v.complain("query %s", name)
		}
	}
	size, err := strconv.Atoi(query.Get("limite"))
	page, err2 := strconv.Atoi(query.Get("pagina"))
	if err := cmp.Or(err, err2); err != nil || size < 1 || page < 1 {
		v.complain("query %s", r.URL.RawQuery)
		return v.fault(400, "limite")
	}
	if v.biggest > 0 {
		size = min(size, v.biggest)
	}
	var all []supplied
	for _, s := range v.records {
		if id := query.Get("idArticulo"); !query.Has("idArticulo") || id == fmt.Sprint(*s.Article) {
			all = append(all, s)
		}
	}
	some := all[min((page-1)*size, len(all)):min(page*size, len(all))]
	if v.page != nil {
		some = v.page(page, all)
	}
	if len(some) == 0 {
		if v.beyond != nil {
			return *v.beyond(page)
		}
		return v.envelope(200, true, 204, "No se encontraron registros", "", nil)
	}
	text, err := json.Marshal(some)
	if err != nil {
		v.complain("%v", err)
	}
	return v.envelope(200, true, 200, fmt.Sprintf("%d registro(s) encontrados", len(some)), string(text), nil)
}

func (v *erp) batch(body []byte, code int, verb string, do func(s *supplied) string) testserver.Reply {
	v.bodies = append(v.bodies, string(body))
	var rows []supplied
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	d.UseNumber()
	if err := d.Decode(&rows); err != nil || len(rows) == 0 || len(rows) > 100 {
		v.complain("body of %d rows: %v", len(rows), err)
		return v.fault(400, "La solicitud no es válida")
	}
	done, errs := 0, []string{}
	for i := range rows {
		s := &rows[i]
		if s.Article == nil || s.TaxID == nil || s.Code == nil || s.Description == nil || s.Default == nil || s.Name != "" {
			v.complain("row %d: %s", i, body)
			return v.fault(400, "Campos requeridos")
		}
		why := ""
		if v.refuse != nil {
			why = v.refuse(s)
		}
		if why == "" {
			why = do(s)
		}
		if why == "" {
			done++
		} else {
			errs = append(errs, why)
		}
	}
	says := fmt.Sprintf("Se %s %d de %d articulos proveedores", verb, done, len(rows))
	if v.says != nil {
		says = v.says(done, len(rows))
	}
	return v.envelope(code, true, code, says, "", errs)
}

func (v *erp) create(s *supplied) string {
	if s.ID != 0 {
		v.complain("a create with id %d", s.ID)
	}
	if v.unique && slices.ContainsFunc(v.records, func(r supplied) bool { return r.key() == s.key() }) {
		return "El registro " + s.key() + " ya existe"
	}
	v.nextID++
	s.ID, s.Name = v.nextID, fmt.Sprint("ARTICULO", *s.Article)
	v.records = append(v.records, *s)
	v.made[s.key()]++
	return ""
}

func (v *erp) change(s *supplied) string {
	for i, r := range v.records {
		if r.ID == s.ID {
			s.Name = r.Name
			v.records[i] = *s
			return ""
		}
	}
	return fmt.Sprintf("El registro %d no existe", s.ID)
}

// run runs a pipeline or an operation against v, and checks what holds for every
// run. It belongs into a synctest bubble.
func (v *erp) run(t *testing.T, name string, inputs map[string]any) *serpiRan {
	t.Helper()
	client, stop := testserver.OverPipes(v)
	defer stop()
	r := runSerpi(t, engine.Connection{
		Vendor: "serpi", BaseURL: "http://serpi.example", Config: map[string]any{"secret_key": serpiSecret, "token": serpiToken},
	}, client, name, inputs)
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, c := range v.complaints {
		t.Errorf("the vendor complains: %s", c)
	}
	if v.overlaps > 0 {
		t.Errorf("%d requests overlapped", v.overlaps)
	}
	for key, n := range v.made {
		if n > 1 {
			t.Errorf("%s was created %d times", key, n)
		}
	}
	return r
}

// A serpiRan is what a run against SERPI left behind.
type serpiRan struct {
	result *engine.Result
	err    error
	files  map[string]string
}

func (r *serpiRan) counts() string {
	var texts []string
	for _, name := range []string{"created", "updated", "unchanged", "failed"} {
		texts = append(texts, fmt.Sprint(r.result.Outputs[name]))
	}
	return strings.Join(texts, " ")
}

// why is the failure of a run that did not succeed.
func (r *serpiRan) why() string {
	var failed *engine.Error
	if !errors.As(r.err, &failed) {
		return fmt.Sprint(r.err)
	}
	return strings.Trim(failed.Failure.Code+" "+failed.Failure.Outcome, " ") + ": " + failed.Failure.Message
}

// runSerpi runs a pipeline of the repository, or calls an operation, and sees to
// it that no secret is shown.
func runSerpi(t *testing.T, c engine.Connection, client *http.Client, name string, inputs map[string]any) *serpiRan {
	t.Helper()
	sink := &testserver.Heard{}
	p, err := engine.Load(os.DirFS("../.."), engine.Options{
		Paths:       []string{"specs/serpi.yaml", "pipelines/serpi"},
		Connections: map[string]engine.Connection{"serpi": c},
		Client:      client,
		Events:      sink,
	})
	if err != nil {
		t.Fatal(err)
	}
	r := &serpiRan{files: map[string]string{}}
	out := t.TempDir()
	request := engine.Request{Pipeline: name, Inputs: inputs, OutDir: out}
	if strings.HasSuffix(name, ".yaml") {
		r.result, r.err = p.Run(context.Background(), request)
	} else {
		r.result, r.err = p.Call(context.Background(), name, request)
	}
	if r.result == nil {
		t.Fatal(r.err)
	}
	shown := sink.Text() + fmt.Sprintf("%+v %v", r.result, r.err)
	files, err := os.ReadDir(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(out, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		r.files[f.Name()] = string(text)
		shown += string(text)
	}
	for _, secret := range []string{c.Config["token"].(string), c.Config["secret_key"].(string)} {
		for _, form := range testserver.Encoded(secret) {
			if i := strings.Index(shown, form); i >= 0 {
				t.Fatalf("a secret is seen: …%.200s", shown[max(0, i-80):])
			}
		}
	}
	return r
}

// serpiStock is n supplier articles, from article first on.
func serpiStock(first, n int) []supplied {
	all := make([]supplied, n)
	for i := range all {
		all[i] = supply(int64(i+1), int64(first+i), "900123", fmt.Sprint("C-", first+i), "ARTICULO", true, "1.00", "1.00000")
	}
	return all
}

// serpiRows are the rows that serpiStock fits.
func serpiRows(first, n int) []any {
	rows := make([]any, n)
	for i := range rows {
		rows[i] = wanted(first + i)
	}
	return rows
}

func wanted(article int, more ...any) map[string]any {
	row := map[string]any{
		"article_id": article, "supplier_tax_id": "900123", "supplier_code": fmt.Sprint("C-", article),
		"supplier_description": "ARTICULO", "is_default": true,
	}
	for i := 0; i < len(more); i += 2 {
		row[more[i].(string)] = more[i+1]
	}
	return row
}
