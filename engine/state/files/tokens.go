package files

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/seed627bd532/runner/engine/auth"
)

// kept is a token as its file holds it.
type kept struct {
	Version int        `json:"version"`
	Token   string     `json:"token"`
	Refresh string     `json:"refresh,omitempty"`
	Expires *time.Time `json:"expires,omitempty"`
}

const version = 1

// Token is part of state.Tokens. Errors name the file and quote nothing of it.
func (s *Store) Token(_ context.Context, key string) (auth.Token, bool, error) {
	name := s.token(key)
	text, err := os.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return auth.Token{}, false, nil
	case err != nil:
		return auth.Token{}, false, err
	}
	var k kept
	if err := json.Unmarshal(text, &k); err != nil || k.Version == version && k.Token == "" {
		return auth.Token{}, false, fmt.Errorf("%s is damaged", name)
	}
	if k.Version != version {
		return auth.Token{}, false, fmt.Errorf("%s was written by another version of runner", name)
	}
	t := auth.Token{Value: k.Token, Refresh: k.Refresh}
	if k.Expires != nil {
		t.Expires = *k.Expires
	}
	return t, true, nil
}

// PutToken is part of state.Tokens. Whoever reads at the same time, and whatever
// breaks off in between, sees the old token or the new one.
func (s *Store) PutToken(_ context.Context, key string, t auth.Token) error {
	if err := private(s.tokens); err != nil {
		return err
	}
	k := kept{Version: version, Token: t.Value, Refresh: t.Refresh}
	if !t.Expires.IsZero() {
		utc := t.Expires.UTC()
		k.Expires = &utc
	}
	text, err := json.Marshal(k)
	if err != nil {
		return fmt.Errorf("the token cannot be written down: %w", err)
	}
	return replace(s.token(key), text)
}

// token returns the path of the file of a key.
func (s *Store) token(key string) string { return filepath.Join(s.tokens, digest(key)+".json") }

// replace writes a file that only its owner can read, all of it or nothing.
func replace(name string, text []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
