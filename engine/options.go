package engine

import (
	"net/http"
	"time"

	"github.com/seed627bd532/runner/engine/auth"
	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/state"
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
	// Client makes the requests of all runs; nil means one for many calls to few hosts. The engine handles redirects.
	Client *http.Client
	// Auth are further ways to get a token, beside auth.Builtin().
	Auth auth.Kinds
	// Tokens keep the tokens that vendors gave, for later runs; nil means that each run logs in for
	// itself. state.NewMemory() keeps them as long as the process lives, files.New beyond that.
	Tokens state.Tokens
	// Locks keep runs that share them from logging in, and from using an exclusive token, at the same
	// time; nil means those of State. files.New has locks of all processes of a machine.
	Locks state.Locks
	// Machine are locks that runs with different States share: of two creates of one identity by one operation at one base
	// URL, one waits for the other under them. nil means Locks, where these are given, and else that no other
	// State is known of. A create goes on with a warning where they cannot be taken.
	Machine state.Locks
	// State remembers runs and what they did, so that one that was cut off can be
	// taken up again and nothing is made twice; nil means a memory of the Program's own: of the
	// runs that have stopped without open creates it keeps some hundred, the newest, and a thousand of those with a Key. It belongs to one environment: it refuses connections that lead elsewhere than those before.
	State state.Store
	// Events hears what every run does, masked; nil means that nobody listens. Runs that go on side by
	// side share it, so it must be safe for concurrent use then; the events of one run come one at a time.
	Events event.Sink
	// ResumeCommand returns the command that takes a run up again, for the accounts of creates that
	// a person has to settle; "" where there is none. nil stands for "runner resume ID".
	ResumeCommand func(run string) string
}

// A Request asks for one run of a pipeline.
type Request struct {
	// Pipeline is the path of a loaded pipeline, such as
	// "pipelines/intcomex/ensure_company.yaml".
	Pipeline string
	// Inputs are the pipeline's inputs as Go values: anything that encoding/json
	// can marshal, numbers best as int64 or json.Number. A list input may be a File
	// or a sequence of any element type T: a func(yield func(T) bool), which iter.Seq[T] is, or
	// a func(yield func(T, error) bool), whose error belongs to the row. An optional input that is nil counts as not given.
	Inputs map[string]any
	// InputTexts are inputs as text, read by the type of each: "5", "true",
	// "a;b" for a list, JSON for objects. An input may be in one of the two maps only.
	InputTexts map[string]string
	// Key names the run, so that a second start with it is the same run: it takes the
	// run up where it stopped, is refused while the run goes on, and of one that is done
	// (Succeeded or Partial) gives the recorded outputs and sends nothing. "" for none.
	Key string
	// Moved says that a connection's base URL is another than the state remembers
	// because the vendor has moved; it is remembered anew.
	Moved bool
	// OutDir is the folder below which outputs with a file are written; ""
	// means that no files are written, and that such outputs are in
	// Result.Outputs as lists.
	OutDir string
	// Timeout ends the run as failed after this time; 0 or less means never.
	Timeout time.Duration
	// Rows hears of every row of the pipeline's own foreach steps as soon as it
	// ends, one at a time; nil for nobody.
	Rows func(Row)
}

// A ResumeRequest asks for a run to be taken up again.
type ResumeRequest struct {
	// Inputs and InputTexts are those that no state records: secret ones, and rows that came
	// from a sequence. Others are there already; a file may be named anew where it has moved.
	Inputs     map[string]any
	InputTexts map[string]string
	// AcceptChanges goes on although files of the project, or of inputs, are not what
	// they were. The run tells what has changed. Steps that are done stay done.
	AcceptChanges bool
	// Settle says of ambiguous creates what a person found at the vendor, by the
	// keys that the account of the failure names.
	Settle map[string]Settlement
	// OutDir replaces the folder that the run was started with; nil keeps it.
	OutDir *string
	// Moved, Timeout and Rows are those of a Request. Rows hears again of the rows
	// that were done before.
	Moved   bool
	Timeout time.Duration
	Rows    func(Row)
}

// A Settlement is what a person found out about a create.
type Settlement struct {
	// Done says that it took place. Otherwise it did not, and may be sent again.
	Done bool
	// Outputs are the outputs of the operation then, by name.
	Outputs map[string]any
}

// File stands for an input that is read from a file: rows for a list (.csv, .json,
// .jsonl); else one JSON value (.json), or the text itself, read by the type of
// the input. The path is relative to the working directory.
type File string

// A Row is one row of a foreach that ended.
type Row struct {
	// Step is the id of the foreach step, Key the row's key.
	Step, Key string
	// Status is "done", "failed", "ambiguous" or "skipped".
	Status string
	// Outputs are the row's outputs without the secret ones; nil unless done.
	Outputs map[string]any
	// Error is why the row is not done; "" when it is.
	Error string
}
