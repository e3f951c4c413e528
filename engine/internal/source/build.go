package source

import (
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/seed627bd532/runner/engine/diag"
)

// The bounds of a document. People stay far below; what is above is an attack
// on whoever walks the nodes.
const (
	maxDepth    = 200     // lists and mappings inside of each other, aliases followed
	maxExpanded = 100_000 // nodes that aliases stand for, all together
)

// A builder makes Nodes of yaml.v3's, and reports the traps that only show there.
type builder struct {
	*reader
	text     []byte // what was parsed: the file's text, with faults of syntax painted over
	question byte   // stands for ? in the text; 0 where ? does
	anchors  map[*yaml.Node]*anchored
	count    int // nodes so far, aliased ones as often as they are named
	expanded int // those of them that came through an alias
	stopped  bool
}

// anchored is a node that aliases may name; node is nil while it is being built.
type anchored struct {
	node   *Node
	size   int
	height int
}

// node builds y, which may be an alias, at a depth. height is the number of
// lists and mappings below it, its own included.
func (b *builder) node(y *yaml.Node, depth int) (n *Node, height int) {
	if y.Kind == yaml.AliasNode {
		return b.alias(y, depth)
	}
	before := b.count
	b.count++
	a := &anchored{}
	if y.Anchor != "" {
		b.anchors[y] = a
	}
	off := b.lines.offset(y.Line, y.Column)
	switch {
	case y.Kind == yaml.ScalarNode:
		n = b.scalar(y, off)
	case depth >= maxDepth:
		b.tooDeep(off)
		n = &Node{File: b.file, Pos: b.lines.pos(off)}
	case y.Kind == yaml.SequenceNode:
		b.checkTag(y, off)
		n, height = b.list(y, off, depth)
	default:
		b.checkTag(y, off)
		n, height = b.mapping(y, off, depth)
	}
	if y.Anchor != "" {
		n.Aliased = true
		*a = anchored{node: n, size: b.count - before, height: height}
	}
	return n, height
}

// alias returns the node that y names, shared.
func (b *builder) alias(y *yaml.Node, depth int) (*Node, int) {
	off := b.lines.offset(y.Line, y.Column)
	stub := &Node{File: b.file, Pos: b.lines.pos(off), Aliased: true}
	a := b.anchors[y.Alias]
	if a == nil || a.node == nil {
		b.add(off, &diag.Diagnostic{
			Code:    "alias-loop",
			Message: fmt.Sprintf("the alias *%s stands inside of what it names", y.Value),
			Hint:    "write the value out",
		})
		return stub, 0
	}
	b.count += a.size
	b.expanded += a.size
	switch {
	case b.expanded > maxExpanded:
		if !b.stopped {
			b.stopped = true
			b.add(off, &diag.Diagnostic{
				Code:    "alias-bomb",
				Message: fmt.Sprintf("the aliases of this file stand for more than %d values", maxExpanded),
				Hint:    "use fewer aliases of aliases",
			})
		}
		b.count, b.expanded = 0, maxExpanded
		return stub, 0
	case depth+a.height > maxDepth:
		b.tooDeep(off)
		return stub, 0
	}
	return a.node, a.height
}

func (b *builder) tooDeep(off int) {
	b.add(off, &diag.Diagnostic{
		Code:    "too-deep",
		Message: fmt.Sprintf("more than %d lists and mappings inside of each other", maxDepth),
	})
}

func (b *builder) list(y *yaml.Node, off, depth int) (n *Node, height int) {
	n = &Node{File: b.file, Kind: List, Pos: b.lines.pos(b.start(y, off)), Items: make([]*Node, 0, len(y.Content))}
	for _, c := range y.Content {
		item, h := b.node(c, depth+1)
		b.checkWord(c, item)
		n.Items = append(n.Items, item)
		n.Aliased = n.Aliased || item.Aliased
		height = max(height, h)
	}
	return n, height + 1
}

func (b *builder) mapping(y *yaml.Node, off, depth int) (n *Node, height int) {
	n = &Node{File: b.file, Kind: Mapping, Pos: b.lines.pos(b.start(y, off)), Pairs: make([]Pair, 0, len(y.Content)/2)}
	var seen map[string]*Node // for mappings too large to be searched for each key
	if len(y.Content) > 32 {
		seen = make(map[string]*Node, len(y.Content)/2)
	}
	for i := 0; i+1 < len(y.Content); i += 2 {
		key := b.key(y.Content[i], depth+1)
		v, h := b.node(y.Content[i+1], depth+1)
		height = max(height, h)
		if key == nil {
			continue
		}
		b.checkWord(y.Content[i+1], v)
		first := seen[key.Text]
		if seen == nil {
			first = n.Key(key.Text)
		}
		if first != nil {
			d := key.Errorf("duplicate-key", "the key %q is here twice", key.Text)
			d.Hint = "keep one of them"
			d.Related = []diag.Place{{File: b.file, Pos: first.Pos, Note: "it is here first"}}
			b.faults.Add(d)
			continue
		}
		if seen != nil {
			seen[key.Text] = key
		}
		n.Pairs = append(n.Pairs, Pair{key, v})
		n.Aliased = n.Aliased || key.Aliased || v.Aliased
	}
	return n, height + 1
}

// start returns the offset of the first key or item of a list or mapping: an
// anchor or a tag comes before it.
func (b *builder) start(y *yaml.Node, off int) int {
	if len(y.Content) > 0 {
		c := y.Content[0]
		off = b.lines.offset(c.Line, c.Column)
		if c.Kind == yaml.ScalarNode {
			return trace(b.text, off, c).start
		}
		return off
	}
	return skipProperties(b.text, off)
}

// key builds the key of a mapping, or returns nil after having reported it.
func (b *builder) key(y *yaml.Node, depth int) *Node {
	off := b.lines.offset(y.Line, y.Column)
	target := y
	if y.Kind == yaml.AliasNode {
		target = y.Alias
	}
	switch {
	case target.Kind != yaml.ScalarNode:
		d := &diag.Diagnostic{
			Code:    "key",
			Message: "a key must be a text, not a list or a mapping",
			Hint:    "quote it",
		}
		if off > 0 && b.text[off] == '{' && b.text[off-1] == '{' {
			off--
			d.Hint = `a marker is written ${{ … }}; inside of [ ] and { }, quote it: "${{ … }}"`
		}
		b.add(off, d)
		return nil
	case target.Style&quotedStyles != 0, target.Style&yaml.TaggedStyle != 0:
	case target.Value == "<<":
		b.add(off, &diag.Diagnostic{
			Code:    "merge-key",
			Message: "merge keys (<<) are not supported",
			Hint:    "write the keys out, or name the whole value with an alias",
		})
		return nil
	case isNull(target.Value):
		b.add(off, &diag.Diagnostic{
			Code:    "key",
			Message: "a key must not be empty or null",
			Hint:    "give it a name, or quote it",
		})
		return nil
	}
	if y.Kind == yaml.AliasNode {
		n, _ := b.alias(y, depth)
		key := *n // a key stands where it is named
		key.Pos, key.places, key.placeless = b.lines.pos(off), nil, true
		return &key
	}
	b.count++
	s := trace(b.text, off, y)
	n := b.place(y, s)
	b.checkTag(y, off)
	b.checkMarker(y, n, s)
	if y.Anchor != "" {
		n.Aliased = true
		b.anchors[y] = &anchored{node: n, size: 1}
	}
	return n
}

// scalar builds a value or an item.
func (b *builder) scalar(y *yaml.Node, off int) *Node {
	s := trace(b.text, off, y)
	n := b.place(y, s)
	if b.checkTag(y, off) && !n.Quoted {
		b.checkNumber(y, n)
		b.checkComment(y, n, s)
		b.checkMarker(y, n, s)
	}
	return n
}

// place makes the Node of a scalar that was traced.
func (b *builder) place(y *yaml.Node, s span) *Node {
	n := &Node{
		File:      b.file,
		Text:      y.Value,
		Quoted:    y.Style&quotedStyles != 0 || y.Tag == "!!str" && y.Style&yaml.TaggedStyle != 0,
		Pos:       b.lines.pos(s.start),
		placeless: !s.ok,
	}
	if b.question != 0 {
		n.Text = strings.ReplaceAll(n.Text, string(b.question), "?")
	}
	if len(s.marks) > 1 {
		n.places = make([]place, len(s.marks))
		for i, m := range s.marks {
			n.places[i] = place{m.runes, b.lines.pos(m.off)}
		}
	}
	return n
}
