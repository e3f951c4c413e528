package auth_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed627bd532/runner/engine/auth"
)

// endpoint answers requests for tokens with what is at hand, and remembers the last ones.
type endpoint struct {
	answers []auth.Answer
	forms   []url.Values
	basic   []string
}

func (e *endpoint) send(req *http.Request) (*auth.Answer, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	if len(e.answers) == 0 {
		return nil, errors.New("one request too many: " + form.Encode())
	}
	a := e.answers[0]
	e.answers = e.answers[1:]
	e.forms = append(e.forms, form)
	e.basic = append(e.basic, req.Header.Get("Authorization"))
	if req.Method != "POST" || req.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		return nil, errors.New("a request that RFC 6749 does not know")
	}
	return &a, nil
}

func ok(body string) auth.Answer { return auth.Answer{Status: 200, Body: []byte(body)} }

func get(e *endpoint, o auth.OAuth2, refresh string) (auth.Token, error) {
	o.URL = &url.URL{Scheme: "https", Host: "login.example", Path: "/oauth2/token", RawQuery: "key=q"}
	return auth.Builtin()["oauth2"].Get(context.Background(), auth.Login{OAuth2: &o, Send: e.send, Refresh: refresh})
}

const nasty = "p&=+%/ ü\"~:é"

func TestOAuth2SendsTheFormOfTheGrant(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		o          auth.OAuth2
		refresh    string
		form       url.Values
		user, pass string
	}{
		{"client_credentials", auth.OAuth2{Grant: "client_credentials", Params: map[string]string{"client_id": "me", "client_secret": nasty, "resource": "https://api"}}, "",
			url.Values{"grant_type": {"client_credentials"}, "client_id": {"me"}, "client_secret": {nasty}, "resource": {"https://api"}}, "", ""},
		{"password", auth.OAuth2{Grant: "password", Params: map[string]string{"username": "joe", "password": nasty, "scope": "a b"}}, "",
			url.Values{"grant_type": {"password"}, "username": {"joe"}, "password": {nasty}, "scope": {"a b"}}, "", ""},
		{"basic", auth.OAuth2{Grant: "client_credentials", Basic: true, Params: map[string]string{"client_id": "me:x", "client_secret": nasty, "scope": "a"}}, "",
			url.Values{"grant_type": {"client_credentials"}, "scope": {"a"}}, "me%3Ax", url.QueryEscape(nasty)},
		{"refresh_token", auth.OAuth2{Grant: "refresh_token", Params: map[string]string{"refresh_token": "r-0", "client_id": "me"}}, "",
			url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"r-0"}, "client_id": {"me"}}, "", ""},
		{"rotated", auth.OAuth2{Grant: "refresh_token", Params: map[string]string{"refresh_token": "r-0", "client_id": "me"}}, "r-1",
			url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"r-1"}, "client_id": {"me"}}, "", ""},
		{"refresh after password", auth.OAuth2{Grant: "password", Params: map[string]string{"username": "joe", "password": "pw", "client_id": "me"}}, "r-1",
			url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"r-1"}, "client_id": {"me"}}, "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e := &endpoint{answers: []auth.Answer{ok(`{"access_token":"tok","token_type":"bearer"}`)}}
			token, err := get(e, test.o, test.refresh)
			if err != nil || token.Value != "tok" {
				t.Fatal(token, err)
			}
			if got, want := e.forms[0].Encode(), test.form.Encode(); got != want {
				t.Errorf("sent %s\nwant %s", got, want)
			}
			want := ""
			if test.user != "" {
				want = "Basic " + base64.StdEncoding.EncodeToString([]byte(test.user+":"+test.pass))
			}
			if e.basic[0] != want {
				t.Errorf("sent %q, want %q", e.basic[0], want)
			}
		})
	}
}

func TestOAuth2BelievesTheAnswersExpiry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		at := func(layout string) string { return now.Add(time.Hour).UTC().Format(layout) }
		unix := strconv.FormatInt(now.Add(time.Hour).Unix(), 10)
		tests := []struct {
			fields string
			want   time.Duration // 0: not said
		}{
			{`"expires_in":3600`, time.Hour},
			{`"expires_in":"3600"`, time.Hour},
			{`"expires_in":" 3599.5 "`, 3599500 * time.Millisecond},
			{`"expires_in":60,".expires":"` + at(http.TimeFormat) + `"`, time.Minute},
			{`".issued":"x",".expires":"` + at(http.TimeFormat) + `"`, time.Hour},
			{`".expires":"` + at(time.RFC3339) + `"`, time.Hour},
			{`"expires_on":"` + unix + `"`, time.Hour},
			{`"expires_on":` + unix, time.Hour},
			{`"expires_in":0`, 0},
			{`"expires_in":-5`, 0},
			{`"expires_in":1e300`, 0},
			{`"expires_in":"NaN"`, 0},
			{`"expires_in":null`, 0},
			{`"expires_in":{"a":1}`, 0},
			{`".expires":"Sat, 01 Jan 1999 00:00:00 GMT"`, 0},
			{`"expires_on":9999999999999`, 0},
			{`"x":1`, 0},
		}
		for _, test := range tests {
			e := &endpoint{answers: []auth.Answer{ok(`{"access_token":"tok",` + test.fields + `}`)}}
			token, err := get(e, auth.OAuth2{Grant: "client_credentials"}, "")
			if err != nil {
				t.Fatal(err)
			}
			var got time.Duration
			if !token.Expires.IsZero() {
				got = token.Expires.Sub(now)
			}
			if got != test.want {
				t.Errorf("%s: %v, want %v", test.fields, got, test.want)
			}
		}
	})
}

func TestOAuth2Failures(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		answer    auth.Answer
		want      string
		temporary bool
	}{
		{"wrong secret", auth.Answer{Status: 401, Body: []byte(`{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret."}`)},
			"login.example/oauth2/token: AADSTS7000215: Invalid client secret. (invalid_client)", false},
		{"wrong password", auth.Answer{Status: 400, Body: []byte(`{"error":"invalid_grant"}`)}, "login.example/oauth2/token: invalid_grant", false},
		{"refused in a success", ok(`{"error":"invalid_grant","error_description":"locked"}`), "login.example/oauth2/token: locked (invalid_grant)", false},
		{"wrong password in words", auth.Answer{Status: 400, Body: []byte(" user or password wrong\n")}, "login.example/oauth2/token: user or password wrong", false},
		{"throttled", auth.Answer{Status: 429, RetryAfter: 7 * time.Second}, "login.example/oauth2/token: HTTP status 429 Too Many Requests", true},
		{"down", auth.Answer{Status: 502, Body: []byte(`<html>`), RetryAfter: 7 * time.Second}, "login.example/oauth2/token: HTTP status 502 Bad Gateway", true},
		{"down by its own word", auth.Answer{Status: 400, Body: []byte(`{"error":"temporarily_unavailable"}`), RetryAfter: 7 * time.Second}, "login.example/oauth2/token: temporarily_unavailable", true},
		{"a page", ok(`<html>s3cret`), "login.example/oauth2/token: the answer is not the JSON object that it should be", true},
		{"a list", ok(`["s3cret"]`), "login.example/oauth2/token: the answer is not the JSON object that it should be", true},
		{"no token", ok(`{"id_token":"s3cret"}`), "login.example/oauth2/token: the answer holds no access_token", false},
		{"elsewhere", auth.Answer{Status: 302, Header: http.Header{"Location": {"https://evil.example/"}}},
			"login.example/oauth2/token: the answer leads elsewhere (HTTP status 302), where no credentials are sent", false},
		{"no endpoint", auth.Answer{Status: 404}, "login.example/oauth2/token: HTTP status 404 Not Found", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := get(&endpoint{answers: []auth.Answer{test.answer}}, auth.OAuth2{Grant: "client_credentials"}, "")
			var f *auth.Failure
			if !errors.As(err, &f) {
				t.Fatalf("%v is no failure", err)
			}
			if f.Message != test.want || f.Temporary != test.temporary || f.RetryAfter != test.answer.RetryAfter {
				t.Errorf("%q, temporary %v, wait %v\nwant %q", f.Message, f.Temporary, f.RetryAfter, test.want)
			}
		})
	}
}

func TestRefreshTokens(t *testing.T) {
	t.Parallel()
	refused := func(status int, code string) auth.Answer {
		return auth.Answer{Status: status, Body: []byte(`{"error":"` + code + `"}`)}
	}
	tests := []struct {
		name    string
		answers []auth.Answer
		grants  string
		refresh string // that is kept
		err     string
	}{
		{"rotated", []auth.Answer{ok(`{"access_token":"a","refresh_token":"r-2"}`)}, "refresh_token", "r-2", ""},
		{"kept", []auth.Answer{ok(`{"access_token":"a"}`)}, "refresh_token", "r-1", ""},
		{"refused", []auth.Answer{refused(400, "invalid_grant"), ok(`{"access_token":"a","refresh_token":"r-9"}`)}, "refresh_token password", "r-9", ""},
		{"refused, and no other", []auth.Answer{refused(401, "invalid_grant"), ok(`{"access_token":"a"}`)}, "refresh_token password", "", ""},
		{"client refused", []auth.Answer{refused(401, "invalid_client")}, "refresh_token", "", "login.example/oauth2/token: invalid_client"},
		{"down", []auth.Answer{refused(503, "server_error")}, "refresh_token", "", "login.example/oauth2/token: server_error"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e := &endpoint{answers: test.answers}
			token, err := get(e, auth.OAuth2{Grant: "password", Params: map[string]string{"username": "joe", "password": "pw"}}, "r-1")
			said := ""
			if err != nil {
				said = err.Error()
			}
			var grants []string
			for _, form := range e.forms {
				grants = append(grants, form.Get("grant_type"))
			}
			if got := strings.Join(grants, " "); got != test.grants || token.Refresh != test.refresh || said != test.err {
				t.Errorf("asked %s, kept %q, error %q", got, token.Refresh, said)
			}
		})
	}
}

func TestValueHandsOutWhatItIsGiven(t *testing.T) {
	t.Parallel()
	token, err := auth.Builtin()["value"].Get(context.Background(), auth.Login{Value: "tok"})
	if err != nil || token != (auth.Token{Value: "tok"}) {
		t.Errorf("got %v, %v", token, err)
	}
}

// Whatever an endpoint answers is a token or a Failure.
func FuzzAnswersOfTokenEndpoints(f *testing.F) {
	f.Add(200, []byte(`{"access_token":"tok","expires_in":"3600",".expires":"Sat, 01 Jan 2050 00:00:00 GMT"}`))
	f.Add(400, []byte(`{"error":"invalid_grant","error_description":7}`))
	f.Add(200, []byte(`{"access_token":null,"expires_on":1e99}`))
	f.Add(302, []byte(`<html>`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		e := &endpoint{answers: []auth.Answer{{Status: status, Body: body}}}
		before := time.Now()
		token, err := get(e, auth.OAuth2{Grant: "client_credentials"}, "")
		var failure *auth.Failure
		switch {
		case err == nil && (token.Value == "" || !token.Expires.IsZero() && token.Expires.Before(before)):
			t.Errorf("a token that is none: %+v", token)
		case err != nil && (!errors.As(err, &failure) || failure.Message == ""):
			t.Errorf("%#v is no failure", err)
		}
	})
}
