package table

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// DecodeJSON reads the file called name, which is one JSON value. What people write is read strictly: a name
// that stands twice in an object, and text that is not UTF-8, are faults. A fault has its line and column.
func DecodeJSON(name string, text []byte) (value.Value, *diag.Diagnostic) {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, fault(name, 0, "empty-file", "", "the file is empty: it must be one JSON value")
	}
	d := jsontext.NewDecoder(bytes.NewReader(text))
	err := d.SkipValue()
	if err == nil {
		end := d.InputOffset()
		if _, err = d.ReadToken(); err == io.EOF {
			v, err := value.Decode(text)
			if err != nil {
				return nil, fault(name, 0, "bad-json", "", "the file cannot be read: %v", err)
			}
			return v, nil
		}
		more := end + int64(len(text[end:])-len(bytes.TrimLeft(text[end:], " \t\r\n")))
		return nil, jsonFault(name, text, more, "more follows after the value")
	}
	var syntax *jsontext.SyntacticError
	switch {
	case !errors.As(err, &syntax):
		return nil, unreadable(name, err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, jsonFault(name, text, int64(len(text)), "the file is not JSON: it ends too early")
	case errors.Is(err, jsontext.ErrDuplicateName):
		return nil, jsonFault(name, text, syntax.ByteOffset, "the key "+string(duplicate(text, syntax.ByteOffset))+" is here twice")
	}
	return nil, jsonFault(name, text, syntax.ByteOffset, "the file is not JSON: "+syntax.Err.Error())
}

// duplicate returns the name that stands at the offset, as it is written there.
func duplicate(text []byte, offset int64) []byte {
	name, err := jsontext.NewDecoder(bytes.NewReader(text[offset:])).ReadValue()
	if err != nil {
		return nil
	}
	return name
}

func jsonFault(name string, text []byte, offset int64, message string) *diag.Diagnostic {
	before := text[:min(offset, int64(len(text)))]
	d := fault(name, 1+bytes.Count(before, []byte("\n")), "bad-json", "", "%s", message)
	d.Pos.Col = 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
	return d
}
