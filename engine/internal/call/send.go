package call

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/transport"
)

// trouble is what came in the place of a whole answer.
type trouble struct {
	err error
	// left says that the request may have reached the vendor.
	left bool
	// status and header are those of an answer whose body could not be read; 0 and nil else.
	status int
	header http.Header
	size   int64 // of the part of the body that was read
	// tooLarge says that the body was longer than may be; "" that it was not.
	tooLarge string
	// unkept says that the body was too large for memory, and the disk failed.
	unkept bool
}

// send makes one HTTP request and reads its answer to the end, so that the
// connection can be used again. Exactly one of answer and trouble is nil; the
// answer must be released.
func (e *Executor) send(ctx context.Context, j *job, w *wire) (*answer, *trouble) {
	var progress transport.Progress
	req := w.http(progress.Context(ctx))
	if e.client.Jar != nil {
		// The client writes its cookies into the header that it is given.
		req.Header = w.header.Clone()
	}
	resp, err := e.roundTrip(j, j.op.Name, req)
	if err != nil {
		return nil, &trouble{err: plain(err), left: progress.MayHaveLeft(ctx, err)}
	}
	defer resp.Body.Close()
	if err := handedOver(resp); err != nil {
		return nil, &trouble{err: err, left: true, status: resp.StatusCode, header: resp.Header}
	}
	resp.Body = io.NopCloser(bodyOf(resp, j.op))
	buf := buffers.Get().(*bytes.Buffer)
	limit := e.maxAnswer
	streams := j.op.streams()
	if streams {
		limit = min(limit, e.spoolFrom)
	}
	n, err := buf.ReadFrom(io.LimitReader(resp.Body, limit+1))
	switch {
	case err != nil:
		recycle(buf)
		return nil, &trouble{err: err, left: true, status: resp.StatusCode, header: resp.Header, size: n}
	case n > limit && streams:
		return e.spooled(resp, j, buf)
	case n > limit:
		recycle(buf)
		return nil, &trouble{left: true, status: resp.StatusCode, header: resp.Header, size: n,
			tooLarge: "the answer is larger than " + bytesText(limit)}
	}
	return inMemory(ctx, resp, j.op, buf), nil
}

// roundTrip has one request answered. No redirect is followed.
func (e *Executor) roundTrip(j *job, operation string, req *http.Request) (*http.Response, error) {
	if e.wire != nil {
		return e.wire(Asked{Connection: j.connection.Name, Operation: operation, Key: j.key}, req)
	}
	return e.client.Do(req)
}

// errHandedOver is an answer that is none: it hands the connection over to another protocol.
var errHandedOver = errors.New("the vendor switched to another protocol, which was not requested")

// handedOver refuses an answer that hands the connection over. Its body has no end, and no context
// ends a read of it: net/http lets go of such a connection.
func handedOver(resp *http.Response) error {
	if _, writable := resp.Body.(io.Writer); writable || resp.StatusCode < 200 {
		return errHandedOver
	}
	return nil
}

// plain takes off what net/http wraps around an error: method and URL, which
// our messages say better, and masked, and words about its own inside.
func plain(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if inner := errors.Unwrap(err); inner != nil && strings.HasPrefix(err.Error(), "net/http: HTTP/1.x transport") {
		return inner
	}
	return err
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// keepBuffers bounds the buffers that are kept: one large answer should not stay for ever.
const keepBuffers = 1 << 20

func recycle(buf *bytes.Buffer) {
	if buf.Cap() <= keepBuffers {
		buf.Reset()
		buffers.Put(buf)
	}
}

// timedOut is the code of a request whose answer, or connection, took too long.
const timedOut = "timeout"

// unanswered says what a request without a whole answer amounts to: busy when
// it cannot have left, else unknown.
func (e *Executor) unanswered(ctx, run context.Context, j *job, t *trouble) (flow.Result, error) {
	if !t.left && run.Err() != nil {
		return flow.Result{}, fmt.Errorf("%s: %w", j.name(), context.Cause(run))
	}
	res := flow.Result{Outcome: flow.Unknown, Status: t.status, Sent: t.left, RetryAfter: retryAfter(t.header, e.clock.Now())}
	switch {
	case t.tooLarge != "":
		res.Outcome, res.Code, res.Message = j.broken(), "too-large", t.tooLarge
	case t.unkept:
		res.Code, res.Message = "unreadable", t.err.Error()
	case run.Err() != nil:
		res.Code, res.Message = "interrupted", "the run was stopped before the answer came"
	case ctx.Err() != nil && !t.left:
		res.Outcome, res.Code = flow.Busy, timedOut
		res.Message = fmt.Sprintf("no connection within %v", j.bound().Round(time.Millisecond))
	case ctx.Err() != nil:
		res.Code, res.Message = timedOut, fmt.Sprintf("no answer within %v", j.bound().Round(time.Millisecond))
	case !t.left:
		res.Outcome, res.Code = flow.Busy, "unreachable"
		res.Message, res.Hint = "cannot reach the vendor: "+t.err.Error(), unreachableHint(t.err)
	case errors.Is(t.err, errHandedOver):
		res.Code, res.Message = "unreadable", t.err.Error()
	case errors.As(t.err, new(*formatError)):
		e.otherFormat(&res, j, t)
	case t.status != 0:
		res.Code, res.Message = "unreadable", fmt.Sprintf("the answer broke off after %s: %v", bytesText(t.size), t.err)
	default:
		res.Code, res.Message = "connection-lost", fmt.Sprintf("the connection was lost before an answer came: %v", t.err)
	}
	res.Message = e.short(res.Message)
	return res, nil
}

// otherFormat tells of an answer that is not of the format that the vendor file says.
func (e *Executor) otherFormat(res *flow.Result, j *job, t *trouble) {
	var format *formatError
	errors.As(t.err, &format)
	res.Outcome, res.Code = j.broken(), "contract-broken"
	res.Message = fmt.Sprintf("the answer of %s breaks its contract: it %s", j.name(), format.what)
	head := &answer{status: t.status, body: format.head, shy: len(j.op.secretOutputs) > 0}
	if head.looksLikeHTML() {
		res.Hint = webPage
	}
	if text := strings.TrimSpace(e.shown(head)); text != "" {
		res.Message += "; it begins: " + text
	}
}

func unreachableHint(err error) string {
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return "check the host in the connection's base_url"
	case errors.As(err, &cert):
		return "the certificate of the vendor's host is not trusted on this machine"
	case errors.As(err, &record):
		return "the host does not speak TLS there; check scheme and port of the connection's base_url"
	}
	return ""
}

// broken is the outcome of an answer that says neither yes nor no: a create may
// well have happened, anything else would be answered in the same way again.
func (j *job) broken() flow.Outcome {
	if j.op.Effect == flow.Create {
		return flow.Unknown
	}
	return flow.Invalid
}

func bytesText(n int64) string {
	const mib, kib = 1 << 20, 1 << 10
	switch {
	case n == 1:
		return "1 byte"
	case n < kib:
		return fmt.Sprintf("%d bytes", n)
	case n < mib:
		return fmt.Sprintf("%d KiB", n/kib)
	}
	return fmt.Sprintf("%d MiB", n/mib)
}
