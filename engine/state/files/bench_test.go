package files

import (
	"fmt"
	"testing"
)

// BenchmarkLocks measures a lock that nobody else wants, and those of a batch.
func BenchmarkLocks(b *testing.B) {
	for _, rows := range []int{1, 100, 1000, 10000} {
		b.Run(fmt.Sprint("rows=", rows), func(b *testing.B) {
			l := NewLocks(b.TempDir())
			for n := 0; b.Loop(); n++ {
				held := make([]func(), rows)
				for i := range held {
					unlock, err := l.Lock(b.Context(), fmt.Sprint("create company ", n, " ", i))
					if err != nil {
						b.Fatal(err)
					}
					held[i] = unlock
				}
				for _, unlock := range held {
					unlock()
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/lock")
		})
	}
}
