package call

import (
	"bytes"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"
)

// latin are the names of the charsets that are read as Windows-1252. As on the web,
// Latin-1 is one of them: it differs only where it has no characters to show.
var latin = map[string]bool{"iso-8859-1": true, "iso8859-1": true, "latin1": true, "windows-1252": true, "cp1252": true}

// windows1252 are the characters from 0x80 to 0x9F. Above, they are those of Unicode.
var windows1252 = [32]rune{
	'€', 0x81, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', 0x8D, 'Ž', 0x8F,
	0x90, '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', 0x9D, 'ž', 'Ÿ',
}

// inLatin reports whether an answer says that it is written in such a charset.
func inLatin(resp *http.Response) bool {
	_, params, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return latin[strings.ToLower(params["charset"])]
}

// inUTF8 returns the text of an answer in UTF-8, in which JSON has to come. Older systems
// write Latin-1, and do not always say so: what cannot be UTF-8 is taken for that.
func inUTF8(buf *bytes.Buffer) *bytes.Buffer {
	if utf8.Valid(buf.Bytes()) {
		return buf
	}
	translated := new(bytes.Buffer)
	translated.ReadFrom(&utf8Reader{in: buf}) // from memory, so that nothing can fail
	recycle(buf)
	return translated
}

// A utf8Reader gives the text of in, piece by piece, in UTF-8.
type utf8Reader struct {
	in    io.Reader
	latin bool // each byte is a character; else those are that cannot be UTF-8
	raw   [32 << 10]byte
	rest  []byte // at the end of what was read: the beginning of a character
	text  []byte // to be handed out
	err   error
}

func (r *utf8Reader) Read(p []byte) (int, error) {
	for len(r.text) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		r.fill()
	}
	n := copy(p, r.text)
	r.text = r.text[n:]
	return n, nil
}

func (r *utf8Reader) fill() {
	kept := copy(r.raw[:], r.rest)
	n, err := r.in.Read(r.raw[kept:])
	r.text, r.rest, r.err = r.raw[:kept+n], nil, err
	if err == nil && !r.latin {
		r.text, r.rest = cutCharacter(r.text)
	}
	if r.latin || !utf8.Valid(r.text) {
		r.text = translate(r.text, r.latin)
	}
}

// cutCharacter cuts the beginning of a character off the end of text.
func cutCharacter(text []byte) (whole, beginning []byte) {
	for i := len(text) - 1; i >= max(0, len(text)-utf8.UTFMax); i-- {
		if utf8.RuneStart(text[i]) {
			if !utf8.FullRune(text[i:]) {
				return text[:i], text[i:]
			}
			break
		}
	}
	return text, nil
}

func translate(text []byte, latin bool) []byte {
	out := make([]byte, 0, len(text)+len(text)/8)
	for len(text) > 0 {
		c, size := utf8.DecodeRune(text)
		if latin || c == utf8.RuneError && size == 1 {
			c, size = rune(text[0]), 1
			if c >= 0x80 && c < 0xA0 {
				c = windows1252[c-0x80]
			}
		}
		out = utf8.AppendRune(out, c)
		text = text[size:]
	}
	return out
}
