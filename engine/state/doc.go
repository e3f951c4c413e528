// Package state holds what outlives a call, a step or a whole run, as small
// interfaces: the Journal remembers what a run did, Tokens keep what vendors gave
// for credentials, Locks keep two workers from doing one thing at the same time. Memory is the kind that lives as long as
// the process; kinds that survive it are packages below this one.
//
//	m := state.NewMemory()
//	unlock, err := m.Lock(ctx, "create company PT507172230")
//	if err != nil {
//		return err // ctx ended while others held the lock
//	}
//	defer unlock()
//
// # Secrets
//
// A Journal never holds a secret. Credentials never come near it, since
// they are resolved while a call is made; whoever writes an entry leaves secret
// inputs and outputs out by their type. A kind may therefore keep payloads
// as they are, in files that backups carry away. Tokens are secrets, and kinds
// that write them down keep them where their owner alone can read them.
package state
