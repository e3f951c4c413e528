package call

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/paths"
	"github.com/seed627bd532/runner/engine/internal/schema"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// A Canned answer is one that is written down before anybody asks.
type Canned struct {
	Status int
	Header http.Header
	Body   []byte
}

// Breaks returns how the answer, which op gives over a connection with this config, breaks the
// contract of op; nil for one that keeps it, for one that is no success, and where
// what it is depends on the request. Pointers lead into the body.
func (c Canned) Breaks(op *catalog.Operation, config *value.Object) []schema.Violation {
	if dependsOnRequest(op) {
		return nil
	}
	p := prepare(op)
	resp := &http.Response{StatusCode: c.Status, Header: c.Header, Body: io.NopCloser(bytes.NewReader(c.Body))}
	buf := new(bytes.Buffer)
	if _, err := buf.ReadFrom(bodyOf(resp, p)); err != nil {
		return []schema.Violation{{Message: err.Error()}}
	}
	a := inMemory(context.Background(), resp, p, buf)
	vars, _ := op.RequestVars(config, value.NewObject(0), "") // nothing of the request is read
	if op.Paging != nil {
		vars = op.Paging.Vars(vars, op.Paging.First)
	}
	outcome, declared := a.classify(p, vars)
	if outcome != flow.OK || declared && !p.reads() {
		return nil
	}
	data, readable := a.data(&op.Response)
	if !readable {
		if a.notXML != nil {
			return []schema.Violation{{Message: "the answer is not XML: " + a.notXML.Error()}}
		}
		return []schema.Violation{{Message: "the answer is not JSON"}}
	}
	whole, err := value.Decode(data)
	if err != nil {
		return []schema.Violation{{Message: "the answer cannot be read: " + err.Error()}}
	}
	data, whole = shaped(&op.Response, data, whole)
	if bad := op.Response.Schema.Validate(whole); len(bad) > 0 {
		for i := range bad {
			bad[i].Pointer = inBody(&op.Response, bad[i].Pointer)
		}
		return bad
	}
	get := func(m *paths.Mapping) (value.Value, error) { return m.GetFrom(data, whole) }
	for _, m := range op.Response.Outputs {
		if _, err := a.output(m, get); err != nil {
			var placed *diag.Diagnostic
			if errors.As(err, &placed) {
				return []schema.Violation{{Message: placed.Message}} // where it is in the vendor file does not matter here
			}
			return []schema.Violation{{Message: err.Error()}}
		}
	}
	return nil
}

// dependsOnRequest reports whether the outcome of an answer cannot be told without the inputs.
func dependsOnRequest(op *catalog.Operation) bool {
	reads := func(e *expr.Expr) bool {
		return strings.Contains(e.Text(), "inputs") || strings.Contains(e.Text(), "identity")
	}
	for _, rule := range op.Response.Outcomes {
		if reads(rule.If) {
			return true
		}
	}
	return op.Response.OK != nil && reads(op.Response.OK)
}

var plainWalk = regexp.MustCompile(`^\w+(\.\w+)*$`)

// inBody turns a pointer into the data into one into the body, as well as the path of the data tells.
func inBody(r *catalog.Response, pointer string) string {
	if r.Data == nil || r.As != "json" {
		return pointer
	}
	start, _, _ := strings.Cut(r.Data.Text(), "|") // what follows makes lists of what is none
	switch {
	case start == "@this" || start == "[@this]":
		return pointer
	case plainWalk.MatchString(start):
		return "/" + strings.ReplaceAll(start, ".", "/") + pointer
	}
	return ""
}
