package files

import "golang.org/x/sys/unix"

// setOpenFileLock sets a lock that belongs to the open file, and not to the process.
const setOpenFileLock = unix.F_OFD_SETLK
