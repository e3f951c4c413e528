package testrun

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/session"
	"github.com/seed627bd532/runner/engine/internal/testfile"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// judge holds what a run came to against what was expected. After a request without an
// answer, and after another end than the expected one, the rest would say nothing.
func (r *testRun) judge(ctx context.Context, end *session.End) {
	if r.script.missing != nil {
		r.unanswered(*r.script.missing)
		return
	}
	if string(end.Status) != r.Expect.Status {
		r.otherEnd(end)
		return
	}
	for _, want := range r.Expect.Outputs {
		r.agree("output "+want.Name, want.Wanted, end.Outputs.At(want.Name))
	}
	if end.Failure != nil {
		r.failure(*end.Failure)
	}
	for _, want := range r.Expect.Sent {
		if got := int64(len(r.script.asked[want.Name])); !value.Equal(want.Value, got) {
			r.fault(want.Place(), mismatch, fmt.Sprintf("requests of %s: expected %s, got %d", want.Name, shown(want.Value), got))
		}
	}
	for _, want := range r.Expect.Requests {
		r.requests(want)
	}
	r.unused()
	r.tables(ctx)
}

// mismatch is the code of what is not as expected.
const mismatch = "not-as-expected"

func (r *testRun) unanswered(m missing) {
	at, had := r.Place, 0
	if list := r.Answers[m.operation]; list != nil {
		at, had = list.Place, len(list.List)
	}
	r.fault(at, "no-answer", fmt.Sprintf("step %s calls %s, and no answer is left of %d", m.step, m.operation, had)).
		WithHint("add an answer to " + m.operation + ", or find out why it is called")
}

// otherEnd tells of a run that ended in another way than expected, and why.
func (r *testRun) otherEnd(end *session.End) {
	message := fmt.Sprintf("expected the run to end %s, got %s", r.Expect.Status, end.Status)
	if f := end.Failure; f != nil {
		message += ": " + said(*f)
	}
	r.fault(r.Expect.At, mismatch, message)
}

// said is a failure in one line.
func said(f event.Failure) string {
	var parts []string
	for _, part := range []string{f.Step, f.Operation, f.Outcome, f.Message} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ": ") + " (" + f.Code + ")"
}

func (r *testRun) failure(f event.Failure) {
	got := map[string]string{"code": f.Code, "outcome": f.Outcome, "step": f.Step, "operation": f.Operation}
	for _, want := range r.Expect.Error {
		text, _ := want.Value.(string)
		if want.Name == "message" {
			if !strings.Contains(f.Message, text) {
				r.fault(want.Place(), mismatch, fmt.Sprintf("message of the error: expected a part %s, got %s", shown(text), shown(f.Message)))
			}
			continue
		}
		if got[want.Name] != text {
			r.fault(want.Place(), mismatch, fmt.Sprintf("%s of the error: expected %s, got %s", want.Name, shown(text), shown(got[want.Name])))
		}
	}
}

func (r *testRun) requests(want testfile.Requests) {
	asked := r.script.asked[want.Operation]
	for i, parts := range want.List {
		name := fmt.Sprintf("request %d of %s", i+1, want.Operation)
		if i >= len(asked) {
			r.fault(want.Place, mismatch, fmt.Sprintf("expected %s, got only %d", name, len(asked)))
			return
		}
		for _, part := range parts {
			r.agree(name+": "+part.Name, part.Wanted, asked[i].part(part))
		}
	}
}

// part returns what is wanted of a request.
func (r *request) part(want testfile.Named) value.Value {
	switch want.Name {
	case "method":
		return r.method
	case "path":
		return r.path
	case "query":
		return fields(r.query)
	case "headers":
		names, _ := want.Value.(*value.Object)
		return r.headers(names.Keys())
	}
	return r.body
}

// unused tells of answers that nobody asked for.
func (r *testRun) unused() {
	for _, name := range slices.Sorted(maps.Keys(r.Answers)) {
		list := r.Answers[name]
		if n := len(r.script.asked[name]); n < len(list.List) && !list.Shared {
			r.fault(list.List[n].Place, "unused-answer", fmt.Sprintf("only %d of the %d answers to %s came into use", n, len(list.List), name)).
				WithHint("leave it out, or find out why it is called no more often")
		}
	}
}

func (r *testRun) tables(ctx context.Context) {
	for _, want := range r.Expect.Tables {
		text, there, err := r.state.Value(context.WithoutCancel(ctx), want.Table, want.Key)
		var got value.Value
		if err == nil && there {
			got, err = value.Decode(text)
		}
		if err != nil {
			r.fault(want.Place(), mismatch, fmt.Sprintf("table %s cannot be read: %v", want.Table, err))
			continue
		}
		r.agree(fmt.Sprintf("%s in table %s", want.Key, want.Table), want.Wanted, got)
	}
}

// agree tells where got is not what was wanted: of objects the members that are named count,
// lists agree element by element, numbers by value.
func (r *testRun) agree(what string, want testfile.Wanted, got value.Value) {
	if rows, ok := got.(*value.Rows); ok {
		got = all(rows)
	}
	switch w := want.Value.(type) {
	case *value.Object:
		if o, ok := got.(*value.Object); ok {
			for name := range w.All() {
				r.agree(what+"."+name, want.Member(name), o.At(name))
			}
			return
		}
	case value.List:
		if list, ok := got.(value.List); ok && len(list) == len(w) {
			for i := range w {
				r.agree(fmt.Sprintf("%s[%d]", what, i), want.Element(i), list[i])
			}
			return
		} else if ok {
			r.fault(want.Place(), mismatch, fmt.Sprintf("%s: expected %d elements, got %d: %s", what, len(w), len(list), shown(r.gate.Value(got))))
			return
		}
	}
	if !value.Equal(want.Value, got) {
		r.fault(want.Place(), mismatch, fmt.Sprintf("%s: expected %s, got %s", what, shown(want.Value), shown(r.gate.Value(got))))
	}
}

// all returns the elements of a list that is kept elsewhere.
func all(rows *value.Rows) value.List {
	list := make(value.List, 0, rows.Len())
	for i := range rows.Len() {
		v, err := rows.At(i)
		if err != nil {
			v = "unreadable: " + err.Error()
		}
		list = append(list, v)
	}
	return list
}

// longest bounds how much of a value is told, in runes.
const longest = 300

// shown is a value as JSON, shortened.
func shown(v value.Value) string {
	return diag.Shorten(string(value.AppendJSON(nil, v)), longest)
}
