package call

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/clock"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/page"
)

// What ends a listing that has no end, in Result.Code.
const (
	pageRepeated = "page-repeated"
	tooManyPages = "too-many-pages"
)

// A turn is one page of a listing: which it is, and what its answer says.
type turn struct {
	n  int // from 1
	at page.Page
	// before is what came of the page before this one; nil for the first.
	before *seen
	seen
}

// seen is what came of a turn.
type seen struct {
	// address is where the page was.
	address *url.URL
	// elements is how many elements the vendor put on the page: an output may take fewer of them.
	elements int
	// next is what the answer says of the next page, and last that there is none.
	next string
	last bool
	// digest tells the answer from others, and equal counts the answers right before it that were the same.
	digest [sha256.Size]byte
	equal  int
	// spool holds the rows of a large page; nil for others.
	spool *spool
}

// firstTurn returns the turn of an operation's first page; nil when it is not paged.
func firstTurn(op *catalog.Operation) *turn {
	if op.Paging == nil {
		return nil
	}
	return &turn{n: 1, at: op.Paging.First}
}

// readListing reads page after page, and returns the result of the first one
// with the elements of all in it. A page that fails is repeated as the
// operation's retry says; what was read before it stays. Its own timeout
// holds for each page, that of the caller for all of them.
func (e *Executor) readListing(ctx context.Context, j *job) (flow.Result, error) {
	p := j.op.Paging
	all := e.newListing(j.op)
	defer all.discard()
	var ends time.Time
	if j.timeout > 0 {
		ends = e.clock.Now().Add(j.timeout)
	}
	var first flow.Result
	asked := map[string]int{} // by cursor or address, the page that named it
	for j.turn = firstTurn(j.op.Operation); ; {
		t := j.turn
		res, err := e.patiently(ctx, j, ends)
		switch {
		case err != nil:
			return res, err
		case !res.Outcome.Success():
			return e.ofPage(res, t), nil
		case t.n == 1:
			first = res
		}
		items := res.Outputs.At(p.Items)
		if items == nil { // only of outcome empty
			items = value.List{}
			res.Outputs.Set(p.Items, items)
		}
		next := t.following(p, res.Outcome)
		if next == nil && t.n == 1 {
			return res, nil
		}
		err = all.add(items)
		t.letGo()
		switch {
		case err != nil:
			return e.ofPage(e.ungathered(res, err), t), nil
		case next == nil:
			return e.gathered(first, res, j, all), nil
		case t.equal >= maxEqual:
			return e.unheeded(res, j), nil
		case t.next != "" && asked[t.place(p)] > 0:
			return e.repeated(res, j, asked[t.place(p)]), nil
		case t.n == p.MaxPages:
			return e.endless(res, j), nil
		}
		asked[t.place(p)] = t.n
		j.turn = next
	}
}

// maxEqual is how many answers in a row may be the same as the one before them, where pages are
// counted: two pages may well have equal rows.
const maxEqual = 2

// following returns the page after t; nil when t was the last.
func (t *turn) following(p *catalog.Paging, outcome flow.Outcome) *turn {
	if outcome == flow.Empty || t.last || t.elements == 0 && t.endsEmpty(p) {
		return nil
	}
	at, more := p.Kind.Next(t.at, page.Answer{Items: t.elements, Next: t.next})
	if !more {
		return nil
	}
	before := t.seen // a copy, lest each page keeps all before it in memory
	return &turn{n: t.n + 1, at: at, before: &before}
}

// endsEmpty reports whether the listing ends with t, which has no elements: stop may say that more
// pages follow. It is believed once of a page that is counted.
func (t *turn) endsEmpty(p *catalog.Paging) bool {
	return p.Stop == nil || !p.Kind.Follows() && t.before != nil && t.before.elements == 0
}

// place tells the page that the answer names from others: its cursor, or its whole address.
func (t *turn) place(p *catalog.Paging) string {
	if p.Kind.Variable() == "" {
		if u, err := t.address.Parse(t.next); err == nil {
			return u.String()
		}
	}
	return t.next
}

// gathered is the result of a listing that was read to its end: last is that of its last page.
func (e *Executor) gathered(first, last flow.Result, j *job, all *listing) flow.Result {
	list, err := all.list()
	if err != nil {
		return e.ungathered(last, err)
	}
	first.Outputs.Set(j.op.Paging.Items, list)
	return first
}

// letGo closes the spool of a page whose elements were taken over. That of the
// first page stays, for its other outputs.
func (t *turn) letGo() {
	if t.n > 1 && t.spool != nil {
		t.spool.Close()
	}
}

// failed is the result of a page, which was fine itself, that ends the listing.
func (e *Executor) failed(res flow.Result, outcome flow.Outcome, code, message, hint string) flow.Result {
	res.Outcome, res.Code, res.Message, res.Hint = outcome, code, e.short(message), hint
	res.Outputs, res.Exhausted = nil, true
	return res
}

// ungathered tells of elements that could not be kept.
func (e *Executor) ungathered(res flow.Result, err error) flow.Result {
	var long *tooLong
	if errors.As(err, &long) {
		return e.failed(res, flow.Invalid, "too-large", err.Error(), "")
	}
	return e.failed(res, flow.Unknown, "unreadable", err.Error(), "")
}

// repeated is the result of a listing that goes round in a circle: the page before named the next one, too.
func (e *Executor) repeated(res flow.Result, j *job, before int) flow.Result {
	return e.failed(res, flow.Invalid, pageRepeated,
		fmt.Sprintf("page %d of %s names the same next page as page %d: %s", j.turn.n, j.name(), before, j.turn.next),
		"the listing would never end: check how the request asks for a page, and what ends the listing (paginate.stop)")
}

// unheeded is the result of a listing whose pages are all the same.
func (e *Executor) unheeded(res flow.Result, j *job) flow.Result {
	return e.failed(res, flow.Invalid, pageRepeated,
		fmt.Sprintf("page %d of %s is the same answer as the %d pages before it", j.turn.n, j.name(), j.turn.equal),
		fmt.Sprintf("check that the vendor heeds page.%s, and what ends the listing (paginate.stop)", j.op.Paging.Kind.Variable()))
}

func (e *Executor) endless(res flow.Result, j *job) flow.Result {
	most := j.op.Paging.MaxPages
	message := fmt.Sprintf("%s has more than %d pages", j.name(), most)
	if most == 1 {
		message = fmt.Sprintf("%s has more than 1 page", j.name())
	}
	return e.failed(res, flow.Invalid, tooManyPages, message,
		"a list that is cut off would look like a whole one: raise paginate.max_pages, or ask for less")
}

// ofPage says which page a failure is about.
func (e *Executor) ofPage(res flow.Result, t *turn) flow.Result {
	if t.n > 1 {
		res.Message = e.short(fmt.Sprintf("page %d: %s", t.n, res.Message))
	}
	return res
}

// patiently reads one page, as often as its effect and outcomes allow and the
// operation wants. ends is when the caller's patience does; zero for never. The
// error is that of ctx, or of the engine.
func (e *Executor) patiently(ctx context.Context, j *job, ends time.Time) (flow.Result, error) {
	retry, t := j.op.Retry, j.turn
	key := j.key.Step(fmt.Sprintf("page%d", t.n))
	for n := 1; ; n++ {
		if !ends.IsZero() {
			if j.timeout = ends.Sub(e.clock.Now()); j.timeout <= 0 {
				return outOfTime("no time is left to ask for it"), nil
			}
		}
		j.attempt, j.urgent = n, false
		t.seen = seen{}
		res, err := e.once(ctx, j)
		switch {
		case err != nil, res.Outcome.Success(), ctx.Err() != nil:
			return res, err
		case !res.Repeatable(j.op.Effect):
			return res, nil
		case !ends.IsZero() && ends.Sub(e.clock.Now()) <= 0:
			return res, nil // the caller says what that means
		case n >= retry.Attempts:
			res.Exhausted = true
			return res, nil
		}
		wait := max(retry.Wait(n, key), res.RetryAfter)
		if !ends.IsZero() && wait > ends.Sub(e.clock.Now()) {
			return outOfTime(fmt.Sprintf("no time is left to wait %v for it; last answer: %s", wait.Round(time.Millisecond), res.Message)), nil
		}
		e.tellRetry(j, res, n, wait)
		if err := clock.Sleep(ctx, e.clock, wait); err != nil {
			return res, fmt.Errorf("%s: %w", j.name(), err)
		}
	}
}

// outOfTime is a page that was not asked for, for the caller's timeout.
func outOfTime(message string) flow.Result {
	return flow.Result{Outcome: flow.Unknown, Code: "timeout", Message: message, Exhausted: true}
}

func (e *Executor) tellRetry(j *job, res flow.Result, n int, wait time.Duration) {
	if j.events == nil {
		return
	}
	j.events.Emit(&event.RetryScheduled{
		Key:       string(j.key),
		Operation: j.name(),
		Attempt:   n,
		Of:        j.op.Retry.Attempts,
		Outcome:   string(res.Outcome),
		Message:   e.ofPage(res, j.turn).Message,
		Wait:      wait,
	})
}

// lookAhead reads what the answer of a page says of the next one. An answer of
// which that cannot be told breaks its contract: a list must not end there in silence.
func (e *Executor) lookAhead(res *flow.Result, j *job, vars expr.Vars, a *answer) {
	p, t := j.op.Paging, j.turn
	var isList bool
	if t.elements, isList = a.elements(j.op, res.Outputs.At(p.Items)); !isList {
		e.contractBroken(res, j, a, fmt.Sprintf("output %s: path %s finds no list%s", p.Items, j.op.items.Path().Text(), e.saidInstead(a)))
		res.Hint = "check the path; where the vendor leaves the list out because nothing is there, an outcome says so, as in {if: body.items == null, is: empty}"
		return
	}
	t.spool = a.spool
	var err error
	if !p.Kind.Follows() {
		if t.digest, err = a.digest(); err != nil {
			*res = e.ungathered(*res, err)
			return
		}
		if t.before != nil && t.digest == t.before.digest {
			t.equal = t.before.equal + 1
		}
	}
	if p.Stop != nil {
		if t.last, err = p.Stop.Bool(catalog.StopVars(a.vars(j.op, vars), res.Outputs, res.Outcome)); err != nil {
			what := err.Error()
			if a.withheld() {
				what = "cannot be evaluated (why is not shown: it may hold a secret)"
			}
			e.contractBroken(res, j, a, "paginate.stop: "+what)
			res.Hint = "say what counts where the answer leaves something out, as in body.last ?? false"
			return
		}
	}
	if p.Next == nil || t.last {
		return
	}
	var problem string
	switch t.next, problem = e.next(p.Next, a); {
	case problem != "":
		e.contractBroken(res, j, a, "paginate.next: "+problem)
	case t.next == "" && p.Stop != nil:
		e.contractBroken(res, j, a, fmt.Sprintf("paginate.stop says that more pages follow, and paginate.next (%s) finds nothing", p.Next))
		res.Hint = "check where next looks, and whether stop is true of the last page"
	}
}

// elements returns how many elements the vendor put on a page whose output is items; ok is false where
// there is no list. A default of the output, which stands for what is missing, is none.
func (a *answer) elements(op *operation, items value.Value) (n int, ok bool) {
	if n, ok = value.Length(items); !ok || !op.items.InBody() {
		return n, ok
	}
	if a.spool == nil {
		data, _ := a.data(&op.Response)
		if op.Response.As == "xml" { // where one element does not look like a list
			_, ok = op.items.Path().Raw(data)
			return n, ok
		}
		return op.items.Path().Elements(data)
	}
	data, outline, err := a.find(&op.Response)
	if err != nil {
		return 0, false
	}
	if path := op.items.Path(); !path.IsWalk() {
		return path.Elements(outline)
	}
	v, _, err := op.items.Path().Find(data)
	if err != nil {
		return 0, false
	}
	return value.Length(v)
}

// digest returns what tells the answer from others.
func (a *answer) digest() ([sha256.Size]byte, error) {
	if a.spool == nil {
		return sha256.Sum256(a.body), nil
	}
	sum := sha256.New()
	_, err := io.Copy(sum, io.NewSectionReader(a.spool, 0, a.spool.size))
	return [sha256.Size]byte(sum.Sum(nil)), err
}

// next returns what the answer says of the next page, "" when it says nothing.
func (e *Executor) next(n *catalog.NextPage, a *answer) (next, problem string) {
	switch {
	case n.IsLinkHeader():
		return page.NextLink(a.header.Values(n.Header)), ""
	case n.Path == nil:
		return a.header.Get(n.Header), ""
	case !a.json:
		return "", ""
	}
	v, found, err := a.follow(n.Path)
	if err != nil {
		return "", err.Error()
	}
	if !found || v == nil || v == false {
		return "", ""
	}
	if t := n.Path.Type(); t != nil && t.Secret {
		hide(e.gate, origin{}, v)
	}
	switch v.(type) {
	case string, int64, value.Decimal:
		if next, err = value.Text(v); err == nil {
			return next, ""
		}
	}
	return "", fmt.Sprintf("path %s: expected a text or a number, found %s", n.Path.Text(), value.KindOf(v))
}
