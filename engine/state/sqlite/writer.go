package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
)

// A writer lets one goroutine write at a time. Whoever comes to write while
// another does joins a queue, and the next writer commits the whole queue at once.
type writer struct {
	path string
	file os.FileInfo // what path named when it was opened
	turn chan struct{}
	mark *mark // nil: none is kept

	mu    sync.Mutex
	queue []*job

	// For whoever has the turn.
	conn   *sql.Conn
	stmts  map[string]*sql.Stmt
	synced bool // how the connection is set
	closed bool
}

// A job is one change: all of it is committed or nothing.
type job struct {
	synced bool // wanted on the disk
	change func(*tx) error
	err    error
	done   chan struct{}
}

// A refusal is an error of a change that has changed nothing.
type refusal struct{ error }

func newWriter(conn *sql.Conn, path string, file os.FileInfo) *writer {
	return &writer{path: path, file: file, turn: make(chan struct{}, 1), conn: conn, stmts: map[string]*sql.Stmt{}, synced: true}
}

// do commits a change, with others that wait. When ctx ends before it was
// begun, do returns its cause and nothing is changed.
func (w *writer) do(ctx context.Context, synced bool, change func(*tx) error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	j := &job{synced: synced, change: change, done: make(chan struct{})}
	w.mu.Lock()
	w.queue = append(w.queue, j)
	w.mu.Unlock()
	select {
	case <-j.done:
	case w.turn <- struct{}{}:
		w.commit(w.next())
		<-w.turn
		<-j.done // now, or by the one before
	case <-ctx.Done():
		if w.leave(j) {
			return context.Cause(ctx)
		}
		<-j.done
	}
	return j.err
}

// next takes the queue.
func (w *writer) next() []*job {
	w.mu.Lock()
	defer w.mu.Unlock()
	group := w.queue
	w.queue = nil
	return group
}

// leave takes a job out of the queue, if it is still in it.
func (w *writer) leave(j *job) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.Index(w.queue, j)
	if i >= 0 {
		w.queue = slices.Delete(w.queue, i, i+1)
	}
	return i >= 0
}

// commit ends every job of the group. What fails in company is tried alone, so
// that only those fail that are to blame.
func (w *writer) commit(group []*job) {
	err := w.try(group)
	alone := err != nil && len(group) > 1
	for _, j := range group {
		if alone {
			err = w.try([]*job{j})
		}
		if err != nil {
			j.err = err
		}
		close(j.done)
	}
}

// try commits the group as one transaction, or nothing of it. What a change
// refuses is its job's own error.
func (w *writer) try(group []*job) (err error) {
	if len(group) == 0 {
		return nil
	}
	if w.closed {
		return fmt.Errorf("the state in %s is closed", w.path)
	}
	synced := slices.ContainsFunc(group, func(j *job) bool { return j.synced })
	if err := w.ready(synced); err != nil {
		return fault(w.path, err)
	}
	t := &tx{w}
	if _, err := t.exec("BEGIN IMMEDIATE"); err != nil {
		return fault(w.path, err)
	}
	for _, j := range group {
		var refused refusal
		switch err = j.change(t); {
		case errors.As(err, &refused):
			j.err, err = refused.error, nil
		default:
			j.err = nil
		}
		if err != nil {
			break
		}
	}
	var now past
	if err == nil && synced && w.mark != nil {
		now, err = t.advance()
	}
	if err == nil {
		_, err = t.exec("COMMIT")
	}
	if err != nil {
		w.conn.ExecContext(context.Background(), "ROLLBACK") // some faults have done so already
		return fault(w.path, err)
	}
	if synced {
		w.mark.write(now)
	}
	return nil
}

// ready sets whether commits wait for the disk. Those that need not are
// on the disk with the next one that does, since all go to one log.
func (w *writer) ready(synced bool) error {
	if synced {
		file, err := os.Stat(w.path)
		if err != nil || !os.SameFile(file, w.file) {
			return errReplaced
		}
	}
	if synced == w.synced {
		return nil
	}
	level := "NORMAL"
	if synced {
		level = "FULL"
	}
	if _, err := w.conn.ExecContext(context.Background(), "PRAGMA synchronous="+level); err != nil {
		return err
	}
	w.synced = synced
	return nil
}

// close lets the current writer end, and no other begin.
func (w *writer) close() {
	w.turn <- struct{}{}
	w.closed = true
	for _, stmt := range w.stmts {
		stmt.Close()
	}
	w.conn.Close()
	w.mark.close()
	<-w.turn
}

// A tx is what a change is made with. It is good while the change is.
type tx struct{ w *writer }

// exec changes, and says how many rows.
func (t *tx) exec(query string, args ...any) (int64, error) {
	stmt, err := t.stmt(query)
	if err != nil {
		return 0, err
	}
	res, err := stmt.ExecContext(context.Background(), args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// strings reads one column of text.
func (t *tx) strings(query string, args ...any) ([]string, error) {
	stmt, err := t.stmt(query)
	if err != nil {
		return nil, err
	}
	rows, err := stmt.QueryContext(context.Background(), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		found = append(found, s)
	}
	return found, rows.Err()
}

func (t *tx) stmt(query string) (*sql.Stmt, error) {
	if stmt, ok := t.w.stmts[query]; ok {
		return stmt, nil
	}
	stmt, err := t.w.conn.PrepareContext(context.Background(), query)
	if err == nil {
		t.w.stmts[query] = stmt
	}
	return stmt, err
}
