package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/seed627bd532/runner/engine"
)

// books is a project that works through a listing.
var books = fstest.MapFS{
	"specs/shelf.yaml": {Data: []byte(`
vendor: shelf
version: 1
defaults:
  retry: {attempts: 2, first: 20s, max: 20s}
operations:
  books:
    effect: read
    paginate: {by: number, items: books, size: 2}
    request:
      method: GET
      path: /books
      query: {page: "${{ page.number }}", size: "${{ page.size }}"}
    response:
      schema:
        type: object
        required: [books]
        properties:
          books: {type: array, items: {type: object, required: [id], properties: {id: {type: integer}}}}
      outputs: {books: books}
`)},
	"pipelines/count.yaml": {Data: []byte(`
pipeline: count
version: 1
connections:
  shelf: {vendor: shelf}
steps:
  - id: list
    call: shelf.books
  - id: each
    foreach: steps.list.outputs.books
    as: book
    key: book.id
    steps:
      - id: none
        set: {x: "${{ book.id }}"}
outputs:
  ids: ${{ map(steps.list.outputs.books, .id) }}
`)},
}

// A shelf has 5 books. It answers a request with status 500 as often as fails says of its page.
type shelf struct {
	fails map[string]int
	asked []string
}

func (s *shelf) RoundTrip(r *http.Request) (*http.Response, error) {
	page := r.URL.Query().Get("page")
	s.asked = append(s.asked, page)
	status, body := http.StatusOK, map[string]string{"1": `{"id":1},{"id":2}`, "2": `{"id":3},{"id":4}`, "3": `{"id":5}`}[page]
	if s.fails[page] > 0 {
		s.fails[page]--
		status = http.StatusInternalServerError
	}
	return &http.Response{
		StatusCode: status,
		Header:     http.Header{},
		Body:       io.NopCloser(strings.NewReader(`{"books":[` + body + `]}`)),
		Request:    r,
	}, nil
}

func TestAListingIsReadOnceWhateverFailsOnTheWay(t *testing.T) {
	for _, tt := range []struct {
		name    string
		fails   map[string]int
		timeout time.Duration
		asked   string
		ids     string
		failure string
	}{
		{"a page that fails once", map[string]int{"2": 1, "4": 1}, 0, "1 2 2 3 4 4", "[1 2 3 4 5]", ""},
		{"a page that fails for good", map[string]int{"2": 9}, 0, "1 2 2", "", `refused unknown: page 2: {"books":[{"id":3},{"id":4}]}`},
		{"a first page that fails for good", map[string]int{"1": 9}, 0, "1 1", "", `refused unknown: {"books":[{"id":1},{"id":2}]}`},
		{"no time to ask again", map[string]int{"3": 9}, 5 * time.Second, "1 2 3", "", "timeout : stopped: the run took longer than its timeout allows"},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &shelf{fails: tt.fails}
			p, err := engine.Load(books, engine.Options{
				Connections: map[string]engine.Connection{"shelf": {Vendor: "shelf", BaseURL: "http://shelf.example"}},
				Client:      &http.Client{Transport: s},
			})
			if err != nil {
				t.Fatal(rendered(err))
			}
			res, err := p.Run(context.Background(), engine.Request{Pipeline: "pipelines/count.yaml", Timeout: tt.timeout})
			if asked := strings.Join(s.asked, " "); asked != tt.asked {
				t.Errorf("%s: asked for the pages %s, want %s", tt.name, asked, tt.asked)
			}
			if tt.failure == "" {
				if got := fmt.Sprint(res.Outputs["ids"]); err != nil || got != tt.ids {
					t.Errorf("%s: %s, %v", tt.name, got, err)
				}
				return
			}
			var failed *engine.Error
			if !errors.As(err, &failed) {
				t.Fatalf("%s: %v", tt.name, err)
			}
			if got := failed.Failure.Code + " " + failed.Failure.Outcome + ": " + failed.Failure.Message; !strings.HasPrefix(got, tt.failure) {
				t.Errorf("%s: got %s, want %s", tt.name, got, tt.failure)
			}
		})
	}
}
