package schema

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// foreign is a schema that jsonschema checks, because it uses keywords that we
// do not. Its findings are turned into ours, so that both speak alike.
type foreign struct {
	schema  *jsonschema.Schema
	doc     *value.Object // what schema was compiled from
	lib     *Library
	origins map[*value.Object]origin // of the schemas in doc
	secret  bool                     // values at unknown places are secret
}

// address is the name of the one document that jsonschema gets to see.
const address = "memory:///schema.json"

// bundle compiles a schema for jsonschema. Nothing is loaded from files or
// from the network: the document holds all that it refers to.
func bundle(lib *Library, s value.Value, base string) (f *foreign, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("the schema cannot be compiled: %v", fault)
		}
	}()
	p := &plainer{lib: lib, names: make(map[target]string), defs: value.NewObject(4), origins: make(map[*value.Object]origin)}
	doc, err := p.document(s, base)
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.Draft = jsonschema.Draft2020
	c.AssertFormat = true
	c.LoadURL = func(address string) (io.ReadCloser, error) {
		return nil, fmt.Errorf("%s is not part of the project", address)
	}
	if err := c.AddResource(address, bytes.NewReader(value.AppendJSON(nil, doc))); err != nil {
		return nil, fmt.Errorf("the schema cannot be compiled: %w", err)
	}
	compiled, err := c.Compile(address)
	if err != nil {
		return nil, compileFault(err)
	}
	return &foreign{schema: compiled, doc: doc, lib: lib, origins: p.origins, secret: p.hides()}, nil
}

// compileFault tells the innermost reason why jsonschema refused a schema.
func compileFault(err error) error {
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return fmt.Errorf("the schema cannot be compiled: %w", err)
	}
	for len(invalid.Causes) > 0 {
		invalid = invalid.Causes[0]
	}
	at := strings.TrimPrefix(strings.ReplaceAll(invalid.InstanceLocation, "/", "."), ".allOf.0.")
	return fmt.Errorf("the schema is not valid at %s: %s", at, invalid.Message)
}

// explain adds what is wrong with v, and reports whether nothing is.
func (f *foreign) explain(v value.Value, r *report) bool {
	v, err := value.InMemory(v) // jsonschema knows no other lists
	if err != nil {
		panic(err)
	}
	if tooWide(v) {
		r.add(unexplained{"a number in it has too large an exponent"}, v, nil)
		return false
	}
	err = f.schema.Validate(value.ToGo(v))
	if err == nil {
		return true
	}
	var invalid *jsonschema.ValidationError
	if errors.As(err, &invalid) {
		f.translate(invalid, v, r)
	} else {
		r.add(unexplained{"cannot be checked: " + err.Error()}, v, nil)
	}
	return false
}

// translate walks to the keywords that failed, and lets our own check of that
// keyword explain.
func (f *foreign) translate(e *jsonschema.ValidationError, v value.Value, r *report) {
	_, fragment, _ := strings.Cut(e.AbsoluteKeywordLocation, "#")
	steps := pointerSteps(fragment)
	word := keywordOf(steps)
	choice := word == "anyOf" || word == "oneOf"
	if len(e.Causes) > 0 && !choice && word != "minContains" {
		for _, cause := range e.Causes {
			f.translate(cause, v, r)
		}
		return
	}
	instance := pointerSteps(e.InstanceLocation)
	if i := slices.Index(steps, "propertyNames"); i >= 0 && len(instance) > 0 {
		if at, p := follow(v, instance[:len(instance)-1]); f.own(steps[:i+1], "propertyNames", at, p, r) {
			return
		}
	}
	at, p := follow(v, instance)
	if !f.own(steps, word, at, p, r) {
		r.add(unexplained{foreignWords(word)}, at, p)
	}
}

// keywordOf returns the keyword that a schema location leads to.
// dependentRequired is reported by the member and the index below it.
func keywordOf(steps []string) string {
	if n := len(steps); n >= 3 && steps[n-3] == "dependentRequired" {
		return "dependentRequired"
	}
	if len(steps) == 0 {
		return ""
	}
	return steps[len(steps)-1]
}

// own explains the failed keyword by our own check of it, if we have one that
// fails as well.
func (f *foreign) own(steps []string, word string, v value.Value, p *place, r *report) bool {
	below := 1 // steps from the schema to what failed
	if word == "dependentRequired" {
		below = 3
	}
	parent := steps[:max(0, len(steps)-below)]
	schema, _ := follow(f.doc, parent)
	o, _ := schema.(*value.Object)
	from, isKeyword := f.origins[o]
	switch refused, _ := follow(f.doc, steps); {
	case refused != false || isKeyword && (word == "additionalProperties" || word == "const"):
	case word == "unevaluatedProperties" && p != nil:
		r.findings = append(r.findings, finding{check: new(members), value: v, place: p, name: p.name})
		return true
	default:
		r.add(never{}, v, p)
		return true
	}
	if !isKeyword {
		return false
	}
	part := from.schema
	if !from.whole {
		part = keywordOnly(from.schema, word)
	}
	c := &compiler{lib: f.lib, targets: make(map[target]*node)}
	n, err := c.compile(part, from.base)
	if err != nil || c.foreign || n.ok(v) {
		return false
	}
	before := len(r.findings)
	n.explain(v, p, r)
	return len(r.findings) > before
}

// keywordOnly returns a schema of one keyword, with those that it works together with.
func keywordOnly(schema *value.Object, word string) *value.Object {
	part := value.NewObject(3)
	for name, arg := range schema.All() {
		beside := word == "additionalProperties" && (name == "properties" || name == "patternProperties")
		if name == word || beside {
			part.Set(name, arg)
		}
	}
	return part
}

func foreignWords(word string) string {
	switch word {
	case "contains", "minContains":
		return "has too few items that fit what it must contain"
	case "maxContains":
		return "has too many items that fit what it may contain"
	case "unevaluatedProperties":
		return "has members that the schema does not allow"
	case "unevaluatedItems":
		return "has items that the schema does not allow"
	case "anyOf", "oneOf", "not":
		return "fits none of the forms that are allowed here"
	}
	return "does not fit its schema"
}

// unexplained is a fault that we have no check for.
type unexplained struct{ message string }

func (unexplained) ok(value.Value) bool { return false }

func (c unexplained) explain(v value.Value, p *place, r *report) { r.add(c, v, p) }

func (c unexplained) say(finding, voice) (string, string) { return c.message, "" }

// pointerSteps splits a pointer as jsonschema writes it: escaped twice, once
// for the pointer and once for a URL.
func pointerSteps(pointer string) []string {
	if pointer == "" {
		return nil
	}
	var steps []string
	for s := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if plain, err := url.PathUnescape(s); err == nil {
			s = plain
		}
		steps = append(steps, unescapePointer(s))
	}
	return steps
}

// follow walks into v as far as the steps lead. A step that is not there, as
// the name of a member that propertyNames refused, ends the walk.
func follow(v value.Value, steps []string) (value.Value, *place) {
	var p *place
	for _, s := range steps {
		next, names, ok := step(v, s)
		if !ok {
			break
		}
		if names == nil {
			i, _ := strconv.Atoi(s)
			p = p.element(i)
		} else {
			p = p.member(s, slices.Index(names, s))
		}
		v = next
	}
	return v, p
}

// tooWide reports whether v holds a number whose exponent jsonschema would
// write out, or fail on. Numbers that were read by the codec never do.
func tooWide(v value.Value) bool {
	switch v := v.(type) {
	case value.Decimal:
		_, exponent, ok := strings.Cut(strings.ToLower(string(v)), "e")
		return ok && len(strings.TrimLeft(exponent, "+-0")) > 4
	case value.List:
		return slices.ContainsFunc(v, tooWide)
	case *value.Object:
		for _, m := range v.All() {
			if tooWide(m) {
				return true
			}
		}
	}
	return false
}
