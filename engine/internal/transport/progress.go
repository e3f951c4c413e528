package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
)

// watched counts the writes to a connection.
type watched struct {
	net.Conn
	writes atomic.Int64
}

// Write counts before it writes: whoever reads the count after the connection
// was closed has then seen every write that could still have succeeded.
func (w *watched) Write(p []byte) (int, error) {
	w.writes.Add(1)
	n, err := w.Conn.Write(p)
	if n == 0 && err != nil {
		w.writes.Add(-1)
	}
	return n, err
}

// Progress tells whether one request may have left this machine, which decides
// whether a create may be sent again. It errs to the side of "may have".
type Progress struct {
	mu    sync.Mutex
	asked bool // the transport reports what it does
	got   bool // a connection was there to write to
	left  bool // an earlier connection of this request was written to
	conn  *watched
	start int64
}

// Context returns a context for the request that is to be watched.
func (p *Progress) Context(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.asked = true
		},
		GotConn: func(info httptrace.GotConnInfo) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.left = p.left || p.wrote()
			p.got, p.conn = true, unwrap(info.Conn)
			if p.conn != nil {
				p.start = p.conn.writes.Load()
			}
		},
	})
}

// MayHaveLeft reports whether bytes of the request may have been sent, after
// the request failed with err. ctx is the request's context.
func (p *Progress) MayHaveLeft(ctx context.Context, err error) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !p.asked:
		// A foreign round tripper: only a failed dial is known to have sent nothing.
		var op *net.OpError
		return !errors.As(err, &op) || op.Op != "dial"
	case !p.got:
		return false
	case ctx.Err() != nil || timedOut(err):
		// The transport gives up at once, and its writer may be about to write.
		return true
	}
	return p.left || p.wrote()
}

// timedOut reports whether err tells of a time limit, such as a client's own.
func timedOut(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

// wrote reports whether the connection was written to since it was got. A
// connection that is not ours to watch counts as written to.
func (p *Progress) wrote() bool {
	return p.got && (p.conn == nil || p.conn.writes.Load() != p.start)
}

func unwrap(c net.Conn) *watched {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	w, _ := c.(*watched)
	return w
}
