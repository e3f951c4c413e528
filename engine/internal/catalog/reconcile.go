package catalog

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/template"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/source"
)

// A Reconcile says how to find out whether a create took place of which no
// answer tells. With a Batch it looks for one row.
type Reconcile struct {
	// Call is the look-up, a read of the same vendor, and With its inputs (over
	// LookupVars); nil for none.
	Call *Operation
	With *template.Template
	// Found tells from the look-up's outputs and outcome whether it is there (over FoundVars).
	Found *expr.Expr
	// Outputs are those of the operation, made of the look-up's (over FoundVars); nil for none.
	Outputs *template.Template
	// Tries is how often it is looked for, Every how long to wait between two looks.
	Tries int
	Every time.Duration
	// Resend says that what was not there at any look did not happen, and is sent once more.
	Resend bool
}

// Reach is how late the vendor may show what op creates: as long as it is looked for.
func (op *Operation) Reach() time.Duration {
	if op.Reconcile == nil {
		return 0
	}
	return time.Duration(op.Reconcile.Tries) * op.Reconcile.Every
}

// What a reconcile gets that does not say otherwise.
const (
	defaultTries = 4
	defaultEvery = 5 * time.Second
)

// reconcile reads how op, declared at n, is looked for. All operations are known.
func (d *decoder) reconcile(op *Operation, n *source.Node) {
	r := n.Get("reconcile")
	if r == nil || !d.reconcilable(op, n) || op.Identity == nil {
		return
	}
	rec := &Reconcile{Tries: defaultTries, Every: d.wait(r.Get("every"), "every", defaultEvery)}
	if t := r.Get("tries"); t != nil {
		if tries, ok := t.Literal().(int64); ok {
			rec.Tries = int(tries)
		}
	}
	if all := time.Duration(rec.Tries-1) * rec.Every; all > longestWait && rec.Every <= longestWait {
		d.faults.Add(r.Key("call").Errorf("wrong-value", "tries and every: expected at most %dh of waiting, found %v", longestWait/time.Hour, all).
			WithHint("looking less often, or for a shorter time, finds it as well"))
	}
	if rec.Every == 0 && rec.Tries > 1 {
		d.faults.Add(r.Get("every").Errorf("wrong-value", "the wait between two looks must be longer than nothing"))
	}
	rec.Call = d.lookup(r, op)
	if rec.Call == nil {
		return
	}
	scope := d.lookupScope(op)
	if with := r.Get("with"); with != nil {
		rec.With = template.Compile(with, scope, d.faults)
	}
	if rec.With != nil || r.Get("with") == nil {
		CheckWith(rec.Call.Name, rec.Call.Inputs, rec.With, placeOf(r.Get("call"), ""), d.faults)
	}
	found := rec.Call.Response.answered(scope, rec.Call.Response.outcomeGiven())
	rec.Found = d.condition(r.Get("found"), found)
	d.foundOutputs(rec, r, op, found.Where(rec.Found, true))
	if a := r.Get("if_absent"); a != nil {
		rec.Resend = a.Text == "resend"
		if rec.Resend && op.Batch != nil {
			d.faults.Add(a.Errorf("resend-of-batch", "half a batch cannot be sent again").WithHint("leave if_absent out: a row that is not there has failed"))
		}
	}
	d.looksForIt(r, op)
	d.foundReads(r.Get("found"), rec)
	op.Reconcile = rec
}

// foundReads holds that found, at n, comes out in another way where the look-up finds something else. An outcome that can
// only be ok tells that it was answered, which is enough where the vendor has an error for what is not there.
func (d *decoder) foundReads(n *source.Node, rec *Reconcile) {
	hint := "ask whether what was sent is among outputs of " + rec.Call.Name
	switch {
	case rec.Found == nil || rec.Found.Reads("outputs"):
	case !rec.Found.Reads("outcome"):
		d.faults.Add(n.Errorf("lookup-of-anything", "found says nothing of the outputs of the look-up, nor of its outcome, so that it is the same whatever is found").
			WithHint(hint))
	case !rec.Call.Response.mayBeEmpty():
		d.faults.Add(n.Warnf("lookup-of-anything", "the outcome of %s is ok whenever it succeeds, so that found is the same whatever is found", rec.Call.Name).
			WithHint(hint + ", or let its outcomes say what is: empty"))
	}
}

// reconcilable reports whether there is something to reconcile.
func (d *decoder) reconcilable(op *Operation, n *source.Node) bool {
	at := n.Key("reconcile")
	switch {
	case op.Effect != flow.Create && op.Batch == nil && n.Get("identity") != nil: // reported with the identity
		return false
	case op.Effect != flow.Create && (op.Batch == nil || op.Effect == flow.Read):
		d.faults.Add(at.Errorf("reconcile-without-create", "reconcile belongs to operations with effect: create, and to batches; this one is %s", op.Effect).
			WithHint("what may be repeated needs no look-up: it is sent again"))
	case n.Get("identity") == nil:
		d.faults.Add(at.Errorf("reconcile-without-identity", "reconcile looks for what identity names, and there is none").
			WithHint("add identity, as in identity: inputs.number"))
	default:
		return true
	}
	return false
}

// lookup finds the operation that looks.
func (d *decoder) lookup(r *source.Node, op *Operation) *Operation {
	look := d.authOperation(r, "call")
	if look != nil && look.Effect != flow.Read {
		d.faults.Add(r.Get("call").Errorf("reconcile-not-read", "the operation %s looks for what %s did, so it must be a read; it is %s", look.Name, op.Name, look.Effect))
		return nil
	}
	return look
}

// condition compiles an expression that is true or false.
func (d *decoder) condition(n *source.Node, scope *expr.Scope) *expr.Expr {
	e := expr.Compile(n, scope, d.faults)
	if e == nil {
		return nil
	}
	t := e.Type()
	if t.Kind != types.Boolean && t.Kind != types.Unknown || t.Nullable {
		f := n.Errorf("wrong-type", "a condition must be true or false, found %s", t)
		if t.Kind == types.Boolean {
			f.Hint = "write ?? false behind it"
		}
		d.faults.Add(f)
	}
	return e
}

// foundOutputs compiles what the operation's callers get when the look-up found it.
// Since found holds then, what may be null in general may stand for what may not.
func (d *decoder) foundOutputs(rec *Reconcile, r *source.Node, op *Operation, scope *expr.Scope) {
	n := r.Get("outputs")
	declared := op.Response.OutputsType
	if op.Batch != nil {
		if n != nil {
			d.faults.Add(r.Key("outputs").Errorf("outputs-of-row", "outputs are those of a batch, and a look-up looks for one row"))
		}
		return
	}
	given := types.ObjectOf()
	if n != nil {
		if rec.Outputs = template.Compile(n, scope, d.faults); rec.Outputs == nil {
			return
		}
		given = rec.Outputs.Type()
	}
	var missing []string
	for _, f := range declared.Fields {
		t, ok := given.Field(f.Name)
		switch {
		case !ok && !f.Type.Nullable:
			missing = append(missing, f.Name)
		case ok:
			d.foundOutput(f, t, n.Get(f.Name))
		}
	}
	if len(missing) > 0 {
		at := r.Key("outputs")
		if at == nil {
			at = r.Get("call")
		}
		d.faults.Add(at.Errorf("missing-output", "nothing says what the output %s is when the look-up finds it", strings.Join(missing, ", ")).
			WithHint("add it below outputs, made of the outputs of " + rec.Call.Name))
	}
	d.unknownOutputs(rec, declared)
}

// foundOutput holds the type of one output against what the operation declares.
func (d *decoder) foundOutput(f types.Field, t *types.Type, at *source.Node) {
	if at == nil { // the name is computed, which is another fault
		return
	}
	if why := f.Type.OrNull("").Accepts(t); why != "" {
		fault := at.Errorf("wrong-type", "output %s: %s", f.Name, why)
		fault.Related = []diag.Place{f.Type.Declared}
		d.faults.Add(fault)
	}
	if leaks(t, f.Type, map[*types.Type]bool{}) {
		d.faults.Add(at.Errorf("secret-leak", "a secret would flow into the output %s, which is not secret", f.Name))
	}
}

func (d *decoder) unknownOutputs(rec *Reconcile, declared *types.Type) {
	if rec.Outputs == nil {
		return
	}
	var names []string
	for _, f := range declared.Fields {
		names = append(names, f.Name)
	}
	for _, m := range rec.Outputs.Members() {
		switch {
		case m.Key != nil:
			d.faults.Add(fault(m.Place, "dynamic-output", "an output's name cannot be computed", "write the name as it is declared"))
		case !slices.Contains(names, m.Name):
			d.faults.Add(fault(m.Place, "unknown-output", fmt.Sprintf("the operation has no output %s", m.Name), DidYouMean(m.Name, names)))
		}
	}
}

// identityWord is where identity is named, and not a member of that name.
var identityWord = regexp.MustCompile(`(?:^|[^.\w])identity(?:\W|$)`)

// looksForIt demands that the look-up depends on what was sent: another one
// would find anything.
func (d *decoder) looksForIt(r *source.Node, op *Operation) {
	name, what := "inputs", "the inputs"
	if op.Batch != nil {
		name, what = op.Batch.As, "the row"
	}
	switch {
	case names(r.Get("with"), identityWord) || identityWord.MatchString(r.Get("found").Text):
		return
	case mentions(r.Get("with"), name) || mentions(r.Get("found"), name):
		d.looksForAll(r, op, name)
		return
	}
	d.faults.Add(r.Key("call").Errorf("lookup-of-anything", "neither with nor found says anything of %s, so that anything would be found", what).
		WithHint(fmt.Sprintf("look for the identity: %s", op.Identity.Text())))
}

// looksForAll warns of a part of the identity that the look-up says nothing of: what differs in it only
// would be taken for what was sent.
func (d *decoder) looksForAll(r *source.Node, op *Operation, name string) {
	part := regexp.MustCompile(`\b` + regexp.QuoteMeta(name) + `\??\.([A-Za-z_]\w*)`)
	whole := regexp.MustCompile(`(?:^|[^.\w])` + regexp.QuoteMeta(name) + `(?:[^.?\w]|$)`)
	if names(r.Get("with"), whole) || whole.MatchString(r.Get("found").Text) {
		return
	}
	for _, m := range part.FindAllStringSubmatch(op.Identity.Text(), -1) {
		if member := name + "." + m[1]; !mentions(r.Get("with"), m[1]) && !mentions(r.Get("found"), m[1]) {
			d.faults.Add(r.Key("call").Warnf("lookup-of-anything", "the identity depends on %s, and neither with nor found says anything of it", member).
				WithHint("look for all that the identity is made of: what differs only there would be taken for what was sent"))
			return
		}
	}
}

// lookupScope has the inputs of op, with a batch the row, and the identity.
func (d *decoder) lookupScope(op *Operation) *expr.Scope {
	s := identityScope(op.Inputs.Type).Recording(d.reads)
	if b := op.Batch; b != nil {
		row := types.AnyType
		if of := op.Inputs.Get(b.Of); of != nil {
			row = elemOf(of.Type)
		}
		s = s.With(expr.Name{Name: b.As, Type: row})
	}
	return s.With(expr.Name{Name: identityName, Type: op.Identity.Type()})
}
