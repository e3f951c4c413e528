package state

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/seed627bd532/runner/engine/auth"
)

// Memory is a Store and Tokens that live and end with the process. Make one
// with NewMemory.
type Memory struct {
	memoryLocks
	memoryTables

	mu       sync.Mutex
	runs     map[string]Run
	keys     map[string]string // ids of runs by their keys
	journals map[string]*memoryJournal
	creates  map[string][]*record // by identity: those that are intended or done
	orphans  []*record            // those among them whose runs Trim forgot
	tokens   map[string]auth.Token
}

var (
	_ Store  = (*Memory)(nil)
	_ Tokens = (*Memory)(nil)
)

// NewMemory returns an empty memory.
func NewMemory() *Memory {
	return &Memory{
		memoryLocks:  memoryLocks{queues: map[string]*queue{}},
		memoryTables: memoryTables{tables: map[string]map[string][]byte{}},
		runs:         map[string]Run{},
		keys:         map[string]string{},
		journals:     map[string]*memoryJournal{},
		creates:      map[string][]*record{},
		tokens:       map[string]auth.Token{},
	}
}

// Close is part of Store. It does nothing.
func (m *Memory) Close() error { return nil }

// Get is part of Journal. It never fails.
func (m *Memory) Get(_ context.Context, run string, kind Kind, key string) (Entry, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	j := m.journals[run]
	if j == nil {
		return Entry{}, false, nil
	}
	r, ok := j.entries[name{kind, key}]
	if !ok {
		return Entry{}, false, nil
	}
	return r.Entry, true, nil
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
	j := m.journal(e.Run)
	for _, r := range j.takeBelow(e.Key) {
		m.fold(j, r)
	}
	for _, kind := range []Kind{Call, Sleep, Time, Item} {
		if r := j.entries[name{kind, e.Key}]; r != nil && kind != e.Kind {
			m.fold(j, r)
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
	for _, r := range m.creates[identity] {
		if r.Status == Intended || !r.At.Before(since) {
			found = append(found, r.Entry)
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

func (m *Memory) journal(run string) *memoryJournal {
	j := m.journals[run]
	if j == nil {
		j = newMemoryJournal()
		m.journals[run] = j
	}
	return j
}

func (m *Memory) put(e Entry) {
	e.At = moment(e.At)
	j, n := m.journal(e.Run), name{e.Kind, e.Key}
	r := j.entries[n]
	if r == nil {
		if old := j.folded[n]; old != nil {
			delete(j.folded, n)
			m.forget(old)
		}
		r = &record{Entry: e}
		j.add(n, r)
	} else {
		m.forget(r)
		r.Entry = e
	}
	m.index(r)
}

// fold forgets an entry, but for creates that may have taken place.
func (m *Memory) fold(j *memoryJournal, r *record) {
	j.remove(r)
	if mayExist(r.Entry) {
		j.folded[name{r.Kind, r.Key}] = r
	} else {
		m.forget(r)
	}
}

// index lets Creates find r.
func (m *Memory) index(r *record) {
	if r.Identity != "" && mayExist(r.Entry) {
		m.creates[r.Identity] = append(m.creates[r.Identity], r)
	}
}

// forget keeps Creates from finding r.
func (m *Memory) forget(r *record) {
	if r.Identity == "" {
		return
	}
	rest := slices.DeleteFunc(m.creates[r.Identity], func(other *record) bool { return other == r })
	if m.creates[r.Identity] = rest; len(rest) == 0 {
		delete(m.creates, r.Identity)
	}
}

// mayExist says whether e is a create whose work the vendor may have.
func mayExist(e Entry) bool { return e.Status == Intended || e.Status == Done }

// moment returns t as all kinds of state give it back.
func moment(t time.Time) time.Time { return t.Round(0).UTC() }
