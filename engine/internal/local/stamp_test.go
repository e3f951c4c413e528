package local

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/flow/flowtest"
)

// took is a sink that notes how long what ended has taken.
type took struct{ lines []string }

func (s *took) Emit(e event.Event) {
	switch e := e.(type) {
	case *event.StepFinished:
		s.lines = append(s.lines, fmt.Sprintf("%s %v", e.Key, e.Took))
	case *event.RunFinished:
		s.lines = append(s.lines, fmt.Sprintf("run %v", e.Took))
	}
}

func TestWhatEndsTellsHowLongItTook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s took
		rt := NewInline(t.Context(), &flowtest.Vendor{}, "r1", &s)
		step := func(key string, do func()) {
			rt.Emit(&event.StepStarted{Key: key})
			do()
			rt.Emit(&event.StepFinished{Key: key})
		}
		wait := func(d time.Duration) func() {
			return func() {
				if err := rt.Sleep(flow.Key(fmt.Sprint(d)), d); err != nil {
					t.Error(err)
				}
			}
		}
		rt.Emit(&event.RunStarted{})
		wait(time.Second)()
		step("group", func() {
			step("group/one", wait(2*time.Second))
			wait(3 * time.Second)()
			step("group/two", wait(0))
		})
		step("group", wait(time.Minute)) // once more, as in a resumed run
		rt.Emit(&event.StepFinished{Key: "skipped", Skipped: true})
		rt.Emit(&event.RunFinished{})
		want := "group/one 2s\ngroup/two 0s\ngroup 5s\ngroup 1m0s\nskipped 0s\nrun 1m6s"
		if got := strings.Join(s.lines, "\n"); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	})
}
