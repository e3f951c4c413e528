package interp

import (
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

// canLook reports whether a create of this identity can be looked for; that of a batch, row by row.
func canLook(op *catalog.Operation, identity string) bool {
	return op.Reconcile != nil && (op.Batch != nil || identity != "")
}

// reconciler returns what settles a create whose answer leaves something open; nil
// where nothing can be looked for.
func (w *walker) reconciler(a *pipeline.Call, key flow.Key, identity string) flow.Settle {
	op := a.Operation
	if !canLook(op, identity) {
		return nil
	}
	return func(rt flow.Runtime, sent flow.CallRequest, lost flow.Result) (flow.Result, error) {
		s := w.searcher(rt, a, key, sent)
		switch {
		case lost.Refused() && op.Batch != nil:
			return s.settleRefusedRows(w, lost)
		case lost.Refused():
			return s.settleRefused(w, lost)
		case op.Batch != nil:
			return s.settleRows(lost)
		}
		return s.settle(lost)
	}
}

// canSettleRows reports whether rows are to be looked for after a batch that may
// be repeated. Those of a create are settled under its locks.
func canSettleRows(op *catalog.Operation, res flow.Result) bool {
	return op.Reconcile != nil && op.Effect != flow.Create && !res.Exhausted && res.Unsettled()
}

// settleRows looks for the rows of a batch that may be repeated. What it finds is
// a fact from then on, as the answer would have been.
func (w *walker) settleRows(a *pipeline.Call, key flow.Key, req flow.CallRequest, lost flow.Result) (flow.Result, error) {
	res, err := w.searcher(w.rt, a, key, req).settleRows(lost)
	if err == nil {
		res.Exhausted = true
		err = w.rt.Record(req, res)
	}
	if err != nil {
		return res, w.stopped(key, err)
	}
	return res, nil
}

// searcher looks for what a call did. Its walker is bound by no timeout of a
// step: what is at the vendor matters more than the time it takes to find out.
func (w *walker) searcher(rt flow.Runtime, a *pipeline.Call, key flow.Key, req flow.CallRequest) *searcher {
	return &searcher{
		walker:  &walker{rt: rt, p: w.p, runID: w.runID, resume: w.resume, run: w.run, fresh: true},
		rule:    a.Operation.Reconcile,
		created: a,
		look:    &pipeline.Call{Connection: a.Connection, Operation: a.Operation.Reconcile.Call},
		key:     key,
		req:     req,
	}
}

// A searcher looks for what one call did.
type searcher struct {
	*walker
	rule    *catalog.Reconcile
	created *pipeline.Call
	look    *pipeline.Call
	key     flow.Key // of the step
	req     flow.CallRequest
}

// A finding is what one look, or all of them, came to: it is there with these
// outputs, it is not, or, as problem says, that cannot be told.
type finding struct {
	found   bool
	outputs *value.Object
	problem string
	mute    bool // the vendor did not say anything of it
	fatal   bool
}

// lookupVars are in scope of the look-up for what a single create made.
func (s *searcher) lookupVars() (expr.Vars, error) {
	identity, err := s.created.Operation.Identity.Eval(catalog.IdentityVars(s.req.Inputs))
	if err != nil {
		return nil, s.evalFailure(s.key, "identity", err)
	}
	return catalog.LookupVars(s.req.Inputs, identity), nil
}

// settle looks for what a create made. lost is what is known of it so far.
func (s *searcher) settle(lost flow.Result) (flow.Result, error) {
	tries, late := s.rule.Tries, lost.Reused
	if late {
		tries++ // the last look is then as far from the create as the vendor is late at most
		s.tell("another run recorded this create shortly before this run started, and the look-up has not found it yet; looking it up again with " + s.look.Name())
	} else {
		s.tell("the outcome is unknown; looking it up with " + s.look.Name())
	}
	vars, err := s.lookupVars()
	if err != nil {
		return lost, err
	}
	var last finding
	absent := true
	for try := 1; try <= tries; try++ {
		if err := s.pause(try); err != nil {
			return lost, err
		}
		at := s.req.CallKey.Step(fmt.Sprintf("lookup~%d", try))
		if last, err = s.once(at, vars); err != nil {
			return lost, err
		}
		if last.found {
			return s.done(lost, last), nil
		}
		absent = absent && last.problem == ""
		if last.fatal {
			break
		}
	}
	if absent && (late || s.rule.Resend && !lost.Resent) {
		s.tell("not found; sending it again")
		lost.Again = s.again()
		return lost, nil
	}
	lost.Hint, lost.Fatal = "", last.fatal
	lost.Message = joinSentences(lost.Message, s.inVain(last, absent))
	return lost, nil
}

// again is the key of the attempt after the one that was sent.
func (s *searcher) again() flow.Key { return s.req.CallKey.Attempt(s.req.Attempt() + 1) }

// done is the result of a create that was found.
func (s *searcher) done(lost flow.Result, seen finding) flow.Result {
	s.tell("found: the create succeeded")
	return flow.Result{Outcome: flow.OK, Outputs: seen.outputs, Sent: lost.Sent, Reconciled: true, At: lost.At, Endpoint: lost.Endpoint}
}

// pause waits before every look but the first.
func (s *searcher) pause(try int) error {
	if try == 1 {
		return nil
	}
	if err := s.rt.Sleep("", s.rule.Every); err != nil {
		return s.stopped(s.key, err)
	}
	return nil
}

func (s *searcher) tell(what string) {
	s.rt.Emit(&event.Note{Warning: true, Text: fmt.Sprintf("%s: %s", s.key, what)})
}

// inVain says for people what the looks came to that did not find it.
func (s *searcher) inVain(last finding, absent bool) string {
	if absent {
		return fmt.Sprintf("not found in %d look-ups with %s, %v apart", s.rule.Tries, s.look.Name(), s.rule.Every)
	}
	if last.problem == "" {
		return fmt.Sprintf("not found in the last look-up with %s, and an earlier look-up failed", s.look.Name())
	}
	return fmt.Sprintf("the look-up with %s failed: %s", s.look.Name(), last.problem)
}

// once looks one time. A look that fails, or whose answer makes no sense, tells
// nothing. The error is why the run cannot go on.
func (s *searcher) once(at flow.Key, vars expr.Vars) (finding, error) {
	inputs, err := s.arguments(&pipeline.Call{Connection: s.look.Connection, Operation: s.look.Operation, With: s.rule.With}, s.key, vars)
	if err != nil {
		return finding{problem: messageOf(err)}, nil
	}
	res, err := s.quietly(s.look, s.key, at, inputs, nil)
	if err != nil {
		if f := s.passable(err); f != nil || res.Fatal {
			return finding{problem: err.Error(), mute: mute(res.Outcome), fatal: res.Fatal}, nil
		}
		return finding{}, err
	}
	vars = catalog.FoundVars(vars, res.Outputs, res.Outcome)
	found, err := s.rule.Found.Bool(vars)
	if err != nil || !found {
		return finding{problem: errorText(err)}, nil
	}
	outputs, err := s.outputs(vars)
	if err != nil {
		return finding{problem: err.Error()}, nil
	}
	return finding{found: true, outputs: outputs}, nil
}

// mute reports whether a look-up of this outcome says nothing of the one thing that it looked for.
func mute(o flow.Outcome) bool {
	switch o {
	case flow.NotFound, flow.Invalid, flow.Conflict:
		return false
	}
	return !o.Success()
}

// outputs are those of the create, made of the look-up's, in the order of their declaration.
func (s *searcher) outputs(vars expr.Vars) (*value.Object, error) {
	var given *value.Object
	if s.rule.Outputs != nil {
		v, err := s.rule.Outputs.Eval(vars)
		if err != nil {
			return nil, err
		}
		given, _ = v.(*value.Object) // nothing when every member was omitted
	}
	declared := s.created.Operation.Response.OutputsType.Fields
	outputs := value.NewObject(len(declared))
	for _, f := range declared {
		v := given.At(f.Name)
		if v == nil && f.Type.Kind != types.Unknown && !f.Type.Nullable {
			return nil, fmt.Errorf("it is there, and its output %s would be null", f.Name)
		}
		outputs.Set(f.Name, v)
	}
	return outputs, nil
}

// settleRows looks for each row of a batch that is not known to be done. Of the
// rows that are not there, those have failed that the vendor refused, or counted
// out, and those of what may be repeated; the others stay ambiguous.
func (s *searcher) settleRows(lost flow.Result) (flow.Result, error) {
	rows, open, err := s.openRows(lost)
	if err != nil {
		return lost, err
	}
	s.tell(fmt.Sprintf("%d of %d rows are not known to be done; they are looked for with %s", len(open), len(rows), s.look.Name()))
	all := len(open)
	inVain := false
	for try := 1; try <= s.rule.Tries && len(open) > 0 && !inVain; try++ {
		if err := s.pause(try); err != nil {
			return lost, err
		}
		if open, inVain, err = s.lookForRows(open, try); err != nil {
			return lost, err
		}
	}
	for _, r := range open {
		s.notFound(r)
	}
	for i := range rows {
		if rows[i].Status == flow.Ambiguous {
			rows[i].Message = s.rowAccount(s.req, rows[i].Key, lost, rows[i].Message)
		}
	}
	return flow.Result{Outcome: flow.OK, Status: lost.Status, Message: lost.Message, Outputs: lost.Outputs, Sent: lost.Sent, Reconciled: len(open) < all,
		Resent: lost.Resent, Rows: rows, Down: (inVain || unanswered(lost)) && slices.ContainsFunc(rows, notDone), At: lost.At, Endpoint: lost.Endpoint}, nil
}

// unanswered reports whether the vendor said nothing of a batch. That this run was stopped before
// it could is not the vendor's fault.
func unanswered(lost flow.Result) bool {
	switch lost.Code {
	case flow.CodePartlyDone, flow.CodeNotCounted, flow.CodeUnsettled:
		return false
	}
	return lost.Outcome == flow.Unknown
}

func notDone(r flow.RowResult) bool { return r.Status != flow.Done }

// An openRow is a row that is looked for.
type openRow struct {
	*flow.RowResult
	vars   expr.Vars
	last   finding
	failed bool // some look at it failed
}

// openRows returns the rows of a batch as lost tells of them, and those among
// them that can be looked for. What a row without identity came to nobody could say.
func (s *searcher) openRows(lost flow.Result) ([]flow.RowResult, []*openRow, error) {
	op := s.created.Operation
	list, _ := s.req.Inputs.At(op.Batch.Of).(value.List)
	rows := make([]flow.RowResult, len(s.req.Rows))
	var open []*openRow
	for i, ref := range s.req.Rows {
		id, err := op.Identity.Eval(append(catalog.IdentityVars(s.req.Inputs), list[i]))
		if err != nil {
			return nil, nil, s.evalFailure(s.key, "identity", err)
		}
		switch {
		case lost.Rows != nil:
			rows[i] = lost.Rows[i]
			if rows[i].Status == flow.Ambiguous {
				rows[i].Message = lost.Message
			}
		case s.req.Effect == flow.Create && (lost.Code != flow.CodePartlyDone || id == nil):
			rows[i] = flow.RowResult{Key: ref.Key, Status: flow.Ambiguous, Message: lost.Message}
		default:
			rows[i] = flow.RowResult{Key: ref.Key, Status: flow.Failed, Message: lost.Message}
		}
		if rows[i].Status != flow.Done && id != nil {
			open = append(open, &openRow{RowResult: &rows[i], vars: catalog.LookupVars(s.req.Inputs, id, list[i])})
		}
	}
	return rows, open, nil
}

// maxMute is how many look-ups one after another the vendor may fail to answer: a vendor
// that is down is not asked for hundreds of rows.
const maxMute = 3

// lookForRows looks once for each row, and returns those that were not found. inVain
// says that more looks are: the vendor lets nobody in, or does not answer.
func (s *searcher) lookForRows(open []*openRow, try int) (left []*openRow, inVain bool, err error) {
	silent := 0
	for i, r := range open {
		at := s.req.RowKey(r.Key).Step(fmt.Sprintf("lookup~%d", try))
		if r.last, err = s.once(at, r.vars); err != nil {
			return nil, false, err
		}
		if r.last.found {
			r.Status, r.Message = flow.Done, ""
			silent = 0
			continue
		}
		r.failed = r.failed || r.last.problem != ""
		left = append(left, r)
		if silent++; !r.last.mute {
			silent = 0
		}
		if r.last.fatal || silent == maxMute {
			for _, rest := range open[i+1:] { // nobody has looked for them
				rest.last, rest.failed = r.last, true
			}
			return append(left, open[i+1:]...), true, nil
		}
	}
	return left, false, nil
}

// notFound says of a row what the looks for it came to. One whose looks failed may be there.
func (s *searcher) notFound(r *openRow) {
	if r.failed && s.req.Effect == flow.Create {
		r.Status = flow.Ambiguous
	}
	r.Message = joinSentences(r.Message, s.inVain(r.last, !r.failed))
}
