package call

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/clock"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/transport"
)

const maxRedirects = 5

// sendInTurn sends the job's request, under the token when there is one, and
// reads the answer. The operation's timeout covers all of it. It uses the pass up.
func (e *Executor) sendInTurn(ctx context.Context, j *job, token *credential, pass transport.Pass) (flow.Result, error) {
	defer pass.Done()
	vars, err := j.op.RequestVars(j.connection.Config, j.inputs, j.runID+"/"+string(j.key))
	if j.turn != nil {
		vars = j.op.Paging.Vars(vars, j.turn.at)
	}
	var w *wire
	if err == nil {
		w, err = e.request(j, vars, token)
	}
	if err != nil {
		pass.Return()
		return e.unsendable(j, err), nil
	}
	if ctx.Err() != nil {
		pass.Return()
		return flow.Result{}, fmt.Errorf("%s: %w", j.name(), context.Cause(ctx))
	}
	if j.op.Effect == flow.Create {
		// An interrupt must not cut off a create that is under way: nobody would
		// know whether it happened. Its timeout bounds it anyhow.
		ctx = context.WithoutCancel(ctx)
	}
	run := ctx
	if !j.ends.IsZero() {
		j.timeout = max(1, j.ends.Sub(e.clock.Now()))
	}
	if timeout := j.bound(); timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = clock.WithTimeout(ctx, e.clock, timeout, nil)
		defer cancel()
	}
	at := e.clock.Now()
	endpoint := e.endpoint(j.op, w)
	res, err := e.follow(ctx, run, j, vars, w)
	if j.turn != nil {
		j.turn.address = w.url
	}
	res.At, res.Endpoint = at, endpoint
	return res, err
}

// endpoint is what a request is told of by: method and address, secrets masked.
func (e *Executor) endpoint(op *operation, w *wire) string {
	if op.address != nil && *w.url == *op.address {
		return e.gate.Text(op.endpoint)
	}
	return w.method + " " + e.gate.Text(w.url.Redacted())
}

// follow sends the request and follows the redirects that are harmless.
func (e *Executor) follow(ctx, run context.Context, j *job, vars expr.Vars, w *wire) (flow.Result, error) {
	for hops := 0; ; hops++ {
		if run.Err() != nil && hops == 0 {
			return flow.Result{}, fmt.Errorf("%s: %w", j.name(), context.Cause(run))
		}
		res, target, err := e.exchange(ctx, run, j, vars, w)
		if err != nil || target == nil {
			return res, err
		}
		if hops == maxRedirects {
			res.Message = fmt.Sprintf("redirected more than %d times", maxRedirects)
			return res, nil
		}
		w.url = target
	}
}

// exchange sends one request and reads its answer. A target is returned for an
// answer that asks to repeat the request there, and may.
func (e *Executor) exchange(ctx, run context.Context, j *job, vars expr.Vars, w *wire) (flow.Result, *url.URL, error) {
	if err := w.staysHome(j.connection); err != nil {
		return e.unsendable(j, err), nil, nil
	}
	e.tellSent(j, w)
	start := e.clock.Now()
	a, t := e.send(ctx, j, w)
	if t != nil {
		res, err := e.unanswered(ctx, run, j, t)
		e.tellUnanswered(j, t, res, e.clock.Now().Sub(start))
		return res, nil, err
	}
	defer a.release()
	a.maskSecrets(e.gate, j.op)
	res := e.read(j, vars, a)
	if j.op.Effect != flow.Create && ctx.Err() != nil { // what a create came to is never given up
		a.kept = false
		res, err := e.unanswered(ctx, run, j, &trouble{left: true, status: a.status, header: a.header})
		e.tellReceived(j, a, res, e.clock.Now().Sub(start))
		return res, nil, err
	}
	e.tellReceived(j, a, res, e.clock.Now().Sub(start))
	if e.answered != nil && a.showsVendor(j, w, res) {
		if err := e.answered(context.WithoutCancel(ctx), j.connection.Name); err != nil {
			return res, nil, &flow.StateError{What: "cannot remember where " + j.connection.Name + " is", Err: err}
		}
	}
	if target := a.redirect(w, j.op.Effect, res); target != nil {
		return res, target, nil
	}
	return res, nil, nil
}

// showsVendor reports whether it must be the vendor that answered: somebody else has neither its successes
// nor its origin, but may have pages for all.
func (a *answer) showsVendor(j *job, w *wire, res flow.Result) bool {
	elsewhere := j.op.NoAuth && !transport.SameOrigin(w.url, j.connection.BaseURL)
	return res.Outcome.Success() && a.status < 300 && !elsewhere && !a.looksLikeHTML()
}

// redirect returns where an answer leads, if it may be followed: a read by GET
// or HEAD, within the origin, unless the vendor file has a word for the answer.
func (a *answer) redirect(w *wire, effect flow.Effect, res flow.Result) *url.URL {
	if res.Code != refusedRedirect || effect != flow.Read || w.method != http.MethodGet && w.method != http.MethodHead {
		return nil
	}
	target, err := w.url.Parse(a.header.Get("Location"))
	if err != nil || !transport.SameOrigin(w.url, target) {
		return nil
	}
	return target
}

// A fault is a request that cannot be made from what the expressions yielded.
type fault struct{ message, hint string }

func (f *fault) Error() string { return f.message }

func faultf(hint, format string, args ...any) error {
	return &fault{fmt.Sprintf(format, args...), hint}
}

// unsendable tells of a request that could not be made; nothing was sent.
func (e *Executor) unsendable(j *job, err error) flow.Result {
	res := flow.Result{Outcome: flow.Invalid, Code: "bad-request", Message: err.Error()}
	var f *fault
	var d *diag.Diagnostic
	switch {
	case errors.As(err, &f):
		res.Message, res.Hint = fmt.Sprintf("cannot make the request of %s: %s", j.name(), f.message), f.hint
	case errors.As(err, &d):
		res.Hint = d.Hint
	}
	res.Message, res.Hint = e.short(res.Message), e.short(res.Hint)
	return res
}
