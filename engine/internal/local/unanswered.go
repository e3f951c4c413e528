package local

import (
	"fmt"
	"slices"
	"time"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/state"
)

// lost returns the result of the create that this very run has sent before, as e
// says, without learning what became of it.
func (c *creation) lost(e state.Entry) (flow.Result, error) {
	res := lostAnswer(e)
	if e.Payload != nil {
		var err error
		if res, err = decodeResult(e.Payload); err != nil {
			return flow.Result{}, err
		}
	}
	if c.request.Rows != nil {
		return res, c.mergeRows(&res)
	}
	return res, nil
}

// mergeRows says of a batch what is known of its rows one by one: some may have been
// settled by hand meanwhile. Those that were not sent, or are absent, are apart then; those that
// an earlier pass sent, and that are open still, are not. An answer that counts the
// rows says more than rows of which none is known.
func (c *creation) mergeRows(res *flow.Result) error {
	all := c.everyRow(*res)
	apart := make([]flow.RowResult, len(all))
	copy(apart, res.Apart)
	news := false
	for i, ref := range c.request.Rows {
		wasApart := apart[i].Status != ""
		if all[i].Status != flow.Ambiguous {
			continue
		}
		status, err := c.recordedRow(ref)
		if err != nil {
			return err
		}
		switch status {
		case state.Done:
			all[i].Status, all[i].Message = flow.Done, ""
			apart[i] = flow.RowResult{}
			news = true
		case state.Intended:
			apart[i] = flow.RowResult{}
			news = news || wasApart
		default:
			apart[i] = all[i]
			news = news || !wasApart
		}
	}
	c.leave(apart)
	res.Apart = c.apart
	if news || res.Code != flow.CodePartlyDone && !res.Refused() {
		res.Outcome, res.Rows = flow.OK, []flow.RowResult{}
		for i, row := range all {
			if apart[i].Status == "" {
				res.Rows = append(res.Rows, row)
			}
		}
	}
	return nil
}

// everyRow returns the rows of the batch, those apart among those that were sent.
func (c *creation) everyRow(res flow.Result) []flow.RowResult {
	sent := res.Rows
	if sent == nil {
		for i, ref := range c.request.Rows {
			if res.Apart == nil || res.Apart[i].Status == "" {
				sent = append(sent, flow.RowResult{Key: ref.Key, Status: flow.Ambiguous, Message: res.Message})
			}
		}
	}
	return slices.Clone(res.Among(sent))
}

// recordedRow returns what is on record of a row that is not known to be done: Intended, if it is
// open; Undone, if it is absent, or was not sent with the others.
func (c *creation) recordedRow(ref flow.RowRef) (state.Status, error) {
	if ref.Identity == "" { // nothing can have held it back
		return state.Intended, nil
	}
	e, ok, err := c.rt.recorded(state.Call, c.request.RowKey(ref.Key))
	if !ok || err != nil {
		return state.Undone, err
	}
	return e.Status, nil
}

// tellsOf reports whether e, which is on record of r, tells of the same rows: those of a file, or of
// an answer that was read again, may be others now.
func tellsOf(r flow.CallRequest, e state.Entry) (bool, error) {
	if r.Rows == nil || e.Payload == nil {
		return true, nil
	}
	res, err := decodeResult(e.Payload)
	if err != nil {
		return false, err
	}
	rows := res.Whole().Rows
	if rows == nil {
		rows = res.Apart
	}
	same := func(row flow.RowResult, ref flow.RowRef) bool { return row.Key == "" || row.Key == ref.Key }
	return rows == nil || slices.EqualFunc(rows, r.Rows, same), nil
}

// otherRows refuses a batch since e tells of other rows.
func otherRows(e state.Entry) flow.Result {
	return flow.Result{
		Outcome: flow.Unknown,
		Code:    flow.CodeUnsettled,
		Message: fmt.Sprintf("not sent: this run sent the batch with other rows at %s", e.At.UTC().Format(time.RFC3339)),
		Hint:    "a new run sends these",
	}
}

// lostAnswer is the result of our own create e whose answer nobody saw.
func lostAnswer(e state.Entry) flow.Result {
	return flow.Result{
		Outcome: flow.Unknown,
		Code:    flow.CodeUnsettled,
		Message: "the run ended while it was on its way",
		Sent:    true,
		At:      e.At,
	}
}
