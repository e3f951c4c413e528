package source

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// This file finds what YAML accepts, and silently reads as something else.

// checkTag reports a tag, unless it only says what the value is anyway.
func (b *builder) checkTag(y *yaml.Node, off int) bool {
	written := writtenTag(b.text, off)
	switch {
	case y.Style&yaml.TaggedStyle == 0 && written != "!":
		return true
	case y.Tag == "!!str" && y.Kind == yaml.ScalarNode && written != "!",
		y.Tag == "!!seq" && y.Kind == yaml.SequenceNode,
		y.Tag == "!!map" && y.Kind == yaml.MappingNode:
		return true
	}
	name := strings.TrimPrefix(written, "!")
	d := &diag.Diagnostic{Code: "tag", Message: fmt.Sprintf("unknown tag %s", written)}
	switch {
	case strings.HasPrefix(name, "!"), strings.HasPrefix(name, "<"):
		d.Message = fmt.Sprintf("the tag %s is not supported", written)
		d.Hint = "leave it out: a quoted value is a string, any other is what it looks like"
	case name == "":
		d.Message = "a ! alone is a tag, and has no effect"
		d.Hint = "to negate, write not; else quote the text"
	case y.Kind != yaml.ScalarNode:
		d.Hint = "leave it out"
	default:
		d.Hint = fmt.Sprintf("write not %s, or quote the text: '%s'", name, written)
	}
	b.add(bytes.IndexByte(b.text[off:], '!')+off, d)
	return false
}

// writtenTag returns the tag that stands at off, perhaps behind an anchor, or "".
func writtenTag(text []byte, off int) string {
	p := off
	if p < len(text) && text[p] == '&' {
		for p < len(text) && !isBlank(text[p]) && breakSize(text[p:]) == 0 {
			p++
		}
		p = skipBlanks(text, p)
	}
	if p >= len(text) || text[p] != '!' {
		return ""
	}
	end := p
	for end < len(text) && !isBlank(text[end]) && breakSize(text[end:]) == 0 && strings.IndexByte(",]}", text[end]) < 0 {
		end++
	}
	return string(text[p:end])
}

// checkNumber reports plain text that YAML takes for a number and JSON does not,
// and numbers out of range.
func (b *builder) checkNumber(y *yaml.Node, n *Node) {
	number := value.IsNumeral(n.Text)
	switch {
	case !number && (y.Tag == "!!int" || y.Tag == "!!float"):
		d := n.Errorf("number", "%s is not how a number is written, yet YAML takes it for one and would change it", n.Text)
		d.Hint = fmt.Sprintf("quote it to keep the text: '%s'", n.Text)
		b.faults.Add(d)
	case number && (len(n.Text) > 18 || strings.ContainsAny(n.Text, "eE")):
		if _, err := value.ParseNumber(n.Text); err != nil {
			d := n.Errorf("number", "%v", err)
			d.Hint = "quote it if it is a text"
			d.Err = err
			b.faults.Add(d)
		}
	}
}

// checkWord warns of a value that YAML 1.1 took for a boolean.
func (b *builder) checkWord(y *yaml.Node, n *Node) {
	if y.Kind != yaml.ScalarNode || n.Quoted || len(n.Text) > 3 {
		return
	}
	means := map[string]string{"yes": "true", "on": "true", "no": "false", "off": "false"}[strings.ToLower(n.Text)]
	if means == "" {
		return
	}
	d := n.Warnf("yes-no", "%s is a text here, not %s", n.Text, means)
	d.Hint = fmt.Sprintf("write %s, or quote it: '%s'", means, n.Text)
	b.faults.Add(d)
}

// checkComment reports a value of which a comment took the whole or a part: a
// path such as #(code=="x"), or an expression with an element's # in it.
func (b *builder) checkComment(y *yaml.Node, n *Node, s span) {
	if !s.ok {
		return
	}
	p := skipBlanks(b.text, s.end)
	if p+1 >= len(b.text) || b.text[p] != '#' {
		return
	}
	rest := string(bytes.TrimRight(b.text[p:b.lines.lineEnd(p)], " \t"))
	switch {
	case strings.HasPrefix(rest, "#{") && strings.Contains(rest, "}"):
		b.add(p, &diag.Diagnostic{
			Code:    "comment",
			Message: "#{ begins a comment, and no marker: " + map[bool]string{true: "the value is empty", false: "the value ends before it"}[y.Value == ""],
			Hint:    "write ${{ … }} for an expression; where a comment is meant, begin it with \"# \"",
		})
	case y.Value == "" && strings.IndexByte("(.|", b.text[p+1]) >= 0:
		b.add(p, &diag.Diagnostic{
			Code:    "comment",
			Message: "this is a comment: the value is empty",
			Hint:    fmt.Sprintf("quote it: '%s'", strings.ReplaceAll(rest, "'", "''")),
		})
	case strings.Count(n.Text, "(") > strings.Count(n.Text, ")") && openMarker(n.Text) < 0:
		b.add(p, &diag.Diagnostic{
			Severity: diag.Warning,
			Code:     "comment",
			Message:  "a comment begins here, inside of a parenthesis",
			Hint:     "write .x for #.x, (#) for #, or quote the whole value",
		})
	}
}

// checkMarker reports a ${{ that is not closed because plain text ended early:
// at a comment, or at the colon that made a key of it.
func (b *builder) checkMarker(y *yaml.Node, n *Node, s span) {
	if n.Quoted || !s.ok {
		return
	}
	open := openMarker(n.Text)
	if open < 0 {
		return
	}
	p := skipBlanks(b.text, s.end)
	d := n.ErrorAt(open, "marker-cut", "")
	switch {
	case p >= len(b.text):
		return
	case b.text[p] == '#' && p > s.end:
		d.Message = "the marker is not closed: \" #\" begins a comment"
		d.Hint = "write .x for #.x and (#) for #, or quote the whole value"
		d.Related = []diag.Place{{File: b.file, Pos: b.lines.pos(p), Note: "the comment"}}
	case b.text[p] == ':':
		d.Message = "the marker is not closed: \": \" makes a key of it"
		d.Hint = "quote the whole value"
		d.Related = []diag.Place{{File: b.file, Pos: b.lines.pos(p), Note: "the colon"}}
	default:
		return
	}
	b.faults.Add(d)
}

// openMarker returns the offset in runes of the first ${{ in text that is not
// closed, or -1.
func openMarker(text string) int {
	for from := 0; ; {
		i := strings.Index(text[from:], "${{")
		if i < 0 {
			return -1
		}
		i += from
		if i > 0 && text[i-1] == '$' {
			from = i + 3
			continue
		}
		end := markerEnd(text[i:])
		if end < 0 {
			return utf8.RuneCountInString(text[:i])
		}
		from = i + end
	}
}

// markerEnd returns the end of the marker that text begins with, or -1. Braces
// and strings inside of it may hold }}.
func markerEnd(text string) int {
	depth := 0
	for i := len("${{"); i < len(text); i++ {
		switch c := text[i]; c {
		case '"', '\'', '`':
			for i++; i < len(text) && text[i] != c; i++ {
				if text[i] == '\\' && c != '`' {
					i++
				}
			}
		case '{':
			depth++
		case '}':
			if depth == 0 {
				if i+1 < len(text) && text[i+1] == '}' {
					return i + 2
				}
				return -1
			}
			depth--
		}
	}
	return -1
}
