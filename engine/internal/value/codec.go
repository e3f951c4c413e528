package value

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Decode reads one JSON text, whole. Of members with the same name the first
// counts; bytes that are not UTF-8 are replaced. It refuses trailing data,
// nesting beyond 10,000 and numbers that ParseNumber refuses.
func Decode(data []byte) (Value, error) {
	d := decoders.Get().(*decoder)
	defer d.release()
	d.read(data)
	if len(data) <= maxWhole {
		d.data = data
	}
	v, err := d.value()
	if err != nil {
		return nil, syntaxError(data, err)
	}
	end := d.in.InputOffset()
	if _, err := d.in.ReadToken(); err != io.EOF {
		return nil, fmt.Errorf("not JSON: more data after the value, at offset %d", end)
	}
	return v, nil
}

// decoders are used again, for the memory in them and the names that they know.
var decoders = sync.Pool{New: func() any { return new(decoder) }}

// decoder builds values of tokens; in checks the grammar and the depth.
type decoder struct {
	in   jsontext.Decoder
	text bytes.Buffer
	// open holds the elements and members of the lists and objects that are not
	// closed yet, so that each is made once, in its final size.
	open []member
	// names are names of members that were met, each at the place that hashes
	// to: vendors send the same few over and over.
	names [128]string
	name  []byte
	// data is what is read, where texts may be parts of one copy of it, whole; nil for others. The copy is
	// made with the first of them.
	data  []byte
	whole string
	// rows are the lists that were taken out of an outline, by the offset right
	// after the bracket that stands for them.
	rows map[int64]*Rows
}

func (d *decoder) read(data []byte) {
	d.text = *bytes.NewBuffer(data)
	d.from(&d.text)
}

// from makes the decoder read JSON as Decode does.
func (d *decoder) from(in io.Reader) {
	d.in.Reset(in, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// maxWhole is the size up to which texts are parts of one copy of all that is read: one of them
// keeps that much in memory.
const maxWhole = 16 << 10

// keepOpen bounds the memory that is kept.
const keepOpen = 256

// release lets go of all that was read, and keeps the decoder for another text.
func (d *decoder) release() {
	if cap(d.open) > keepOpen || cap(d.name) > keepOpen {
		d.open, d.name = nil, nil
	}
	clear(d.open[:cap(d.open)])
	d.open = d.open[:0]
	d.data, d.whole = nil, ""
	d.read(nil)
	decoders.Put(d)
}

func (d *decoder) value() (Value, error) {
	if d.data != nil && d.in.PeekKind() == '"' {
		return d.part()
	}
	token, err := d.in.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case 'n':
		return nil, nil
	case 't':
		return true, nil
	case 'f':
		return false, nil
	case '"':
		return token.String(), nil
	case '0':
		return ParseNumber(token.String())
	case '[':
		return d.list()
	default: // '{': the decoder has refused all else
		return d.object()
	}
}

// part reads a text as a part of the whole, unless it is written otherwise than it is meant.
func (d *decoder) part() (Value, error) {
	raw, err := d.in.ReadValue()
	if err != nil {
		return nil, err
	}
	if bytes.IndexByte(raw, '\\') >= 0 || !utf8.Valid(raw) {
		text, _ := jsontext.AppendUnquote(nil, raw) // the error only tells of bytes that were replaced
		return string(text), nil
	}
	if d.whole == "" {
		d.whole = string(d.data)
	}
	end := d.in.InputOffset() - 1
	return d.whole[end-int64(len(raw))+2 : end], nil
}

func (d *decoder) list() (Value, error) {
	start := len(d.open)
	if r := d.rows[d.in.InputOffset()]; r != nil {
		return r, d.end(start)
	}
	for d.in.PeekKind() != ']' {
		elem, err := d.value()
		if err != nil {
			return nil, err
		}
		d.open = append(d.open, member{value: elem})
	}
	list := make(List, len(d.open)-start)
	for i, m := range d.open[start:] {
		list[i] = m.value
	}
	return list, d.end(start)
}

func (d *decoder) object() (Value, error) {
	start := len(d.open)
	for d.in.PeekKind() != '}' {
		name, err := d.memberName()
		if err != nil {
			return nil, err
		}
		v, err := d.value()
		if err != nil {
			return nil, err
		}
		d.open = append(d.open, member{name, v})
	}
	o := NewObject(len(d.open) - start)
	for _, m := range d.open[start:] {
		o.add(m.name, m.value)
	}
	return o, d.end(start)
}

// longestName is how long a name may be to be kept.
const longestName = 40

func (d *decoder) memberName() (string, error) {
	raw, err := d.in.ReadValue()
	if err != nil {
		return "", err
	}
	d.name, _ = jsontext.AppendUnquote(d.name[:0], raw) // the error only tells of bytes that were replaced
	n := len(d.name)
	if n == 0 || n > longestName {
		return string(d.name), nil
	}
	known := &d.names[(n*31+int(d.name[0])*7+int(d.name[n/2])*3+int(d.name[n-1]))%len(d.names)]
	if *known != string(d.name) {
		*known = string(d.name)
	}
	return *known, nil
}

// end reads the bracket that closes what was opened at start.
func (d *decoder) end(start int) error {
	d.open = d.open[:start]
	_, err := d.in.ReadToken()
	return err
}

// syntaxError says where a text stops being JSON, without quoting it: it may hold secrets.
func syntaxError(data []byte, err error) error {
	var syntax *jsontext.SyntacticError
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return errors.New("not JSON: the text is empty")
	case errors.As(err, &syntax) && errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("not JSON: the text ends too early, at offset %d", len(data))
	case errors.As(err, &syntax):
		return fmt.Errorf("not JSON: %w, at offset %d", syntax.Err, syntax.ByteOffset)
	}
	return err
}

// AppendJSON appends v as compact JSON: members in order, numbers in their
// lexical form, no HTML escaping, invalid UTF-8 replaced.
func AppendJSON(dst []byte, v Value) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		return strconv.AppendBool(dst, v)
	case string:
		return AppendText(dst, v)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case Decimal:
		return append(dst, v...)
	case List:
		dst = append(dst, '[')
		for i, elem := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = AppendJSON(dst, elem)
		}
		return append(dst, ']')
	case *Rows:
		dst = append(dst, '[')
		start := len(dst)
		for elem := range v.mustAll() {
			if len(dst) > start {
				dst = append(dst, ',')
			}
			dst = AppendJSON(dst, elem)
		}
		return append(dst, ']')
	case *Object:
		dst = append(dst, '{')
		for i := range v.Len() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = AppendText(dst, v.members[i].name)
			dst = append(dst, ':')
			dst = AppendJSON(dst, v.members[i].value)
		}
		return append(dst, '}')
	}
	panic(notAValue(v))
}

// AppendText is AppendJSON for a text.
func AppendText(dst []byte, s string) []byte {
	if isPlain(s) {
		dst = append(dst, '"')
		dst = append(dst, s...)
		return append(dst, '"')
	}
	dst, _ = jsontext.AppendQuote(dst, s) // the error only tells of bytes that were replaced
	return dst
}

// isPlain reports whether a text stands in JSON as it is, as most do.
func isPlain(s string) bool {
	for ; len(s) >= 8; s = s[8:] {
		if marksSpecial(uint64(s[0])|uint64(s[1])<<8|uint64(s[2])<<16|uint64(s[3])<<24|
			uint64(s[4])<<32|uint64(s[5])<<40|uint64(s[6])<<48|uint64(s[7])<<56) != 0 {
			return false
		}
	}
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// marksSpecial is not 0 where one of eight bytes is a control character, a quote, a backslash or
// not ASCII. A byte below n borrows from its highest bit when n is taken from it, and one that is
// equal to n is 0 after an exclusive or.
func marksSpecial(bytes uint64) uint64 {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	quote, backslash := bytes^'"'*ones, bytes^'\\'*ones
	return (bytes | (bytes - ' '*ones) | (quote - ones) | (backslash - ones)) & high
}
