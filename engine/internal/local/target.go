package local

import (
	"fmt"
	"strings"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/state"
)

// What a create of many rows is refused for, beside flow.CodeUnsettled. Nothing was sent.
const (
	// CodeRepeatedRow marks a batch that would create one thing twice.
	CodeRepeatedRow = "repeated-row"
	// CodeRowCreated marks a batch with rows that were created since the run
	// began. Their outputs are not known one by one, and to leave them out would
	// answer rows that were not asked for in this call: the pipeline has to.
	CodeRowCreated = "row-created"
)

// A target is one thing that a create makes and must not make twice.
type target struct {
	// label is what people read, identity what locks and journal know it by.
	label, identity string
	row             int // its row in a batch
}

// targetsOf returns what r creates; nothing when it has no identity.
func targetsOf(r flow.CallRequest) []target {
	var targets []target
	if r.Identity != "" {
		targets = append(targets, target{label: r.Identity, identity: identityOf(r, r.Identity)})
	}
	for i, row := range r.Rows {
		if row.Identity != "" {
			targets = append(targets, target{label: row.Key, identity: identityOf(r, row.Identity), row: i})
		}
	}
	return targets
}

// identityOf names what must not be created twice. The environment's state
// knows one vendor account under one connection name.
func identityOf(r flow.CallRequest, identity string) string {
	return string(value.AppendJSON(nil, value.List{r.Connection, r.Operation, identity}))
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

// repeated refuses a batch that has two rows of one identity. Two that only
// look the same, such as 1 and "1", are not told apart by people either.
func repeated(targets []target) (res flow.Result, refused bool) {
	first := make(map[string]target, len(targets))
	for _, t := range targets {
		other, found := first[t.label]
		if !found {
			first[t.label] = t
			continue
		}
		return flow.Result{
			Outcome: flow.Invalid,
			Code:    CodeRepeatedRow,
			Message: fmt.Sprintf("not sent: rows %d and %d of the batch would both create %s", other.row+1, t.row+1, t.label),
			Hint:    "leave one of them out, as unique() does with a list",
		}, true
	}
	return flow.Result{}, false
}

// partlyCreated refuses a batch with rows that are done; e is the first of them. It
// is not recorded: it holds as long as e does.
func partlyCreated(labels []string, e state.Entry) flow.Result {
	const shown = 5
	what := strings.Join(labels[:min(len(labels), shown)], ", ")
	if more := len(labels) - shown; more > 0 {
		what += fmt.Sprintf(" and %d more", more)
	}
	return flow.Result{
		Outcome: flow.Conflict,
		Code:    CodeRowCreated,
		Message: fmt.Sprintf("not sent: the batch would create again what was created since the run began: %s (run %s, %s)", what, e.Run, e.Key),
		Hint:    "leave out of the batch what is done",
	}
}
