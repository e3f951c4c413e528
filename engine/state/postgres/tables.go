package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/seed627bd532/runner/engine/state"
)

// Value is part of state.Tables.
func (s *Store) Value(ctx context.Context, table, key string) ([]byte, bool, error) {
	return one(ctx, s, pgx.RowTo[[]byte], "SELECT value FROM ledger WHERE name = $1 AND digest = sha256($2)", []byte(table), []byte(key))
}

// PutValue is part of state.Tables.
func (s *Store) PutValue(ctx context.Context, table, key string, value []byte) error {
	return s.change(ctx, synced, func(b *pgx.Batch) {
		b.Queue("INSERT INTO ledger (name, key, value) VALUES ($1, $2, $3) ON CONFLICT (name, digest) DO UPDATE SET value = excluded.value",
			[]byte(table), []byte(key), value)
	})
}

// DeleteValue is part of state.Tables.
func (s *Store) DeleteValue(ctx context.Context, table, key string) error {
	return s.change(ctx, synced, func(b *pgx.Batch) {
		b.Queue("DELETE FROM ledger WHERE name = $1 AND digest = sha256($2)", []byte(table), []byte(key))
	})
}

// page is how many rows Values reads at once.
const page = 500

// Values is part of state.Tables.
func (s *Store) Values(ctx context.Context, table string) func(yield func(state.Row, error) bool) {
	// The head alone would serve for the order where keys are short; it comes
	// first because it is what the index has.
	const from = "SELECT key, value FROM ledger WHERE name = $1"
	const order = " ORDER BY substring(key FROM 1 FOR 400), key LIMIT $2"
	return func(yield func(state.Row, error) bool) {
		query, args := from+order, []any{[]byte(table), page}
		for {
			rows, err := all(ctx, s, row, query, args...)
			if err != nil {
				yield(state.Row{}, err)
				return
			}
			for _, r := range rows {
				if !yield(r, nil) {
					return
				}
			}
			if len(rows) < page {
				return
			}
			query = from + " AND substring(key FROM 1 FOR 400) >= substring($3::bytea FROM 1 FOR 400) AND key > $3" + order
			args = []any{[]byte(table), page, []byte(rows[len(rows)-1].Key)}
		}
	}
}

func row(r pgx.CollectableRow) (found state.Row, err error) {
	var key []byte
	err = r.Scan(&key, &found.Value)
	found.Key = string(key)
	return found, err
}
