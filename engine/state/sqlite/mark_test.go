package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed627bd532/runner/engine/state"
)

// killed makes a database with n runs as a process leaves it that was killed.
func killed(t *testing.T, path string, n int) {
	t.Helper()
	s := opened(t, filepath.Join(t.TempDir(), "state.db"))
	for i := range n {
		if err := s.Begin(t.Context(), state.Run{ID: fmt.Sprint("r", i), Key: fmt.Sprint("k", i), Began: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	for _, suffix := range []string{"", "-wal", "-mark"} {
		write(t, path+suffix, read(t, s.path+suffix))
	}
}

func remove(t *testing.T, paths ...string) {
	t.Helper()
	for _, path := range paths {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAStateThatLostItsPastIsRefused(t *testing.T) {
	const advice = ". A run under an old --key would start again, and send creates that are done. Nothing was changed. " +
		"Put back PATH, and PATH-wal if there was one. To go on without what is lost, check at the vendors what was created, and delete PATH-mark"
	for name, test := range map[string]struct {
		lose func(t *testing.T, path string)
		want string
	}{
		"the log of a killed process is gone": {
			func(t *testing.T, path string) { killed(t, path, 2); remove(t, path+"-wal") },
			"it is older than the one that was there before, or empty" + advice,
		},
		"the log of a later process is gone": {
			func(t *testing.T, path string) {
				fill(t, path)
				s := opened(t, path)
				putEntry(t, s, state.Entry{Run: "r2", Kind: state.Call, Key: "a", Status: state.Intended})
				putEntry(t, s, state.Entry{Run: "r2", Kind: state.Call, Key: "b", Status: state.Intended})
				text, marked := read(t, path), read(t, path+"-mark")
				s.Close()
				write(t, path, text)
				write(t, path+"-mark", marked)
			},
			"2 of its 2 commits are missing: it is an older copy, or its -wal file is gone" + advice,
		},
		"cut to nothing after a clean end": {
			func(t *testing.T, path string) { fill(t, path); write(t, path, nil) },
			"it is empty" + advice,
		},
		"cut to nothing beside its log": {
			func(t *testing.T, path string) { killed(t, path, 1); write(t, path, nil) },
			"it is empty" + advice + " and PATH-wal",
		},
		"cut to nothing by itself, before there were marks": {
			func(t *testing.T, path string) { killed(t, path, 1); write(t, path, nil); remove(t, path+"-mark") },
			"it is empty" + strings.ReplaceAll(advice, "PATH-mark", "PATH-wal"),
		},
		"deleted": {
			func(t *testing.T, path string) { fill(t, path); remove(t, path) },
			"it is gone" + advice,
		},
		"replaced by an older copy": {
			func(t *testing.T, path string) {
				fill(t, path)
				old := read(t, path)
				s := opened(t, path)
				s.PutValue(t.Context(), "accounts", "PT1", []byte("7"))
				s.Close()
				write(t, path, old)
			},
			"1 of its 1 commits are missing: it is an older copy, or its -wal file is gone" + advice,
		},
		"replaced by another one": {
			func(t *testing.T, path string) {
				fill(t, path)
				fill(t, path+".other")
				write(t, path, read(t, path+".other"))
			},
			"it is another one than was there before" + advice,
		},
		"replaced by one from before there were marks": {
			func(t *testing.T, path string) {
				fill(t, path)
				execute(t, path, "DELETE FROM ledger WHERE name = '.past'")
			},
			"it is older than the one that was there before, or empty" + advice,
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.db")
			test.lose(t, path)
			for range 2 { // to be asked again changes nothing
				s, err := Open(path)
				if err == nil {
					s.Close()
					t.Fatal("it was opened")
				}
				if got, want := strings.ReplaceAll(err.Error(), path, "PATH"), "the state in PATH has lost records: "+test.want; got != want {
					t.Errorf("got:  %s\nwant: %s", got, want)
				}
			}
			os.Remove(path + "-mark") // as is advised
			os.Remove(path + "-wal")
			opened(t, path)
		})
	}
}

func TestAStateThatLostNothingIsOpened(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, path string){
		"after a kill":    func(t *testing.T, path string) { killed(t, path, 3) },
		"after its close": func(t *testing.T, path string) { fill(t, path) },
		"a copy": func(t *testing.T, path string) {
			fill(t, path+".old")
			write(t, path, read(t, path+".old"))
		},
		"a copy with its log": func(t *testing.T, path string) { killed(t, path, 3); remove(t, path+"-mark") },
		"from before there were marks": func(t *testing.T, path string) {
			fill(t, path)
			execute(t, path, "DELETE FROM ledger WHERE name = '.past'")
			remove(t, path+"-mark")
		},
		"a mark that a power cut kept from the disk": func(t *testing.T, path string) { fill(t, path); write(t, path+"-mark", nil) },
		"a mark from before the last commits": func(t *testing.T, path string) {
			fill(t, path)
			mark := read(t, path+"-mark")
			s := opened(t, path)
			putEntry(t, s, state.Entry{Run: "r2", Kind: state.Call, Key: "a", Status: state.Intended})
			s.Close()
			write(t, path+"-mark", mark)
		},
		"a mark that may not be written": func(t *testing.T, path string) {
			if err := os.Mkdir(path+"-mark", 0o700); err != nil {
				t.Fatal(err)
			}
		},
		"after runs were pruned": func(t *testing.T, path string) {
			s := opened(t, path)
			s.Begin(t.Context(), state.Run{ID: "r1", Began: time.Now()})
			s.Update(t.Context(), state.Run{ID: "r1", Ended: time.Now()})
			if gone, err := s.Prune(t.Context(), time.Now().Add(time.Hour)); len(gone) != 1 || err != nil {
				t.Fatal(gone, err)
			}
			s.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.db")
			change(t, path)
			for range 2 {
				s, err := Open(path)
				if err != nil {
					t.Fatal(err)
				}
				putEntry(t, s, state.Entry{Run: "r3", Kind: state.Call, Key: "a", Status: state.Intended})
				s.Close()
			}
		})
	}
}

// A mark must never be ahead of its database, whoever writes.
func TestMarksAreNotAheadOfTheirDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	one, two := opened(t, path), opened(t, path)
	for i := range 50 {
		for _, s := range []*Store{one, two} {
			putEntry(t, s, state.Entry{Run: "r1", Kind: state.Call, Key: fmt.Sprint(i), Status: state.Intended})
			putEntry(t, s, state.Entry{Run: "r1", Kind: state.Call, Key: fmt.Sprint(i), Status: state.Done})
		}
		marked, ok := readMark(path)
		has, hasPast, err := readPast(one.writer.conn)
		if !ok || !hasPast || err != nil || marked != has || has.commits != int64(2*i+2) {
			t.Fatalf("round %d: the mark has %v (%v), the database %v (%v, %v)", i, marked, ok, has, hasPast, err)
		}
	}
}
