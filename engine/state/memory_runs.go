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

// A Keeping says what Trim keeps.
type Keeping struct {
	// Runs is how many of the newest runs that have stopped stay, Keyed how many of those with a Key.
	Runs, Keyed int
	// Done says of a run that has stopped that it never goes on. Stopped is since when the creates of
	// others stay for one that may.
	Done    func(Run) bool
	Stopped time.Time
	// Reach is how long before its beginning a run may ask for creates.
	Reach time.Duration
}

// Trim forgets runs that have stopped, because they ended or were interrupted, but for the newest, and for
// those with creates that are Intended. Creates that are Done stay where Creates finds them, as long as a run that is there, or one
// that begins at now or later, may ask for them.
func (m *Memory) Trim(now time.Time, keep Keeping) {
	m.mu.Lock()
	defer m.mu.Unlock()
	since := now
	asks := func(r Run) {
		if !keep.Done(r) {
			since = earliest(since, latest(r.Began, keep.Stopped))
		}
	}
	var stopped []Run
	for id, r := range m.runs {
		switch {
		case r.Ended.IsZero() && r.Status == "":
			since = earliest(since, r.Began)
		case !m.isOpen(id):
			stopped = append(stopped, r)
		default:
			asks(r)
		}
	}
	slices.SortFunc(stopped, func(a, b Run) int { return cmp.Or(b.Began.Compare(a.Began), cmp.Compare(b.ID, a.ID)) })
	var gone []Run
	keyed := 0
	for i, r := range stopped {
		if r.Key != "" {
			keyed++
		}
		if i < keep.Runs || r.Key != "" && keyed <= keep.Keyed {
			asks(r)
		} else {
			gone = append(gone, r)
		}
	}
	for _, r := range gone {
		m.orphans = append(m.orphans, m.creationsOf(r.ID)...)
		delete(m.journals, r.ID)
		delete(m.keys, r.Key)
		delete(m.runs, r.ID)
	}
	since = since.Add(-keep.Reach)
	m.orphans = slices.DeleteFunc(m.orphans, func(r *record) bool {
		old := r.At.Before(since)
		if old {
			m.forget(r)
		}
		return old
	})
}

// creationsOf returns the creates of a run that are done, and have an identity.
func (m *Memory) creationsOf(run string) []*record {
	var done []*record
	if j := m.journals[run]; j != nil {
		for r := range j.all() {
			if r.Identity != "" && r.Status == Done {
				done = append(done, r)
			}
		}
	}
	return done
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
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
