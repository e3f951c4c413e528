package engine_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/internal/transport"
	"github.com/seed627bd532/runner/engine/state"
)

// BenchmarkEnsureCompanies is one job, done by the engine from the product's own
// files and by a program written for nothing else, against the same server in
// the same process: log in once; look every company of a CSV file up by its VAT
// ID and create it where it is missing, as half of them are; write one line of
// results per company. docs/performance.md tells what came of it.
func BenchmarkEnsureCompanies(b *testing.B) {
	const rows = 1000
	input := writeCompanies(b, rows)
	for _, program := range []struct {
		name  string
		start func(tb testing.TB, base string, workers int) ensurer
	}{
		{"engine", startEngine},
		{"handwritten", startHandwritten},
	} {
		for _, workers := range []int{1, 16} {
			b.Run(fmt.Sprintf("%s/workers=%d", program.name, workers), func(b *testing.B) {
				vendor := newBenchVendor(b, rows)
				ensure := program.start(b, vendor.url, workers)
				dir := b.TempDir()
				b.ReportAllocs()
				for b.Loop() {
					vendor.reset()
					if err := ensure(input, dir); err != nil {
						b.Fatal(err)
					}
					if n := vendor.created(); n != rows/2 {
						b.Fatalf("%d companies were created, expected %d", n, rows/2)
					}
				}
				b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			})
		}
	}
}

// A benchmark that compares two jobs proves nothing unless they are the same.
func TestEngineAndHandwrittenProgramDoTheSame(t *testing.T) {
	const rows = 20
	input := writeCompanies(t, rows)
	run := func(start func(testing.TB, string, int) ensurer) string {
		vendor := newBenchVendor(t, rows)
		dir := t.TempDir()
		if err := start(t, vendor.url, 1)(input, dir); err != nil {
			t.Fatal(err)
		}
		results, err := os.ReadFile(filepath.Join(dir, "results.csv"))
		if err != nil {
			t.Fatal(err)
		}
		return string(results) + fmt.Sprintf("%d created by %d requests\n", vendor.created(), vendor.asked.Load())
	}
	byEngine, byHand := run(startEngine), run(startHandwritten)
	if byEngine != byHand {
		t.Errorf("the engine wrote\n%s\nthe handwritten program\n%s", byEngine, byHand)
	}
	if lines := strings.Count(byEngine, ",done,"); lines != rows {
		t.Errorf("%d rows are done, expected %d:\n%s", lines, rows, byEngine)
	}
}

// An ensurer does the job once: companies from the file input, results.csv below dir.
type ensurer func(input, dir string) error

// startEngine returns the job as a pipeline. The files are those that the product
// ships; only how many rows run side by side is set.
func startEngine(tb testing.TB, base string, workers int) ensurer {
	return startEngineOn(tb, base, workers, nil)
}

// startEngineOn is startEngine on a state; nil is a new memory each time.
func startEngineOn(tb testing.TB, base string, workers int, store state.Store) ensurer {
	const pipeline = "pipelines/intcomex/ensure_companies.yaml"
	files := fstest.MapFS{}
	for _, name := range []string{"specs/intcomex.yaml", pipeline, "pipelines/intcomex/ensure_company.yaml"} {
		text, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(name)))
		if err != nil {
			tb.Fatal(err)
		}
		if name == pipeline {
			const parallel = "parallel: 8"
			if !strings.Contains(string(text), parallel) {
				tb.Fatalf("%s does not say %q", pipeline, parallel)
			}
			text = []byte(strings.Replace(string(text), parallel, "parallel: "+strconv.Itoa(workers), 1))
		}
		files[name] = &fstest.MapFile{Data: text}
	}
	options := engine.Options{
		Connections: map[string]engine.Connection{
			"intcomex": {Vendor: "intcomex", BaseURL: base, Config: map[string]any{"username": benchUser, "password": benchPassword}},
		},
		Client: transport.Default(),
	}
	program, err := engine.Load(files, options)
	if err != nil {
		tb.Fatal(err)
	}
	return func(input, dir string) error {
		if options.State = store; store == nil {
			options.State = state.NewMemory() // nothing is remembered of the companies of before
		}
		result, err := program.With(options).Run(context.Background(), engine.Request{
			Pipeline: pipeline,
			Inputs:   map[string]any{"companies": engine.File(input)},
			OutDir:   dir,
		})
		if err == nil && result.Status != engine.Succeeded {
			err = fmt.Errorf("the run ended as %s: %v", result.Status, result.Outputs)
		}
		return err
	}
}

// startHandwritten returns the job as the program of handwritten_test.go.
func startHandwritten(_ testing.TB, base string, workers int) ensurer {
	h := newHandwritten(base, benchUser, benchPassword, workers)
	return func(input, dir string) error {
		return h.ensureAll(context.Background(), input, filepath.Join(dir, "results.csv"))
	}
}

// writeCompanies writes a file of that many companies and returns its path.
func writeCompanies(tb testing.TB, rows int) string {
	name := filepath.Join(tb.TempDir(), "companies.csv")
	f, err := os.Create(name)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	w := csv.NewWriter(f)
	w.Write([]string{"vat_id", "name", "address", "city", "country", "zip", "email", "domains", "parent_account_id", "marketplaces", "contract_id", "customer_id"})
	for i := range rows {
		c := benchCompany(i)
		w.Write([]string{c.VATID, c.CompanyName, c.Address, c.City, c.Country, c.Zip, c.Email, strings.Join(c.Domain, ";"),
			strconv.FormatInt(c.ParentAccountID, 10), "32;67", "", c.CustomerID})
	}
	w.Flush()
	if err := w.Error(); err != nil {
		tb.Fatal(err)
	}
	return name
}
