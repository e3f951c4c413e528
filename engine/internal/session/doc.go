// Package session is one run seen from its edges: the inputs that come in, the
// connections it needs, the runtime it walks on, and what it came to.
package session
