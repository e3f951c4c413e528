package expr

import (
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/expr-lang/expr/ast"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// nowName is the scope variable that now() reads; scopes without it have no now().
const nowName = "now()"

func (c *compiler) callNode(n *ast.CallNode) term {
	switch callee := n.Callee.(type) {
	case *ast.IdentifierNode:
		name := callee.Value
		if word, ok := wordOperators[name]; ok {
			name = word
		}
		return c.call(n, name, n.Arguments)
	case *ast.MemberNode:
		name := callee.Property.String()
		if s, ok := callee.Property.(*ast.StringNode); ok {
			name = s.Value
		}
		d := c.fault(c.spotOf(callee), "unknown-function", fmt.Sprintf("values have no function %q", name))
		if _, ok := functions[name]; ok {
			d.Hint = fmt.Sprintf("write %s(value, …)", name)
		}
		c.term(callee.Node)
	}
	return invalid(n)
}

// call compiles name(args...). functions of the scope hide those of the language.
func (c *compiler) call(n ast.Node, name string, args []ast.Node) term {
	for i := len(c.scope.funcs) - 1; i >= 0; i-- {
		if f := &c.scope.funcs[i]; f.Name == name {
			return c.scopeFunc(n, f, args)
		}
	}
	if f, ok := functions[name]; ok {
		return c.function(n, f, args)
	}
	if i := c.scope.Index(nowName); name == "now" && i >= 0 {
		if len(args) > 0 {
			c.fault(c.spotOf(n), "bad-arguments", "now() takes no arguments")
		}
		c.read(nowName)
		return term{typ: c.scope.Names[i].Type, run: func(f *frame) (value.Value, error) {
			if i < len(f.vars) {
				return f.vars[i], nil
			}
			return nil, nil
		}}
	}
	d := c.fault(c.spotOf(n), "unknown-function", fmt.Sprintf("unknown function %q", name))
	if other, ok := elsewhere[name]; ok {
		d.Hint = other
	} else {
		known := slices.Collect(maps.Keys(functions))
		for _, f := range c.scope.funcs {
			known = append(known, f.Name)
		}
		types.Suggest(d, name, known)
	}
	c.restOf(args)
	return invalid(n)
}

// restOf looks for faults in arguments of which nothing else is known. Of the
// element in a predicate nothing can be said.
func (c *compiler) restOf(args []ast.Node) {
	for _, a := range args {
		if _, ok := a.(*ast.PredicateNode); !ok {
			c.term(a)
		}
	}
}

// scopeFunc compiles a call of a function that only this scope has.
func (c *compiler) scopeFunc(n ast.Node, fn *Func, nodes []ast.Node) term {
	least := len(fn.Params) - fn.Optional
	if len(nodes) < least || len(nodes) > len(fn.Params) {
		c.fault(c.spotOf(n), "bad-arguments", fmt.Sprintf("%s takes %s, found %d", fn.Name, count(least, len(fn.Params)), len(nodes)))
		c.restOf(nodes)
		return invalid(n)
	}
	c.read(fn.Name)
	args := make([]term, len(nodes))
	for i, node := range nodes {
		if p, ok := node.(*ast.PredicateNode); ok {
			node = p.Node
		}
		args[i] = c.term(node)
		c.refuseOmit(args[i])
		if args[i].typ.MayOmit {
			continue
		}
		if why := fn.Params[i].Accepts(args[i].typ); why != "" {
			types.Related(c.mismatch(node, "argument %d of %s: %s", i+1, fn.Name, why), args[i].typ)
		}
	}
	at := c.spotOf(n)
	types := make([]*types.Type, len(args))
	for i, a := range args {
		types[i] = a.typ
	}
	return term{typ: secretResult(fn.Result, types...), run: func(f *frame) (value.Value, error) {
		vals, err := evalAll(f, args)
		if err != nil {
			return nil, err
		}
		if err = f.spend(10); err == nil {
			err = f.load(vals)
		}
		if err == nil {
			var v value.Value
			if v, err = fn.Call(f.vars, vals); err == nil {
				return v, nil
			}
		}
		return nil, at.wrap(err)
	}}
}

func evalAll(f *frame, args []term) ([]value.Value, error) {
	vals := make([]value.Value, len(args))
	for i, a := range args {
		v, err := a.run(f)
		if err != nil {
			return nil, err
		}
		vals[i] = v
	}
	return vals, nil
}

// count says how many arguments a function takes.
func count(least, most int) string {
	noun := "arguments"
	if most == 1 {
		noun = "argument"
	}
	switch {
	case most < 0:
		return fmt.Sprintf("at least %d", least)
	case least == most:
		return fmt.Sprintf("%d %s", least, noun)
	}
	return fmt.Sprintf("%d to %d %s", least, most, noun)
}

// function compiles a call of one of the closed list.
func (c *compiler) function(n ast.Node, fn *function, nodes []ast.Node) term {
	least, most := fn.arity()
	if len(nodes) < least || most >= 0 && len(nodes) > most {
		d := c.fault(c.spotOf(n), "bad-arguments", fmt.Sprintf("%s takes %s, found %d", fn.name, count(least, most), len(nodes)))
		d.Hint = "write " + fn.usage()
		c.restOf(nodes)
		return invalid(n)
	}
	switch fn.name {
	case "round":
		return c.round(n, nodes)
	case "matches":
		return c.matches(n, nodes[0], nodes[1])
	}
	call := &callee{fn: fn, at: c.spotOf(n)}
	argTypes := make([]*types.Type, len(nodes))
	for i, node := range nodes {
		p := fn.param(i)
		if body, ok := node.(*ast.PredicateNode); ok {
			elem := types.AnyType
			if i > 0 {
				elem = argTypes[0].ElemOrAny()
			}
			call.body, call.slot, call.usesIndex = c.predicate(body, elem)
			call.bodyAt = c.spotOf(body.Node)
			if i > 0 && (fn.name == "filter" || fn.name == "find") {
				argTypes[0] = c.filtered(argTypes[0], call.slot, body.Node)
			}
			argTypes[i] = call.body.typ
			if k := call.body.typ.Kind; k == types.Text || k == types.Unknown {
				call.keys = types.TimesOf(call.body.typ)
			}
			c.want(call.body, p.takes, p.null, "the "+p.name+" of "+fn.name)
			continue
		}
		a := c.term(node)
		c.want(a, p.takes, p.null, fn.name)
		if p.check != nil && a.constant && a.val != nil {
			if err := p.check(a.val); err != nil {
				c.fault(c.spotOf(node), "bad-arguments", err.Error())
			}
		}
		argTypes[i] = branchType(a)
		if fn.compare != nil {
			call.times = append(call.times, types.TimesOf(a.typ))
		}
		call.args = append(call.args, a)
		call.argsAt = append(call.argsAt, c.spotOf(node))
		call.params = append(call.params, p)
	}
	t := types.AnyType
	if !c.failed {
		t = fn.result(argTypes)
	}
	call.argSlot = c.newSlots(len(call.args))
	return term{typ: secretResult(t, argTypes...), run: call.run}
}

// filtered returns the type of a list whose elements, in slot, all fit the condition.
func (c *compiler) filtered(t *types.Type, slot int, condition ast.Node) *types.Type {
	facts := c.proven(condition, true)
	if t.Kind != types.List || len(facts) == 0 {
		return t
	}
	some := *t
	some.Elem = refined(types.OrAny(t.Elem), (&chain{local: slot}).rootName(), facts)
	return &some
}

// predicate compiles the body of a predicate that runs over elements of type elem.
func (c *compiler) predicate(n *ast.PredicateNode, elem *types.Type) (body term, slot int, usesIndex bool) {
	slot = c.newSlots(2)
	c.elements = append(c.elements, element{typ: elem, slot: slot})
	body = c.term(n.Node)
	c.refuseOmit(body)
	last := len(c.elements) - 1
	usesIndex = c.elements[last].usesIndex
	c.elements = c.elements[:last]
	return body, slot, usesIndex
}

// A callee is a compiled call of a function of the closed list.
type callee struct {
	fn        *function
	at        spot
	args      []term
	argsAt    []spot
	params    []*param
	body      term // run is nil when there is no predicate
	bodyAt    spot
	slot      int
	usesIndex bool
	keys      types.Times   // of what the predicate gives
	times     []types.Times // of the arguments, for functions that compare
	argSlot   int           // where the arguments are while the function runs, which does not keep them
}

func (c *callee) run(f *frame) (value.Value, error) {
	vals := f.locals[c.argSlot : c.argSlot+len(c.args) : c.argSlot+len(c.args)]
	var err error
	for i, a := range c.args {
		if vals[i], err = a.run(f); err != nil {
			return nil, err
		}
	}
	for i, v := range vals {
		if !c.params[i].allows(v) {
			return nil, c.argsAt[i].errorf("%s needs %s, found %s", c.fn.name, c.params[i].takes, types.Shown(v))
		}
		if err := f.spendNumber(v); err != nil {
			return nil, c.argsAt[i].wrap(err)
		}
	}
	if err = f.spend(1); err != nil {
		return nil, c.at.wrap(err)
	}
	var v value.Value
	if c.fn.each != nil {
		l := &loop{f: f, callee: c, list: vals[0], extra: vals[1:]}
		if v, err = c.fn.each(l); l.broken != nil {
			err = l.broken
		}
	} else if err = c.load(f, vals); err == nil && c.fn.compare != nil {
		v, err = c.fn.compare(f, vals, c.times)
	} else if err == nil {
		v, err = c.fn.call(f, vals)
	}
	if err != nil {
		return nil, c.at.wrap(err)
	}
	return v, nil
}

// load puts lists in memory in the place of Rows, for functions that need them.
func (c *callee) load(f *frame, vals []value.Value) error {
	if c.fn.streams {
		return nil
	}
	return f.load(vals)
}

// A loop runs a predicate over the elements of a list.
type loop struct {
	f      *frame
	callee *callee
	list   value.Value   // a list or null
	extra  []value.Value // arguments after the predicate
	broken error         // what ended elements early
}

// elements yields the elements; when it is over, broken says whether it was whole.
func (l *loop) elements() iter.Seq2[int, value.Value] { return l.f.elements(l.list, &l.broken) }

// length returns the number of elements.
func (l *loop) length() int {
	n, _ := value.Length(l.list)
	return n
}

// at computes the predicate for e, which is element i; without a predicate, e itself.
func (l *loop) at(i int, e value.Value) (value.Value, error) {
	if err := l.f.spend(1); err != nil {
		return nil, err
	}
	if l.callee.body.run == nil {
		return e, nil
	}
	l.f.locals[l.callee.slot] = e
	if l.callee.usesIndex {
		l.f.locals[l.callee.slot+1] = int64(i)
	}
	return l.callee.body.run(l.f)
}

// test is at for conditions.
func (l *loop) test(i int, e value.Value) (bool, error) {
	v, err := l.at(i, e)
	if err != nil {
		return false, err
	}
	b, ok := v.(bool)
	if !ok {
		return false, l.callee.bodyAt.errorf("the condition of %s gives %s, expected true or false", l.callee.fn.name, types.Shown(v))
	}
	return b, nil
}
