package pipeline

import (
	"time"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/source"
)

// Until repeats a read until something is there. Its conditions are over the
// step's variables and the outputs of its own call.
type Until struct {
	Done   *expr.Expr
	FailIf *expr.Expr // nil: nothing ends the wait but Done and Timeout
	// Every is the wait between two looks; the step's timeout is the longest wait in all.
	Every time.Duration

	seen *types.Type // of the outputs of the look that ends the wait well
}

// until decodes the wait of a step that calls; n has it.
func (d *decoder) until(n *source.Node, s *Step, scope *expr.Scope) *Until {
	at := n.Key("until")
	call, ok := s.Action.(*Call)
	if !ok {
		return nil // reported by the grammar
	}
	if call.Operation == nil || call.Operation.Effect != flow.Read {
		what := "a pipeline"
		if call.Operation != nil {
			what = string(call.Operation.Effect)
		}
		d.faults.Add(at.Errorf("until-not-read", "until repeats its call, so that it must be a read; %s is %s", call.Name(), what).
			WithHint("do the work in one step, and wait for it in another that reads"))
	}
	if s.Batch() != nil {
		d.faults.Add(at.Errorf("until-of-batch", "%s asks for many rows at once, and a step that waits asks for one thing", call.Name()))
	}
	if s.Foreach != nil {
		d.faults.Add(at.Errorf("until-with-foreach", "a step repeats its call either for every item or until something is there").
			WithHint("put the waiting step below steps: of the foreach"))
	}
	own := call.answered(scope)
	u := &Until{Every: d.duration(n.Get("every"))}
	if f := n.Get("fail_if"); f != nil {
		u.FailIf = d.ofOutputs(f, own)
	}
	catalog.AtMost(n.Get("every"), "every", u.Every, longestWait, d.faults)
	seen := own.Where(u.FailIf, false)
	u.Done = d.ofOutputs(n.Get("until"), seen)
	u.seen = seen.Where(u.Done, true).Type("outputs")
	switch {
	case u.Every == 0:
		d.faults.Add(n.Get("every").Errorf("wrong-value", "the wait between two looks must be longer than nothing"))
	case s.Timeout > 0 && u.Every >= s.Timeout:
		d.faults.Add(n.Get("every").Errorf("never-twice", "it would look only once: every (%s) is not shorter than timeout (%s)", n.Get("every").Text, n.Get("timeout").Text))
	}
	return u
}

const (
	longestWait = 24 * time.Hour      // between two looks
	longestStep = 30 * 24 * time.Hour // longer than any run goes on
)

// A bound is a timeout around a step.
type bound struct {
	time.Duration
	text  string // as it was declared
	place diag.Place
}

// timeout decodes how long the step may take. One that is longer than that of a
// step around it would never be met.
func (d *decoder) timeout(n *source.Node, s *Step) {
	t := n.Get("timeout")
	if t == nil {
		return
	}
	if s.ID == "" {
		d.faults.Add(n.Key("timeout").Errorf("missing-id", "a step with a timeout needs an id").
			WithHint("add id: with a short name; it tells which step took too long"))
	}
	s.Timeout = d.duration(t)
	catalog.AtMost(t, "timeout", s.Timeout, longestStep, d.faults)
	switch {
	case s.Timeout == 0:
		d.faults.Add(t.Errorf("wrong-value", "a timeout of nothing can never be met"))
	case d.bound != nil && s.Timeout > d.bound.Duration:
		fault := t.Errorf("never-reached", "this timeout (%s) is longer than that of the step around it (%s), which always ends first", t.Text, d.bound.text)
		fault.Related = []diag.Place{d.bound.place}
		d.faults.Add(fault)
	default:
		d.bound = &bound{s.Timeout, t.Text, diag.Place{File: t.File, Pos: t.Pos, Note: "the timeout around it"}}
	}
}

// duration reads a length of time; the grammar has seen to its form.
func (d *decoder) duration(n *source.Node) time.Duration {
	if n == nil {
		return 0
	}
	t, err := time.ParseDuration(n.Text)
	if err != nil {
		d.faults.Add(n.Errorf("wrong-value", "%q is not a duration", n.Text).WithHint("write it as 500ms, 30s, 15m or 2h"))
	}
	return t
}
