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
// what this run itself has done is noted.
func (w *walker) register(s *pipeline.Step, key flow.Key, vars lang.Vars, record *value.Object) error {
	if s.Undo == nil || record.At("ran") != true || record.At("sent") == false {
		return nil
	}
	outputs := record.At("outputs")
	inputs, err := w.arguments(s.Undo, key, pipeline.WithItem(vars, outputs))
	if err != nil {
		return err
	}
	w.undo = append(w.undo, flow.Undo{
		Key:        key + "/undo",
		Connection: s.Undo.Connection,
		Operation:  s.Undo.Operation.Name,
		Inputs:     inputs,
	})
	return nil
}

// takeBack makes the registered calls, last first, after the run failed for
// the reason why, and returns why with an account of them. Nothing is taken back while
// it is not known what was done, and after an interrupt, since the run may be taken up again.
func (w *walker) takeBack(p *pipeline.Pipeline, why error) error {
	var f *Failure
	if p.OnFailure != pipeline.UndoAll || len(w.undo) == 0 || !errors.As(why, &f) || f.Code == codeInterrupted {
		return why
	}
	account := *f
	if f.Ambiguous || w.tally.Ambiguous > 0 {
		account.Hint = joinSentences(f.Hint, "nothing was undone, since it is not known what was done")
		return &account
	}
	done, failed := 0, 0
	err := w.rt.Cleanup(func(rt flow.Runtime) error {
		calm := &walker{rt: rt, p: p, runID: w.runID, started: w.started}
		for _, u := range slices.Backward(w.undo) {
			a, err := p.CallOf(u.Connection, u.Operation)
			if err == nil {
				_, err = calm.operation(a, u.Key, u.Inputs, nil)
			}
			if err != nil {
				failed++
				rt.Emit(&event.Note{Warning: true, Text: fmt.Sprintf("%s: could not be undone: %v", u.Key, err)})
				continue
			}
			done++
		}
		return nil
	})
	if err != nil {
		return errors.Join(why, err)
	}
	text := fmt.Sprintf("%d of %d calls that can be were undone", done, len(w.undo))
	if failed > 0 {
		text += "; the warnings name the others, which a person must look at"
	}
	account.Hint = joinSentences(f.Hint, text)
	return &account
}

func joinSentences(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}
