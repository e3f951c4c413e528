package files

import (
	"context"
	"os"
	"sync"
)

// Lock is part of state.Locks. It excludes all processes of this machine. Those of
// one process are served in order, and processes that wait for a lock
// get it in turns: none takes it twice in a row while another waits.
//
// Each lock is two files. A process takes the gate before the lock itself, and
// leaves the gate as soon as it has the lock, so that a holder who wants the lock
// again finds somebody else in the gate. The system frees both when a process ends.
func (s *Store) Lock(ctx context.Context, name string) (func(), error) {
	leave, err := s.queue.Lock(ctx, name)
	if err != nil {
		return nil, err
	}
	release, err := s.take(ctx, name)
	if err != nil {
		leave()
		return nil, err
	}
	return sync.OnceFunc(func() {
		release()
		leave()
	}), nil
}

// take locks the files of a name for this process.
func (s *Store) take(ctx context.Context, name string) (release func(), err error) {
	gate, err := s.open(name, ".gate")
	if err != nil {
		return nil, err
	}
	if err := lock(ctx, gate); err != nil {
		return nil, err
	}
	defer gate.Close()
	held, err := s.open(name, ".lock")
	if err != nil {
		return nil, err
	}
	if err := lock(ctx, held); err != nil {
		return nil, err
	}
	return func() { held.Close() }, nil
}

func (s *Store) open(name, ext string) (*os.File, error) {
	path, err := s.file("locks", name, ext, true)
	if err != nil {
		return nil, err
	}
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
}

// lock locks f, and closes it when it cannot. Closing f frees the lock.
//
// The system's wait cannot be broken off. When ctx ends first, a goroutine stays
// behind until it has the lock, to give it back at once.
func lock(ctx context.Context, f *os.File) error {
	switch free, err := tryFile(f); {
	case err != nil:
		f.Close()
		return err
	case free:
		return nil
	}
	locked := make(chan error, 1)
	given := make(chan bool, 1) // whether somebody still wants it
	go func() {
		err := lockFile(f)
		locked <- err
		if !<-given || err != nil {
			f.Close()
		}
	}()
	select {
	case err := <-locked:
		given <- true
		return err
	case <-ctx.Done():
		given <- false
		return context.Cause(ctx)
	}
}
