package files

// setOpenFileLock sets a lock that belongs to the open file, and not to the process: F_OFD_SETLK, which
// macOS has since 10.11. A lock of the process would end with any other descriptor of the file.
const setOpenFileLock = 90
