package state

import (
	"context"
	"maps"
	"slices"
	"sync"
)

// memoryTables holds tables by name.
type memoryTables struct {
	mu     sync.Mutex
	tables map[string]map[string][]byte
}

// Value is part of Tables. It never fails.
func (t *memoryTables) Value(_ context.Context, table, key string) ([]byte, bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	value, ok := t.tables[table][key]
	return value, ok, nil
}

// PutValue is part of Tables. It never fails.
func (t *memoryTables) PutValue(_ context.Context, table, key string, value []byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.tables[table] == nil {
		t.tables[table] = map[string][]byte{}
	}
	t.tables[table][key] = value
	return nil
}

// DeleteValue is part of Tables. It never fails.
func (t *memoryTables) DeleteValue(_ context.Context, table, key string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.tables[table], key)
	if len(t.tables[table]) == 0 {
		delete(t.tables, table)
	}
	return nil
}

// Values is part of Tables. It yields the rows of the moment when it begins.
func (t *memoryTables) Values(_ context.Context, table string) func(yield func(Row, error) bool) {
	return func(yield func(Row, error) bool) {
		t.mu.Lock()
		rows := maps.Clone(t.tables[table])
		t.mu.Unlock()
		for _, key := range slices.Sorted(maps.Keys(rows)) {
			if !yield(Row{Key: key, Value: rows[key]}, nil) {
				return
			}
		}
	}
}
