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

// Memory is a Store and Tokens that live and end with the process. Make one
// with NewMemory.
type Memory struct {
	memoryLocks
	memoryTables

	mu      sync.Mutex
	runs    map[string]Run
	keys    map[string]string // ids of runs by their keys
	entries map[id]Entry
	below   map[place]map[id]bool  // what Fold forgets
	folded  map[id]Entry           // creates that Fold took out of entries
	creates map[string]map[id]bool // by identity: those of both that are intended or done
	tokens  map[string]auth.Token
}

var (
	_ Store  = (*Memory)(nil)
	_ Tokens = (*Memory)(nil)
)

// id is the name of an entry.
type id struct {
	run  string
	kind Kind
	key  string
}

func idOf(e Entry) id { return id{e.Run, e.Kind, e.Key} }

// place is a key that others continue.
type place struct{ run, key string }

// NewMemory returns an empty memory.
func NewMemory() *Memory {
	return &Memory{
		memoryLocks:  memoryLocks{queues: map[string]*queue{}},
		memoryTables: memoryTables{tables: map[string]map[string][]byte{}},
		runs:         map[string]Run{},
		keys:         map[string]string{},
		entries:      map[id]Entry{},
		below:        map[place]map[id]bool{},
		folded:       map[id]Entry{},
		creates:      map[string]map[id]bool{},
		tokens:       map[string]auth.Token{},
	}
}

// Close is part of Store. It does nothing.
func (m *Memory) Close() error { return nil }

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
		m.fold(i)
	}
	for _, kind := range []Kind{Call, Sleep, Time, Item} {
		if kind != e.Kind {
			m.fold(id{e.Run, kind, e.Key})
		}
	}
	m.put(e)
	return nil
}

// Creates is part of Journal. It never fails.
func (m *Memory) Creates(_ context.Context, identity string, since time.Time) ([]Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []Entry
	for i := range m.creates[identity] {
		e, ok := m.entries[i]
		if !ok {
			e = m.folded[i]
		}
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
	i := idOf(e)
	e.At = moment(e.At)
	if old, known := m.entries[i]; known {
		m.forget(old)
	} else {
		m.drop(i)
		for above := range placesAbove(i) {
			if m.below[above] == nil {
				m.below[above] = map[id]bool{}
			}
			m.below[above][i] = true
		}
	}
	m.entries[i] = e
	m.index(e)
}

// fold forgets an entry, but for creates that may have taken place.
func (m *Memory) fold(i id) {
	e, known := m.entries[i]
	if !known {
		return
	}
	m.drop(i)
	if mayExist(e) {
		m.folded[i] = e
		m.index(e)
	}
}

// index lets Creates find e.
func (m *Memory) index(e Entry) {
	if e.Identity == "" || !mayExist(e) {
		return
	}
	if m.creates[e.Identity] == nil {
		m.creates[e.Identity] = map[id]bool{}
	}
	m.creates[e.Identity][idOf(e)] = true
}

// drop takes whatever is kept of an entry away.
func (m *Memory) drop(i id) {
	e, known := m.entries[i]
	if known {
		delete(m.entries, i)
		for above := range placesAbove(i) {
			delete(m.below[above], i)
			if len(m.below[above]) == 0 {
				delete(m.below, above)
			}
		}
	} else if e, known = m.folded[i]; known {
		delete(m.folded, i)
	}
	m.forget(e)
}

// forget keeps Creates from finding e.
func (m *Memory) forget(e Entry) {
	if e.Identity == "" {
		return
	}
	delete(m.creates[e.Identity], idOf(e))
	if len(m.creates[e.Identity]) == 0 {
		delete(m.creates, e.Identity)
	}
}

// mayExist says whether e is a create whose work the vendor may have.
func mayExist(e Entry) bool { return e.Status == Intended || e.Status == Done }

// moment returns t as all kinds of state give it back.
func moment(t time.Time) time.Time { return t.Round(0).UTC() }

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
