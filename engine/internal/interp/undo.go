package interp

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// register notes how to take back what the step at key has just done. Only
// what this run itself has done is noted. A step that is done stays so where
// its undo cannot be computed: failing it would leave even more behind.
func (w *walker) register(s *pipeline.Step, key flow.Key, vars expr.Vars, record *value.Object) {
	if s.Undo == nil || record.At("sent") != true {
		return
	}
	inputs, err := w.arguments(s.Undo, key, pipeline.WithItem(vars, record.At("outputs")))
	if err != nil {
		w.rt.Emit(&event.Note{Warning: true, Text: fmt.Sprintf("%s is done, and cannot be undone if the run fails: %v", key, err)})
		return
	}
	var create flow.Key
	if a, ok := s.Action.(*pipeline.Call); ok && a.Operation != nil && a.Operation.Effect == flow.Create {
		create = key
	}
	w.undo = append(w.undo, flow.Undo{
		Create:     create,
		Key:        key + "/undo",
		Connection: s.Undo.Connection,
		Operation:  s.Undo.Operation.Name,
		Inputs:     inputs,
		Secret:     holdsSecret(s.Undo.Params(), inputs),
	})
}

// holdsSecret reports whether a secret is among the values.
func holdsSecret(params *catalog.Params, values *value.Object) bool {
	return slices.ContainsFunc(params.List, func(p *catalog.Param) bool {
		return (p.Secret || p.Type.HasSecret()) && values.At(p.Name) != nil
	})
}

// takeBack makes the registered calls, last first, after the run failed for
// the reason why, and returns why with an account of them. Nothing is taken back while
// it is not known what was done, nor when the run did not fail by itself.
func (w *walker) takeBack(p *pipeline.Pipeline, why error) error {
	var f *Failure
	if p.OnFailure != pipeline.UndoAll || len(w.undo) == 0 || !errors.As(why, &f) {
		return why
	}
	account := *f
	if errors.Is(why, flow.ErrTimeout) {
		account.Code = codeTimeout // that is how a run fails, and no interrupt
	}
	switch {
	case account.Code == codeInterrupted, account.Code == codeInternal, account.Code == codeState:
		account.Hint = joinSentences(f.Hint, "nothing was undone, since the run did not come to its end")
	case f.Ambiguous || w.tally.Ambiguous > 0:
		account.Hint = joinSentences(f.Hint, "nothing was undone, since it is not known what was done")
	default:
		return w.undoBecause(p, &account)
	}
	return &account
}

// undoBecause takes everything back and returns why with an account of it.
func (w *walker) undoBecause(p *pipeline.Pipeline, why *Failure) error {
	failed, err := w.undoAll(p, why)
	if err != nil {
		return errors.Join(why, err)
	}
	account := *why
	text := fmt.Sprintf("%d of %d steps that can be undone were", len(w.undo)-failed, len(w.undo))
	if failed > 0 {
		text += "; the warnings name the others, which a person must look at"
	}
	account.Hint = joinSentences(why.Hint, text)
	return &account
}

// undoAll makes the registered calls and returns how many of them failed. What
// is on record already it does not make again.
func (w *walker) undoAll(p *pipeline.Pipeline, why *Failure) (failed int, err error) {
	err = w.rt.Cleanup(w.reason(why), func(rt flow.Runtime) error {
		calm := &walker{rt: rt, p: p, runID: w.runID, resume: w.resume, run: w.run}
		for _, u := range slices.Backward(w.undo) {
			if err := calm.takeBackOne(p, u); err != nil {
				failed++
				rt.Emit(&event.Note{Warning: true, Text: fmt.Sprintf("%s: it could not be undone: %v", u.Key, err)})
			}
		}
		return nil
	})
	return failed, err
}

func (w *walker) takeBackOne(p *pipeline.Pipeline, u flow.Undo) error {
	if u.Inputs == nil {
		return errors.New("its inputs hold a secret, and were not written down before the run was stopped")
	}
	a, err := p.CallOf(u.Connection, u.Operation)
	if err == nil {
		_, err = w.whole(a, u.Key, u.Inputs)
	}
	if err == nil && u.Create != "" { // it is there no more, and may be created again
		err = w.rt.Record(flow.CallRequest{CallKey: u.Create, Effect: flow.Create}, flow.Result{Outcome: flow.OK, Message: "it was undone"})
	}
	return err
}

// reason is the record of why everything is undone, and how: a run that is stopped
// meanwhile goes on from there, and does nothing anew.
func (w *walker) reason(why *Failure) flow.Result {
	undo := make(value.List, len(w.undo))
	for i, u := range w.undo {
		call := value.ObjectOf("key", string(u.Key), "connection", u.Connection, "operation", u.Operation, "create", string(u.Create))
		if !u.Secret {
			call.Set("inputs", u.Inputs)
		}
		undo[i] = call
	}
	return flow.Result{
		Outcome: why.Outcome, Status: why.Status, Code: why.Code, Message: why.Message, Hint: why.Hint,
		Outputs: value.ObjectOf("step", why.Step, "operation", why.Operation, "undo", undo),
	}
}

// goOnUndoing is what is left to do for a run that had begun to undo everything.
func (w *walker) goOnUndoing(p *pipeline.Pipeline, reason flow.Result) error {
	text := func(o *value.Object, name string) string {
		s, _ := o.At(name).(string)
		return s
	}
	why := &Failure{
		Outcome: reason.Outcome, Status: reason.Status, Code: reason.Code, Message: reason.Message, Hint: reason.Hint,
		Step: text(reason.Outputs, "step"), Operation: text(reason.Outputs, "operation"),
	}
	list, _ := reason.Outputs.At("undo").(value.List)
	for _, v := range list {
		call, _ := v.(*value.Object)
		inputs, _ := call.At("inputs").(*value.Object)
		w.undo = append(w.undo, flow.Undo{
			Key:        flow.Key(text(call, "key")),
			Connection: text(call, "connection"),
			Operation:  text(call, "operation"),
			Inputs:     inputs,
			Secret:     inputs == nil,
			Create:     flow.Key(text(call, "create")),
		})
	}
	return w.undoBecause(p, why)
}

func joinSentences(a, b string) string {
	switch {
	case a == "":
		return b
	case b == "" || strings.HasSuffix(a, b): // a resumed run comes to say the same
		return a
	}
	return a + "; " + b
}
