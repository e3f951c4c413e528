package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"gopkg.in/yaml.v3"

	"github.com/seed627bd532/runner/engine/diag"
)

// Read reads one YAML document. The node is nil when there are errors. It
// never panics and expands no alias bomb. Beside what YAML itself refuses it
// reports each trap by name, with a hint: duplicate keys (both places), a second document,
// unknown tags, tabs, leading-zero numbers, a `${{` that a comment or a flow
// character cut, merge keys, keys that are empty or no scalars, wrong encodings, yes/no (a warning).
// Keys are text, whatever they look like: 404 and "404" are the same key.
// An empty file is an error. text is kept, and must not change afterwards.
func Read(name string, text []byte) (*Node, diag.List) {
	r := &reader{file: &diag.File{Name: name, Text: text}}
	r.lines = newLines(bytes.TrimPrefix(text, []byte("\uFEFF")))
	root := r.read()
	r.faults.Sort()
	if r.faults.HasErrors() {
		return nil, r.faults
	}
	return root, r.faults
}

// A reader reads one file.
type reader struct {
	file   *diag.File
	lines  *lines
	faults diag.List
}

func (r *reader) read() *Node {
	if name := utf16Name(r.file.Text); name != "" {
		r.faults.Add(&diag.Diagnostic{
			File:    r.file, // without a place: its lines cannot be shown
			Code:    "encoding",
			Message: "the file is " + name + ", not UTF-8",
			Hint:    "save it as UTF-8",
		})
		return nil
	}
	if off, d := checkCharacters(r.lines.text); d != nil {
		r.add(off, d)
		return nil
	}
	if len(bytes.TrimSpace(r.lines.text)) == 0 {
		return r.empty()
	}
	doc, err := parse(r.lines.text)
	if err != nil {
		// What is wrong is replaced by something harmless of the same length, so that
		// the other faults of the file can be found in the same go.
		doc = r.explain(err)
		if doc == nil {
			return nil
		}
	}
	if doc.root == nil {
		return r.empty()
	}
	if doc.second != nil {
		r.add(r.documentStart(doc.second), secondDocument())
	}
	b := &builder{reader: r, text: doc.text, question: doc.question, anchors: map[*yaml.Node]*anchored{}}
	root, _ := b.node(doc.root, 0)
	return root
}

func (r *reader) empty() *Node {
	r.faults.Add(&diag.Diagnostic{
		File:    r.file,
		Code:    "empty-file",
		Message: "the file is empty",
		Hint:    "its first key says what it is: vendor, pipeline, connections, test or sandbox",
	})
	return nil
}

// add reports d at an offset of the text.
func (r *reader) add(off int, d *diag.Diagnostic) {
	d.File, d.Pos = r.file, r.lines.pos(off)
	r.faults.Add(d)
}

// documentStart returns the offset of the marker that begins the document with
// the root y.
func (r *reader) documentStart(y *yaml.Node) int {
	off := r.lines.offset(y.Line, y.Column)
	text := r.lines.text
	for start := off; start > 0; {
		start = bytes.LastIndexAny(text[:start-1], "\r\n") + 1
		if bytes.HasPrefix(text[start:], []byte("---")) {
			return start
		}
	}
	return off
}

func secondDocument() *diag.Diagnostic {
	return &diag.Diagnostic{
		Code:    "second-document",
		Message: "a second document begins here",
		Hint:    "a file holds one document: put this one into a file of its own",
	}
}

// A document is what yaml.v3 makes of a text.
type document struct {
	text   []byte     // what was parsed, as long as the text
	root   *yaml.Node // nil when there is none
	second *yaml.Node // the root of a document that follows
	// question stands for ? in the text and in all values; 0 where ? does.
	question byte
}

// parse has yaml.v3, which knows YAML 1.1, read a text of YAML 1.2: without directives, of which none says anything that
// counts here, and with texts in lists and mappings in flow style that have a ? in them.
func parse(text []byte) (*document, error) {
	text = withoutDirectives(text)
	doc, err := parse11(text)
	if err == nil {
		return doc, nil
	}
	replaced, question := withoutQuestions(text)
	if question == 0 {
		return nil, err
	}
	doc, err = parse11(replaced)
	if doc != nil {
		doc.question = question
	}
	return doc, err
}

// withoutDirectives makes comments of the directives before the document.
func withoutDirectives(text []byte) []byte {
	var at []int
	for p := 0; p < len(text); {
		end := p
		for end < len(text) && breakSize(text[end:]) == 0 {
			end++
		}
		line := text[p:end]
		switch {
		case bytes.HasPrefix(line, []byte("%")):
			at = append(at, p)
		case bytes.HasPrefix(line, []byte("---")) && len(at) > 0:
			text = bytes.Clone(text)
			for _, p := range at {
				text[p] = '#'
			}
			return text
		case len(bytes.TrimSpace(line)) > 0 && line[0] != '#':
			return text
		}
		p = end + breakSize(text[end:])
	}
	return text
}

// withoutQuestions writes another character, which the text does not have, for each ? that begins no key.
func withoutQuestions(text []byte) (replaced []byte, question byte) {
	if bytes.IndexByte(text, '?') < 0 {
		return text, 0
	}
	for _, c := range []byte("^;~/JQWZKVG") {
		if bytes.IndexByte(text, c) < 0 {
			question = c
			break
		}
	}
	if question == 0 {
		return text, 0
	}
	replaced = bytes.Clone(text)
	for i, c := range text {
		if c == '?' && !(i+1 == len(text) || isBlank(text[i+1]) || breakSize(text[i+1:]) > 0) || c == '?' && !beginsValue(replaced[:i]) {
			replaced[i] = question
		}
	}
	return replaced, question
}

// beginsValue reports whether a value may begin behind this text.
func beginsValue(before []byte) bool {
	before = bytes.TrimRight(before, " \t")
	return len(before) == 0 || bytes.IndexByte([]byte("\r\n[{,:-?"), before[len(before)-1]) >= 0
}

// parse11 has yaml.v3 read text. Whatever it panics with becomes an error.
func parse11(text []byte) (doc *document, err error) {
	defer func() {
		if p := recover(); p != nil {
			doc, err = nil, fmt.Errorf("yaml: %v", p)
		}
	}()
	d := yaml.NewDecoder(bytes.NewReader(text))
	var first, second yaml.Node
	switch err := d.Decode(&first); {
	case errors.Is(err, io.EOF):
		return &document{text: text}, nil
	case err != nil:
		return nil, err
	}
	doc = &document{text: text, root: first.Content[0]}
	if isEmpty(doc.root) {
		doc.root = nil
	}
	switch err := d.Decode(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		return nil, err
	case !isEmpty(second.Content[0]):
		doc.second = second.Content[0]
	}
	return doc, nil
}

// isEmpty reports whether a document holds nothing.
func isEmpty(root *yaml.Node) bool {
	return root.Kind == yaml.ScalarNode && root.Value == "" && root.Style == 0 && root.Anchor == ""
}
