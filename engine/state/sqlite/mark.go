package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
)

// markSuffix is what the name of a database's mark ends in.
const markSuffix = "-mark"

// A past says how much a database has recorded: the name that it got when it was made, and
// the number of its commits that reached the disk.
type past struct {
	name    string
	commits int64
}

// A mark is the file beside a database that holds its past. It is written after each
// commit that has reached the disk, so that it is never ahead of its database: a database
// that is behind its mark is an older one, or has lost its log.
type mark struct{ file *os.File }

// openMark opens the mark of the database at path, and makes it. It is nil where it may not
// be written: nobody notices then when the database loses its past.
func openMark(path string) *mark {
	f, err := os.OpenFile(path+markSuffix, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil
	}
	return &mark{f}
}

// write replaces what the mark says, in one write of always the same length.
func (m *mark) write(p past) {
	if m != nil {
		fmt.Fprintf(&at{m.file}, "%s %019d\n", p.name, p.commits) // what is not written leaves it behind, which does no harm
	}
}

func (m *mark) close() {
	if m != nil {
		m.file.Close()
	}
}

// at writes at the beginning of a file.
type at struct{ file *os.File }

func (a *at) Write(text []byte) (int, error) { return a.file.WriteAt(text, 0) }

// readMark returns what the mark of the database at path says; nothing where there is
// none that can be read.
func readMark(path string) (p past, ok bool) {
	text, err := os.ReadFile(path + markSuffix)
	if err != nil {
		return past{}, false
	}
	_, err = fmt.Sscanf(string(text), "%s %d\n", &p.name, &p.commits)
	return p, err == nil
}

// readPast returns the past of the database; none where an earlier version made it.
func readPast(conn *sql.Conn) (p past, ok bool, err error) {
	err = conn.QueryRowContext(context.Background(), "SELECT key, value FROM ledger WHERE name = '.past'").Scan(&p.name, &p.commits)
	if errors.Is(err, sql.ErrNoRows) {
		return past{}, false, nil
	}
	return p, err == nil, err
}

// startPast gives a database that has no past one, and returns the past that it has then.
func startPast(conn *sql.Conn) (past, error) {
	if p, ok, err := readPast(conn); ok || err != nil {
		return p, err
	}
	_, err := conn.ExecContext(context.Background(), `INSERT INTO ledger (name, key, value)
		SELECT '.past', lower(hex(randomblob(8))), 0 WHERE NOT EXISTS (SELECT 1 FROM ledger WHERE name = '.past')`)
	if err != nil {
		return past{}, err
	}
	p, _, err := readPast(conn)
	return p, err
}

// advance counts a commit, as part of it.
func (t *tx) advance() (p past, err error) {
	stmt, err := t.stmt("UPDATE ledger SET value = value + 1 WHERE name = '.past' RETURNING key, value")
	if err != nil {
		return past{}, err
	}
	err = stmt.QueryRowContext(context.Background()).Scan(&p.name, &p.commits)
	return p, err
}

// A lostPast says that a database does not hold what it once did. Whoever can do without removes
// the files whose names end in rest.
type lostPast struct {
	why  string
	rest []string
}

func (l lostPast) Error() string { return l.why }

func behind(format string, args ...any) error {
	return lostPast{fmt.Sprintf(format, args...), []string{markSuffix}}
}

// compare holds what the database has recorded against what its mark said before the
// database was read; other processes may have added to both since.
func compare(marked, has past, hasPast bool) error {
	switch {
	case !hasPast:
		return behind("it is older than the one that was there before, or empty")
	case marked.name != has.name:
		return behind("it is another one than was there before")
	case marked.commits > has.commits:
		return behind("%d of its %d commits are missing: it is an older copy, or its -wal file is gone",
			marked.commits-has.commits, marked.commits)
	}
	return nil
}

// Lost returns an error where the database at path is gone, or cut to nothing, while files that
// belong to it are still there. Open returns it, too. A nil error says nothing else.
func Lost(path string) error {
	var lost lostPast
	for _, suffix := range []string{markSuffix, "-wal"} { // first: whoever makes a database writes these later
		if info, err := os.Stat(path + suffix); err == nil && info.Mode().IsRegular() && info.Size() > 0 {
			lost.rest = append(lost.rest, suffix)
		}
	}
	if lost.rest == nil {
		return nil
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		lost.why = "it is gone"
	case err == nil && info.Size() == 0:
		lost.why = "it is empty"
	default:
		return nil
	}
	return fault(path, lost)
}
