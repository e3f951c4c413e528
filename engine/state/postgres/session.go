package postgres

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/jackc/pgx/v5"
)

// A session is one connection that is made anew when it breaks. One goroutine
// at a time uses it.
type session struct {
	config *pgx.ConnConfig
	turn   chan struct{}

	// For whoever has the turn.
	conn   *pgx.Conn
	old    uint32 // the process that served the connection before
	closed bool
}

var errClosed = errors.New("the session is closed")

// newSession returns a session that has no connection yet. owner is its name
// among all sessions.
func newSession(config *pgx.ConnConfig, owner string) session {
	config = config.Copy()
	config.RuntimeParams = maps.Clone(config.RuntimeParams)
	config.RuntimeParams["application_name"] = "runner's locks " + owner
	config.RuntimeParams["synchronous_commit"] = "off" // a server that crashes forgets the locks anyhow
	return session{config: config, turn: make(chan struct{}, 1)}
}

// use calls do with the connection, after fresh when that is new. What was
// begun is not broken off, since that would cost the connection: ctx only ends the
// wait for it.
func (s *session) use(ctx context.Context, fresh, do func(context.Context, *pgx.Conn) error) error {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if s.closed {
		return errClosed
	}
	if s.conn == nil {
		if err := s.connect(ctx, fresh); err != nil {
			return err
		}
	}
	return s.call(ctx, do)
}

// whileIn calls do with the connection if there is one, and it is this one
// unless that is nil. Errors end the connection, and with it what do was to undo.
func (s *session) whileIn(this *pgx.Conn, do func(context.Context, *pgx.Conn) error) {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	if s.conn != nil && (this == nil || this == s.conn) {
		s.call(context.Background(), do)
	}
}

func (s *session) call(ctx context.Context, do func(context.Context, *pgx.Conn) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), attemptFor)
	defer cancel()
	err := do(ctx, s.conn)
	if err != nil {
		s.drop()
	}
	return err
}

func (s *session) connect(ctx context.Context, fresh func(context.Context, *pgx.Conn) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), attemptFor)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, s.config)
	if err != nil {
		return err
	}
	s.conn = conn
	err = s.bury(ctx)
	if err == nil {
		err = fresh(ctx, conn)
	}
	if err != nil {
		s.drop()
	}
	return err
}

// bury ends the server's side of the old connection, which it may not have
// noticed to be gone, and waits until that has given up its locks.
func (s *session) bury(ctx context.Context) error {
	for there := s.old != 0; there; {
		err := s.conn.QueryRow(ctx, "SELECT count(pg_terminate_backend(pid)) > 0 FROM pg_stat_activity WHERE pid = $1 AND application_name = $2",
			int32(s.old), s.config.RuntimeParams["application_name"]).Scan(&there)
		if err != nil {
			return err
		}
		if there {
			sleep(ctx, 10*time.Millisecond)
		}
	}
	return nil
}

// drop ends the connection.
func (s *session) drop() {
	s.old = s.conn.PgConn().PID()
	ctx, cancel := context.WithTimeout(context.Background(), attemptFor)
	defer cancel()
	s.conn.Close(ctx)
	s.conn = nil
}

func (s *session) close() {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	s.closed = true
	if s.conn != nil {
		s.drop()
	}
}
