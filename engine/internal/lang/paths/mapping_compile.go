package paths

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/dates"
	"github.com/seed627bd532/runner/engine/internal/lang/marker"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// mappingCompiler compiles one entry that is a YAML mapping. The grammar has
// held its shape already; what is checked here is how its keys go together.
type mappingCompiler struct {
	m      *Mapping
	n      *source.Node
	faults *diag.List
}

func (c *mappingCompiler) fault(n *source.Node, hint, format string, args ...any) {
	d := n.Errorf("bad-mapping", format, args...)
	d.Hint = hint
	c.faults.Add(d)
}

func (c *mappingCompiler) compile(over *types.Type) {
	path, header, cookie := c.n.Get("path"), c.n.Get("header"), c.n.Get("cookie")
	switch {
	case path == nil && header == nil && cookie == nil:
		c.fault(c.n, `"@this" is the whole answer`, "the output %s has no path", c.m.Name)
		return
	case header != nil && (path != nil || cookie != nil):
		c.fault(c.n.Key("header"), "make two outputs of it", "the output %s is at a path or in a header, not both", c.m.Name)
		return
	case cookie != nil && path != nil:
		c.fault(c.n.Key("cookie"), "make two outputs of it", "the output %s is at a path or in a cookie, not both", c.m.Name)
		return
	case header != nil:
		c.m.Header = c.beside(header, "header", "write it as the vendor does, such as Location")
	case cookie != nil:
		c.m.Cookie = c.beside(cookie, "cookie", "write it as the vendor does, such as JSESSIONID")
	default:
		c.m.path = Compile(path, over, c.faults)
	}
	if c.m.path == nil {
		return
	}
	c.m.Secret = c.flag("secret")
	c.compileTrim()
	c.compileType()
	c.compileEach()
	c.m.typ = c.typeOf()
	c.compileNulls()
}

// beside returns the name of a header or cookie, which is what, and makes the path that stands
// for it in messages: a text that may be missing.
func (c *mappingCompiler) beside(n *source.Node, what, hint string) string {
	if strings.ContainsAny(n.Text, ":;= ") && !marker.In(n) {
		c.fault(n, hint, "%q is not a name of a %s", n.Text, what)
		return ""
	}
	if n.Kind != source.Scalar || n.Text == "" || marker.In(n) {
		c.fault(n, hint, "%s is the name of a %s", what, what)
		return ""
	}
	c.m.path = &Path{
		text:  what + " " + n.Text,
		place: diag.Place{File: n.File, Pos: n.Pos},
		typ:   types.TextType.OrNull("the vendor may leave the " + what + " out"),
	}
	return n.Text
}

func (c *mappingCompiler) flag(key string) bool {
	n := c.n.Get(key)
	if n == nil {
		return false
	}
	on, ok := n.Literal().(bool)
	if !ok {
		c.fault(n, "", "%s is true or false", key)
	}
	return on
}

func (c *mappingCompiler) compileTrim() {
	n := c.n.Get("trim")
	if n == nil {
		return
	}
	switch n.Literal() {
	case true:
		c.m.trim = strings.TrimSpace
	case "right":
		c.m.trim = trimRight
	case false:
	default:
		c.fault(n, "", "trim is true (both sides) or right")
	}
}

func (c *mappingCompiler) compileType() {
	if n := c.n.Get("type"); n != nil {
		as, known := conversions[n.Text]
		if !known || n.Kind != source.Scalar {
			words := slices.Sorted(maps.Keys(conversions))
			hint := "there are: " + strings.Join(words, ", ")
			if near := diag.Nearest(n.Text, words); near != "" {
				hint = "did you mean " + strconv.Quote(near) + "?"
			}
			c.fault(n, hint, "%q is not a type", n.Text)
			return
		}
		c.m.as = as
		if found := c.m.path.typ; !as.takes(found.Kind) {
			c.fault(n, "", "%s finds %s, which cannot be read as %s", c.m.path.text, found, as)
		}
	}
	n := c.n.Get("format")
	if n == nil {
		return
	}
	instant, isWord := dates.Instants[n.Text]
	if isWord && c.m.as.format != "" {
		c.m.as.notation = instant
		return
	}
	f, err := dates.ParseFormat(n.Text)
	switch {
	case c.m.as.format == "":
		c.fault(n, "add type: date or type: datetime", "a format needs a type that it is the format of")
	case err != nil:
		c.fault(n, "besides there are the formats unix, unix_ms (seconds and milliseconds since 1970) and rfc2822 (Thu, 24 Aug 2023 05:01:45 +0000)", "%v", err)
	case !f.IsDate():
		c.fault(n, "", "the date format %q needs yyyy, MM and dd to read a date", n.Text)
	default:
		c.m.as.notation = f
	}
}

func (c *mappingCompiler) compileEach() {
	n := c.n.Get("each")
	if n == nil {
		return
	}
	t := c.m.path.typ
	if t.Kind != types.List && t.Kind != types.Unknown || c.m.as.kind != types.List && c.m.as.kind != types.Unknown {
		c.fault(c.n.Key("each"), "", "each maps the elements of a list, and %s finds %s", c.m.path.text, t)
		return
	}
	c.m.as = conversions["list"]
	c.m.each = []*Mapping{}
	for _, p := range n.Pairs {
		e := CompileMapping(p.Key.Text, p.Value, c.m.path.elem, c.faults)
		switch {
		case e == nil:
		case e.Header != "":
			c.fault(p.Value.Key("header"), "make an output of its own of it", "a header belongs to the whole answer, and not to an element of %s", c.m.path.text)
		case e.Cookie != "":
			c.fault(p.Value.Key("cookie"), "make an output of its own of it", "a cookie belongs to the whole answer, and not to an element of %s", c.m.path.text)
		default:
			c.m.each = append(c.m.each, e)
		}
	}
}

// typeOf returns the type without regard to null_if and default.
func (c *mappingCompiler) typeOf() *types.Type {
	found := c.m.path.typ
	if c.m.trim != nil && found.Enum != nil {
		trimmed := *found
		trimmed.Enum = nil
		found = &trimmed
	}
	if c.m.as.kind == types.Unknown || c.m.as.kind == found.Kind && c.m.as.format == "" && c.m.each == nil {
		return found
	}
	t := &types.Type{
		Kind:     c.m.as.kind,
		Format:   c.m.as.format,
		Secret:   found.Secret,
		Declared: diag.Place{File: c.n.File, Pos: c.n.Pos, Note: "declared here"},
	}
	switch {
	case c.m.each != nil:
		fields := make([]types.Field, len(c.m.each))
		for i, e := range c.m.each {
			fields[i] = types.Field{Name: e.Name, Type: e.typ}
		}
		t.Elem = types.ObjectOf(fields...)
	case t.Kind == types.List:
		t.Elem = types.AnyType
	case t.Kind == types.Object:
		t.Extra = types.AnyType
	}
	switch {
	case found.Nullable:
		t.Nullable, t.Why = true, found.Why
	case found.Kind == types.Unknown:
		t.Nullable, t.Why = true, "nothing says that the answer has "+c.m.path.text
	}
	return t
}

// compileNulls reads null_if and default, which decide what stands for
// nothing.
func (c *mappingCompiler) compileNulls() {
	if n := c.n.Get("null_if"); n != nil {
		if n.Kind != source.List {
			c.fault(n, `write null_if: [""]`, "null_if is a list of values")
			return
		}
		for _, item := range n.Items {
			c.m.nullIf = append(c.m.nullIf, item.Literal())
		}
		c.m.typ = c.m.typ.OrNull("null_if makes some values null")
	}
	n := c.n.Get("default")
	if n == nil {
		return
	}
	c.m.fallback, c.m.hasFallback = n.Literal(), true
	switch {
	case marker.In(n):
		c.fault(n, "use ?? where the output is used", "a default is a fixed value, without ${{ }}")
	case c.m.fallback == nil:
		c.m.typ = c.m.typ.OrNull("its default is null")
	default:
		c.m.typ = c.m.typ.NotNull()
		if why := c.m.typ.Accepts(types.LiteralType(c.m.fallback)); why != "" {
			c.fault(n, "", "the default does not fit: %s", why)
		} else if c.m.as.format != "" && !isISO(c.m.fallback, c.m.as.format) {
			c.fault(n, "", "the default is not a %s in ISO form", c.m.as.format)
		} else if text, isText := c.m.fallback.(string); isText && c.m.typ.Enum == nil {
			types.WarnOtherWord(n, text, c.faults)
		}
	}
}

func isISO(v value.Value, format string) bool {
	text, _ := v.(string)
	_, err := dates.ReadISO(text)
	return err == nil && (format == "date") == (len(text) == len("yyyy-MM-dd"))
}
