//go:build unix

package files

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// tryFile locks f if that is possible at once.
func tryFile(f *os.File) (free bool, err error) {
	err = flock(f, unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

// lockFile waits until f is locked. The lock belongs to the open file: closing
// it, or the end of the process, gives it up.
func lockFile(f *os.File) error { return flock(f, unix.LOCK_EX) }

func flock(f *os.File, how int) error {
	for {
		err := unix.Flock(int(f.Fd()), how)
		if !errors.Is(err, unix.EINTR) {
			if err != nil {
				return &os.PathError{Op: "lock", Path: f.Name(), Err: err}
			}
			return nil
		}
	}
}
