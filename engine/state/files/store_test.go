package files

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed627bd532/runner/engine/auth"
	"github.com/seed627bd532/runner/engine/state"
	"github.com/seed627bd532/runner/engine/state/statetest"
)

// The children of these tests need locks only.
func TestMain(m *testing.M) {
	statetest.Main(m, func(dir string) (state.Locks, error) { return New(dir), nil })
}

func TestFilesAreTokens(t *testing.T) {
	statetest.Tokens(t, func(t *testing.T) state.Tokens { return New(t.TempDir()) })
}

func TestFilesAreLocks(t *testing.T) {
	dir := t.TempDir()
	n := 0
	statetest.Locks(t, func(*testing.T) state.Locks {
		n++
		return New(filepath.Join(dir, fmt.Sprint(n)))
	})
}

func TestTokensOutliveTheStore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "runner")
	want := auth.Token{Value: "tok-1", Refresh: "again-1", Expires: time.Date(2026, 3, 1, 8, 0, 0, 5, time.UTC)}
	if err := New(dir).PutToken(t.Context(), "a", want); err != nil {
		t.Fatal(err)
	}
	if got, ok, err := New(dir).Token(t.Context(), "a"); err != nil || !ok || got != want {
		t.Errorf("got %+v, %v, %v", got, ok, err)
	}
}

func TestOnlyTheOwnerCanReadTokens(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the user's folder is private there")
	}
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "tokens"), 0o755); err != nil {
		t.Fatal(err)
	}
	s := New(dir)
	if err := s.PutToken(t.Context(), "secret-key", auth.Token{Value: "tok"}); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(filepath.Join(dir, "tokens"))
	if err != nil || len(files) != 1 || strings.Contains(files[0].Name(), "secret-key") {
		t.Fatal(files, err)
	}
	for path, want := range map[string]os.FileMode{"tokens": 0o700, "tokens/" + files[0].Name(): 0o600} {
		info, err := os.Stat(filepath.Join(dir, path))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info.Mode().Perm(), err)
		}
	}
}

func TestDamagedTokensAreErrorsThatQuoteNothing(t *testing.T) {
	for name, text := range map[string]string{
		"empty":          "",
		"cut off":        `{"version":1,"token":"tok-s3cr`,
		"no token":       `{"version":1}`,
		"of other shape": `["tok-s3cret"]`,
		"wrong date":     `{"version":1,"token":"tok-s3cret","expires":"soon"}`,
		"newer":          `{"version":2,"token":"tok-s3cret"}`,
	} {
		t.Run(name, func(t *testing.T) {
			s := New(t.TempDir())
			if err := s.PutToken(t.Context(), "a", auth.Token{Value: "tok"}); err != nil {
				t.Fatal(err)
			}
			path := s.token("a")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, ok, err := s.Token(t.Context(), "a")
			if ok || err == nil || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "s3cr") {
				t.Errorf("%v, %v", ok, err)
			}
			if err := s.PutToken(t.Context(), "a", auth.Token{Value: "new"}); err != nil {
				t.Error(err)
			}
			if got, ok, err := s.Token(t.Context(), "a"); got.Value != "new" || !ok || err != nil {
				t.Errorf("after that: %v, %v, %v", got, ok, err)
			}
		})
	}
}

func TestFoldersThatCannotBeMadeAreErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := New(filepath.Join(file, "runner"))
	if err := s.PutToken(t.Context(), "a", auth.Token{Value: "tok"}); err == nil {
		t.Error("a token was kept nowhere")
	}
	for range 2 { // the queue of this process is left again
		if unlock, err := s.Lock(t.Context(), "a"); err == nil || unlock != nil {
			t.Error("a lock was given nowhere")
		}
	}
}

func TestLocksExcludeOtherProcesses(t *testing.T) {
	dir := t.TempDir()
	statetest.Dies(t, dir, New(dir))
}

// However many names are locked, there is one file, empty, and it is open as long as one is held.
func TestLocksAreBytesOfOneFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	l := NewLocks(dir)
	var held []func()
	for i := range 100 {
		unlock, err := l.Lock(t.Context(), fmt.Sprint(i))
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, unlock)
	}
	other := NewLocks(dir)
	for i := range 100 {
		if _, ok, err := other.TryLock(t.Context(), fmt.Sprint(i)); ok || err != nil {
			t.Fatal(i, ok, err)
		}
	}
	if other.file != nil {
		t.Error("who holds nothing has the file open")
	}
	for _, unlock := range held {
		unlock()
	}
	if l.file != nil || len(l.has) > 0 {
		t.Errorf("%d bytes are held", len(l.has))
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	if info, err := files[0].Info(); err != nil || info.Size() != 0 {
		t.Error(info, err)
	}
}

// crowded are locks with so few places that names share them all the time.
func crowded(dir string, places uint64) *Locks {
	l := NewLocks(dir)
	l.place = func(name string) uint64 { return state.Place(name) / (1 << 61 / places) }
	return l
}

func TestWhoLocksSeveralNamesOfOnePlaceDoesNotWaitForItself(t *testing.T) {
	dir := t.TempDir()
	mine, others := crowded(dir, 1), crowded(dir, 1)
	first, err := mine.Lock(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	second, err := mine.Lock(t.Context(), "b")
	if err != nil {
		t.Fatal(err)
	}
	third, ok, err := mine.TryLock(t.Context(), "c")
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	for _, unlock := range []func(){first, third, second} {
		if _, ok, err := others.TryLock(t.Context(), "d"); ok || err != nil {
			t.Errorf("another process has a place that is held: %v", err)
		}
		unlock()
	}
	if _, ok, err := others.TryLock(t.Context(), "d"); !ok || err != nil {
		t.Errorf("a free place is not given: %v", err)
	}
}

// Names that share a place make others wait, and never for ever.
func TestBatchesThatSharePlacesDoNotWaitForEachOther(t *testing.T) {
	const names = 6
	for _, places := range []uint64{1, 2, 4, 1 << 61} {
		t.Run(fmt.Sprint(places), func(t *testing.T) {
			dir := t.TempDir()
			var inside [names]atomic.Int32
			var wait sync.WaitGroup
			processes := []*Locks{crowded(dir, places), crowded(dir, places), crowded(dir, places)}
			for w := range 6 {
				dice := rand.New(rand.NewPCG(uint64(w), 1))
				wait.Go(func() {
					for range 30 {
						batch := dice.Perm(names)[:1+dice.IntN(names)]
						slices.SortFunc(batch, func(a, b int) int { return state.LockOrder(fmt.Sprint(a), fmt.Sprint(b)) })
						var held []func()
						for _, n := range batch {
							unlock, err := processes[w%3].Lock(t.Context(), fmt.Sprint(n))
							if err != nil {
								t.Error(err)
								return
							}
							if held = append(held, unlock); inside[n].Add(1) != 1 {
								t.Error("two hold one lock")
							}
						}
						runtime.Gosched()
						for i, n := range batch {
							inside[n].Add(-1)
							held[i]()
						}
					}
				})
			}
			wait.Wait()
		})
	}
}

// Stores over one folder are to each other as processes are.
func TestNobodyTakesALockTwiceWhileAnotherProcessWaits(t *testing.T) {
	dir := t.TempDir()
	first, second := New(dir), New(dir)
	for range 20 {
		unlock, err := first.Lock(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		var had atomic.Bool
		var wait sync.WaitGroup
		wait.Go(func() {
			unlock, err := second.Lock(t.Context(), "a")
			if err != nil {
				t.Error(err)
				return
			}
			had.Store(true)
			unlock()
		})
		for !gateIsTaken(t, first) {
			runtime.Gosched()
		}
		unlock()
		if unlock, err = first.Lock(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		if !had.Load() {
			t.Error("the one that waited was overtaken")
		}
		unlock()
		wait.Wait()
	}
}

func gateIsTaken(t *testing.T, s *Store) bool {
	t.Helper()
	other := NewLocks(s.dir)
	other.mu.Lock()
	defer other.mu.Unlock()
	gate := 2*int64(state.Place("a")) + 1
	free, err := other.try(gate)
	if err != nil {
		t.Fatal(err)
	}
	if free {
		other.free(gate)
	}
	return !free
}

func TestDir(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("paths of Unix")
	}
	for _, test := range []struct{ xdg, home, want string }{
		{"/state", "/home/me", "/state/runner"},
		{"", "/home/me", "/home/me/.local/state/runner"},
		{"relative", "/home/me", "/home/me/.local/state/runner"},
		{"", "", "there is no folder for state: neither XDG_STATE_HOME nor HOME is set"},
	} {
		got, err := Dir(func(name string) (string, bool) {
			v := map[string]string{"XDG_STATE_HOME": test.xdg, "HOME": test.home}[name]
			return v, v != ""
		})
		if err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}
