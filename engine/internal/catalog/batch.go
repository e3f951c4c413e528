package catalog

import (
	"regexp"
	"slices"
	"strconv"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/paths"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// A Batch says that an operation sends many rows in one request, and how its
// answer tells what became of each. Without Answers and Count a success is one
// of all rows.
type Batch struct {
	// Of is the input that lists the rows, As what identity calls one of them.
	Of, As  string
	Answers *RowAnswers
	Count   *RowCount
}

// RowAnswers find the part of an answer that is about one row.
type RowAnswers struct {
	// Path leads to the list of these parts in the whole answer.
	Path *paths.Path
	// Match leads to the row's key within a part; nil where the parts come in the order of the rows.
	Match *paths.Path
	// OK tells whether the row was done, over RowAnswerVars; nil where being answered says so.
	OK *expr.Expr
	// Message leads to the vendor's own words within a part; nil where there are none.
	Message *paths.Path
}

// A RowCount finds in the whole answer how many rows were done: Match has two
// groups, those that were done and all.
type RowCount struct {
	Path  *paths.Path
	Match *regexp.Regexp
}

// BatchRows names the rows of a batch in the order in which they are sent; nil
// for an operation without Batch. A row whose identity is null, and each row
// where there is no identity, is named by its number, from 1. Only the rows of
// a create have an Identity. The error is that of an identity that cannot be evaluated.
func (op *Operation) BatchRows(inputs *value.Object) ([]flow.RowRef, error) {
	if op.Batch == nil {
		return nil, nil
	}
	list, _ := inputs.At(op.Batch.Of).(value.List)
	refs := make([]flow.RowRef, len(list))
	vars := append(IdentityVars(inputs), nil)
	for i, row := range list {
		refs[i].Key = strconv.Itoa(i + 1)
		if op.Identity == nil {
			continue
		}
		vars[len(vars)-1] = row
		v, err := op.Identity.Eval(vars)
		if err != nil {
			return nil, err
		}
		if v == nil {
			continue
		}
		v = op.Identity.Type().Canonical(v)
		if refs[i].Key, err = value.Text(v); err != nil {
			refs[i].Key = value.Key(v)
		}
		if op.Effect == flow.Create {
			refs[i].Identity = value.Key(v)
		}
	}
	return refs, nil
}

// reservedNames have a meaning of their own in some part of an operation.
var reservedNames = []string{"body", "call", "config", "headers", "identity", "inputs", "outcome", "outputs", "page", "status", "text", "token"}

// batch reads an operation's rows, and returns the type of one.
func (d *decoder) batch(n *source.Node, op *Operation) (*Batch, *types.Type) {
	b := &Batch{As: n.Get("as").Text}
	if slices.Contains(reservedNames, b.As) {
		d.faults.Add(n.Get("as").Errorf("reserved-name", "a row cannot be called %s, which means something else here", b.As).WithHint("call it row"))
	}
	of := expr.Compile(n.Get("of"), identityScope(op.Inputs.Type).Recording(d.reads), d.faults)
	if of == nil {
		return b, types.AnyType
	}
	name, ok := of.Member("inputs")
	if input := op.Inputs.Get(name); !ok || input == nil {
		d.faults.Add(n.Get("of").Errorf("rows-of-no-input", "rows are those of an input, and %s is none", of.Text()).WithHint("write inputs. and the name of a list"))
		return b, types.AnyType
	} else if input.Type.Kind != types.List {
		f := n.Get("of").Errorf("wrong-type", "rows must be a list, and the input %s is %s", name, input.Type)
		f.Related = []diag.Place{input.Place}
		d.faults.Add(f)
		return b, types.AnyType
	}
	b.Of = name
	return b, elemOf(of.Type())
}

// elemOf returns the type of a list's elements, as far as it is known.
func elemOf(t *types.Type) *types.Type {
	if t == nil || t.Elem == nil {
		return types.AnyType
	}
	return t.Elem
}

// answeredRows reads how an answer tells what became of the rows. response may
// be nil; answer is the scope of its conditions, whole the type of all of it.
func (d *decoder) answeredRows(response *source.Node, op *Operation, answer *expr.Scope, whole *types.Type) {
	rows, count := response.Get("rows"), response.Get("count")
	if op.Batch == nil {
		for _, key := range []string{"rows", "count"} {
			if n := response.Key(key); n != nil {
				d.faults.Add(n.Errorf("answer-without-rows", "%s tells what became of the rows of a batch, and this operation has none", key).
					WithHint("say which input lists the rows: rows, with of and as, beside request"))
			}
		}
		return
	}
	if rows != nil && count != nil {
		d.faults.Add(response.Key("count").Errorf("conflicting-keys", "the rows are either answered one by one (rows) or counted (count), not both"))
	}
	if as := response.Get("as"); as != nil && as.Text != "json" && (rows != nil || count != nil) {
		d.faults.Add(as.Errorf("rows-without-json", "what became of the rows is read from JSON, and this answer is read as %s", as.Text))
	}
	if rows != nil {
		op.Batch.Answers = d.rowAnswers(rows, op, answer, whole)
	}
	if count != nil {
		op.Batch.Count = d.rowCount(count, whole)
	}
}

func (d *decoder) rowAnswers(n *source.Node, op *Operation, answer *expr.Scope, whole *types.Type) *RowAnswers {
	a := &RowAnswers{Path: paths.Compile(n.Get("path"), whole, d.faults)}
	row := types.AnyType
	if a.Path != nil {
		t := a.Path.Type()
		if t.Kind != types.List && t.Kind != types.Unknown {
			d.faults.Add(n.Get("path").Errorf("wrong-type", "the rows' answers must be a list, and %s finds %s", a.Path.Text(), t))
		}
		row = elemOf(t)
	}
	if match := n.Get("match"); match != nil {
		a.Match = d.textPath(match, row, "a row's answer is matched by a text or a number")
		switch {
		case op.Identity == nil:
			d.faults.Add(n.Key("match").Errorf("match-without-identity", "a row's answer is matched by the row's identity, and there is none").
				WithHint("give the operation an identity, or leave match out where answers come in the order of the rows"))
		case !scalar(op.Identity.Type()):
			d.faults.Add(n.Key("match").Errorf("wrong-type", "a row's answer is matched by a text or a number, and the identity is %s", op.Identity.Type()))
		}
	}
	if ok := n.Get("ok"); ok != nil {
		a.OK = expr.Compile(ok, rowAnswerScope(answer, row), d.faults)
		d.decides(ok, a.OK, "row")
	}
	if message := n.Get("message"); message != nil {
		a.Message = paths.Compile(message, row, d.faults)
	}
	return a
}

func (d *decoder) rowCount(n *source.Node, whole *types.Type) *RowCount {
	c := &RowCount{Path: d.textPath(n.Get("path"), whole, "rows are counted in a text")}
	match := n.Get("match")
	var err error
	switch c.Match, err = regexp.Compile(match.Text); {
	case err != nil:
		d.faults.Add(match.Errorf("bad-regexp", "%v", err))
	case c.Match.NumSubexp() != 2:
		d.faults.Add(match.Errorf("bad-regexp", "the expression must have two groups (how many were done, and of how many), found %d", c.Match.NumSubexp()).
			WithHint(`write it as '(\d+) of (\d+)', and other groups as (?:…)`))
	}
	return c
}

// textPath compiles a path that must find a text or a number; wish says why.
func (d *decoder) textPath(n *source.Node, over *types.Type, wish string) *paths.Path {
	p := paths.Compile(n, over, d.faults)
	if p != nil && !scalar(p.Type()) {
		d.faults.Add(n.Errorf("wrong-type", "%s, and %s finds %s", wish, p.Text(), p.Type()))
	}
	return p
}

// scalar reports whether a value of the type can be written as a text.
func scalar(t *types.Type) bool {
	switch {
	case t == nil:
		return true
	case t.Kind == types.List || t.Kind == types.Object || t.Kind == types.Boolean:
		return false
	}
	return true
}
