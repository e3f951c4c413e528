package local

import (
	"fmt"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/state"
)

// A target is one thing that a create makes and must not make twice.
type target struct {
	// label is what people read, identity what locks and journal of the state know it by, and
	// value what it is, whoever creates it.
	label, identity, value string
	row                    int // its row in a batch
}

// targetsOf returns what r creates; nothing when it has no identity.
func targetsOf(r flow.CallRequest) []target {
	targets := make([]target, 0, 1+len(r.Rows))
	if r.Identity != "" {
		targets = append(targets, target{label: r.Identity, identity: identityOf(r, r.Identity), value: r.Identity})
	}
	for i, row := range r.Rows {
		if row.Identity != "" {
			targets = append(targets, target{label: row.Key, identity: identityOf(r, row.Identity), value: row.Identity, row: i})
		}
	}
	return targets
}

// identityOf names what must not be created twice. The environment's state
// knows one vendor account under one connection name.
func identityOf(r flow.CallRequest, identity string) string {
	return canonical(r.Connection, r.Operation, identity)
}

// canonical returns one text for three, as JSON.
func canonical(where, operation, identity string) string {
	var room [128]byte
	text := value.AppendText(append(room[:0], '['), where)
	text = value.AppendText(append(text, ','), operation)
	text = value.AppendText(append(text, ','), identity)
	return string(append(text, ']'))
}

// rowStatus says what the answer to a batch tells about one of its rows.
func rowStatus(s flow.ItemStatus) state.Status {
	switch s {
	case flow.Done:
		return state.Done
	case flow.Failed:
		return state.Undone
	}
	return state.Intended
}

// repeated tells apart the rows of a batch that would create what a row before them
// creates, and says nothing of the others; nil without rows. Two that only look the same, such as 1 and "1", are
// not told apart by people either.
func repeated(r flow.CallRequest, targets []target) []flow.RowResult {
	if r.Rows == nil {
		return nil
	}
	apart := make([]flow.RowResult, len(r.Rows))
	first := make(map[string]target, len(targets))
	for _, t := range targets {
		if other, found := first[t.label]; found {
			apart[t.row] = flow.RowResult{Key: t.label, Status: flow.Failed,
				Message: fmt.Sprintf("not sent: rows %d and %d of the batch would both create %s", other.row+1, t.row+1, t.label)}
			continue
		}
		first[t.label] = t
	}
	return apart
}
