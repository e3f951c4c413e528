package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed627bd532/runner/engine/state"
)

func TestOnlyTheOwnerCanReadTheState(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the user's folder is private there")
	}
	path := filepath.Join(t.TempDir(), "deep", ".runner", "a b?c#d%41.db")
	s := opened(t, path)
	putEntry(t, s, state.Entry{Run: "r1", Kind: state.Call, Key: "a", Status: state.Intended})
	unlock, err := s.Lock(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	want := map[string]fs.FileMode{
		filepath.Dir(path): 0o700,
		path:               0o600,
		path + "-wal":      0o600,
		path + "-shm":      0o600,
		path + "-mark":     0o600,
		path + "-locks":    0o700,
	}
	for name, mode := range want {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != len(want)-1 {
		t.Errorf("%v, %v", files, err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	opened(t, path)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("a file that others could read is as it was: %v, %v", info, err)
	}
}

func TestFilesThatAreNoStateAreLeftAsTheyAre(t *testing.T) {
	for name, test := range map[string]struct {
		write func(t *testing.T, path string)
		want  string
	}{
		"text": {
			func(t *testing.T, path string) { write(t, path, []byte("vat_id,name\n")) },
			"cannot use PATH for state: it is no database of runner. Nothing was changed. Name another file, or move this one away",
		},
		"a database of something else": {
			func(t *testing.T, path string) { execute(t, path, "CREATE TABLE songs (title TEXT)") },
			"cannot use PATH for state: it is no database of runner. Nothing was changed. Name another file, or move this one away",
		},
		"of a newer runner": {
			func(t *testing.T, path string) {
				opened(t, path).Close()
				execute(t, path, "PRAGMA journal_mode=DELETE; PRAGMA user_version=7")
			},
			"cannot use the state in PATH: a newer runner wrote it: its schema has version 7, and this runner knows versions up to 1. Nothing was changed. Use a runner as new as that one, or another file",
		},
		"cut off": {
			func(t *testing.T, path string) {
				fill(t, path)
				if err := os.Truncate(path, 6000); err != nil {
					t.Fatal(err)
				}
			},
			"the state in PATH is damaged. Nothing was changed. Restore it from a copy together with the files whose names continue its name, or move all of them away; runs that only it knows cannot be resumed then: database disk image is malformed (11)",
		},
		"with a damaged schema": {
			func(t *testing.T, path string) { fill(t, path); damage(t, path, 100, 4096) },
			"the state in PATH is damaged. Nothing was changed. Restore it from a copy together with the files whose names continue its name, or move all of them away; runs that only it knows cannot be resumed then: database disk image is malformed (11)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.db")
			test.write(t, path)
			before := read(t, path)
			if s, err := Open(path); err == nil {
				s.Close()
				t.Error("it was opened")
			} else if got := strings.ReplaceAll(err.Error(), path, "PATH"); got != test.want {
				t.Errorf("got:  %s\nwant: %s", got, test.want)
			}
			if !bytes.Equal(read(t, path), before) {
				t.Error("it was changed")
			}
		})
	}
}

func TestDamageThatIsFoundLaterIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	fill(t, path)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	tables := pageOf(t, path, "ledger")
	damage(t, path, 5*4096, (tables-1)*4096) // all but the schema, the runs and the tables
	damage(t, path, tables*4096, int(info.Size()))
	s := opened(t, path)
	_, _, get := s.Get(t.Context(), "r1", state.Call, "each[7]")
	_, entries := s.Entries(t.Context(), "r1")
	for doing, err := range map[string]error{
		"Get":     get,
		"Entries": entries,
		"Put":     s.Put(t.Context(), state.Entry{Run: "r1", Kind: state.Call, Key: "each[7]", Status: state.Intended}),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "the state in "+path+" is damaged. Nothing was changed. ") {
			t.Errorf("%s: %v", doing, err)
		}
	}
}

func TestAFullDiskIsAnErrorAndLosesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := opened(t, path)
	if _, err := s.writer.conn.ExecContext(t.Context(), "PRAGMA max_page_count=40"); err != nil {
		t.Fatal(err)
	}
	big := state.Entry{Run: "r1", Kind: state.Call, Payload: bytes.Repeat([]byte("1"), 10_000)}
	var kept []string
	var err error
	for i := range 100 {
		big.Key = fmt.Sprint(i)
		if err = s.Put(t.Context(), big); err != nil {
			break
		}
		kept = append(kept, big.Key)
	}
	const want = "cannot write the state in PATH: the disk is full. Nothing of this was recorded. Make room and try again: database or disk is full (13)"
	if err == nil || strings.ReplaceAll(err.Error(), path, "PATH") != want {
		t.Errorf("after %d: %v", len(kept), err)
	}
	if _, err := s.writer.conn.ExecContext(t.Context(), "PRAGMA max_page_count=4000"); err != nil {
		t.Fatal(err)
	}
	putEntry(t, s, big)
	for _, key := range append(kept, big.Key) {
		if e, ok, err := s.Get(t.Context(), "r1", state.Call, key); err != nil || !ok || !bytes.Equal(e.Payload, big.Payload) {
			t.Errorf("%s: %v, %v", key, ok, err)
		}
	}
}

func TestALockedDatabaseIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s, other := opened(t, path), opened(t, path)
	if _, err := s.writer.conn.ExecContext(t.Context(), "PRAGMA busy_timeout=20"); err != nil {
		t.Fatal(err)
	}
	if _, err := other.writer.conn.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	e := state.Entry{Run: "r1", Kind: state.Call, Key: "a"}
	const want = "cannot write the state in PATH: another process keeps it locked. Nothing of this was recorded. Find out which one hangs: database is locked (5) (SQLITE_BUSY)"
	if err := s.Put(t.Context(), e); err == nil || strings.ReplaceAll(err.Error(), path, "PATH") != want {
		t.Errorf("got %v", err)
	}
	if _, ok, err := s.Get(t.Context(), "r1", state.Call, "a"); ok || err != nil {
		t.Errorf("reading while another writes: %v, %v", ok, err)
	}
	if _, err := other.writer.conn.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	putEntry(t, s, e)
}

// Whoever deletes the state of a run that is alive must not make it create
// things that nobody will remember.
func TestIntentsAreNotWrittenToAFileThatIsGone(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("open files cannot be deleted there")
	}
	path := filepath.Join(t.TempDir(), "state.db")
	s := opened(t, path)
	e := state.Entry{Run: "r1", Kind: state.Call, Key: "a", Status: state.Intended}
	const want = "cannot write the state in PATH: it was deleted or replaced while it was open. Nothing of this was recorded. Put the file back, or begin again without it"
	for _, replaced := range []bool{false, true} {
		if replaced {
			write(t, path, []byte("other"))
		} else if err := os.Rename(path, path+"-moved"); err != nil {
			t.Fatal(err)
		}
		if err := s.Put(t.Context(), e); err == nil || strings.ReplaceAll(err.Error(), path, "PATH") != want {
			t.Errorf("got %v", err)
		}
	}
	if err := os.Rename(path+"-moved", path); err != nil {
		t.Fatal(err)
	}
	putEntry(t, s, e)
}

func TestOnlyThoseFailWhoAreToBlame(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "state.db"))
	s.writer.turn <- struct{}{} // all others wait in one queue
	good := make(chan error, 10)
	bad := make(chan error, 2)
	for i := range cap(good) {
		go func() {
			good <- s.Put(t.Context(), state.Entry{Run: "r1", Kind: state.Call, Key: fmt.Sprint(i)})
		}()
	}
	reason := errors.New("a fault")
	go func() {
		bad <- s.writer.do(t.Context(), false, func(x *tx) error {
			x.exec("DELETE FROM entries")
			return reason
		})
	}()
	go func() { bad <- s.Update(t.Context(), state.Run{ID: "r2"}) }()
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := make(chan error)
	go func() { gone <- s.Put(ctx, state.Entry{Run: "r1", Kind: state.Call, Key: "left"}) }()
	for queued := 0; queued < 13; runtime.Gosched() {
		s.writer.mu.Lock()
		queued = len(s.writer.queue)
		s.writer.mu.Unlock()
	}
	cancel(reason)
	if err := <-gone; err != reason {
		t.Errorf("got %v, want the cause", err)
	}
	<-s.writer.turn
	for range cap(good) {
		if err := <-good; err != nil {
			t.Error(err)
		}
	}
	for range cap(bad) {
		if err := <-bad; err == nil || !errors.Is(err, reason) && err.Error() != "there is no run r2" {
			t.Errorf("got %v", err)
		}
	}
	if entries, err := s.Entries(t.Context(), "r1"); err != nil || len(entries) != cap(good) {
		t.Errorf("%d entries, %v", len(entries), err)
	}
}

// Only a power cut could tell otherwise whether a commit waited for the disk.
func TestCommitsWaitForTheDiskWhereThatIsPromised(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "state.db"))
	const normal, full = 1, 2
	look, create := state.Entry{Run: "r1", Kind: state.Call, Key: "a"}, state.Entry{Run: "r1", Kind: state.Call, Key: "a", Status: state.Intended}
	for _, test := range []struct {
		name string
		do   func() error
		want int
	}{
		{"a look-up", func() error { return s.Put(t.Context(), look) }, normal},
		{"an intent", func() error { return s.Put(t.Context(), look, create) }, full},
		{"an item", func() error { return s.Fold(t.Context(), look) }, normal},
		{"an intent that folds", func() error { return s.Fold(t.Context(), create) }, full},
		{"another look-up", func() error { return s.Put(t.Context(), look) }, normal},
		{"a run's beginning", func() error { return s.Begin(t.Context(), state.Run{ID: "r1"}) }, full},
		{"a run's end", func() error { return s.Update(t.Context(), state.Run{ID: "r1"}) }, full},
		{"a value", func() error { return s.PutValue(t.Context(), "a", "k", []byte("1")) }, full},
		{"a value that goes", func() error { return s.DeleteValue(t.Context(), "a", "k") }, full},
	} {
		if err := test.do(); err != nil {
			t.Fatal(err)
		}
		got := 0
		if err := s.writer.conn.QueryRowContext(t.Context(), "PRAGMA synchronous").Scan(&got); err != nil || got != test.want {
			t.Errorf("%s: synchronous is %d, %v; want %d", test.name, got, err, test.want)
		}
	}
}

func TestManyOpenANewDatabaseAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "state.db")
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			s, err := Open(path)
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			if err := s.Begin(t.Context(), state.Run{ID: fmt.Sprint(i), Began: time.Now()}); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if runs, err := opened(t, path).Runs(t.Context(), 0); err != nil || len(runs) != 8 {
		t.Errorf("%d runs, %v", len(runs), err)
	}
}

// asNobody makes the test's program one that may write nothing, and tries to
// write at this path.
const asNobody = "RUNNER_TEST_AS_NOBODY"

func TestWhatMayNotBeWrittenIsAnError(t *testing.T) {
	if path := os.Getenv(asNobody); path != "" {
		s, err := Open(path)
		if err == nil {
			err = s.Put(t.Context(), state.Entry{Run: "r1", Kind: state.Call, Key: "a", Status: state.Intended})
			s.Close()
		}
		fmt.Printf("said: %v\n", err)
		return
	}
	if runtime.GOOS == "windows" {
		t.Skip("permissions are others there")
	}
	dir := t.TempDir()
	file, folder := filepath.Join(dir, "file", "state.db"), filepath.Join(dir, "folder", "state.db")
	for _, path := range []string{file, folder} {
		opened(t, path).Close()
		for name, mode := range map[string]fs.FileMode{path: 0o600, filepath.Dir(path): 0o777, dir: 0o755, filepath.Dir(dir): 0o755} {
			if err := os.Chmod(name, mode); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.Chmod(file, 0o400); err != nil {
		t.Fatal(err)
	}
	program := copied(t, dir)
	for path, want := range map[string]string{
		file:   "cannot open the state in PATH: open PATH: permission denied",
		folder: "cannot write the state in PATH: the file or its folder may not be written. Nothing of this was recorded: attempt to write a readonly database (1544)",
		filepath.Join(dir, "folder", "deep", "new.db"): "cannot make the folder of the state in PATH: mkdir FOLDER: permission denied",
	} {
		if path != file {
			if err := os.Chmod(filepath.Join(dir, "folder"), 0o555); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.Command(program, "-test.run=^TestWhatMayNotBeWrittenIsAnError$")
		cmd.Env = append(os.Environ(), asNobody+"="+path)
		asOther(t, cmd, path)
		out, err := cmd.CombinedOutput()
		got, _, _ := strings.Cut(string(out), "\n")
		got = strings.ReplaceAll(strings.ReplaceAll(got, path, "PATH"), filepath.Dir(path), "FOLDER")
		if err != nil || got != "said: "+want {
			t.Errorf("got:  %s\nwant: said: %s\n%v", got, want, err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
}

// copied returns a copy of this program that others may start.
func copied(t *testing.T, dir string) string {
	t.Helper()
	program, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "program")
	if err := os.WriteFile(path, program, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// fill makes a database with a run of many entries, in one file.
func fill(t *testing.T, path string) {
	t.Helper()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	var entries []state.Entry
	for i := range 2000 {
		entries = append(entries, state.Entry{Run: "r1", Kind: state.Call, Key: fmt.Sprintf("each[%d]", i), Payload: []byte(`{"name":"Acme Portugal, Lda."}`)})
	}
	putEntry(t, s, entries...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// damage overwrites the bytes of a file from one place to another.
func damage(t *testing.T, path string, from, to int) {
	t.Helper()
	text := read(t, path)
	for i := from; i < to; i++ {
		text[i] = 0xa5
	}
	write(t, path, text)
}

// pageOf returns the number of the page where a table begins.
func pageOf(t *testing.T, path, table string) (page int) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow("SELECT rootpage FROM sqlite_schema WHERE name = ?", table).Scan(&page); err != nil {
		t.Fatal(err)
	}
	return page
}

func execute(t *testing.T, path, sentences string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(sentences); err != nil {
		t.Fatal(err)
	}
}

func putEntry(t *testing.T, s *Store, entries ...state.Entry) {
	t.Helper()
	if err := s.Put(t.Context(), entries...); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
