package interp

import (
	"fmt"
	"time"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
)

// A clock bounds what steps may take. The zero clock bounds nothing.
type clock struct {
	end  time.Time
	step flow.Key // whose timeout it is
	late string   // what to say when it has ended
}

// within runs do below the timeout of s, if it has one, unless an outer one ends sooner.
func (w *walker) within(s *pipeline.Step, key flow.Key, do func() error) error {
	if s.Timeout == 0 {
		return do()
	}
	now, err := w.rt.Now(key + "/began")
	if err != nil {
		return w.stopped(key, err)
	}
	outer := w.clock
	defer func() { w.clock = outer }()
	if end := now.Add(s.Timeout); outer.end.IsZero() || end.Before(outer.end) {
		w.clock = clock{end: end, step: key, late: fmt.Sprintf("step %s took longer than its timeout of %v", key, s.Timeout)}
	}
	return do()
}

// left returns how much time the step at key has for a call or a wait, which
// goes by the key at; 0 means no bound. The error says that wait would take too long.
func (w *walker) left(key, at flow.Key, wait time.Duration) (time.Duration, error) {
	if w.clock.end.IsZero() {
		return 0, nil
	}
	now, err := w.rt.Now(at + "/now")
	if err != nil {
		return 0, w.stopped(key, err)
	}
	if !now.Add(wait).Before(w.clock.end) {
		return 0, &Failure{Code: codeTimeout, Step: string(key), Message: w.clock.late, late: w.clock.step}
	}
	return w.clock.end.Sub(now), nil
}
