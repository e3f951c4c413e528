package expr

import (
	"errors"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// A chain is a name followed by members: steps.lookup?.outputs.AccountId. It is
// walked in one loop, without a frame when it starts at a scope's name.
type chain struct {
	name  string
	index int // of the name in Vars
	local int // slot of a let variable or element, or -1
	links []link
}

type link struct {
	name     string
	at       spot
	optional bool        // written with ?.
	of       *types.Type // what it is read from
	// last is where the member was found last: the objects that come by are mostly of one make.
	last int32
}

// in returns the member of o, null for none.
func (l *link) in(o *value.Object) value.Value {
	last := int(atomic.LoadInt32(&l.last))
	v, i := o.AtNear(l.name, last)
	if i >= 0 && i != last {
		atomic.StoreInt32(&l.last, int32(i))
	}
	return v
}

func (c *compiler) root(t *types.Type, ch *chain) term {
	if len(c.facts) > 0 {
		t = refined(t, ch.rootName(), c.facts)
	}
	return c.chained(ch, t)
}

func (c *compiler) chained(ch *chain, t *types.Type) term {
	run := func(f *frame) (value.Value, error) { return ch.walk(ch.rootOf(f.vars)) }
	if ch.local >= 0 {
		run = func(f *frame) (value.Value, error) { return ch.walk(f.locals[ch.local]) }
	}
	return term{typ: t, chain: ch, run: run}
}

func (ch *chain) rootOf(vars Vars) value.Value {
	if ch.index < len(vars) {
		return vars[ch.index]
	}
	return nil
}

// walk follows the links. A ?. on null ends the chain with null.
func (ch *chain) walk(v value.Value) (value.Value, error) {
	v, err := ch.follow(v)
	if err == errSkip { // never wrapped, never seen outside
		return nil, nil
	}
	return v, err
}

// follow is walk for a chain that goes on after its links: a ?. on null gives errSkip.
// A member that is not there is null.
func (ch *chain) follow(v value.Value) (value.Value, error) {
	for i := range ch.links {
		l := &ch.links[i]
		switch o := v.(type) {
		case *value.Object:
			v = l.in(o)
		case nil:
			if l.optional {
				return nil, errSkip
			}
			return nil, l.at.errorf("cannot read %s of null: %s is null", l.name, ch.upTo(i))
		default:
			return nil, l.at.errorf("cannot read %s of %s", l.name, types.KindOf(v))
		}
	}
	return v, nil
}

// upTo writes the chain as far as its first n links.
func (ch *chain) upTo(n int) string {
	var b strings.Builder
	b.WriteString(ch.name)
	for _, l := range ch.links[:n] {
		if l.optional {
			b.WriteByte('?')
		}
		b.WriteString("." + l.name)
	}
	return strings.TrimPrefix(b.String(), "#.") // .x of an element
}

// String returns the chain as written with dots.
func (ch *chain) String() string { return ch.upTo(len(ch.links)) }

func (ch *chain) extend(l link) *chain {
	longer := *ch
	longer.links = append(ch.links[:len(ch.links):len(ch.links)], l)
	return &longer
}

// errSkip ends a chain whose ?. met null, as far as optionalChain.
var errSkip = errors.New("chain skipped")

// path returns what the chain reads, with ?. or without, for a Fact.
func (ch *chain) path() []string {
	path := make([]string, 1, len(ch.links)+2)
	path[0] = ch.rootName()
	for _, l := range ch.links {
		path = append(path, l.name)
	}
	return path
}

// rootName names what the chain begins with: no name of a scope begins as a slot does.
func (ch *chain) rootName() string {
	if ch.local >= 0 {
		return "#" + strconv.Itoa(ch.local)
	}
	return ch.name
}
