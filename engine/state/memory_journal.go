package state

import (
	"iter"
	"slices"
	"strings"
)

// memoryJournal holds the entries of one run.
type memoryJournal struct {
	entries map[name]*record
	folded  map[name]*record  // creates that Fold took out of entries
	below   map[string]*group // what Fold forgets, by the key that theirs continue
}

// name is what tells the entries of a run apart.
type name struct {
	kind Kind
	key  string
}

// record is an entry that is kept.
type record struct {
	Entry
	gone bool // it is no entry any more; groups let go of it later
}

// group holds the entries below a key, and some that are gone.
type group struct {
	records []*record
	gone    int
}

func newMemoryJournal() *memoryJournal {
	return &memoryJournal{entries: map[name]*record{}, folded: map[name]*record{}, below: map[string]*group{}}
}

// add makes r an entry under a name that has none.
func (j *memoryJournal) add(n name, r *record) {
	j.entries[n] = r
	for above := range keysAbove(n.key) {
		g := j.below[above]
		if g == nil {
			g = &group{records: make([]*record, 0, 4)}
			j.below[above] = g
		}
		g.records = append(g.records, r)
	}
}

// remove makes r no entry any more.
func (j *memoryJournal) remove(r *record) {
	delete(j.entries, name{r.Kind, r.Key})
	r.gone = true
	for above := range keysAbove(r.Key) {
		g := j.below[above]
		if g == nil {
			continue // it was taken
		}
		switch g.gone++; {
		case g.gone == len(g.records):
			delete(j.below, above)
		case 2*g.gone > len(g.records):
			g.records = slices.DeleteFunc(g.records, func(r *record) bool { return r.gone })
			g.gone = 0
		}
	}
}

// takeBelow returns the entries below key, which the caller removes.
func (j *memoryJournal) takeBelow(key string) []*record {
	g := j.below[key]
	if g == nil {
		return nil
	}
	delete(j.below, key)
	return slices.DeleteFunc(g.records, func(r *record) bool { return r.gone })
}

// all yields the entries and the folded creates.
func (j *memoryJournal) all() iter.Seq[*record] {
	return func(yield func(*record) bool) {
		for _, kept := range []map[name]*record{j.entries, j.folded} {
			for _, r := range kept {
				if !yield(r) {
					return
				}
			}
		}
	}
}

// keysAbove yields the keys that key continues with "/" or "#".
func keysAbove(key string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for at := range len(key) {
			if strings.IndexByte("/#", key[at]) >= 0 && !yield(key[:at]) {
				return
			}
		}
	}
}
