package pipeline

import (
	"time"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang"
	"github.com/seed627bd532/runner/engine/internal/source"
)

// Until repeats a read until something is there. Its conditions are over the
// step's variables and the outputs of its own call.
type Until struct {
	Done   *lang.Expr
	FailIf *lang.Expr // nil: nothing ends the wait but Done and Timeout
	// Every is the wait between two looks, Timeout the longest wait in all.
	Every, Timeout time.Duration
}

// until decodes the wait of a step that calls; n has it.
func (d *decoder) until(n *source.Node, s *Step, scope *lang.Scope) *Until {
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
	if s.Foreach != nil {
		d.faults.Add(at.Errorf("until-with-foreach", "a step repeats its call either for every item or until something is there").
			WithHint("put the waiting step below steps: of the foreach"))
	}
	own := scope.With(lang.Name{Name: "outputs", Type: call.Outputs()})
	u := &Until{
		Done:    d.boolean(n.Get("until"), own),
		Every:   d.duration(n.Get("every")),
		Timeout: d.duration(n.Get("timeout")),
	}
	if f := n.Get("fail_if"); f != nil {
		u.FailIf = d.boolean(f, own)
	}
	switch {
	case u.Every == 0:
		d.faults.Add(n.Get("every").Errorf("wrong-value", "the wait between two looks must be longer than nothing"))
	case u.Every >= u.Timeout:
		d.faults.Add(n.Get("every").Errorf("never-twice", "it would look only once: every (%v) is not shorter than timeout (%v)", u.Every, u.Timeout))
	}
	return u
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
