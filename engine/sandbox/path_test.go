package sandbox

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/fstest"
)

const library = `
sandbox: library
version: 1
connection: {base_url: "${{ sandbox.url }}"}
state:
  books:
    - {id: "7", title: Emma}
operations:
  all:
    method: GET
    path: /books
    rules: [{reply: {body: "${{ state.books }}"}}]
  newest:
    method: GET
    path: /books/newest
    rules: [{reply: {text: newest}}]
  one:
    method: GET
    path: /books/{id}
    rules:
      - if: none(state.books, .id == request.params.id)
        reply: {status: 404, text: "no book ${{ request.params.id }}"}
      - reply: {text: "${{ find(state.books, .id == request.params.id).title }}"}
  page:
    method: GET
    path: /books/{id}/pages/{page}
    rules: [{reply: {text: "${{ request.params.id }}:${{ request.params.page }}"}}]
`

func TestASegmentOfAPathCanBeAParameter(t *testing.T) {
	def, err := Load(fstest.MapFS{"library.yaml": {Data: []byte(library)}}, "library.yaml")
	if err != nil {
		t.Fatal(err)
	}
	box := New(def, Options{})
	for target, want := range map[string]string{
		"/books":               `[{"id":"7","title":"Emma"}]`,
		"/books/newest":        "newest",
		"/books/7":             "Emma",
		"/books/8":             "no book 8",
		"/books/a%20b/pages/3": "a b:3",
		"/books/":              "sandbox library has no GET /books/",
		"/books/7/pages":       "sandbox library has no GET /books/7/pages",
	} {
		w := httptest.NewRecorder()
		box.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
		if got := w.Body.String(); got != want {
			t.Errorf("%s: got %q, want %q", target, got, want)
		}
	}
}

func TestAnOperationBehindOneThatTakesAllIsAMistake(t *testing.T) {
	behind := `
sandbox: library
version: 1
connection: {base_url: "${{ sandbox.url }}"}
operations:
  one: {method: GET, path: "/books/{id}", rules: [{reply: {text: one}}]}
  newest: {method: GET, path: /books/newest, rules: [{reply: {text: newest}}]}
`
	_, err := Load(fstest.MapFS{"library.yaml": {Data: []byte(behind)}}, "library.yaml")
	if want := "library.yaml:7:31: GET /books/newest is always taken by operation one, which comes first"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
