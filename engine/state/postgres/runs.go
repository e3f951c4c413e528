package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/seed627bd532/runner/engine/state"
)

const runColumns = "id, key, pipeline, files, inputs, began, ended, status, outcome"

func run(row pgx.CollectableRow) (r state.Run, err error) {
	var key, pipeline, files []byte
	var began, ended int64
	if err := row.Scan(&r.ID, &key, &pipeline, &files, &r.Inputs, &began, &ended, &r.Status, &r.Outcome); err != nil {
		return r, err
	}
	r.Key, r.Pipeline, r.Began, r.Ended = string(key), string(pipeline), moment(began), moment(ended)
	if err := json.Unmarshal(files, &r.Files); err != nil {
		return r, refusal{fmt.Errorf("the files of run %s cannot be read: %w", r.ID, err)}
	}
	return r, nil
}

// Begin is part of state.Runs.
func (s *Store) Begin(ctx context.Context, r state.Run) error {
	files, err := json.Marshal(r.Files)
	if err != nil {
		return err
	}
	var key []byte
	if r.Key != "" {
		key = []byte(r.Key)
	}
	again := false
	return s.server.try(ctx, func(ctx context.Context) error {
		err := s.once(ctx, synced, func(b *pgx.Batch) {
			b.Queue("INSERT INTO runs ("+runColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
				r.ID, key, []byte(r.Pipeline), files, r.Inputs, nanos(r.Began), nanos(r.Ended), r.Status, r.Outcome)
		})
		var pg *pgconn.PgError
		if !errors.As(err, &pg) || pg.Code != uniqueViolation {
			again = true
			return err
		}
		switch {
		case again:
			// The attempt before may have been recorded, and its answer lost.
			var same bool
			if err := s.pool.QueryRow(ctx, "SELECT count(*) = 1 FROM runs WHERE id = $1 AND key IS NOT DISTINCT FROM $2 AND began = $3", r.ID, key, nanos(r.Began)).Scan(&same); err != nil || same {
				return err
			}
			fallthrough
		case pg.ConstraintName == "runs_by_key":
			return refusal{state.ErrKeyTaken}
		}
		return refusal{fmt.Errorf("a run %s is there already", r.ID)}
	})
}

const uniqueViolation = "23505"

// Run is part of state.Runs.
func (s *Store) Run(ctx context.Context, id string) (state.Run, bool, error) {
	return one(ctx, s, run, "SELECT "+runColumns+" FROM runs WHERE id = $1", id)
}

// RunByKey is part of state.Runs.
func (s *Store) RunByKey(ctx context.Context, key string) (state.Run, bool, error) {
	return one(ctx, s, run, "SELECT "+runColumns+" FROM runs WHERE sha256(key) = sha256($1)", []byte(key))
}

// Update is part of state.Runs.
func (s *Store) Update(ctx context.Context, r state.Run) error {
	files, err := json.Marshal(r.Files)
	if err != nil {
		return err
	}
	return s.change(ctx, synced, func(b *pgx.Batch) {
		b.Queue("UPDATE runs SET pipeline = $2, files = $3, inputs = $4, ended = $5, status = $6, outcome = $7 WHERE id = $1",
			r.ID, []byte(r.Pipeline), files, r.Inputs, nanos(r.Ended), r.Status, r.Outcome).Exec(func(done pgconn.CommandTag) error {
			if done.RowsAffected() == 0 {
				return refusal{fmt.Errorf("there is no run %s", r.ID)}
			}
			return nil
		})
	})
}

// Runs is part of state.Runs.
func (s *Store) Runs(ctx context.Context, limit int) ([]state.Run, error) {
	var most *int // all
	if limit > 0 {
		most = &limit
	}
	return all(ctx, s, run, "SELECT "+runColumns+" FROM runs ORDER BY began DESC, id COLLATE \"C\" DESC LIMIT $1", most)
}

// Entries is part of state.Runs.
func (s *Store) Entries(ctx context.Context, run string) ([]state.Entry, error) {
	return all(ctx, s, entry, "SELECT "+columns+" FROM entries WHERE run = $1 ORDER BY at, key, kind COLLATE \"C\"", run)
}

// Prune is part of state.Runs. When the connection breaks in the middle, it may
// have forgotten more than it says.
func (s *Store) Prune(ctx context.Context, before time.Time) (gone []string, err error) {
	err = s.change(ctx, synced, func(b *pgx.Batch) {
		b.Queue(`WITH gone AS (
				DELETE FROM runs WHERE ended <> 0 AND ended < $1 AND id NOT IN (SELECT run FROM entries WHERE status = 'intended') RETURNING id
			), entries AS (
				DELETE FROM entries WHERE run IN (SELECT id FROM gone)
			)
			SELECT id FROM gone ORDER BY id COLLATE "C"`, nanos(before)).Query(func(rows pgx.Rows) (err error) {
			gone, err = pgx.AppendRows([]string(nil), rows, pgx.RowTo[string])
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return gone, nil
}
