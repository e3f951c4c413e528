package call

import (
	"net/http"

	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// classify gives the answer its outcome: the first of the operation's rules that
// holds, else ok, else what the status means. declared tells that a rule did.
func (a *answer) classify(op *operation, vars expr.Vars) (outcome flow.Outcome, declared bool) {
	r := &op.Response
	success := a.status >= 200 && a.status <= 299
	if len(r.Outcomes) > 0 || r.OK != nil {
		vars = a.vars(op, vars)
		for _, rule := range r.Outcomes {
			if holds(rule.If, vars) {
				return rule.Is, true
			}
		}
		if r.OK != nil {
			success = holds(r.OK, vars)
		}
	}
	if success {
		return flow.OK, false
	}
	return byStatus(a.status, a.header, op.Effect), false
}

// vars returns the variables of the operation's conditions; what none of them
// looks at is left out.
func (a *answer) vars(op *operation, request expr.Vars) expr.Vars {
	var headers *value.Object
	var text string
	var body value.Value
	if op.sees.headers {
		headers = a.headers()
	}
	if op.sees.text {
		text = a.text()
	}
	if op.sees.body {
		// A value that cannot be kept counts as no value: the conditions are false then.
		body, _ = a.decode()
	}
	return catalog.AnswerVars(request, a.status, headers, text, body)
}

// holds reports whether the condition is true. One that cannot be evaluated,
// since the answer has another shape, is not: as only a true ok is success,
// this errs to the safe side.
func holds(condition *expr.Expr, vars expr.Vars) bool {
	ok, err := condition.Bool(vars)
	return err == nil && ok
}

// byStatus is what an answer means of which nothing was declared. A status of
// success gets here when the operation's ok is false.
func byStatus(status int, h http.Header, effect flow.Effect) flow.Outcome {
	switch status {
	case http.StatusUnauthorized:
		return flow.Auth
	case http.StatusForbidden:
		return flow.Denied
	case http.StatusNotFound:
		return flow.NotFound
	case http.StatusConflict:
		return flow.Conflict
	case http.StatusTooManyRequests:
		return flow.Throttled
	case http.StatusRequestTimeout:
		return flow.Unknown
	case http.StatusServiceUnavailable:
		// A gateway says so too, of a create that the vendor behind it still makes.
		if h.Get("Retry-After") != "" && effect != flow.Create {
			return flow.Throttled
		}
		return flow.Unknown
	}
	switch {
	case isRedirect(status) && h.Get("Location") != "":
		if effect == flow.Create {
			return flow.Unknown // a vendor may redirect to what it has made, with any of these
		}
		return flow.Invalid
	case status >= 400 && status <= 499:
		return flow.Invalid
	}
	return flow.Unknown
}

func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}
