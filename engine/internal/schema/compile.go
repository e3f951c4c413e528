package schema

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// A CompileError says what a schema itself does wrong.
type CompileError struct {
	// Pointer leads to the fault inside the schema that was compiled (RFC 6901).
	// For a fault in a schema that is referred to, it leads to the reference.
	Pointer string
	Message string
	// Err is the cause; may be nil.
	Err error
	in  *target // for a fault in a schema that is referred to, where that stands
}

// Origin returns where the fault is when the schema that was compiled only
// refers to it: the document, a pointer in it, and the message without the way there.
func (e *CompileError) Origin() (file, pointer, message string, ok bool) {
	for inner := e; inner.in != nil; ok = true {
		t := inner.in
		if !errors.As(inner.Err, &inner) {
			break
		}
		below := inner.Pointer
		if t.pointer == "/inputs" || t.pointer == "/config" {
			below = strings.TrimPrefix(below, "/properties") // of the object schema that the map stands for
		}
		file, pointer, message = t.base, t.pointer+below, inner.Message
	}
	return file, pointer, message, ok
}

// Unwrap returns the cause.
func (e *CompileError) Unwrap() error { return e.Err }

func (e *CompileError) Error() string {
	if e.Pointer == "" {
		return e.Message
	}
	return strings.ReplaceAll(e.Pointer[1:], "/", ".") + ": " + e.Message
}

// A compiler turns a schema, and all that it refers to, into nodes.
type compiler struct {
	lib     *Library
	targets map[target]*node
	nodes   []*node
	// foreign is set when the schema uses a keyword that only jsonschema knows.
	foreign bool
}

func (c *compiler) compile(s value.Value, base string) (*node, error) {
	n, err := c.schema(s, base, "")
	if err == nil && c.endless() {
		err = &CompileError{Message: "the schema refers to itself without end"}
	}
	return n, err
}

func faultAt(at, format string, args ...any) error {
	return &CompileError{Pointer: at, Message: fmt.Sprintf(format, args...)}
}

// schema compiles s, which stands in document base, at the place at of the
// schema that Compile was given.
func (c *compiler) schema(s value.Value, base, at string) (*node, error) {
	n := new(node)
	c.nodes = append(c.nodes, n)
	return n, c.fill(n, s, base, at)
}

func (c *compiler) fill(n *node, s value.Value, base, at string) error {
	switch s := s.(type) {
	case bool:
		if !s {
			n.checks = []check{never{}}
		}
		return nil
	case *value.Object:
		k := keywords{c, s, base, at}
		n.secret = s.At("secret") == true
		n.nullable = s.At("nullable") == true
		for word, arg := range s.All() {
			found, err := k.check(word, arg)
			if err != nil {
				return err
			}
			if _, isType := found.(*typeCheck); isType {
				n.checks = slices.Insert(n.checks, 0, found)
			} else if found != nil {
				n.checks = append(n.checks, found)
			}
		}
		return nil
	}
	return faultAt(at, "a schema is a mapping, found %s", voice{file: true}.found(s))
}

// reference compiles what a $ref leads to, once.
func (c *compiler) reference(base, ref, at string) (*node, error) {
	t, err := locate(base, ref)
	if err != nil {
		return nil, faultAt(at, "%s", err)
	}
	if n, ok := c.targets[t]; ok {
		return n, nil
	}
	s, err := c.lib.find(t)
	if err != nil {
		return nil, &CompileError{Pointer: at, Message: err.Error(), Err: err}
	}
	n := new(node)
	c.nodes = append(c.nodes, n)
	c.targets[t] = n
	var inner *CompileError
	if err := c.fill(n, s, t.base, ""); errors.As(err, &inner) {
		return nil, &CompileError{Pointer: at, Message: fmt.Sprintf("in %s: %s", t, inner), Err: inner, in: &t}
	}
	return n, nil
}

// endless reports whether a value could be held against the same schema for
// ever, because references lead round in a circle without going deeper.
func (c *compiler) endless() bool {
	const open, done = 1, 2
	state := make(map[*node]int)
	var circle func(n *node) bool
	circle = func(n *node) bool {
		switch state[n] {
		case open:
			return true
		case done:
			return false
		}
		state[n] = open
		for _, k := range n.checks {
			if k, ok := k.(nest); ok && slices.ContainsFunc(k.inPlace(), circle) {
				return true
			}
		}
		state[n] = done
		return false
	}
	return slices.ContainsFunc(c.nodes, circle)
}

// keywords compiles the keywords of one schema object.
type keywords struct {
	*compiler
	object *value.Object
	base   string
	at     string
}

// check returns the check of one keyword; nil where there is nothing to check,
// or where another keyword's check does it.
func (k keywords) check(word string, arg value.Value) (check, error) {
	at := k.at + "/" + escapePointer(word)
	switch word {
	case "type":
		return k.types(arg, at)
	case "enum", "const":
		return k.enum(word, arg, at)
	case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum":
		if !value.IsNumber(arg) {
			return nil, faultAt(at, "expected a number")
		}
		return &bound{limit: arg, above: strings.HasSuffix(word, "inimum"), exclusive: strings.HasPrefix(word, "exclusive")}, nil
	case "multipleOf":
		if !positive(arg) {
			return nil, faultAt(at, "expected a number above 0")
		}
		return &multipleOf{arg}, nil
	case "minLength", "maxLength":
		n, err := k.size(arg, at)
		return &length{n, word == "minLength"}, err
	case "minItems", "maxItems", "minProperties", "maxProperties":
		n, err := k.size(arg, at)
		return &size{n, strings.HasPrefix(word, "min"), strings.HasSuffix(word, "Items")}, err
	case "pattern":
		return k.pattern(arg, at)
	case "format":
		name, _ := arg.(string)
		if jsonschema.Formats[name] == nil {
			return nil, nil // an unknown format is a remark, as the standard has it
		}
		return &format{name}, nil
	case "uniqueItems":
		if arg != true {
			return nil, nil
		}
		return unique{}, nil
	case "required":
		names, err := k.strings(arg, at)
		return &required{names}, err
	case "dependentRequired":
		return k.dependent(arg, at)
	case "propertyNames":
		n, err := k.schema(arg, k.base, at)
		return &names{n}, err
	case "properties", "patternProperties", "additionalProperties":
		return k.members(word)
	case "prefixItems", "items":
		return k.items(word)
	case "$ref":
		ref, ok := arg.(string)
		if !ok {
			return nil, faultAt(at, "expected text")
		}
		n, err := k.reference(k.base, ref, at)
		return &all{[]*node{n}}, err
	case "allOf", "anyOf", "oneOf":
		return k.combination(word, arg, at)
	case "not":
		n, err := k.schema(arg, k.base, at)
		return &not{all{[]*node{n}}}, err
	case "$dynamicRef", "$recursiveRef":
		return nil, faultAt(at, "%s is not supported: use $ref", word)
	}
	k.foreign = k.foreign || isForeign(word)
	return nil, nil
}

// isForeign reports whether only jsonschema can check a keyword.
func isForeign(word string) bool {
	switch word {
	case "if", "then", "else", "contains", "minContains", "maxContains", "dependentSchemas",
		"unevaluatedProperties", "unevaluatedItems":
		return true
	}
	return false
}

func positive(v value.Value) bool {
	if !value.IsNumber(v) {
		return false
	}
	order, err := value.Compare(v, int64(0))
	return err == nil && order > 0
}

func (k keywords) types(arg value.Value, at string) (check, error) {
	words, isList := arg.(value.List)
	if !isList {
		words = value.List{arg}
	}
	c := new(typeCheck)
	for _, w := range words {
		word, ok := w.(string)
		if !ok {
			return nil, faultAt(at, "expected the name of a type")
		}
		kind := kindOf(word)
		if kind == 0 {
			return nil, faultAt(at, "there is no type %q (there are %s)%s", word,
				strings.Join(typeWords(), ", "), after("; ", didYouMean(word, typeWords())))
		}
		c.want |= kind
	}
	return c, nil
}

func (k keywords) enum(word string, arg value.Value, at string) (check, error) {
	if word == "const" {
		return &enum{value.List{arg}}, nil
	}
	values, ok := arg.(value.List)
	if !ok || len(values) == 0 {
		return nil, faultAt(at, "expected a list of the values that are possible")
	}
	return &enum{values}, nil
}

func (k keywords) size(arg value.Value, at string) (int, error) {
	if value.IsNumber(arg) {
		if n, ok := value.IsInteger(arg); ok {
			if n, ok := n.(int64); ok && n >= 0 {
				return int(n), nil
			}
		}
	}
	return 0, faultAt(at, "expected a whole number, 0 or more")
}

func (k keywords) strings(arg value.Value, at string) ([]string, error) {
	l, ok := arg.(value.List)
	if !ok {
		return nil, faultAt(at, "expected a list of names")
	}
	out := make([]string, len(l))
	for i, item := range l {
		if out[i], ok = item.(string); !ok {
			return nil, faultAt(at+"/"+strconv.Itoa(i), "expected a name, found %s", voice{file: true}.found(item))
		}
	}
	return out, nil
}

func (k keywords) pattern(arg value.Value, at string) (check, error) {
	s, ok := arg.(string)
	if !ok {
		return nil, faultAt(at, "expected text")
	}
	re, err := k.lib.pattern(s)
	if err != nil {
		return nil, faultAt(at, "%s", err)
	}
	if re == nil {
		return nil, nil
	}
	why, _ := k.object.At("patternErrorMessage").(string)
	return &pattern{re, s, why}, nil
}

func (k keywords) dependent(arg value.Value, at string) (check, error) {
	o, ok := arg.(*value.Object)
	if !ok {
		return nil, faultAt(at, "expected a mapping of name to names")
	}
	c := new(dependent)
	for name, needs := range o.All() {
		words, err := k.strings(needs, at+"/"+escapePointer(name))
		if err != nil {
			return nil, err
		}
		c.names = append(c.names, name)
		c.needs = append(c.needs, words)
	}
	return c, nil
}
