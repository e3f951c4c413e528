//go:build linux

package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A disk that is full in the middle of a run ends it with an error that says so.
// Nothing is lost: once there is room, the run goes on.
func TestFullDiskLosesNothing(t *testing.T) {
	t.Parallel()
	const rows = 300
	d := newIntcomex(t)
	grow := mountSmall(t, filepath.Join(d.dir, "small"))
	args := append(d.ensureCompanies(t, rows), "--state", "small/state.db")
	full := d.runner(t, append(args, "--output", "json")...)
	const want = "cannot write the state in small/state.db: the disk is full. Nothing of this was recorded. Make room and try again"
	if code := full.exit(t); code != 1 || !strings.Contains(full.err.String(), want) {
		t.Errorf("exit code %d, %s", code, full.err.String())
	}
	for _, want := range []string{`"error":{"code":"state",`, "resume the run"} {
		if text := full.out.String(); !strings.Contains(text, want) || strings.Count(text, "the disk is full") != 1 {
			t.Errorf("standard output lacks %s, or says it twice: %s", want, text)
		}
	}
	// The end of the run is a small thing, for which there may be room still.
	list := d.runner(t, "runs", "list", "--state", "small/state.db", "--output", "json")
	if code := list.exit(t); code != 0 {
		t.Fatalf("exit code %d, %s", code, list.err.String())
	}
	unrecorded := strings.Contains(full.out.String(), "nor could the end of the run be recorded")
	if recorded := strings.Contains(list.out.String(), `"status":"failed"`); recorded == unrecorded {
		t.Errorf("the end of the run is recorded: %v\n%s\n%s", recorded, full.out.String(), list.out.String())
	}
	if _, err := os.Stat(filepath.Join(d.dir, "results.csv")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("there are results: %v", err)
	}
	grow()
	again := d.runner(t, args...)
	if code := again.exit(t); code != 0 {
		t.Fatalf("exit code %d, %s", code, again.err.String())
	}
	d.wantAllOnce(t, rows)
}

// mountSmall mounts a small file system of its own at dir; grow makes it large.
func mountSmall(t *testing.T, dir string) (grow func()) {
	t.Helper()
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("small", dir, "tmpfs", 0, "size=300k"); err != nil {
		t.Skip("only who may mount can make a disk that is full: ", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return func() {
		if err := syscall.Mount("small", dir, "tmpfs", syscall.MS_REMOUNT, "size=100m"); err != nil {
			t.Fatal(err)
		}
	}
}
