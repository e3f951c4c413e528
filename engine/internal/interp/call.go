package interp

import (
	"errors"
	"fmt"
	"slices"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// arguments evaluates with and binds it to what the callee asks for.
func (w *walker) arguments(a *pipeline.Call, key flow.Key, vars expr.Vars) (*value.Object, error) {
	var given *value.Object
	if a.With != nil {
		v, err := a.With.Eval(vars)
		if err != nil {
			return nil, w.evalFailure(key, "with", err)
		}
		switch v := v.(type) {
		case *value.Object:
			given = v
		default:
			if v != types.Omit && v != nil {
				return nil, &Failure{Code: "invalid-input", Step: string(key), Operation: a.Name(), Outcome: flow.Invalid,
					Message: "with must be an object, found " + value.KindOf(v), Hint: "nothing was sent"}
			}
		}
	}
	bound, bad := a.Params().Bind(given)
	if len(bad) > 0 {
		return nil, invalidInput(key, a.Name(), bad)
	}
	return bound, nil
}

func (w *walker) callPipeline(s *pipeline.Step, a *pipeline.Call, key flow.Key, vars expr.Vars) (*value.Object, error) {
	inputs, err := w.arguments(a, key, vars)
	if err != nil {
		return nil, err
	}
	w.tellStart(event.StepStarted{Key: string(key), Operation: a.Name()})
	outputs, err := w.called(a.Pipeline, key, inputs)
	w.tellFinish(event.StepFinished{Key: string(key), Operation: a.Name(), Error: errorText(err)})
	if err != nil {
		return nil, err
	}
	return s.Record(flow.Result{}, outputs, true), nil
}

// called walks a called pipeline. Its rows are its own affair.
func (w *walker) called(p *pipeline.Pipeline, key flow.Key, inputs *value.Object) (*value.Object, error) {
	outer := w.onRow
	w.onRow = nil
	defer func() { w.onRow = outer }()
	return w.pipeline(p, key, inputs)
}

func (w *walker) callOperation(s *pipeline.Step, a *pipeline.Call, key flow.Key, vars expr.Vars) (*value.Object, error) {
	inputs, err := w.arguments(a, key, vars)
	if err != nil {
		return nil, err
	}
	res, err := w.operation(a, key, inputs, nil)
	if err != nil {
		return nil, err
	}
	return s.Record(res, res.Outputs, true), nil
}

// Call makes one call outside of any pipeline, as patiently and safely as a
// step would, and returns its outputs. Of in, RunID, Values and Resume are used.
func Call(rt flow.Runtime, connection string, op *catalog.Operation, in Input) (*value.Object, error) {
	w := &walker{rt: rt, runID: in.RunID, resume: in.Resume}
	a, key := &pipeline.Call{Connection: connection, Operation: op}, flow.Key(op.Name)
	res, err := w.whole(a, key, in.Values)
	return res.Outputs, err
}

// whole makes a call that stands by itself: of a batch, every row must be done.
func (w *walker) whole(a *pipeline.Call, key flow.Key, inputs *value.Object) (flow.Result, error) {
	if a.Operation.Batch == nil {
		return w.operation(a, key, inputs, nil)
	}
	res, err := w.batchOperation(a, key, inputs)
	if err == nil {
		err = refusedRows(a, key, res)
	}
	return res, err
}

// operation makes the call and tells of it; the error of a call that was not
// a success is a *Failure. rows are those of a batch operation.
func (w *walker) operation(a *pipeline.Call, key flow.Key, inputs *value.Object, rows []flow.RowRef) (flow.Result, error) {
	w.tellStart(event.StepStarted{Key: string(key), Operation: a.Name()})
	res, err := w.quietly(a, key, key, inputs, rows)
	bad := err
	if bad == nil {
		bad = refusedRows(a, key, res)
	}
	w.tellEnd(a, key, res, bad)
	return res, err
}

// tellStart tells that a step begins, if anybody listens.
func (w *walker) tellStart(e event.StepStarted) {
	if w.rt.Heard() {
		told := e
		w.rt.Emit(&told)
	}
}

// tellFinish tells that a step has ended.
func (w *walker) tellFinish(e event.StepFinished) {
	if w.rt.Heard() {
		told := e
		w.rt.Emit(&told)
	}
}

func (w *walker) tellEnd(a *pipeline.Call, key flow.Key, res flow.Result, err error) {
	w.tellFinish(event.StepFinished{
		Key:       string(key),
		Operation: a.Name(),
		Outcome:   string(res.Outcome),
		Sent:      res.Sent,
		Replayed:  res.Replayed,
		Error:     messageOf(err),
	})
}

// quietly is operation without telling of a step. at is the key of the call,
// which differs from that of the step where the step makes several.
func (w *walker) quietly(a *pipeline.Call, key, at flow.Key, inputs *value.Object, rows []flow.RowRef) (flow.Result, error) {
	identity, err := w.identity(a, key, inputs)
	if err != nil {
		return flow.Result{}, err
	}
	// A table of the state would show what the run itself wrote later.
	doubted := a.Operation.Effect == flow.Read && a.Connection != pipeline.Store && w.doubts()
	w.doubtful = w.doubtful || doubted
	req := flow.CallRequest{
		Connection:    a.Connection,
		Operation:     a.Operation.Name,
		Inputs:        inputs,
		Effect:        a.Operation.Effect,
		Identity:      identity,
		RunID:         w.runID,
		CallKey:       at,
		Rows:          rows,
		RowsOf:        rowsOf(a.Operation),
		Reach:         a.Operation.Reach(),
		SecretOutputs: a.Operation.SecretOutputs,
		SecretInputs:  a.Operation.SecretInputs,
		Fresh:         w.fresh || doubted,
		LookFirst:     a.Operation.Effect == flow.Create && canLook(a.Operation, identity),
	}
	res, err := w.attempts(a, key, req)
	if err == nil && canSettleRows(a.Operation, res) {
		res, err = w.settleRows(a, key, req, res)
	}
	w.tellLostSecrets(a.Operation, req, res)
	if err == nil && !res.Outcome.Success() {
		err = w.refusal(a, key, req, res)
	}
	return res, err
}

// tellLostSecrets warns of secrets that a create gave before the run was taken up again.
func (w *walker) tellLostSecrets(op *catalog.Operation, req flow.CallRequest, res flow.Result) {
	if !res.Replayed && !res.Reused || !res.Outcome.Success() {
		return
	}
	for _, m := range op.Response.Outputs {
		why := "it is secret"
		if !slices.Contains(req.SecretOutputs, m.Name) {
			if why = "it holds a secret"; res.Outputs == nil {
				continue
			}
		}
		if _, ok := res.Outputs.Get(m.Name); !ok {
			w.rt.Emit(&event.Note{Warning: true, Text: fmt.Sprintf("%s: its output %s is null, since %s and was not written down when it was given", req.CallKey, m.Name, why)})
		}
	}
}

// rowsOf is the input that lists the rows of a batch; "" for other operations.
func rowsOf(op *catalog.Operation) string {
	if op.Batch == nil {
		return ""
	}
	return op.Batch.Of
}

// identity is the text under which a create must not happen twice; "" where the
// operation has none, or its value is null. That of a batch is in its rows.
func (w *walker) identity(a *pipeline.Call, key flow.Key, inputs *value.Object) (string, error) {
	if a.Operation.Identity == nil || a.Operation.Batch != nil {
		return "", nil
	}
	v, err := a.Operation.Identity.Eval(catalog.IdentityVars(inputs))
	if err != nil {
		return "", w.evalFailure(key, "identity", err)
	}
	if v == nil {
		return "", nil
	}
	return value.Key(a.Operation.Identity.Type().Canonical(v)), nil
}

// attempts calls until the answer stands. Whether a call is repeated follows
// from effect and outcome alone; how patiently, the operation says.
func (w *walker) attempts(a *pipeline.Call, key flow.Key, req flow.CallRequest) (flow.Result, error) {
	retry := a.Operation.Retry
	for n := 1; ; n++ {
		req.Key = req.CallKey.Attempt(n)
		left, err := w.left(key, req.CallKey, 0)
		if err != nil {
			return flow.Result{}, err
		}
		req.Timeout = left
		res, err := w.attempt(a, key, req)
		if err != nil {
			return res, w.withLast(w.stopped(key, err), a, key, req, res)
		}
		last := n >= retry.Attempts || !res.Repeatable(req.Effect) || res.Code == flow.CodePartlyDone && a.Operation.Reconcile != nil
		if err := w.rt.Interrupted(); err != nil && (!last || res.Code == codeInterrupted) {
			return res, w.withLast(w.stopped(key, err), a, key, req, res)
		}
		if last {
			return res, nil
		}
		wait := max(retry.Wait(n, req.CallKey), res.RetryAfter)
		if _, err := w.left(key, req.CallKey, wait); err != nil {
			return res, w.withLast(err, a, key, req, res)
		}
		w.rt.Emit(&event.RetryScheduled{
			Key:       string(key),
			Operation: a.Name(),
			Attempt:   n,
			Of:        retry.Attempts,
			Outcome:   string(res.Outcome),
			Message:   res.Message,
			Wait:      wait,
		})
		if err := w.rt.Sleep("", wait); err != nil {
			return res, w.withLast(w.stopped(key, err), a, key, req, res)
		}
	}
}

// attempt makes one attempt of a call. That of a create is settled where it can be; where no time was
// left for that, what was refused after it was sent stays open.
func (w *walker) attempt(a *pipeline.Call, key flow.Key, req flow.CallRequest) (flow.Result, error) {
	if req.Effect != flow.Create {
		return w.rt.Call(req)
	}
	res, err := w.rt.Create(req, w.reconciler(a, key, req.Identity))
	if err != nil && req.LookFirst && res.Refused() {
		res.Outcome = flow.Unknown
	}
	return res, err
}

// withLast adds what the vendor said last to the account of a call that was
// ended while it waited for its next attempt. That of a create of unknown
// outcome says how it is settled: time was too short to look for it.
func (w *walker) withLast(err error, a *pipeline.Call, key flow.Key, req flow.CallRequest, res flow.Result) error {
	f, late := unfinished(err)
	if res.Outcome == "" || !late && (!errors.As(err, &f) || f.Code != codeInterrupted) {
		return err
	}
	ended := *f
	ended.Operation, ended.Outcome, ended.Status = a.Name(), res.Outcome, res.Status
	if account := w.refusal(a, key, req, res); account.Ambiguous && res.Sent {
		ended.Ambiguous = true
		ended.Message, ended.Hint = joinSentences(f.Message, account.Message), account.Hint
	} else if res.Code != codeInterrupted { // then it says the same
		ended.Message += "; last answer: " + res.Message
	}
	return &ended
}

// messageOf is the text of an error for an event that names operation and
// outcome beside it.
func messageOf(err error) string {
	if err == nil {
		return ""
	}
	var f *Failure
	if errors.As(err, &f) {
		return f.Message
	}
	return errorText(err)
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
