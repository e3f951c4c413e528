package transport

import (
	"net"
	"net/url"
	"strings"
)

// SameOrigin reports whether a and b agree in scheme, host and port. What is
// injected into a request goes to the origin it was configured for, and to no other.
func SameOrigin(a, b *url.URL) bool { return Origin(a) == Origin(b) }

// Origin returns scheme, host and port, in one form for all ways to write them.
func Origin(u *url.URL) string {
	return strings.ToLower(u.Scheme + "://" + net.JoinHostPort(u.Hostname(), port(u)))
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	switch strings.ToLower(u.Scheme) {
	case "http":
		return "80"
	case "https":
		return "443"
	}
	return ""
}
