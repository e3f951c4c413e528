// Package expr compiles expressions, checked against the types of the names that they read, and evaluates them.
// It uses the lexer, parser and tree of the library expr, and no other part of it.
package expr

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/marker"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// An Expr is a compiled, type-checked expression. It never changes and is safe
// for concurrent use.
type Expr struct {
	typ   *types.Type
	text  string
	place diag.Place
	start spot
	run   code
	// path is set for a bare member chain, which needs no frame.
	path  *chain
	slots int
	reads map[string]bool
	// needs are the comparisons with constants all of which must hold where the expression is true.
	needs []test
	// passed are the texts that the expression passes on.
	passed []passed
	// whenTrue and whenFalse are what is known where a condition gives that.
	whenTrue, whenFalse []Fact
}

// IsChain reports whether the expression is nothing but a name or a chain of members: steps.lookup?.outputs.id.
func (e *Expr) IsChain() bool { return e.path != nil }

// LastMember returns the last member of a chain and the type that it is read from: id and the type of the
// outputs for steps.lookup.outputs.id. For all other expressions, and for a bare name, ok is false.
func (e *Expr) LastMember() (name string, of *types.Type, ok bool) {
	if e.path == nil || len(e.path.links) == 0 {
		return "", nil, false
	}
	last := e.path.links[len(e.path.links)-1]
	return last.name, last.of, true
}

// Wrap returns err as a diagnostic at the place where the expression begins; a diagnostic stays as it is.
func (e *Expr) Wrap(err error) error { return e.start.wrap(err) }

// Compile compiles a scalar that holds an expression, with or without the
// ${{ }} marker around it (keys such as if, until, key). It reports every fault it finds
// at its own rune in the file, and returns nil when there was one.
func Compile(n *source.Node, s *Scope, faults *diag.List) *Expr {
	if n == nil || n.Kind != source.Scalar {
		if n != nil {
			faults.Add(n.Errorf("expr-syntax", "expected an expression, found a list or mapping"))
		}
		return nil
	}
	text, at := bare(n)
	e := CompileSource(n, text, at, s, faults)
	if e != nil && e.typ.MayOmit {
		faults.Add(e.start.fault("type-mismatch", "omit can only be the value of a member, a query parameter or a header"))
		return nil
	}
	return e
}

// bare returns the expression of a scalar without the ${{ }} around it, and the rune at which it begins.
func bare(n *source.Node) (text string, at int) {
	text = n.Text
	if trimmed := strings.TrimSpace(text); strings.HasPrefix(trimmed, marker.Open) && strings.HasSuffix(trimmed, marker.Close) {
		start := strings.Index(text, marker.Open) + len(marker.Open)
		end := strings.LastIndex(text, marker.Close)
		if start <= end {
			return text[start:end], utf8.RuneCountInString(text[:start])
		}
	}
	return text, 0
}

// CompileSource compiles the expression text, which starts at the given rune
// of n's Text. Templates compile their holes with it.
func CompileSource(n *source.Node, text string, at int, s *Scope, faults *diag.List) *Expr {
	blank := len(text) - len(strings.TrimLeft(text, " \t\r\n"))
	at += blank // one rune each
	text = strings.TrimSpace(text)
	c := &compiler{src: n, text: text, at: at, scope: s, faults: faults}
	start := c.spot(0)
	switch {
	case text == "":
		c.fault(start, "expr-syntax", "an expression is missing")
		return nil
	case len(text) > marker.LongestExpr:
		c.fault(start, "expr-syntax", fmt.Sprintf("the expression is longer than %d bytes", marker.LongestExpr))
		return nil
	}
	root := c.parse()
	if root == nil {
		return nil
	}
	t := c.term(root)
	if c.failed {
		return nil
	}
	if s.reads != nil {
		s.reads.record(root)
	}
	e := &Expr{
		typ:   t.typ,
		text:  text,
		place: diag.Place{File: n.File, Pos: start.pos()},
		start: start,
		run:   t.run,
		slots: c.slots,
		reads: c.reads,
		needs: c.tests(root, true),
	}
	e.passed = (&passing{c: c, locals: map[string][]passed{}}).of(root)
	if t.typ.Kind == types.Boolean {
		e.whenTrue, e.whenFalse = c.proven(root, true), c.proven(root, false)
	}
	if t.chain != nil && t.chain.local < 0 {
		e.path = t.chain
	}
	return e
}

// Type returns what the expression yields.
func (e *Expr) Type() *types.Type { return e.typ }

// facts returns what is known of the names of the scope where the expression gives truth.
func (e *Expr) facts(truth bool) []Fact {
	facts := e.whenFalse
	if truth {
		facts = e.whenTrue
	}
	return slices.DeleteFunc(slices.Clone(facts), func(f Fact) bool { return f.Path[0][0] == '#' })
}

// Place returns where the expression stands.
func (e *Expr) Place() diag.Place { return e.place }

// Text returns the expression as written, without marker.
func (e *Expr) Text() string { return e.text }

// Member returns the name of the member of name that is all of the expression: rows for inputs.rows.
func (e *Expr) Member(of string) (name string, ok bool) {
	if e.path == nil || e.path.name != of || len(e.path.links) != 1 {
		return "", false
	}
	return e.path.links[0].name, true
}

// Reads reports whether the expression reads one of these names of its scope; without
// names, whether it reads any, or a function that only its scope has.
func (e *Expr) Reads(names ...string) bool {
	if len(names) == 0 {
		return len(e.reads) > 0
	}
	return slices.ContainsFunc(names, func(name string) bool { return e.reads[name] })
}

// Needs yields what must be where the condition is true: a member chain, as it is written, and the values one of
// which it has, as in x.state == 'open' and y in ['a', 'b'].
func (e *Expr) Needs() iter.Seq2[string, []value.Value] {
	return func(yield func(string, []value.Value) bool) {
		for _, t := range e.needs {
			if (t.op == "==" || t.op == "in") && !yield(t.of, t.values) {
				return
			}
		}
	}
}

// Eval computes the value. Expressions are pure: the same vars give the same
// value. The error is a *diag.Diagnostic at the rune that failed; one that runs
// away (too many steps, too much text) ends with an error, soon and always at the same step.
func (e *Expr) Eval(vars Vars) (value.Value, error) {
	if e.path != nil {
		return e.path.walk(e.path.rootOf(vars))
	}
	f := newFrame(vars, e.slots)
	defer f.release()
	v, err := e.run(f)
	if err != nil {
		return nil, e.start.wrap(err)
	}
	return v, nil
}

// Bool is Eval for conditions; a result that is not a boolean is an error.
func (e *Expr) Bool(vars Vars) (bool, error) {
	v, err := e.Eval(vars)
	if err != nil {
		return false, err
	}
	b, ok := v.(bool)
	if !ok {
		return false, e.start.errorf("the condition gives %s, expected true or false", types.Shown(v))
	}
	return b, nil
}

// A spot is a rune of a scalar, whose place in the file is found when needed.
type spot struct {
	src *source.Node
	at  int
}

func (s spot) pos() diag.Pos { return s.src.At(s.at) }

func (s spot) fault(code, message string) *diag.Diagnostic {
	return &diag.Diagnostic{File: s.src.File, Pos: s.pos(), Code: code, Message: message}
}

// errorf returns an error of evaluation at s.
func (s spot) errorf(format string, args ...any) *diag.Diagnostic {
	return s.fault("eval-error", fmt.Sprintf(format, args...))
}

// wrap gives err the place s, unless it has one.
func (s spot) wrap(err error) error {
	if d, ok := errors.AsType[*diag.Diagnostic](err); ok {
		return d
	}
	d := s.fault("eval-error", err.Error())
	d.Err = err
	return d
}
