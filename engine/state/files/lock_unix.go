//go:build linux || darwin

package files

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// tryByte locks a byte of f, which need not be there, if that is possible at once. The lock belongs to the
// open file: closing it, or the end of the process, gives it up.
func tryByte(f *os.File, at int64) (free bool, err error) {
	err = setLock(f, at, unix.F_WRLCK)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		return false, nil
	}
	return err == nil, err
}

// freeByte gives up a lock.
func freeByte(f *os.File, at int64) { setLock(f, at, unix.F_UNLCK) }

func setLock(f *os.File, at int64, kind int16) error {
	for {
		err := unix.FcntlFlock(f.Fd(), setOpenFileLock, &unix.Flock_t{Type: kind, Start: at, Len: 1})
		if err == nil || !errors.Is(err, unix.EINTR) {
			if err != nil {
				err = &os.PathError{Op: "lock", Path: f.Name(), Err: err}
			}
			return err
		}
	}
}
