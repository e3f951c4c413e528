package call

import (
	"bytes"
	"context"
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

// inMemory returns the answer to op whose body, read by bodyOf, is in buf as a whole. What takes longer
// to read than ctx lasts is not read.
func inMemory(ctx context.Context, resp *http.Response, op *operation, buf *bytes.Buffer) *answer {
	a := newAnswer(resp, inUTF8(buf), op.wantsValue())
	if op.Response.As == "xml" {
		a.readXML(ctx)
	}
	return a
}

// A boundReader reads as long as ctx lasts.
type boundReader struct {
	ctx context.Context
	in  io.Reader
}

func (r *boundReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.in.Read(p)
}
