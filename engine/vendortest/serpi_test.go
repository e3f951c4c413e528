package vendortest_test

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/internal/testserver"
	"github.com/seed627bd532/runner/engine/sandbox"
	statefiles "github.com/seed627bd532/runner/engine/state/files"
	"github.com/seed627bd532/runner/engine/state/sqlite"
)

// newSerpi is SERPI's sandbox with these faults, and the connection to it at a URL.
func newSerpi(t *testing.T, url string, faults ...string) (*sandbox.Sandbox, engine.Connection) {
	t.Helper()
	def, err := sandbox.Load(os.DirFS("../.."), "specs/serpi.sandbox.yaml")
	if err != nil {
		t.Fatal(err)
	}
	box := sandbox.New(def, sandbox.Options{})
	for _, text := range faults {
		fault, err := sandbox.ParseFault(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := box.AddFault(fault); err != nil {
			t.Fatal(err)
		}
	}
	c, err := def.Connection(url)
	if err != nil {
		t.Fatal(err)
	}
	return box, engine.Connection{Vendor: c.Vendor, BaseURL: c.BaseURL, Config: c.Config}
}

// runBox runs a pipeline, or calls an operation, against a sandbox with faults.
func runBox(t *testing.T, name string, inputs map[string]any, faults ...string) (*serpiRan, sandbox.Stats) {
	t.Helper()
	box, c := newSerpi(t, "http://serpi.example", faults...)
	client, stop := testserver.OverPipes(box)
	defer stop()
	r := runSerpi(t, c, client, name, inputs)
	stats := box.Stats()
	if len(stats.Errors) > 0 || len(stats.Overlaps) > 0 {
		t.Errorf("the sandbox tells of %v, and overlaps %v", stats.Errors, stats.Overlaps)
	}
	for key, n := range stats.Creates["create"] {
		if n > 1 {
			t.Errorf("%s was created %d times", key, n)
		}
	}
	return r, stats
}

const serpiInStock = `id,article_id,article,supplier_tax_id,supplier_code,supplier_description,is_default,order_multiple,minimum_order
1,2,ARTICULO1,1234567890,101,ARTICULO UNO,true,1.00,1.00000
2,2,ARTICULO1,0090012345,"  A-17","Artículo ""uno""",false,12.50,25.00000
3,3,ARTICULO2,1234567890,102,ARTICULO DOS,true,1.00,1.00000
4,4,ARTICULO3,1234567890,0103,ARTICULO TRES,true,,
5,5,ARTICULO4,800555111,104,ARTICULO CUATRO,true,1.00,1.00000
6,5,ARTICULO4,800555111,104-B,ARTICULO CUATRO,false,0.50,0.25000
`

// The file of the page docs/vendors/serpi.md, with a row for each thing that can become of one.
func TestSerpiPipelinesAgainstTheSandbox(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		all, _ := runBox(t, exportSupplied, nil)
		if all.err != nil || all.files["articles.csv"] != serpiInStock || all.result.Outputs["count"] != int64(6) {
			t.Errorf("%v, got\n%s", all.err, all.files["articles.csv"])
		}
		one, _ := runBox(t, exportSupplied, map[string]any{"article_id": 4})
		if text := one.files["articles.csv"]; one.err != nil || strings.Count(text, "\n") != 2 || !strings.Contains(text, "\n4,4,ARTICULO3,") {
			t.Errorf("%v, got\n%s", one.err, text)
		}
		r, stats := runBox(t, upsertSupplied, map[string]any{"articles": engine.File("../../testdata/serpi_articles.csv")})
		want := `key,status,action,error
2 1234567890,done,none,
2 0090012345,done,update,
3 1234567890,done,update,
4 1234567890,done,none,
5 800555111,failed,,"article 5 of supplier 800555111 is there 2 times: ids 5, 6"
7 1234567890,done,create,
7 0090012345,done,create,
7 1234567890#2,failed,create,a row above it is for the same article and supplier
8 1234567890,failed,,"missing member ""supplier_description"""
999999 1234567890,failed,create,"2 of 3 rows were done, and it is not known which: Se crearon 2 de 3 articulos proveedores; El artículo 999999 no existe; not found in 3 look-ups with serpi.get_supplier_articles, 5s apart"
`
		if got := r.files["results.csv"]; r.err != nil || r.result.Status != engine.Partial || r.counts() != "2 2 2 4" || got != want {
			t.Errorf("%s %s %v, got\n%s", r.result.Status, r.counts(), r.err, got)
		}
		if made := fmt.Sprint(stats.Creates); made != "map[create:map[7 0090012345:1 7 1234567890:1]]" {
			t.Errorf("made %s", made)
		}
		if stats.Calls["create"] != 1 || stats.Calls["modify"] != 1 {
			t.Errorf("asked %v", stats.Calls)
		}
	})
}

func TestSerpiOperationsAgainstTheSandbox(t *testing.T) {
	t.Parallel()
	row := func(article int, more ...any) map[string]any { return wanted(article, more...) }
	for _, tt := range []struct {
		operation string
		inputs    map[string]any
		want      string
	}{
		{"get_supplier_articles", map[string]any{"article_id": 3}, "succeeded map[articles:[map[article:ARTICULO2 article_id:3 id:3 is_default:true minimum_order:1.00000 order_multiple:1.00 supplier_code:102 supplier_description:ARTICULO DOS supplier_tax_id:1234567890]]] <nil>"},
		{"get_supplier_articles", map[string]any{"article_id": 77}, "succeeded map[articles:[]] <nil>"},
		{"create_supplier_articles", map[string]any{"articles": []any{row(8), row(9)}}, "succeeded map[] <nil>"},
		{"create_supplier_articles", map[string]any{"articles": []any{row(8), row(999999)}},
			`failed map[] rows-refused invalid: 1 of 2 rows were refused: 999999 900123: 1 of 2 rows were done, and it is not known which: Se crearon 1 de 2 articulos proveedores; El artículo 999999 no existe; not found in 3 look-ups with serpi.get_supplier_articles, 5s apart`},
		{"update_supplier_articles", map[string]any{"articles": []any{row(3, "id", 3)}}, "succeeded map[] <nil>"},
		{"update_supplier_articles", map[string]any{"articles": []any{row(3, "id", 3), row(4, "id", 44)}},
			`failed map[] rows-refused invalid: 1 of 2 rows were refused: 4 900123: 1 of 2 rows were done, and it is not known which: Se modificaron 1 de 2 articulos proveedores; El registro 44 no existe; not found in 3 look-ups with serpi.get_supplier_articles, 5s apart`},
	} {
		synctest.Test(t, func(t *testing.T) {
			r, _ := runBox(t, "serpi."+tt.operation, tt.inputs)
			if got := fmt.Sprint(r.result.Status, " ", r.result.Outputs, " ", r.why()); got != tt.want {
				t.Errorf("%s:\ngot  %s\nwant %s", tt.operation, got, tt.want)
			}
		})
	}
}

// Every kind of fault, at every operation: the row to be created and the one to
// be updated end as they must, and nothing is made twice.
func TestSerpiFaults(t *testing.T) {
	t.Parallel()
	for fault, want := range map[string]string{
		"lose_request:list:1":    "succeeded 1 1 0 0",
		"lose_answer:list:1":     "succeeded 1 1 0 0",
		"delay=100s:list:1":      "succeeded 1 1 0 0",
		"status=429/2s:list:1-3": "succeeded 1 1 0 0",
		"status=503:list:1-2":    "succeeded 1 1 0 0",
		"truncate:list:1-2":      "succeeded 1 1 0 0",
		"garbage:list:1-2":       "succeeded 1 1 0 0",
		"garbage:list":           "failed <nil> <nil> <nil> <nil>",
		"expire:list:2":          "failed <nil> <nil> <nil> <nil>",
		"lose_request:create":    "ambiguous 0 1 0 1",
		"lose_answer:create":     "succeeded 1 1 0 0",
		"delay=100s:create":      "succeeded 1 1 0 0",
		"status=429/2s:create:1": "succeeded 1 1 0 0",
		"status=400:create":      "partial 0 1 0 1",
		"status=403:create":      "partial 0 1 0 1",
		"status=500:create":      "ambiguous 0 1 0 1",
		"truncate:create":        "succeeded 1 1 0 0",
		"garbage:create":         "succeeded 1 1 0 0",
		"expire:create":          "failed <nil> <nil> <nil> <nil>",
		"lose_request:modify:1":  "succeeded 1 1 0 0",
		"lose_request:modify":    "partial 1 0 0 1",
		"lose_answer:modify":     "succeeded 1 1 0 0",
		"delay=100s:modify:1":    "succeeded 1 1 0 0",
		"status=429/2s:modify:1": "succeeded 1 1 0 0",
		"status=503/2s:modify:1": "succeeded 1 1 0 0",
		"truncate:modify:1":      "succeeded 1 1 0 0",
		"garbage:modify:1":       "succeeded 1 1 0 0",
		"expire:modify":          "failed <nil> <nil> <nil> <nil>",
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				rows := []any{wanted(70), wanted(3, "supplier_tax_id", "1234567890")}
				r, stats := runBox(t, upsertSupplied, map[string]any{"articles": rows}, fault)
				if got := fmt.Sprint(r.result.Status, " ", r.counts()); got != want {
					t.Errorf("got %s, want %s (%v)\n%s", got, want, r.err, r.files["results.csv"])
				}
				if strings.Contains(fault, ":create") && stats.Calls["create"] > 1 && !strings.Contains(fault, "429") {
					t.Errorf("the create was sent %d times", stats.Calls["create"])
				}
				if strings.HasPrefix(fault, "expire") && !strings.Contains(r.why(), "No autorizado; Credenciales inválidas") {
					t.Error(r.why())
				}
			})
		})
	}
}

// The environment of a process that does the work of TestSerpiUpsertsOfTwoProcesses.
const (
	serpiURL   = "RUNNER_TEST_SERPI"
	serpiState = "RUNNER_TEST_SERPI_STATE"
	serpiFirst = "RUNNER_TEST_SERPI_FIRST"
)

// sameRows is the first row of both processes where they have the same.
const sameRows = 3000

// inParallel is the repository with 16 rows at a time, each of them a batch.
func inParallel(t *testing.T) fs.FS {
	t.Helper()
	return inBatches(t, "batch: 1\n    parallel: 16")
}

func inBatches(t *testing.T, batch string) fs.FS {
	t.Helper()
	files := fstest.MapFS{}
	for _, name := range []string{"specs/serpi.yaml", upsertSupplied} {
		text, err := fs.ReadFile(os.DirFS("../.."), name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(string(text), "    batch: 100\n", "    "+batch+"\n"))}
	}
	return files
}

// upsertAsProcess upserts 16 new rows and one that is there, once standard input ends.
func upsertAsProcess(t *testing.T) {
	t.Helper()
	base, first := os.Getenv(serpiURL), 0
	fmt.Sscan(os.Getenv(serpiFirst), &first)
	fsys := os.DirFS("../..")
	if first >= 2000 && first < 3000 {
		fsys = inParallel(t)
	}
	_, c := newSerpi(t, base)
	store := statefiles.New(os.Getenv(serpiState))
	runs, err := sqlite.Open(filepath.Join(os.Getenv(serpiState), "runs.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer runs.Close()
	p, err := engine.Load(fsys, engine.Options{
		Paths:       []string{"specs/serpi.yaml", upsertSupplied},
		Connections: map[string]engine.Connection{"serpi": c},
		Tokens:      store,
		Locks:       store,
		State:       runs,
	})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin) // both begin when the test says so
	rows := append(serpiRows(first, 16), wanted(4, "supplier_tax_id", "1234567890", "supplier_code", fmt.Sprint(first)))
	r, err := p.Run(context.Background(), engine.Request{Pipeline: upsertSupplied, Inputs: map[string]any{"articles": rows}, OutDir: t.TempDir()})
	if err != nil || r.Status != engine.Succeeded {
		fmt.Fprintln(os.Stderr, r, err) // which the test's own process shows
		t.Fail()
	}
}

// Two processes at once never have two requests under way, nor with 16 rows in parallel each. Rows
// that both have are made once, and done for both.
func TestSerpiUpsertsOfTwoProcesses(t *testing.T) {
	if os.Getenv(serpiURL) != "" {
		upsertAsProcess(t)
		return
	}
	t.Parallel()
	for name, first := range map[string]int{"as shipped": 1000, "16 rows in parallel": 2000, "the same rows": sameRows} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			box, _ := newSerpi(t, "http://serpi.example", "delay=3ms")
			server := httptest.NewServer(http.Handler(box))
			defer server.Close()
			dir := t.TempDir()
			var processes []*exec.Cmd
			for i := range 2 {
				cmd := exec.Command(os.Args[0], "-test.run=^TestSerpiUpsertsOfTwoProcesses$")
				cmd.Env = append(os.Environ(), serpiURL+"="+server.URL, serpiState+"="+dir, fmt.Sprint(serpiFirst, "=", first+100*i))
				if first == sameRows {
					cmd.Env = append(cmd.Env, fmt.Sprint(serpiFirst, "=", first))
				}
				processes = append(processes, cmd)
			}
			testserver.AtOnce(t, processes)
			stats := box.Stats()
			if len(stats.Overlaps) > 0 || stats.Concurrency != 1 {
				t.Errorf("overlaps %v, %d at once", stats.Overlaps, stats.Concurrency)
			}
			want := 32
			if first == sameRows {
				want = 16
			}
			if made := stats.Creates["create"]; len(made) != want {
				t.Errorf("made %v", made)
			}
			for key, n := range stats.Creates["create"] {
				if n != 1 {
					t.Errorf("%s was made %d times", key, n)
				}
			}
			if calls := fmt.Sprint(stats.Calls); first == 1000 && calls != "map[create:2 list:4 modify:2]" || first == 2000 && calls != "map[create:32 list:4 modify:2]" {
				t.Errorf("asked %s", calls)
			}
		})
	}
}

// A default that is not given stays as it is, and a new record is none; blanks at the
// ends of a supplier's number make no other supplier.
func TestSerpiDefaultsThatAreLeftAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := newERP(supply(1, 7, "900123", "OLD", "ARTICULO", true, "1.00", ""), supply(2, 8, "900123", "C-8", "ARTICULO", false, "", ""))
		rows := []any{
			wanted(7, "is_default", nil),
			wanted(8, "is_default", nil, "supplier_tax_id", " 900123 "),
			wanted(9, "is_default", nil, "supplier_tax_id", "900123 "),
			wanted(9, "is_default", true),
		}
		r := v.run(t, upsertSupplied, map[string]any{"articles": rows})
		want := `key,status,action,error
7 900123,done,update,
8 900123,done,none,
9 900123,done,create,
9 900123#2,failed,create,a row above it is for the same article and supplier
`
		if got := r.files["results.csv"]; r.err != nil || r.counts() != "1 1 1 1" || got != want {
			t.Errorf("%s %v, got\n%s", r.counts(), r.err, got)
		}
		if got, want := strings.Join(v.bodies, "\n"), `[{"idArticulo":9,"nitProveedor":"900123","codigoProveedor":"C-9","descripcionProveedor":"ARTICULO","proveedorPredeterminado":false}]
[{"id":1,"idArticulo":7,"nitProveedor":"900123","codigoProveedor":"C-7","descripcionProveedor":"ARTICULO","proveedorPredeterminado":true,"multiploCompra":1.00}]`; got != want {
			t.Errorf("sent\n%s\nwant\n%s", got, want)
		}
	})
}

// Of two runs that find the same rows missing, one creates them and says so. What the other one wanted otherwise
// it brings about, and says that.
func TestSerpiUpsertsOfTheSameRowsAtOnce(t *testing.T) {
	t.Parallel()
	for _, batch := range []string{"batch: 100", "batch: 7"} {
		synctest.Test(t, func(t *testing.T) {
			v := newERP()
			v.troubles = []testserver.Trouble{{Service: "GET", Wait: time.Second, Worked: true}, {Service: "POST", Wait: time.Second, Worked: true}}
			client, stop := testserver.OverPipes(v)
			defer stop()
			p, err := engine.Load(inBatches(t, batch), engine.Options{
				Connections: map[string]engine.Connection{"serpi": {Vendor: "serpi", BaseURL: "http://serpi.example", Config: map[string]any{"secret_key": serpiSecret, "token": serpiToken}}},
				Client:      client,
			})
			if err != nil {
				t.Fatal(testserver.FaultsOf(err))
			}
			second := serpiRows(1, 40)
			second[2] = wanted(3, "supplier_code", "other")
			second[3] = wanted(4, "is_default", nil)
			second[4] = wanted(5, "is_default", false)
			var wait sync.WaitGroup
			runs := make([]*serpiRan, 2)
			for i, rows := range [][]any{serpiRows(1, 40), second} {
				wait.Go(func() {
					time.Sleep(time.Duration(i) * time.Millisecond)
					r, err := p.Run(context.Background(), engine.Request{Pipeline: upsertSupplied, Inputs: map[string]any{"articles": rows}})
					runs[i] = &serpiRan{result: r, err: err}
				})
			}
			wait.Wait()
			for i, want := range []string{"40 0 0 0", "0 2 38 0"} {
				if runs[i].err != nil || runs[i].counts() != want {
					t.Errorf("%s: run %d came to %s, %v, want %s", batch, i, runs[i].counts(), runs[i].err, want)
				}
			}
			for _, s := range v.records {
				code, isDefault := fmt.Sprint("C-", *s.Article), *s.Article != 5
				if *s.Article == 3 {
					code = "other"
				}
				if *s.Code != code || *s.Default != isDefault {
					t.Errorf("article %d is %s, %v", *s.Article, *s.Code, *s.Default)
				}
			}
		})
	}
}
