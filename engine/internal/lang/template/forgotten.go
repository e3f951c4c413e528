package template

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/marker"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/source"
)

// This file finds plain text that was meant as an expression: a name of the scope without a marker around it,
// or with the marker of another language. What decides is whether the name exists in the scope.

// A plainText is text of a scalar outside of its markers.
type plainText struct {
	marker.Piece
	node  *source.Node
	scope *expr.Scope
	// whole says that it is all of the scalar; root, that the scalar is all of the template.
	whole, root bool
}

// languageNames are the names that the language gives. Most are common words: alone, they are plain text.
var languageNames = []string{"body", "call", "config", "env", "error", "headers", "inputs", "item", "operation", "outcome",
	"outputs", "page", "request", "run", "sandbox", "state", "status", "steps", "text"}

// refuse reports what the text reads of the scope, if it does.
func (p plainText) refuse(faults *diag.List) {
	if strings.Contains(p.node.Text, marker.OpenLiteral) {
		return // whoever writes $${{ knows markers
	}
	if p.refuseForeign(faults) || p.whole && p.refuseWhole(faults) {
		return
	}
	found := false
	for _, name := range p.scope.Names {
		eachUseIn(p.Text, name.Name, func(at int, path []string) {
			switch {
			case len(path) == 0:
			case name.Type.Names(path[0]):
				found = true
				p.report(at, name.Name+"."+strings.Join(path, "."), faults)
			case types.OrAny(name.Type).Kind == types.Unknown && !slices.Contains(languageNames, name.Name) && !extension.MatchString(path[0]):
				found = true
				p.report(at, name.Name+"."+strings.Join(path, "."), faults)
				(*faults)[len(*faults)-1].Severity = diag.Warning
			}
		})
	}
	if !found {
		p.refuseCall(faults)
	}
}

// extension is what ends the name of a file, as in order.csv.
var extension = regexp.MustCompile(`^(?:csv|html?|jpe?g|jsonl?|pdf|png|txt|xlsx?|xml|ya?ml|zip)$`)

// refuseWhole reports a text that is an expression from its beginning to its end, or a name.
func (p plainText) refuseWhole(faults *diag.List) bool {
	text := strings.TrimSpace(p.Text)
	if marker.IsName(text) {
		return p.refuseName(text, faults)
	}
	if m := wrapped.FindStringSubmatch(text); m != nil {
		if reads := meant(p.scope, m[2]); reads != "" && !slices.Contains(languageNames, m[2]) {
			p.foreign(0, m[1], reads, false, faults)
			return true
		}
	}
	if !p.mayBeExpression(text) {
		return false
	}
	e := expr.CompileSource(p.node, text, 0, p.scope.Recording(nil), &diag.List{})
	if e == nil {
		return false
	}
	p.report(strings.Index(p.Text, text), text, faults)
	return true
}

// mayBeExpression reports whether a text that is more than a name has a name of the scope or a call in it.
func (p plainText) mayBeExpression(text string) bool {
	if !strings.ContainsAny(text, "?=([.+*|&<>!'") {
		return false // words and nothing else
	}
	found := false
	for _, name := range p.scope.Names {
		eachUseIn(text, name.Name, func(int, []string) { found = true })
	}
	return found || slices.ContainsFunc(calls.FindAllStringSubmatch(text, -1), func(m []string) bool { return p.scope.Callable(m[1]) })
}

// refuseName warns of a text that is the name of a row, of a token, or of another value.
func (p plainText) refuseName(text string, faults *diag.List) bool {
	i := p.scope.Index(text)
	if i < 0 || slices.Contains(languageNames, text) {
		return false
	}
	t := types.OrAny(p.scope.Names[i].Type)
	if structured := t.Kind == types.List || t.Kind == types.Object || t.Members != nil; structured && !p.root {
		return false
	}
	p.report(0, text, faults)
	(*faults)[len(*faults)-1].Severity = diag.Warning
	return true
}

// calls finds what may be a call of a function.
var calls = regexp.MustCompile(`\b([A-Za-z]\w*)\(`)

// refuseCall reports the first call in the text that can be evaluated as it stands.
func (p plainText) refuseCall(faults *diag.List) {
	for _, at := range calls.FindAllStringSubmatchIndex(p.Text, -1) {
		if !p.scope.Callable(p.Text[at[2]:at[3]]) {
			continue
		}
		for end := at[1]; end < len(p.Text) && end-at[0] < longestCall; end++ {
			call := p.Text[at[0] : end+1]
			if p.Text[end] != ')' || strings.HasSuffix(call, "()") {
				continue
			}
			if e := expr.CompileSource(p.node, call, 0, p.scope.Recording(nil), &diag.List{}); e != nil {
				p.report(at[0], call, faults)
				return
			}
		}
	}
}

// longestCall is how far the end of a call inside a text is looked for.
const longestCall = 300

// report reports the expression that stands at a byte of the text without a marker. In prose it may be meant as it stands.
func (p plainText) report(at int, expression string, faults *diag.List) {
	d := p.node.ErrorAt(p.At+utf8.RuneCountInString(p.Text[:at]), "no-marker", "%s has no ${{ }} around it: it is plain text here", types.Excerpt(expression))
	d.Hint = "write ${{ " + types.Excerpt(expression) + " }} for the value"
	if !strings.Contains(expression, "'") {
		d.Hint += ", or ${{ '" + types.Excerpt(expression) + "' }} for the characters themselves"
	}
	if (!p.whole || strings.TrimSpace(p.Text) != expression) && p.isProse() {
		d.Severity = diag.Warning
	}
	faults.Add(d)
}

// isProse reports whether the scalar has several words outside of its markers.
func (p plainText) isProse() bool {
	words := 0
	pieces, _ := marker.Split(p.node.Text)
	for _, piece := range pieces {
		if !piece.IsExpr {
			words += len(strings.Fields(piece.Text))
		}
	}
	return words >= 3
}

const aName = `[A-Za-z_]\w*`

var (
	// lookalike is what other languages write for a marker.
	lookalike = regexp.MustCompile(`(\$\{|\{\{|\$\(|\$\[|%\{|#\{|@\{|@\(|\[\[|<%[=-]?)\s*[.$]?(` + aName + `)\s*(\??\.|[})\]>%|(\[?:]|$)`)
	// wrapped is a text of one name with a sign of another language before it, and perhaps one behind it.
	wrapped = regexp.MustCompile(`^([$:@<%{#=]+)\s*(` + aName + `)\s*[>%})]*$`)
)

// refuseForeign reports text that reads a name of the scope by the marker of another language.
func (p plainText) refuseForeign(faults *diag.List) bool {
	if !strings.ContainsAny(p.Text, "{([<") {
		return false
	}
	found := false
	for _, at := range lookalike.FindAllStringSubmatchIndex(p.Text, -1) {
		opener, name, next := p.Text[at[2]:at[3]], p.Text[at[4]:at[5]], p.Text[at[6]:at[7]]
		reads := name
		switch {
		case next == "(":
			if !p.scope.Callable(name) {
				continue
			}
		case p.scope.Index(name) < 0:
			if reads = meant(p.scope, name); reads == "" || next == "." || next == "?." {
				continue
			}
		}
		found = true
		p.foreign(at[2], opener, reads, reads != name && p.isProse(), faults)
	}
	return found
}

func (p plainText) foreign(at int, opener, reads string, unsure bool, faults *diag.List) {
	d := p.node.ErrorAt(p.At+utf8.RuneCountInString(p.Text[:at]), "no-marker", "%s begins no marker: this would be sent as it stands", opener)
	d.Hint = "write ${{ … }} for an expression, or ${{ '" + opener + "' }} for the characters themselves"
	if strings.Contains(reads, ".") {
		d.Hint = "write ${{ " + reads + " }}, or ${{ '" + opener + "' }} for the characters themselves"
	}
	if unsure {
		d.Severity = diag.Warning
	}
	faults.Add(d)
}

// meant returns what a name stands for in the scope: itself, or a member of what a file declares or goes through; "" for nothing.
func meant(s *expr.Scope, name string) string {
	if s.Index(name) >= 0 {
		return name
	}
	for _, n := range s.Names {
		if n.Name != "inputs" && n.Name != "config" && slices.Contains(languageNames, n.Name) {
			continue
		}
		if n.Type.Names(name) {
			return n.Name + "." + name
		}
	}
	return ""
}
