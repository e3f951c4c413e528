package call

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// maxXMLDepth bounds how deep elements nest.
const maxXMLDepth = 1000

// readXML makes an answer in XML one in JSON, so that all that looks at answers looks at it as at
// others. What is no XML stays as it is: errors often are something else.
func (a *answer) readXML(ctx context.Context) {
	if a.json || a.empty() || a.looksLikeHTML() {
		return
	}
	v, err := fromXML(&boundReader{ctx, bytes.NewReader(a.body)})
	if err != nil {
		a.notXML = err
		return
	}
	a.raw, a.body, a.json = a.body, value.AppendJSON(nil, v), true
}

// An xmlElement is an element that has begun.
type xmlElement struct {
	name    string
	members *value.Object
	// attributes are those of the members that give way to an element of the same name.
	attributes map[string]bool
	text       strings.Builder
	null       bool
}

// fromXML returns {ROOT: …}. An element without attributes and elements is its text; any other is an
// object of both, by name and without namespace, and of its own text, called text. Elements that
// repeat are a list, and one that says xsi:nil is null.
func fromXML(in io.Reader) (value.Value, error) {
	d := xml.NewDecoder(in)
	d.CharsetReader = declared
	open := []*xmlElement{{members: value.NewObject(1)}}
	for {
		token, err := d.Token()
		top := open[len(open)-1]
		switch {
		case errors.Is(err, io.EOF) && len(open) == 1 && top.members.Len() == 1:
			return top.members, nil
		case err != nil:
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			if len(open) == 1 && top.members.Len() > 0 || len(open) > maxXMLDepth {
				return nil, fmt.Errorf("more than one element, or more than %d in each other", maxXMLDepth)
			}
			open = append(open, beginElement(token))
		case xml.EndElement:
			open = open[:len(open)-1]
			open[len(open)-1].add(top.name, top.value())
		case xml.CharData:
			top.text.Write(token)
		}
	}
}

func beginElement(token xml.StartElement) *xmlElement {
	e := &xmlElement{name: token.Name.Local, members: value.NewObject(0), attributes: map[string]bool{}}
	for _, attr := range token.Attr {
		switch name := attr.Name.Local; {
		case attr.Name.Space == "xmlns" || name == "xmlns":
		case name == "nil" && strings.HasSuffix(attr.Name.Space, "XMLSchema-instance"):
			e.null = attr.Value == "true" || attr.Value == "1"
		case attr.Name.Space != "" && strings.HasSuffix(attr.Name.Space, "XMLSchema-instance"):
		default:
			e.members.Set(name, attr.Value)
			e.attributes[name] = true
		}
	}
	return e
}

func (e *xmlElement) add(name string, v value.Value) {
	before, there := e.members.Get(name)
	switch list, isList := before.(value.List); {
	case !there || e.attributes[name]:
		delete(e.attributes, name)
		e.members.Set(name, v)
	case isList:
		e.members.Set(name, append(list, v))
	default:
		e.members.Set(name, value.List{before, v})
	}
}

func (e *xmlElement) value() value.Value {
	text := e.text.String()
	blank := strings.TrimSpace(text) == ""
	switch {
	case e.null:
		return nil
	case e.members.Len() == 0 && blank:
		return ""
	case e.members.Len() == 0:
		return text
	}
	if _, there := e.members.Get("text"); !there && !blank {
		e.members.Set("text", strings.TrimSpace(text))
	}
	return e.members
}

// declared takes an answer, which is in UTF-8 by now, whatever of the charsets that are read it says.
func declared(charset string, in io.Reader) (io.Reader, error) {
	if name := strings.ToLower(charset); name != "us-ascii" && !latin[name] {
		return nil, fmt.Errorf("the encoding %s is not read", charset)
	}
	return in, nil
}

// shaped returns the data of an answer as the schema wants them: XML does not tell a list of one
// element from that element.
func shaped(r *catalog.Response, data []byte, v value.Value) ([]byte, value.Value) {
	if r.As != "xml" || r.Schema == nil {
		return data, v
	}
	v = r.Over.Shape(v)
	return value.AppendJSON(nil, v), v
}
