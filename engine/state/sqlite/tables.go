package sqlite

import (
	"context"

	"github.com/seed627bd532/runner/engine/state"
)

// Value is part of state.Tables.
func (s *Store) Value(ctx context.Context, table, key string) ([]byte, bool, error) {
	return one(ctx, s, value, "SELECT value FROM ledger WHERE name = ? AND key = ?", table, key)
}

// PutValue is part of state.Tables.
func (s *Store) PutValue(ctx context.Context, table, key string, value []byte) error {
	return s.writer.do(ctx, true, func(t *tx) error {
		_, err := t.exec("INSERT INTO ledger (name, key, value) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", table, key, value)
		return err
	})
}

// DeleteValue is part of state.Tables.
func (s *Store) DeleteValue(ctx context.Context, table, key string) error {
	return s.writer.do(ctx, true, func(t *tx) error {
		_, err := t.exec("DELETE FROM ledger WHERE name = ? AND key = ?", table, key)
		return err
	})
}

// page is how many rows Values reads at once.
const page = 500

// Values is part of state.Tables.
func (s *Store) Values(ctx context.Context, table string) func(yield func(state.Row, error) bool) {
	return func(yield func(state.Row, error) bool) {
		query, args := "SELECT key, value FROM ledger WHERE name = ? ORDER BY key LIMIT ?", []any{table, page}
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
			query, args = "SELECT key, value FROM ledger WHERE name = ? AND key > ? ORDER BY key LIMIT ?", []any{table, rows[len(rows)-1].Key, page}
		}
	}
}

func value(r scanner) (found []byte, err error) {
	err = r.Scan(&found)
	return found, err
}

func row(r scanner) (found state.Row, err error) {
	err = r.Scan(&found.Key, &found.Value)
	return found, err
}
