package clock_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed627bd532/runner/engine/internal/clock"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func TestBothClocksKeepTheSameTime(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]func() clock.Clock{
		"machine": func() clock.Clock { return clock.System{} },
		"virtual": func() clock.Clock { return clock.NewVirtual(start) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { keepsTime(t, c()) })
		})
	}
}

func keepsTime(t *testing.T, c clock.Clock) {
	began, ctx := c.Now(), t.Context()
	if err := clock.Sleep(ctx, c, time.Hour); err != nil || c.Now().Sub(began) != time.Hour {
		t.Errorf("slept %v, %v", c.Now().Sub(began), err)
	}
	var rang atomic.Int64
	c.AfterFunc(time.Minute, func() { rang.Add(1) })
	stop := c.AfterFunc(time.Minute, func() { rang.Add(10) })
	if !stop() || stop() {
		t.Error("an alarm is stopped once")
	}
	late := errors.New("late")
	bounded, cancel := clock.WithTimeout(ctx, c, 2*time.Minute, late)
	defer cancel()
	if err := clock.Sleep(bounded, c, time.Hour); !errors.Is(err, late) || c.Now().Sub(began) != time.Hour+2*time.Minute || rang.Load() != 1 {
		t.Errorf("got %v after %v, %d alarms", err, c.Now().Sub(began), rang.Load())
	}
	ended, end := context.WithCancelCause(ctx)
	end(late)
	if err := clock.Sleep(ended, c, time.Hour); !errors.Is(err, late) || c.Now().Sub(began) != time.Hour+2*time.Minute {
		t.Errorf("got %v after %v", err, c.Now().Sub(began))
	}
	if err := c.Await(ended, nil); !errors.Is(err, late) {
		t.Errorf("got %v", err)
	}
	quick, cancelQuick := clock.WithTimeout(ctx, c, time.Minute, nil)
	cancelQuick()
	if quick.Err() == nil {
		t.Error("a context that was cancelled goes on")
	}
	unnamed, cancelUnnamed := clock.WithTimeout(ctx, c, time.Minute, nil)
	defer cancelUnnamed()
	if err := clock.Sleep(unnamed, c, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestVirtualTimePassesAtOnce(t *testing.T) {
	t.Parallel()
	c, began := clock.NewVirtual(start), time.Now()
	if err := clock.Sleep(t.Context(), c, 1000*time.Hour); err != nil || time.Since(began) > time.Minute {
		t.Errorf("%v, %v", time.Since(began), err)
	}
	done := make(chan struct{})
	go close(done) // somebody else's work, for which no time has to pass
	if err := c.Await(t.Context(), done); err != nil || !c.Now().Equal(start.Add(1000*time.Hour)) {
		t.Errorf("%v, %v", c.Now(), err)
	}
}
