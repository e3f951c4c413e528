package call

import (
	"bytes"
	"io"
	"net/http"
)

// bodyOf returns the body of an answer to op as the engine reads it: in UTF-8 where the vendor says that
// it is in Latin-1, and rows of CSV and JSON Lines as one JSON list, made while it is read.
func bodyOf(resp *http.Response, op *operation) io.Reader {
	body := io.Reader(resp.Body)
	if inLatin(resp) {
		body = &utf8Reader{in: body, latin: true}
	}
	if inRows(&op.Response) && resp.StatusCode >= 200 && resp.StatusCode <= 299 {
		body = asList(&op.Response, &utf8Reader{in: body})
	}
	return body
}

// inMemory returns the answer to op whose body, read by bodyOf, is in buf as a whole.
func inMemory(resp *http.Response, op *operation, buf *bytes.Buffer) *answer {
	a := newAnswer(resp, inUTF8(buf), op.wantsValue())
	if op.Response.As == "xml" {
		a.readXML()
	}
	return a
}
