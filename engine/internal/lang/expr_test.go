package lang

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/langtest"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// company is the scope of most tests: a closed, typed step and data of which nothing is known.
var (
	companyType = ObjectOf(
		Field{Name: "AccountId", Type: IntegerType},
		Field{Name: "CompanyName", Type: TextType},
		Field{Name: "Status", Type: &Type{Kind: Text, Enum: []value.Value{"Active", "Closed"}}},
		Field{Name: "Balance", Type: DecimalType},
		Field{Name: "Since", Type: &Type{Kind: Text, Format: "date"}},
		Field{Name: "Nick", Type: TextType, Optional: true},
		Field{Name: "Domains", Type: ListOf(TextType)},
		Field{Name: "Parent", Type: ObjectOf(Field{Name: "AccountId", Type: IntegerType}), Optional: true},
		Field{Name: "Tags", Type: ListOf(TextType).OrNull("its schema allows null")},
	)
	testScope = NewScope(
		Name{"steps", ObjectOf(Field{Name: "lookup", Type: ObjectOf(
			Field{Name: "outputs", Type: ObjectOf(
				Field{Name: "company", Type: companyType},
				Field{Name: "companies", Type: ListOf(companyType)},
				Field{Name: "account_id", Type: IntegerType.OrNull("step lookup is skipped when its if is false")},
			)},
		)})},
		Name{"inputs", ObjectOf(
			Field{Name: "name", Type: TextType},
			Field{Name: "n", Type: IntegerType},
			Field{Name: "token", Type: &Type{Kind: Text, Secret: true}},
			Field{Name: "flag", Type: BooleanType},
		)},
		Name{"body", AnyType},
		Name{"text", TextType},
		Name{nowName, &Type{Kind: Text, Format: "datetime"}},
	)
)

func testVars(t testing.TB) Vars {
	acme := `{"AccountId":7,"CompanyName":"Acme","Status":"Active","Balance":203.7700,"Since":"2024-02-28","Domains":["a.pt","b.pt"],"Parent":{"AccountId":1},"Tags":null}`
	bolt := `{"AccountId":9,"CompanyName":"Bolt","Status":"Closed","Balance":-307.2800,"Since":"2025-12-31","Nick":"b","Domains":[],"Tags":["x"]}`
	return Vars{
		langtest.Decode(t, `{"lookup":{"outputs":{"company":`+acme+`,"companies":[`+acme+`,`+bolt+`],"account_id":null}}}`),
		langtest.Decode(t, `{"name":"Ünï","n":3,"token":"s3","flag":true}`),
		langtest.Decode(t, `{"a":1,"list":[3,1,2],"text":"t","null":null,"deep":{"x":{"y":5}},"rows":[{"k":"a","v":1},{"k":"b","v":2},{"k":"a","v":3}]}`),
		"raw answer",
		"2026-01-02T03:04:05Z",
	}
}

// outcome evaluates an expression: its value as JSON, or all its faults, each
// with its column from 1 and its hint.
func outcome(t testing.TB, s *Scope, vars Vars, text string) string {
	t.Helper()
	var faults diag.List
	e := CompileExpr(langtest.Expr(t, text), s, &faults)
	if e == nil {
		faults.Sort()
		return describe(faults)
	}
	if len(faults) > 0 {
		t.Errorf("%s: compiled, with faults %v", text, faults)
	}
	v, err := e.Eval(vars)
	if err != nil {
		d, ok := err.(*diag.Diagnostic)
		if !ok {
			t.Fatalf("%s: error is a %T", text, err)
		}
		if d.Code != "eval-error" {
			t.Errorf("%s: code %s", text, d.Code)
		}
		return "run " + describe(diag.List{d})
	}
	return string(value.AppendJSON(nil, v))
}

func describe(faults diag.List) string {
	var lines []string
	for _, d := range faults {
		line := fmt.Sprintf("%d: %s", d.Pos.Col-2, d.Message)
		if d.Hint != "" {
			line += " (" + d.Hint + ")"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}
