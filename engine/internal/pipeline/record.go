package pipeline

import (
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// What a step leaves behind under steps.ID: its type, for the checker, and
// its value, for the interpreter, side by side.

// recordType returns the type of steps.ID.
func (s *Step) recordType() *types.Type {
	if s.Foreach != nil {
		return s.foreachType()
	}
	fields := []types.Field{{Name: "ran", Type: types.BooleanType}}
	if t := s.RowType(); t != nil {
		t = s.handled(maybe(maybe(t, s.whyNull()), s.whyNotSent()))
		fields = []types.Field{{Name: "outputs", Type: t}, fields[0]}
	}
	if s.Batch() != nil {
		fields = append(fields, s.resultFields(nil)...)
	}
	if s.callsOperation() {
		fields = append(fields,
			types.Field{Name: "sent", Type: types.BooleanType},
			types.Field{Name: "reconciled", Type: types.BooleanType},
			types.Field{Name: "outcome", Type: orNull(s.outcomeType(), s.whyNoOutcome())},
		)
	}
	return types.ObjectOf(fields...)
}

// Batch returns the batch operation that the step calls, or nil.
func (s *Step) Batch() *catalog.Operation {
	if c, ok := s.Action.(*Call); ok && c.Operation != nil && c.Operation.Batch != nil {
		return c.Operation
	}
	return nil
}

func (s *Step) callsOperation() bool {
	c, ok := s.Action.(*Call)
	return ok && c.Operation != nil
}

func (s *Step) whyNull() string {
	switch {
	case s.If != nil:
		return "step " + s.ID + " is skipped when its if is false"
	case s.OnError == Continue:
		return "step " + s.ID + " may fail and the run goes on"
	}
	return ""
}

// whyNotSent says why a step that ran may have no outputs although it went well.
func (s *Step) whyNotSent() string {
	if s.Batch() != nil {
		return "step " + s.ID + " sends nothing when it is given no rows"
	}
	return ""
}

func (s *Step) whyNoOutcome() string {
	if why := s.whyNull(); why != "" || len(s.Handlers) == 0 {
		return why
	}
	return "a handler of step " + s.ID + " may have passed over a fault outside of a call"
}

// maybe makes every member nullable when there is a reason.
func maybe(t *types.Type, why string) *types.Type {
	if why == "" || t == nil || t.Kind != types.Object {
		return t
	}
	m := *t
	m.Fields = make([]types.Field, len(t.Fields))
	for i, f := range t.Fields {
		m.Fields[i] = types.Field{Name: f.Name, Type: orNull(f.Type, why)}
	}
	return &m
}

func orNull(t *types.Type, why string) *types.Type {
	if why == "" {
		return t
	}
	return t.OrNull(why)
}

// A shape is what is the same in all records of a step.
type shape struct {
	outputs *types.Type // nil for a step that gives none
	batch   bool        // it calls an operation that sends many rows
	creates bool        // these are created
	calls   bool        // it calls an operation
	skipped *value.Object
}

func (s *Step) shapeOf() shape {
	shape := shape{outputs: s.RowType(), batch: s.Batch() != nil, creates: s.createsRows(), calls: s.callsOperation()}
	if s.Foreach != nil {
		shape.skipped = value.ObjectOf("ran", false, "results", value.List{}, "done", int64(0), "failed", int64(0))
	} else {
		shape.skipped = shape.record(flow.Result{}, nil, false)
	}
	return shape
}

// SkippedRecord is the record of a step that did not run: its declared outputs, all null.
func (s *Step) SkippedRecord() *value.Object { return s.shape.skipped }

// Record is the record of a step that ran or was skipped. outputs is nil where the step has
// given none; all of its declared outputs are null then.
func (s *Step) Record(res flow.Result, outputs *value.Object, ran bool) *value.Object {
	return s.shape.record(res, outputs, ran)
}

func (s *shape) record(res flow.Result, outputs *value.Object, ran bool) *value.Object {
	record := value.NewObject(s.size())
	if s.outputs != nil {
		record.Add("outputs", complete(s.outputs, outputs))
	}
	record.Add("ran", ran)
	if s.batch {
		setResults(record, s.batchResults(res.Rows))
	}
	if s.calls {
		record.Add("sent", res.Sent && !res.Reused && res.Outcome.Success())
		record.Add("reconciled", res.Reconciled && res.Outcome.Success())
		record.Add("outcome", outcomeValue(res.Outcome))
	}
	return record
}

// size is how many members a record has.
func (s *shape) size() int {
	switch {
	case s.batch:
		return 8
	case s.calls:
		return 5
	}
	return 2
}

// complete returns outputs with every declared member in its place; the rest follows.
func complete(t *types.Type, outputs *value.Object) *value.Object {
	if isComplete(t, outputs) {
		return outputs
	}
	all := value.NewObject(outputs.Len())
	if t != nil {
		for _, f := range t.Fields {
			all.Set(f.Name, outputs.At(f.Name))
		}
	}
	for name, v := range outputs.All() {
		all.Set(name, v)
	}
	return all
}

func isComplete(t *types.Type, outputs *value.Object) bool {
	if t == nil || outputs == nil || outputs.Len() < len(t.Fields) {
		return false
	}
	i := 0
	for name := range outputs.All() {
		if i == len(t.Fields) {
			break
		}
		if t.Fields[i].Name != name {
			return false
		}
		i++
	}
	return true
}

// Words that a row of results has beside the outputs.
const (
	rowKey    = "key"
	rowStatus = "status"
	rowError  = "error"
	rowSent   = "sent" // in a batch that creates, where no row has outputs
)

// createsRows reports whether the step calls an operation that creates a row for each of many.
func (s *Step) createsRows() bool {
	op := s.Batch()
	return op != nil && op.Effect == flow.Create
}

func (s *Step) foreachType() *types.Type {
	return types.ObjectOf(append([]types.Field{{Name: "ran", Type: types.BooleanType}}, s.resultFields(s.rowOutputs())...)...)
}

// resultFields are results, done and failed. Rows have outputs beside key, status and error, and
// those of a batch that creates whether they were sent.
func (s *Step) resultFields(outputs []types.Field) []types.Field {
	fields := []types.Field{
		{Name: rowKey, Type: types.TextType},
		{Name: rowStatus, Type: &types.Type{Kind: types.Text, Enum: []value.Value{"done", "failed", "ambiguous", "skipped"}}},
	}
	if s.createsRows() {
		fields = append(fields, types.Field{Name: rowSent, Type: types.BooleanType})
	}
	for _, f := range outputs {
		fields = append(fields, types.Field{Name: f.Name, Type: f.Type.OrNull("a row that failed has no outputs")})
	}
	fields = append(fields, types.Field{Name: rowError, Type: types.TextType.OrNull("a row that is done has no error")})
	return []types.Field{
		{Name: "results", Type: types.ListOf(types.ObjectOf(fields...))},
		{Name: "done", Type: types.IntegerType},
		{Name: "failed", Type: types.IntegerType},
	}
}

// rowOutputs are what a row of results has beside key, status and error. The
// outputs of a batch operation are those of a batch, not of a row.
func (s *Step) rowOutputs() []types.Field {
	if t := s.RowType(); t != nil && s.Batch() == nil {
		return t.Fields
	}
	return nil
}

// RowType returns the type of the outputs that the step gives each time it is
// done; nil for steps that give none.
func (s *Step) RowType() *types.Type {
	switch a := s.Action.(type) {
	case *Call:
		if s.Until != nil {
			return s.Until.seen
		}
		return a.Outputs()
	case *Set:
		return a.Values.Type()
	case *Group:
		return a.outputsType()
	case *Switch:
		return a.outputsType()
	}
	return nil
}

// ForeachRecord is the record of a foreach that ended: a row of results for
// every item, in row order, or for every row of its batches; failed counts all that are not done.
func (s *Step) ForeachRecord(items []flow.Item) *value.Object {
	results := make(value.List, 0, len(items))
	for _, item := range items {
		if item.Rows != nil {
			results = append(results, s.shape.batchResults(item.Rows)...)
			continue
		}
		row := value.NewObject(len(s.Foreach.Columns) + 3)
		row.Add(rowKey, item.Key)
		row.Add(rowStatus, string(item.Status))
		if s.shape.creates {
			row.Add(rowSent, false)
		}
		for _, name := range s.Foreach.Columns {
			row.Add(name, item.Outputs.At(name)) // none of them is called as the others are
		}
		var why value.Value
		if item.Err != nil {
			why = item.Err.Error()
		}
		row.Add(rowError, why)
		results = append(results, row)
	}
	record := value.ObjectOf("ran", true)
	setResults(record, results)
	return record
}

func (s *shape) batchResults(rows []flow.RowResult) value.List {
	results := make(value.List, len(rows))
	for i, r := range rows {
		row := value.ObjectOf(rowKey, r.Key, rowStatus, string(r.Status))
		if s.creates {
			row.Add(rowSent, r.Status == flow.Done && !r.Reused)
		}
		var why value.Value
		if r.Status != flow.Done {
			why = r.Message
		}
		row.Add(rowError, why)
		results[i] = row
	}
	return results
}

// setResults adds results and counts them.
func setResults(record *value.Object, results value.List) {
	done := 0
	for _, row := range results {
		if row.(*value.Object).At(rowStatus) == string(flow.Done) {
			done++
		}
	}
	record.Set("results", results)
	record.Set("done", int64(done))
	record.Set("failed", int64(len(results)-done))
}
