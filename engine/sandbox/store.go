package sandbox

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seed627bd532/runner/engine/internal/value"
)

// A store is what a sandbox remembers. Its values never change: a change puts a
// new state in place of the old one, so that a failed request is undone by
// keeping the old. It is guarded by its sandbox.
type store struct {
	state    *value.Object
	lives    map[*value.Object]*life
	counters map[string]int64
}

// A life is what reads and elapsed tell about a record.
type life struct {
	born   time.Time
	reads  int64
	readIn int // the number of the turn that was counted last
}

// newStore returns a store that begins with state, which may be nil.
func newStore(state *value.Object, now time.Time) *store {
	s := &store{state: value.NewObject(state.Len()), lives: map[*value.Object]*life{}, counters: map[string]int64{}}
	for name, v := range state.All() {
		if list, ok := v.(value.List); ok {
			for _, row := range list {
				s.begin(row, now)
			}
			v = slices.Clone(list) // insert appends to it, and other stores begin with the same one
		}
		s.state.Set(name, v)
	}
	return s
}

func (s *store) next(name string, start int64) int64 {
	n, ok := s.counters[name]
	if !ok {
		n = start
	}
	s.counters[name] = n + 1
	return n
}

func (s *store) begin(row value.Value, now time.Time) {
	if o, ok := row.(*value.Object); ok {
		s.lives[o] = &life{born: now}
	}
}

func (s *store) lifeOf(row value.Value) (*life, error) {
	o, ok := row.(*value.Object)
	if !ok {
		return nil, fmt.Errorf("expected a record of the state, found %s", value.KindOf(row))
	}
	l := s.lives[o]
	if l == nil {
		return nil, errors.New("expected a record of the state, found another object")
	}
	return l, nil
}

// list returns a collection; decoding has made sure that there is a list of this name.
func (s *store) list(name string) value.List {
	list, _ := s.state.At(name).(value.List)
	return list
}

func (s *store) setList(name string, list value.List) {
	s.state = s.state.Clone()
	s.state.Set(name, list)
}

// empty takes everything out of a list.
func (s *store) empty(name string) {
	s.setList(name, value.List{})
	s.prune()
}

// insert appends a row, into memory that it shares with the states before:
// they end where they ended, and only the newest state is ever appended to.
func (s *store) insert(name string, row value.Value, now time.Time) {
	if o, ok := row.(*value.Object); ok && s.lives[o] != nil {
		row = o.Clone() // stands in the state already: the copy gets a life of its own
	}
	s.begin(row, now)
	s.setList(name, append(s.list(name), row))
}

// inherit lets a changed record go on living as with.
func (s *store) inherit(old, with *value.Object) {
	if l := s.lives[old]; l != nil {
		s.lives[with] = l
	}
}

// prune forgets the lives of rows that are in no list any more.
func (s *store) prune() {
	kept := make(map[*value.Object]*life, len(s.lives))
	for _, v := range s.state.All() {
		list, _ := v.(value.List)
		for _, row := range list {
			if o, ok := row.(*value.Object); ok {
				kept[o] = s.lives[o]
			}
		}
	}
	s.lives = kept
}
