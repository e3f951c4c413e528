package expr

import (
	"fmt"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/dates"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// A kindSet is a set of Kinds.
type kindSet uint16

const (
	number   = kindSet(1<<types.Integer | 1<<types.Decimal)
	scalar   = number | 1<<types.Text | 1<<types.Boolean
	anything = kindSet(1<<(types.Object+1) - 1)
)

func kinds(list ...types.Kind) kindSet {
	var s kindSet
	for _, k := range list {
		s |= 1 << k
	}
	return s
}

func (s kindSet) has(k types.Kind) bool { return s>>k&1 == 1 }

// String lists the kinds: "number", "list or text".
func (s kindSet) String() string {
	var names []string
	if s == anything {
		return "anything"
	}
	if s&number == number {
		names = append(names, "number")
		s &^= number
	}
	for k := types.Boolean; k <= types.Object; k++ {
		if s.has(k) {
			names = append(names, k.String())
		}
	}
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// want reports t when its kind is not among the wanted ones. It returns whether it is.
func (c *compiler) want(t term, set kindSet, null bool, what string) bool {
	c.refuseOmit(t)
	switch {
	case t.typ.Kind == types.Unknown && !fits(t.typ, set):
	case t.typ.Kind == types.Unknown || t.typ.MayOmit:
		return true
	case t.typ.Nullable && !null:
		c.mayBeNull(t, nil)
		return false
	case t.typ.Kind == types.Null || set.has(t.typ.Kind):
		return true
	}
	d := c.mismatch(t.node, "%s needs %s, found %s", what, set, t.typ.NotNull())
	types.Related(d, t.typ)
	return false
}

// fits reports whether all that a value of type t can be is among the kinds; of what
// nothing is known, it is.
func fits(t *types.Type, set kindSet) bool {
	for _, one := range t.Either {
		if !set.has(one.Kind) {
			return false
		}
	}
	return t.Kind == types.Unknown || set.has(t.Kind)
}

func (c *compiler) wantBoolean(t term, what string) {
	c.want(t, kinds(types.Boolean), false, what)
}

func (c *compiler) refuseOmit(t term) {
	if t.typ.MayOmit {
		c.mismatch(t.node, "omit can only be the whole result").Hint = "write x ?? omit as the whole value"
	}
}

// operand applies the null rule to t, an operand, and returns it as not nullable.
func (c *compiler) operand(t term) term {
	c.refuseOmit(t)
	if t.typ.Nullable && t.typ.Kind != types.Unknown && !t.typ.MayOmit {
		c.mayBeNull(t, nil)
		t.typ = t.typ.NotNull()
		if t.typ.Kind == types.Null {
			t.typ = types.AnyType
		}
	}
	return t
}

// comparable reports an equality between types that have no value in common,
// and one with a constant that an enumeration does not have.
func (c *compiler) comparable(n ast.Node, a, b term, op string) {
	c.refuseOmit(a)
	c.refuseOmit(b)
	if !mayEqual(a.typ.Kind, b.typ.Kind) {
		d := c.mismatch(n, "%s compares %s with %s, which are never equal", op, a.typ.NotNull(), b.typ.NotNull())
		switch {
		case isText(a.typ) && number.has(b.typ.Kind):
			d.Hint = "compare decimal(…) of the text, or put the number in quotes"
		case isText(b.typ) && number.has(a.typ.Kind):
			d.Hint = "leave the quotes away, or compare text(…)"
		}
		return
	}
	c.noTime(a, b)
	c.inEnum(a, b)
	c.inEnum(b, a)
	c.neverNull(n, a, b)
	c.neverNull(n, b, a)
}

// neverNull reports that a whole object, such as a step's outputs, is compared with null.
func (c *compiler) neverNull(n ast.Node, t, k term) {
	if t.typ.Kind == types.Unknown || t.typ.Nullable || !k.constant || k.val != nil || t.chain == nil || t.typ.Proven {
		return
	}
	if t.typ.Kind != types.Object {
		types.Related(c.warn(c.spotOf(n), "always-same", t.chain.String()+" is never null"), t.typ)
		return
	}
	types.Related(c.mismatch(n, "%s is an object, and never null", t.chain), t.typ)
}

// inEnum reports a constant that is none of the values of an enumeration.
func (c *compiler) inEnum(t, k term) {
	if n, ok := k.val.(int64); ok && k.constant && t.typ.Most > 0 && (n < t.typ.Least || n > t.typ.Most) {
		c.fault(c.spotOf(k.node), "not-in-enum", fmt.Sprintf("%d is not a value of %s (%d to %d)", n, t.name(), t.typ.Least, t.typ.Most))
		return
	}
	if t.typ.Enum == nil || !k.constant || k.val == nil {
		return
	}
	if types.EnumHas(t.typ.Enum, k.val) || t.typ.IsTime() {
		return
	}
	d := c.fault(c.spotOf(k.node), "not-in-enum",
		fmt.Sprintf("%s is not a value of %s (one of %s)", types.Shown(k.val), t.name(), types.ListValues(t.typ.Enum)))
	types.Related(d, t.typ)
	var names []string
	for _, v := range t.typ.Enum {
		if s, ok := v.(string); ok {
			names = append(names, s)
		}
	}
	if word, ok := k.val.(string); ok {
		if near := diag.Nearest(word, names); near != "" {
			d.Hint = fmt.Sprintf("did you mean %q?", near)
		}
	}
}

// name is what messages call a term.
func (t term) name() string {
	if t.chain != nil {
		return t.chain.String()
	}
	return "this member"
}

// noTime reports a text that is written out, and can never be a datetime that it is compared with.
func (c *compiler) noTime(a, b term) {
	t, k := a, b
	if a.constant {
		t, k = b, a
	}
	text, ok := k.val.(string)
	if !ok || !k.constant || t.constant || t.typ.Kind != types.Text || t.typ.Format != "datetime" {
		return
	}
	if _, err := dates.ReadISO(text); err != nil {
		d := c.mismatch(k.node, "%s is compared with a datetime, and is none", types.Shown(text))
		d.Hint = "write it as 2026-12-31, or 2026-12-31T08:00:00Z"
		types.Related(d, t.typ)
	}
}

func isText(t *types.Type) bool { return t.Kind == types.Text }

func mayEqual(a, b types.Kind) bool {
	return a == types.Unknown || b == types.Unknown || a == types.Null || b == types.Null ||
		a == b || number.has(a) && number.has(b)
}

// secretResult marks a result as secret when a part of what it was computed from is.
// Yes or no is not a secret.
func secretResult(t *types.Type, from ...*types.Type) *types.Type {
	t = types.OrAny(t)
	if t.Kind == types.Boolean || t.Secret {
		return t
	}
	structured := t.Kind == types.List || t.Kind == types.Object
	for _, f := range from {
		if f != nil && (f.Secret || !structured && f.HasSecret()) {
			return t.SecretIf(true)
		}
	}
	return t
}

// isNullKind reports whether v is null or omit, neither of which can be computed with.
func isNullKind(v value.Value) bool { return v == nil || v == types.Omit }
