package transport

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed627bd532/runner/engine/internal/clock"
)

func drive(t *testing.T, traffic *Traffic, place string, limits ...Named) Pass {
	t.Helper()
	p, err := traffic.Wait(context.Background(), false, place, limits...)
	if err != nil {
		t.Error(err)
	}
	return p
}

func TestLimitsOfOneNameAtOnePlaceCountTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		traffic := NewTraffic(clock.System{})
		start := time.Now()
		one := Named{Name: "a", Concurrency: 1}
		held := drive(t, traffic, "here", one)
		drive(t, traffic, "here", Named{Name: "b", Concurrency: 1})
		drive(t, traffic, "there", one)
		time.AfterFunc(time.Second, held.Done)
		drive(t, traffic, "here", one, Named{Name: "c", Concurrency: 1})
		if took := time.Since(start); took != time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// A rate holds whatever is forgotten, and so does what is waited for.
func TestTrafficForgetsOnlyWhatMakesNoDifference(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		traffic := NewTraffic(clock.System{})
		start := time.Now()
		rate := Named{Name: "rate", Count: 1, Per: time.Hour}
		held := drive(t, traffic, "here", rate, Named{Name: "held", Concurrency: 1})
		passed := make(chan bool)
		go func() {
			drive(t, traffic, "here", Named{Name: "held", Concurrency: 1})
			close(passed)
		}()
		synctest.Wait()
		others := func(n int) {
			for i := range n {
				for _, place := range []string{"here", fmt.Sprint("place ", i)} {
					p := drive(t, traffic, place, Named{Name: i, Concurrency: 1})
					p.Done()
				}
			}
		}
		others(1000)
		select {
		case <-passed:
			t.Fatal("two passed where one may")
		default:
		}
		held.Done()
		<-passed
		drive(t, traffic, "here", rate)
		if took := time.Since(start); took != time.Hour {
			t.Errorf("the second passed after %v", took)
		}
		time.Sleep(2 * time.Hour)
		others(1000)
		limits := 0
		for _, r := range traffic.roads {
			limits += len(r.limits)
		}
		if len(traffic.roads) > 2*minSweep || limits > 2*minSweep {
			t.Errorf("%d places with %d limits are kept", len(traffic.roads), limits)
		}
	})
}
