package call

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/seed627bd532/runner/engine/auth"
	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// login returns how the job gets a token for its connection. What happens is
// told under the job's key.
func (e *Executor) login(j *job) getters {
	return getters{
		fresh: func(ctx context.Context, kind auth.Kind, refresh string) (auth.Token, *loginFailure, error) {
			return e.freshToken(ctx, j, kind, refresh)
		},
		check: func(ctx context.Context, token *credential) (bool, error) {
			return e.checkToken(ctx, j, token)
		},
		warn:  func(err error) { e.warn(j, err) },
		retry: j.op.Retry,
	}
}

// warn tells people of something that does not keep the call from being made.
func (e *Executor) warn(j *job, err error) {
	if j.events != nil {
		j.events.Emit(&event.Note{Warning: true, Text: e.short(fmt.Sprintf("connection %s: %v", j.connection.Name, err))})
	}
}

// freshToken asks the kind for a token and tells the gate of it. The error is
// that of ctx.
func (e *Executor) freshToken(ctx context.Context, j *job, kind auth.Kind, refresh string) (auth.Token, *loginFailure, error) {
	spec := j.connection.Vendor.Auth.Token
	if kind == nil {
		return auth.Token{}, permanently("no way to get a token is called %q", spec.Kind), nil
	}
	hide(e.gate, origin{}, refresh)
	login := auth.Login{
		Call:    func(ctx context.Context) (auth.Token, error) { return e.callLogin(ctx, j) },
		Send:    func(req *http.Request) (*auth.Answer, error) { return e.sendLogin(j, req) },
		Refresh: refresh,
	}
	if spec.Call == nil {
		login.Call = nil
	}
	var token auth.Token
	err := resolve(&login, j.connection.Connection)
	if login.OAuth2 != nil {
		login.OAuth2.Now = e.clock.Now
	}
	if err == nil {
		token, err = kind.Get(ctx, login)
	}
	if err == nil {
		token, err = e.made(j, token)
	}
	if err == nil {
		e.hideToken(j.connection, token.Value)
		hide(e.gate, origin{}, token.Refresh)
		hide(j.connection.own, origin{}, token.Refresh)
		err = token.Check()
	}
	var f *auth.Failure
	switch {
	case err == nil:
		return token, nil, nil
	case ctx.Err() != nil:
		// The caller was stopped, whatever its login came to: the others try again.
		return auth.Token{}, nil, context.Cause(ctx)
	case errors.As(err, &f):
		failure := &loginFailure{*f}
		failure.Message, failure.Hint = e.short(f.Message), e.short(f.Hint)
		return auth.Token{}, failure, nil
	}
	return auth.Token{}, permanently("%s", e.short(err.Error())), nil
}

func permanently(format string, args ...any) *loginFailure {
	return &loginFailure{auth.Failure{Message: fmt.Sprintf(format, args...)}}
}

// callLogin makes the vendor's login operation once, and evaluates the token.
func (e *Executor) callLogin(ctx context.Context, j *job) (auth.Token, error) {
	spec := j.connection.Vendor.Auth.Token
	inputs, err := loginInputs(spec, j.connection.Config)
	if err != nil {
		return auth.Token{}, err
	}
	l := j.beside(spec.Call, inputs)
	l.timeout, l.ends = 0, time.Time{} // ctx ends with the patience of whoever logs in; that is no failure of the login
	e.hideInputs(l)
	res, err := e.attempt(ctx, l, nil)
	if err != nil {
		return auth.Token{}, err
	}
	if !res.Outcome.Success() {
		return auth.Token{}, loginRefused(l, res)
	}
	text, err := spec.Make(catalog.TokenVars(j.connection.Config, res.Outputs))
	if err != nil {
		return auth.Token{}, fmt.Errorf("%s: %w", l.name(), err)
	}
	return auth.Token{Value: text}, nil
}

// made returns the token that the vendor file makes of what came with it. That of a
// login is made already.
func (e *Executor) made(j *job, token auth.Token) (auth.Token, error) {
	spec := j.connection.Vendor.Auth.Token
	if spec.Call != nil || !spec.Made() {
		return token, nil
	}
	hide(e.gate, origin{}, token.Value)
	v, err := value.Decode([]byte(token.Answer))
	granted, ok := v.(*value.Object)
	if err != nil || !ok {
		return token, errors.New("the answer of the token endpoint cannot be read")
	}
	for _, name := range []string{"access_token", "refresh_token", "id_token"} {
		hide(e.gate, origin{}, granted.At(name))
	}
	if token.Value, err = spec.Make(catalog.TokenVars(j.connection.Config, granted)); err != nil {
		err = fmt.Errorf("%s: %w", TokenEndpoint, err)
	}
	return token, err
}

// hideToken tells the gate of what is secret in a token.
func (e *Executor) hideToken(c *connection, text string) {
	spec := c.Vendor.Auth.Token
	if v, ok := spec.Parse(text); ok {
		hideTyped(e.gate, origin{}, spec.Type, v)
		hideTyped(c.own, origin{}, spec.Type, v)
	}
}

func loginInputs(spec *catalog.Token, config *value.Object) (*value.Object, error) {
	given, err := evalObject(spec.With, catalog.ConfigVars(config), "auth.token.with")
	if err != nil {
		return nil, err
	}
	return bind(spec.Call, given)
}

// bind holds the inputs of a call that the engine itself makes against its params.
func bind(op *catalog.Operation, given *value.Object) (*value.Object, error) {
	if op.Inputs == nil {
		return given, nil
	}
	inputs, violations := op.Inputs.Bind(given)
	if len(violations) > 0 {
		return nil, fmt.Errorf("the inputs of %s do not fit: %s: %s", op.Name, violations[0].Path, violations[0].Message)
	}
	return inputs, nil
}

// beside returns a job for another operation of the same connection, on behalf of j.
func (j *job) beside(op *catalog.Operation, inputs *value.Object) *job {
	other := *j
	other.op, other.inputs, other.rows = j.connection.operations[op.Name], inputs, nil
	other.urgent = true
	other.turn = firstTurn(op)
	return &other
}

// loginRefused says of a login that it failed: for good when the vendor refused
// it, else for now.
func loginRefused(l *job, res flow.Result) error {
	f := &auth.Failure{Message: fmt.Sprintf("%s: %s", l.name(), res.Message), Hint: res.Hint}
	switch res.Outcome {
	case flow.Busy, flow.Throttled, flow.Unknown:
		f.Temporary, f.RetryAfter = true, res.RetryAfter
	default:
		if f.Hint == "" {
			f.Hint = loginHint(l, res)
		}
	}
	return f
}

// loginHint says what to check after a login that was refused. Credentials are to blame only where the vendor
// said something: a success that is not as declared, and an empty answer, say nothing of them.
func loginHint(l *job, res flow.Result) string {
	name := l.connection.Name
	switch {
	case res.Status > 0 && res.Status < 300 && res.Code != "":
		return fmt.Sprintf("the login succeeded, and its answer is not as %s says: compare them, and check the base_url of connection %q", l.name(), name)
	case res.Outcome == flow.NotFound:
		return fmt.Sprintf("check the base_url of connection %q", name)
	case res.Message == statusText(res.Status):
		return fmt.Sprintf("the vendor gave no reason: check base_url and config of connection %q", name)
	}
	return fmt.Sprintf("check the credentials of connection %q", name)
}

// tokenEnded reports whether a call was denied because its token has ended. Some vendors
// have one answer for that and for a right that is missing; their check, where
// there is one, tells which it is. A check that does not tell leaves the call denied.
func (e *Executor) tokenEnded(ctx context.Context, j *job, token *credential) bool {
	spec := j.connection.Vendor.Auth.Token
	if spec.Check == nil || spec.Check.Name == j.op.Name || j.connection.keeper.fixed {
		return false
	}
	inputs, err := bind(spec.Check, nil)
	if err != nil {
		return false
	}
	res, err := e.attempt(ctx, j.beside(spec.Check, inputs), token)
	return err == nil && (res.Outcome == flow.Auth || res.Outcome == flow.Denied)
}

// checkToken tries a token from the store with the vendor's check. Anything but
// success means that a new one is needed.
func (e *Executor) checkToken(ctx context.Context, j *job, token *credential) (bool, error) {
	spec := j.connection.Vendor.Auth.Token
	e.hideToken(j.connection, token.Value)
	if _, ok := spec.Parse(token.Value); !ok || token.Check() != nil {
		return false, nil
	}
	check := spec.Check
	if check == nil {
		return true, nil
	}
	inputs, err := bind(check, nil)
	if err != nil {
		return false, nil
	}
	res, err := e.attempt(ctx, j.beside(check, inputs), token)
	return res.Outcome.Success(), err
}
