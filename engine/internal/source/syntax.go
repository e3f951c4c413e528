package source

import (
	"bytes"
	"regexp"
	"sort"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
)

// maxSuspects bounds how many faults of syntax are looked into in one file, each
// of which costs a parse.
const maxSuspects = 20

// explain reports why the text could not be parsed. It returns the document as
// it would be without these faults, or nil when something else is wrong too.
//
// yaml.v3 stops at its first fault, and knows its line at best. So the text is
// searched for what people commonly get wrong. A suspect is painted over with
// harmless letters, which leaves all places as they are; it is guilty when the text
// cannot be parsed, or not in the same way, with all suspects painted over but this one.
func (r *reader) explain(err error) *document {
	text := r.lines.text
	suspects := findSuspects(text)
	if len(suspects) > maxSuspects {
		suspects = suspects[:maxSuspects]
	}
	clean, rest := parse(paint(text, suspects, -1))
	guilty := 0
	tabs := map[int]bool{} // the lines that a tab indents
	for i, s := range suspects {
		if _, e := parse(paint(text, suspects, i)); e != nil && (rest == nil || e.Error() != rest.Error()) {
			d := s.fault
			r.add(s.at, &d)
			guilty++
			if d.Code == "tab" {
				tabs[bytes.Count(text[:s.at], []byte("\n"))] = true
			}
		}
	}
	switch {
	case rest == nil && guilty > 0:
		return clean
	case rest == nil, guilty == 0:
		// No suspect, or several that only do harm together.
		r.syntax(text, err)
	default:
		// A line that a tab indents stands wrongly whatever stands in the tab's place.
		painted := paint(text, suspects, -1)
		if message := yamlLine.ReplaceAllString(rest.Error(), ""); len(tabs) == 0 || !tabs[r.faultyLine(painted, message)] {
			r.syntax(painted, rest)
		}
	}
	return nil
}

// paint returns text with the suspects, but for the one at index spare, replaced
// by letters. Line breaks stay.
func paint(text []byte, suspects []suspect, spare int) []byte {
	text = bytes.Clone(text)
	for i, s := range suspects {
		if i == spare {
			continue
		}
		for j := s.from; j < s.to; j++ {
			switch {
			case text[j] == '\n' || text[j] == '\r':
			case s.blank:
				text[j] = ' '
			default:
				text[j] = 'x'
			}
		}
	}
	return text
}

// yamlLine is the line yaml.v3 puts before its messages, when it knows one.
var yamlLine = regexp.MustCompile(`^yaml: (?:line \d+: )?`)

// syntax reports err, which is what parsing text ends with, in our words.
func (r *reader) syntax(text []byte, err error) {
	message := yamlLine.ReplaceAllString(err.Error(), "")
	line := r.faultyLine(text, message)
	off := skipBlanks(text, r.lines.ours[line])
	if at, d := r.neighbour(text, line, message); d != nil {
		d.Err = err
		r.add(at, d)
		return
	}
	d := &diag.Diagnostic{Code: "syntax", Message: message, Err: err}
	for _, s := range sentences {
		if strings.HasPrefix(message, s.theirs) {
			d.Message, d.Hint = s.message, s.hint
			if s.before != "" {
				if i := bytes.LastIndex(text[off:r.lines.lineEnd(off)], []byte(s.before)); i >= 0 {
					off += i
				}
			}
			break
		}
	}
	name, unknown := strings.CutPrefix(message, "unknown anchor '")
	switch {
	case unknown:
		name, _, _ = strings.Cut(name, "'")
		d.Message = "the alias *" + name + " names nothing"
		d.Hint = "an anchor &" + name + " must come before it; quote the text if it is no alias"
		if i := bytes.Index(text[off:], []byte("*"+name)); i >= 0 {
			off += i
		}
	case strings.HasPrefix(message, "found unknown escape"):
		off += unknownEscape(text[off:r.lines.lineEnd(off)])
	case strings.HasPrefix(message, "did not find expected <document start>") && bytes.Contains(text[:off], []byte("\n...")):
		d = secondDocument()
	}
	r.add(off, d)
}

// unknownEscape returns the offset of the first backslash in line that begins no
// escape of YAML 1.1; JSON's \/ is none.
func unknownEscape(line []byte) int {
	for i := 0; i+1 < len(line); i++ {
		if line[i] != '\\' {
			continue
		}
		if i++; strings.IndexByte(escapes+"xuU", line[i]) < 0 {
			return i - 1
		}
	}
	return 0
}

// faultyLine returns the line (from 0) that brings the error about: the first
// after which a text cut there fails with the same message. The line yaml.v3
// gives is that of the context, if there is one at all.
func (r *reader) faultyLine(text []byte, message string) int {
	starts := r.lines.ours
	return min(len(starts)-1, sort.Search(len(starts)-1, func(i int) bool {
		_, err := parse(text[:starts[i+1]])
		return err != nil && yamlLine.ReplaceAllString(err.Error(), "") == message
	}))
}

// neighbour looks for the mistake in the line above one at which yaml.v3 misses
// or refuses a key: it may lack its colon, so that the two lines are one text, or be the
// first of several keys and stand further in than all the others. nil when that line is sound.
func (r *reader) neighbour(text []byte, line int, message string) (int, *diag.Diagnostic) {
	if !strings.HasPrefix(message, "did not find expected key") && !strings.HasPrefix(message, "mapping values are not allowed") {
		return 0, nil
	}
	here, _ := r.layoutOf(text, line)
	above := r.textLine(text, line, -1)
	if above < 0 || here.item {
		return 0, nil
	}
	was, at := r.layoutOf(text, above)
	before := laidLine{opens: true, indent: -1}
	if i := r.textLine(text, above, -1); i >= 0 {
		before, _ = r.layoutOf(text, i)
	}
	isKey := before.indent >= was.indent || before.opens // what stands there should be a key, and is no text that goes on
	switch {
	case !was.key && !was.item && isKey:
		return at, &diag.Diagnostic{Code: "syntax", Message: "a key needs a colon and a space behind it", Hint: "write KEY: VALUE; a text that goes on is indented under its key"}
	case was.key && !was.opens && before.opens && before.indent < here.indent && here.indent < was.indent && r.goesOn(text, line, here.indent):
		return at, &diag.Diagnostic{Code: "syntax", Message: "this key is indented further than those below it", Hint: "indent it as its neighbours are"}
	}
	return 0, nil
}

// A laidLine is a line of block style as far as neighbour looks at it.
type laidLine struct {
	indent int  // of its text, a dash and blanks before a key included
	key    bool // a key stands on it
	opens  bool // nothing stands behind the key: what is below belongs to it
	item   bool // it begins with a dash
}

// layoutOf reads a line and returns the offset of its text, too.
func (r *reader) layoutOf(text []byte, line int) (laidLine, int) {
	start := r.lines.ours[line]
	f := finder{text: text, p: skipBlanks(text, start)}
	end, at := f.end(), f.p
	l := laidLine{}
	for f.p < end && text[f.p] == '-' && f.p+1 < end && isBlank(text[f.p+1]) {
		l.item = true
		f.p = skipBlanks(text, f.p+1)
	}
	l.indent = f.p - start
	if f.p < end {
		if key := f.key(end); key >= 0 {
			after := skipBlanks(text, key)
			l.key, l.opens = true, after >= end || text[after] == '#'
		}
	}
	return l, at
}

// textLine returns the next line from line on, in steps, that is neither empty nor a comment, or -1.
func (r *reader) textLine(text []byte, line, step int) int {
	for i := line + step; i >= 0 && i < len(r.lines.ours); i += step {
		p := skipBlanks(text, r.lines.ours[i])
		if p < len(text) && text[p] != '#' && breakSize(text[p:]) == 0 {
			return i
		}
	}
	return -1
}

// goesOn reports whether the key at a line has another one below it that is indented alike.
func (r *reader) goesOn(text []byte, line, indent int) bool {
	for {
		if line = r.textLine(text, line, 1); line < 0 {
			return false
		}
		if l, _ := r.layoutOf(text, line); l.indent <= indent {
			return l.key && l.indent == indent
		}
	}
}

// sentences are yaml.v3's messages in our words; before is the text on the line
// where the fault is.
var sentences = []struct{ theirs, message, hint, before string }{
	{"mapping values are not allowed", `": " is not allowed here`, "quote a text that holds a colon; a key must be indented as its neighbours are", ": "},
	{"did not find expected key", "a key is expected here", "indent it as its neighbours are; quote a text that goes on after a quote or a bracket", ""},
	{"did not find expected '-' indicator", "an item (\"- \") is expected here", "indent it as its neighbours are", ""},
	{"did not find expected ',' or ']'", "a list that [ began is not closed, or lacks a comma", "quote texts that hold brackets, braces or commas, or write one item per line, each after \"- \"", "["},
	{"did not find expected ',' or '}'", "a mapping that { began is not closed, or lacks a comma", "quote texts that hold brackets, braces or commas, or write one key per line", "{"},
	{"could not find expected ':'", "a key is expected here, with a colon and a space behind it", "is the colon missing, or the indentation of a text that goes on?", ""},
	{"did not find expected node content", "a value is expected here", "close the bracket that was opened; quote a text that begins with a comma or a bracket", ""},
	{"found unexpected end of stream", "a quote that was opened is not closed", "close it on the line it belongs to", ""},
	{"found unexpected document indicator", "a quote that was opened is not closed", "close it on the line it belongs to", ""},
	{"found unknown escape character", "an unknown escape in a text in double quotes", `write \\ for a backslash, or use single quotes`, ""},
	{"found character that cannot start any token", "no value can begin with this character", "quote the value; indent with spaces", ""},
	{"found a tab character", "a tab cannot indent", "indent with spaces", "\t"},
	{"block sequence entries are not allowed", `an item ("- ") is not allowed here`, "put it on a line of its own; quote a text that begins with a dash", "- "},
	{"did not find expected alphabetic or numeric character", "no name follows the & or *", "quote the text: & and * begin anchors and aliases", ""},
	{"did not find expected <document start>", "more follows where the document should end", "indent all top keys alike; a file holds one document", ""},
	{"found undefined tag handle", "unknown tag", "write not to negate, or quote the text", "!"},
	{"exceeded max depth", "too many lists and mappings inside of each other", "", ""},
}
