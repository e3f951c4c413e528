package state

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed627bd532/runner/engine/auth"
)

// Memory is a Journal, Tokens and Locks that live and end with the process.
// Make one with NewMemory.
type Memory struct {
	memoryLocks

	mu      sync.Mutex
	entries map[id]Entry
	below   map[place]map[id]bool   // what Fold forgets
	creates map[string]map[id]Entry // by identity: intended and done
	tokens  map[string]auth.Token
}

var (
	_ Journal = (*Memory)(nil)
	_ Locks   = (*Memory)(nil)
	_ Tokens  = (*Memory)(nil)
)

// id is the name of an entry.
type id struct {
	run  string
	kind Kind
	key  string
}

// place is a key that others continue.
type place struct{ run, key string }

// NewMemory returns an empty memory.
func NewMemory() *Memory {
	return &Memory{
		memoryLocks: memoryLocks{queues: map[string]*queue{}},
		entries:     map[id]Entry{},
		below:       map[place]map[id]bool{},
		creates:     map[string]map[id]Entry{},
		tokens:      map[string]auth.Token{},
	}
}

// Get is part of Journal. It never fails.
func (m *Memory) Get(_ context.Context, run string, kind Kind, key string) (Entry, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.entries[id{run, kind, key}]
	return e, ok, nil
}

// Put is part of Journal. It never fails.
func (m *Memory) Put(_ context.Context, entries ...Entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range entries {
		m.put(e)
	}
	return nil
}

// Fold is part of Journal. It never fails.
func (m *Memory) Fold(_ context.Context, e Entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.below[place{e.Run, e.Key}] {
		m.forget(i)
	}
	for _, kind := range []Kind{Call, Sleep, Time, Item} {
		m.forget(id{e.Run, kind, e.Key})
	}
	m.put(e)
	return nil
}

// Creates is part of Journal. It never fails.
func (m *Memory) Creates(_ context.Context, identity string, since time.Time) ([]Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []Entry
	for _, e := range m.creates[identity] {
		if e.Status == Intended || !e.At.Before(since) {
			found = append(found, e)
		}
	}
	slices.SortFunc(found, func(a, b Entry) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Run, b.Run), cmp.Compare(a.Key, b.Key))
	})
	return found, nil
}

// Token is part of Tokens. It never fails.
func (m *Memory) Token(_ context.Context, key string) (auth.Token, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, ok := m.tokens[key]
	return t, ok, nil
}

// PutToken is part of Tokens. It never fails.
func (m *Memory) PutToken(_ context.Context, key string, t auth.Token) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tokens[key] = t
	return nil
}

func (m *Memory) put(e Entry) {
	i := id{e.Run, e.Kind, e.Key}
	if _, known := m.entries[i]; !known {
		for above := range placesAbove(i) {
			if m.below[above] == nil {
				m.below[above] = map[id]bool{}
			}
			m.below[above][i] = true
		}
	}
	m.entries[i] = e
	switch {
	case e.Identity == "":
	case e.Status == Undone:
		delete(m.creates[e.Identity], i)
		if len(m.creates[e.Identity]) == 0 {
			delete(m.creates, e.Identity)
		}
	default:
		if m.creates[e.Identity] == nil {
			m.creates[e.Identity] = map[id]Entry{}
		}
		m.creates[e.Identity][i] = e
	}
}

func (m *Memory) forget(i id) {
	if _, known := m.entries[i]; !known {
		return
	}
	delete(m.entries, i)
	for above := range placesAbove(i) {
		delete(m.below[above], i)
		if len(m.below[above]) == 0 {
			delete(m.below, above)
		}
	}
}

// placesAbove yields the keys that i's key continues with "/" or "#".
func placesAbove(i id) func(yield func(place) bool) {
	return func(yield func(place) bool) {
		for at := range len(i.key) {
			if strings.IndexByte("/#", i.key[at]) >= 0 && !yield(place{i.run, i.key[:at]}) {
				return
			}
		}
	}
}
