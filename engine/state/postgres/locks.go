package postgres

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/seed627bd532/runner/engine/state"
)

// locks are state.Locks between all processes that share a schema.
//
// A lock is two of PostgreSQL's advisory locks, held by the session, and a row
// of the table that says whose it is. A Store takes the gate before the lock itself, and
// leaves the gate as soon as it has the lock, so that a holder who wants the lock again
// finds somebody else in the gate. The row stands for the lock while the session
// is broken: it changes only when another Store has taken the lock.
type locks struct {
	server server
	queue  *state.Memory // of those in this process who want one lock
	session
	owner string
	space string // of the names, since advisory locks are the whole database's
	fence int64  // what those share who check locks, and who takes over has alone

	mu    sync.Mutex
	holds map[*hold]bool
	stop  func() // ends what looks after the session
}

// A hold is a lock that this Store has, or is about to have.
type hold struct {
	name       string
	digest     []byte
	lock, gate int64
}

// lostError says that somebody else has taken a lock, and its holder does not know.
type lostError struct{ lock, server string }

func (e lostError) Error() string {
	return fmt.Sprintf("the lock %s was lost: the connection to the state in %s was broken, and another process has taken it since. Nothing of this was recorded. Resume the run once the other one is through", e.lock, e.server)
}

func newLocks(s server, config *pgx.ConnConfig, schema, owner string) *locks {
	return &locks{
		server:  s,
		queue:   state.NewMemory(),
		session: newSession(config, owner),
		owner:   owner,
		space:   schema,
		fence:   number("fence", schema),
		holds:   map[*hold]bool{},
	}
}

// Lock is part of state.Locks.
func (l *locks) Lock(ctx context.Context, name string) (func(), error) {
	leave, err := l.queue.Lock(ctx, name)
	if err != nil {
		return nil, err
	}
	unlock, err := l.take(ctx, name, true)
	if err != nil {
		leave()
		return nil, err
	}
	return sync.OnceFunc(func() {
		unlock()
		leave()
	}), nil
}

// TryLock is part of state.Locks. A lock for which somebody waits is not free.
func (l *locks) TryLock(ctx context.Context, name string) (func(), bool, error) {
	leave, ok, err := l.queue.TryLock(ctx, name)
	if !ok {
		return nil, false, err
	}
	unlock, err := l.take(ctx, name, false)
	if unlock == nil {
		leave()
		return nil, false, err
	}
	return sync.OnceFunc(func() {
		unlock()
		leave()
	}), true, nil
}

// take takes a lock for this Store. Unless it may wait, unlock is nil when the
// lock is not free.
func (l *locks) take(ctx context.Context, name string, wait bool) (unlock func(), err error) {
	digest := sha256.Sum256([]byte(name))
	h := &hold{name: name, digest: digest[:], lock: number("lock", l.space, name), gate: number("gate", l.space, name)}
	var in *pgx.Conn // the session that has the gate
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 250*time.Millisecond) {
		held := false
		err := l.server.try(ctx, func(ctx context.Context) error {
			return l.session.use(ctx, l.again, func(ctx context.Context, c *pgx.Conn) (err error) {
				held, err = l.step(ctx, c, h, &in, wait)
				return err
			})
		})
		switch {
		case held:
			return func() { l.unlock(h) }, nil
		case err != nil || !wait:
			return nil, err
		}
		sleep(ctx, pause)
		if ctx.Err() != nil {
			l.session.whileIn(in, func(ctx context.Context, c *pgx.Conn) error {
				_, err := c.Exec(ctx, "SELECT pg_advisory_unlock($1)", h.gate)
				return err
			})
			return nil, context.Cause(ctx)
		}
	}
}

// step goes as far towards the lock as it comes without waiting.
func (l *locks) step(ctx context.Context, c *pgx.Conn, h *hold, in **pgx.Conn, wait bool) (held bool, err error) {
	if *in == c {
		err = c.QueryRow(ctx, `SELECT CASE WHEN pg_try_advisory_lock($1) THEN pg_advisory_unlock($2) ELSE false END`, h.lock, h.gate).Scan(&held)
	} else {
		var came string
		err = c.QueryRow(ctx, `SELECT CASE
			WHEN NOT pg_try_advisory_lock($2) THEN 'nowhere'
			WHEN pg_try_advisory_lock($1) THEN CASE WHEN pg_advisory_unlock($2) THEN 'there' END
			WHEN $3 THEN 'in the gate'
			WHEN pg_advisory_unlock($2) THEN 'nowhere' END`, h.lock, h.gate, wait).Scan(&came)
		held = came == "there"
		if came == "in the gate" {
			*in = c
		}
	}
	if err != nil || !held {
		return false, err
	}
	if err := l.sign(ctx, c, h); err != nil {
		return false, err
	}
	l.add(h)
	return true, nil
}

// sign writes down whose the lock is. A row that is there already is of a
// Store that ended, or lost the lock without knowing, which waits for intents on their way.
func (l *locks) sign(ctx context.Context, c *pgx.Conn, h *hold) error {
	done, err := c.Exec(ctx, "INSERT INTO locks (digest, owner) VALUES ($1, $2) ON CONFLICT DO NOTHING", h.digest, l.owner)
	if err != nil || done.RowsAffected() == 1 {
		return err
	}
	b := &pgx.Batch{}
	b.Queue("begin")
	b.Queue("SELECT pg_advisory_xact_lock($1)", l.fence)
	b.Queue("UPDATE locks SET owner = $2 WHERE digest = $1", h.digest, l.owner)
	b.Queue("commit")
	return c.SendBatch(ctx, b).Close()
}

// unlock gives a lock up. A session that is broken has done so already, and
// leaves a row that says nothing to anybody.
func (l *locks) unlock(h *hold) {
	l.remove(h)
	l.session.whileIn(nil, func(ctx context.Context, c *pgx.Conn) error {
		b := &pgx.Batch{}
		b.Queue("DELETE FROM locks WHERE digest = $1 AND owner = $2", h.digest, l.owner)
		b.Queue("SELECT pg_advisory_unlock($1)", h.lock)
		return c.SendBatch(ctx, b).Close()
	})
}

// again takes the locks that a broken session had, on a new one. Those whose
// row names somebody else are lost, and stay so.
func (l *locks) again(ctx context.Context, c *pgx.Conn) error {
	held := l.held()
	if len(held) == 0 {
		return nil
	}
	rows, err := c.Query(ctx, "SELECT digest FROM locks WHERE owner = $1 AND digest = ANY($2::bytea[])", l.owner, digests(held))
	if err != nil {
		return err
	}
	mine, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil {
		return err
	}
	b := &pgx.Batch{}
	for _, h := range held {
		if has(mine, h) {
			b.Queue("SELECT pg_try_advisory_lock($1)", h.lock)
		}
	}
	return c.SendBatch(ctx, b).Close()
}

// held returns the locks of this Store.
func (l *locks) held() []*hold {
	l.mu.Lock()
	defer l.mu.Unlock()
	held := make([]*hold, 0, len(l.holds))
	for h := range l.holds {
		held = append(held, h)
	}
	return held
}

// lost returns a lock of held that is not among mine and was not unlocked meanwhile.
func (l *locks) lost(held []*hold, mine [][]byte) *hold {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, h := range held {
		if l.holds[h] && !has(mine, h) {
			return h
		}
	}
	return nil
}

// lookAfter is how often a session that holds locks is tried, so that it is made
// anew before somebody else takes them.
const lookAfter = 5 * time.Second

func (l *locks) add(h *hold) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.holds[h] = true
	if l.stop == nil {
		ctx, stop := context.WithCancel(context.Background())
		l.stop = stop
		go l.watch(ctx)
	}
}

func (l *locks) remove(h *hold) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.holds, h)
	if len(l.holds) == 0 && l.stop != nil {
		l.stop()
		l.stop = nil
	}
}

// watch keeps the session alive until ctx ends.
func (l *locks) watch(ctx context.Context) {
	for sleep(ctx, lookAfter); ctx.Err() == nil; sleep(ctx, lookAfter) {
		l.session.use(ctx, l.again, func(ctx context.Context, c *pgx.Conn) error { return c.Ping(ctx) })
	}
}

// close ends the session.
func (l *locks) close() {
	l.mu.Lock()
	if l.stop != nil {
		l.stop()
	}
	l.mu.Unlock()
	l.session.close()
}

func digests(held []*hold) [][]byte {
	var all [][]byte
	for _, h := range held {
		all = append(all, h.digest)
	}
	return all
}

func has(digests [][]byte, h *hold) bool {
	return slices.ContainsFunc(digests, func(d []byte) bool { return bytes.Equal(d, h.digest) })
}

// number makes a name a number, as advisory locks need one. Two names of one number
// would exclude each other, which among 2^64 does not happen.
func number(words ...string) int64 {
	sum := sha256.New()
	for _, word := range words {
		fmt.Fprintf(sum, "%d %s ", len(word), word)
	}
	return int64(binary.BigEndian.Uint64(sum.Sum(nil)))
}
