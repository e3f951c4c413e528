package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// migrations lead from each version of the schema to the next; their number is
// the version that this package knows. What is released stays as it is.
//
// Keys, identities and names are bytes, since text cannot hold all of them.
// They may be longer than an index allows, so indexes have their digests, or
// their heads where order counts. Times are nanoseconds since 1970, which
// PostgreSQL's own do not hold, and 0 for none.
var migrations = []string{`
CREATE TABLE runs (
	id       text PRIMARY KEY,
	key      bytea, -- NULL for none
	pipeline bytea NOT NULL,
	files    bytea NOT NULL, -- a JSON object
	inputs   bytea,
	began    bigint NOT NULL,
	ended    bigint NOT NULL,
	status   text NOT NULL,
	outcome  bytea
);
CREATE UNIQUE INDEX runs_by_key ON runs (sha256(key));
CREATE INDEX runs_by_age ON runs (began, id);
CREATE TABLE entries (
	run      text NOT NULL,
	kind     text NOT NULL,
	key      bytea NOT NULL,
	status   text NOT NULL,
	identity bytea NOT NULL,
	at       bigint NOT NULL,
	payload  bytea,
	folded   boolean NOT NULL, -- of creates that are only kept to be found as such
	digest   bytea GENERATED ALWAYS AS (sha256(key)) STORED,
	PRIMARY KEY (run, digest, kind)
);
CREATE INDEX entries_by_key ON entries (run, (substring(key FROM 1 FOR 400)));
CREATE INDEX entries_by_identity ON entries (sha256(identity)) WHERE identity <> '';
CREATE INDEX entries_intended ON entries (run) WHERE status = 'intended';
CREATE TABLE ledger (
	name     bytea NOT NULL,
	key      bytea NOT NULL,
	value    bytea NOT NULL,
	digest   bytea GENERATED ALWAYS AS (sha256(key)) STORED,
	PRIMARY KEY (name, digest)
);
CREATE INDEX ledger_by_key ON ledger (name, (substring(key FROM 1 FOR 400)));
CREATE TABLE tokens (
	digest   bytea PRIMARY KEY, -- of the key
	token    text NOT NULL,
	refresh  text NOT NULL,
	expires  bigint NOT NULL
);
CREATE TABLE locks (
	digest   bytea PRIMARY KEY, -- of the name
	owner    text NOT NULL      -- the Store that had it last
);
`}

// migrate brings the schema to the version that this package knows, in one
// step. Several may do so at once.
func migrate(schema string) func(*pgxpool.Conn) error {
	return func(c *pgxpool.Conn) error {
		ctx, cancel := context.WithTimeout(context.Background(), attemptFor)
		defer cancel()
		if v, err := versionOf(ctx, schema, c); err != nil || v == len(migrations) {
			return err // so that whoever may not change the schema can use it
		}
		return pgx.BeginTxFunc(ctx, c, pgx.TxOptions{IsoLevel: pgx.ReadCommitted, AccessMode: pgx.ReadWrite}, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", number("migration", schema)); err != nil {
				return err
			}
			v, err := versionOf(ctx, schema, tx)
			if err != nil {
				return err
			}
			steps := "CREATE SCHEMA IF NOT EXISTS " + pgx.Identifier{schema}.Sanitize() + "; CREATE TABLE IF NOT EXISTS migrations (version integer PRIMARY KEY, at timestamptz NOT NULL DEFAULT now());"
			for i, migration := range migrations[v:] {
				steps += migration + fmt.Sprintf("INSERT INTO migrations (version) VALUES (%d);", v+i+1)
			}
			return tx.Conn().PgConn().Exec(ctx, steps).Close()
		})
	}
}

// versionOf returns the version of the schema, 0 when it is not there. It asks the
// catalogue's tables, since names are looked up in what the session saw before.
func versionOf(ctx context.Context, schema string, q interface {
	QueryRow(context.Context, string, ...any) pgx.Row
}) (v int, err error) {
	var made bool
	err = q.QueryRow(ctx, "SELECT count(*) > 0 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = 'migrations'", schema).Scan(&made)
	if err != nil || !made {
		return 0, err
	}
	err = q.QueryRow(ctx, "SELECT coalesce(max(version), 0) FROM "+pgx.Identifier{schema, "migrations"}.Sanitize()).Scan(&v)
	if err == nil && v > len(migrations) {
		err = newer(v)
	}
	return v, err
}
