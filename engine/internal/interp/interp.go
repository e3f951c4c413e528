// Package interp walks a pipeline over a flow.Runtime. It is deterministic: it
// starts no goroutine, reads no clock, opens no connection and never ranges
// over a map, so that a resumed run computes what the first one did.
package interp

import (
	"time"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// Input is what a run starts with.
type Input struct {
	RunID string
	// Began is when the run began for the first time, which is what now() says; zero
	// leaves that to what the runtime recorded.
	Began time.Time
	// Values are the bound inputs; streamed ones may be null here.
	Values *value.Object
	// Rows are the sources of streamed inputs, by name.
	Rows map[string]Source
	// OnRow hears of every row of the run's own foreach steps as it ends, from
	// the row's goroutine, and of those that were skipped when the foreach has
	// ended; nil for nobody.
	OnRow func(step string, item flow.Item)
	// Resume is the command that the account of an open create names.
	Resume flow.ResumeCommand
}

// A Source yields the elements of a list. An element's error is its own (a row that could not be
// read); the error that broken returns afterwards ended the source.
type Source func(yield func(v value.Value, rowErr error) bool) (broken error)

// Run walks p and returns its outputs. Tally counts the rows that did not end
// well below steps that collect. The error is a *Failure, or what the runtime
// said (an interrupt).
func Run(rt flow.Runtime, p *pipeline.Pipeline, in Input) (*value.Object, flow.Tally, error) {
	now, err := in.Began, error(nil)
	if now.IsZero() {
		now, err = rt.Now("now")
	}
	if err != nil {
		return nil, flow.Tally{}, err
	}
	w := &walker{
		rt:     rt,
		p:      p,
		runID:  in.RunID,
		resume: in.Resume,
		run:    pipeline.NewRun(in.RunID, now.UTC().Format(time.RFC3339)),
		rows:   in.Rows,
		onRow:  in.OnRow,
	}
	if why, begun, err := rt.CleaningUp(); begun || err != nil {
		if err == nil {
			err = w.goOnUndoing(p, why)
		}
		return nil, flow.Tally{}, err
	}
	outputs, err := w.pipeline(p, "", in.Values)
	if err != nil {
		err = w.takeBack(p, err)
	}
	return outputs, w.tally, err
}

// A walker walks one pipeline, or one row of a foreach, in order.
type walker struct {
	rt     flow.Runtime
	p      *pipeline.Pipeline
	runID  string
	resume flow.ResumeCommand
	run    pipeline.Run
	rows   map[string]Source
	onRow  func(step string, item flow.Item) // nil within called pipelines
	tally  flow.Tally
	undo   []flow.Undo      // what was done and can be taken back, in order
	batch  []flow.RowResult // how the rows of the batch that was called last ended
	down   bool             // the vendor did not answer for that batch
	clock  *clock
	fresh  bool // its calls ask for what is true now
	unsure bool // rows around it, or before those, did not end well
	leads  bool // a create may depend on what it does
	// doubtful says that it has read something in doubt.
	doubtful bool
}

// doubts reports whether the walk goes on behind rows that did not end well, and may end otherwise when the run
// is resumed. What is read there is read again then, unless a create may depend on it: that must go the same way again.
func (w *walker) doubts() bool {
	return (w.unsure || w.tally != (flow.Tally{})) && !w.leads
}

// pipeline walks p below key and returns its outputs.
func (w *walker) pipeline(p *pipeline.Pipeline, key flow.Key, inputs *value.Object) (*value.Object, error) {
	outer := w.p
	w.p = p
	defer func() { w.p = outer }()

	vars, err := w.steps(p.Steps, key, w.run.Vars(inputs))
	if err != nil {
		return nil, err
	}
	outputs := value.NewObject(len(p.Outputs))
	for _, o := range p.Outputs {
		v, err := o.Value.Eval(vars)
		if err != nil {
			return nil, w.evalFailure(key, "outputs."+o.Name, err)
		}
		if v == types.Omit {
			v = nil
		}
		outputs.Set(o.Name, v)
	}
	return outputs, nil
}

// steps runs steps in order, and returns vars with what they leave behind.
func (w *walker) steps(steps []*pipeline.Step, key flow.Key, vars expr.Vars) (expr.Vars, error) {
	trail := pipeline.NewTrail(vars, len(steps))
	outer := w.leads
	defer func() { w.leads = outer }()
	for _, s := range steps {
		w.leads = outer || s.Leads
		record, err := w.step(s, key, trail.Vars)
		if err != nil {
			return nil, err
		}
		if s.ID != "" {
			trail.Add(s.ID, record)
		}
	}
	return trail.Vars, nil
}

// step runs one step of the current pipeline and returns its record.
func (w *walker) step(s *pipeline.Step, parent flow.Key, vars expr.Vars) (*value.Object, error) {
	if err := w.rt.Interrupted(); err != nil {
		return nil, w.stopped(stepKey(parent, s), err)
	}
	if s.If != nil {
		yes, err := s.If.Bool(vars)
		if err != nil {
			return nil, w.evalFailure(stepKey(parent, s), "if", err)
		}
		if !yes {
			if s.ID != "" && w.rt.Heard() { // without one, its key is that of what it stands in
				w.tellFinish(event.StepFinished{Key: string(stepKey(parent, s)), Operation: operationName(s), Skipped: true})
			}
			return s.SkippedRecord(), nil
		}
	}
	key := stepKey(parent, s)
	if s.Foreach != nil {
		return w.foreach(s, key, vars)
	}
	if s.Timeout == 0 {
		record, err := w.action(s, key, vars)
		return w.settle(s, key, vars, record, err)
	}
	var record *value.Object
	err := w.within(s, key, func() (err error) {
		record, err = w.action(s, key, vars)
		return err
	})
	return w.settle(s, key, vars, record, err)
}

// settle deals with what the action of a step, or of one row of its foreach,
// came to: what can be undone is registered, a failure goes to the handlers.
func (w *walker) settle(s *pipeline.Step, key flow.Key, vars expr.Vars, record *value.Object, err error) (*value.Object, error) {
	switch {
	case err == nil:
		w.register(s, key, vars, record)
		return record, nil
	case s.Foreach != nil && len(s.Handlers) == 0:
		return nil, err // the foreach decides
	}
	return w.handle(s, key, vars, err)
}

func stepKey(parent flow.Key, s *pipeline.Step) flow.Key {
	if s.ID == "" {
		return parent
	}
	return parent.Step(s.ID)
}

// action does what a step says, once.
func (w *walker) action(s *pipeline.Step, key flow.Key, vars expr.Vars) (*value.Object, error) {
	switch a := s.Action.(type) {
	case *pipeline.Call:
		switch {
		case a.Pipeline != nil:
			return w.callPipeline(s, a, key, vars)
		case a.Operation.Batch != nil:
			return w.callBatch(s, a, key, vars)
		case s.Until != nil:
			return w.poll(s, a, key, vars)
		}
		return w.callOperation(s, a, key, vars)
	case *pipeline.Set:
		return w.set(s, a, key, vars)
	case *pipeline.Fail:
		return nil, w.fail(a, key, vars)
	case *pipeline.Group:
		return w.told(s, key, func() (*value.Object, bool, error) {
			outputs, err := w.group(a, key, vars)
			return outputs, true, err
		})
	case *pipeline.Switch:
		return w.told(s, key, func() (*value.Object, bool, error) { return w.branch(a, key, vars) })
	}
	panic("interp: unknown step kind")
}

func (w *walker) set(s *pipeline.Step, a *pipeline.Set, key flow.Key, vars expr.Vars) (*value.Object, error) {
	v, err := a.Values.Eval(vars)
	if err != nil {
		return nil, w.evalFailure(key, "set", err)
	}
	values, ok := v.(*value.Object)
	if !ok {
		values = value.NewObject(0) // every member was omitted
	}
	return s.Record(flow.Result{}, values, true), nil
}

func (w *walker) fail(a *pipeline.Fail, key flow.Key, vars expr.Vars) error {
	v, err := a.Message.Eval(vars)
	if err != nil {
		return w.evalFailure(key, "fail", err)
	}
	message, err := value.Text(v)
	if err != nil {
		return w.evalFailure(key, "fail", err)
	}
	return &Failure{Code: "failed", Step: string(key), Message: message}
}

func operationName(s *pipeline.Step) string {
	if c, ok := s.Action.(*pipeline.Call); ok {
		return c.Name()
	}
	return ""
}
