package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed627bd532/runner/engine/internal/call"
	"github.com/seed627bd532/runner/engine/internal/redact"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/state"
)

// A guard stands between a run and the state: what is kept refers to secrets in place of them, in payloads, keys,
// identities, inputs and tables alike, and what is read has them again. A reference is to the name of a
// secret, so that a value that was changed meanwhile counts from then on.
//
// A secret without a name, such as a token that an answer repeats, cannot be had again. A call that may be made again is not
// recorded then, nor is a row that holds it summed up; of a create that output is missing, as secret ones are.
type guard struct {
	state.Store
	gate *redact.Gate
	// connections are those of the run, by name.
	connections map[string]*call.Connection
	// shown says that what is read is only shown: the mask stands for what the gate does not know.
	shown bool
}

// plainMembers are those of a payload that are words of the engine, and givenOutputs has what a vendor gave.
var plainMembers = []string{"outcome", "code", "status", "at", "retry_after", "digest"}

const givenOutputs = "outputs"

func (g *guard) Get(ctx context.Context, run string, kind state.Kind, key string) (state.Entry, bool, error) {
	e, ok, err := g.Store.Get(ctx, run, kind, g.gate.Key(key, 0))
	if err != nil || !ok {
		return e, ok, err
	}
	e, err = g.read(e)
	return e, err == nil, err
}

func (g *guard) Put(ctx context.Context, entries ...state.Entry) error {
	kept := make([]state.Entry, 0, len(entries))
	for _, e := range entries {
		e, lost := g.write(e)
		if lost && e.Kind == state.Call && e.Status == "" {
			continue // it is made again
		}
		kept = append(kept, e)
	}
	if len(kept) == 0 {
		return nil
	}
	return g.Store.Put(ctx, kept...)
}

func (g *guard) Fold(ctx context.Context, e state.Entry) error {
	e, lost := g.write(e)
	if lost {
		return nil // what led to it stays
	}
	return g.Store.Fold(ctx, e)
}

func (g *guard) Creates(ctx context.Context, identity string, since time.Time) ([]state.Entry, error) {
	return g.readAll(g.Store.Creates(ctx, g.identity(identity), since))
}

func (g *guard) Entries(ctx context.Context, run string) ([]state.Entry, error) {
	return g.readAll(g.Store.Entries(ctx, run))
}

func (g *guard) readAll(entries []state.Entry, err error) ([]state.Entry, error) {
	entries = slices.Clone(entries)
	for i := range entries {
		if err == nil {
			entries[i], err = g.read(entries[i])
		}
	}
	return entries, err
}

func (g *guard) Begin(ctx context.Context, r state.Run) error {
	return g.Store.Begin(ctx, g.run(r))
}

func (g *guard) Update(ctx context.Context, r state.Run) error {
	return g.Store.Update(ctx, g.run(r))
}

func (g *guard) run(r state.Run) state.Run {
	r.Inputs, _ = g.refer(r.Inputs)
	r.Outcome, _ = g.refer(r.Outcome)
	return r
}

func (g *guard) Value(ctx context.Context, table, key string) ([]byte, bool, error) {
	text, ok, err := g.Store.Value(ctx, table, g.gate.Key(key, redact.SafeLength))
	if err == nil && ok {
		text, err = g.resolve(text)
	}
	return text, ok, err
}

func (g *guard) PutValue(ctx context.Context, table, key string, text []byte) error {
	if g.gate.MayRefer(string(text)) {
		v, err := value.Decode(text)
		if err != nil {
			return err
		}
		v, unnamed := g.gate.ReferLong(v)
		if unnamed {
			return errors.New("the value holds a secret that is neither config nor input, such as a token, and such secrets are not written down")
		}
		text = value.AppendJSON(nil, v)
	}
	return g.Store.PutValue(ctx, table, g.gate.Key(key, redact.SafeLength), text)
}

func (g *guard) DeleteValue(ctx context.Context, table, key string) error {
	return g.Store.DeleteValue(ctx, table, g.gate.Key(key, redact.SafeLength))
}

func (g *guard) Values(ctx context.Context, table string) func(yield func(state.Row, error) bool) {
	return func(yield func(state.Row, error) bool) {
		for row, err := range g.Store.Values(ctx, table) {
			if err == nil {
				row.Value, err = g.resolve(row.Value)
			}
			if err == nil {
				row.Key, err = g.text(row.Key)
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

func (g *guard) Lock(ctx context.Context, name string) (unlock func(), err error) {
	return g.Store.Lock(ctx, g.identity(name))
}

func (g *guard) TryLock(ctx context.Context, name string) (unlock func(), ok bool, err error) {
	return g.Store.TryLock(ctx, g.identity(name))
}

// identity returns an identity, which may be the name of a lock, as it is kept. All runs must agree about it, so that it refers to the secrets
// of its own connection alone, which all of them know.
func (g *guard) identity(text string) string {
	if !strings.HasPrefix(text, "[") || !g.gate.MayRefer(text) {
		return text
	}
	v, err := value.Decode([]byte(text))
	parts, ok := v.(value.List)
	if err != nil || !ok || len(parts) == 0 {
		return text
	}
	name, _ := parts[0].(string)
	if c := g.connections[name]; c != nil {
		own := redact.NewGate()
		call.HideConfig(own, c)
		return own.Key(text, 0)
	}
	return text
}

// write returns e as it is kept. lost says that an output of it cannot be had again.
func (g *guard) write(e state.Entry) (kept state.Entry, lost bool) {
	e.Key, e.Identity = g.gate.Key(e.Key, 0), g.identity(e.Identity)
	if e.Payload == nil || !g.gate.MayRefer(string(e.Payload)) {
		return e, false
	}
	v, err := value.Decode(e.Payload)
	payload, ok := v.(*value.Object)
	if err != nil || !ok {
		e.Payload, lost = g.refer(e.Payload)
		return e, lost
	}
	o := value.NewObject(payload.Len())
	for name, member := range payload.All() {
		if !slices.Contains(plainMembers, name) {
			var unnamed bool
			if given, ok := member.(*value.Object); ok && name == givenOutputs {
				member, unnamed = g.outputs(given)
			} else {
				member, _ = g.gate.Refer(member)
			}
			lost = lost || unnamed
		}
		o.Set(name, member)
	}
	e.Payload = value.AppendJSON(nil, o)
	return e, lost
}

// outputs refers to the secrets in outputs, and leaves out those that have some that nobody can refer to.
func (g *guard) outputs(given *value.Object) (kept *value.Object, lost bool) {
	kept = value.NewObject(given.Len())
	for name, v := range given.All() {
		referred, unnamed := g.gate.Refer(v)
		if lost = lost || unnamed; !unnamed {
			kept.Set(name, referred)
		}
	}
	return kept, lost
}

// read returns an entry as it was given to write.
func (g *guard) read(e state.Entry) (state.Entry, error) {
	var err error
	if e.Key, err = g.text(e.Key); err == nil {
		e.Identity, err = g.text(e.Identity)
	}
	if err == nil && e.Payload != nil {
		e.Payload, err = g.resolve(e.Payload)
	}
	return e, err
}

// refer returns a JSON text as it is kept.
func (g *guard) refer(text []byte) (kept []byte, unnamed bool) {
	if text == nil || !g.gate.MayRefer(string(text)) {
		return text, false
	}
	v, err := value.Decode(text)
	if err != nil {
		return g.gate.Bytes(text), false
	}
	v, unnamed = g.gate.Refer(v)
	return value.AppendJSON(nil, v), unnamed
}

// resolve returns a JSON text as it was before it was kept.
func (g *guard) resolve(text []byte) ([]byte, error) {
	if !redact.HasReferences(string(text)) {
		return text, nil
	}
	v, err := value.Decode(text)
	if err != nil {
		return text, nil // whoever reads it tells
	}
	v, missing := g.gate.Resolve(v)
	if len(missing) > 0 && !g.shown {
		return nil, unresolved(missing)
	}
	return value.AppendJSON(nil, v), nil
}

func (g *guard) text(s string) (string, error) {
	if !redact.HasReferences(s) {
		return s, nil
	}
	v, missing := g.gate.Resolve(s)
	if len(missing) > 0 && !g.shown {
		return s, unresolved(missing)
	}
	text, _ := v.(string)
	return text, nil
}

func unresolved(missing []string) error {
	slices.Sort(missing)
	return fmt.Errorf("it refers to secrets that this run does not have: %s; give them where they were (connections, or --input)",
		strings.Join(slices.Compact(missing), ", "))
}
