package files

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed627bd532/runner/engine/auth"
	"github.com/seed627bd532/runner/engine/state"
	"github.com/seed627bd532/runner/engine/state/statetest"
)

// holding makes the test binary a process that locks the folder's lock "a",
// says so, and holds it until its standard input ends.
const holding = "RUNNER_TEST_HOLDS"

func TestMain(m *testing.M) {
	dir := os.Getenv(holding)
	if dir == "" {
		os.Exit(m.Run())
	}
	if _, err := New(dir).Lock(context.Background(), "a"); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("held")
	io.Copy(io.Discard, os.Stdin)
}

// hold starts such a process and waits until it holds the lock. end ends it
// without giving it the time to unlock.
func hold(t *testing.T, dir string) (end func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), holding+"="+dir)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	end = func() {
		if !ended {
			ended = true
			cmd.Process.Kill()
			in.Close()
			cmd.Wait()
		}
	}
	t.Cleanup(end)
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatal(line, err)
	}
	return end
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
			path, err := s.file("tokens", "a", ".json", false)
			if err != nil {
				t.Fatal(err)
			}
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
	end := hold(t, dir)
	s := New(dir)
	reason := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	result := make(chan error)
	go func() {
		_, err := s.Lock(ctx, "a")
		result <- err
	}()
	if unlock, err := s.Lock(t.Context(), "b"); err != nil {
		t.Error(err)
	} else {
		unlock()
	}
	cancel(reason)
	if err := <-result; err != reason {
		t.Fatalf("got %v, want the cause", err)
	}
	end() // a dead holder frees its lock
	unlock, err := s.Lock(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	unlock()
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
	gate, err := s.open("a", ".gate")
	if err != nil {
		t.Fatal(err)
	}
	defer gate.Close()
	free, err := tryFile(gate)
	if err != nil {
		t.Fatal(err)
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
