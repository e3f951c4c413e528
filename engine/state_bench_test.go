package engine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/seed627bd532/runner/engine/state"
	"github.com/seed627bd532/runner/engine/state/postgres"
	"github.com/seed627bd532/runner/engine/state/sqlite"
)

// BenchmarkState is the job of BenchmarkEnsureCompanies on each kind of state: what it
// costs that every call is remembered, and every create before it is sent.
// PostgreSQL is the server that RUNNER_TEST_POSTGRES names.
func BenchmarkState(b *testing.B) {
	const rows = 1000
	input := writeCompanies(b, rows)
	kinds := []struct {
		name string
		open func(*testing.B) state.Store
	}{
		{"memory", func(*testing.B) state.Store { return state.NewMemory() }},
		{"sqlite", openSQLite},
	}
	if address := os.Getenv("RUNNER_TEST_POSTGRES"); address != "" {
		kinds = append(kinds, struct {
			name string
			open func(*testing.B) state.Store
		}{"postgres", func(b *testing.B) state.Store { return openPostgres(b, address) }})
	}
	for _, kind := range kinds {
		for _, workers := range []int{1, 16} {
			b.Run(fmt.Sprintf("%s/workers=%d", kind.name, workers), func(b *testing.B) {
				vendor := newBenchVendor(b, rows)
				dir := b.TempDir()
				var asked int64
				for b.Loop() {
					b.StopTimer() // each round has a state of its own, since another would know what was created
					vendor.reset()
					store := kind.open(b)
					ensure := startEngineOn(b, vendor.url, workers, store)
					before := vendor.asked.Load()
					b.StartTimer()
					if err := ensure(input, dir); err != nil {
						b.Fatal(err)
					}
					b.StopTimer()
					asked += vendor.asked.Load() - before
					if n := vendor.created(); n != rows/2 {
						b.Fatalf("%d companies were created, expected %d", n, rows/2)
					}
					if err := store.Close(); err != nil {
						b.Fatal(err)
					}
					b.StartTimer()
				}
				b.ReportMetric(float64(asked)/b.Elapsed().Seconds(), "calls/s")
			})
		}
	}
}

func openSQLite(b *testing.B) state.Store {
	store, err := sqlite.Open(filepath.Join(b.TempDir(), fmt.Sprintf("%d.db", rand.Uint64())))
	if err != nil {
		b.Fatal(err)
	}
	return store
}

// openPostgres opens a state in a schema of its own, which is dropped at the end.
func openPostgres(b *testing.B, address string) state.Store {
	u, err := url.Parse(address)
	if err != nil {
		b.Fatal(err)
	}
	schema := fmt.Sprintf("bench_%d", rand.Uint64())
	query := u.Query()
	query.Set("search_path", schema)
	u.RawQuery = query.Encode()
	b.Cleanup(func() {
		ctx := context.Background()
		conn, err := pgx.Connect(ctx, address)
		if err != nil {
			b.Error(err)
			return
		}
		defer conn.Close(ctx)
		if _, err := conn.Exec(ctx, "DROP SCHEMA IF EXISTS "+schema+" CASCADE"); err != nil {
			b.Error(err)
		}
	})
	store, err := postgres.Open(b.Context(), u.String())
	if err != nil {
		b.Fatal(err)
	}
	return store
}
