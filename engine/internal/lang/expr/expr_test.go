package expr

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/langtest"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// company is the scope of most tests: a closed, typed step and data of which nothing is known.
var (
	companyType = types.ObjectOf(
		types.Field{Name: "AccountId", Type: types.IntegerType},
		types.Field{Name: "CompanyName", Type: types.TextType},
		types.Field{Name: "Status", Type: &types.Type{Kind: types.Text, Enum: []value.Value{"Active", "Closed"}}},
		types.Field{Name: "Balance", Type: types.DecimalType},
		types.Field{Name: "Since", Type: &types.Type{Kind: types.Text, Format: "date"}},
		types.Field{Name: "Nick", Type: types.TextType, Optional: true},
		types.Field{Name: "Domains", Type: types.ListOf(types.TextType)},
		types.Field{Name: "Parent", Type: types.ObjectOf(types.Field{Name: "AccountId", Type: types.IntegerType}), Optional: true},
		types.Field{Name: "Tags", Type: types.ListOf(types.TextType).OrNull("its schema allows null")},
	)
	testScope = NewScope(
		Name{"steps", types.ObjectOf(types.Field{Name: "lookup", Type: types.ObjectOf(
			types.Field{Name: "outputs", Type: types.ObjectOf(
				types.Field{Name: "company", Type: companyType},
				types.Field{Name: "companies", Type: types.ListOf(companyType)},
				types.Field{Name: "account_id", Type: types.IntegerType.OrNull("step lookup is skipped when its if is false")},
			)},
		)})},
		Name{"inputs", types.ObjectOf(
			types.Field{Name: "name", Type: types.TextType},
			types.Field{Name: "n", Type: types.IntegerType},
			types.Field{Name: "token", Type: &types.Type{Kind: types.Text, Secret: true}},
			types.Field{Name: "flag", Type: types.BooleanType},
		)},
		Name{"body", types.AnyType},
		Name{"text", types.TextType},
		Name{nowName, &types.Type{Kind: types.Text, Format: "datetime"}},
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
	e := Compile(langtest.Expr(t, text), s, &faults)
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
