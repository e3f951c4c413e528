package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// applicationID marks databases of runner in their header: "runr".
const applicationID = 0x72756e72

// migrations lead from each version of the schema to the next; their number is
// the version that this package knows. What is released stays as it is.
var migrations = []string{`
CREATE TABLE runs (
	id       TEXT PRIMARY KEY,
	key      TEXT UNIQUE,      -- NULL for none
	pipeline TEXT NOT NULL,
	files    BLOB NOT NULL,    -- a JSON object
	inputs   BLOB,
	began    INTEGER NOT NULL, -- times are nanoseconds since 1970, 0 for none
	ended    INTEGER NOT NULL,
	status   TEXT NOT NULL,
	outcome  BLOB
);
CREATE INDEX runs_by_age ON runs (began, id);
CREATE TABLE entries (
	run      TEXT NOT NULL,
	key      TEXT NOT NULL,
	kind     TEXT NOT NULL,
	status   TEXT NOT NULL,
	identity TEXT NOT NULL,
	at       INTEGER NOT NULL,
	payload  BLOB,
	folded   INTEGER NOT NULL, -- 1 for creates that are only kept to be found as such
	PRIMARY KEY (run, key, kind)
);
CREATE INDEX entries_by_identity ON entries (identity, at) WHERE identity <> '';
CREATE INDEX entries_intended ON entries (run) WHERE status = 'intended';
CREATE TABLE ledger (
	name  TEXT NOT NULL,
	key   TEXT NOT NULL,
	value BLOB NOT NULL,
	PRIMARY KEY (name, key)
) WITHOUT ROWID;
`}

// busyFor is how long a write waits for those of other processes.
const busyFor = 30 * time.Second

// connect returns connections to the database at path; none is open yet.
func connect(path string, pragmas ...string) (*sql.DB, error) {
	whole, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	whole = filepath.ToSlash(whole)
	if !strings.HasPrefix(whole, "/") {
		whole = "/" + whole // a drive
	}
	query := url.Values{"_pragma": append(pragmas,
		fmt.Sprintf("busy_timeout(%d)", busyFor.Milliseconds()),
		"fullfsync(1)", // where a plain sync stops at the disk's own memory
		"trusted_schema(0)",
	)}
	u := url.URL{Scheme: "file", Path: whole, RawQuery: query.Encode()}
	return sql.Open("sqlite", u.String())
}

// prepare makes the file and its folder, or sees to it that only their owner
// can read the file and that it is a database. Nothing else of it is changed.
func prepare(path string) (made bool, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return false, fmt.Errorf("cannot make the folder of the state in %s: %w", path, err)
	}
	if err := Lost(path); err != nil {
		return false, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return false, fmt.Errorf("cannot open the state in %s: %w", path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return false, fmt.Errorf("cannot open the state in %s: %w", path, err)
	}
	if info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		if err := f.Chmod(0o600); err != nil {
			return false, fmt.Errorf("cannot keep others from reading the state in %s: %w", path, err)
		}
	}
	if info.Size() == 0 {
		return true, nil
	}
	const magic = "SQLite format 3\x00"
	head := make([]byte, len(magic))
	if _, err := io.ReadFull(f, head); err != nil || !bytes.Equal(head, []byte(magic)) {
		return false, fault(path, errForeign)
	}
	return false, nil
}

// set brings the database at path to this version, and returns the connection that
// writes. Several processes may do so at once.
func set(db *sql.DB, path string) (*sql.Conn, error) {
	conn, err := db.Conn(context.Background())
	if err != nil {
		return nil, err
	}
	marked, isMarked := readMark(path)
	if err := check(conn, marked, isMarked); err != nil {
		return nil, err
	}
	// Whoever changes the mode while others open the file is told that it is
	// busy, without having waited.
	for end := time.Now().Add(busyFor); ; time.Sleep(10 * time.Millisecond) {
		mode := ""
		err := conn.QueryRowContext(context.Background(), "PRAGMA journal_mode=WAL").Scan(&mode)
		if err == nil && mode != "wal" {
			return nil, errRemote
		}
		if err == nil {
			break
		}
		if code(err) != busy || time.Now().After(end) {
			return nil, err
		}
	}
	return conn, migrate(conn)
}

// check finds out what the database is, and whether it holds what its mark says, changing nothing. It looks at one
// moment, since another process may be making it.
func check(conn *sql.Conn, marked past, isMarked bool) error {
	ctx := context.Background()
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
		return err
	}
	defer conn.ExecContext(ctx, "ROLLBACK")
	var application, version, tables int
	if err := conn.QueryRowContext(ctx, "PRAGMA application_id").Scan(&application); err != nil {
		return err
	}
	if err := conn.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if err := conn.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil {
		return err
	}
	switch {
	case application != applicationID && (tables > 0 || version > 0):
		return errForeign
	case version > len(migrations):
		return newer(version)
	case !isMarked:
		return nil
	case version == 0:
		return compare(marked, past{}, false)
	}
	has, ok, err := readPast(conn)
	if err != nil {
		return err
	}
	return compare(marked, has, ok)
}

// migrate leads the schema to the version that this package knows, in one step.
func migrate(conn *sql.Conn) (err error) {
	ctx := context.Background()
	version := 0
	if err := conn.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil || version == len(migrations) {
		return err
	}
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			conn.ExecContext(ctx, "ROLLBACK")
		}
	}()
	// Another process may have been here meanwhile.
	if err := conn.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if version > len(migrations) {
		return newer(version)
	}
	for _, migration := range migrations[version:] {
		if _, err := conn.ExecContext(ctx, migration); err != nil {
			return err
		}
	}
	_, err = conn.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT", applicationID, len(migrations)))
	return err
}

// syncFolder lets the file's name survive a power cut.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil // folders cannot be synced there, and need not be
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
