package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/seed627bd532/runner/engine/state"
)

const runColumns = "id, ifnull(key, ''), pipeline, files, inputs, began, ended, status, outcome"

func run(row scanner) (r state.Run, err error) {
	var files []byte
	var began, ended int64
	if err := row.Scan(&r.ID, &r.Key, &r.Pipeline, &files, &r.Inputs, &began, &ended, &r.Status, &r.Outcome); err != nil {
		return r, err
	}
	r.Began, r.Ended = moment(began), moment(ended)
	if err := json.Unmarshal(files, &r.Files); err != nil {
		return r, fmt.Errorf("the files of run %s cannot be read: %w", r.ID, err)
	}
	return r, nil
}

// Begin is part of state.Runs.
func (s *Store) Begin(ctx context.Context, r state.Run) error {
	files, err := json.Marshal(r.Files)
	if err != nil {
		return err
	}
	return s.writer.do(ctx, true, func(t *tx) error {
		same, err := t.strings("SELECT id FROM runs WHERE id = ?", r.ID)
		if err != nil {
			return err
		}
		if len(same) > 0 {
			return refusal{fmt.Errorf("a run %s is there already", r.ID)}
		}
		var key any
		if r.Key != "" {
			key = r.Key
			same, err := t.strings("SELECT id FROM runs WHERE key = ?", r.Key)
			if err != nil {
				return err
			}
			if len(same) > 0 {
				return refusal{state.ErrKeyTaken}
			}
		}
		_, err = t.exec("INSERT INTO runs (id, key, pipeline, files, inputs, began, ended, status, outcome) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
			r.ID, key, r.Pipeline, files, r.Inputs, nanos(r.Began), nanos(r.Ended), r.Status, r.Outcome)
		return err
	})
}

// Run is part of state.Runs.
func (s *Store) Run(ctx context.Context, id string) (state.Run, bool, error) {
	return one(ctx, s, run, "SELECT "+runColumns+" FROM runs WHERE id = ?", id)
}

// RunByKey is part of state.Runs.
func (s *Store) RunByKey(ctx context.Context, key string) (state.Run, bool, error) {
	return one(ctx, s, run, "SELECT "+runColumns+" FROM runs WHERE key = ?", key)
}

// Update is part of state.Runs.
func (s *Store) Update(ctx context.Context, r state.Run) error {
	files, err := json.Marshal(r.Files)
	if err != nil {
		return err
	}
	return s.writer.do(ctx, true, func(t *tx) error {
		n, err := t.exec("UPDATE runs SET pipeline = ?, files = ?, inputs = ?, ended = ?, status = ?, outcome = ? WHERE id = ?",
			r.Pipeline, files, r.Inputs, nanos(r.Ended), r.Status, r.Outcome, r.ID)
		if err == nil && n == 0 {
			return refusal{fmt.Errorf("there is no run %s", r.ID)}
		}
		return err
	})
}

// Runs is part of state.Runs.
func (s *Store) Runs(ctx context.Context, limit int) ([]state.Run, error) {
	if limit == 0 {
		limit = -1
	}
	return all(ctx, s, run, "SELECT "+runColumns+" FROM runs ORDER BY began DESC, id DESC LIMIT ?", limit)
}

// Entries is part of state.Runs.
func (s *Store) Entries(ctx context.Context, run string) ([]state.Entry, error) {
	return all(ctx, s, entry, "SELECT "+columns+" FROM entries WHERE run = ? ORDER BY at, key, kind", run)
}

// Prune is part of state.Runs. Its room in the file is used again.
func (s *Store) Prune(ctx context.Context, before time.Time) (gone []string, err error) {
	err = s.writer.do(ctx, true, func(t *tx) (err error) {
		gone, err = t.strings(`SELECT id FROM runs WHERE ended <> 0 AND ended < ?
			AND id NOT IN (SELECT run FROM entries WHERE status = 'intended') ORDER BY id`, nanos(before))
		for _, id := range gone {
			if _, err := t.exec("DELETE FROM entries WHERE run = ?", id); err != nil {
				return err
			}
			if _, err := t.exec("DELETE FROM runs WHERE id = ?", id); err != nil {
				return err
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return gone, nil
}
