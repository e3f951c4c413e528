package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/seed627bd532/runner/engine/state"
	"github.com/seed627bd532/runner/engine/state/files"
)

// A Store is a state.Store in a file. Open makes one.
type Store struct {
	*files.Locks
	path    string
	reading *sql.DB
	queries sync.Map // text to *sql.Stmt: those that were asked before
	writer  *writer
	close   func() error
}

var _ state.Store = (*Store)(nil)

// Open opens the database at path, and makes it and its folder when they are not
// there. Whatever is wrong with the file is an error that says what to do; a
// file that is no database of runner, is damaged at first sight, or was written by a newer
// runner, is left as it is. The holder closes the Store.
func Open(path string) (*Store, error) {
	made, err := prepare(path)
	if err != nil {
		return nil, err
	}
	real, err := filepath.EvalSymlinks(path) // whatever name the file is opened by, its locks are the same
	if err != nil {
		return nil, fmt.Errorf("cannot open the state in %s: %w", path, err)
	}
	s := &Store{Locks: files.NewLocks(real + "-locks"), path: path}
	db, err := connect(path)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	conn, err := set(db, real)
	if err != nil {
		db.Close()
		return nil, fault(path, err)
	}
	if made {
		if err := syncFolder(path); err != nil {
			db.Close()
			return nil, err
		}
	}
	file, err := os.Stat(path)
	if err != nil {
		db.Close()
		return nil, err
	}
	s.writer = newWriter(conn, path, file)
	if p, err := startPast(conn); err == nil { // writes fail by themselves, and say why
		s.writer.mark = openMark(real)
		s.writer.mark.write(p)
	}
	s.reading, err = connect(path, "query_only(1)")
	if err != nil {
		db.Close()
		return nil, err
	}
	s.reading.SetMaxOpenConns(readers)
	s.reading.SetMaxIdleConns(readers)
	s.close = sync.OnceValue(func() error {
		s.writer.close()
		return errors.Join(s.reading.Close(), db.Close()) // the last one tidies up
	})
	return s, nil
}

// readers is how many may read at the same time.
const readers = 4

// Close waits for writes that were begun, and closes the file. Calls after it
// fail. Locks that are held stay so until they are unlocked.
func (s *Store) Close() error { return s.close() }

// A scanner is a row of an answer.
type scanner interface{ Scan(...any) error }

// one reads the first row of a query, if there is one.
func one[T any](ctx context.Context, s *Store, scan func(scanner) (T, error), query string, args ...any) (found T, ok bool, err error) {
	err = s.rows(ctx, func(r scanner) (err error) {
		found, err = scan(r)
		ok = err == nil
		return err
	}, query, args...)
	return found, ok, err
}

// all reads all rows of a query.
func all[T any](ctx context.Context, s *Store, scan func(scanner) (T, error), query string, args ...any) (found []T, err error) {
	err = s.rows(ctx, func(r scanner) error {
		v, err := scan(r)
		found = append(found, v)
		return err
	}, query, args...)
	if err != nil {
		return nil, err
	}
	return found, nil
}

// rows calls each for every row of a query.
func (s *Store) rows(ctx context.Context, each func(scanner) error, query string, args ...any) error {
	stmt, err := s.query(ctx, query)
	if err != nil {
		return s.fault(ctx, err)
	}
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return s.fault(ctx, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			return s.fault(ctx, err)
		}
	}
	if err := rows.Err(); err != nil {
		return s.fault(ctx, err)
	}
	return nil
}

// query returns a query that is ready to be asked. Closing reading closes it.
func (s *Store) query(ctx context.Context, text string) (*sql.Stmt, error) {
	if known, ok := s.queries.Load(text); ok {
		return known.(*sql.Stmt), nil
	}
	stmt, err := s.reading.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	if known, other := s.queries.LoadOrStore(text, stmt); other {
		stmt.Close()
		return known.(*sql.Stmt), nil
	}
	return stmt, nil
}

// fault explains an error of a read, which may be that ctx ended.
func (s *Store) fault(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return fault(s.path, err)
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
