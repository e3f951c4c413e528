package report

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/event"
)

func TestSummaryJSON(t *testing.T) {
	started := &event.RunStarted{Head: event.Head{Run: "r1"}, Pipeline: "p"}
	tests := []struct {
		name   string
		events []event.Event
		want   string
	}{
		{"of a run that succeeded", []event.Event{started, &event.RunFinished{
			Head: event.Head{Run: "r1"}, Pipeline: "p", Status: "succeeded",
			Outputs: []byte(`{"id":12345678901234567890,"cost":203.7700,"results":{"file":"results.csv","rows":2}}`),
		}}, `{"run":"r1","pipeline":"p","status":"succeeded","outputs":{"id":12345678901234567890,"cost":203.7700,"results":{"file":"results.csv","rows":2}},"error":null}`},
		{"of a run that failed", []event.Event{started, &event.RunFinished{
			Head: event.Head{Run: "r1"}, Pipeline: "p", Status: "failed",
			Error: &event.Failure{Code: "vendor", Step: "create", Operation: "v.o", Outcome: "invalid", Message: "<no>", Hint: "h"},
		}}, `{"run":"r1","pipeline":"p","status":"failed","outputs":{},"error":{"code":"vendor","step":"create","operation":"v.o","outcome":"invalid","message":"<no>","hint":"h"}}`},
		{"of a run that was cut off", []event.Event{started, &event.Note{Text: "x"}},
			`{"run":"r1","pipeline":"p","status":"interrupted","outputs":{},"error":null}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var s Summary
			for _, e := range tt.events {
				s.Emit(e)
			}
			wantText(t, string(s.JSON()), tt.want+"\n")
		})
	}
}

func TestSummaryOfWhatNeverRan(t *testing.T) {
	s := Invalid("p.yaml", event.Failure{Code: "unknown-key", Message: "p.yaml:3:1: unknown key \"step\"", Hint: "did you mean \"steps\"?"})
	wantText(t, string(s.JSON()), `{"run":null,"pipeline":"p.yaml","status":"invalid","outputs":{},"error":`+
		`{"code":"unknown-key","step":"","operation":"","outcome":"","message":"p.yaml:3:1: unknown key \"step\"","hint":"did you mean \"steps\"?"}}`+"\n")
	wantText(t, s.Text(), "")
}

func TestSummaryKeepsNoEvent(t *testing.T) {
	var s Summary
	e := &event.RunFinished{Head: event.Head{Run: "r1"}, Pipeline: "p", Status: "failed", Outputs: []byte(`{"a":1}`), Error: &event.Failure{Message: "m"}}
	s.Emit(e)
	want := string(s.JSON())
	copy(e.Outputs, `{"b":2}`)
	e.Error.Message = "changed"
	wantText(t, string(s.JSON()), want)
}

func TestSummaryText(t *testing.T) {
	tests := []struct{ name, outputs, want string }{
		{"scalars", `{"account_id":12345678901234567890,"created":true,"name":" A\u001b[2J\nB ","none":null,"cost":203.7700}`, `account_id: 12345678901234567890
created: true
name:  A [2J B 
none: null
cost: 203.7700
`},
		{"files", `{"results":{"file":"results.csv","rows":500},"one":{"file":"one.csv","rows":1},"doc":{"file":"doc.json","rows":null}}`, `results: results.csv (500 rows)
one: one.csv (1 row)
doc: doc.json
`},
		{"an object that is no file", `{"x":{"file":"a","rows":1,"more":{"y":[]}},"z":{}}`, `x:
  file: a
  rows: 1
  more:
    y: none
z: {}
`},
		{"lists", `{"domains":["a.example","b.example"],"mixed":[1,{"b":1,"a":"<"},[null]]}`, `domains: a.example, b.example
mixed: 1, {"b":1,"a":"<"}, [null]
`},
		{"tables", `{"charges":[{"company":"Älpha","cost":203.7700},{"company":"B","cost":-1,"note":"x"},{"company":null,"cost":[1]}]}`, `charges: 3 rows
  company  cost      note
  Älpha    203.7700
  B        -1        x
           [1]
`},
		{"long cells", fmt.Sprintf(`{"t":[{"text":%q}]}`, strings.Repeat("é", 41)), "t: 1 row\n  text\n  " + strings.Repeat("é", 39) + "…\n"},
		{"nothing", `{}`, ""},
		{"what is not JSON", `oops`, "oops\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var s Summary
			s.Emit(&event.RunFinished{Outputs: []byte(tt.outputs)})
			wantText(t, s.Text(), tt.want)
		})
	}
}

func TestSummaryTextCutsLongLists(t *testing.T) {
	var numbers, rows []string
	var want strings.Builder
	want.WriteString("rows: 500 rows\n  n\n")
	for i := range 500 {
		numbers = append(numbers, fmt.Sprint(i))
		rows = append(rows, fmt.Sprintf(`{"n":%d}`, i))
		if i < 20 {
			fmt.Fprintf(&want, "  %d\n", i)
		}
	}
	want.WriteString("  … and 480 more\nnumbers: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, … and 480 more\n")
	var s Summary
	s.Emit(&event.RunFinished{Outputs: []byte(`{"rows":[` + strings.Join(rows, ",") + `],"numbers":[` + strings.Join(numbers, ",") + `]}`)})
	wantText(t, s.Text(), want.String())
}
