package statetest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed627bd532/runner/engine/state"
)

// Durable tests what outlives a process, for a kind of store that does. place
// returns the name of a new place, and open opens the store that is there. The test's own
// program must begin with Main.
func Durable(t *testing.T, place func(t *testing.T) string, open func(place string) (state.Store, error)) {
	opened := func(t *testing.T, place string) state.Store {
		t.Helper()
		s, err := open(place)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}

	t.Run("keeps everything for those who open it later", func(t *testing.T) {
		at := place(t)
		run := state.Run{ID: "r1", Key: "k", Pipeline: "p", Files: map[string]string{"a": "b"}, Began: t0}
		done := state.Entry{Run: "r1", Kind: state.Call, Key: "each[A]/create", Status: state.Done, Identity: "i", At: t0, Payload: []byte(`{}`)}
		item := state.Entry{Run: "r1", Kind: state.Item, Key: "each[A]", At: t0.Add(time.Second)}
		first := opened(t, at)
		begin(t, first, run)
		put(t, first, done)
		if err := first.Fold(t.Context(), item); err != nil {
			t.Fatal(err)
		}
		putValue(t, first, "a", "k", `1`)
		for _, closed := range []bool{false, true} {
			if closed {
				if err := first.Close(); err != nil {
					t.Fatal(err)
				}
			}
			s := opened(t, at)
			wantRun(t, s, run)
			wantEntry(t, s, item)
			wantNone(t, s, "r1", state.Call, done.Key)
			wantCreates(t, s, "i", t0, done)
			wantEntries(t, s, "r1", done, item)
			wantValue(t, s, "a", "k", `1`)
		}
	})

	t.Run("fails once it is closed", func(t *testing.T) {
		s := opened(t, place(t))
		for range 2 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Put(t.Context(), state.Entry{Run: "r1", Kind: state.Call, Key: "a"}); err == nil {
			t.Error("an entry was put")
		}
		if _, _, err := s.Get(t.Context(), "r1", state.Call, "a"); err == nil {
			t.Error("an entry was got")
		}
	})

	t.Run("does nothing when the context has ended", func(t *testing.T) { ended(t, opened(t, place(t))) })

	t.Run("serves several at once", func(t *testing.T) {
		at := place(t)
		const workers, turns = 8, 25
		stores := []state.Store{opened(t, at), opened(t, at)}
		var begun atomic.Int32
		var wait sync.WaitGroup
		for w := range workers {
			s := stores[w%len(stores)]
			run := fmt.Sprint("run ", w)
			wait.Go(func() {
				switch err := s.Begin(t.Context(), state.Run{ID: run, Key: "k", Began: t0}); {
				case err == nil:
					begun.Add(1)
				case !errors.Is(err, state.ErrKeyTaken):
					t.Error(err)
				}
				for i := range turns {
					row := state.Entry{Run: run, Kind: state.Call, Key: fmt.Sprintf("each[%d]/a", i), Status: state.Intended, Identity: "i", At: t0}
					if i%2 == 0 {
						row.Status = ""
					}
					if err := s.Put(t.Context(), row); err != nil {
						t.Error(err)
					}
					if got, ok, err := s.Get(t.Context(), run, state.Call, row.Key); err != nil || !ok || got.Status != row.Status {
						t.Errorf("%s was not there after it was put: %+v, %v", row.Key, got, err)
					}
					if i%2 == 0 {
						if err := s.Fold(t.Context(), state.Entry{Run: run, Kind: state.Item, Key: fmt.Sprintf("each[%d]", i), At: t0}); err != nil {
							t.Error(err)
						}
					}
				}
			})
		}
		wait.Wait()
		if begun.Load() != 1 {
			t.Errorf("%d runs of one key began", begun.Load())
		}
		for _, s := range stores {
			for w := range workers {
				if entries, err := s.Entries(t.Context(), fmt.Sprint("run ", w)); err != nil || len(entries) != turns {
					t.Errorf("%d entries, %v", len(entries), err)
				}
			}
			if found, err := s.Creates(t.Context(), "i", t0); err != nil || len(found) != workers*(turns/2) {
				t.Errorf("%d creates, %v", len(found), err)
			}
		}
	})

	t.Run("locks one holder at a time, of several stores", func(t *testing.T) {
		at := place(t)
		stores := []state.Store{opened(t, at), opened(t, at)}
		var inside, turns atomic.Int32
		var wait sync.WaitGroup
		for w := range 4 {
			wait.Go(func() {
				for range 10 {
					unlock, err := stores[w%2].Lock(t.Context(), "a")
					if err != nil {
						t.Error(err)
						return
					}
					if inside.Add(1) != 1 {
						t.Error("two hold one lock")
					}
					if free, ok, err := stores[1-w%2].TryLock(t.Context(), "a"); ok || err != nil {
						t.Errorf("a held lock was given: %v", err)
						if ok {
							free()
						}
					}
					turns.Add(1)
					inside.Add(-1)
					unlock()
				}
			})
		}
		wait.Wait()
		if turns.Load() != 40 {
			t.Errorf("%d turns", turns.Load())
		}
	})

	t.Run("frees the locks of those who die", func(t *testing.T) {
		at := place(t)
		s := opened(t, at)
		Dies(t, at, s)
	})

	t.Run("keeps what was put by those who are killed", func(t *testing.T) {
		at := place(t)
		for round := range 5 {
			run := fmt.Sprint("run ", round)
			c := start(t, "write", at, run)
			acknowledged := 0
			for range 1 + rand.IntN(200) {
				if line := c.line(); line != fmt.Sprintf("put %d\n", acknowledged) {
					t.Fatalf("the writer said %q", line)
				}
				acknowledged++
			}
			c.kill()
			for {
				if line := c.line(); line != fmt.Sprintf("put %d\n", acknowledged) {
					break // what it said until it died
				}
				acknowledged++
			}
			entries, err := opened(t, at).Entries(t.Context(), run)
			if err != nil {
				t.Fatal(err)
			}
			if n := len(entries); n < 2*acknowledged || n%2 != 0 {
				t.Errorf("%d entries after %d puts of two", n, acknowledged)
			}
			for i, e := range entries {
				if want := fmt.Sprintf("a[%06d]", i/2); !strings.HasPrefix(e.Key, want) {
					t.Fatalf("entry %d is %s, want %s", i, e.Key, want)
				}
			}
		}
	})
}

// Dies tests that a lock comes free when its holder is killed: another process,
// whose locks lie at place as those of l do.
func Dies(t *testing.T, place string, l state.Locks) {
	t.Helper()
	holder := start(t, "hold", place, "a")
	if line := holder.line(); line != "held\n" {
		t.Fatalf("the holder said %q", line)
	}
	if _, ok, err := l.TryLock(t.Context(), "a"); ok || err != nil {
		t.Fatalf("a held lock was given: %v", err)
	}
	reason := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	result := make(chan error)
	go func() {
		_, err := l.Lock(ctx, "a")
		result <- err
	}()
	lock(t, l, "b")()
	cancel(reason)
	if err := <-result; err != reason {
		t.Fatalf("got %v, want the cause", err)
	}
	go func() {
		_, err := l.Lock(t.Context(), "a")
		result <- err
	}()
	holder.kill()
	if err := <-result; err != nil {
		t.Fatal(err)
	}
}

// childOf tells the test's program that it is a child: what to do, where, and
// with what name, in lines.
const childOf = "RUNNER_TEST_CHILD"

// Main is what TestMain of a package that calls Durable or Dies has to call: it
// makes the test's program a child that they start.
func Main[S state.Locks](m *testing.M, open func(place string) (S, error)) {
	task, ok := os.LookupEnv(childOf)
	if !ok {
		os.Exit(m.Run())
	}
	lines := strings.Split(task, "\n")
	s, err := open(lines[1])
	if err == nil {
		err = map[string]func(any, string) error{"hold": hold, "write": write}[lines[0]](s, lines[2])
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// hold holds a lock until somebody ends it.
func hold(s any, name string) error {
	if _, err := s.(state.Locks).Lock(context.Background(), name); err != nil {
		return err
	}
	fmt.Println("held")
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// write puts entries in twos, until somebody ends it.
func write(s any, run string) error {
	for i := 0; ; i++ {
		call := state.Entry{Run: run, Kind: state.Call, Key: fmt.Sprintf("a[%06d]", i), At: t0.Add(time.Duration(i))}
		row := call
		row.Key += "/rows[1]"
		if i%10 == 0 {
			row.Status, row.Identity = state.Intended, "i"
		}
		if err := s.(state.Journal).Put(context.Background(), call, row); err != nil {
			return err
		}
		fmt.Println("put", i)
	}
}

// process is a child that runs.
type process struct {
	cmd *exec.Cmd
	out *bufio.Reader
}

func start(t *testing.T, what, place, name string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childOf+"="+strings.Join([]string{what, place, name}, "\n"))
	if _, err := cmd.StdinPipe(); err != nil { // ends with this process
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return &process{cmd, bufio.NewReader(out)}
}

// line returns the next line that the child wrote, "" when there is no more.
func (p *process) line() string {
	line, _ := p.out.ReadString('\n')
	return line
}

// kill ends the child without giving it the time for anything.
func (p *process) kill() { p.cmd.Process.Kill() }
