package call

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seed627bd532/runner/engine/auth"
	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/clock"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
)

// A token endpoint is no operation: it is at another host perhaps, its answer is
// never shown, and what is sent to it is made by an auth.Kind.

const (
	// TokenEndpoint stands for an operation where a token endpoint is asked.
	TokenEndpoint = "auth.token"
	// maxTokenAnswer bounds what a token endpoint answers.
	maxTokenAnswer = 1 << 20
)

// resolve evaluates what the vendor file says of the token over the config.
func resolve(login *auth.Login, c *Connection) error {
	spec, vars := c.Vendor.Auth.Token, catalog.ConfigVars(c.Config)
	switch {
	case spec.Fixed != nil:
		v, err := spec.Fixed.Eval(vars)
		if err != nil {
			return err
		}
		login.Value, err = scalar("the token", "value", v)
		return err
	case spec.OAuth2 != nil:
		var err error
		login.OAuth2, err = endpoint(spec.OAuth2, c.BaseURL, vars)
		return err
	}
	return nil
}

func endpoint(spec *catalog.OAuth2, base *url.URL, vars expr.Vars) (*auth.OAuth2, error) {
	v, err := spec.URL.Eval(vars)
	if err != nil {
		return nil, err
	}
	text, err := scalar("auth.token.oauth2", "url", v)
	if err != nil {
		return nil, err
	}
	u, err := catalog.ParseTokenURL(text)
	if err != nil {
		return nil, err
	}
	if u.Host == "" {
		joined := *base
		joined.Path = strings.TrimSuffix(base.Path, "/") + u.Path
		joined.RawPath = strings.TrimSuffix(base.EscapedPath(), "/") + u.EscapedPath()
		joined.RawQuery = u.RawQuery
		u = &joined
	}
	if u.Scheme != "https" && base.Scheme == "https" {
		return nil, faultf("", "the token endpoint %s is not encrypted, and the connection's base_url is", u.Redacted())
	}
	given, err := evalObject(spec.Params, vars, "auth.token.oauth2.params")
	if err != nil {
		return nil, err
	}
	o := &auth.OAuth2{Grant: spec.Grant, URL: u, Basic: spec.Basic, Params: make(map[string]string, given.Len())}
	for name, v := range given.All() {
		if o.Params[name], err = scalar("the token endpoint's field", name, v); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// sendLogin sends a request for a token and reads the answer. It waits for its
// turn under the vendor's limits, and the vendor's timeout covers the rest.
func (e *Executor) sendLogin(j *job, req *http.Request) (*auth.Answer, error) {
	ctx, c := req.Context(), j.connection
	pass, err := e.traffic.Wait(ctx, true, c.place, c.limit(nil, c.Vendor.Limits, nil)...)
	if err != nil {
		return nil, err
	}
	defer pass.Done()
	timeout := c.Vendor.Auth.Token.Timeout
	bounded, cancel := clock.WithTimeout(ctx, e.clock, timeout, nil)
	defer cancel()
	req = req.WithContext(bounded)
	req.Header["User-Agent"] = e.userAgent
	e.tellLogin(j, req)
	start := e.clock.Now()
	a, err := e.exchangeLogin(j, req)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case bounded.Err() != nil:
		err = &auth.Failure{Message: fmt.Sprintf("%s: no answer within %v", req.URL.Host, timeout), Temporary: true}
	default:
		err = &auth.Failure{Message: fmt.Sprintf("cannot reach %s: %v", req.URL.Host, plain(err)), Hint: unreachableHint(err), Temporary: true}
	}
	e.tellLoginAnswer(j, a, err, e.clock.Now().Sub(start))
	return a, err
}

var errLongTokenAnswer = errors.New("the answer is larger than " + bytesText(maxTokenAnswer))

// exchangeLogin sends the request. The answer is nil when there is an error.
func (e *Executor) exchangeLogin(j *job, req *http.Request) (*auth.Answer, error) {
	resp, err := e.roundTrip(j, TokenEndpoint, req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if err := handedOver(resp); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxTokenAnswer+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxTokenAnswer {
		return nil, errLongTokenAnswer
	}
	return &auth.Answer{Status: resp.StatusCode, Header: resp.Header, Body: bytes.TrimPrefix(body, byteOrderMark), RetryAfter: retryAfter(resp.Header, e.clock.Now())}, nil
}

func (j *job) endpointName() string { return j.connection.Vendor.Name + "." + TokenEndpoint }

// tellLogin tells of a request for a token. Nothing of its form is shown.
func (e *Executor) tellLogin(j *job, req *http.Request) {
	if j.events == nil {
		return
	}
	sent := &event.RequestSent{
		Key:       string(j.key),
		Operation: j.endpointName(),
		Attempt:   j.attempt,
		Method:    req.Method,
		URL:       e.gate.Text(req.URL.Redacted()),
	}
	if event.WantsDetails(j.events) {
		sent.Body = "(not shown: it holds credentials)"
		sent.Header = e.headers(req.Header, nil)
	}
	j.events.Emit(sent)
}

// tellLoginAnswer tells of its answer, or of the error in its place.
func (e *Executor) tellLoginAnswer(j *job, a *auth.Answer, err error, took time.Duration) {
	if j.events == nil {
		return
	}
	received := &event.ResponseReceived{Key: string(j.key), Operation: j.endpointName(), Took: took}
	switch {
	case err != nil:
		received.Error = e.short(err.Error())
		received.Outcome = string(flow.Busy)
	case a.Status >= 200 && a.Status <= 299:
		received.Status, received.Outcome = a.Status, string(flow.OK)
	default:
		received.Status, received.Outcome = a.Status, string(flow.Auth)
		if a.Status == http.StatusTooManyRequests || a.Status >= 500 {
			received.Outcome = string(flow.Busy)
		}
	}
	if a != nil && event.WantsDetails(j.events) {
		received.Body = "(not shown: it may hold a secret)"
	}
	j.events.Emit(received)
}
