package vendortest_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/go-oauth2/oauth2/v4"
	oautherrors "github.com/go-oauth2/oauth2/v4/errors"
	"github.com/go-oauth2/oauth2/v4/manage"
	"github.com/go-oauth2/oauth2/v4/models"
	"github.com/go-oauth2/oauth2/v4/server"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/internal/testserver"
	"github.com/seed627bd532/runner/engine/state"
)

const (
	guardUser     = "té st&"
	guardPassword = `p+w d/"%"`
)

// A guard is the server of go-oauth2's example: /oauth/token gives tokens, and
// /test is answered to their bearers.
type guard struct {
	*server.Server
	manager *manage.Manager
	tokens  *guardTokens
	secret  string
	took    time.Duration   // each /test
	revoke  map[int]bool    // which calls of /test end the access token first
	forget  map[int]bool    // and the refresh token, too
	grants  []string        // asked for, in order
	used    map[string]bool // refresh tokens
	tests   int             // calls of /test that were answered
	refused []int           // statuses of token requests that failed
}

// guardTokens keeps tokens as the library's own store does, but in the time of
// a synctest bubble.
type guardTokens struct {
	mu  sync.Mutex
	all []*models.Token
}

func (s *guardTokens) Create(_ context.Context, info oauth2.TokenInfo) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := *info.(*models.Token) // the library goes on writing into it
	s.all = append(s.all, &kept)
	return nil
}

func (s *guardTokens) remove(old func(*models.Token) bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = slices.DeleteFunc(s.all, old)
	return nil
}

func (s *guardTokens) find(wanted func(*models.Token) bool) (oauth2.TokenInfo, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.IndexFunc(s.all, wanted); i >= 0 {
		found := *s.all[i]
		return &found, nil
	}
	return nil, nil
}

func (s *guardTokens) RemoveByCode(context.Context, string) error { return nil }

// An access token that is taken back leaves its refresh token, as in the library's store.
func (s *guardTokens) RemoveByAccess(_ context.Context, access string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.all {
		if t.Access == access {
			t.Access = ""
		}
	}
	return nil
}

func (s *guardTokens) RemoveByRefresh(_ context.Context, refresh string) error {
	return s.remove(func(t *models.Token) bool { return t.Refresh == refresh })
}

func (s *guardTokens) GetByCode(context.Context, string) (oauth2.TokenInfo, error) { return nil, nil }

func (s *guardTokens) GetByAccess(_ context.Context, access string) (oauth2.TokenInfo, error) {
	return s.find(func(t *models.Token) bool { return t.Access == access && access != "" })
}

func (s *guardTokens) GetByRefresh(_ context.Context, refresh string) (oauth2.TokenInfo, error) {
	return s.find(func(t *models.Token) bool { return t.Refresh == refresh && refresh != "" })
}

// guardClients is the one client that there is.
type guardClients struct{ *models.Client }

func (c guardClients) GetByID(_ context.Context, id string) (oauth2.ClientInfo, error) {
	if id != c.ID {
		return nil, oautherrors.ErrInvalidClient
	}
	return c.Client, nil
}

// newGuard returns a server whose access tokens live for two minutes, and refresh tokens for an hour.
func newGuard(secret string, basic bool) *guard {
	g := &guard{manager: manage.NewDefaultManager(), tokens: &guardTokens{}, secret: secret, took: 50 * time.Second, used: map[string]bool{}}
	g.manager.MapTokenStorage(g.tokens)
	g.manager.MapClientStorage(guardClients{&models.Client{ID: "222222", Secret: secret}})
	g.manager.SetClientTokenCfg(&manage.Config{AccessTokenExp: 2 * time.Minute})
	g.manager.SetPasswordTokenCfg(&manage.Config{AccessTokenExp: 2 * time.Minute, RefreshTokenExp: time.Hour, IsGenerateRefresh: true})
	g.Server = server.NewServer(server.NewConfig(), g.manager)
	g.SetClientInfoHandler(server.ClientFormHandler)
	if basic {
		g.SetClientInfoHandler(server.ClientBasicHandler)
	}
	g.SetPasswordAuthorizationHandler(func(_ context.Context, _, username, password string) (string, error) {
		if username != guardUser || password != guardPassword {
			return "", oautherrors.ErrInvalidGrant
		}
		return username, nil
	})
	return g
}

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/oauth/token":
		g.grants = append(g.grants, r.FormValue("grant_type"))
		if refresh := r.FormValue("refresh_token"); refresh != "" {
			g.used[refresh] = true
		}
		seen := &statusSeen{ResponseWriter: w}
		_ = g.HandleTokenRequest(seen, r)
		if seen.status != http.StatusOK {
			g.refused = append(g.refused, seen.status)
		}
	case "/test":
		token, err := g.ValidationBearerToken(r)
		if n := g.tests + 1; err == nil && (g.revoke[n] || g.forget[n]) {
			delete(g.revoke, n)
			_ = g.tokens.RemoveByAccess(r.Context(), token.GetAccess())
			if g.forget[n] {
				delete(g.forget, n)
				_ = g.tokens.RemoveByRefresh(r.Context(), token.GetRefresh())
			}
			err = oautherrors.ErrInvalidAccessToken
		}
		if err != nil { // as in the example: 400, and a text
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		g.tests++
		time.Sleep(g.took) // in the time of the bubble
		_ = json.NewEncoder(w).Encode(map[string]any{"client_id": token.GetClientID(), "user_id": token.GetUserID()})
	}
}

type statusSeen struct {
	http.ResponseWriter
	status int
}

func (s *statusSeen) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

// guarded is a project whose vendor is a guard.
func guarded(grant string) fstest.MapFS {
	return fstest.MapFS{
		"specs/guard.yaml": {Data: []byte(`
vendor: guard
version: 1
config:
  client_id: {type: string}
  client_secret: {type: string, secret: true}
  username: {type: string, default: ""}
  password: {type: string, secret: true, default: ""}
  refresh_token: {type: string, secret: true, default: ""}
auth:
  token:
    oauth2:
` + grant + `
      url: /oauth/token
  inject:
    headers: {Authorization: "Bearer ${{ token }}"}
defaults:
  timeout: 2m
  retry: {attempts: 3, first: 1s, max: 1s}
operations:
  test:
    effect: read
    request: {method: GET, path: /test}
    response:
      schema: {type: object, required: [client_id, user_id], properties: {client_id: {type: string}, user_id: {type: string}}}
      outcomes:
        # This server says so with 400, and a text.
        - if: status == 400 and text matches 'access token'
          is: auth
      outputs: {client: client_id, user: user_id}
`)},
		"pipelines/tests.yaml": {Data: []byte(`
pipeline: tests
version: 1
inputs:
  times: {type: integer}
connections:
  guard: {vendor: guard}
steps:
  - id: each
    foreach: 1..inputs.times
    as: n
    call: guard.test
outputs:
  users: ${{ unique(map(steps.each.results, (.client ?? '?') + ' ' + (.user ?? '?'))) }}
  done: ${{ steps.each.done }}
`)},
	}
}

const (
	byClient  = "      grant: client_credentials\n      params: {client_id: \"${{ config.client_id }}\", client_secret: \"${{ config.client_secret }}\"}"
	byUser    = "      grant: password\n      params: {client_id: \"${{ config.client_id }}\", client_secret: \"${{ config.client_secret }}\", username: \"${{ config.username }}\", password: \"${{ config.password }}\"}"
	byRefresh = "      grant: refresh_token\n      params: {client_id: \"${{ config.client_id }}\", client_secret: \"${{ config.client_secret }}\", refresh_token: \"${{ config.refresh_token }}\"}"
	basically = "\n      client_auth: basic"
)

// run makes runs of so many calls of /test, one after another, in the time of a synctest bubble.
func (g *guard) run(t *testing.T, grant string, config map[string]any, tokens state.Tokens, times ...int) (string, error) {
	t.Helper()
	client, stop := testserver.OverPipes(g)
	defer stop()
	all := map[string]any{"client_id": "222222", "client_secret": g.secret, "username": guardUser, "password": guardPassword}
	for name, v := range config {
		all[name] = v
	}
	sink := &testserver.Heard{}
	p, err := engine.Load(guarded(grant), engine.Options{
		Connections: map[string]engine.Connection{"guard": {Vendor: "guard", BaseURL: "http://guard.example", Config: all}},
		Client:      client,
		Events:      sink,
		Tokens:      tokens,
	})
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for i, n := range times {
		if i > 0 {
			time.Sleep(30 * time.Minute) // of the bubble
		}
		r, err := p.Run(context.Background(), engine.Request{Pipeline: "pipelines/tests.yaml", Inputs: map[string]any{"times": n}})
		if err != nil {
			return "", err
		}
		said = append(said, fmt.Sprint(r.Outputs["done"], r.Outputs["users"]))
	}
	secrets := []string{g.secret, guardPassword}
	for token := range g.used {
		secrets = append(secrets, token)
	}
	for _, token := range g.tokens.all {
		secrets = append(secrets, token.Access, token.Refresh)
	}
	for _, secret := range secrets {
		if secret != "" && strings.Contains(sink.Text(), secret) {
			t.Errorf("the secret %s is seen", secret)
		}
	}
	return strings.Join(said, ", "), nil
}

// Each grant, in a run that outlives its tokens: access tokens end after two
// minutes, and each refresh token is good for one use.
func TestOAuth2ServerGrants(t *testing.T) {
	t.Parallel()
	const form, plain = `2222+22/2 &"%=`, "22222222"
	for name, tt := range map[string]struct {
		grant, secret string
		revoke        map[int]bool
		forget        map[int]bool
		took          time.Duration
		times         []int
		keep          bool
		grants        string
		users         string
		refused       string
	}{
		"client_credentials": {grant: byClient, secret: form, times: []int{8},
			grants: "client_credentials client_credentials client_credentials", users: "8 [222222 ]"},
		// This library takes Basic as it stands, so its secrets had better need no escaping.
		"client_credentials, basic": {grant: byClient + basically, secret: plain, times: []int{8},
			grants: "client_credentials client_credentials client_credentials", users: "8 [222222 ]"},
		"password": {grant: byUser, secret: form, times: []int{8},
			grants: "password refresh_token refresh_token", users: "8 [222222 té st&]"},
		"password, basic": {grant: byUser + basically, secret: plain, times: []int{8},
			grants: "password refresh_token refresh_token", users: "8 [222222 té st&]"},
		"password, the access token is taken back": {grant: byUser, secret: form, took: time.Second, times: []int{8}, revoke: map[int]bool{3: true, 6: true},
			grants: "password refresh_token refresh_token", users: "8 [222222 té st&]"},
		"password, all tokens are taken back": {grant: byUser, secret: form, took: time.Second, times: []int{8}, forget: map[int]bool{4: true},
			grants: "password refresh_token password", users: "8 [222222 té st&]", refused: "[401]"},
		"password, the refresh token ends too": {grant: byUser, secret: form, took: time.Second, times: []int{2, 2, 2, 2}, keep: true,
			grants: "password refresh_token refresh_token password refresh_token", users: "2 [222222 té st&], 2 [222222 té st&], 2 [222222 té st&], 2 [222222 té st&]", refused: "[401]"},
		"password, nothing is kept between runs": {grant: byUser, secret: form, took: time.Second, times: []int{2, 2},
			grants: "password password", users: "2 [222222 té st&], 2 [222222 té st&]"},
		"refresh_token": {grant: byRefresh, secret: form, times: []int{8},
			grants: "password refresh_token refresh_token refresh_token", users: "8 [222222 té st&]"},
		"refresh_token, kept between runs": {grant: byRefresh, secret: form, took: time.Second, times: []int{2, 2}, keep: true,
			grants: "password refresh_token refresh_token", users: "2 [222222 té st&], 2 [222222 té st&]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := newGuard(tt.secret, strings.HasSuffix(tt.grant, basically))
				g.revoke, g.forget = tt.revoke, tt.forget
				if tt.took > 0 {
					g.took = tt.took
				}
				config := map[string]any{}
				if tt.grant == byRefresh { // somebody gave the first one out
					g.grants = append(g.grants, "password")
					given, err := g.manager.GenerateAccessToken(t.Context(), oauth2.PasswordCredentials, &oauth2.TokenGenerateRequest{
						ClientID: "222222", ClientSecret: tt.secret, UserID: guardUser,
					})
					if err != nil {
						t.Fatal(err)
					}
					config["refresh_token"] = given.GetRefresh()
				}
				var tokens state.Tokens
				if tt.keep {
					tokens = state.NewMemory()
				}
				users, err := g.run(t, tt.grant, config, tokens, tt.times...)
				if err != nil || users != tt.users {
					t.Errorf("%v %s, want %s", err, users, tt.users)
				}
				if got := strings.Join(g.grants, " "); got != tt.grants {
					t.Errorf("grants %s, want %s", got, tt.grants)
				}
				if got := fmt.Sprint(g.refused); got != cmp.Or(tt.refused, "[]") {
					t.Errorf("refused %s, want %s", got, cmp.Or(tt.refused, "[]"))
				}
				if asked := strings.Count(tt.grants, "refresh_token"); len(g.used) != asked {
					t.Errorf("%d refresh tokens in %d requests: one was used twice", len(g.used), asked)
				}
			})
		})
	}
}

// What the server refuses for good ends the run after one request, in its words.
func TestOAuth2ServerRefuses(t *testing.T) {
	t.Parallel()
	const invalidGrant = "The provided authorization grant (e.g., authorization code, resource owner credentials) or refresh token is invalid, expired, revoked"
	for name, tt := range map[string]struct {
		grant  string
		config map[string]any
		want   string
	}{
		"client":        {byClient, map[string]any{"client_id": "1"}, "Client authentication failed (invalid_client)"},
		"secret":        {byClient, map[string]any{"client_secret": "1"}, "Client authentication failed (invalid_client)"},
		"user":          {byUser, map[string]any{"username": "nobody"}, invalidGrant},
		"password":      {byUser, map[string]any{"password": "1"}, invalidGrant},
		"refresh token": {byRefresh, map[string]any{"refresh_token": "1"}, invalidGrant},
		"way":           {byClient + basically, nil, "Client authentication failed (invalid_client)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := newGuard("22222222", false)
				_, err := g.run(t, tt.grant, tt.config, nil, 3)
				var failed *engine.Error
				if !errors.As(err, &failed) || !strings.HasPrefix(err.Error(), "guard.test: auth: cannot log in to guard: guard.example/oauth/token: "+tt.want) {
					t.Fatal(err)
				}
				if failed.Failure.Hint != "check the credentials of the connection" || len(g.grants) != 1 || g.tests != 0 {
					t.Errorf("%s after %v", failed.Failure.Hint, g.grants)
				}
			})
		})
	}
}
