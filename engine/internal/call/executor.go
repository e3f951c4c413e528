// Package call makes vendor calls: inputs become a request, the answer becomes
// an outcome and outputs, and credentials are got, injected and renewed on the way.
package call

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/seed627bd532/runner/engine/auth"
	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/clock"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/redact"
	"github.com/seed627bd532/runner/engine/internal/transport"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/state"
)

// A Connection is a vendor at one place, with the credentials for it.
type Connection struct {
	Name   string
	Vendor *catalog.Vendor
	// BaseURL is absolute. Credentials go to its origin only.
	BaseURL *url.URL
	// Config holds the vendor's config, bound: every param is there.
	Config *value.Object
}

// Options say what an Executor works with. Only Connections are needed.
type Options struct {
	Connections map[string]*Connection
	// Client makes the requests; nil means transport.Default(). Its CheckRedirect is not
	// used: which redirects are followed is no matter of taste here.
	Client *http.Client
	// Gate learns every secret before it is used, and masks what is told; nil means a new one.
	Gate *redact.Gate
	// Auth are the ways to get a token; nil means auth.Builtin().
	Auth auth.Kinds
	// Tokens keeps tokens beyond the Executor's life; nil means that they end with it.
	Tokens state.Tokens
	// Locks keep those who share them from logging in at the same time, and from using
	// an exclusive token at the same time; nil means locks of its own.
	Locks state.Locks
	// UserAgent is sent with every request; empty means "runner".
	UserAgent string
	// MaxAnswer bounds how much of an answer is in memory, in bytes, unpacked; 0 means 64 MiB.
	MaxAnswer int64
	// SpoolFrom is the size from which the lists of an answer are kept in a file
	// and handed out row by row; 0 means 4 MiB. MaxSpooled bounds such an answer; 0 means 1 GiB.
	SpoolFrom  int64
	MaxSpooled int64
	// Clock is what tokens, limits and timeouts go by; nil means that of the machine.
	Clock clock.Clock
	// Traffic counts requests against limits, for all who share it; nil means one of its own. It
	// goes by Clock.
	Traffic *transport.Traffic
	// Wire, when not nil, answers the requests in place of Client.
	Wire Wire
	// Answered, when not nil, hears of each answer that shows the vendor behind a connection; its error ends the call.
	Answered func(ctx context.Context, connection string) error
}

// A Wire answers one request. Its errors are those of an http.RoundTripper.
type Wire func(a Asked, r *http.Request) (*http.Response, error)

// Asked says what a request is for.
type Asked struct {
	Connection string
	// Operation is TokenEndpoint for a request that asks a token endpoint.
	Operation string
	Key       flow.Key // of the call, without attempt
}

const defaultMaxAnswer = 64 << 20

// An Executor makes single attempts of calls. It holds the tokens of its
// connections and is safe for concurrent use.
type Executor struct {
	client      *http.Client
	wire        Wire // nil for client
	answered    func(ctx context.Context, connection string) error
	clock       clock.Clock
	traffic     *transport.Traffic
	gate        *redact.Gate
	locks       state.Locks
	connections map[string]*connection
	userAgent   []string // the header of that name
	maxAnswer   int64
	spoolFrom   int64
	maxSpooled  int64
}

var _ flow.Executor = (*Executor)(nil)

// connection is a Connection with its operations prepared and its token.
type connection struct {
	*Connection
	operations map[string]*operation
	keeper     *keeper // nil when the vendor needs no token
	exclusive  string  // names the lock of a token that serves one request at a time; "" for others
	// place is where limits are counted, for the connections there that have one key or one token together.
	place, key string
	// own knows the secrets of its config, and its tokens: those that must not leave its origin.
	own *redact.Gate
	// static stands for the token where the vendor needs none: keys in config.
	static *credential
}

// New returns an Executor for the connections, which must not change afterwards.
func New(o Options) *Executor {
	if o.Client == nil {
		o.Client = transport.Default()
	}
	if o.Gate == nil {
		o.Gate = redact.NewGate()
	}
	if o.Auth == nil {
		o.Auth = auth.Builtin()
	}
	if o.Locks == nil {
		o.Locks = state.NewMemory()
	}
	if o.UserAgent == "" {
		o.UserAgent = "runner"
	}
	if o.MaxAnswer == 0 {
		o.MaxAnswer = defaultMaxAnswer
	}
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if o.Traffic == nil {
		o.Traffic = transport.NewTraffic(o.Clock)
	}
	if o.SpoolFrom == 0 {
		o.SpoolFrom = defaultSpoolFrom
	}
	if o.MaxSpooled == 0 {
		o.MaxSpooled = defaultMaxSpooled
	}
	client := *o.Client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	e := &Executor{
		client:      &client,
		wire:        o.Wire,
		answered:    o.Answered,
		clock:       o.Clock,
		traffic:     o.Traffic,
		gate:        o.Gate,
		locks:       o.Locks,
		connections: make(map[string]*connection, len(o.Connections)),
		userAgent:   []string{o.UserAgent},
		maxAnswer:   o.MaxAnswer,
		spoolFrom:   o.SpoolFrom,
		maxSpooled:  o.MaxSpooled,
	}
	for name, c := range o.Connections {
		e.connections[name] = e.connect(c, o)
	}
	return e
}

func (e *Executor) connect(c *Connection, o Options) *connection {
	prepared := &connection{
		Connection: c,
		operations: make(map[string]*operation, len(c.Vendor.Operations)),
		static:     &credential{},
		place:      c.Vendor.Name + " " + transport.Origin(c.BaseURL),
		key:        tokenKey(c),
		own:        ownGate(c),
	}
	for _, op := range c.Vendor.Operations {
		p := prepare(op)
		p.fixAddress(c.BaseURL)
		prepared.operations[op.Name] = p
	}
	HideConfig(e.gate, c)
	if password, ok := c.BaseURL.User.Password(); ok {
		e.gate.AddNamed(redact.Name("base_url", c.Name), password)
	}
	if t := c.Vendor.Auth.Token; t != nil {
		prepared.keeper = newKeeper(c, o)
		if t.Exclusive {
			prepared.exclusive = exclusiveKey(c)
		}
	} else { // so that the gate knows it from the beginning; what is wrong with it, the first call tells
		prepared.static.injection(e.gate, prepared)
	}
	return prepared
}

// job is one attempt of a call as its parts see it.
type job struct {
	connection *connection
	op         *operation
	inputs     *value.Object
	key        flow.Key // without attempt
	attempt    int
	runID      string
	rows       []flow.RowRef // of a batch, as they are sent
	timeout    time.Duration // beside the operation's own; 0 for no such bound
	ends       time.Time     // when the caller's patience does, waits before sending included; zero for never
	lookFirst  bool          // as in flow.CallRequest
	events     event.Sink    // nil: nobody listens
	// turn is the page of a paged operation that is asked for; nil for others.
	turn *turn
	// urgent requests overtake others that wait for the same limits: those
	// others need the token first, or were here before.
	urgent bool
}

// bound is how long an answer may take; 0 for ever.
func (j *job) bound() time.Duration {
	if j.timeout > 0 && (j.op.Timeout == 0 || j.timeout < j.op.Timeout) {
		return j.timeout
	}
	return j.op.Timeout
}

func (j *job) name() string { return j.connection.Vendor.Name + "." + j.op.Name }

// Do makes one attempt of a call; a listing it reads to its end, and repeats
// the requests of its pages as the operation's retry says. r.Inputs must be bound to the operation's
// params. A token that the vendor no longer accepts is renewed once, and the
// request repeated, within the same attempt, unless r says LookFirst: then an answer of outcome auth
// is returned once there is a new token. An answer of outcome auth says
// that nothing was done, as far as the vendor tells. events may be nil; it is used by one goroutine per
// Do, several at a time when Do is.
func (e *Executor) Do(ctx context.Context, r flow.CallRequest, events event.Sink) (flow.Result, error) {
	c := e.connections[r.Connection]
	if c == nil {
		return flow.Result{}, fmt.Errorf("no connection %q", r.Connection)
	}
	op := c.operations[r.Operation]
	if op == nil {
		return flow.Result{}, fmt.Errorf("vendor %s has no operation %q", c.Vendor.Name, r.Operation)
	}
	j := &job{connection: c, op: op, inputs: r.Inputs, key: r.Recorded(), attempt: r.Attempt(), runID: r.RunID, rows: r.Rows,
		timeout: r.Timeout, lookFirst: r.LookFirst, events: events}
	if r.Timeout > 0 {
		j.ends = e.clock.Now().Add(r.Timeout)
	}
	e.hideInputs(j)
	if op.Batch != nil && j.rows == nil {
		var err error
		if j.rows, err = op.BatchRows(r.Inputs); err != nil {
			return e.unsendable(j, err), nil
		}
	}
	read := e.once
	if op.Paging != nil {
		read = e.readListing
	}
	res, err := read(ctx, j)
	if errors.Is(err, errOutOfTime) && ctx.Err() == nil {
		return flow.Result{Outcome: flow.Busy, Code: timedOut,
			Message: fmt.Sprintf("not sent: it waited %v for a token, or for its turn under the limits", r.Timeout)}, nil
	}
	return res, err
}

// errOutOfTime ends a wait that comes before a request is sent.
var errOutOfTime = errors.New("the time for the call has ended")

// waiting returns a context for such a wait, which ends with the caller's patience.
func (e *Executor) waiting(ctx context.Context, j *job) (context.Context, context.CancelFunc) {
	if j.ends.IsZero() {
		return ctx, func() {}
	}
	return clock.WithTimeout(ctx, e.clock, max(0, j.ends.Sub(e.clock.Now())), errOutOfTime)
}

// once makes the job's request, with what authorises it.
func (e *Executor) once(ctx context.Context, j *job) (flow.Result, error) {
	if j.op.NoAuth || j.connection.keeper == nil {
		return e.doPlain(ctx, j)
	}
	if j.connection.exclusive != "" {
		return e.doExclusively(ctx, j)
	}
	return e.doWithToken(ctx, j)
}

// doPlain makes a call that no token can help.
func (e *Executor) doPlain(ctx context.Context, j *job) (flow.Result, error) {
	res, err := e.attempt(ctx, j, j.connection.static)
	if err == nil && res.Outcome == flow.Auth {
		// Config does not change while the Executor lives: nobody else will fare better.
		refused(&res, j, !j.op.NoAuth)
	}
	return res, err
}

// maxTokens is how many tokens one request may see end while it waits for its
// turn. Then it is sent with the last one, for the vendor to judge.
const maxTokens = 8

// turn gets a token and waits for the request's turn. The wait may be longer than
// the token lives; then there is another, and the login takes the turn. The
// pass is to be used unless there is a failure or an error, which is that of ctx.
func (e *Executor) turn(ctx context.Context, j *job) (*credential, transport.Pass, *loginFailure, error) {
	k := j.connection.keeper
	waiting, stop := e.waiting(ctx, j)
	defer stop()
	for n := 1; ; n++ {
		token, failure, err := k.token(waiting, nil, e.login(j))
		if err != nil {
			return nil, transport.Pass{}, nil, fmt.Errorf("%s: %w", j.name(), err)
		}
		if failure != nil {
			return nil, transport.Pass{}, failure, nil
		}
		pass, err := e.wait(ctx, j, token)
		if err != nil {
			return nil, pass, nil, err
		}
		j.urgent = true
		if n == maxTokens || !k.ended(token) {
			return token, pass, nil, nil
		}
		pass.Return()
	}
}

// maxRenewals is how many new tokens one call may see refused. Where no token has let anybody in yet, the
// first new one is the last: then another user who ends our sessions is not the reason.
const maxRenewals = 4

// doWithToken makes a call under the connection's token.
func (e *Executor) doWithToken(ctx context.Context, j *job) (flow.Result, error) {
	k := j.connection.keeper
	token, pass, failure, err := e.turn(ctx, j)
	switch {
	case err != nil:
		return flow.Result{}, err
	case failure != nil:
		return failure.result(j), nil
	}
	first, err := e.sendInTurn(ctx, j, token, pass)
	if err == nil && first.Outcome == flow.Denied && e.tokenEnded(ctx, j, token) {
		first.Outcome = flow.Auth
	}
	k.heard(first)
	if err != nil || first.Outcome != flow.Auth {
		return first, err
	}
	if k.fixed {
		refused(&first, j, true) // there is no other token
		return first, nil
	}
	for n := 1; ; n++ {
		waiting, stop := e.waiting(ctx, j)
		token, failure, err = k.token(waiting, token, e.login(j))
		stop()
		switch {
		case j.lookFirst: // whoever looks finds out, too, why there is no token
			return first, nil
		case errors.Is(err, errOutOfTime):
			return unrenewed(first, flow.Result{Outcome: flow.Busy, Code: timedOut, Message: "no time was left to renew the token"}), nil
		case err != nil || failure != nil:
			return unrenewed(first, failure.result(j)), nil
		}
		res, err := e.attempt(ctx, j, token)
		if err == nil && res.Outcome == flow.Denied && n < maxRenewals && k.accepted.Load() && e.tokenEnded(ctx, j, token) {
			res.Outcome = flow.Auth
		}
		k.heard(res)
		switch {
		case err != nil:
			return unrenewed(first, flow.Result{}), nil
		case res.Outcome != flow.Auth:
			return res, nil
		case n == maxRenewals || !k.accepted.Load():
			refused(&res, j, true)
			res.Hint = fmt.Sprintf("the login succeeded, and %s accepts no request after it: does somebody else log in as the user of connection %q? Or check auth.inject",
				j.connection.Vendor.Name, j.connection.Name)
			return res, nil
		}
		// It has ended since, or somebody else's login has ended it.
	}
}

// unrenewed is the result of a call that was sent, refused for its token, and
// could not be repeated: res says why, or is zero when the run was stopped
// meanwhile. Nothing was done, and that must not be lost.
func unrenewed(first, res flow.Result) flow.Result {
	if res.Outcome == "" {
		res = flow.Result{Outcome: flow.Busy, Code: "interrupted", Message: "the run was stopped while the token was renewed"}
	}
	res.Status, res.Sent, res.At, res.Endpoint = first.Status, true, first.At, first.Endpoint
	return res
}

// refused marks an answer of outcome auth that no renewal will mend.
func refused(res *flow.Result, j *job, fatal bool) {
	res.Fatal = fatal
	res.Code = "not-accepted"
	if fatal {
		res.Hint = fmt.Sprintf("%s does not accept the credentials of connection %q", j.connection.Vendor.Name, j.connection.Name)
	}
}
