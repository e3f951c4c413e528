package call

import (
	"bytes"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/lang/paths"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// answer is a vendor's answer, read to its end. It belongs to one goroutine.
type answer struct {
	status int
	header http.Header
	// body is the answer's text without a byte order mark; it lives until release.
	body []byte
	json bool // body is one JSON text
	// raw is the text of an answer whose body was made JSON of XML; nil for others. notXML says why
	// one was not.
	raw    []byte
	notXML error
	// shy says that secret outputs were not found, so that the gate knows nothing of them.
	shy bool
	// sealed says that it may hold a secret that was not masked.
	sealed bool

	// spool holds the rows of an answer that is too large for memory; nil for
	// others. body is the answer without them then, and start how it begins.
	spool *spool
	start []byte
	// kept says that the result has the rows.
	kept bool

	buf     *bytes.Buffer
	decoded bool
	value   value.Value
	err     error
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// newAnswer returns the answer of which the body is in buf. wanted says that its value will be asked
// for, so that it need not be looked at once more before.
func newAnswer(resp *http.Response, buf *bytes.Buffer, wanted bool) *answer {
	a := &answer{status: resp.StatusCode, header: resp.Header, buf: buf}
	a.body = bytes.TrimPrefix(buf.Bytes(), byteOrderMark)
	if wanted {
		v, err := value.Decode(a.body)
		if a.decoded = err == nil; a.decoded {
			a.value = v
		}
	}
	a.json = a.decoded || paths.ValidJSON(a.body)
	return a
}

// release gives the body's memory back.
func (a *answer) release() {
	recycle(a.buf)
	a.buf, a.body, a.start, a.raw = nil, nil, nil, nil
	if a.spool != nil && !a.kept {
		a.spool.Close()
	}
}

// success reports whether the status is one of success.
func (a *answer) success() bool { return a.status >= 200 && a.status <= 299 }

// empty reports whether the answer holds nothing but white space.
func (a *answer) empty() bool { return len(bytes.TrimSpace(a.body)) == 0 }

// text returns the answer as valid UTF-8.
func (a *answer) text() string {
	text := string(a.body)
	if a.raw != nil {
		text = string(a.raw)
	}
	if utf8.ValidString(text) {
		return text
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}

// decode returns the answer's JSON value, nil for other answers. The error is
// about JSON that is too deep or holds a number too long to keep.
func (a *answer) decode() (value.Value, error) {
	if a.json && !a.decoded {
		if a.value, a.err = value.Decode(a.body); a.err != nil {
			a.value = nil
		}
		a.decoded = true
	}
	return a.value, a.err
}

// decodeData returns the value of a part of the answer.
func (a *answer) decodeData(data []byte) (value.Value, error) {
	if len(data) == len(a.body) && a.json {
		return a.decode()
	}
	return value.Decode(data)
}

// headers returns the header as expressions see it: names in lower case,
// repeated headers joined.
func (a *answer) headers() *value.Object {
	o := value.NewObject(len(a.header))
	for name, values := range a.header {
		o.Set(strings.ToLower(name), strings.Join(values, ", "))
	}
	return o
}

// data returns the JSON text at which schema and outputs look. ok is false when
// the answer, meant to be JSON, is not. Whoever keeps the text copies it.
func (a *answer) data(r *catalog.Response) (data []byte, ok bool) {
	switch {
	case r.As == "none":
		return nullText, true
	case r.As == "text":
		return value.AppendJSON(nil, a.text()), true
	case a.empty():
		return nullText, true
	case !a.json || a.sealed:
		return nil, false
	case r.Data == nil:
		return a.body, true
	}
	if raw, found := r.Data.Raw(a.body); found {
		return raw, true
	}
	return nullText, true
}

// output returns what an output's header or cookie says, or what get finds in the body.
func (a *answer) output(m *paths.Mapping, get func(*paths.Mapping) (value.Value, error)) (value.Value, error) {
	switch {
	case m.InBody():
		return get(m)
	case m.Cookie != "":
		if text := a.cookie(m.Cookie); text != "" {
			return m.Take(text, true)
		}
		return m.Take(nil, false)
	}
	values := a.header.Values(m.Header)
	if len(values) == 0 {
		return m.Take(nil, false)
	}
	return m.Take(strings.Join(values, ", "), true)
}

// cookie returns the value of the cookie that the answer sets under this name; "" where it
// sets none, or takes it away. The last one counts, as in a browser.
func (a *answer) cookie(name string) (text string) {
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		if c.Name == name {
			if text = c.Value; c.MaxAge < 0 {
				text = ""
			}
		}
	}
	return text
}

var nullText = []byte("null")
