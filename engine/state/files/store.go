package files

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"runtime"

	"github.com/seed627bd532/runner/engine/state"
)

// A Store is Tokens and Locks on files. All Stores over one folder of one machine
// share them. Make one with New.
type Store struct {
	*Locks
	tokens string // the folder of tokens
}

var (
	_ state.Tokens = (*Store)(nil)
	_ state.Locks  = (*Store)(nil)
)

// New returns a Store in dir, which need not exist. Nothing is read or written yet.
func New(dir string) *Store {
	return &Store{Locks: NewLocks(filepath.Join(dir, "locks")), tokens: filepath.Join(dir, "tokens")}
}

// Dir returns where runner keeps its state for this user:
// $XDG_STATE_HOME/runner or ~/.local/state/runner, and %LocalAppData%\runner on
// Windows. env looks variables up, as os.LookupEnv does.
func Dir(env func(name string) (string, bool)) (string, error) {
	if home, ok := env("XDG_STATE_HOME"); ok && filepath.IsAbs(home) {
		return filepath.Join(home, "runner"), nil
	}
	if runtime.GOOS == "windows" {
		if local, ok := env("LocalAppData"); ok && local != "" {
			return filepath.Join(local, "runner"), nil
		}
		return "", errors.New("there is no folder for state: %LocalAppData% is not set")
	}
	home, ok := env("HOME")
	if !ok || !filepath.IsAbs(home) {
		return "", errors.New("there is no folder for state: neither XDG_STATE_HOME nor HOME is set")
	}
	return filepath.Join(home, ".local", "state", "runner"), nil
}

// digest returns the name of a name's file, since a name may be of any length
// and hold anything.
func digest(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:])
}

// private makes a folder that only its owner can enter, or makes it so.
func private(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm()&0o077 == 0 || runtime.GOOS == "windows" {
		return err
	}
	return os.Chmod(dir, 0o700)
}
