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
	b := &builder{reader: r, text: doc.text, anchors: map[*yaml.Node]*anchored{}}
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
	text   []byte
	root   *yaml.Node // nil when there is none
	second *yaml.Node // the root of a document that follows
}

// parse has yaml.v3 read text. Whatever it panics with becomes an error.
func parse(text []byte) (doc *document, err error) {
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
	if r := doc.root; r.Kind == yaml.ScalarNode && r.Value == "" && r.Style == 0 && r.Anchor == "" {
		doc.root = nil
	}
	switch err := d.Decode(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		return nil, err
	default:
		doc.second = second.Content[0]
	}
	return doc, nil
}
