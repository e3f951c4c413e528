package sandbox

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/seed627bd532/runner/engine/diag"
)

func TestFaultsOfTheFileAreFoundWhenItIsLoaded(t *testing.T) {
	t.Parallel()
	const head = "sandbox: x\nversion: 1\nconnection: {base_url: \"${{ sandbox.url }}\"}\nstate: {rows: [], n: 1}\n"
	const op = "operations:\n  get:\n    method: POST\n    path: /get\n    rules:\n"
	for _, test := range []struct{ name, text, want string }{
		{"a misspelt collection in an insert", head + op + "      - insert: {into: row, value: 1}\n",
			"x.yaml:10:24: no list row in the state (did you mean rows?)"},
		{"a collection that is no list", head + "tokens: n\n" + op + "      - reply: {status: 200}\n",
			"x.yaml:5:9: no list n in the state (there are: rows)"},
		{"a second operation that is never reached", head + op + "      - reply: {status: 200}\n  again:\n    method: POST\n    path: /get\n    rules:\n      - reply: {status: 200}\n",
			"x.yaml:13:11: POST /get is always taken by operation get, which comes first (tell the two apart by when, or put the one that has it first)"},
		{"a condition that is none", head + op + "      - if: len(state.rows)\n        reply: {status: 200}\n",
			"x.yaml:10:13: a condition must be true or false, found integer ()"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := Load(fstest.MapFS{"x.yaml": {Data: []byte(test.text)}}, "x.yaml")
			var list diag.List
			if !errors.As(err, &list) || len(list) != 1 {
				t.Fatalf("got %v, want one fault", err)
			}
			if got := list[0].Error() + " (" + list[0].Hint + ")"; got != test.want {
				t.Errorf("\n got %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestMisspeltNamesAreFoundWhenTheFileIsLoaded(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ from, to, place string }{
		{"state.sessions", "state.session", "shop.sandbox.yaml:14:"},
		{"operation != 'hello'", "operation != 'helo'", "shop.sandbox.yaml:14:"},
		{"request.query['name']", "request.quary['name']", "shop.sandbox.yaml:23:"},
		{"next('order', ", "nxt('order', ", "shop.sandbox.yaml:48:"},
		{"sandbox.url", "sandbox.uri", "shop.sandbox.yaml:4:"},
	} {
		text := strings.TrimPrefix(strings.Replace(shop, test.from, test.to, 1), "\n")
		_, err := Load(fstest.MapFS{"shop.sandbox.yaml": {Data: []byte(text)}}, "shop.sandbox.yaml")
		var list diag.List
		if !errors.As(err, &list) || !strings.HasPrefix(list[0].Error(), test.place) {
			t.Errorf("%s: got %v, want a fault at %s", test.to, err, test.place)
		}
	}
}

func TestCheckTellsWarningsToo(t *testing.T) {
	t.Parallel()
	text := strings.TrimPrefix(shop, "\n") + "title: no\n"
	faults, err := Check(fstest.MapFS{"shop.sandbox.yaml": {Data: []byte(text)}}, "shop.sandbox.yaml")
	if err != nil || len(faults) != 1 || faults[0].Severity != diag.Warning || faults[0].Code != "yes-no" {
		t.Errorf("got %v and %v, want a warning of no", faults.Unwrap(), err)
	}
	if _, err := Load(fstest.MapFS{"shop.sandbox.yaml": {Data: []byte(text)}}, "shop.sandbox.yaml"); err != nil {
		t.Errorf("a warning keeps the file from being loaded: %v", err)
	}
}

func TestMissingFileIsAnError(t *testing.T) {
	t.Parallel()
	if _, err := Load(fstest.MapFS{}, "x.yaml"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
