package session

import (
	"net/http"
	"time"

	"github.com/seed627bd532/runner/engine/auth"
	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/call"
	"github.com/seed627bd532/runner/engine/internal/clock"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/project"
	"github.com/seed627bd532/runner/engine/internal/redact"
	"github.com/seed627bd532/runner/engine/internal/transport"
	"github.com/seed627bd532/runner/engine/state"
)

// A World is what all runs of a program work with. It does not change, and any
// number of runs may use it side by side.
type World struct {
	Project *project.Project
	// Warnings are those of the files; every run tells them.
	Warnings diag.List
	// Connections are those that a caller gave, by name.
	Connections map[string]Connection
	Client      *http.Client
	// Auth are ways to get a token beside those built in.
	Auth auth.Kinds
	// Tokens keep tokens beyond a run; nil means that they end with it.
	Tokens state.Tokens
	// Locks keep runs that share them from logging in at the same time, and from
	// using an exclusive token at the same time.
	Locks state.Locks
	// Machine are locks under which runs with different states do not create the same at the same time;
	// nil for none.
	Machine state.Locks
	// Traffic counts the requests of all runs against the limits of vendors; nil means that each run counts
	// its own.
	Traffic *transport.Traffic
	// State remembers runs and what they did.
	State state.Store
	// Resume is the command by which people take a run up again.
	ResumeCommand flow.ResumeCommand
	// Events gets the events, masked; nil drops them.
	Events event.Sink
	// Stage is what a test has in place of the network and the clock; nil for runs.
	Stage *Stage
}

// A Stage is what a run stands on that is only tested. Such a run does one thing
// after the other, so that it does the same each time.
type Stage struct {
	Clock clock.Clock
	Wire  call.Wire
	// Gate is the run's own, so that what is told of it later can be masked too.
	Gate *redact.Gate
	// RunID is the id of the run, which goes into requests.
	RunID string
}

// clock returns the time that runs go by.
func (w *World) clock() clock.Clock {
	if w.Stage != nil {
		return w.Stage.Clock
	}
	return clock.System{}
}

// An Order says how a run is to be made.
type Order struct {
	// Key names the run for its starter; "" for none.
	Key string
	// Given are the inputs; of a run that is taken up again those that were not recorded.
	Given Given
	// OutDir is the folder below which files are written; nil means none for a new
	// run, and that of before for one that is taken up again.
	OutDir *string
	// Timeout ends the run as failed; 0 means never.
	Timeout time.Duration
	// Rows hears of every row of the pipeline's own foreach steps as it ends, one
	// at a time; nil for nobody.
	Rows func(Row)
	// Moved says that vendors whose base URL is another than the state knows are
	// the same ones at a new place.
	Moved bool
	// AcceptChanges takes a run up although its files have changed.
	AcceptChanges bool
	// Settle says of creates whose end is not known what a person found, by key.
	Settle map[string]Settlement
}

// A Row is one row of a foreach that ended, without secrets, as Go values.
type Row struct {
	Step, Key, Status string
	Outputs           map[string]any // nil unless done
	Error             string         // "" when it is done
}

// A Settlement is what a person found out about a create.
type Settlement struct {
	// Done says that it took place.
	Done bool
	// Outputs are what the call gives then, as Go values.
	Outputs map[string]any
}
