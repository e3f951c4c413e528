package call

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/paths"
	"github.com/seed627bd532/runner/engine/internal/schema"
	"github.com/seed627bd532/runner/engine/internal/value"
)

const refusedRedirect = "redirected"

const webPage = "a web page came in place of data: check the connection's base_url, and whether a proxy or a maintenance page answers"

// read turns a whole answer into a result.
func (e *Executor) read(j *job, vars expr.Vars, a *answer) flow.Result {
	op := j.op
	data, readable := a.data(&op.Response)
	outcome, declared := a.classify(op, vars)
	switch {
	case outcome == flow.OK:
		a.shy = !readable && len(op.secretOutputs) > 0 || readable && !a.hideOutputs(e.gate, op, data)
	case !declared:
		// What refuses a login is no secret, unless it might be a token that was misread.
		a.shy = !readable && len(op.secretOutputs) > 0
	}
	res := flow.Result{Outcome: outcome, Status: a.status, Sent: true}
	switch {
	case outcome == flow.Empty:
		res.Outputs = op.blank()
	case outcome != flow.OK:
		e.refuse(&res, j, a, declared)
	case declared && !op.reads():
		res.Outputs = op.blank()
	case inRows(&op.Response) && a.empty():
		e.contractBroken(&res, j, a, "it is empty")
		res.Hint = "where the vendor says so that there are no rows, an outcome says it: {if: body == null, is: empty}"
	case !readable:
		e.unreadable(&res, j, a)
	case a.spool != nil:
		e.acceptLarge(&res, j, a)
	default:
		e.accept(&res, j, a, data)
	}
	if j.turn != nil && res.Outcome == flow.OK {
		e.lookAhead(&res, j, vars, a)
	}
	a.kept = a.spool != nil && (value.HoldsRows(res.Outputs) || value.HoldsRows(res.Body))
	if op.Batch != nil && res.Outcome.Success() {
		e.settleRows(&res, j, vars, a)
	}
	return res
}

// accept checks the data of a successful answer and maps its outputs.
func (e *Executor) accept(res *flow.Result, j *job, a *answer, data []byte) {
	get := func(m *paths.Mapping) (value.Value, error) { return m.Get(data) }
	if s := j.op.Response.Schema; s != nil {
		v, err := a.decodeData(data)
		if err != nil {
			e.unreadable(res, j, a)
			return
		}
		data, v = shaped(&j.op.Response, data, v)
		if violations := s.Validate(v); len(violations) > 0 {
			what := violated(violations, a.withheld())
			if violations[0].Path == "" {
				what += e.saidInstead(a)
			}
			e.contractBroken(res, j, a, what)
			return
		}
		get = func(m *paths.Mapping) (value.Value, error) { return m.GetFrom(data, v) }
	}
	e.mapOutputs(res, j, a, get)
}

// mapOutputs gives the result the outputs that get finds.
func (e *Executor) mapOutputs(res *flow.Result, j *job, a *answer, get func(*paths.Mapping) (value.Value, error)) {
	outputs := value.NewObject(len(j.op.Response.Outputs))
	for _, m := range j.op.Response.Outputs {
		v, err := a.output(m, get)
		if err != nil {
			e.contractBroken(res, j, a, err.Error())
			var d *diag.Diagnostic
			if errors.As(err, &d) {
				res.Hint = d.Hint
			}
			return
		}
		outputs.Add(m.Name, v)
	}
	res.Outputs = outputs
}

// saidInstead returns the vendor's own words of an answer that is altogether
// another one than was awaited: an object such as {"error": …} under status 200.
func (e *Executor) saidInstead(a *answer) string {
	v, err := a.decode()
	if o, ok := v.(*value.Object); err != nil || !ok || o.Len() == 0 || a.withheld() {
		return ""
	}
	return "; it says " + e.short(a.head())
}

// violated says how an answer breaks its schema. What was found is not told of
// an answer that may hold a secret.
func violated(violations []schema.Violation, withheld bool) string {
	text := violations[0].Message
	if withheld {
		text = "does not fit (what was found is not shown: it may hold a secret)"
	}
	if path := violations[0].Path; path != "" {
		text = path + ": " + text
	}
	if n := len(violations) - 1; n > 0 {
		text += fmt.Sprintf(" (and %d more)", n)
	}
	return text
}

// bodyFor returns the answer for the handlers of a failure. A success that
// holds secrets is not handed on: nothing marks them in there.
func (a *answer) bodyFor(op *operation) value.Value {
	if len(op.secretOutputs) > 0 && a.status >= 200 && a.status <= 299 {
		return nil
	}
	v, _ := a.decode()
	return v
}

// refuse tells of an answer that is not a success, in the vendor's words.
func (e *Executor) refuse(res *flow.Result, j *job, a *answer, declared bool) {
	res.RetryAfter = retryAfter(a.header, e.clock.Now())
	if res.Outcome == flow.Throttled && res.RetryAfter == 0 {
		res.RetryAfter = resetAfter(a.header, e.clock.Now())
	}
	res.Body = a.bodyFor(j.op)
	res.Message = e.words(j.op, a)
	switch {
	case declared:
	case res.Outcome == flow.Unknown && a.status == http.StatusServiceUnavailable && j.op.Effect == flow.Create && res.RetryAfter > 0:
		res.Code = flow.CodeRefused
	case isRedirect(a.status) && a.header.Get("Location") != "":
		res.Code = refusedRedirect
		res.Message = e.short(fmt.Sprintf("redirected to %s, which is not followed", a.header.Get("Location")))
		res.Hint = "credentials go to the connection's base_url only, and a POST stays a POST; if the vendor moved, change base_url or the operation's path"
	case res.Outcome == flow.Unknown && a.status < 300 && !a.json && !a.empty() && j.op.Response.As != "text" && j.op.Response.As != "none":
		e.unreadable(res, j, a)
	}
}

// unreadable tells of an answer that should have been JSON.
func (e *Executor) unreadable(res *flow.Result, j *job, a *answer) {
	res.Outcome, res.Code = flow.Unknown, "unreadable"
	format := "JSON"
	if j.op.Response.As == "xml" {
		format = "XML"
	}
	res.Message = "the answer is not " + format
	if a.json {
		_, err := a.decode()
		res.Message = e.short(fmt.Sprintf("the answer cannot be read: %v", err))
		if a.sealed {
			res.Message = "the answer cannot be read (why is not shown: it may hold a secret)"
		}
		return
	}
	if text := e.shown(a); text != "" {
		res.Message = e.short("the answer is not " + format + ": " + text)
	}
	switch {
	case a.notXML != nil && !a.withheld():
		res.Message = e.short(fmt.Sprintf("the answer is not XML: %v", a.notXML))
	case a.looksLikeHTML():
		res.Hint = webPage
	}
}

// contractBroken tells of an answer that is not what the vendor file says.
func (e *Executor) contractBroken(res *flow.Result, j *job, a *answer, what string) {
	res.Outcome, res.Code, res.Outputs = j.broken(), "contract-broken", nil
	res.Message = e.short(fmt.Sprintf("the answer of %s breaks its contract: %s", j.name(), what))
	res.Body = a.bodyFor(j.op)
}

// statusText is what is said of an answer without words.
func statusText(status int) string {
	if text := http.StatusText(status); text != "" {
		return fmt.Sprintf("HTTP status %d %s", status, text)
	}
	return fmt.Sprintf("HTTP status %d", status)
}
