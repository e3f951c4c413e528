// Package flow is the seam between the interpreter, which walks a pipeline, and
// the runtimes, which make its calls happen and remember them.
package flow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// A Key names one call of a run for good: step ids, row keys and the attempt,
// such as "each[PT507172230]/create#2". It does not depend on the order of
// execution, so that a resumed run finds what the first one did.
type Key string

// Step returns the key of a step below k.
func (k Key) Step(id string) Key {
	if k == "" {
		return Key(id)
	}
	return k + "/" + Key(id)
}

// Row returns the key of a foreach row of step k. Characters that keys are made
// of are escaped, so that no row key can look like a step below another row.
func (k Key) Row(row string) Key { return k + "[" + Key(rowEscapes.Replace(row)) + "]" }

var rowEscapes = strings.NewReplacer("%", "%25", "[", "%5B", "]", "%5D", "/", "%2F")

// Attempt returns the key of the n-th attempt, counted from 1; the first has no suffix.
func (k Key) Attempt(n int) Key {
	if n == 1 {
		return k
	}
	return Key(fmt.Sprintf("%s#%d", k, n))
}

// Outcome classifies an answer. The set is closed.
type Outcome string

// The outcomes.
const (
	OK        Outcome = "ok"
	Empty     Outcome = "empty"
	Auth      Outcome = "auth"
	Throttled Outcome = "throttled"
	Busy      Outcome = "busy"
	Invalid   Outcome = "invalid"
	Denied    Outcome = "denied"
	NotFound  Outcome = "not_found"
	Conflict  Outcome = "conflict"
	Unknown   Outcome = "unknown"
)

// Failures are the outcomes that are no success.
func Failures() []Outcome {
	return []Outcome{Auth, Throttled, Busy, Invalid, Denied, NotFound, Conflict, Unknown}
}

// Success reports whether the call did what was asked.
func (o Outcome) Success() bool { return o == OK || o == Empty }

// Effect says what repeating an operation does.
type Effect string

// The effects.
const (
	Read       Effect = "read"
	Idempotent Effect = "idempotent"
	Create     Effect = "create"
)

// A CallRequest asks for one attempt of one vendor operation.
type CallRequest struct {
	Key        Key
	Connection string // the pipeline's name of the connection
	Operation  string
	Inputs     *value.Object
	Effect     Effect
	// Identity is what must not be created twice, as a canonical text; "" for
	// other effects and for creates without natural identity.
	Identity string
	// RunID and CallKey make call.key: CallKey is Key without attempt.
	RunID   string
	CallKey Key
	// Timeout bounds the attempt beside the operation's own; 0 for no such bound.
	Timeout time.Duration
	// Rows are the rows of a batch operation, in the order they are sent; nil
	// for other operations. Identity is "" then.
	Rows []RowRef
	// RowsOf is the input that lists them, in the same order; "" without Rows.
	RowsOf string
	// Reach is how long before the run's begin a create counts as one that the run may not have
	// seen: the vendor may show it that late. 0 where the vendor shows at once what it did.
	Reach time.Duration
	// SecretOutputs names the outputs that are secret, or hold something secret:
	// nothing may write them down.
	SecretOutputs []string
	// SecretInputs names such inputs.
	SecretInputs []string
	// Fresh calls ask for what is true now: they are neither recorded nor answered from a record.
	Fresh bool
	// LookFirst says that there is a look-up for the create, which comes before it is sent again: the
	// executor does not repeat it after an ended login.
	LookFirst bool
}

// Attempt returns which attempt of the call this is, from 1.
func (r CallRequest) Attempt() int {
	if tail, ok := strings.CutPrefix(string(r.Key), string(r.CallKey)+"#"); ok && r.CallKey != "" {
		if n, err := strconv.Atoi(tail); err == nil && n > 0 {
			return n
		}
	}
	return 1
}

// Recorded returns the key under which a runtime remembers the call: all of its
// attempts are one.
func (r CallRequest) Recorded() Key {
	if r.CallKey == "" {
		return r.Key
	}
	return r.CallKey
}

// RowKey returns the key under which a runtime remembers one row of a batch.
func (r CallRequest) RowKey(row string) Key { return r.Recorded().Step("rows").Row(row) }

// CodeUnsettled marks a create that was held back or lost because it is not
// known whether an earlier one of the same identity took place.
const CodeUnsettled = "unsettled-create"

// CodeRefused marks the unknown outcome of a create that the vendor refused for now after it was sent: a
// 503 that says when to come again, or such a refusal where no look-up told whether it was done.
const CodeRefused = "refused-after-sending"

// CodePartlyDone marks the answer to a batch that says that some of its rows were
// not done, and not which.
const CodePartlyDone = "partly-done"

// CodeNotCounted marks the answer to a batch that should say how many of its
// rows were done, and does not.
const CodeNotCounted = "not-counted"

// A RowRef names one row of a batch.
type RowRef struct {
	// Key is the row's identity as people read it, or its number.
	Key string
	// Identity is what must not be created twice, as CallRequest.Identity is; "" for none.
	Identity string
}

// A RowResult is how one row of a batch ended.
type RowResult struct {
	Key    string
	Status ItemStatus
	// Message holds the vendor's words on the row; "" when it is done.
	Message string
	// Reused says that the row is done, and that no request of this batch did it.
	Reused bool
}

// A Result is a call's answer. A vendor's refusal is a Result, not an error.
// Results go through the journal: they hold plain values only.
type Result struct {
	Outcome Outcome
	// Status is the HTTP status, 0 when there was no answer.
	Status int
	// Message holds the vendor's own words, or what went wrong on the way; "" on success.
	Message string
	// Hint says what to do about Message, where something is known.
	Hint string
	// Code is a stable word for a failure beyond the outcome, such as "login-failed",
	// "contract-broken", "timeout"; usually "".
	Code string
	// Outputs are the mapped outputs, secret ones included; every declared
	// output is there on success (null where the vendor gave none).
	Outputs *value.Object
	// Body is the decoded answer of a failed call, for handlers; nil otherwise.
	Body value.Value
	// Sent says that the request may have reached the vendor.
	Sent bool
	// RetryAfter is what the vendor asked to wait; 0 when it did not say.
	RetryAfter time.Duration
	// Fatal ends the run whatever on_error says: the login failed for good.
	Fatal bool
	// Replayed says that this is the record of what the run did before it was
	// taken up again. It is not recorded itself.
	Replayed bool
	// Reused says that nothing was sent, since this create was done since the run began.
	Reused bool
	// Reconciled says that no answer told of a create, and that it was found when it was looked for.
	Reconciled bool
	// Resent says that a create was sent once more after it was looked for in vain.
	Resent bool
	// Again is the key of the attempt by which a Settle wants the create to be sent once more,
	// since nothing came of it; "" in all other results. Of a batch whose Rows are told with it,
	// those without Status are sent.
	Again Key
	// Exhausted says that the executor has repeated what failed as often as the
	// operation lets it, as it does with the pages of a listing: the call is not
	// made again.
	Exhausted bool
	// Rows are the rows of a batch that was answered, in the order of the request;
	// nil for other operations, and where the call as a whole had no success.
	Rows []RowResult
	// Apart tells of the rows of a batch that were kept out of what was sent, each at the place of its
	// row: done since the run began, left open by another run, the same as a row before it; of a later
	// request of the same call, also what became of the rows of earlier ones. Those
	// that were sent have no Status here. nil where all were sent.
	Apart []RowResult
	// Down says of a batch that the vendor did not answer for it, and that rows of it stayed open
	// or were not done when they were looked for.
	Down bool
	// At is when the request was sent; Endpoint is its method and URL, secrets masked. Both
	// serve the account of an ambiguous call.
	At       time.Time
	Endpoint string
}

// Repeatable says whether a call of this effect may be sent again after r.
func (r Result) Repeatable(effect Effect) bool {
	if r.Exhausted {
		return false
	}
	switch r.Outcome {
	case Throttled, Busy: // the vendor has not done it
		return !r.Fatal
	case Unknown: // perhaps it has
		return effect != Create
	}
	return false
}

// Unsettled reports whether r leaves open what became of a create, or of some
// rows of a batch. A row that was refused counts: it may be there all the same.
func (r Result) Unsettled() bool {
	return r.Outcome == Unknown && r.Sent ||
		slices.ContainsFunc(r.Rows, func(row RowResult) bool { return row.Status != Done })
}

// Refused reports whether the vendor refused for now what had been sent: too many requests, an
// ended login. It may have been done all the same.
func (r Result) Refused() bool {
	switch r.Outcome {
	case Throttled, Busy, Auth:
		return r.Sent
	case Unknown:
		return r.Sent && r.Code == CodeRefused
	}
	return false
}

// Whole returns r, as it is known of the rows that were sent, with the rows apart among them.
func (r Result) Whole() Result {
	if r.Rows != nil {
		r.Rows = r.Among(r.Rows)
	}
	return r
}

// Among puts the rows apart among those that were sent.
func (r Result) Among(sent []RowResult) []RowResult {
	if len(sent) == len(r.Apart) || r.Apart == nil {
		return sent
	}
	all := slices.Clone(r.Apart)
	for i := range all {
		if all[i].Status == "" {
			all[i], sent = sent[0], sent[1:]
		}
	}
	return all
}

// HeldBack reports whether rows of a batch were not sent, since another run left them open.
func (r Result) HeldBack() bool {
	return r.Outcome.Success() && slices.ContainsFunc(r.Apart, func(row RowResult) bool { return row.Status == Ambiguous })
}

// A Settle finds out what became of a create whose answer, lost, leaves it
// open. sent is what was sent: of a batch, the rows that were. Its calls are Fresh, and it is never asked by two at once for one
// identity. A lost that is Reused is a create that another run did shortly before this one began, and that this one does
// not see: the vendor shows it late, or it is gone. It returns what is known then: lost itself, with better words, where nothing is. Again is set
// where it is surely not there, and may be sent once more.
type Settle func(rt Runtime, sent CallRequest, lost Result) (Result, error)

// An Executor makes one attempt of a call: token, request, answer, outcome,
// outputs. A listing is one call of many requests, and only those that fail are repeated. It is shared by all runtimes and safe for concurrent use.
type Executor interface {
	// Do returns an error only when ctx ended before the request was sent (of a
	// listing: that of the next page), or when the engine itself failed; everything a vendor or the network does is a Result.
	// events may be nil, when nobody listens.
	Do(ctx context.Context, r CallRequest, events event.Sink) (Result, error)
}

// Runtime is all that the interpreter may ask of the world. A Runtime serves
// one goroutine; Each gives every row its own.
type Runtime interface {
	// Call performs one attempt of a call. A success is recorded under CallKey, and returned again
	// when the run is resumed, whatever attempt asks for it; a failure is not, so that a resumed run tries anew.
	// What holds rows or secret outputs is not recorded either.
	Call(CallRequest) (Result, error)
	// Create is Call for creates, which must not happen twice. It works under the locks of
	// the request's identities, for which it waits no longer than the request's Timeout. A
	// create that was done since the run began is not sent again, nor one that some run has sent
	// without learning what became of it; of a batch, such rows alone are Apart. What its own run
	// sent and never learned is settled, as is a result that is Unsettled: by settle, under the same
	// locks; nil where nobody can tell. Rows of a batch that were absent, or are not held back any more,
	// are sent after that; a batch that was sent with other rows is refused.
	Create(r CallRequest, settle Settle) (Result, error)
	// Record makes a result the one that Call and Create return from now on, also in a
	// resumed run. So are failures recorded that the program acts upon.
	Record(CallRequest, Result) error
	// Recorded returns what was recorded under this CallKey, and whether anything was.
	Recorded(Key) (Result, bool, error)
	// Sleep waits; the absolute deadline is recorded, except under the key "".
	Sleep(Key, time.Duration) error
	// Now returns the time, recorded except under the key "".
	Now(Key) (time.Time, error)
	// Each runs body for every row. The runtime owns concurrency, the order of
	// rows with one key, and when to stop.
	Each(Key, Rows, EachPolicy, Body) (Outcomes, error)
	// Cleanup runs f although the run was cancelled, to take back what the run did
	// because of why. That this has begun is recorded before, and survives a power cut.
	Cleanup(why Result, f func(Runtime) error) error
	// CleaningUp returns why the run has begun to clean up, and whether it has: a resumed
	// run goes on with that, and with nothing else.
	CleaningUp() (why Result, begun bool, err error)
	// Emit tells what happens. Not recorded.
	Emit(event.Event)
	// Heard reports whether anybody hears of it: what nobody hears need not be put together.
	Heard() bool
	// Interrupted returns why the run must stop now, or nil.
	Interrupted() error
}

// A Row is one element of a foreach.
type Row struct {
	Index int    // from 0
	Key   string // unique within the foreach ("KEY", "KEY#2"), shown to people
	// Group is the key before "#2": rows of one group run one after another, in order.
	Group string
	Value value.Value
	// Err is set for a row that was refused before it ran; Value may be partial.
	Err error
}

// Rows yields rows in order. The error of a pair means that the source itself
// broke; it ends the foreach.
type Rows func(yield func(Row, error) bool)

// EachPolicy says how a foreach runs.
type EachPolicy struct {
	Parallel int // at least 1
	// Collect records failed rows and goes on; otherwise no new row starts after a failure.
	Collect bool
	// Breaker ends a foreach that collects after so many rows in a row that were Down: the others
	// are skipped. 0 means never.
	Breaker int
}

// A Body is what a foreach does with a row.
type Body struct {
	// Pipeline and Step say where the body stands, so that it can be found
	// again on another machine; Capture holds what it reads from around it.
	Pipeline string
	Step     string
	Capture  value.Value
	// Secret says that the outputs of a row are secret, or hold something secret.
	Secret bool
	// Run executes it here.
	Run func(rt Runtime, row Row) Item
}

// ItemStatus is how a row ended.
type ItemStatus string

// The row statuses.
const (
	Done      ItemStatus = "done"
	Failed    ItemStatus = "failed"
	Ambiguous ItemStatus = "ambiguous"
	Skipped   ItemStatus = "skipped"
)

// An Item is the outcome of one row.
type Item struct {
	Index   int
	Key     string
	Status  ItemStatus
	Outputs *value.Object // nil unless done
	Err     error         // nil when done
	// Rows are how the rows of a batch ended, where the body is a call of a
	// batch operation; nil otherwise, and for a batch that was not begun.
	Rows []RowResult
	// Replayed says that the row was done before the run was taken up again.
	Replayed bool
	// Stop ends the foreach although it collects: a login that failed for good, an interrupt.
	Stop bool
	// Down says that the row failed since the vendor was not there, or did not answer.
	Down bool
	// Doubtful says that the row has read what a resumed run reads again, so that no record stands for it.
	Doubtful bool
	// Undo are the calls that take back what the row did, in the order it was done.
	Undo []Undo
	// Tally counts the rows below this one, of a foreach inside the row, that
	// did not end well.
	Tally Tally
}

// An Undo is a call that takes back what a step did, if the run fails.
type Undo struct {
	Key        Key
	Connection string
	Operation  string
	Inputs     *value.Object
	// Secret says that Inputs hold something secret, so that nothing may write them down.
	Secret bool
	// Create is the key of the create that it takes back; "" where it is none.
	Create Key
}

// A Tally counts rows that did not end well although the run went on.
type Tally struct{ Failed, Ambiguous int }

// Add adds the counts of another tally.
func (t *Tally) Add(u Tally) {
	t.Failed += u.Failed
	t.Ambiguous += u.Ambiguous
}

// Outcomes are the rows of a foreach that ended, in row order.
type Outcomes struct {
	Items []Item
	// Err is the first failure by row index when the policy does not collect,
	// or the reason why the foreach was stopped.
	Err error
}

// ErrTimeout is the cause with which a run is stopped that took longer than it may. Nobody
// interrupted it: it has failed, so that it is undone if its pipeline wants that.
var ErrTimeout = errors.New("the run took longer than its timeout allows")

// A ResumeCommand returns the command that takes a run up again, for people to whom --settle
// is to be told; "" where nothing can. nil stands for the plain command.
type ResumeCommand func(run string) string

// Of returns the command for a run.
func (c ResumeCommand) Of(run string) string {
	if c == nil {
		return "runner resume " + run
	}
	return c(run)
}

// A StateError is a fault of what remembers runs: a disk that is full, a database that went away.
type StateError struct {
	What string // could not be done
	Err  error
}

func (e *StateError) Error() string { return e.What + ": " + e.Err.Error() }

func (e *StateError) Unwrap() error { return e.Err }
