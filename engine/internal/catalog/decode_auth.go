package catalog

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang/marker"
	"github.com/seed627bd532/runner/engine/internal/lang/template"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/redact"
	"github.com/seed627bd532/runner/engine/internal/source"
)

func (d *decoder) auth(n *source.Node) {
	scope := configScope(d.v.Config.Type).Recording(d.reads) // without a token there is no such name
	if token := n.Get("token"); token != nil {
		d.v.Auth.Token = d.token(token)
		scope = injectScope(d.v.Config.Type, d.v.Auth.Token.Type).Recording(d.reads)
	}
	d.v.Auth.BaseURL = d.text(n.Get("base_url"), scope)
	if inject := n.Get("inject"); inject != nil {
		defer d.hintAtParts(len(*d.faults))
		d.v.Auth.Headers = d.template(inject.Get("headers"), scope)
		d.v.Auth.Query = d.template(inject.Get("query"), scope)
		d.v.Auth.Body = d.template(inject.Get("body"), scope)
		d.headers(d.v.Auth.Headers)
		d.queryNames(d.v.Auth.Query)
		d.tokenUsed(inject)
		d.secretInjection(d.v.Auth.Headers)
		d.secretInjection(d.v.Auth.Query)
		d.secretInjection(d.v.Auth.Body)
		d.flat(d.v.Auth.Headers, "the header", false, false)
		d.flat(d.v.Auth.Query, "the query parameter", true, false)
	}
}

// token reads auth.token. Which of call, oauth2 and value alone is there names the kind.
func (d *decoder) token(n *source.Node) *Token {
	t := &Token{Lifetime: d.duration(n.Get("lifetime"), 0), Timeout: d.timeout, Type: secretText}
	AtMost(n.Get("lifetime"), "lifetime", t.Lifetime, longestLife, d.faults)
	if t.Lifetime == 0 && n.Get("lifetime") != nil {
		d.faults.Add(n.Get("lifetime").Errorf("wrong-value", "a token that lives for nothing can never be used").WithHint("leave lifetime out where it lives for ever"))
	}
	switch {
	case n.Get("call") != nil:
		t.Kind = TokenCall
		d.misplaced(n, "a token is got in one way, and call names one", "oauth2")
		d.callToken(t, n)
	case n.Get("oauth2") != nil:
		t.Kind = TokenOAuth2
		d.misplaced(n, "it belongs to call, and this token comes from an OAuth 2.0 endpoint", "with")
		t.OAuth2 = d.oauth2(n.Get("oauth2"))
		if value := n.Get("value"); value != nil {
			d.madeToken(t, value, grantedType)
		}
	case n.Get("value") != nil:
		t.Kind = TokenValue
		d.misplaced(n, "the token is a value of the config, which never changes", "with", "check", "lifetime")
		if value := n.Get("value"); value.Kind == source.Scalar {
			if t.Fixed = d.text(value, configScope(d.v.Config.Type).Recording(d.reads)); t.Fixed != nil {
				d.secretToken(value, t.Fixed.Type())
			}
		} else {
			d.faults.Add(value.Errorf("wrong-type", "a token of the config must be text").WithHint("inject can use all of config"))
		}
	default:
		d.faults.Add(n.Errorf("token-without-kind", "nothing says how the token is got").
			WithHint("add call (an operation of this file), oauth2 (a token endpoint) or value (a value of the config)"))
	}
	d.check(t, n.Get("check"))
	t.Exclusive = n.Get("use") != nil // there is one way to use it so far
	t.Settle = d.wait(n.Get("settle"), "settle", 0)
	if !t.Exclusive {
		d.misplaced(n, "it belongs to use: exclusive", "settle")
	}
	return t
}

// hintAtParts explains an unknown name outputs in the faults of inject, which are those from before on.
func (d *decoder) hintAtParts(before int) {
	for _, f := range (*d.faults)[before:] {
		if f.Message == `unknown name "outputs"` {
			f.Hint = "name it as a part of the token, as in value: {session: ${{ outputs.session }}, csrf: ${{ outputs.csrf }}}, and write token.csrf here"
		}
	}
}

// misplaced reports those keys of n that are there and should not be.
func (d *decoder) misplaced(n *source.Node, why string, keys ...string) {
	for _, key := range keys {
		if n.Get(key) != nil {
			d.faults.Add(n.Key(key).Errorf("token-key-misplaced", "%s has no place here: %s", key, why))
		}
	}
}

func (d *decoder) callToken(t *Token, n *source.Node) {
	t.Call = d.authOperation(n, "call")
	outputs := types.AnyType
	if t.Call != nil {
		outputs = t.Call.Response.OutputsType
		t.With = d.template(n.Get("with"), configScope(d.v.Config.Type).Recording(d.reads))
		CheckWith(t.Call.Name, t.Call.Inputs, t.With, placeOf(n.Get("call"), ""), d.faults)
		d.secretInputs(t.Call, t.With)
		if !t.Call.NoAuth {
			f := fault(t.Call.Place, "login-needs-auth", "the operation "+t.Call.Name+" logs in, and would itself need a token", "add auth: none to the operation")
			f.Related = []diag.Place{placeOf(n.Get("call"), "it logs in here")}
			d.faults.Add(f)
		}
		if t.Call.Effect == flow.Create {
			d.faults.Add(n.Get("call").Errorf("login-creates", "the operation %s logs in, which may happen again at any time, and has effect create", t.Call.Name).WithHint("a login that may be repeated is effect: idempotent"))
		}
	}
	if n.Get("value") == nil {
		d.faults.Add(n.Get("call").Errorf("token-without-value", "nothing says which output of the login is the token").
			WithHint("add value, as in value: ${{ outputs.token }}"))
		return
	}
	d.madeToken(t, n.Get("value"), outputs)
}

// secretInputs warns of what is a secret of the login, and not of the config that it comes from.
func (d *decoder) secretInputs(login *Operation, with *template.Template) {
	if with == nil {
		return
	}
	for _, m := range with.Members() {
		q, is := login.Inputs.Get(m.Name), m.Value.Type()
		if q == nil || !q.Secret || is == nil || is.Kind == types.Unknown || is.HasSecret() {
			continue
		}
		d.notSecret(is, m.Place, fmt.Sprintf("this becomes %s of %s, which is secret there and not here", m.Name, login.Name))
	}
}

// notSecret warns of what is of type is, where that is declared, or else at used.
func (d *decoder) notSecret(is *types.Type, used diag.Place, message string) {
	at, related := used, []diag.Place(nil)
	if is.Declared.File != nil {
		at = is.Declared
		related = []diag.Place{{File: used.File, Pos: used.Pos, Note: "used here"}}
	}
	d.faults.Add(&diag.Diagnostic{Severity: diag.Warning, File: at.File, Pos: at.Pos, Code: "not-secret",
		Message: message, Hint: "mark it secret: true", Related: related})
}

// secretInjection warns of what is called as credentials are, and comes from a config that is not secret.
func (d *decoder) secretInjection(t *template.Template) {
	if t == nil {
		return
	}
	for _, m := range t.Members() {
		is := m.Value.Type()
		if _, fixed := m.Value.Literal(); fixed || m.Key != nil || is == nil || is.Kind == types.Unknown || is.HasSecret() || !redact.IsCredential(m.Name) {
			continue
		}
		d.notSecret(is, m.Place, fmt.Sprintf("this is sent as %s, and is not secret, so that it may be shown and kept", m.Name))
	}
}

// secretToken warns of a token, made at n, that would be shown and written down.
func (d *decoder) secretToken(n *source.Node, is *types.Type) {
	if is == nil || is.HasSecret() || is.Kind == types.Unknown && is.Declared.File == nil {
		return
	}
	d.notSecret(is, placeOf(n, "the token"), "this becomes the token, and is not secret, so that it may be shown and kept")
}

// tokenUsed demands that a token goes somewhere.
func (d *decoder) tokenUsed(inject *source.Node) {
	token := d.root.Get("auth").Get("token")
	if token == nil || names(inject, tokenName) {
		return
	}
	f := d.root.Get("auth").Key("inject").Errorf("token-unused", "a token is got, and nothing of inject sends it").
		WithHint(`write ${{ token }} where the vendor wants it, as in Authorization: Bearer ${{ token }}`)
	f.Related = []diag.Place{placeOf(token, "got here")}
	d.faults.Add(f)
}

func (d *decoder) oauth2(n *source.Node) *OAuth2 {
	scope := configScope(d.v.Config.Type).Recording(d.reads)
	o := &OAuth2{Grant: n.Get("grant").Text}
	o.URL = d.text(n.Get("url"), scope)
	o.Params = d.template(n.Get("params"), scope)
	if a := n.Get("client_auth"); a != nil {
		o.Basic = a.Text == "basic"
	}
	if o.URL != nil {
		if v, ok := o.URL.Literal(); ok {
			text, _ := v.(string)
			if _, err := ParseTokenURL(text); err != nil {
				d.faults.Add(n.Get("url").Errorf("wrong-value", "%v", err))
			}
		}
	}
	if o.Params != nil {
		for _, m := range o.Params.Members() {
			if slices.Contains(secretParams, m.Name) && m.Value.Type() != nil && !m.Value.Type().HasSecret() && m.Value.Type().Kind != types.Unknown {
				d.notSecret(m.Value.Type(), m.Place, fmt.Sprintf("this becomes the %s of a login, and is not secret, so that it may be shown and kept", m.Name))
			}
		}
	}
	given := map[string]bool{}
	if params := n.Get("params"); params != nil {
		for _, pair := range params.Pairs {
			given[pair.Key.Text] = true
		}
	}
	if given["grant_type"] {
		d.faults.Add(n.Get("params").Key("grant_type").Errorf("wrong-value", "grant_type is what grant says").WithHint("leave it out"))
	}
	needed := grantParams[o.Grant]
	if o.Basic {
		needed = append([]string{"client_id", "client_secret"}, needed...)
	}
	for _, name := range slices.Compact(slices.Sorted(slices.Values(needed))) {
		if !given[name] {
			d.faults.Add(n.Get("grant").Errorf("missing-token-param", "%s must be among the params", name).
				WithHint("add it under params, as in " + name + ": ${{ config." + name + " }}"))
		}
	}
	return o
}

// secretParams are those that nobody else may know.
var secretParams = []string{"password", "client_secret", "refresh_token"}

// grantParams are the params without which a grant makes no sense.
var grantParams = map[string][]string{
	"client_credentials": {"client_id"},
	"password":           {"username", "password"},
	"refresh_token":      {"refresh_token"},
}

// ParseTokenURL reads the URL of a token endpoint; one that begins with / has
// no host. The error does not quote it.
func ParseTokenURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errors.New("the token endpoint cannot be read as a URL")
	case strings.HasPrefix(text, "/") && u.Host == "":
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, errors.New("the token endpoint must begin with https:// or http://, or with / to continue base_url")
	case u.User != nil:
		return nil, errors.New("the token endpoint must not hold a user or password: these belong below params")
	}
	if u.Fragment != "" {
		return nil, errors.New("the token endpoint must have no #")
	}
	return u, nil
}

func (d *decoder) check(t *Token, n *source.Node) {
	if n == nil || t.Kind == TokenValue {
		return
	}
	t.Check = d.authOperation(d.root.Get("auth").Get("token"), "check")
	if t.Check != nil && t.Check.Effect != flow.Read {
		d.faults.Add(n.Errorf("check-not-read", "the operation %s checks a token, so it must be a read; it is %s", t.Check.Name, t.Check.Effect))
		return
	}
	if t.Check == nil {
		return
	}
	CheckWith(t.Check.Name, t.Check.Inputs, nil, placeOf(n, ""), d.faults)
	if t.Check.NoAuth {
		f := n.Errorf("check-without-token", "the operation %s sends no token (auth: none), so that it tells nothing of one", t.Check.Name).
			WithHint("check with an operation that needs the token")
		f.Related = []diag.Place{t.Check.Place}
		d.faults.Add(f)
	}
}

func (d *decoder) authOperation(n *source.Node, key string) *Operation {
	name := n.Get(key).Text
	if op := d.v.Operation(name); op != nil {
		return op
	}
	d.faults.Add(n.Get(key).Errorf("unknown-operation", "no operation %s in this file", name).WithHint(DidYouMean(name, d.v.OperationNames())))
	return nil
}

// tokenName finds the name token in an expression.
var tokenName = regexp.MustCompile(`(?:^|[^.\w])token\b`)

// names reports whether a scalar or key of n that has a marker fits.
func names(n *source.Node, name *regexp.Regexp) bool {
	if n == nil {
		return false
	}
	if marker.In(n) && name.MatchString(n.Text) {
		return true
	}
	return slices.ContainsFunc(n.Items, func(item *source.Node) bool { return names(item, name) }) ||
		slices.ContainsFunc(n.Pairs, func(p source.Pair) bool { return names(p.Key, name) || names(p.Value, name) })
}
