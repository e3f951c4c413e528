package call

import (
	"net/url"
	"sync/atomic"

	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/paths"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// operation is a catalog operation with what is worth knowing before the first call.
type operation struct {
	*catalog.Operation
	secretOutputs []*paths.Mapping
	// items is the output that lists the elements of a page; nil for what is not paged.
	items *paths.Mapping
	// sees tells which parts of an answer the operation's conditions look at.
	sees   struct{ headers, text, body bool }
	accept []string // the header of that name
	// address is where requests below base go, without query, and endpoint how that is told of, secrets
	// included; nil and "" where the path holds something that is known with the call only.
	base, address *url.URL
	endpoint      string
	// bodySize is the size of the last request body: a good guess for the next.
	bodySize atomic.Int64
}

func prepare(op *catalog.Operation) *operation {
	p := &operation{Operation: op, accept: accepts(op.Response.As)}
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

// fixAddress finds the address of calls that go to base, if it is the same in all of them. What is
// wrong with it is told of with each call.
func (o *operation) fixAddress(base *url.URL) {
	if path := o.Request.Path; path != nil {
		if _, fixed := path.Literal(); !fixed {
			return
		}
	}
	if u, err := address(base, o.Request.Path, nil); err == nil {
		o.base, o.address, o.endpoint = base, u, o.Request.Method+" "+u.Redacted()
	}
}

// look notes what a condition looks at.
func (o *operation) look(condition *expr.Expr) {
	o.sees.headers = o.sees.headers || condition.Reads("headers")
	o.sees.text = o.sees.text || condition.Reads("text")
	o.sees.body = o.sees.body || condition.Reads("body")
}

// reads reports whether anything is read from a successful answer.
func (o *operation) reads() bool {
	return o.Response.Schema != nil || len(o.Response.Outputs) > 0 || o.Batch != nil && (o.Batch.Answers != nil || o.Batch.Count != nil)
}

// wantsValue reports whether the value of an answer is looked at as a whole.
func (o *operation) wantsValue() bool {
	return o.Response.Schema != nil && o.Response.Data == nil || o.sees.body || len(o.Response.Secrets) > 0
}

// blank returns the outputs of an answer that holds nothing: lists are empty,
// the rest is null.
func (o *operation) blank() *value.Object {
	outputs := value.NewObject(len(o.Response.Outputs))
	for _, m := range o.Response.Outputs {
		if t := m.Type(); t != nil && t.Kind == types.List {
			outputs.Set(m.Name, value.List{})
		} else {
			outputs.Set(m.Name, nil)
		}
	}
	return outputs
}
