package engine

import (
	"context"
	"iter"
	"net/http"
	"time"

	"github.com/seed627bd532/runner/engine/auth"
	"github.com/seed627bd532/runner/engine/event"
)

// Options says what an engine may use of the world. The zero value works for
// pipelines that call no vendor.
type Options struct {
	// Paths are the files and folders to load, with all that they reach; nil
	// means everything below specs/ and pipelines/.
	Paths []string
	// Connections says where vendors are, by the names that pipelines use.
	// ReadConnections reads them from a file.
	Connections map[string]Connection
	// Client makes the requests; nil means one that is tuned for many calls to
	// few hosts. Redirects are handled by the engine.
	Client *http.Client
	// Auth are further ways to get a token, beside auth.Builtin().
	Auth auth.Kinds
	// Events hears what every run does, masked; nil means that nobody listens.
	// Runs that go on side by side share it, so it must be safe for concurrent
	// use then; the events of one run come one at a time.
	Events event.Sink
}

// A Connection is a vendor at one place, with the credentials for it.
type Connection struct {
	// Vendor is the name of a vendor file.
	Vendor string
	// BaseURL is the vendor's root, http or https.
	BaseURL string
	// Config is what the vendor file asks for under config.
	Config map[string]any

	late *lateConnection // from a file: evaluated when a run needs it
}

// A Request asks for one run of a pipeline.
type Request struct {
	// Pipeline is the path of a loaded pipeline, such as
	// "pipelines/intcomex/ensure_company.yaml".
	Pipeline string
	// Inputs are the pipeline's inputs as Go values: anything that
	// encoding/json can marshal, numbers best as int64 or json.Number. A list input may be a file
	// (see File) or a sequence: iter.Seq[any], or iter.Seq2[any, error], whose error
	// belongs to the row.
	Inputs map[string]any
	// InputTexts are inputs as text, read by the type of each: "5", "true",
	// "a;b" for a list, JSON for objects. An input may be in one of the two maps only.
	InputTexts map[string]string
	// OutDir is the folder below which outputs with a file are written; ""
	// means that no files are written, and that such outputs are in
	// Result.Outputs as lists.
	OutDir string
	// Timeout ends the run as failed after this time; 0 means never.
	Timeout time.Duration
	// Rows hears of every row of the pipeline's own foreach steps as soon as it
	// ends, one at a time; nil for nobody.
	Rows func(Row)
}

// File stands for an input that is read from a file: rows for a list (.csv,
// .json, .jsonl), one JSON value for an object, the text itself otherwise. The path is relative to the
// working directory.
type File string

// A Row is one row of a foreach that ended.
type Row struct {
	// Step is the id of the foreach step, Key the row's key.
	Step, Key string
	// Status is "done", "failed", "ambiguous" or "skipped".
	Status string
	// Outputs are the row's outputs; nil unless done.
	Outputs map[string]any
	// Error is why the row is not done; "" when it is.
	Error string
}

// Stream runs the pipeline and yields the rows of its foreach steps as they
// end. A run that fails yields its error last. Leaving the loop interrupts the run.
func (p *Program) Stream(ctx context.Context, r Request) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		rows := make(chan Row)
		ended := make(chan error, 1)
		hear := r.Rows
		r.Rows = func(row Row) {
			if hear != nil {
				hear(row)
			}
			select {
			case rows <- row:
			case <-ctx.Done():
			}
		}
		go func() {
			_, err := p.Run(ctx, r)
			ended <- err
			close(rows)
		}()
		for row := range rows {
			if !yield(row, nil) {
				cancel()
				for range rows { // until the run has ended
				}
				return
			}
		}
		if err := <-ended; err != nil {
			yield(Row{}, err)
		}
	}
}
