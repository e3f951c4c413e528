package local

import (
	"fmt"
	"slices"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/state"
)

// Call makes the call unless its success is on record. Everything but a create
// may be sent again after a crash, so that only its success is recorded.
func (rt *runtime) Call(r flow.CallRequest) (flow.Result, error) {
	if r.Effect == flow.Create {
		return rt.Create(r, nil)
	}
	if err := rt.Interrupted(); err != nil {
		return flow.Result{}, err
	}
	if r.Fresh {
		return rt.do(r)
	}
	if res, ok, err := rt.made(r); ok || err != nil {
		return res, err
	}
	res, err := rt.do(r)
	// Secrets are asked for again.
	if err != nil || !res.Outcome.Success() || len(r.SecretOutputs) > 0 {
		return res, err
	}
	return res, rt.Record(r, res)
}

// made returns the result of r that is on record, unless it is doubted. A call that asks for something else than the one on record
// is another one: its inputs may be made of rows that had failed then, and did not now.
func (rt *runtime) made(r flow.CallRequest) (flow.Result, bool, error) {
	e, known, err := rt.recorded(state.Call, r.Recorded())
	if r.Effect == flow.Read && !rt.Doubted.IsZero() && e.At.After(rt.Doubted) {
		known = false
	}
	if err != nil || !known || !tells(e) || asksElse(askedIn(e.Payload), rt.asked(r)) {
		return flow.Result{}, false, err
	}
	res, err := replayed(e)
	return res, err == nil, err
}

// Wrote reports whether e tells of something that may have changed the world: a call
// that is no read, or a row, in which there may be one.
func Wrote(e state.Entry) bool {
	return e.Kind == state.Item || e.Kind == state.Call && (e.Status != "" || askedIn(e.Payload) != nil)
}

// Recorded returns the result on record under key. What is only intended has none.
func (rt *runtime) Recorded(key flow.Key) (flow.Result, bool, error) {
	e, known, err := rt.recorded(state.Call, key)
	if err != nil || !known || !tells(e) {
		return flow.Result{}, false, err
	}
	res, err := replayed(e)
	return res, err == nil, err
}

// tells reports whether e holds a result that stands.
func tells(e state.Entry) bool { return e.Payload != nil && e.Status != state.Intended }

func replayed(e state.Entry) (flow.Result, error) {
	res, err := decodeResult(e.Payload)
	res.Replayed = true
	return res.Whole(), err
}

// Record writes res down, unless it holds the rows of a large answer: these are read again.
func (rt *runtime) Record(r flow.CallRequest, res flow.Result) error {
	if value.HoldsRows(res.Outputs) || value.HoldsRows(res.Body) {
		return nil
	}
	e := state.Entry{Kind: state.Call, Key: string(r.Recorded()), Payload: rt.encode(r, res)}
	if r.Effect == flow.Create { // one that did not take place, or it would be on record
		e.Status = state.Undone
	}
	return rt.record(e)
}

// do hands the call to the executor.
func (rt *runtime) do(r flow.CallRequest) (flow.Result, error) {
	res, err := rt.Executor.Do(rt.ctx, r, rt.events.listener())
	if err == nil {
		return res, nil
	}
	if endedBy(rt.ctx, err) {
		return flow.Result{}, rt.Interrupted()
	}
	return flow.Result{}, fmt.Errorf("call %s: %w", r.Key, err)
}

// encode returns the payload for res, with what r asks for: without secrets.
func (rt *runtime) encode(r flow.CallRequest, res flow.Result) []byte {
	res.Outputs = without(res.Outputs, r.SecretOutputs)
	return encodeResult(res, func(dst []byte) []byte { return rt.appendAsked(dst, r) })
}

// without returns o without these members. o may be nil.
func without(o *value.Object, names []string) *value.Object {
	if o == nil || len(names) == 0 {
		return o
	}
	rest := value.NewObject(o.Len())
	for name, v := range o.All() {
		if !slices.Contains(names, name) {
			rest.Set(name, v)
		}
	}
	return rest
}
