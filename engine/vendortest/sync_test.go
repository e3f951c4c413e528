package vendortest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/internal/testserver"
	"github.com/seed627bd532/runner/engine/sandbox"
)

const (
	syncCatalogue = "pipelines/sync/mps_catalogue_to_serpi.yaml"
	syncBilling   = "pipelines/sync/intcomex_billing_to_managementpro.yaml"
)

// hosts are the vendors of a run, by the host of their URLs.
type hosts map[string]http.Handler

func (h hosts) ServeHTTP(w http.ResponseWriter, r *http.Request) { h[r.Host].ServeHTTP(w, r) }

// A syncSite is the repository's own program, connected to several vendors.
type syncSite struct {
	program  *engine.Program
	pipeline string
	sink     *testserver.Heard
	secrets  []string
}

// syncPaths are the files that each pipeline needs.
var syncPaths = map[string][]string{
	syncCatalogue: {"specs/mps.yaml", "specs/serpi.yaml", syncCatalogue, upsertSupplied},
	syncBilling:   {"specs/intcomex.yaml", "specs/managementpro.yaml", syncBilling, exportInvoices, ensureClient},
}

// reach connects a program for a pipeline to vendors, within a synctest bubble.
func (h hosts) reach(t *testing.T, pipeline string, connections map[string]engine.Connection) *syncSite {
	t.Helper()
	client, stop := testserver.OverPipes(h)
	t.Cleanup(stop)
	return newSyncSite(t, pipeline, client, connections)
}

func newSyncSite(t *testing.T, pipeline string, client *http.Client, connections map[string]engine.Connection) *syncSite {
	t.Helper()
	s := &syncSite{pipeline: pipeline, sink: &testserver.Heard{}}
	for _, c := range connections {
		for _, name := range []string{"password", "api_key", "token", "secret_key"} {
			if secret, ok := c.Config[name].(string); ok {
				s.secrets = append(s.secrets, secret)
			}
		}
	}
	p, err := engine.Load(os.DirFS("../.."), engine.Options{Paths: syncPaths[pipeline], Connections: connections, Client: client, Events: s.sink})
	if err != nil {
		t.Fatal(err)
	}
	s.program = p
	return s
}

// A syncRan is what a run left behind.
type syncRan struct {
	status  engine.Status
	outputs map[string]any
	err     error
	files   map[string]string
}

func (r *syncRan) counts(names ...string) string {
	texts := make([]string, len(names))
	for i, name := range names {
		texts[i] = fmt.Sprint(r.outputs[name])
	}
	return strings.Join(texts, " ")
}

// run runs the pipeline and sees to it that no secret is shown.
func (s *syncSite) run(t *testing.T, inputs map[string]any) *syncRan {
	t.Helper()
	out := t.TempDir()
	result, err := s.program.Run(context.Background(), engine.Request{Pipeline: s.pipeline, Inputs: inputs, OutDir: out})
	if result == nil {
		t.Fatal(err)
	}
	r := &syncRan{status: result.Status, outputs: result.Outputs, err: err, files: map[string]string{}}
	text, _ := json.Marshal(result)
	seen := s.sink.Text() + string(text) + fmt.Sprint(err)
	var failed *engine.Error
	if errors.As(err, &failed) {
		seen += fmt.Sprintf("%+v", failed.Failure)
	}
	entries, err := os.ReadDir(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		file, err := os.ReadFile(filepath.Join(out, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		r.files[e.Name()] = string(file)
		seen += string(file)
	}
	for _, secret := range s.secrets {
		for _, form := range testserver.Encoded(secret) {
			if i := strings.Index(seen, form); i >= 0 {
				t.Fatalf("a secret is seen: …%.200s", seen[max(0, i-80):])
			}
		}
	}
	return r
}

// A shop is MPS and SERPI, as their simulators have them.
type shop struct {
	mps   *mpsSim
	serpi *erp
	site  *syncSite
}

// newSyncShop has these products, each a part number and a name.
func newSyncShop(t *testing.T, products [][2]string, records ...supplied) *shop {
	t.Helper()
	s := &shop{mps: newMPS(), serpi: newERP(records...)}
	s.serpi.unique = true
	var list []string
	for _, p := range products {
		part, _ := json.Marshal(p[0])
		name, _ := json.Marshal(p[1])
		list = append(list, fmt.Sprintf(`{"PartNum":%s,"Familia":"SOFTWARE","Categoria":"ESD","Name":%s,"Description":null,"Marks":"ACME","Salesminprice":1.50,"precio":0,"CurrencyDef":"USD","Quantity":3,"TributariClassification":null,"Descuento":null}`, part, name))
	}
	answer := testserver.AsJSON(200, "["+strings.Join(list, ",")+"]")
	s.mps.catalogue = func(http.Header) testserver.Reply { return answer }
	s.site = hosts{"mps.example:7071": s.mps, "serpi.example": s.serpi}.reach(t, syncCatalogue, map[string]engine.Connection{
		"mps":   {Vendor: "mps", BaseURL: "http://mps.example:7071", Config: map[string]any{"username": mpsUser, "password": mpsPassword}},
		"serpi": {Vendor: "serpi", BaseURL: "http://serpi.example", Config: map[string]any{"secret_key": serpiSecret, "token": serpiToken}},
	})
	return s
}

// run maps products to articles, and checks what holds for every run.
func (s *shop) run(t *testing.T, mapping any) *syncRan {
	t.Helper()
	r := s.site.run(t, map[string]any{"mapping": mapping, "supplier_tax_id": "0900123"})
	for _, c := range slices.Concat(s.mps.complaints, s.serpi.complaints) {
		t.Errorf("a vendor complains: %s", c)
	}
	if s.serpi.overlaps > 0 {
		t.Errorf("%d requests overlapped", s.serpi.overlaps)
	}
	for key, n := range s.serpi.made {
		if n > 1 {
			t.Errorf("%s was created %d times", key, n)
		}
	}
	return r
}

// shown are the records that SERPI has of MPS.
func (s *shop) shown() []string {
	var lines []string
	for _, r := range s.serpi.records {
		if *r.TaxID != "0900123" {
			continue
		}
		number := func(n *json.Number) string {
			if n == nil {
				return "-"
			}
			return n.String()
		}
		lines = append(lines, fmt.Sprintf("%d %q %q %v %s %s", *r.Article, *r.Code, *r.Description, *r.Default, number(r.Multiple), number(r.Minimum)))
	}
	return lines
}

func mapped(pairs ...any) []any {
	var rows []any
	for i := 0; i < len(pairs); i += 2 {
		rows = append(rows, map[string]any{"part_number": pairs[i], "article_id": pairs[i+1]})
	}
	return rows
}

func sameLines(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func sameText(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n%s\nwant\n%s", what, got, want)
	}
}

var syncProducts = [][2]string{
	{" 2HL38AA#ABM", `AIO "HP", 27"`}, {"0012345", "Office ESD"}, {"SM-J250", " Galaxy J2 "}, {"KLQ-00219", "M365"}, {"X-1", "Unwanted"},
}

const syncUnmapped = "part_number,name,brand,family,category\n"

// Codes and descriptions follow the catalogue. Quantities and default suppliers stay,
// and so do the records of others.
func TestSyncCatalogue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSyncShop(t, syncProducts,
			supply(1, 7, "0900123", "OLD", "Old name", true, "6.00", "12.50000"),
			supply(2, 7, "900123", "OTHER", "Of somebody else", true, "1.00", "1.00000"),
			supply(3, 8, "0900123", "0012345", "Office ESD", false, "", ""),
			supply(4, 9, "0900123", "SM-J250", "Galaxy", false, "2.00", ""),
			supply(5, 99, "0900123", "GONE", "Not mapped", true, "1.00", "1.00000"),
		)
		mapping := mapped("2HL38AA#ABM", 7, "0012345", 8, " SM-J250 ", 9, "KLQ-00219", 10, "KLQ-00219", 11)
		want := []string{
			`7 " 2HL38AA#ABM" "AIO \"HP\", 27\"" true 6.00 12.50000`,
			`8 "0012345" "Office ESD" false - -`,
			`9 "SM-J250" " Galaxy J2 " false 2.00 -`,
			`99 "GONE" "Not mapped" true 1.00 1.00000`,
			`10 "KLQ-00219" "M365" false - -`,
			`11 "KLQ-00219" "M365" false - -`,
		}
		r := s.run(t, mapping)
		if got := r.counts("created", "updated", "unchanged", "failed"); r.err != nil || got != "2 2 1 0" || r.status != engine.Succeeded {
			t.Errorf("%s, counts %s: %v", r.status, got, r.err)
		}
		sameLines(t, "records", s.shown(), want)
		sameText(t, "unmapped.csv", r.files["unmapped.csv"], syncUnmapped+"X-1,Unwanted,ACME,SOFTWARE,ESD\n")
		sameText(t, "results.csv", r.files["results.csv"], `key,part_number,article_id,status,action,error
2HL38AA#ABM,2HL38AA#ABM,7,done,update,
0012345,0012345,8,done,none,
" SM-J250 "," SM-J250 ",9,done,update,
KLQ-00219,KLQ-00219,10,done,create,
KLQ-00219#2,KLQ-00219,11,done,create,
`)

		r = s.run(t, mapping)
		if got := r.counts("created", "updated", "unchanged", "failed"); r.err != nil || got != "0 0 5 0" || len(s.serpi.bodies) != 2 {
			t.Errorf("the second time counts %s after %d writes: %v", got, len(s.serpi.bodies), r.err)
		}
		sameLines(t, "records after the second time", s.shown(), want)
	})
}

// Rows that nothing can be done about are told of one by one, and the others are done.
func TestSyncCatalogueRejects(t *testing.T) {
	t.Parallel()
	products := append(slices.Clone(syncProducts), [2]string{"TWIN", "One"}, [2]string{" TWIN", "Two"}, [2]string{"TWICE ", "Same"}, [2]string{"TWICE ", "Same"},
		[2]string{"VAGUE ", "Left"}, [2]string{" VAGUE", "Right"}, [2]string{"NAMELESS", " "})
	const header = "key,part_number,article_id,status,action,error\n"
	for name, tt := range map[string]struct {
		mapping any
		results string
		counts  string
		records []string
	}{
		"nothing": {mapping: []any{}, counts: "0 0 0 0"},
		"a row twice": {
			mapping: mapped("SM-J250", 1, "SM-J250 ", 1, "X-1", 2, "SM-J250", 1),
			results: `SM-J250,SM-J250,1,done,create,
SM-J250 ,SM-J250 ,1,failed,,"a row above it maps part number SM-J250 to article 1, too"
X-1,X-1,2,done,create,
SM-J250#2,SM-J250,1,failed,,"a row above it maps part number SM-J250 to article 1, too"
`,
			counts: "2 0 0 2", records: []string{`1 "SM-J250" " Galaxy J2 " false - -`, `2 "X-1" "Unwanted" false - -`},
		},
		"an article of two products": {
			mapping: mapped("SM-J250", 1, "X-1", 1, "SM-J250", 1, "SM-J250", 2),
			results: `SM-J250,SM-J250,1,failed,,"article 1 is mapped to several part numbers: SM-J250, X-1"
X-1,X-1,1,failed,,"article 1 is mapped to several part numbers: SM-J250, X-1"
SM-J250#2,SM-J250,1,failed,,"article 1 is mapped to several part numbers: SM-J250, X-1"
SM-J250#3,SM-J250,2,done,create,
`,
			counts: "1 0 0 3", records: []string{`2 "SM-J250" " Galaxy J2 " false - -`},
		},
		"no such product": {
			mapping: mapped("sm-j250", 1, "X-1", 2),
			results: "sm-j250,sm-j250,1,failed,,the catalogue has no product with part number sm-j250\nX-1,X-1,2,done,create,\n",
			counts:  "1 0 0 1", records: []string{`2 "X-1" "Unwanted" false - -`},
		},
		"products that differ in blanks": {
			mapping: mapped("TWIN", 1, " TWIN", 2, "TWIN ", 3, "TWICE", 4, "VAGUE", 5),
			results: `TWIN,TWIN,1,done,create,
" TWIN"," TWIN",2,done,create,
TWIN ,TWIN ,3,failed,,the catalogue has 2 products with part number TWIN: One; Two
TWICE,TWICE,4,done,create,
VAGUE,VAGUE,5,failed,,the catalogue has 2 products with part number VAGUE: Left; Right
`,
			counts: "3 0 0 2", records: []string{`1 "TWIN" "One" false - -`, `2 " TWIN" "Two" false - -`, `4 "TWICE " "Same" false - -`},
		},
		"no name": {
			mapping: mapped("NAMELESS", 1), counts: "0 0 0 1",
			results: "NAMELESS,NAMELESS,1,failed,,the product with part number NAMELESS has no name\n",
		},
		"rows that cannot be read": {
			mapping: engine.File("MAPPING"), counts: "1 0 0 4",
			results: `X-1,X-1,1,done,create,
SM-J250,,,failed,,"column article_id: expected integer, found ""one"""
"  ",,,failed,,"part_number: ""  "" does not match the pattern \S"
row 4,,,failed,,"missing member ""part_number"""
X-1#2,,,failed,,"missing member ""article_id"""
`,
			records: []string{`1 "X-1" "Unwanted" false - -`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newSyncShop(t, products)
				if tt.mapping == engine.File("MAPPING") {
					file := filepath.Join(t.TempDir(), "mapping.csv")
					if err := os.WriteFile(file, []byte("part_number,article_id\nX-1,1\nSM-J250,one\n  ,3\n,4\nX-1,\n"), 0o600); err != nil {
						t.Fatal(err)
					}
					tt.mapping = engine.File(file)
				}
				r := s.run(t, tt.mapping)
				if got := r.counts("created", "updated", "unchanged", "failed"); got != tt.counts || (r.status == engine.Partial) != !strings.HasSuffix(got, " 0") {
					t.Errorf("%s, counts %s, want %s: %v", r.status, got, tt.counts, r.err)
				}
				sameText(t, "results.csv", r.files["results.csv"], header+tt.results)
				sameLines(t, "records", s.shown(), tt.records)
			})
		})
	}
}

// A catalogue of the size that the vendor has, and a mapping as large as people keep.
func TestSyncCatalogueOfManyProducts(t *testing.T) {
	t.Parallel()
	const products, rows = 50_000, 5_000
	list := make([][2]string, products)
	for i := range list {
		list[i] = [2]string{fmt.Sprintf(" P%06d", i), fmt.Sprintf("%s %d", strings.Repeat("A product of MPS ", 40), i)}
	}
	var mapping []any
	for i := range rows {
		mapping = append(mapping, mapped(fmt.Sprintf("P%06d", i*10), i)...)
	}
	synctest.Test(t, func(t *testing.T) {
		var records []supplied
		for i := range rows / 2 {
			records = append(records, supply(int64(i+1), int64(i), "0900123", list[i*10][0], list[i*10][1], true, "1.00", "1.00000"))
		}
		s := newSyncShop(t, list, records...)
		s.serpi.unique = false // it looks through all records for each
		r := s.run(t, mapping)
		if got := r.counts("created", "updated", "unchanged", "failed"); r.err != nil || got != "2500 0 2500 0" || len(s.serpi.records) != rows {
			t.Errorf("counts %s, %d records: %v", got, len(s.serpi.records), r.err)
		}
		if got := strings.Count(r.files["unmapped.csv"], "\n"); got != 1+products-rows {
			t.Errorf("unmapped.csv has %d lines", got)
		}
	})
}

// syncBoxes are the sandboxes of the vendors of a pipeline.
type syncBoxes struct {
	*syncSite
	boxes map[string]*sandbox.Sandbox
}

var syncConfigs = map[string]map[string]map[string]any{
	syncCatalogue: {
		"mps":   {"username": "reseller@example.com", "password": "demo+p&ss w%rd"},
		"serpi": {"secret_key": "demo-secret-key", "token": "demo-token"},
	},
	syncBilling: {
		"intcomex":      {"username": "demo", "password": "demo-password"},
		"managementpro": {"api_key": "sandbox-key"},
	},
}

// newSyncBoxes starts them with faults: VENDOR FAULT. With tcp they are reached over
// the network, else within a synctest bubble.
func newSyncBoxes(t *testing.T, pipeline string, tcp bool, faults ...string) *syncBoxes {
	t.Helper()
	s := &syncBoxes{boxes: map[string]*sandbox.Sandbox{}}
	vendors := hosts{}
	connections := map[string]engine.Connection{}
	for name, config := range syncConfigs[pipeline] {
		def, err := sandbox.Load(os.DirFS("../.."), "specs/"+name+".sandbox.yaml")
		if err != nil {
			t.Fatal(err)
		}
		box := sandbox.New(def, sandbox.Options{})
		s.boxes[name], vendors[name+".example"] = box, box
		url := "http://" + name + ".example"
		if tcp {
			server := httptest.NewServer(box)
			t.Cleanup(server.Close)
			url = server.URL
		}
		if name == "managementpro" {
			url += "/wservices/"
		}
		connections[name] = engine.Connection{Vendor: name, BaseURL: url, Config: config}
	}
	for _, fault := range faults {
		vendor, text, _ := strings.Cut(fault, " ")
		addFault(t, s.boxes[vendor], text)
	}
	if tcp {
		s.syncSite = newSyncSite(t, pipeline, nil, connections)
	} else {
		s.syncSite = vendors.reach(t, pipeline, connections)
	}
	return s
}

var syncSandboxMapping = map[string]any{"mapping": engine.File("../../testdata/sync_mapping.csv"), "supplier_tax_id": "1234567890"}

const (
	syncSandboxResults = `key,part_number,article_id,status,action,error
2HL38AA#ABM,2HL38AA#ABM,7,done,create,
SM-J250MZDDCOO,SM-J250MZDDCOO,2,done,update,
0012345,0012345,3,done,update,
0012345#2,0012345,3,failed,,"a row above it maps part number 0012345 to article 3, too"
NO-LONGER-SOLD,NO-LONGER-SOLD,4,failed,,the catalogue has no product with part number NO-LONGER-SOLD
`
	syncSandboxUnmapped = syncUnmapped + "KLQ-00219,Microsoft 365 Business Standard ESD,MICROSOFT ESD,SOFTWARE,ESD\n"
	syncSandboxBilling  = "client_id,tax_id,company,month,charges,cost,sale,currency\n0000000009,X PP3DI3456CSP,Sample Co.,02/2020,4,134.4600,143.8300,USD\n"
	syncSandboxRejected = `company_account_id,tax_id,company,month,charges,cost,sale,currency,reason
101440,,CONSTRUCTORA EJEMPLO,02/2020,1,203.7700,226.4100,USD,it has no VAT ID
101450,," SOCIEDAD DE EJEMPLO DE INVERSIONES",02/2020,2,1397.7400,1650.5400,USD,it has no VAT ID
113069,,OTRO CLIENTE DE EJEMPLO,02/2020,1,691.2000,800.0000,USD,it has no VAT ID
115914,,PRUEBA CREACION POR API,02/2020,3,335.3400,425.0000,USD,it has no VAT ID
`
)

// What docs/vendors/sync.md shows, over the network.
func TestSyncSandboxes(t *testing.T) {
	t.Parallel()
	s := newSyncBoxes(t, syncCatalogue, true)
	for _, want := range []struct{ counts, results string }{
		{"1 2 0 2", syncSandboxResults},
		{"0 0 3 2", strings.NewReplacer("done,create,", "done,none,", "done,update,", "done,none,").Replace(syncSandboxResults)},
	} {
		r := s.run(t, syncSandboxMapping)
		if got := r.counts("created", "updated", "unchanged", "failed"); r.status != engine.Partial || got != want.counts {
			t.Errorf("%s, counts %s, want %s: %v", r.status, got, want.counts, r.err)
		}
		sameText(t, "results.csv", r.files["results.csv"], want.results)
		sameText(t, "unmapped.csv", r.files["unmapped.csv"], syncSandboxUnmapped)
	}
	s.judge(t)

	s = newSyncBoxes(t, syncBilling, true)
	for _, counts := range []string{"1 4", "0 4"} {
		r := s.run(t, map[string]any{"month": "02/2020"})
		if got := r.counts("clients_created", "rejected"); r.status != engine.Partial || got != counts {
			t.Errorf("%s, counts %s, want %s: %v", r.status, got, counts, r.err)
		}
		sameText(t, "billing.csv", r.files["billing.csv"], syncSandboxBilling)
		sameText(t, "rejections.csv", r.files["rejections.csv"], syncSandboxRejected)
	}
	s.judge(t)
}

// judge checks what holds for every run.
func (s *syncBoxes) judge(t *testing.T) {
	t.Helper()
	for vendor, box := range s.boxes {
		stats := box.Stats()
		if len(stats.Errors) > 0 || vendor == "serpi" && len(stats.Overlaps) > 0 {
			t.Errorf("%s tells of %v, and overlaps %v", vendor, stats.Errors, stats.Overlaps)
		}
		for _, made := range stats.Creates {
			for what, n := range made {
				if n > 1 {
					t.Errorf("%s has %s %d times", vendor, what, n)
				}
			}
		}
	}
}

// syncFaults are the faults that one call of a vendor meets, and gets over.
func syncFaults(vendor, operation string, create bool) []string {
	kinds := []string{"lose_answer:%s:1-4", "delay=50ms:%s", "delay=10m:%s:1", "truncate:%s:1-4", "garbage:%s:1-4"}
	if create { // what is refused twice, and absent at both looks, is a person's
		kinds = append(kinds, "status=429/3s:%s:1")
	} else { // after these nobody knows, and a create is not sent again
		kinds = append(kinds, "status=429/3s:%s:1-2", "lose_request:%s:1-2", "status=500:%s:1-4", "status=503/2s:%s:1")
	}
	faults := make([]string, len(kinds))
	for i, kind := range kinds {
		faults[i] = vendor + " " + fmt.Sprintf(kind, operation)
	}
	return faults
}

// Whatever befalls calls of either vendor, the outcome is as without it, and nothing is made twice.
func TestSyncGetsOverFaults(t *testing.T) {
	t.Parallel()
	catalogue := slices.Concat(
		syncFaults("mps", "token", false), syncFaults("mps", "catalogue", false), syncFaults("serpi", "list", false), syncFaults("serpi", "create", true),
		syncFaults("serpi", "modify", false), []string{"mps expire:catalogue:1", "serpi lose_answer:list:3", "serpi garbage:list:4"})
	billing := slices.Concat(
		syncFaults("intcomex", "login", false), syncFaults("intcomex", "invoices", false), syncFaults("intcomex", "company", false), syncFaults("managementpro", "list", false),
		syncFaults("managementpro", "add", true), []string{"intcomex expire:invoices:1", "intcomex expire:company:1"})
	for _, tt := range []struct {
		pipeline string
		inputs   map[string]any
		faults   []string
		counts   string
		files    map[string]string
	}{
		{syncCatalogue, syncSandboxMapping, catalogue, "1 2 0 2 <nil> <nil>", map[string]string{"results.csv": syncSandboxResults, "unmapped.csv": syncSandboxUnmapped}},
		{syncBilling, map[string]any{"month": "02/2020"}, billing, "<nil> <nil> <nil> <nil> 1 4", map[string]string{"billing.csv": syncSandboxBilling, "rejections.csv": syncSandboxRejected}},
	} {
		for _, fault := range tt.faults {
			t.Run(fault, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := newSyncBoxes(t, tt.pipeline, false, fault)
					r := s.run(t, tt.inputs)
					if got := r.counts("created", "updated", "unchanged", "failed", "clients_created", "rejected"); r.status != engine.Partial || got != tt.counts {
						t.Errorf("%s, counts %s, want %s: %v", r.status, got, tt.counts, r.err)
					}
					if !maps.Equal(r.files, tt.files) {
						t.Errorf("files %q", r.files)
					}
					s.judge(t)
				})
			})
		}
	}
}

// Where a vendor stays away, the run fails, or is ambiguous, and leaves no file that looks whole.
func TestSyncWithoutAVendor(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pipeline, fault string
		status          engine.Status
		message         string
	}{
		{syncCatalogue, "mps status=503:token", engine.Failed, "mps."},
		{syncCatalogue, "mps truncate:catalogue", engine.Failed, "mps.get_catalogue: unknown: "},
		{syncCatalogue, "mps garbage:catalogue", engine.Failed, "mps.get_catalogue: unknown: "},
		{syncCatalogue, "mps expire:catalogue", engine.Failed, "mps.get_catalogue: auth: "},
		{syncCatalogue, "serpi lose_request:list", engine.Failed, "serpi.get_supplier_articles: unknown: "},
		{syncCatalogue, "serpi truncate:list:2+", engine.Failed, "serpi.get_supplier_articles: unknown: "},
		{syncCatalogue, "serpi status=403:list", engine.Failed, "serpi.get_supplier_articles: denied: "},
		{syncBilling, "intcomex status=500:login", engine.Failed, "intcomex.get_latest_invoices: "},
		{syncBilling, "intcomex truncate:invoices", engine.Failed, "intcomex.get_latest_invoices: unknown: "},
		{syncBilling, "intcomex lose_answer:company", engine.Failed, "intcomex.get_company: unknown: "},
		{syncBilling, "intcomex status=403:company", engine.Failed, "intcomex.get_company: denied: "},
		{syncBilling, "managementpro status=503:list", engine.Failed, "managementpro.list_clients: "},
		{syncBilling, "managementpro garbage:list", engine.Failed, "managementpro.list_clients: unknown: "},
		{syncBilling, "managementpro status=401:add", engine.Failed, "managementpro.add_client: auth: "},
		{syncBilling, "managementpro status=429:add", engine.Ambiguous, "managementpro.add_client: unknown: it may or may not have been done: "},
		{syncBilling, "managementpro lose_request:add", engine.Ambiguous, "managementpro.add_client: unknown: it may or may not have been done: "},
		{syncBilling, "managementpro status=500:add", engine.Ambiguous, "managementpro.add_client: unknown: it may or may not have been done: "},
	} {
		t.Run(tt.fault, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newSyncBoxes(t, tt.pipeline, false, tt.fault)
				inputs := map[string]any{"month": "02/2020"}
				if tt.pipeline == syncCatalogue {
					inputs = syncSandboxMapping
				}
				r := s.run(t, inputs)
				if r.status != tt.status || !strings.HasPrefix(fmt.Sprint(r.err), tt.message) || len(r.files) > 0 {
					t.Errorf("%s: %v\nwant %s: %s; files %q", r.status, r.err, tt.status, tt.message, r.files)
				}
				for vendor, box := range s.boxes {
					for _, made := range box.Stats().Creates {
						if len(made) > 0 {
							t.Errorf("%s made %v", vendor, made)
						}
					}
				}
			})
		})
	}
}

// Where SERPI takes no writes, each row says so.
func TestSyncCatalogueUnwritten(t *testing.T) {
	t.Parallel()
	for fault, want := range map[string]string{
		"serpi status=403:create": "partial 0 2 0 3", "serpi status=403:modify": "partial 1 0 0 4",
		"serpi lose_request:modify": "partial 1 0 0 4", "serpi lose_request:create": "ambiguous 0 2 0 3",
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newSyncBoxes(t, syncCatalogue, false, fault).run(t, syncSandboxMapping)
				if got := fmt.Sprint(r.status, " ", r.counts("created", "updated", "unchanged", "failed")); got != want {
					t.Errorf("%s, want %s: %v", got, want, r.err)
				}
				for line := range strings.Lines(r.files["results.csv"]) {
					if cells := strings.SplitN(line, ",", 6); cells[3] != "status" && cells[3] != "done" && strings.TrimSpace(cells[5]) == "" {
						t.Errorf("no reason in %q", line)
					}
				}
			})
		})
	}
}

// An invoice of Intcomex, as JSON; vat is JSON, too.
func invoiced(account int, name, vat string, charges ...string) string {
	return fmt.Sprintf(`{"CompanyName":%q,"CompanyAccountId":%d,"CompanyVatId":%s,"BillingInterval":"02/2020","Charges":[%s]}`, name, account, vat, strings.Join(charges, ","))
}

func charged(currency, cost, sale string) string {
	return fmt.Sprintf(`{"ServiceName":"Azure","ServiceId":"100113_A","AccountId":7,"Costs":%s,"SalesPrice":%s,"Currency":%q}`, cost, sale, currency)
}

// A billingOffice is Intcomex and ManagementPro, as their simulators have them.
type billingOffice struct {
	icp  *icp
	mpro *wservice
	site *syncSite
}

func newOffice(t *testing.T, companies []company, clients []*mpClient, invoices ...string) *billingOffice {
	t.Helper()
	o := &billingOffice{icp: newICP(companies...), mpro: newWservice(clients...)}
	o.icp.invoices = "[" + strings.Join(invoices, ",") + "]"
	o.site = hosts{"icp.example": o.icp, "mpro.example": o.mpro}.reach(t, syncBilling, map[string]engine.Connection{
		"intcomex":      {Vendor: "intcomex", BaseURL: "http://icp.example", Config: map[string]any{"username": "reseller@example.com", "password": icpPassword}},
		"managementpro": {Vendor: "managementpro", BaseURL: "http://mpro.example/wservices/", Config: map[string]any{"api_key": mpKey}},
	})
	return o
}

// run bills a month, and checks what holds for every run.
func (o *billingOffice) run(t *testing.T) *syncRan {
	t.Helper()
	r := o.site.run(t, map[string]any{"month": "02/2020"})
	for _, c := range slices.Concat(o.icp.complaints, o.mpro.complaints) {
		t.Errorf("a vendor complains: %s", c)
	}
	for client, n := range o.mpro.created {
		if n > 1 {
			t.Errorf("client %s was created %d times", client, n)
		}
	}
	return r
}

const (
	billingHeader  = "client_id,tax_id,company,month,charges,cost,sale,currency\n"
	rejectedHeader = "company_account_id,tax_id,company,month,charges,cost,sale,currency,reason\n"
)

// Every company has a client, found or created once, and its charges are added up by
// currency to the last digit.
func TestSyncBilling(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		nameless := existing(6, "PT6", " ")
		bare := company{"AccountId": int64(8), "CompanyName": "Bare", "VATID": "PT8"}
		o := newOffice(t,
			[]company{existing(1, "FSU980312AB1", "Ferretería"), existing(2, "PT2", "Two Ltd. "), existing(3, "pt 2", "Two, again"), existing(4, "XAXX010101000", "Public One"),
				existing(5, "XAXX010101000", "Public Two"), nameless, bare},
			[]*mpClient{person("FSU980312AB1", "Ferretería del Sureste SA de CV "), person("XAXX010101000", "public  one ")},
			invoiced(1, "Ferretería", `"fsu980312ab1 "`, charged("USD", "0.1", "1.10"), charged("MXN", "100", "200"), charged("USD", "0.2", "1.20"), charged("USD", "-0.30", "-1000000000000000000000.0001")),
			invoiced(2, "Two Ltd.", `"PT2"`, charged("USD", "1.0000", "2")),
			invoiced(3, "Two, again", `"pt 2"`, charged("EUR", "3", "4.50")),
			invoiced(4, "Public One", `"XAXX010101000"`, charged("USD", "5", "6")),
			invoiced(5, "Public Two", `"xaxx010101000"`, charged("USD", "7", "8")),
			invoiced(6, " Nameless there", `"PT6"`, charged("USD", "9", "10")),
			invoiced(77, "Gone", `"PT77"`, charged("USD", "11", "12")),
			invoiced(8, "Bare", `"PT8"`, charged("USD", "13", "14")),
			invoiced(2, "Two Ltd.", `"PT2"`, charged("USD", "0.00001", "0.5")),
			invoiced(9, "Nothing was charged", `"PT9"`),
		)
		want := billingHeader + `0000000001,fsu980312ab1,Ferretería,02/2020,3,0.00,-999999999999999999997.7001,USD
0000000001,fsu980312ab1,Ferretería,02/2020,1,100,200,MXN
ID-PT2,PT2,Two Ltd.,02/2020,2,1.00001,2.5,USD
ID-PT2,pt 2,"Two, again",02/2020,1,3,4.50,EUR
0000000002,XAXX010101000,Public One,02/2020,1,5,6,USD
ID-XAXX010101000,xaxx010101000,Public Two,02/2020,1,7,8,USD
ID-PT6,PT6, Nameless there,02/2020,1,9,10,USD
ID-PT77,PT77,Gone,02/2020,1,11,12,USD
ID-PT8,PT8,Bare,02/2020,1,13,14,USD
`
		for _, created := range []string{"5 0", "0 0"} {
			r := o.run(t)
			if got := r.counts("clients_created", "rejected"); r.err != nil || got != created {
				t.Fatalf("counts %s, want %s: %v", got, created, r.err)
			}
			text := want
			for _, c := range o.mpro.clients[2:] { // they are created side by side
				text = strings.ReplaceAll(text, "ID-"+c.texts["rfc"]+",", c.texts["clave"]+",")
			}
			sameText(t, "billing.csv", strings.ReplaceAll(r.files["billing.csv"], `" Nameless there"`, " Nameless there"), text)
			sameText(t, "rejections.csv", r.files["rejections.csv"], rejectedHeader)
		}
		var made []string
		for _, c := range o.mpro.clients[2:] {
			made = append(made, fmt.Sprintf("%s %q %q %v", c.texts["rfc"], c.texts["razon_social"], c.texts["descripcion"], c.address))
		}
		slices.Sort(made)
		address := "map[calle:AV. BOLIVAR ciudad:GAZCUE codigo_postal:FL 02 colonia: estado: pais:Saint Barthelemy]"
		none := "map[calle: ciudad: codigo_postal: colonia: estado: pais:]"
		sameLines(t, "clients made", made, []string{
			`PT2 "Two Ltd. " "Two Ltd." ` + address, `PT6 "Nameless there " "Nameless there" ` + address, `PT77 "Gone " "Gone" ` + none,
			`PT8 "Bare " "Bare" ` + none, `XAXX010101000 "Public Two " "Public Two" ` + address,
		})
	})
}

// A company that cannot be billed is told of with its sums, and the others are billed.
func TestSyncBillingRejects(t *testing.T) {
	t.Parallel()
	good := invoiced(1, "Good", `"PT1"`, charged("USD", "1", "2"))
	bad := func(vat string) string {
		return invoiced(2, "Bad", vat, charged("USD", "3", "4"), charged("EUR", "5", "6"))
	}
	rejected := func(taxID, reason string) string {
		return fmt.Sprintf("2,%s,Bad,02/2020,1,3,4,USD,%s\n2,%s,Bad,02/2020,1,5,6,EUR,%s\n", taxID, reason, taxID, reason)
	}
	for name, tt := range map[string]struct {
		invoices []string
		set      func(o *billingOffice)
		want     string
	}{
		"null":       {invoices: []string{bad("null")}, want: rejected("", "it has no VAT ID")},
		"empty":      {invoices: []string{bad(`""`)}, want: rejected("", "it has no VAT ID")},
		"EMPTY":      {invoices: []string{bad(`" empty "`)}, want: rejected("", "it has no VAT ID")},
		"in marks":   {invoices: []string{bad(`"<EMPTY>"`)}, want: rejected("<EMPTY>", "it has no VAT ID")},
		"null in()":  {invoices: []string{bad(`"(null)"`)}, want: rejected("(null)", "it has no VAT ID")},
		"dashes":     {invoices: []string{bad(`"--"`)}, want: rejected("--", "it has no VAT ID")},
		"absent":     {invoices: []string{strings.Replace(bad(`"?"`), `"CompanyVatId":"?",`, "", 1)}, want: rejected("", "it has no VAT ID")},
		"two of one": {invoices: []string{bad(`"PT2"`), invoiced(2, "Bad", "null", charged("USD", "0.50", "0"))}, want: "2,PT2,Bad,02/2020,2,3.50,4,USD,\"it is invoiced with several VAT IDs: PT2, none\"\n2,PT2,Bad,02/2020,1,5,6,EUR,\"it is invoiced with several VAT IDs: PT2, none\"\n"},
		"two clients have the number": {
			invoices: []string{bad(`"PT 2"`)},
			set: func(o *billingOffice) {
				o.mpro.folds = true
				for _, name := range []string{"One", "Other"} {
					c := person("PT 2", name)
					c.texts["clave"] = name
					o.mpro.clients = append(o.mpro.clients, c)
				}
			},
			want: rejected("PT 2", `"tax number PT 2 belongs to 2 clients: One (One, AC), Other (Other, AC)"`),
		},
		"refused": {
			invoices: []string{bad(`"PT2"`)},
			set: func(o *billingOffice) {
				o.mpro.refuse = func(data map[string]any) *testserver.Reply {
					refusal := testserver.AsJSON(200, `{"type":"error","code":"404","message":"El RFC no es valido"}`)
					if data["rfc"] == "PT2" {
						return &refusal
					}
					return nil
				}
			},
			want: rejected("PT2", "El RFC no es valido"),
		},
		"no name anywhere": {
			invoices: []string{strings.ReplaceAll(bad(`"PT2"`), "Bad", "")},
			set:      func(o *billingOffice) { o.icp.companies[1]["CompanyName"] = "" },
			want:     strings.ReplaceAll(rejected("PT2", `"name: """" does not match the pattern \S; legal_name: """" does not match the pattern \S"`), "Bad", ""),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newOffice(t, []company{existing(1, "PT1", "Good"), existing(2, "PT2", "Bad")}, nil, append([]string{good}, tt.invoices...)...)
				if tt.set != nil {
					tt.set(o)
				}
				r := o.run(t)
				if got := r.counts("clients_created", "rejected"); r.status != engine.Partial || got != "1 1" {
					t.Errorf("%s, counts %s: %v", r.status, got, r.err)
				}
				file := r.files["billing.csv"]
				if !strings.HasPrefix(file, billingHeader) || !strings.HasSuffix(file, ",PT1,Good,02/2020,1,1,2,USD\n") || strings.Count(file, "\n") != 2 {
					t.Errorf("billing.csv:\n%s", file)
				}
				sameText(t, "rejections.csv", r.files["rejections.csv"], rejectedHeader+tt.want)
			})
		})
	}
}

// A month that Intcomex does not answer with touches nothing.
func TestSyncBillingOfAnotherMonth(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, nil, nil, strings.Replace(invoiced(1, "A", `"PT1"`, charged("USD", "1", "2")), "02/2020", "03/2020", 1))
		r := o.run(t)
		want := "the charges asked for are those of 02/2020, and the vendor answers with 03/2020: it gives the month that was closed last, and no other"
		if r.status != engine.Failed || fmt.Sprint(r.err) != want || len(r.files) > 0 || len(o.mpro.asked) > 0 {
			t.Errorf("%s: %v, files %q, asked %v", r.status, r.err, r.files, o.mpro.asked)
		}
	})
}

// A vendor that goes away in the middle ends the run without a file. The next run goes
// on where it was, and nobody is created twice.
func TestSyncBillingCutShort(t *testing.T) {
	t.Parallel()
	const companies = 24
	var known []company
	var invoices []string
	for i := range companies {
		vat := fmt.Sprint("PT", 100+i)
		known = append(known, existing(int64(i+1), vat, "Company "+vat))
		invoices = append(invoices, invoiced(i+1, "Company "+vat, fmt.Sprintf("%q", vat), charged("USD", "0.1", "0.2")))
	}
	page, refused, missing := testserver.HtmlPage(200), testserver.Plain(400, "Wrong account"), testserver.Plain(500, "Company does not exist")
	for name, tt := range map[string]struct {
		icp, mpro []testserver.Trouble
		status    engine.Status
	}{
		"nothing":                        {status: engine.Succeeded},
		"answers of creates are lost":    {mpro: []testserver.Trouble{{Service: "add", Worked: true, HangUp: true}}, status: engine.Succeeded},
		"answers of creates break off":   {mpro: []testserver.Trouble{{Service: "add", Worked: true, Cut: true}}, status: engine.Succeeded},
		"creates are answered by a page": {mpro: []testserver.Trouble{{Service: "add", Worked: true, Answer: &page}}, status: engine.Succeeded},
		"an answer comes too late":       {mpro: []testserver.Trouble{{Service: "add", Spared: 5, Calls: 1, Worked: true, Wait: time.Hour}}, status: engine.Succeeded},
		"companies are refused":          {icp: []testserver.Trouble{{Service: "GetCompany", Answer: &refused}}, status: engine.Succeeded},
		"companies are gone":             {icp: []testserver.Trouble{{Service: "GetCompany", Answer: &missing}}, status: engine.Succeeded},
		"lists stop":                     {mpro: []testserver.Trouble{{Service: "list", Spared: 9, Calls: 0, HangUp: true}}, status: engine.Failed},
		"lists stop for a page":          {mpro: []testserver.Trouble{{Service: "list", Spared: 9, Calls: 0, Answer: &page}}, status: engine.Failed},
		"creates stop":                   {mpro: []testserver.Trouble{{Service: "add", Spared: 9, Calls: 0, HangUp: true}}, status: engine.Ambiguous},
		"Intcomex stops":                 {icp: []testserver.Trouble{{Service: "GetCompany", Spared: 9, Calls: 0, HangUp: true}}, status: engine.Failed},
		"Intcomex stops for a page":      {icp: []testserver.Trouble{{Service: "GetCompany", Spared: 9, Calls: 0, Answer: &page}}, status: engine.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newOffice(t, known, nil, invoices...)
				o.icp.troubles, o.mpro.troubles = tt.icp, tt.mpro
				r := o.run(t)
				if r.status != tt.status {
					t.Fatalf("%s, want %s: %v", r.status, tt.status, r.err)
				}
				if tt.status != engine.Succeeded {
					if len(r.files) > 0 || tt.icp != nil && len(o.mpro.asked) > 0 {
						t.Errorf("files %q, asked %v", r.files, o.mpro.asked)
					}
					if tt.status == engine.Ambiguous { // a person must look first
						return
					}
					before := len(o.mpro.clients)
					o.icp.troubles, o.mpro.troubles = nil, nil
					if r = o.run(t); r.err != nil || r.counts("clients_created", "rejected") != fmt.Sprint(companies-before, " 0") {
						t.Errorf("the second run: %s after %d clients: %v", r.counts("clients_created", "rejected"), before, r.err)
					}
				}
				if len(o.mpro.clients) != companies || strings.Count(r.files["billing.csv"], "\n") != 1+companies {
					t.Errorf("%d clients and\n%s", len(o.mpro.clients), r.files["billing.csv"])
				}
			})
		})
	}
}
