package local

import (
	"fmt"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/state"
)

// Call makes the call unless its result is on record. Everything but a create
// may be sent again after a crash, so that only its result is recorded.
func (rt *runtime) Call(r flow.CallRequest) (flow.Result, error) {
	if err := rt.Interrupted(); err != nil {
		return flow.Result{}, err
	}
	e, ok, err := rt.recorded(state.Call, r.Key)
	switch {
	case err != nil:
		return flow.Result{}, err
	case ok && e.Payload != nil:
		return decodeResult(e.Payload)
	case ok && e.Status == state.Intended:
		return lost(e), nil
	case r.Effect == flow.Create:
		return rt.create(r)
	}
	res, err := rt.do(r)
	// A fatal result is not kept: it ended the run, and a resumed run, its
	// password mended, must not be told of it again. Nor are the rows of a
	// large answer: a resumed run reads them again.
	if err != nil || res.Fatal || value.HoldsRows(res.Outputs) || value.HoldsRows(res.Body) {
		return res, err
	}
	return res, rt.record(state.Entry{Kind: state.Call, Key: string(r.Key), Payload: rt.encode(r, res)})
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

// encode returns the payload for res.
func (rt *runtime) encode(r flow.CallRequest, res flow.Result) []byte {
	return encodeResult(rt.Keep(r, res))
}
