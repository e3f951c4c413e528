package interp

import (
	"errors"
	"fmt"
	"slices"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// register notes how to take back what the step at key has just done. Only
// what this run itself has done is noted. A step that is done stays so where
// its undo cannot be computed: failing it would leave even more behind.
func (w *walker) register(s *pipeline.Step, key flow.Key, vars lang.Vars, record *value.Object) {
	if s.Undo == nil || record.At("sent") != true {
		return
	}
	inputs, err := w.arguments(s.Undo, key, pipeline.WithItem(vars, record.At("outputs")))
	if err != nil {
		w.rt.Emit(&event.Note{Warning: true, Text: fmt.Sprintf("%s is done, and cannot be undone if the run fails: %v", key, err)})
		return
	}
	w.undo = append(w.undo, flow.Undo{
		Key:        key + "/undo",
		Connection: s.Undo.Connection,
		Operation:  s.Undo.Operation.Name,
		Inputs:     inputs,
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
	switch {
	case f.Code == codeInterrupted, f.Code == codeInternal:
		account.Hint = joinSentences(f.Hint, "nothing was undone, since the run did not come to its end")
	case f.Ambiguous || w.tally.Ambiguous > 0:
		account.Hint = joinSentences(f.Hint, "nothing was undone, since it is not known what was done")
	default:
		failed, err := w.undoAll(p)
		if err != nil {
			return errors.Join(why, err)
		}
		text := fmt.Sprintf("%d of %d steps that can be undone were", len(w.undo)-failed, len(w.undo))
		if failed > 0 {
			text += "; the warnings name the others, which a person must look at"
		}
		account.Hint = joinSentences(f.Hint, text)
	}
	return &account
}

// undoAll makes the registered calls and returns how many of them failed.
func (w *walker) undoAll(p *pipeline.Pipeline) (failed int, err error) {
	err = w.rt.Cleanup(func(rt flow.Runtime) error {
		calm := &walker{rt: rt, p: p, runID: w.runID, started: w.started}
		for _, u := range slices.Backward(w.undo) {
			a, err := p.CallOf(u.Connection, u.Operation)
			if err == nil {
				_, err = calm.whole(a, u.Key, u.Inputs)
			}
			if err != nil {
				failed++
				rt.Emit(&event.Note{Warning: true, Text: fmt.Sprintf("%s: it could not be undone: %v", u.Key, err)})
			}
		}
		return nil
	})
	return failed, err
}

func joinSentences(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}
