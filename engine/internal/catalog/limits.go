package catalog

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/source"
)

// Limits bound the requests to a vendor, or of one operation.
type Limits struct {
	// Concurrency is how many may be under way at a time; 0 means any number.
	Concurrency int
	// Rate is how many may leave in a time; the zero Rate means any number.
	Rate Rate
	// PerToken counts the requests of each token for themselves, else those of
	// the connection. Requests without a token count under the connection.
	PerToken bool

	node *source.Node // limits, in the file
}

// A Rate is a number of requests in any span of this length.
type Rate struct {
	Count int
	Per   time.Duration
}

// String returns the rate as files have it.
func (r Rate) String() string {
	for unit, per := range rateUnits {
		if per == r.Per {
			return strconv.Itoa(r.Count) + "/" + unit
		}
	}
	return fmt.Sprintf("%d/%v", r.Count, r.Per)
}

// over reports whether r lets more requests through than s in the long run.
func (r Rate) over(s Rate) bool {
	return int64(r.Count)*int64(s.Per/time.Second) > int64(s.Count)*int64(r.Per/time.Second)
}

// highestRate is more than a program can send.
var highestRate = Rate{Count: 10_000, Per: time.Second}

var rateUnits = map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}

// limits reads limits; n may be nil. hasToken says whether requests carry a token.
func (d *decoder) limits(n *source.Node, hasToken bool) *Limits {
	if n == nil {
		return nil
	}
	l := &Limits{node: n}
	if c := n.Get("concurrency"); c != nil {
		most, _ := c.Literal().(int64)
		if most < 1 {
			d.faults.Add(c.Errorf("limit-never-met", "with a concurrency of %s no request could ever be sent", c.Text).
				WithHint("the least is 1: one request at a time"))
		}
		l.Concurrency = int(most)
	}
	if r := n.Get("rate"); r != nil {
		count, unit, _ := strings.Cut(r.Text, "/")
		most, err := strconv.Atoi(count)
		if err != nil || most < 1 {
			d.faults.Add(r.Errorf("limit-never-met", "with a rate of %s no request could ever be sent", r.Text).
				WithHint("the least is 1/h: one request in an hour"))
		}
		l.Rate = Rate{Count: most, Per: rateUnits[unit]}
		if l.Rate.over(highestRate) {
			d.faults.Add(r.Errorf("wrong-value", "rate: expected at most %s, found %s", highestRate, r.Text).
				WithHint("leave rate out where the vendor has no limit"))
		}
	}
	if per := n.Get("per"); per != nil {
		l.PerToken = per.Text == "token"
		switch {
		case l.PerToken && !hasToken:
			d.faults.Add(per.Errorf("limit-without-token", "a limit per token needs requests with a token, and these have none").
				WithHint("per: connection counts the requests of a connection"))
		case n.Get("concurrency") == nil && n.Get("rate") == nil:
			d.faults.Add(n.Key("per").Errorf("limit-empty", "per says what is counted, but there is neither concurrency nor rate"))
		}
	}
	return l
}

// narrowed reads the limits of an operation, which hold beside those of the
// vendor: wider ones would say something that never comes true.
func (d *decoder) narrowed(op *Operation, n *source.Node) *Limits {
	hasToken := !op.NoAuth && d.root.Get("auth").Get("token") != nil
	l, all := d.limits(n, hasToken), d.v.Limits
	if l == nil || all == nil {
		return l
	}
	if all.Concurrency > 0 && l.Concurrency > all.Concurrency {
		d.widened(op, l, "concurrency", fmt.Sprintf("%d requests at a time", l.Concurrency), strconv.Itoa(all.Concurrency))
	}
	if all.Rate.Count > 0 && l.Rate.Count > 0 && l.Rate.over(all.Rate) {
		d.widened(op, l, "rate", l.Rate.String(), all.Rate.String())
	}
	return l
}

func (d *decoder) widened(op *Operation, l *Limits, key, here, there string) {
	f := l.node.Get(key).Errorf("limit-widened", "%s would allow %s, and the vendor allows %s", op.Name, here, there).
		WithHint("an operation may narrow the vendor's limits, never widen them")
	f.Related = []diag.Place{placeOf(d.v.Limits.node.Get(key), "the vendor's limit")}
	d.faults.Add(f)
}

// checkTokenOutlivesLimits finds a rate at which every token has ended before
// a call may use it: the login takes the place of the call.
func (d *decoder) checkTokenOutlivesLimits() {
	l, token := d.v.Limits, d.v.Auth.Token
	if l == nil || token == nil || l.PerToken || l.Rate.Count != 1 || token.Lifetime == 0 || token.Lifetime > l.Rate.Per {
		return
	}
	lifetime := d.root.Get("auth").Get("token").Get("lifetime")
	f := l.node.Get("rate").Errorf("limit-never-met", "at %s no call could ever be sent: a login takes one turn, and its token ends (after %s) before the next", l.Rate, lifetime.Text).
		WithHint("allow two requests in that time, or give the token a longer lifetime")
	f.Related = []diag.Place{placeOf(lifetime, "the token's lifetime")}
	d.faults.Add(f)
}
