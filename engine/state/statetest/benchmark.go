package statetest

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed627bd532/runner/engine/state"
)

// Benchmark measures what a kind of store costs a call: what is put for a look-up
// (one entry), for a create (an intent and its answer, under the lock of the
// identity) and for a row of a foreach (three entries, folded), by one worker
// and by several at once.
func Benchmark(b *testing.B, open func(b *testing.B) state.Store) {
	payload := []byte(fmt.Sprintf(`{"outcome":"ok","outputs":{"name":%0400d}}`, 0))
	works := []struct {
		name string
		do   func(b *testing.B, s state.Store, key string) error
	}{
		{"lookup", func(b *testing.B, s state.Store, key string) error {
			return s.Put(b.Context(), state.Entry{Run: "r1", Kind: state.Call, Key: key, At: time.Now(), Payload: payload})
		}},
		{"create", func(b *testing.B, s state.Store, key string) error {
			e := state.Entry{Run: "r1", Kind: state.Call, Key: key, Status: state.Intended, Identity: key, At: time.Now()}
			unlock, err := s.Lock(b.Context(), e.Identity)
			if err != nil {
				return err
			}
			defer unlock()
			if found, err := s.Creates(b.Context(), e.Identity, t0); err != nil || len(found) > 0 {
				return fmt.Errorf("%d creates, %w", len(found), err)
			}
			if err := s.Put(b.Context(), e); err != nil {
				return err
			}
			e.Status, e.Payload = state.Done, payload
			return s.Put(b.Context(), e)
		}},
		{"row", func(b *testing.B, s state.Store, key string) error {
			for i := range 3 {
				e := state.Entry{Run: "r1", Kind: state.Call, Key: fmt.Sprintf("%s/step%d", key, i), At: time.Now(), Payload: payload}
				if err := s.Put(b.Context(), e); err != nil {
					return err
				}
			}
			return s.Fold(b.Context(), state.Entry{Run: "r1", Kind: state.Item, Key: key, At: time.Now(), Payload: payload})
		}},
	}
	for _, work := range works {
		for _, workers := range []int{1, 16} {
			b.Run(fmt.Sprintf("%s/workers=%d", work.name, workers), func(b *testing.B) {
				s := open(b)
				var n, turn atomic.Int64
				done := make(chan error)
				b.ResetTimer()
				for range workers {
					go func() {
						for turn.Add(1) <= int64(b.N) {
							if err := work.do(b, s, fmt.Sprintf("each[%08d]", n.Add(1))); err != nil {
								done <- err
								return
							}
						}
						done <- nil
					}()
				}
				for range workers {
					if err := <-done; err != nil {
						b.Error(err)
					}
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
			})
		}
	}
}
