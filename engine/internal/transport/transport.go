// Package transport is the way to the wire: one tuned HTTP client, the rule
// that keeps credentials at their origin, and an account of whether a request
// may have left this machine.
package transport

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

const (
	dialTimeout = 10 * time.Second
	// idleFor stays below the minute after which many servers close an idle
	// connection, so that few requests meet one that is being closed.
	idleFor = 50 * time.Second
	// idlePerHost must not be less than the rows that run at the same time: a
	// connection that finds no room is closed, and the next call dials again.
	idlePerHost    = 256
	maxHeaderBytes = 1 << 20
)

// A Dial opens a network connection, as net.Dialer.DialContext does.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Default returns a new client over real connections. It has no timeout of its
// own: every call brings a context with a deadline.
func Default() *http.Client {
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}
	return New(dialer.DialContext)
}

// New returns a new client over the connections that dial opens. They are
// watched, so that a Progress knows whether a request's bytes left.
func New(dial Dial) *http.Client {
	return &http.Client{Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := dial(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &watched{Conn: c}, nil
		},
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: dialTimeout,
		// With a dialer of our own, ALPN is asked for HTTP/2 only when told to.
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    idlePerHost,
		IdleConnTimeout:        idleFor,
		MaxResponseHeaderBytes: maxHeaderBytes,
	}}
}
