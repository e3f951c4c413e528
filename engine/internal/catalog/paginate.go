package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/paths"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/page"
)

// defaultMaxPages bounds a listing that does not say otherwise.
const defaultMaxPages = 10_000

// Paging says that the vendor hands out a listing page by page, and how one
// gets from page to page.
type Paging struct {
	Kind  page.Kind
	First page.Page
	// Size is what page.size is in the request; 0 where there is no such name.
	Size int64
	// Items is the output that lists the elements of a page.
	Items string
	// Next tells the way to the next page; nil for kinds that do not follow.
	Next *NextPage
	// Stop is true of the last page, over StopVars; nil where nothing says so.
	Stop *expr.Expr
	// MaxPages is how many pages a listing has at most; at least 1.
	MaxPages int
}

// A NextPage is where an answer says what the next page is: in its body, or in a header.
type NextPage struct {
	// Path leads there in the whole answer; nil when it is in Header.
	Path *paths.Path
	// Header is its name. Of a Link header the link to the next page counts.
	Header string
}

// IsLinkHeader reports whether the next page is in a header as RFC 8288 has it.
func (n *NextPage) IsLinkHeader() bool { return strings.EqualFold(n.Header, "Link") }

// String names the place as the vendor file does.
func (n *NextPage) String() string {
	if n.Path != nil {
		return n.Path.Text()
	}
	return "header " + n.Header
}

// Vars completes RequestVars for the request of a page.
func (p *Paging) Vars(request expr.Vars, at page.Page) expr.Vars {
	names := value.NewObject(2)
	if name := p.Kind.Variable(); name != "" {
		names.Set(name, at.Value)
	}
	if p.Size > 0 {
		names.Set("size", p.Size)
	}
	return append(request[:len(request):len(request)], names)
}

// paging reads what paginate says of requests, and returns the type of page; n
// may be nil.
func (d *decoder) paging(n *source.Node, effect flow.Effect) (*Paging, *types.Type) {
	if n == nil {
		return nil, nil
	}
	kinds := page.Builtin()
	before := len(*d.faults)
	p := &Paging{Kind: kinds[n.Get("by").Text], MaxPages: defaultMaxPages}
	if p.Kind == nil {
		d.faults.Add(n.Get("by").Errorf("unknown-paging", "no way of paging is called %s", n.Get("by").Text).
			WithHint(DidYouMean(n.Get("by").Text, slices.Sorted(maps.Keys(kinds)))))
		return nil, types.AnyType
	}
	if effect != flow.Read {
		d.faults.Add(n.Get("by").Errorf("paginate-without-read", "only a read is paged, and this operation has effect %s", effect).
			WithHint("each page is another request: one that changes something would do so once a page"))
	}
	p.Items = n.Get("items").Text
	start := n.Get("start")
	var text string
	if start != nil {
		text = start.Text
	}
	var misplaced error
	if p.First, misplaced = p.Kind.First(text); misplaced != nil {
		d.faults.Add(start.Errorf("wrong-value", "start: %v", misplaced))
	}
	if size := n.Get("size"); size != nil {
		p.Size, _ = size.Literal().(int64)
		if p.Size < 1 {
			d.faults.Add(size.Errorf("wrong-value", "size: expected at least 1 element on a page, found %s", size.Text))
			p.Size = 1 // so that page.size is known
		}
	}
	if most := n.Get("max_pages"); most != nil {
		pages, _ := most.Literal().(int64)
		if p.MaxPages = int(pages); pages < 1 {
			d.faults.Add(most.Errorf("wrong-value", "max_pages: expected at least 1 page, found %s", most.Text))
		}
	}
	if misplaced != nil || len(*d.faults) > before {
		return p, types.AnyType // what is wrong with it is reported
	}
	return p, p.typeOf()
}

// typeOf returns the type of page.
func (p *Paging) typeOf() *types.Type {
	var fields []types.Field
	if name := p.Kind.Variable(); name != "" {
		t := types.TextType
		switch p.First.Value.(type) {
		case int64:
			t = types.IntegerType
		case nil:
			t = types.TextType.OrNull("the first page has none")
		}
		fields = append(fields, types.Field{Name: name, Type: t})
	}
	if p.Size > 0 {
		fields = append(fields, types.Field{Name: "size", Type: types.IntegerType})
	}
	return types.ObjectOf(fields...)
}

// usesPage holds that the request, which alone was compiled so far, uses the members of page that n declares: the vendor would
// hand out the same page for ever. Where there were faults since before, what is broken may be what uses them.
func (d *decoder) usesPage(n *source.Node, p *Paging, before int) {
	if p == nil || p.Kind == nil || diag.List((*d.faults)[before:]).HasErrors() {
		return
	}
	unused := func(at *source.Node, member, what string) {
		if !d.reads.Reads("page", member) {
			d.faults.Add(at.Errorf("page-unused", "the request does not say %s: it never uses page.%s", what, member).
				WithHint(fmt.Sprintf("write ${{ page.%s }} where the vendor wants it, such as a query parameter", member)))
		}
	}
	if size := n.Get("size"); size != nil {
		unused(size, "size", "how many elements a page is to have")
	}
	if name := p.Kind.Variable(); name != "" {
		unused(n.Get("by"), name, "which page it asks for")
	}
}

// mentions reports whether text stands in a scalar, or in a key, of n.
func mentions(n *source.Node, text string) bool {
	if n == nil {
		return false
	}
	if n.Kind == source.Scalar && strings.Contains(n.Text, text) {
		return true
	}
	for _, item := range n.Items {
		if mentions(item, text) {
			return true
		}
	}
	for _, pair := range n.Pairs {
		if mentions(pair.Key, text) || mentions(pair.Value, text) {
			return true
		}
	}
	return false
}

// pages reads what paginate says of answers. r is the operation's response, and answer the
// scope of its conditions.
func (d *decoder) pages(operation *source.Node, op *Operation, r *Response, answer *expr.Scope) {
	p, n := op.Paging, operation.Get("paginate")
	if p == nil {
		return
	}
	if op.Batch != nil {
		d.faults.Add(operation.Key("paginate").Errorf("conflicting-keys", "an operation either sends many rows (rows) or hands them out page by page (paginate), not both"))
	}
	whole := r.whole()
	answer = answer.Retyped("body", whole)
	d.pageItems(n.Get("items"), operation.Get("response").Get("outputs"), r)
	if next := n.Get("next"); next == nil && p.Kind.Follows() {
		d.faults.Add(n.Get("by").Errorf("next-missing", "paging by %s follows what each answer says of the next page, and nothing says where that is", n.Get("by").Text).
			WithHint("write next: and its path in the answer, or the name of a header as in next: {header: " + exampleHeader(p.Kind) + "}"))
	} else if next != nil && !p.Kind.Follows() {
		d.faults.Add(n.Key("next").Errorf("next-unused", "paging by %s counts, and does not look for what an answer says of the next page", n.Get("by").Text).
			WithHint("leave next out, or page by cursor or link"))
	} else if next != nil {
		p.Next = d.nextPage(next, p.Kind, whole)
		d.nextDescribed(next, p.Next, n, r)
	}
	if stop := n.Get("stop"); stop != nil {
		p.Stop = expr.Compile(stop, r.answered(answer, types.TextType), d.faults)
		if p.Stop != nil && !yesOrNo(p.Stop.Type()) {
			d.faults.Add(stop.Errorf("wrong-type", "stop must be true or false, found %s", p.Stop.Type()).WithHint(nullHint(p.Stop.Type())))
		}
		d.tellsAnswers(stop, p.Stop, "outputs", "outcome")
	}
}

// nextDescribed warns of a path to the next page that no schema describes: nothing but stop would tell a
// misspelt one from the end of the listing.
func (d *decoder) nextDescribed(n *source.Node, next *NextPage, paginate *source.Node, r *Response) {
	if r.Schema == nil || paginate.Get("stop") != nil || next.Path == nil || !next.Path.IsWalk() || !isUnknown(next.Path.Type()) {
		return
	}
	d.faults.Add(n.Warnf("unchecked-list", "the schema says nothing of %s: if it is misspelt, the listing ends with its first page", next.Path.Text()).
		WithHint(`add stop, or let the schema describe the whole answer (data: "@this")`))
}

// whole returns the type of the whole answer, as far as the schema tells.
func (r *Response) whole() *types.Type {
	switch {
	case r.Over == nil:
		return types.AnyType
	case r.Data != nil:
		return r.Data.Around(r.Over)
	}
	return r.Over
}

// listChecked warns of a list, which what makes known, that nothing tells from an error.
func (d *decoder) listChecked(at *source.Node, what string, r *Response) {
	if r.Schema == nil {
		d.faults.Add(at.Warnf("unchecked-list", "%s cannot be told from an error without a schema", what).
			WithHint("add response.schema, and let it require what every answer has"))
	}
}

func isUnknown(t *types.Type) bool { return t == nil || t.Kind == types.Unknown }

// exampleHeader is a header that pages of the kind come with.
func exampleHeader(kind page.Kind) string {
	if kind.Variable() == "" {
		return "Link"
	}
	return "X-Next-Page"
}

// yesOrNo reports whether t is a boolean for sure, or nothing is known of it.
func yesOrNo(t *types.Type) bool {
	return t == nil || t.Kind == types.Unknown || t.Kind == types.Boolean && !t.Nullable
}

// pageItems holds that items names an output that is a list. An output that is declared
// and could not be compiled has its own fault.
func (d *decoder) pageItems(items, declared *source.Node, r *Response) {
	var names []string
	for _, m := range r.OutputsType.Fields {
		names = append(names, m.Name)
		if m.Name != items.Text {
			continue
		}
		if t := m.Type; !isUnknown(t) && t.Kind != types.List {
			f := items.Errorf("wrong-type", "the elements of the pages make one list, and the output %s is %s", m.Name, t)
			f.Related = []diag.Place{m.Type.Declared}
			d.faults.Add(f)
			return
		}
		d.itemsChecked(items, r)
		return
	}
	if declared.Get(items.Text) != nil {
		return
	}
	d.faults.Add(items.Errorf("unknown-output", "no output %s in this operation", items.Text).WithHint(DidYouMean(items.Text, names)))
}

// itemsChecked warns of a listing whose elements no schema describes.
func (d *decoder) itemsChecked(items *source.Node, r *Response) {
	for _, m := range r.Outputs {
		if m.Name == items.Text && m.InBody() && r.Schema != nil && m.Path().IsWalk() && isUnknown(m.Path().Type()) {
			d.faults.Add(items.Warnf("unchecked-list", "the schema says nothing of %s: the list cannot be told from an error", m.Path().Text()).
				WithHint("let the schema require it"))
			return
		}
	}
	d.listChecked(items, "the list", r)
}

func (d *decoder) nextPage(n *source.Node, kind page.Kind, whole *types.Type) *NextPage {
	if n.Kind != source.Mapping {
		return &NextPage{Path: d.textPath(n, whole, "the next page is named by a text or a number")}
	}
	header := n.Get("header")
	next := &NextPage{Header: header.Text}
	if err := CheckHeaderName(header.Text); err != nil {
		d.faults.Add(header.Errorf("wrong-value", "%v", err))
	}
	if next.IsLinkHeader() && kind.Variable() != "" {
		d.faults.Add(header.Errorf("link-header", "a Link header holds the address of the next page, and no %s", kind.Variable()).
			WithHint("page by link"))
	}
	return next
}

// hintAtPaging explains an unknown name page in the faults of op from before on.
func (d *decoder) hintAtPaging(op *Operation, before int) {
	if op.Paging != nil {
		return
	}
	for _, f := range (*d.faults)[before:] {
		if f.Message == `unknown name "page"` {
			f.Hint = "page is known in operations that have paginate"
		}
	}
}
