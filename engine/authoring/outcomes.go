package authoring

import (
	"fmt"

	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/flow"
)

// outcomes lists the rules by which an answer of op is read: those of the files,
// then success, then what a status means by itself.
func outcomes(op *catalog.Operation) []Outcome {
	var all []Outcome
	for _, rule := range op.Response.Outcomes {
		all = append(all, Outcome{Outcome: string(rule.Is), When: rule.If.Text(), Declared: true})
	}
	ok := Outcome{Outcome: string(flow.OK), When: "status in 200..299"}
	if op.Response.OK != nil {
		ok.When, ok.Declared = op.Response.OK.Text(), true
	}
	unavailable := Outcome{Outcome: string(flow.Throttled), When: "status 503 with Retry-After"}
	if op.Effect == flow.Create {
		unavailable.Outcome = string(flow.Unknown)
	}
	return append(all, ok,
		Outcome{Outcome: string(flow.Auth), When: "status 401"},
		Outcome{Outcome: string(flow.Denied), When: "status 403"},
		Outcome{Outcome: string(flow.NotFound), When: "status 404"},
		Outcome{Outcome: string(flow.Conflict), When: "status 409"},
		Outcome{Outcome: string(flow.Throttled), When: "status 429"},
		unavailable,
		Outcome{Outcome: string(flow.Invalid), When: "any other status from 400 to 499 but 408"},
		Outcome{Outcome: string(flow.Busy), When: "no connection: nothing was sent"},
		Outcome{Outcome: string(flow.Unknown), When: "anything else, and no answer"},
	)
}

// consequences says what follows from each outcome that is no success.
func consequences(op *catalog.Operation) []Consequence {
	again := fmt.Sprintf("it is tried again, %d times in all, %s to %s apart", op.Retry.Attempts, span(op.Retry.First), span(op.Retry.Max))
	if op.Retry.Attempts <= 1 {
		again = "the step fails: it is tried once only"
	}
	auth := "the token is renewed, and the call made once more; then the run fails"
	if op.NoAuth || op.Vendor.Auth.Token == nil || op.Vendor.Auth.Token.Kind == catalog.TokenValue {
		auth = "the run fails: there is no token that could be renewed"
	}
	unknown := again
	if op.Effect == flow.Create {
		unknown = "it is not sent again, for it may have been done: the step is ambiguous, and a person must look"
		if r := op.Reconcile; r != nil {
			absent := "the step is ambiguous, and a person must look"
			if r.Resend {
				absent = "it is sent once more"
			}
			unknown = fmt.Sprintf("it may have been done: %s looks for it, %d times at most, %s apart; where it is absent each time, %s",
				r.Call.Name, r.Tries, span(r.Every), absent)
		}
	}
	return []Consequence{
		{Outcomes: []string{"auth"}, Then: auth},
		{Outcomes: []string{"throttled", "busy"}, Then: again},
		{Outcomes: []string{"unknown"}, Then: unknown},
		{Outcomes: []string{"invalid", "denied", "not_found", "conflict"}, Then: "the step fails; its on_error may handle that"},
	}
}
