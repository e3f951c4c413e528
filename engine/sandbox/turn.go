package sandbox

import (
	"time"

	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// A turn is the work on one request, under the sandbox's lock.
type turn struct {
	number    int // from 1
	store     *store
	request   *value.Object
	operation string
	now       time.Time

	changed bool     // a rule has changed the state
	dropped bool     // and has taken a record out of it
	done    bool     // a rule of the operation itself has changed the state
	made    []string // the identities of what was done, where the operation has one
}

// vars returns the variables of the scope that all requests share.
func (t *turn) vars() expr.Vars {
	vars := make(expr.Vars, baseVars)
	vars[turnVar] = t
	vars[requestVar] = t.request
	vars[stateVar] = t.store.state
	vars[operationVar] = t.operation
	return vars
}

// run tries the rules for all requests, then those of the operation. After an
// error the state is what it was.
func (t *turn) run(d *Definition, op *operation) (*answer, error) {
	before := t.store.state
	a, err := t.runRules(d, op)
	switch {
	case err != nil:
		t.store.state = before
	case t.dropped:
		t.store.prune()
	}
	return a, err
}

func (t *turn) runRules(d *Definition, op *operation) (*answer, error) {
	if a, err := d.before.run(t); a != nil || err != nil {
		return a, err
	}
	if op.identity != nil {
		made, err := textsOf(op.identity, t.vars())
		if err != nil {
			return nil, err
		}
		t.made = made
	}
	t.changed = false
	a, err := op.rules.run(t)
	if err != nil {
		return nil, err
	}
	if a == nil {
		return nil, faultAt(op.place, "no rule of operation %s replies to this request", op.name)
	}
	t.done = t.changed
	return a, nil
}
