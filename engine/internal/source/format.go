package source

import (
	"bytes"

	"github.com/seed627bd532/runner/engine/diag"
)

// Format returns text in the one layout: two spaces for each level, lists
// indented below their key, one space where a space separates, at most one
// empty line in a row, line feeds at the ends of lines. What is written stays as it is and where it is:
// comments, the order of keys, quotes, what stands on a line of its own, and where comments are aligned.
//
// The result means the same as text, and formatting it again changes nothing. The answer is nil,
// and the list says why, when text cannot be read. text is kept, and must not
// change afterwards.
func Format(name string, text []byte) ([]byte, diag.List) {
	before, faults := Read(name, text)
	if faults.HasErrors() {
		return nil, faults
	}
	body := bytes.TrimPrefix(text, []byte("\uFEFF"))
	l := newLines(body)
	doc, err := parse(body)
	if err != nil || doc.root == nil {
		return nil, unformatted(name, text, diag.Pos{}, "the file cannot be taken apart")
	}
	if len(l.theirs) != len(l.ours) {
		return nil, unformatted(name, text, exoticPlace(l), "YAML ends a line at this character, and no editor does")
	}
	tokens, ok := tokenize(doc.text, doc.root, l)
	if !ok {
		return nil, unformatted(name, text, diag.Pos{}, "the file cannot be taken apart")
	}
	f := newFormatter(body, tokens)
	out := f.format()
	after, _ := Read(name, out)
	if !same(before, after) || !bytes.Equal(comments(body, tokens), reread(out)) {
		return nil, unformatted(name, text, diag.Pos{}, "another layout would change what it means")
	}
	return out, nil
}

// unformatted says that a file is left as it is.
func unformatted(name string, text []byte, at diag.Pos, why string) diag.List {
	return diag.List{{
		File:    &diag.File{Name: name, Text: text},
		Pos:     at,
		Code:    "not-formatted",
		Message: "the file is left as it is: " + why,
		Hint:    "write what is unusual about it in another way",
	}}
}

// exoticPlace returns the place of the first line break that only YAML knows.
func exoticPlace(l *lines) diag.Pos {
	for i := range l.text {
		if exoticBreak(l.text[i:]) > 0 {
			return l.pos(i)
		}
	}
	return diag.Pos{}
}

// same reports whether two documents mean the same, written in the same styles.
func same(a, b *Node) bool {
	switch {
	case a == nil || b == nil:
		return a == b
	case a.Kind != b.Kind || a.Text != b.Text || a.Quoted != b.Quoted || a.Aliased != b.Aliased,
		len(a.Items) != len(b.Items), len(a.Pairs) != len(b.Pairs):
		return false
	}
	for i := range a.Items {
		if !same(a.Items[i], b.Items[i]) {
			return false
		}
	}
	for i := range a.Pairs {
		if !same(a.Pairs[i].Key, b.Pairs[i].Key) || !same(a.Pairs[i].Value, b.Pairs[i].Value) {
			return false
		}
	}
	return true
}

// comments returns the comments among the tokens, a line each.
func comments(text []byte, tokens []token) []byte {
	var all []byte
	for _, t := range tokens {
		if t.kind == commentToken {
			all = append(append(all, bytes.TrimRight(text[t.start:t.end], " \t")...), '\n')
		}
	}
	return all
}

// reread returns the comments of a text.
func reread(text []byte) []byte {
	doc, err := parse(text)
	if err != nil || doc.root == nil {
		return nil
	}
	tokens, _ := tokenize(doc.text, doc.root, newLines(text))
	return comments(text, tokens)
}
