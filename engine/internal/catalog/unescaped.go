package catalog

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/template"
)

// A value that stands in a text of another language (XML, JSON, a filter, the query of an address) is read as a
// part of that language: a & or a quote in it breaks the request, or makes another one of it.

var (
	tag       = regexp.MustCompile(`</?[A-Za-z_][\w.:-]*[\s/>]|<[?!]`)
	tagInside = regexp.MustCompile(`['"][^'"]*</?[A-Za-z_]`) // in the source of an expression
	// beforeQuote is what stands before a quoted value in filters, SQL, GraphQL and JSON.
	beforeQuote = regexp.MustCompile(`(?i)(?:\b(?:eq|ne|gt|ge|lt|le|like|in|is|contains|startswith|endswith|substringof)|[=<>(,~])\s*$`)
	beforeJSON  = regexp.MustCompile(`[:\[,]\s*$`)
	bracesOf    = regexp.MustCompile(`[{\[]`)
	// beforeField is what stands before a value in a form or in the query of an address.
	beforeField = regexp.MustCompile(`(?:^|[?&])[\w.$%\[\]-]+=$`)
)

// unescaped warns of values that stand as they are in a text of another language.
func (d *decoder) unescaped(r *Request) {
	for _, t := range []*template.Template{r.Query, r.Body, r.URL} {
		if t == nil {
			continue
		}
		t.EachText(func(parts []template.Piece) {
			isXML := t == r.Body && ofXML(parts)
			for i, p := range parts {
				if p.Expr == nil {
					continue
				}
				switch {
				case isXML:
					d.escaped(p.Expr, "XML", "write xml(…) around it", "xml", "base64", "digest")
				case isQuoted(parts, i):
					d.escaped(p.Expr, "a text in quotes", "write replace(…) around it, as the vendor wants quotes to be written, or send it beside the text, such as in a member of its own",
						"replace", "base64", "digest", "xml")
				case (t == r.URL || r.As == "text") && i > 0 && beforeField.MatchString(lastLine(parts[i-1].Text)):
					d.escaped(p.Expr, "a list of fields", map[bool]string{true: "write it below query", false: "write the body as a mapping, with as: form"}[t == r.URL], "digest")
				}
			}
		})
	}
}

// escaped warns of an expression that puts a text into another one without one of the functions.
func (d *decoder) escaped(e *expr.Expr, into, hint string, functions ...string) {
	if e.Goes(functions...) {
		return
	}
	at := e.Place()
	d.faults.Add(&diag.Diagnostic{Severity: diag.Warning, File: at.File, Pos: at.Pos, Code: "unescaped",
		Message: fmt.Sprintf("%s stands in %s as it is: what it holds may end that text, or be read as a part of it", e.Text(), into), Hint: hint})
}

// ofXML reports whether a text is XML: one of its parts, or of the texts in its expressions, has a tag.
func ofXML(parts []template.Piece) bool {
	for _, p := range parts {
		if p.Expr == nil && tag.MatchString(p.Text) || p.Expr != nil && tagInside.MatchString(p.Expr.Text()) {
			return true
		}
	}
	return false
}

// isQuoted reports whether the marker at i stands between quotes of a filter, a query or JSON.
func isQuoted(parts []template.Piece, i int) bool {
	if i == 0 || i == len(parts)-1 {
		return false
	}
	before := parts[i-1].Text
	open := strings.LastIndexAny(before, `"'`)
	if open < 0 || strings.ContainsAny(before[open+1:], " \n") || !strings.Contains(parts[i+1].Text, before[open:open+1]) {
		return false
	}
	first := strings.TrimRight(before[:open], `\`)
	return beforeQuote.MatchString(first) || beforeJSON.MatchString(first) && bracesOf.MatchString(parts[0].Text)
}

func lastLine(text string) string { return text[strings.LastIndex(text, "\n")+1:] }
