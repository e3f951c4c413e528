package postgres

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/seed627bd532/runner/engine/state"
)

func TestASchemaOfANewerRunnerIsRefused(t *testing.T) {
	at := place(t)
	s := opened(t, at)
	execute(t, "INSERT INTO "+schemaOf(t, at)+".migrations (version) VALUES (7)")
	want := "cannot use the state in " + s.server.name + ": a newer runner made it: it has version 7, and this runner knows versions up to 1. Nothing was changed. Use a runner as new as that one, or another schema"
	if s, err := Open(t.Context(), at); err == nil {
		s.Close()
		t.Error("it was opened")
	} else if err.Error() != want {
		t.Errorf("got:  %v\nwant: %s", err, want)
	}
}

func TestManyMakeASchemaAtOnce(t *testing.T) {
	at := place(t)
	var wait sync.WaitGroup
	for range 5 {
		wait.Go(func() {
			s, err := Open(t.Context(), at)
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			if err := s.PutValue(t.Context(), "a", "k", []byte("1")); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
}

// Only a power cut could tell otherwise whether a commit waited for the disk.
func TestCommitsWaitForTheDiskWhereThatIsPromised(t *testing.T) {
	s := opened(t, place(t)+"&synchronous_commit=off")
	strict := opened(t, place(t)+"&synchronous_commit=remote_apply")
	for _, held := range []bool{false, true} {
		if held {
			defer locked(t, s, "a")()
		}
		for _, test := range []struct {
			name   string
			s      *Store
			change func(context.Context, *Store, func(*pgx.Batch)) error
			want   string
		}{
			{"a look-up", s, func(ctx context.Context, s *Store, q func(*pgx.Batch)) error { return s.write(ctx, false, q) }, "off"},
			{"an intent", s, func(ctx context.Context, s *Store, q func(*pgx.Batch)) error { return s.write(ctx, true, q) }, "on"},
			{"an intent where more is asked for", strict, func(ctx context.Context, s *Store, q func(*pgx.Batch)) error { return s.write(ctx, true, q) }, "remote_apply"},
			{"a run or a value", s, func(ctx context.Context, s *Store, q func(*pgx.Batch)) error { return s.change(ctx, synced, q) }, "on"},
		} {
			got := ""
			err := test.change(t.Context(), test.s, func(b *pgx.Batch) {
				b.Queue("SHOW synchronous_commit").QueryRow(func(r pgx.Row) error { return r.Scan(&got) })
			})
			if err != nil || got != test.want {
				t.Errorf("%s: synchronous_commit is %s, %v; want %s", test.name, got, err, test.want)
			}
		}
	}
}

// Whoever made the schema may be another role than the one that runs.
func TestARoleNeedsNoRightToMakeTables(t *testing.T) {
	at := place(t)
	opened(t, at).Close()
	role := strings.ToLower(strings.Trim(schemaOf(t, at), `"`))
	schema := schemaOf(t, at)
	execute(t, `CREATE ROLE "`+role+`" LOGIN; GRANT USAGE ON SCHEMA `+schema+` TO "`+role+`"; GRANT SELECT ON ALL TABLES IN SCHEMA `+schema+` TO "`+role+`"`)
	t.Cleanup(func() { execute(t, `DROP OWNED BY "`+role+`"; DROP ROLE "`+role+`"`) })
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User(role)
	s := opened(t, u.String())
	if _, ok, err := s.Run(t.Context(), "r1"); ok || err != nil {
		t.Errorf("reading: %v", err)
	}
	want := "the role may not use the state in " + s.server.name + ". Nothing of this was recorded. It needs to own the schema: ERROR: permission denied for table runs (SQLSTATE 42501)"
	if err := s.Begin(t.Context(), state.Run{ID: "r1"}); err == nil || err.Error() != want {
		t.Errorf("got:  %v\nwant: %s", err, want)
	}
}

func TestAddressesThatCannotBeUsedAreErrorsWithoutTheirPassword(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ address, want string }{
		{"postgres://me:s3cret%zz@db/x", "the address of the state is no URL such as postgres://user@host/database; a password in it must be percent-encoded"},
		{"postgres://me:s3cret@db:port/x", "the address of the state is no URL such as postgres://user@host/database; a password in it must be percent-encoded"},
		{"postgres://me:s3cret@db/x?sslmode=perhaps", "cannot use the address of the state: "},
		{"postgres://me:s3cret@db/x?search_path=a,b", "the state needs a schema of its own: search_path names one, without quotes, and not a,b"},
		{"postgres://me:s3cret@127.0.0.1:1/x?sslmode=disable", "the state in postgres://me@127.0.0.1:1/x, schema runner cannot be reached: "},
	} {
		s, err := Open(t.Context(), test.address)
		if err == nil {
			s.Close()
			t.Errorf("%s: it was opened", test.address)
			continue
		}
		if !strings.HasPrefix(err.Error(), test.want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("got:  %v\nwant: %s", err, test.want)
		}
	}
}

func TestFaultsSayWhatToDo(t *testing.T) {
	t.Parallel()
	s := server{name: "DB"}
	for code, want := range map[string]string{
		"53100": "cannot write the state in DB: the server's disk is full. Nothing of this was recorded. Make room and try again: FATAL: x (SQLSTATE 53100)",
		"25006": "cannot write the state in DB: the server only reads, as a standby does. Nothing of this was recorded. Name the primary: FATAL: x (SQLSTATE 25006)",
		"42P01": "the state in DB fails. Nothing of this was recorded: FATAL: x (SQLSTATE 42P01)",
	} {
		err := &pgconn.PgError{Severity: "FATAL", Code: code, Message: "x"}
		if passing(err) {
			t.Errorf("%s is tried again", code)
		}
		if got := s.fault(err).Error(); got != want {
			t.Errorf("got:  %s\nwant: %s", got, want)
		}
	}
	for _, code := range []string{"57P01", "57P03", "08006", "53300", "40001"} {
		if !passing(&pgconn.PgError{Code: code}) {
			t.Errorf("%s is not tried again", code)
		}
	}
	if !passing(errors.New("broken pipe")) {
		t.Error("a broken connection is not tried again")
	}
}
