package local

import (
	"slices"

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
		c.leave(res.Apart)
	}
	if c.request.Rows != nil {
		return res, c.mergeRows(&res)
	}
	return res, nil
}

// mergeRows says of a batch what is known of its rows one by one: some may have
// been settled by hand meanwhile. An answer that counts them says more than
// rows of which none is known.
func (c *creation) mergeRows(res *flow.Result) error {
	rows := slices.Clone(res.Rows)
	if rows == nil {
		for _, row := range c.request.Rows {
			rows = append(rows, flow.RowResult{Key: row.Key, Status: flow.Ambiguous, Message: res.Message})
		}
	}
	settled := false
	for _, t := range c.targets {
		e, ok, err := c.rt.recorded(state.Call, c.request.RowKey(t.label))
		row := &rows[t.row]
		switch {
		case err != nil:
			return err
		case !ok || e.Status == state.Intended || row.Status != flow.Ambiguous:
			continue
		case e.Status == state.Done:
			row.Status, row.Message = flow.Done, ""
		default:
			row.Status, row.Message = flow.Failed, "it was settled as absent; a new run may send it"
		}
		settled = true
	}
	if settled || res.Code != flow.CodePartlyDone {
		res.Outcome, res.Rows = flow.OK, rows
	}
	return nil
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
