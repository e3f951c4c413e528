package interp

import (
	"fmt"
	"strings"
	"time"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// refusal turns a result that is no success into the failure that people read.
func (w *walker) refusal(a *pipeline.Call, key flow.Key, req flow.CallRequest, res flow.Result) *Failure {
	f := &Failure{
		Code:      res.Code,
		Step:      string(key),
		Operation: a.Name(),
		Outcome:   res.Outcome,
		Message:   res.Message,
		Hint:      res.Hint,
		Fatal:     res.Fatal,
		Status:    res.Status,
		Body:      res.Body,
		call:      &req,
		result:    res,
	}
	if f.Message == "" {
		f.Message = fmt.Sprintf("the vendor answered with status %d and said nothing", res.Status)
	}
	if f.Code == "" {
		f.Code = "refused"
	}
	if a.Operation.Effect == flow.Create && res.Outcome == flow.Unknown && (res.Sent || res.Code == flow.CodeUnsettled) {
		f.Ambiguous = true
		f.Code = "ambiguous"
		f.Message = openQuestion(res)
		if res.Sent {
			f.Hint = joinSentences(w.howToSettle(a, req, res), res.Hint)
		}
	}
	return f
}

// openQuestion says of a create of unknown outcome what was sent, and when.
func openQuestion(res flow.Result) string {
	message := "it was not sent, since an earlier one may or may not have been done"
	if res.Sent {
		what := res.Endpoint
		if what == "" {
			what = "it"
		}
		message = fmt.Sprintf("it may or may not have been done: %s was sent at %s", what, res.At.UTC().Format(time.RFC3339))
	}
	return joinSentences(message, res.Message)
}

// howToSettle tells a person what to look for, and the commands that say what was seen.
func (w *walker) howToSettle(a *pipeline.Call, req flow.CallRequest, res flow.Result) string {
	what := "it"
	if req.Identity != "" {
		what = req.Identity
	}
	var outputs []string
	for _, m := range a.Operation.Response.Outputs {
		if !m.Type().HasSecret() {
			outputs = append(outputs, string(value.AppendJSON(nil, m.Name))+":"+blank(m.Type()))
		}
	}
	again := "it was not sent again"
	if res.Resent {
		again = "it was sent twice"
	}
	return fmt.Sprintf("%s. Check at the vendor whether %s exists%s", again, what, w.commands(req.Recorded(), strings.Join(outputs, ",")))
}

// blank is where a person writes a value of type t: between quotes, where it is a text.
func blank(t *types.Type) string {
	if t != nil && t.Kind == types.Text {
		return `"…"`
	}
	return "…"
}

// rowAccount says of a row of unknown outcome what was sent, what is known beside, what to look
// for, and how to settle it.
func (w *walker) rowAccount(req flow.CallRequest, row string, res flow.Result, known string) string {
	at := req.Recorded()
	for _, ref := range req.Rows {
		if ref.Key == row && ref.Identity != "" {
			at = req.RowKey(row)
		}
	}
	res.Message = known
	return fmt.Sprintf("%s; check at the vendor whether %s exists%s", openQuestion(res), row, w.commands(at, ""))
}

// commands are what settles the create under key, "" where nothing does; outputs are those that a
// person has to give.
func (w *walker) commands(key flow.Key, outputs string) string {
	command := w.resume.Of(w.runID)
	if command == "" {
		return ""
	}
	settle := func(word string) string {
		return fmt.Sprintf("%s --settle %s", command, diag.ShellWord(string(key)+"="+word))
	}
	return fmt.Sprintf("; if it does: %s, if not: %s", settle("done:{"+outputs+"}"), settle("absent"))
}
