package flowtest

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// Programs are hand-written programs that use every verb of a runtime.
func Programs() []Program {
	return []Program{
		{Name: "calls in a row", Run: inARow},
		{Name: "look-up, then create", Run: func(rt flow.Runtime) (value.Value, error) { return ensure(rt, "", "PT1") }},
		{Name: "retry", Answer: busyAtFirst, Run: retry},
		{Name: "rows", Run: rows(flow.EachPolicy{Parallel: 1, Collect: true}, "A", "B", "C")},
		{Name: "rows in parallel", Run: rows(flow.EachPolicy{Parallel: 4, Collect: true}, "A", "B", "A#2", "C", "D", "B#2", "A#3", "E")},
		{Name: "rows of which some fail", Answer: refuse("B", "D"), Run: rows(flow.EachPolicy{Parallel: 2, Collect: true}, "A", "B", "C", "D", "E")},
		{Name: "the only row fails", Answer: refuse("A"), Run: rows(flow.EachPolicy{Parallel: 2}, "A")},
		{Name: "nested rows", Run: nested},
		{Name: "a create that is looked for", Answer: loseCreates, Run: lookedFor},
		{Name: "rows that are looked for", Answer: loseCreates, Run: rowsLookedFor},
		{Name: "a failure that is acted upon", Answer: refuse("work"), Run: actUpon},
		{Name: "clean-up", Answer: refuse("work"), Run: cleanUp},
	}
}

// inARow makes five calls, of which each takes what the one before gave.
func inARow(rt flow.Runtime) (value.Value, error) {
	last := value.ObjectOf("n", value.Decimal("203.7700"))
	for i := range 5 {
		res, err := rt.Call(read(flow.Key(fmt.Sprintf("step%d", i)), last))
		if err != nil {
			return nil, err
		}
		last = res.Outputs
	}
	return last, nil
}

// ensure looks something up and creates it.
func ensure(rt flow.Runtime, at flow.Key, name string) (*value.Object, error) {
	found, err := rt.Call(read(at.Step("find"), value.ObjectOf("name", name)))
	if err != nil {
		return nil, err
	}
	if !found.Outcome.Success() {
		return nil, errors.New(found.Message)
	}
	key := at.Step("create")
	made, err := rt.Call(flow.CallRequest{
		Key: key, CallKey: key, Connection: "v", Operation: "v.create", Effect: flow.Create,
		Identity: name, Inputs: value.ObjectOf("name", name),
	})
	if err != nil {
		return nil, err
	}
	if !made.Outcome.Success() {
		return nil, errors.New(made.Message)
	}
	return value.ObjectOf("id", made.Outputs.At("key")), nil
}

// retry calls until the vendor is not busy, at most three times.
func retry(rt flow.Runtime) (value.Value, error) {
	for n := 1; ; n++ {
		key := flow.Key("call").Attempt(n)
		call := read(key, nil)
		call.CallKey = "call"
		res, err := rt.Call(call)
		if err != nil {
			return nil, err
		}
		if res.Outcome.Success() || n == 3 {
			return value.ObjectOf("key", res.Outputs.At("key")), nil
		}
		if err := rt.Sleep("", res.RetryAfter); err != nil {
			return nil, err
		}
	}
}

// busyAtFirst refuses the first two attempts of a call.
func busyAtFirst(r flow.CallRequest) flow.Result {
	if r.Key != r.CallKey.Attempt(3) {
		return flow.Result{Outcome: flow.Busy, Status: 503, Message: "later", RetryAfter: time.Millisecond, Sent: true}
	}
	return Echo(r)
}

// rows ensures something for every key and tells what became of each.
func rows(policy flow.EachPolicy, keys ...string) func(flow.Runtime) (value.Value, error) {
	return func(rt flow.Runtime) (value.Value, error) { return each(rt, "each", policy, keys, nil) }
}

// each is a foreach whose rows run inner, if any, after their own calls.
func each(rt flow.Runtime, at flow.Key, policy flow.EachPolicy, keys []string, inner func(flow.Runtime, flow.Key) (value.Value, error)) (value.Value, error) {
	body := flow.Body{Run: func(rt flow.Runtime, row flow.Row) flow.Item {
		key := at.Row(row.Key)
		out, err := ensure(rt, key, string(key))
		if err == nil && inner != nil {
			var v value.Value
			v, err = inner(rt, key)
			out = value.ObjectOf("outer", out, "inner", v)
		}
		if err != nil {
			return flow.Item{Status: flow.Failed, Err: err, Stop: errors.Is(err, rt.Interrupted())}
		}
		return flow.Item{Status: flow.Done, Outputs: out}
	}}
	ended, err := rt.Each(at, Rows(keys...), policy, body)
	if err == nil {
		err = ended.Err
	}
	if err != nil {
		return nil, err
	}
	list := value.List{}
	for _, it := range ended.Items {
		o := value.ObjectOf("index", int64(it.Index), "key", it.Key, "status", string(it.Status), "error", errorText(it.Err))
		if it.Outputs != nil {
			o.Set("outputs", it.Outputs)
		}
		list = append(list, o)
	}
	return list, nil
}

// nested is a foreach in a foreach.
func nested(rt flow.Runtime) (value.Value, error) {
	policy := flow.EachPolicy{Parallel: 2, Collect: true}
	return each(rt, "each", policy, []string{"A", "B", "C"}, func(rt flow.Runtime, key flow.Key) (value.Value, error) {
		return each(rt, key.Step("inner"), policy, []string{"x", "y"}, nil)
	})
}

// loseCreates does what creates ask for and loses the answer.
func loseCreates(r flow.CallRequest) flow.Result {
	if r.Effect == flow.Create {
		return flow.Result{Outcome: flow.Unknown, Message: "no answer", Sent: true}
	}
	return Echo(r)
}

// lookedFor makes a create, and looks for it where no answer tells of it.
func lookedFor(rt flow.Runtime) (value.Value, error) {
	r := flow.CallRequest{
		Key: "create", CallKey: "create", Connection: "v", Operation: "v.create", Effect: flow.Create,
		Identity: "PT1", Inputs: value.ObjectOf("name", "PT1"),
	}
	made, err := rt.Create(r, func(rt flow.Runtime, _ flow.CallRequest, lost flow.Result) (flow.Result, error) {
		look := read("create/lookup", r.Inputs)
		look.Fresh = true
		res, err := rt.Call(look)
		if err != nil {
			return lost, err
		}
		return flow.Result{Outcome: flow.OK, Outputs: res.Outputs, Sent: lost.Sent, Reconciled: true}, nil
	})
	if err != nil {
		return nil, err
	}
	return value.ObjectOf("outputs", made.Outputs, "sent", made.Sent, "reconciled", made.Reconciled), nil
}

// rowsLookedFor is lookedFor for a batch.
func rowsLookedFor(rt flow.Runtime) (value.Value, error) {
	r := flow.CallRequest{
		Key: "send", CallKey: "send", Connection: "v", Operation: "v.send", Effect: flow.Create,
		Rows: []flow.RowRef{{Key: "A", Identity: "A"}, {Key: "B", Identity: "B"}},
	}
	sent, err := rt.Create(r, func(rt flow.Runtime, _ flow.CallRequest, lost flow.Result) (flow.Result, error) {
		res := flow.Result{Outcome: flow.OK, Sent: lost.Sent, Reconciled: true}
		for _, row := range r.Rows {
			look := read(r.RowKey(row.Key).Step("lookup"), nil)
			look.Fresh = true
			if _, err := rt.Call(look); err != nil {
				return lost, err
			}
			res.Rows = append(res.Rows, flow.RowResult{Key: row.Key, Status: flow.Done})
		}
		return res, nil
	})
	if err != nil {
		return nil, err
	}
	list := value.List{}
	for _, row := range sent.Rows {
		list = append(list, row.Key+" "+string(row.Status))
	}
	return list, nil
}

// actUpon goes on after a failure, which nothing may change from then on.
func actUpon(rt flow.Runtime) (value.Value, error) {
	work := read("work", nil)
	res, err := rt.Call(work)
	if err != nil {
		return nil, err
	}
	if err := rt.Record(work, res); err != nil {
		return nil, err
	}
	if _, err := rt.Call(read("instead", nil)); err != nil {
		return nil, err
	}
	return res.Message, nil
}

// cleanUp tidies up although the work failed, and goes on with that when it was stopped.
func cleanUp(rt flow.Runtime) (value.Value, error) {
	res, begun, err := rt.CleaningUp()
	if err == nil && !begun {
		res, err = rt.Call(read("work", nil))
	}
	if err != nil {
		return nil, err
	}
	err = rt.Cleanup(res, func(rt flow.Runtime) error {
		_, err := rt.Call(read("tidy", nil))
		return err
	})
	if err != nil || rt.Interrupted() != nil {
		return nil, errors.Join(err, rt.Interrupted())
	}
	return nil, errors.New(res.Message)
}

// refuse makes the vendor refuse whatever concerns these rows or calls.
func refuse(names ...string) func(flow.CallRequest) flow.Result {
	return func(r flow.CallRequest) flow.Result {
		for _, name := range names {
			if r.Key == flow.Key(name) || r.Key == flow.Key("each").Row(name).Step("create") {
				return flow.Result{Outcome: flow.Invalid, Status: 400, Message: "no " + name, Sent: true}
			}
		}
		return Echo(r)
	}
}

// read returns a call that only reads.
func read(key flow.Key, in *value.Object) flow.CallRequest {
	return flow.CallRequest{Key: key, CallKey: key, Connection: "v", Operation: "v.find", Effect: flow.Read, Inputs: in}
}

// Rows yields a row for every key. "A#2" is of the group "A".
func Rows(keys ...string) flow.Rows {
	return func(yield func(flow.Row, error) bool) {
		for i, key := range keys {
			group, _, _ := strings.Cut(key, "#")
			if !yield(flow.Row{Index: i, Key: key, Group: group, Value: key}, nil) {
				return
			}
		}
	}
}
