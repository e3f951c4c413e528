//go:build unix

package sqlite

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// asOther lets cmd run as a user whom permissions bind: another one when this
// one is root, and path and its folder are that user's own then.
func asOther(t *testing.T, cmd *exec.Cmd, path string) {
	t.Helper()
	if os.Getuid() != 0 {
		return
	}
	const nobody = 65534
	for _, name := range []string{path, filepath.Dir(path)} {
		if err := os.Chown(name, nobody, nobody); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	cmd.Dir = "/"
}
