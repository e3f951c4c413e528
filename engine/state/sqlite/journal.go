package sqlite

import (
	"context"
	"slices"
	"time"

	"github.com/seed627bd532/runner/engine/state"
)

const columns = "run, kind, key, status, identity, at, payload"

func entry(r scanner) (e state.Entry, err error) {
	var at int64
	err = r.Scan(&e.Run, &e.Kind, &e.Key, &e.Status, &e.Identity, &at, &e.Payload)
	e.At = moment(at)
	return e, err
}

// Get is part of state.Journal.
func (s *Store) Get(ctx context.Context, run string, kind state.Kind, key string) (state.Entry, bool, error) {
	return one(ctx, s, entry, "SELECT "+columns+" FROM entries WHERE run = ? AND key = ? AND kind = ? AND folded = 0", run, key, string(kind))
}

// Put is part of state.Journal.
func (s *Store) Put(ctx context.Context, entries ...state.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	synced := slices.ContainsFunc(entries, func(e state.Entry) bool { return e.Status == state.Intended })
	return s.writer.do(ctx, synced, func(t *tx) error {
		for _, e := range entries {
			if err := put(t, e); err != nil {
				return err
			}
		}
		return nil
	})
}

func put(t *tx, e state.Entry) error {
	_, err := t.exec("INSERT INTO entries ("+columns+", folded) VALUES (?, ?, ?, ?, ?, ?, ?, 0)"+
		" ON CONFLICT DO UPDATE SET status = excluded.status, identity = excluded.identity, at = excluded.at, payload = excluded.payload, folded = 0",
		e.Run, string(e.Kind), e.Key, string(e.Status), e.Identity, nanos(e.At), e.Payload)
	return err
}

// Fold is part of state.Journal.
func (s *Store) Fold(ctx context.Context, e state.Entry) error {
	// In the order of bytes, '$' and '0' follow '#' and '/'. The first line
	// is what the index serves.
	const summedUp = ` WHERE run = ?1 AND key >= ?2 AND key < ?2 || '0'
		AND (key = ?2 AND kind <> ?3 OR key >= ?2 || '#' AND key < ?2 || '$' OR key >= ?2 || '/')
		AND folded = 0 AND status `
	return s.writer.do(ctx, e.Status == state.Intended, func(t *tx) error {
		if _, err := t.exec("UPDATE entries SET folded = 1"+summedUp+"IN ('intended', 'done')", e.Run, e.Key, string(e.Kind)); err != nil {
			return err
		}
		if _, err := t.exec("DELETE FROM entries"+summedUp+"NOT IN ('intended', 'done')", e.Run, e.Key, string(e.Kind)); err != nil {
			return err
		}
		return put(t, e)
	})
}

// Creates is part of state.Journal.
func (s *Store) Creates(ctx context.Context, identity string, since time.Time) ([]state.Entry, error) {
	if identity == "" {
		return nil, nil
	}
	return all(ctx, s, entry, "SELECT "+columns+" FROM entries WHERE identity = ? AND identity <> ''"+
		" AND (status = 'intended' OR status = 'done' AND at >= ?) ORDER BY at, run, key", identity, nanos(since))
}
