package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Two machines share runs, locks and tokens.
func TestRunsAreSharedInPostgreSQL(t *testing.T) {
	t.Parallel()
	address := schemaOf(t)
	d := newDepot(t)
	other := t.TempDir()
	if err := os.CopyFS(other, os.DirFS(d.dir)); err != nil {
		t.Fatal(err)
	}
	asked := make(chan bool, 1)
	hold := make(chan bool)
	d.hear(func(r *http.Request, answered bool) {
		if r.URL.Path == "/tags" && !answered {
			asked <- true
			<-hold
		}
	})
	args := []string{"run", "pipelines/order.yaml", "--input", "code=A-1", "--key", "k", "--state", address}
	p := startIn(t, d.dir, args...)
	<-asked
	alive := startIn(t, other, args...)
	if code := alive.exit(t); code != 2 {
		t.Errorf("a run that is alive elsewhere: exit code %d, %s", code, alive.err.String())
	}
	p.signal(t, syscall.SIGKILL)
	p.exit(t)
	d.hear(nil)
	close(hold)
	again := startIn(t, other, args...)
	if code := again.exit(t); code != 0 || again.out.String() != "id: 2\ncreated: true\n" {
		t.Errorf("exit code %d, %s%s", code, again.out.String(), again.err.String())
	}
	if calls := d.box.Stats().Calls; calls["find"] != 1 || calls["create"] != 1 || calls["login"] != 1 {
		t.Errorf("the vendor was asked for %v", calls)
	}
}

// It is no other with kills when the state is in PostgreSQL.
func TestKillsMakeNothingTwiceInPostgreSQL(t *testing.T) {
	t.Parallel()
	address := schemaOf(t)
	d := newIntcomex(t, "lose_answer:create:10%")
	d.state = []string{"--state", address}
	d.kill(t, 200, max(1, *kills/3))
}

// schemaOf returns the URL of a schema of its own.
func schemaOf(t *testing.T) string {
	t.Helper()
	const variable = "RUNNER_TEST_POSTGRES"
	address := os.Getenv(variable)
	switch {
	case address != "":
	case os.Getenv("CI") != "":
		t.Fatal(variable + " must name a PostgreSQL server in CI: see engine/state/postgres/testserver.sh")
	default:
		t.Skip("it needs a PostgreSQL server, whose URL is in " + variable + ": see engine/state/postgres/testserver.sh")
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	schema := fmt.Sprintf("command_%d", rand.Uint64())
	query := u.Query()
	query.Set("search_path", schema)
	u.RawQuery = query.Encode()
	t.Cleanup(func() {
		conn, err := pgx.Connect(context.Background(), address)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close(context.Background())
		if _, err := conn.Exec(context.Background(), "DROP SCHEMA IF EXISTS "+schema+" CASCADE"); err != nil {
			t.Error(err)
		}
	})
	return u.String()
}
