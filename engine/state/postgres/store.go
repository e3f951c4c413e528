package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/seed627bd532/runner/engine/state"
)

// A Store is a state.Store and state.Tokens in a database. Open makes one.
type Store struct {
	*locks
	pool   *pgxpool.Pool
	server server
	close  func() error
}

var (
	_ state.Store  = (*Store)(nil)
	_ state.Tokens = (*Store)(nil)
)

const (
	// connections is how many a Store has at most, beside that of its locks, when
	// the URL does not say with pool_max_conns.
	connections = 8
	// attemptFor is how long a server may take for one attempt.
	attemptFor = 30 * time.Second
	// patience is how long calls wait for a server that is away.
	patience = 15 * time.Second
)

// Open connects to the database that the URL names, and makes the schema when
// it is not there. ctx is for opening only. Whatever is in the way is an error
// without the URL's password. The holder closes the Store.
func Open(ctx context.Context, address string) (*Store, error) {
	config, err := parse(address)
	if err != nil {
		return nil, err
	}
	schema := config.ConnConfig.RuntimeParams["search_path"]
	srv := server{name: nameOf(config.ConnConfig, schema), patience: patience, closed: new(atomic.Bool)}
	config.ConnConfig.RuntimeParams["search_path"] = pgx.Identifier{schema}.Sanitize()
	pool, err := pgxpool.NewWithConfig(context.WithoutCancel(ctx), config)
	if err != nil {
		return nil, srv.fault(err)
	}
	err = srv.attempt(ctx, func(ctx context.Context) error { return pool.AcquireFunc(ctx, migrate(schema)) })
	if err != nil {
		pool.Close()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, srv.fault(err)
	}
	s := &Store{locks: newLocks(srv, config.ConnConfig, schema, rand.Text()), pool: pool, server: srv}
	s.close = sync.OnceValue(func() error {
		srv.closed.Store(true)
		s.locks.close()
		pool.Close()
		return nil
	})
	return s, nil
}

// Close waits for calls that were begun, and ends all connections. Calls
// after it fail. Locks that are held are free then.
func (s *Store) Close() error { return s.close() }

// parse reads the URL, with the schema's name as search_path.
func parse(address string) (*pgxpool.Config, error) {
	if _, err := url.Parse(address); err != nil {
		return nil, errors.New("the address of the state is no URL such as postgres://user@host/database; a password in it must be percent-encoded")
	}
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		return nil, fmt.Errorf("cannot use the address of the state: %w", err) // which leaves the password out
	}
	if !strings.Contains(address, "pool_max_conns") {
		config.MaxConns = connections
	}
	params := config.ConnConfig.RuntimeParams
	switch schema := params["search_path"]; {
	case schema == "":
		params["search_path"] = "runner"
	case strings.ContainsAny(schema, `,"`):
		return nil, fmt.Errorf("the state needs a schema of its own: search_path names one, without quotes, and not %s", schema)
	}
	if params["application_name"] == "" {
		params["application_name"] = "runner"
	}
	// Both ends find out within a minute when the other one is gone.
	alive := net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}
	config.ConnConfig.DialFunc = (&net.Dialer{Timeout: 10 * time.Second, KeepAliveConfig: alive}).DialContext
	for name, value := range map[string]string{"tcp_keepalives_idle": "15", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3"} {
		if params[name] == "" {
			params[name] = value
		}
	}
	return config, nil
}

// nameOf is what people know the database by.
func nameOf(c *pgx.ConnConfig, schema string) string {
	u := url.URL{Scheme: "postgres", User: url.User(c.User), Host: net.JoinHostPort(c.Host, fmt.Sprint(c.Port)), Path: "/" + c.Database}
	if strings.HasPrefix(c.Host, "/") {
		u.Host, u.RawQuery = "", "host="+c.Host
	}
	return fmt.Sprintf("%s, schema %s", u.String(), schema)
}

// A durability says whether a commit waits for the server's disk. One that does not
// is on the disk with the next one that does, since all go to one log.
type durability string

const (
	// synced raises a setting that would not wait, and leaves those alone that
	// wait for more than the disk.
	synced  durability = "select set_config('synchronous_commit', case current_setting('synchronous_commit') when 'off' then 'on' else current_setting('synchronous_commit') end, true)"
	grouped durability = "set local synchronous_commit to off"
)

// begin begins a transaction that sees what others have committed meanwhile,
// which is what the check of the locks needs.
const begin = "begin isolation level read committed read write"

// change commits what queue puts into a batch: all of it or nothing. It may be
// called, and may take place, more than once.
func (s *Store) change(ctx context.Context, d durability, queue func(*pgx.Batch)) error {
	return s.server.try(ctx, func(ctx context.Context) error { return s.once(ctx, d, queue) })
}

// once is change without trying again.
func (s *Store) once(ctx context.Context, d durability, queue func(*pgx.Batch)) error {
	return s.pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
		b := &pgx.Batch{}
		b.Queue(begin)
		return commit(ctx, c, b, d, queue)
	})
}

// commit goes on with a batch that begins a transaction, or is in one.
func commit(ctx context.Context, c *pgxpool.Conn, b *pgx.Batch, d durability, queue func(*pgx.Batch)) error {
	b.Queue(string(d))
	queue(b)
	b.Queue("commit")
	return c.SendBatch(ctx, b).Close()
}

// one reads the first row of a query, if there is one.
func one[T any](ctx context.Context, s *Store, scan pgx.RowToFunc[T], query string, args ...any) (found T, ok bool, err error) {
	rows, err := all(ctx, s, scan, query, args...)
	if len(rows) == 0 {
		return found, false, err
	}
	return rows[0], true, nil
}

// all reads all rows of a query.
func all[T any](ctx context.Context, s *Store, scan pgx.RowToFunc[T], query string, args ...any) (found []T, err error) {
	err = s.server.try(ctx, func(ctx context.Context) error {
		rows, err := s.pool.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		found, err = pgx.AppendRows([]T(nil), rows, scan)
		return err
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// nanos is how times are kept: nanoseconds since 1970, and 0 for no time.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func moment(nanos int64) time.Time {
	if nanos == 0 {
		return time.Time{}
	}
	return time.Unix(0, nanos).UTC()
}
