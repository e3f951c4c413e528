package simtest_test

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/seed627bd532/runner/engine/state"
)

// A disk is a state that promises no more than state.Store does: a power cut
// takes what was written since the last write that had to be on the disk.
type disk struct {
	lazy bool // does not sync intents, as no state may

	mu     sync.Mutex
	memory *state.Memory
	writes []change // all that there is
	synced int      // how many of them no power cut takes
}

// A change is one write, which can be made again on an empty state.
type change struct {
	redo    func(context.Context, state.Store) error
	entries []state.Entry // of the journal
}

func newDisk() *disk { return &disk{memory: state.NewMemory()} }

// now returns what is readable at this moment.
func (d *disk) now() *state.Memory {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.memory
}

// write makes w. What must survive takes all before it along, as an intent does.
func (d *disk) write(ctx context.Context, w change, durable bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := w.redo(ctx, d.memory); err != nil {
		return err
	}
	d.writes = append(d.writes, w)
	if durable && !d.lazy {
		d.synced = len(d.writes)
	}
	return nil
}

// cutPower forgets some of the writes that were not synced: keep says how many of n stay.
func (d *disk) cutPower(keep func(n int) int) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.writes = d.writes[:d.synced+keep(len(d.writes)-d.synced)]
	d.synced = len(d.writes)
	d.memory = state.NewMemory()
	for _, w := range d.writes {
		if err := w.redo(context.Background(), d.memory); err != nil {
			return err
		}
	}
	return nil
}

// finished returns the entries of calls whose results stand, by run and key.
// What a fold took away still counts, since nobody may do it again either.
func (d *disk) finished() map[[2]string]state.Entry {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := map[[2]string]state.Entry{}
	for _, w := range d.writes {
		for _, e := range w.entries {
			at := [2]string{e.Run, e.Key}
			switch {
			case e.Kind != state.Call:
			case e.Status == state.Intended, e.Payload == nil:
				delete(all, at)
			default:
				all[at] = e
			}
		}
	}
	return all
}

// Begin and all below are state.Store as a process sees it: around each write it
// may die, and a dead one reaches nothing.

func (p *process) Begin(ctx context.Context, r state.Run) error {
	p.began = true
	r.Began = r.Began.Add(p.skew)
	err := p.write(ctx, "begin", true, change{redo: func(ctx context.Context, s state.Store) error { return s.Begin(ctx, r) }})
	p.sim.begun.Add(1)
	return err
}

func (p *process) Update(ctx context.Context, r state.Run) error {
	return p.write(ctx, "update "+r.Status, true, change{redo: func(ctx context.Context, s state.Store) error { return s.Update(ctx, r) }})
}

func (p *process) Put(ctx context.Context, entries ...state.Entry) error {
	durable := false
	for i := range entries {
		entries[i].At = entries[i].At.Add(p.skew)
		durable = durable || entries[i].Status == state.Intended
	}
	e := entries[0]
	return p.write(ctx, "put "+string(e.Kind)+" "+e.Key+" "+string(e.Status), durable,
		change{redo: func(ctx context.Context, s state.Store) error { return s.Put(ctx, entries...) }, entries: entries})
}

func (p *process) Fold(ctx context.Context, e state.Entry) error {
	e.At = e.At.Add(p.skew)
	return p.write(ctx, "fold "+e.Key, false, change{redo: func(ctx context.Context, s state.Store) error { return s.Fold(ctx, e) }, entries: []state.Entry{e}})
}

func (p *process) PutValue(ctx context.Context, table, key string, value []byte) error {
	return p.write(ctx, "value "+table+" "+key, true, change{redo: func(ctx context.Context, s state.Store) error { return s.PutValue(ctx, table, key, value) }})
}

func (p *process) DeleteValue(ctx context.Context, table, key string) error {
	return p.write(ctx, "delete "+table+" "+key, true, change{redo: func(ctx context.Context, s state.Store) error { return s.DeleteValue(ctx, table, key) }})
}

func (p *process) Prune(ctx context.Context, before time.Time) (ids []string, err error) {
	err = p.write(ctx, "prune", true, change{redo: func(ctx context.Context, s state.Store) error { ids, err = s.Prune(ctx, before); return err }})
	return ids, err
}

func (p *process) write(ctx context.Context, what string, durable bool, w change) error {
	p.mayDie("before " + what)
	if len(w.entries) > 0 {
		p.wait(what)
	}
	if p.isDead() {
		return errKilled
	}
	if err := p.sim.disk.write(ctx, w, durable); err != nil {
		return err
	}
	p.mayDie("after " + what)
	if p.isDead() {
		return errKilled
	}
	return nil
}

// wait is the time that the state takes. Others do what they do meanwhile.
func (p *process) wait(what string) {
	time.Sleep(time.Duration(p.dice("wait "+what).IntN(3000)) * time.Microsecond)
}

func (p *process) Get(ctx context.Context, run string, kind state.Kind, key string) (state.Entry, bool, error) {
	if p.isDead() {
		return state.Entry{}, false, errKilled
	}
	return p.sim.disk.now().Get(ctx, run, kind, key)
}

func (p *process) Creates(ctx context.Context, identity string, since time.Time) ([]state.Entry, error) {
	if p.isDead() {
		return nil, errKilled
	}
	if p.began { // by the clock of this process, which the state alone knows
		since = since.Add(p.skew)
	}
	found, err := p.sim.disk.now().Creates(ctx, identity, since)
	p.wait("creates " + identity)
	return found, err
}

func (p *process) Run(ctx context.Context, id string) (state.Run, bool, error) {
	if p.isDead() {
		return state.Run{}, false, errKilled
	}
	return p.sim.disk.now().Run(ctx, id)
}

func (p *process) RunByKey(ctx context.Context, key string) (state.Run, bool, error) {
	if p.isDead() {
		return state.Run{}, false, errKilled
	}
	return p.sim.disk.now().RunByKey(ctx, key)
}

func (p *process) Runs(ctx context.Context, limit int) ([]state.Run, error) {
	if p.isDead() {
		return nil, errKilled
	}
	return p.sim.disk.now().Runs(ctx, limit)
}

func (p *process) Entries(ctx context.Context, run string) ([]state.Entry, error) {
	if p.isDead() {
		return nil, errKilled
	}
	return p.sim.disk.now().Entries(ctx, run)
}

func (p *process) Value(ctx context.Context, table, key string) ([]byte, bool, error) {
	if p.isDead() {
		return nil, false, errKilled
	}
	return p.sim.disk.now().Value(ctx, table, key)
}

func (p *process) Values(ctx context.Context, table string) func(func(state.Row, error) bool) {
	if p.isDead() {
		return func(yield func(state.Row, error) bool) { yield(state.Row{}, errKilled) }
	}
	return p.sim.disk.now().Values(ctx, table)
}

func (p *process) Lock(ctx context.Context, name string) (func(), error) {
	if p.isDead() {
		return nil, errKilled
	}
	if p.sim.twist == withoutLocks || p.sim.twist == withoutTurns && strings.HasPrefix(name, "use token ") {
		return func() {}, nil
	}
	unlock, err := p.sim.disk.now().Lock(ctx, name)
	if err != nil {
		return nil, err
	}
	return p.hold(unlock), nil
}

func (p *process) TryLock(ctx context.Context, name string) (func(), bool, error) {
	if p.isDead() {
		return nil, false, errKilled
	}
	unlock, ok, err := p.sim.disk.now().TryLock(ctx, name)
	if !ok || err != nil {
		return nil, ok, err
	}
	return p.hold(unlock), true, nil
}

// hold makes a lock end with the process. One that is got by a dead process is given back at once.
func (p *process) hold(unlock func()) func() {
	unlock = sync.OnceFunc(unlock)
	p.mu.Lock()
	p.held = append(p.held, unlock)
	dead := p.dead
	p.mu.Unlock()
	if dead {
		unlock()
	}
	return unlock
}

func (p *process) Close() error { return nil }
