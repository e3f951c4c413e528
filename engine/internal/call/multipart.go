package call

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"mime/multipart"
	"net/textproto"
	"strings"

	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/template"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// appendMultipart writes the members as multipart/form-data (RFC 7578) and returns its content
// type. A text, number or boolean is a field, an object is a file, and a list is a part for each
// of its elements. The same members give the same body, whenever they are written.
func appendMultipart(dst []byte, t *template.Template, vars expr.Vars, injected *value.Object) (body []byte, content []string, err error) {
	fields, err := evalObject(t, vars, "a multipart body")
	if err != nil {
		return nil, nil, err
	}
	fields = merge(fields, injected)
	sum := sha256.Sum256(value.AppendJSON(nil, fields))
	text := bytes.NewBuffer(dst)
	w := multipart.NewWriter(text)
	if err := w.SetBoundary("runner-" + hex.EncodeToString(sum[:16])); err != nil {
		return nil, nil, err
	}
	for name, v := range fields.All() {
		elements, ok := value.Elements(v)
		if !ok {
			elements, _ = value.Elements(value.List{v})
		}
		for element, err := range elements {
			if err == nil {
				err = writePart(w, name, element)
			}
			if err != nil {
				return nil, nil, err
			}
		}
	}
	err = w.Close()
	return text.Bytes(), []string{w.FormDataContentType()}, err
}

func writePart(w *multipart.Writer, name string, v value.Value) error {
	header := textproto.MIMEHeader{}
	disposition := `form-data; name="` + quoted(name) + `"`
	var content []byte
	if file, ok := v.(*value.Object); ok {
		part, err := fileOf(name, file)
		if err != nil {
			return err
		}
		disposition += `; filename="` + quoted(part.name) + `"`
		header.Set("Content-Type", part.kind)
		content = part.content
	} else {
		text, err := scalar("the field", name, v)
		if err != nil {
			return err
		}
		content = []byte(text)
	}
	header.Set("Content-Disposition", disposition)
	part, err := w.CreatePart(header)
	if err == nil {
		_, err = part.Write(content)
	}
	return err
}

// quoted writes a name into a header as browsers do.
func quoted(name string) string {
	return strings.NewReplacer(`"`, "%22", "\r", "%0D", "\n", "%0A").Replace(name)
}

type filePart struct {
	name, kind string
	content    []byte
}

// fileOf reads {file, content or base64, type}.
func fileOf(field string, o *value.Object) (filePart, error) {
	const hint = "a file is {file: its name, content: its text}, or base64 in place of content; and type where it matters"
	f := filePart{kind: "application/octet-stream"}
	for name, v := range o.All() {
		text, ok := v.(string)
		if !ok {
			return f, faultf(hint, "the %s of the file %s must be text, found %s", name, field, value.KindOf(v))
		}
		switch name {
		case "file":
			f.name = text
		case "content":
			f.content = []byte(text)
		case "base64":
			raw, err := base64.StdEncoding.DecodeString(text)
			if err != nil {
				return f, faultf("", "the file %s is not in base64", field)
			}
			f.content = raw
		case "type":
			if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				return f, faultf("", "the type of the file %s holds a control character", field)
			}
			f.kind = text
		default:
			return f, faultf(hint, "the file %s has no %s", field, name)
		}
	}
	if f.name == "" || f.content == nil {
		return f, faultf(hint, "the field %s is an object, and no file", field)
	}
	return f, nil
}
