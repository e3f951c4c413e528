package sandbox

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// match finds the operation that a request asks for, else the answer that says
// what is wrong with its path or method.
func (d *Definition) match(t *turn) (*operation, *answer, error) {
	method, _ := t.request.At("method").(string)
	path, _ := t.request.At("path").(string) // decoded: a slash in a value looks like one of the path
	var others []string                      // methods of the path
	known := false
	for _, op := range d.operations {
		params, ok := op.path.match(path)
		if !ok {
			continue
		}
		if op.method != method {
			others = append(others, op.method)
			continue
		}
		known = true
		t.request.Set("params", params)
		hit, err := holds(op.when, t.vars())
		if hit || err != nil {
			return op, nil, err
		}
	}
	if !known && len(others) > 0 {
		slices.Sort(others)
		allowed := strings.Join(slices.Compact(others), ", ")
		a := textAnswer(http.StatusMethodNotAllowed,
			fmt.Sprintf("sandbox %s: %s takes %s, not %s", d.vendor, path, allowed, method))
		a.header.Set("Allow", allowed)
		return nil, a, nil
	}
	what := "has no " + method + " " + path
	if known {
		what = "has no operation for this request to " + method + " " + path
	}
	return nil, textAnswer(http.StatusNotFound, "sandbox "+d.vendor+" "+what), nil
}

// tokenOf returns the token of a request as a text, "" for none.
func (d *Definition) tokenOf(t *turn) (string, error) {
	if d.token == nil {
		return "", nil
	}
	return textOf(d.token, t.vars())
}

// textOf evaluates to a text: "" for null, JSON for what is no scalar.
func textOf(e *expr.Expr, vars expr.Vars) (string, error) {
	v, err := e.Eval(vars)
	if v == nil || err != nil {
		return "", err
	}
	return asText(v), nil
}

// textsOf evaluates to the texts of a list's elements, or to the one text of
// what is no list; to "" for null.
func textsOf(e *expr.Expr, vars expr.Vars) ([]string, error) {
	v, err := e.Eval(vars)
	if v == nil || err != nil {
		return []string{""}, err
	}
	list, ok := v.(value.List)
	if !ok {
		return []string{asText(v)}, nil
	}
	texts := make([]string, len(list))
	for i, elem := range list {
		texts[i] = asText(elem)
	}
	return texts, nil
}

// asText returns the text of a value: JSON for what is no scalar.
func asText(v value.Value) string {
	if text, err := value.Text(v); err == nil {
		return text
	}
	return shown(v)
}
