package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/seed627bd532/runner/engine/state"
)

const columns = "run, kind, key, status, identity, at, payload"

func entry(r pgx.CollectableRow) (e state.Entry, err error) {
	var key, identity []byte
	var at int64
	err = r.Scan(&e.Run, &e.Kind, &key, &e.Status, &identity, &at, &e.Payload)
	e.Key, e.Identity, e.At = string(key), string(identity), moment(at)
	return e, err
}

// Get is part of state.Journal.
func (s *Store) Get(ctx context.Context, run string, kind state.Kind, key string) (state.Entry, bool, error) {
	return one(ctx, s, entry, "SELECT "+columns+" FROM entries WHERE run = $1 AND digest = sha256($2) AND kind = $3 AND NOT folded", run, []byte(key), string(kind))
}

// Put is part of state.Journal.
func (s *Store) Put(ctx context.Context, entries ...state.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	return s.write(ctx, slices.ContainsFunc(entries, intended), func(b *pgx.Batch) {
		for _, e := range entries {
			put(b, e)
		}
	})
}

// Fold is part of state.Journal.
func (s *Store) Fold(ctx context.Context, e state.Entry) error {
	// In the order of bytes, '$' and '0' follow '#' and '/'. The second line is
	// what the index serves.
	const summedUp = ` WHERE run = $1
		AND substring(key FROM 1 FOR 400) >= substring($2::bytea FROM 1 FOR 400) AND substring(key FROM 1 FOR 400) < substring($2::bytea FROM 1 FOR 400) || '0'
		AND (key = $2 AND kind <> $3 OR key >= $2 || '#'::bytea AND key < $2 || '$'::bytea OR key >= $2 || '/'::bytea AND key < $2 || '0'::bytea)
		AND NOT folded AND status `
	return s.write(ctx, intended(e), func(b *pgx.Batch) {
		b.Queue("UPDATE entries SET folded = true"+summedUp+"IN ('intended', 'done')", e.Run, []byte(e.Key), string(e.Kind))
		b.Queue("DELETE FROM entries"+summedUp+"NOT IN ('intended', 'done')", e.Run, []byte(e.Key), string(e.Kind))
		put(b, e)
	})
}

func intended(e state.Entry) bool { return e.Status == state.Intended }

func put(b *pgx.Batch, e state.Entry) {
	b.Queue("INSERT INTO entries ("+columns+", folded) VALUES ($1, $2, $3, $4, $5, $6, $7, false)"+
		" ON CONFLICT (run, digest, kind) DO UPDATE SET status = excluded.status, identity = excluded.identity, at = excluded.at, payload = excluded.payload, folded = false",
		e.Run, string(e.Kind), []byte(e.Key), string(e.Status), []byte(e.Identity), nanos(e.At), e.Payload)
}

// write changes the journal. An intent waits for the disk, and is refused when
// a lock was lost: whoever takes a lock over waits for those who are between the check
// and the commit, so that they are found, and is seen by all who check later.
func (s *Store) write(ctx context.Context, intent bool, queue func(*pgx.Batch)) error {
	if !intent {
		return s.change(ctx, grouped, queue)
	}
	return s.server.try(ctx, func(ctx context.Context) error {
		held := s.locks.held()
		if len(held) == 0 {
			return s.once(ctx, synced, queue)
		}
		return s.pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
			b := &pgx.Batch{}
			b.Queue(begin)
			b.Queue("SELECT pg_advisory_xact_lock_shared($1)", s.locks.fence)
			var mine [][]byte
			b.Queue("SELECT digest FROM locks WHERE owner = $1 AND digest = ANY($2::bytea[])", s.locks.owner, digests(held)).Query(func(rows pgx.Rows) (err error) {
				mine, err = pgx.CollectRows(rows, pgx.RowTo[[]byte])
				return err
			})
			if err := c.SendBatch(ctx, b).Close(); err != nil {
				return err
			}
			if h := s.locks.lost(held, mine); h != nil {
				c.Exec(ctx, "rollback")
				return refusal{lostError{h.name, s.server.name}}
			}
			return commit(ctx, c, &pgx.Batch{}, synced, queue)
		})
	})
}

// Creates is part of state.Journal.
func (s *Store) Creates(ctx context.Context, identity string, since time.Time) ([]state.Entry, error) {
	if identity == "" {
		return nil, nil
	}
	return all(ctx, s, entry, "SELECT "+columns+" FROM entries WHERE sha256(identity) = sha256($1) AND identity <> ''"+
		" AND (status = 'intended' OR status = 'done' AND at >= $2) ORDER BY at, run COLLATE \"C\", key", []byte(identity), nanos(since))
}
