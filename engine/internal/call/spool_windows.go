package call

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
)

// deleteOnClose has the system remove the file with the last reader or the
// process: an open file cannot be removed by name there.
const deleteOnClose = 0x04000000 // FILE_FLAG_DELETE_ON_CLOSE

// openSpool makes a file in the owner's own folder for temporary files.
func openSpool(dir string) (*os.File, error) {
	name := filepath.Join(dir, "runner-"+strings.ToLower(rand.Text()[:16])+".spool")
	return os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL|deleteOnClose, 0o600)
}
