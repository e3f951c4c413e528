package lang

import (
	"errors"
	"testing"
	"time"
)

func TestRunawayExpressionsEnd(t *testing.T) {
	s, vars := bigData()
	for _, text := range runaway {
		e := mustCompile(t, s, text)
		start := time.Now()
		_, err := e.Eval(vars)
		t.Logf("%8s %s", time.Since(start).Round(10*time.Microsecond), text)
		if !errors.Is(err, errBudget) {
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
