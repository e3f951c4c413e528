package call

import (
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// operation is a catalog operation with what is worth knowing before the first call.
type operation struct {
	*catalog.Operation
	secretOutputs []*lang.Mapping
	// items is the output that lists the elements of a page; nil for what is not paged.
	items *lang.Mapping
	// sees tells which parts of an answer the operation's conditions look at.
	sees struct{ headers, text, body bool }
	// bodySize is the size of the last request body: a good guess for the next.
	bodySize atomic.Int64
}

func prepare(op *catalog.Operation) *operation {
	p := &operation{Operation: op}
	for _, m := range op.Response.Outputs {
		if op.Paging != nil && m.Name == op.Paging.Items {
			p.items = m
		}
		if m.Secret || m.Type().HasSecret() {
			p.secretOutputs = append(p.secretOutputs, m)
		}
	}
	for _, rule := range op.Response.Outcomes {
		p.look(rule.If)
	}
	if op.Response.OK != nil {
		p.look(op.Response.OK)
	}
	if op.Paging != nil && op.Paging.Stop != nil {
		p.look(op.Paging.Stop)
	}
	if op.Batch != nil && op.Batch.Answers != nil && op.Batch.Answers.OK != nil {
		p.look(op.Batch.Answers.OK)
	}
	return p
}

// look notes what a condition looks at. A variable's name stands in the text of
// each expression that uses it, and in few others.
func (o *operation) look(condition *lang.Expr) {
	text := condition.Text()
	o.sees.headers = o.sees.headers || strings.Contains(text, "headers")
	o.sees.text = o.sees.text || strings.Contains(text, "text")
	o.sees.body = o.sees.body || strings.Contains(text, "body")
}

// reads reports whether anything is read from a successful answer.
func (o *operation) reads() bool {
	return o.Response.Schema != nil || len(o.Response.Outputs) > 0 || o.Batch != nil && (o.Batch.Answers != nil || o.Batch.Count != nil)
}

// blank returns the outputs of an answer that holds nothing: lists are empty,
// the rest is null.
func (o *operation) blank() *value.Object {
	outputs := value.NewObject(len(o.Response.Outputs))
	for _, m := range o.Response.Outputs {
		if t := m.Type(); t != nil && t.Kind == lang.List {
			outputs.Set(m.Name, value.List{})
		} else {
			outputs.Set(m.Name, nil)
		}
	}
	return outputs
}

// splitAttempt returns the key of the call and which attempt this is, from 1.
func splitAttempt(r flow.CallRequest) (flow.Key, int) {
	if r.CallKey == "" {
		return r.Key, 1
	}
	if tail, ok := strings.CutPrefix(string(r.Key), string(r.CallKey)+"#"); ok {
		if n, err := strconv.Atoi(tail); err == nil && n > 0 {
			return r.CallKey, n
		}
	}
	return r.CallKey, 1
}
