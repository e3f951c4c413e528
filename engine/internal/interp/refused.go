package interp

import (
	"fmt"
	"slices"
	"time"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/flow"
)

// A create that the vendor refused for now after it was sent (429, 503 with Retry-After, an ended
// login) may have been done all the same. It is looked for once, when the vendor takes requests again and would
// show it, and is sent again only where that look succeeded and did not find it.

// settleRefused settles such a create; outer is the walker of its step.
func (s *searcher) settleRefused(outer *walker, lost flow.Result) (flow.Result, error) {
	vars, err := s.lookupVars()
	if err != nil {
		return lost, err
	}
	if lost.Fatal { // there are no other credentials
		seen, err := s.once(s.req.CallKey.Step("lookup~1"), vars)
		switch {
		case err != nil || seen.fatal: // nobody is let in, so that nothing can have been done
			return lost, err
		case seen.found:
			return s.done(lost, seen), nil
		}
	}
	inTime, err := s.await(outer, lost)
	if err != nil {
		return lost, err
	}
	seen, err := s.once(s.req.CallKey.Step("lookup~2"), vars)
	switch {
	case err != nil:
		return lost, err
	case seen.found:
		return s.done(lost, seen), nil
	case seen.problem == "" && s.maySendAgain(lost) && inTime:
		s.note("not found; sending it again")
		lost.Again = s.again()
		return lost, nil
	case seen.problem == "" && notDoneIfAbsent(lost):
		lost.Exhausted = inTime && !declared(lost) // without time, the step says that it has ended
		return lost, nil
	}
	lost = leftOpen(lost)
	lost.Hint, lost.Fatal = "", seen.fatal
	lost.Message = joinSentences(lost.Message, s.afterRefusal(seen))
	return lost, nil
}

// notDoneIfAbsent reports whether what was refused counts as not done where it is absent, and is not sent again.
func notDoneIfAbsent(lost flow.Result) bool {
	return lost.Outcome != flow.Unknown && (!lost.Resent || declared(lost))
}

// leftOpen is the result of what was refused and may have been done.
func leftOpen(lost flow.Result) flow.Result {
	lost.Outcome, lost.Code = flow.Unknown, flow.CodeRefused
	return lost
}

// await waits until the vendor takes requests again and would show what it did. Where the step has not the time for
// the former, inTime is false, and only the latter is waited for.
func (s *searcher) await(outer *walker, lost flow.Result) (inTime bool, err error) {
	now, err := s.rt.Now("")
	if err != nil {
		return false, s.stopped(s.key, err)
	}
	passed := max(0, now.Sub(lost.At)) // a clock that was set back lets nothing pass
	shown := s.created.Operation.Reach()
	wait := max(shown, lost.RetryAfter, s.created.Operation.Retry.Wait(s.req.Attempt(), s.req.CallKey)) - passed
	_, late := outer.left(s.key, s.req.CallKey, max(0, wait))
	if late != nil {
		wait = shown - passed
	}
	what := fmt.Sprintf("refused after it was sent (%s); before it is sent again, it is looked up with %s", lost.Message, s.look.Name())
	if wait > 0 {
		what += fmt.Sprintf(" in %v", wait.Round(time.Millisecond))
	}
	s.note(what)
	if err := s.rt.Sleep("", max(0, wait)); err != nil {
		return false, s.stopped(s.key, err)
	}
	return late == nil, nil
}

// note tells what is no reason to worry: a vendor that has enough for now.
func (s *searcher) note(what string) {
	s.rt.Emit(&event.Note{Text: fmt.Sprintf("%s: %s", s.key, what)})
}

// maySendAgain reports whether what was refused and is absent may be sent again: once, since an absence proves little.
func (s *searcher) maySendAgain(lost flow.Result) bool {
	return !lost.Fatal && !lost.Resent && !declared(lost) &&
		(lost.Outcome == flow.Auth || s.rule.Resend || s.req.Attempt() < s.created.Operation.Retry.Attempts)
}

const tooManyRequests = 429 // the status that means throttled without the word of a vendor file

// declared reports whether the vendor file itself says that such an answer means later: with an absence besides, it was
// not done, and is repeated as any other call.
func declared(lost flow.Result) bool {
	return lost.Outcome == flow.Busy || lost.Outcome == flow.Throttled && lost.Status != tooManyRequests
}

// afterRefusal says for people what the look came to that did not find it.
func (s *searcher) afterRefusal(seen finding) string {
	if seen.problem == "" {
		return "not found in the look-up with " + s.look.Name() + " afterwards"
	}
	return fmt.Sprintf("the look-up with %s failed: %s", s.look.Name(), seen.problem)
}

// settleRefusedRows is settleRefused for a batch: the rows that are not there are sent again, without the others.
func (s *searcher) settleRefusedRows(outer *walker, lost flow.Result) (flow.Result, error) {
	rows, open, err := s.openRows(lost)
	if err != nil {
		return lost, err
	}
	all := len(open)
	if lost.Fatal && all > 0 {
		seen, err := s.once(s.req.RowKey(open[0].Key).Step("lookup~1"), open[0].vars)
		if err != nil || seen.fatal {
			return lost, err
		}
	}
	inTime, err := s.await(outer, lost)
	if err != nil {
		return lost, err
	}
	if open, _, err = s.lookForRows(open, 2); err != nil {
		return lost, err
	}
	absent := flow.Ambiguous // what a row that is not there counts as
	switch {
	case s.maySendAgain(lost) && inTime:
		absent = ""
	case notDoneIfAbsent(lost):
		absent = flow.Failed
	}
	failed := s.afterLook(rows, open, lost, absent)
	switch {
	case absent == "" && slices.ContainsFunc(rows, func(r flow.RowResult) bool { return r.Status == "" }):
		s.note(fmt.Sprintf("of %d rows, those that are not there are sent once more", len(rows)))
		lost.Rows, lost.Again = rows, s.again()
		return lost, nil
	case absent == flow.Failed && !failed && len(open) == all: // as refused as it was
		lost.Exhausted = inTime && !declared(lost)
		return lost, nil
	}
	return flow.Result{Outcome: flow.OK, Status: lost.Status, Message: lost.Message, Sent: lost.Sent, Reconciled: len(open) < all,
		Resent: lost.Resent, Rows: rows, Down: failed, At: lost.At, Endpoint: lost.Endpoint}, nil
}

// afterLook says of each row that was not found what it counts as, and reports whether the look failed for some. A row
// that nobody can look for goes with those that are not there, unless it may well have been done.
func (s *searcher) afterLook(rows []flow.RowResult, open []*openRow, lost flow.Result, absent flow.ItemStatus) (failed bool) {
	for i := range rows {
		r := &rows[i]
		if r.Status == flow.Done {
			continue
		}
		at := slices.IndexFunc(open, func(o *openRow) bool { return o.RowResult == r })
		switch {
		case at < 0 && lost.Outcome == flow.Unknown:
			r.Message = s.rowAccount(s.req, r.Key, lost, lost.Message)
			continue
		case at < 0:
			r.Status = absent
			continue
		case open[at].failed:
			failed = true
		default:
			r.Status = absent
		}
		r.Message = joinSentences(lost.Message, s.afterRefusal(open[at].last))
		if r.Status == flow.Ambiguous {
			r.Message = s.rowAccount(s.req, r.Key, lost, r.Message)
		}
	}
	return failed
}
