//go:build !windows

package call

import "os"

// openSpool makes a file that only its owner can read. Its name is gone before
// anything is in it, and the file with the last reader or the process.
func openSpool(dir string) (*os.File, error) {
	file, err := os.CreateTemp(dir, "runner-*.spool") // mode 0600
	if err != nil {
		return nil, err
	}
	if err := os.Remove(file.Name()); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}
