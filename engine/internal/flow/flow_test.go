package flow

import "testing"

func TestWhatIsRepeatedFollowsFromEffectAndOutcome(t *testing.T) {
	t.Parallel()
	outcomes := []Outcome{OK, Empty, Auth, Throttled, Busy, Invalid, Denied, NotFound, Conflict, Unknown}
	for _, effect := range []Effect{Read, Idempotent, Create} {
		for _, outcome := range outcomes {
			want := outcome == Throttled || outcome == Busy || outcome == Unknown && effect != Create
			if got := (Result{Outcome: outcome}).Repeatable(effect); got != want {
				t.Errorf("%s of %s: %v", outcome, effect, got)
			}
			if (Result{Outcome: outcome, Exhausted: true}).Repeatable(effect) {
				t.Errorf("%s of %s is repeated by two", outcome, effect)
			}
		}
		if (Result{Outcome: Busy, Fatal: true}).Repeatable(effect) {
			t.Errorf("%s is repeated after a login that failed for good", effect)
		}
	}
}
