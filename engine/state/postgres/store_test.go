package postgres

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/seed627bd532/runner/engine/state"
	"github.com/seed627bd532/runner/engine/state/statetest"
)

func TestMain(m *testing.M) { statetest.Main(m, open) }

func open(address string) (state.Store, error) { return Open(context.Background(), address) }

func TestPostgreSQLIsAStore(t *testing.T) {
	statetest.Store(t, func(t *testing.T) state.Store { return opened(t, place(t)) })
}

func TestPostgreSQLIsTokens(t *testing.T) {
	statetest.Tokens(t, func(t *testing.T) state.Tokens { return opened(t, place(t)) })
}

func TestPostgreSQLIsDurable(t *testing.T) {
	statetest.Durable(t, func(t *testing.T) string { return place(t) }, open)
}

func BenchmarkPostgreSQL(b *testing.B) {
	statetest.Benchmark(b, func(b *testing.B) state.Store {
		s, err := Open(b.Context(), place(b))
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { s.Close() })
		return s
	})
}

// serverVariable has the URL of a server on which the tests may make schemas.
const serverVariable = "RUNNER_TEST_POSTGRES"

// place returns the URL of a new schema, which goes when the test ends.
func place(t testing.TB) string {
	t.Helper()
	address := os.Getenv(serverVariable)
	switch {
	case address != "":
	case os.Getenv("CI") != "":
		t.Fatal(serverVariable + " must name a PostgreSQL server in CI: see testserver.sh")
	default:
		t.Skip("it needs a PostgreSQL server, whose URL is in " + serverVariable + ": see testserver.sh")
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	schema := "Test-" + rand.Text()
	query := u.Query()
	query.Set("search_path", schema)
	u.RawQuery = query.Encode()
	t.Cleanup(func() {
		execute(t, "SET client_min_messages = warning; DROP SCHEMA IF EXISTS "+pgx.Identifier{schema}.Sanitize()+" CASCADE")
	})
	return u.String()
}

// execute runs sentences on the server.
func execute(t testing.TB, sentences string) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, os.Getenv(serverVariable))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if err := conn.PgConn().Exec(ctx, sentences).Close(); err != nil {
		t.Fatal(err)
	}
}

func opened(t *testing.T, address string) *Store {
	t.Helper()
	s, err := Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// schemaOf returns the name of a place's schema, as SQL has it.
func schemaOf(t *testing.T, address string) string {
	t.Helper()
	_, query, _ := strings.Cut(address, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	return pgx.Identifier{values.Get("search_path")}.Sanitize()
}
