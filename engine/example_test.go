package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing/fstest"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/history"
	"github.com/seed627bd532/runner/engine/state/sqlite"
)

// files is a small project; a real one is a folder, read with os.DirFS, or an embed.FS.
var files = fstest.MapFS{
	"specs/shop.yaml": {Data: []byte(`
vendor: shop
version: 1
config:
  key: {type: string, secret: true}
auth:
  inject:
    headers:
      X-Api-Key: ${{ config.key }}
operations:
  get_price:
    effect: read
    inputs:
      product: {type: string, minLength: 1}
    request:
      method: GET
      path: /prices
      query:
        product: ${{ inputs.product }}
    response:
      schema: {type: object, required: [price], properties: {price: {type: number}}}
      outputs:
        price: price
`)},
	"pipelines/quote.yaml": {Data: []byte(`
pipeline: quote
version: 1
inputs:
  product: {type: string}
  quantity: {type: integer, default: 1}
connections:
  shop: {vendor: shop}
steps:
  - id: price
    call: shop.get_price
    with:
      product: ${{ inputs.product }}
outputs:
  unit: ${{ steps.price.outputs.price }}
  total: ${{ steps.price.outputs.price * inputs.quantity }}
`)},
	"pipelines/quotes.yaml": {Data: []byte(`
pipeline: quotes
version: 1
inputs:
  lines:
    type: array
    items: {$ref: "quote.yaml#/inputs"}
connections:
  shop: {vendor: shop}
steps:
  - id: each
    foreach: inputs.lines
    as: line
    key: line.product
    on_error: collect
    call: ./quote.yaml
    with: ${{ line }}
outputs:
  results: ${{ steps.each.results }}
`)},
}

// newShop is the vendor of the examples.
func newShop() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		prices := map[string]string{"tea": "203.7700", "salt": "0.1"}
		price, ok := prices[r.URL.Query().Get("product")]
		switch {
		case r.Header.Get("X-Api-Key") != "k-123456":
			http.Error(w, "who are you?", http.StatusUnauthorized)
		case !ok:
			http.Error(w, "we do not sell that", http.StatusNotFound)
		default:
			fmt.Fprintf(w, `{"price": %s}`, price)
		}
	}))
}

func at(shop *httptest.Server, key string) map[string]engine.Connection {
	return map[string]engine.Connection{
		"shop": {Vendor: "shop", BaseURL: shop.URL, Config: map[string]any{"key": key}},
	}
}

func ExampleProgram_Run() {
	shop := newShop()
	defer shop.Close()
	program, err := engine.Load(files, engine.Options{Connections: at(shop, "k-123456"), Client: shop.Client()})
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := program.Run(context.Background(), engine.Request{
		Pipeline: "pipelines/quote.yaml",
		Inputs:   map[string]any{"product": "tea", "quantity": 3},
	})
	fmt.Println(result.Status, err)
	fmt.Println(result.Outputs["unit"], result.Outputs["total"])
	// Output:
	// succeeded <nil>
	// 203.7700 611.3100
}

func ExampleProgram_Run_failure() {
	shop := newShop()
	defer shop.Close()
	program, _ := engine.Load(files, engine.Options{Connections: at(shop, "k-wrong")})
	result, err := program.Run(context.Background(), engine.Request{
		Pipeline: "pipelines/quote.yaml",
		Inputs:   map[string]any{"product": "tea"},
	})
	var failed *engine.Error
	if errors.As(err, &failed) {
		fmt.Println(result.Status, failed.Failure.Step, failed.Failure.Operation, failed.Failure.Outcome)
		fmt.Println(failed.Failure.Message)
	}
	// Output:
	// failed price shop.get_price auth
	// who are you?
}

func ExampleLoad_mistakes() {
	broken := fstest.MapFS{"pipelines/sums.yaml": {Data: []byte(
		"pipeline: sums\nversion: 1\ninputs: {price: {type: decimal}}\nsteps:\n  - {id: sum, set: {total: \"${{ inputs.prize + 1 }}\"}}\n")}}
	_, err := engine.Load(broken, engine.Options{})
	var faults diag.List
	if errors.As(err, &faults) {
		for _, f := range faults {
			fmt.Printf("%v (%s)\n", f, f.Hint)
		}
	}
	// Output:
	// pipelines/sums.yaml:5:40: unknown member "prize" of inputs (did you mean "price"?)
}

// Stream yields results while the run goes on, and rows may come from anywhere.
func ExampleProgram_Stream() {
	shop := newShop()
	defer shop.Close()
	program, err := engine.Load(files, engine.Options{Connections: at(shop, "k-123456")})
	if err != nil {
		fmt.Println(err)
		return
	}
	var lines iter.Seq[any] = func(yield func(any) bool) {
		for _, product := range []string{"tea", "gold", "salt"} {
			if !yield(map[string]any{"product": product}) {
				return
			}
		}
	}
	request := engine.Request{Pipeline: "pipelines/quotes.yaml", Inputs: map[string]any{"lines": lines}}
	for row, err := range program.Stream(context.Background(), request) {
		if err != nil {
			fmt.Println(err)
			break
		}
		if row.Status == "done" {
			fmt.Println(row.Key, "costs", row.Outputs["total"])
		} else {
			fmt.Println(row.Key, row.Status+":", row.Error)
		}
	}
	// Output:
	// tea costs 203.7700
	// gold failed: shop.get_price: not_found: we do not sell that
	// salt costs 0.1
}

// Call makes one call outside of any pipeline.
func ExampleProgram_Call() {
	shop := newShop()
	defer shop.Close()
	program, _ := engine.Load(files, engine.Options{Connections: at(shop, "k-123456")})
	result, err := program.Call(context.Background(), "shop.get_price", engine.Request{
		Inputs: map[string]any{"product": "salt"},
	})
	text, _ := json.Marshal(result.Outputs)
	fmt.Println(string(text), err)
	// Output:
	// {"price":0.1} <nil>
}

// With a state, a run that was cut off goes on where it stopped, also in another process.
// A test file stands beside its pipeline. Its cases are run with nothing but the answers that it gives.
func ExampleProgram_Test() {
	project := maps.Clone(files)
	project["pipelines/quote.test.yaml"] = &fstest.MapFile{Data: []byte(`
test: quote
inputs: {product: A-1, quantity: 3}
cases:
  - name: a busy shop is waited for
    answers:
      shop.get_price: [{status: 503, times: 2}, {body: {price: 2.50}}]
    expect:
      outputs: {total: 7.50}
  - name: nothing is given away
    answers:
      shop.get_price: [{body: {price: 0}}]
    expect:
      outputs: {total: 1}
`)}
	program, err := engine.Load(project, engine.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range program.TestCases() {
		faults, err := program.Test(context.Background(), c)
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, d := range faults {
			fmt.Println(d)
		}
	}
	// Output:
	// pipelines/quote.test.yaml:14:24: nothing is given away: output total: expected 1, got 0
}

func ExampleProgram_Resume() {
	shop := newShop()
	defer shop.Close()
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	store, err := sqlite.Open(filepath.Join(dir, "state.db"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()

	program, _ := engine.Load(files, engine.Options{Connections: at(shop, "k-expired"), State: store})
	failed, err := program.Run(context.Background(), engine.Request{
		Pipeline: "pipelines/quote.yaml",
		Inputs:   map[string]any{"product": "tea"},
	})
	fmt.Println(failed.Status, err)

	program = program.With(engine.Options{Connections: at(shop, "k-123456"), State: store})
	result, err := program.Resume(context.Background(), failed.RunID, engine.ResumeRequest{})
	fmt.Println(result.Status, result.Outputs["total"], err)

	known, _ := history.List(context.Background(), store, 10)
	for _, run := range known {
		fmt.Println(run.Pipeline, run.Status)
	}
	// Output:
	// failed shop.get_price: auth: who are you?
	// succeeded 203.7700 <nil>
	// pipelines/quote.yaml succeeded
}
