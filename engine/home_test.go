package engine_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/diag"
)

const homeVendor = `
vendor: shop
version: 1
defaults: {retry: {attempts: 1, first: 1ms, max: 1ms}}
config: {key: {type: string, secret: true}}
auth: {inject: {headers: {X-Api-Key: "${{ config.key }}"}}}
operations:
  look:
    effect: read
    REQUEST
    inputs: {at: {type: string}}
    response: {as: none, ok: status == 200}
`

const homePipeline = `
pipeline: p
version: 1
inputs: {at: {type: string}}
connections: {shop: {vendor: shop}}
steps:
  - {id: look, call: shop.look, with: {at: "${{ inputs.at }}"}}
`

// home is a project whose one operation has this request.
func home(request string) fstest.MapFS {
	return fstest.MapFS{
		"specs/shop.yaml":  {Data: []byte(strings.Replace(homeVendor, "REQUEST", request, 1))},
		"pipelines/p.yaml": {Data: []byte(homePipeline)},
	}
}

// Wherever a request gets its address from, what is secret in the config goes to the
// connection's origin and nowhere else.
func TestSecretsStayAtTheConnectionsOrigin(t *testing.T) {
	t.Parallel()
	const key = "a-very-secret+key"
	for name, c := range map[string]struct {
		request, at string // FOREIGN and HOME stand for the servers
		reaches     bool   // the foreign server is asked
		says        string // "" for success
	}{
		"a header":            {`{auth: none, request: {method: GET, url: "${{ inputs.at }}", headers: {X-Key: "${{ config.key }}"}}}`, "FOREIGN/a", false, "its header X-Key holds a secret of the connection shop"},
		"a header at home":    {`{auth: none, request: {method: GET, url: "${{ inputs.at }}", headers: {X-Key: "${{ config.key }}"}}}`, "HOME/a", false, ""},
		"a coded header":      {`{auth: none, request: {method: GET, url: "${{ inputs.at }}", headers: {X-Key: "Basic ${{ base64('u:' + config.key) }}"}}}`, "FOREIGN/a", false, "its header X-Key holds a secret"},
		"the query":           {`{auth: none, request: {method: GET, url: "${{ inputs.at }}", query: {k: "${{ config.key }}"}}}`, "FOREIGN/a", false, "its address holds a secret"},
		"the address":         {`{auth: none, request: {method: GET, url: "${{ inputs.at }}"}}`, "FOREIGN/a?k=a-very-secret%2Bkey", false, "its address holds a secret"},
		"the body":            {`{auth: none, request: {method: POST, url: "${{ inputs.at }}", as: form, body: {k: "${{ config.key }}"}}}`, "FOREIGN/a", false, "its body holds a secret"},
		"nothing secret":      {`{auth: none, request: {method: GET, url: "${{ inputs.at }}"}}`, "FOREIGN/a?signature=x", true, ""},
		"what is injected":    {`{request: {method: GET, url: "${{ inputs.at }}"}}`, "FOREIGN/a", false, "which is not on"},
		"a redirect":          {`{request: {method: GET, path: /redirect, query: {to: "${{ inputs.at }}"}}}`, "FOREIGN/a", false, "which is not followed"},
		"a write":             {`{auth: none, request: {method: GET, url: "${{ inputs.at }}"}}`, "FOREIGN/redirect?to=HOME/a", true, "which is not followed"},
		"an address with key": {`{auth: none, request: {method: GET, url: "${{ inputs.at }}", headers: {Accept: "${{ 'x' }}"}}}`, "//FOREIGNHOST/a?k=a-very-secret+key", false, "its address holds a secret"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int64
			answer := func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/redirect" {
					http.Redirect(w, r, r.URL.Query().Get("to"), http.StatusFound)
				}
			}
			own := httptest.NewServer(http.HandlerFunc(answer))
			defer own.Close()
			foreign := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				answer(w, r)
			}))
			defer foreign.Close()
			request := strings.TrimSuffix(strings.TrimPrefix(c.request, "{"), "}")
			if rest, ok := strings.CutPrefix(request, "auth: none, "); ok {
				request = "auth: none\n    " + rest
			}
			p, err := engine.Load(home(request), engine.Options{Connections: map[string]engine.Connection{
				"shop": {Vendor: "shop", BaseURL: own.URL, Config: map[string]any{"key": key}}}})
			if err != nil {
				t.Fatal(err)
			}
			at := strings.NewReplacer("FOREIGNHOST", strings.TrimPrefix(foreign.URL, "http://"), "FOREIGN", foreign.URL, "HOME", own.URL).Replace(c.at)
			_, err = p.Run(t.Context(), engine.Request{Pipeline: "pipelines/p.yaml", InputTexts: map[string]string{"at": at}})
			switch {
			case c.says == "" && err != nil, c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
				t.Errorf("it says %v, want %s", err, c.says)
			case err != nil && strings.Contains(err.Error(), "a-very"):
				t.Errorf("it shows the key: %v", err)
			}
			if (asked.Load() > 0) != c.reaches {
				t.Errorf("the foreign server was asked %d times", asked.Load())
			}
		})
	}
}

func TestCheckSaysWhereSecretsWouldGo(t *testing.T) {
	t.Parallel()
	for request, want := range map[string]string{
		`{auth: none, request: {method: GET, url: "https://else.example/${{ inputs.at }}", headers: {X-Key: "${{ config.key }}"}}}`: "the request would take config.key, which is secret, to https://else.example",
		`{request: {method: GET, url: "https://else.example/${{ inputs.at }}"}}`:                                                    "the request would take what auth.inject adds to https://else.example",
		`{auth: none, request: {method: GET, url: "https://else.example/${{ inputs.at }}"}}`:                                        "",
		`{request: {method: GET, url: "/${{ inputs.at }}"}}`:                                                                        "",
	} {
		request = strings.TrimSuffix(strings.TrimPrefix(request, "{"), "}")
		request = strings.Replace(request, "auth: none, ", "auth: none\n    ", 1)
		var found []string
		for _, f := range engine.Check(home(request), engine.Options{}) {
			if f.Code == "foreign-url" && f.Severity != diag.Warning {
				found = append(found, f.Message)
			}
		}
		if got := strings.Join(found, "\n"); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", request, got, want)
		}
	}
}

// What check refuses of a connections file, no run sends; nor a secret that is set to nothing.
func TestRunsRefuseWhatCheckRefusesOfConnections(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer server.Close()
	for key, want := range map[string]string{
		`$TOKEN`:                        "$TOKEN is no marker of a variable: this would be sent as it stands",
		`"${TOKEN}"`:                    "${TOKEN} is no marker of a variable: this would be sent as it stands",
		`"${{ env.EMPTY }}"`:            "the environment variable EMPTY is set to nothing",
		`"${{ env.BLANK }}"`:            "the environment variable BLANK is set to nothing",
		`"Bearer ${{ env.EMPTY }}"`:     "the environment variable EMPTY is set to nothing",
		`"${{ env.EMPTY ?? 'other' }}"`: "connection shop: config key of vendor shop is secret, and it is blank",
		`"${{ file('/run/empty') }}"`:   "connection shop: config key of vendor shop is secret, and it is blank",
		`""`:                            "config key of vendor shop is secret, and it is blank",
		`"${{ env.GOOD }}"`:             "",
	} {
		connections, err := engine.ReadConnections("connections.yaml", []byte("connections: {shop: {vendor: shop, base_url: \""+server.URL+"\", config: {key: "+key+"}}}"), engine.Environment{
			Env: func(name string) (string, bool) {
				v, ok := map[string]string{"EMPTY": "", "BLANK": " \n", "GOOD": "long-enough"}[name]
				return v, ok
			},
			ReadFile: func(string) ([]byte, error) { return []byte("\n"), nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		p, err := engine.Load(home(`request: {method: GET, path: /a, query: {q: "${{ inputs.at }}"}}`), engine.Options{Connections: connections})
		if err != nil {
			t.Fatal(err)
		}
		for kind, start := range map[string]func() error{
			"run": func() error {
				_, err := p.Run(t.Context(), engine.Request{Pipeline: "pipelines/p.yaml", InputTexts: map[string]string{"at": "x"}})
				return err
			},
			"call": func() error {
				_, err := p.Call(t.Context(), "shop.look", engine.Request{InputTexts: map[string]string{"at": "x"}})
				return err
			},
		} {
			before := asked.Load()
			err := start()
			var faults diag.List
			if want == "" && err != nil || want != "" && (!errors.As(err, &faults) || !strings.Contains(err.Error(), want) || asked.Load() != before) {
				t.Errorf("%s with %s: %v", kind, key, err)
			}
		}
	}
}
