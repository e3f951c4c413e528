package expr

import (
	"errors"
	"testing"
	"time"

	"github.com/seed627bd532/runner/engine/internal/value"
)

func TestRunawayExpressionsEnd(t *testing.T) {
	s, vars := bigData()
	for _, text := range runaway {
		e := mustCompile(t, s, text)
		start := time.Now()
		_, err := e.Eval(vars)
		t.Logf("%8s %s", time.Since(start).Round(10*time.Microsecond), text)
		if !errors.Is(err, ErrBudget) {
			t.Errorf("%s: error %v, want that of the budget", text, err)
		}
	}
}

func TestLegitimateExpressionsHaveTheBudget(t *testing.T) {
	s, vars := bigData()
	for _, text := range legitimate {
		e := mustCompile(t, s, text)
		start := time.Now()
		if _, err := e.Eval(vars); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		t.Logf("%8s %s", time.Since(start).Round(10*time.Microsecond), text)
	}
}

func TestBudgetEndsAtTheSameStep(t *testing.T) {
	s, vars := bigData()
	e := mustCompile(t, s, `filter(rows, any(rows, .id == -1))`)
	const want = "e.yaml:2:30: the expression takes too many steps or builds too much data"
	for range 3 {
		if _, err := e.Eval(vars); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// The price of one pass, in steps for each of 100,000 rows: what it may rise to
// before people's files no longer fit is 10.
func TestPricesOfOnePass(t *testing.T) {
	s, vars := bigData()
	for _, c := range []struct {
		text  string
		steps int
	}{
		{`len(rows)`, 0},
		{`any(rows, .id == -1)`, 2},
		{`filter(rows, .state == "open" and .id > 500)`, 3},
		{`filter(rows, .name matches "^[a-z]{3} [0-9]{2}$")`, 6},
		{`map(rows, .price)`, 1},
		{`sum(rows, .price * 2)`, 8},
		{`sum(rows, decimal(text(.price)))`, 9},
		{`mean(map(rows, .price))`, 5},
		{`max(map(rows, .price))`, 2},
		{`sortBy(rows, .id)`, 6},
		{`sortBy(rows, .name)`, 6},
		{`unique(map(rows, .name))`, 5},
		{`unique(rows)`, 9},
		{`len(groupBy(rows, .state))`, 4},
		{`len(groupBy(rows, .name))`, 8},
		{`join(map(rows, .name), ",")`, 2},
	} {
		e := mustCompile(t, s, c.text)
		f := &frame{vars: vars, left: budget, locals: make([]value.Value, e.slots)}
		if _, err := e.run(f); err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got := (budget - f.left) / 100_000; got != c.steps {
			t.Errorf("%s: %d steps for each row, want %d", c.text, got, c.steps)
		}
	}
}
