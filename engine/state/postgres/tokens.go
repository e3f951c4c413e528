package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/seed627bd532/runner/engine/auth"
)

// Token is part of state.Tokens.
func (s *Store) Token(ctx context.Context, key string) (auth.Token, bool, error) {
	return one(ctx, s, token, "SELECT token, refresh, expires FROM tokens WHERE digest = sha256($1)", []byte(key))
}

// PutToken is part of state.Tokens.
func (s *Store) PutToken(ctx context.Context, key string, t auth.Token) error {
	return s.change(ctx, grouped, func(b *pgx.Batch) {
		b.Queue("INSERT INTO tokens (digest, token, refresh, expires) VALUES (sha256($1), $2, $3, $4)"+
			" ON CONFLICT (digest) DO UPDATE SET token = excluded.token, refresh = excluded.refresh, expires = excluded.expires",
			[]byte(key), t.Value, t.Refresh, nanos(t.Expires))
	})
}

func token(r pgx.CollectableRow) (t auth.Token, err error) {
	var expires int64
	err = r.Scan(&t.Value, &t.Refresh, &expires)
	t.Expires = moment(expires)
	return t, err
}
