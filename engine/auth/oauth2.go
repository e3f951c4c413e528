package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// OAuth2 says how a token endpoint of OAuth 2.0 (RFC 6749) is asked.
type OAuth2 struct {
	// Grant is the grant_type: client_credentials, password or refresh_token.
	Grant string
	// URL is the token endpoint, absolute.
	URL *url.URL
	// Params are the other fields of the form, by name. client_id and
	// client_secret are among them, and with Basic they go into the header instead.
	Params map[string]string
	// Basic authenticates the client by HTTP Basic, else by the form.
	Basic bool
	// Now is the clock by which expires_in is read; nil means time.Now.
	Now func() time.Time
}

const (
	grantType    = "grant_type"
	refreshToken = "refresh_token"
	clientID     = "client_id"
	clientSecret = "client_secret"
)

// oauth2 gets its token from a token endpoint. A refresh token that came with
// the last one is tried before the grant that the vendor file names.
type oauth2 struct{}

var _ Kind = oauth2{}

func (oauth2) Get(ctx context.Context, login Login) (Token, error) {
	o := login.OAuth2
	if o == nil || o.URL == nil || login.Send == nil {
		return Token{}, errors.New("auth.token.oauth2 names no token endpoint")
	}
	if login.Refresh != "" {
		token, err := o.ask(ctx, login.Send, o.refreshing(login.Refresh))
		if !outdated(err) {
			if err == nil && token.Refresh == "" {
				token.Refresh = login.Refresh // no rotation: it goes on being good
			}
			return token, err
		}
	}
	params := maps.Clone(o.Params)
	if params == nil {
		params = map[string]string{}
	}
	params[grantType] = o.Grant
	return o.ask(ctx, login.Send, params)
}

// refreshing returns the fields that exchange a refresh token. The password is
// not sent where it is not needed; what else the endpoint asks for stays.
func (o *OAuth2) refreshing(refresh string) map[string]string {
	params := maps.Clone(o.Params)
	if params == nil {
		params = map[string]string{}
	}
	delete(params, "username")
	delete(params, "password")
	params[grantType], params[refreshToken] = refreshToken, refresh
	return params
}

// refusal is a Failure with what the endpoint said in the words of RFC 6749.
type refusal struct {
	*Failure
	status int
	code   string
}

// Unwrap makes the Failure to be found.
func (r *refusal) Unwrap() error { return r.Failure }

// outdated reports whether err says that a refresh token is good no more. A
// client that is not known would fare no better under another grant.
func outdated(err error) bool {
	var r *refusal
	if !errors.As(err, &r) || r.Temporary {
		return false
	}
	return (r.status == http.StatusBadRequest || r.status == http.StatusUnauthorized) &&
		r.code != "invalid_client" && r.code != "unauthorized_client"
}

// ask posts a form to the endpoint and reads the token.
func (o *OAuth2) ask(ctx context.Context, send func(*http.Request) (*Answer, error), params map[string]string) (Token, error) {
	form := make(url.Values, len(params))
	for name, text := range params {
		if o.Basic && (name == clientID || name == clientSecret) {
			continue
		}
		form.Set(name, text)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, o.URL.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return Token{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	if o.Basic {
		// RFC 6749, 2.3.1: each is written as in a form before they are joined.
		req.SetBasicAuth(url.QueryEscape(params[clientID]), url.QueryEscape(params[clientSecret]))
	}
	now := time.Now
	if o.Now != nil {
		now = o.Now
	}
	asked := now()
	a, err := send(req)
	if err != nil {
		return Token{}, err
	}
	return o.read(a, asked)
}

// granted is what an endpoint answers, be it a token or an error.
type granted struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	Error        text   `json:"error"`
	Description  text   `json:"error_description"`

	ExpiresIn text `json:"expires_in"`
	// ExpiresOn, in seconds since 1970, and Expires, a date, are what some vendors
	// write beside or in place of expires_in.
	ExpiresOn  text `json:"expires_on"`
	DotExpires text `json:".expires"`
}

// text is a JSON string or number, as text; anything else is empty.
type text string

// UnmarshalJSON is part of json.Unmarshaler. It never fails: fields that are
// not understood must not hide the token beside them.
func (t *text) UnmarshalJSON(raw []byte) error {
	var s string
	var n json.Number
	switch {
	case json.Unmarshal(raw, &s) == nil:
		*t = text(strings.TrimSpace(s))
	case json.Unmarshal(raw, &n) == nil:
		*t = text(n)
	}
	return nil
}

// read makes a token of an answer that was asked for at this time.
func (o *OAuth2) read(a *Answer, asked time.Time) (Token, error) {
	success := a.Status >= 200 && a.Status <= 299
	var g granted
	err := json.Unmarshal(a.Body, &g)
	switch {
	case !success || g.Error != "":
		return Token{}, o.refused(a, g)
	case err != nil:
		// Not quoted: it may well hold a token.
		return Token{}, &Failure{Message: o.name() + ": the answer is not the JSON object that it should be", Temporary: true}
	case g.AccessToken == "":
		return Token{}, &Failure{Message: o.name() + ": the answer holds no access_token"}
	}
	return Token{Value: g.AccessToken, Expires: g.expires(asked), Refresh: g.RefreshToken, Answer: string(a.Body)}, nil
}

// name is the endpoint for messages. Its query is left out.
func (o *OAuth2) name() string { return o.URL.Host + o.URL.EscapedPath() }

// refused puts an error answer into the vendor's own words.
func (o *OAuth2) refused(a *Answer, g granted) error {
	r := &refusal{status: a.Status, code: string(g.Error), Failure: &Failure{RetryAfter: a.RetryAfter}}
	words := string(g.Description)
	switch {
	case words != "" && g.Error != "":
		words = fmt.Sprintf("%s (%s)", words, g.Error)
	case g.Error != "":
		words = string(g.Error)
	case words == "" && a.Status >= 400:
		words = plainText(a.Body)
	}
	silent := words == ""
	if silent {
		words = strings.TrimSpace(fmt.Sprintf("HTTP status %d %s", a.Status, http.StatusText(a.Status)))
	}
	r.Message = o.name() + ": " + words
	switch {
	case a.Status == http.StatusTooManyRequests, a.Status == http.StatusRequestTimeout, a.Status >= 500,
		r.code == "temporarily_unavailable", r.code == "server_error", r.code == "slow_down":
		r.Temporary = true
	case a.Status >= 300 && a.Status <= 399:
		r.Message = fmt.Sprintf("%s: the answer leads elsewhere (HTTP status %d), where no credentials are sent", o.name(), a.Status)
		r.Hint = "check the token endpoint's url"
	case a.Status == http.StatusNotFound, a.Status == http.StatusMethodNotAllowed:
		r.Hint = "check the token endpoint's url"
	case silent:
		r.Hint = "the endpoint gave no reason: check its url and the config of the connection"
	default:
		r.Hint = "check the credentials of the connection"
	}
	return r
}

// plainText is the text of an error answer that is not of the RFC's shape; empty for a page.
func plainText(body []byte) string {
	text := strings.TrimSpace(strings.ToValidUTF8(string(body), "\uFFFD"))
	if strings.HasPrefix(text, "<") {
		return ""
	}
	return text
}

// maxLife bounds what is believed of an expiry: beyond it the number is not one
// of seconds.
const maxLife = 10 * 365 * 24 * time.Hour

// expires returns when the token ends; zero when the answer does not say. The
// time span goes first, since it does not depend on how the vendor's clock is set.
func (g *granted) expires(asked time.Time) time.Time {
	if s, err := strconv.ParseFloat(string(g.ExpiresIn), 64); err == nil && s > 0 && s <= maxLife.Seconds() {
		return asked.Add(time.Duration(math.Floor(s * float64(time.Second))))
	}
	for _, t := range []text{g.ExpiresOn, g.DotExpires} {
		if at := date(string(t)); at.After(asked) && at.Before(asked.Add(maxLife)) {
			return at
		}
	}
	return time.Time{}
}

// date reads a time in seconds since 1970, as in HTTP or of ISO 8601; zero for none.
func date(s string) time.Time {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return time.Unix(n, 0)
	}
	if at, err := http.ParseTime(s); err == nil {
		return at
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return at
}
