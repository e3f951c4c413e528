package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// A server is what is known of the other side: its name, for people, and how
// long to wait when it is away.
type server struct {
	name     string
	patience time.Duration
	closed   *atomic.Bool // by this side
}

// A refusal is an answer that trying again would not change.
type refusal struct{ error }

// try does something that may be done twice, again and again while the
// server is away. It returns the cause when ctx ends.
func (s server) try(ctx context.Context, do func(context.Context) error) error {
	var refused refusal
	end := time.Now().Add(s.patience)
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if s.closed.Load() {
			return fmt.Errorf("the state in %s is closed", s.name)
		}
		err := s.attempt(ctx, do)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.As(err, &refused):
			return refused.error
		case !passing(err) || s.closed.Load():
			return s.fault(err)
		case time.Now().After(end):
			return fmt.Errorf("the state in %s cannot be reached. What was to be recorded is not, or not for certain. Resume the run once the server is back: %w", s.name, err)
		}
		sleep(ctx, pause)
	}
}

// attempt gives a server that does not answer up after a while.
func (s server) attempt(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, attemptFor)
	defer cancel()
	return do(ctx)
}

// passing says whether an error may be gone in a moment: the connection broke,
// or the server is starting, stopping, out of connections, or chose this call to resolve
// a conflict.
func passing(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return true
	}
	switch pg.Code {
	case "57P01", "57P02", "57P03", "53300", "40001", "40P01":
		return true
	}
	return strings.HasPrefix(pg.Code, "08")
}

// newer says that the schema is of a version that this package does not know.
type newer int

func (n newer) Error() string {
	return fmt.Sprintf("a newer runner made it: it has version %d, and this runner knows versions up to %d", int(n), len(migrations))
}

// fault explains an error that trying again does not mend, and says what to do.
func (s server) fault(err error) error {
	var newer newer
	if errors.As(err, &newer) {
		return fmt.Errorf("cannot use the state in %s: %w. Nothing was changed. Use a runner as new as that one, or another schema", s.name, err)
	}
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return fmt.Errorf("the state in %s cannot be reached: %w", s.name, err)
	}
	switch pg.Code {
	case "53100":
		return fmt.Errorf("cannot write the state in %s: the server's disk is full. Nothing of this was recorded. Make room and try again: %w", s.name, err)
	case "25006":
		return fmt.Errorf("cannot write the state in %s: the server only reads, as a standby does. Nothing of this was recorded. Name the primary: %w", s.name, err)
	case "42501":
		return fmt.Errorf("the role may not use the state in %s. Nothing of this was recorded. It needs to own the schema: %w", s.name, err)
	}
	return fmt.Errorf("the state in %s fails. Nothing of this was recorded: %w", s.name, err)
}

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
