package source

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/seed627bd532/runner/engine/diag"
)

// Kind tells the three shapes of a Node apart.
type Kind int

// The kinds of nodes.
const (
	Scalar Kind = iota
	List
	Mapping
)

// A Node is one value of a YAML file, with its place. Nodes never change, and
// may be read by many goroutines at once. A node that has aliases is shared by
// all places that name it, so that a walk may meet it more than once.
type Node struct {
	File *diag.File
	Kind Kind
	// Pos is where the value starts: for a scalar its first character (after
	// quotes, tags and block indicators), else its first key or item.
	Pos diag.Pos

	// Text is a scalar's decoded text, exactly as written for plain scalars.
	Text string
	// Quoted is true for quoted and block scalars: these are strings, always.
	Quoted bool

	// Pairs are a mapping's entries in file order.
	Pairs []Pair
	// Items are a list's entries.
	Items []*Node
	// Aliased is set where the node, or one below it, came through an anchor or alias.
	Aliased bool

	// places are the runes of Text that do not stand right after the one before,
	// in order; nil when all runes stand in one row from Pos.
	places []place
	// placeless is set when the runes' places could not be found again.
	placeless bool
}

// A Pair is one entry of a mapping. Key is a scalar.
type Pair struct{ Key, Value *Node }

type place struct {
	runes int // offset in Text
	pos   diag.Pos
}

// At returns the place of the rune at offset runes in the scalar's Text,
// exact in every scalar style; the scalar's start where it cannot be known.
// Offsets outside of the text count as its start or its end.
func (n *Node) At(runes int) diag.Pos {
	if n.Kind != Scalar || n.placeless {
		return n.Pos
	}
	runes = min(max(runes, 0), utf8.RuneCountInString(n.Text))
	at := place{pos: n.Pos}
	i, found := slices.BinarySearchFunc(n.places, runes, func(p place, runes int) int {
		return cmp.Compare(p.runes, runes)
	})
	if found {
		at = n.places[i]
	} else if i > 0 {
		at = n.places[i-1]
	}
	at.pos.Col += runes - at.runes
	return at.pos
}

// Get returns the value of a mapping's key, or nil. n may be nil.
func (n *Node) Get(key string) *Node {
	if p := n.pair(key); p != nil {
		return p.Value
	}
	return nil
}

// Key returns the key node, or nil. n may be nil.
func (n *Node) Key(key string) *Node {
	if p := n.pair(key); p != nil {
		return p.Key
	}
	return nil
}

func (n *Node) pair(key string) *Pair {
	if n == nil {
		return nil
	}
	for i := range n.Pairs {
		if n.Pairs[i].Key.Text == key {
			return &n.Pairs[i]
		}
	}
	return nil
}

// Find follows an RFC 6901 pointer, as far as it leads; ok says whether all of it did.
func (n *Node) Find(pointer string) (at *Node, ok bool) {
	if pointer == "" {
		return n, n != nil
	}
	if n == nil || pointer[0] != '/' {
		return n, false
	}
	for token := range strings.SplitSeq(pointer[1:], "/") {
		next := n.child(unescape.Replace(token))
		if next == nil {
			return n, false
		}
		n = next
	}
	return n, true
}

// unescape turns a pointer's token into a key; a Replacer takes the earliest
// match and never looks at its own output, so that ~01 gives ~1.
var unescape = strings.NewReplacer("~1", "/", "~0", "~")

func (n *Node) child(token string) *Node {
	if n.Kind != List {
		return n.Get(token)
	}
	i, err := strconv.Atoi(token)
	if err != nil || i < 0 || i >= len(n.Items) || strconv.Itoa(i) != token {
		return nil
	}
	return n.Items[i]
}

// Errorf returns an error-severity diagnostic at the node's start.
func (n *Node) Errorf(code, format string, args ...any) *diag.Diagnostic {
	return n.fault(diag.Error, n.Pos, code, format, args)
}

// ErrorAt returns an error-severity diagnostic at the rune at offset runes in
// the scalar's Text.
func (n *Node) ErrorAt(runes int, code, format string, args ...any) *diag.Diagnostic {
	return n.fault(diag.Error, n.At(runes), code, format, args)
}

// Warnf returns a warning at the node's start.
func (n *Node) Warnf(code, format string, args ...any) *diag.Diagnostic {
	return n.fault(diag.Warning, n.Pos, code, format, args)
}

func (n *Node) fault(s diag.Severity, at diag.Pos, code, format string, args []any) *diag.Diagnostic {
	return &diag.Diagnostic{File: n.File, Pos: at, Severity: s, Code: code, Message: fmt.Sprintf(format, args...)}
}
