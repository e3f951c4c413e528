package state

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Begin is part of Runs.
func (m *Memory) Begin(_ context.Context, r Run) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, taken := m.runs[r.ID]; taken {
		return fmt.Errorf("a run %s is there already", r.ID)
	}
	if r.Key != "" {
		if _, taken := m.keys[r.Key]; taken {
			return ErrKeyTaken
		}
		m.keys[r.Key] = r.ID
	}
	m.runs[r.ID] = own(r)
	return nil
}

// Run is part of Runs. It never fails.
func (m *Memory) Run(_ context.Context, id string) (Run, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.runs[id]
	return own(r), ok, nil
}

// RunByKey is part of Runs. It never fails.
func (m *Memory) RunByKey(_ context.Context, key string) (Run, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	id, ok := m.keys[key]
	return own(m.runs[id]), ok, nil
}

// Update is part of Runs.
func (m *Memory) Update(_ context.Context, r Run) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	old, ok := m.runs[r.ID]
	if !ok {
		return fmt.Errorf("there is no run %s", r.ID)
	}
	r.Key, r.Began = old.Key, old.Began
	m.runs[r.ID] = own(r)
	return nil
}

// Runs is part of Runs. It never fails.
func (m *Memory) Runs(_ context.Context, limit int) ([]Run, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []Run
	for _, r := range m.runs {
		found = append(found, own(r))
	}
	slices.SortFunc(found, func(a, b Run) int {
		return cmp.Or(b.Began.Compare(a.Began), cmp.Compare(b.ID, a.ID))
	})
	if limit > 0 && limit < len(found) {
		found = found[:limit]
	}
	return found, nil
}

// Entries is part of Runs. It never fails.
func (m *Memory) Entries(_ context.Context, run string) ([]Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []Entry
	if j := m.journals[run]; j != nil {
		for r := range j.all() {
			found = append(found, r.Entry)
		}
	}
	slices.SortFunc(found, func(a, b Entry) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Key, b.Key), cmp.Compare(a.Kind, b.Kind))
	})
	return found, nil
}

// Prune is part of Runs. It never fails.
func (m *Memory) Prune(_ context.Context, before time.Time) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	gone := map[string]bool{}
	for id, r := range m.runs {
		if !r.Ended.IsZero() && r.Ended.Before(before) {
			gone[id] = true
		}
	}
	for id := range gone {
		if m.isOpen(id) {
			delete(gone, id)
		}
	}
	for id := range gone {
		m.drop(id)
		delete(m.keys, m.runs[id].Key)
		delete(m.runs, id)
	}
	return slices.Sorted(maps.Keys(gone)), nil
}

// isOpen reports whether the run leaves a create open.
func (m *Memory) isOpen(run string) bool {
	if j := m.journals[run]; j != nil {
		for r := range j.all() {
			if r.Status == Intended {
				return true
			}
		}
	}
	return false
}

// drop takes all that is kept of a run's journal away.
func (m *Memory) drop(run string) {
	if j := m.journals[run]; j != nil {
		for r := range j.all() {
			m.forget(r)
		}
	}
	delete(m.journals, run)
}

// own returns r as it is kept and given back: nobody else has its map.
func own(r Run) Run {
	r.Files = maps.Clone(r.Files)
	r.Began, r.Ended = moment(r.Began), moment(r.Ended)
	return r
}
