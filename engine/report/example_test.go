package report_test

import (
	"fmt"
	"os"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/report"
)

func Example() {
	summary := &report.Summary{}
	sink := event.Fan(report.NewConsole(os.Stdout, report.ConsoleOptions{}), summary)

	// What a run emits:
	head := event.Head{Run: "r1"}
	sink.Emit(&event.RunStarted{Head: head, Pipeline: "ensure_companies"})
	sink.Emit(&event.RowFinished{Head: head, Key: "each", Row: "PT1", Status: "done"})
	sink.Emit(&event.RowFinished{Head: head, Key: "each", Row: "PT2", Status: "failed", Error: "name is empty"})
	sink.Emit(&event.StepFinished{Head: head, Key: "each"})
	sink.Emit(&event.RunFinished{Head: head, Pipeline: "ensure_companies", Status: "partial",
		Outputs: []byte(`{"created":1,"results":{"file":"results.csv","rows":2}}`)})

	fmt.Print(summary.Text())
	fmt.Printf("%s", summary.JSON())
	// Output:
	// ensure_companies: run r1
	//   each[PT2]: failed: name is empty
	//   each: 1 done, 1 failed (0s)
	// ensure_companies: partial after 0s
	// created: 1
	// results: results.csv (2 rows)
	// {"run":"r1","pipeline":"ensure_companies","status":"partial","outputs":{"created":1,"results":{"file":"results.csv","rows":2}},"error":null}
}
