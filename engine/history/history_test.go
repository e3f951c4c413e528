package history_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/history"
	"github.com/seed627bd532/runner/engine/state"
)

var began = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

// filled is a state with a run that is ambiguous, one that is alive, and one that was killed.
func filled(t *testing.T) *state.Memory {
	t.Helper()
	m := state.NewMemory()
	for i, r := range []state.Run{
		{ID: "r1", Key: "nightly", Pipeline: "p.yaml", Files: map[string]string{"p.yaml": "sha256:1"},
			Inputs: []byte(`{"a": {"value": 1.50}, "b": {"file": "b.csv", "digest": "sha256:2"}, "c": {"secret": true}, ".": {"dir": "/"}}`)},
		{ID: "r2", Pipeline: "p.yaml", Inputs: []byte("{}")},
		{ID: "r3", Pipeline: "v.o", Inputs: []byte("{}")},
	} {
		r.Began = began.Add(time.Duration(i) * time.Minute)
		if err := m.Begin(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	run, _, err := m.Run(t.Context(), "r1")
	if err != nil {
		t.Fatal(err)
	}
	run.Status, run.Ended = "ambiguous", began.Add(time.Hour)
	run.Outcome = []byte(`{"outputs": {"n": 203.7700}, "error": {"code": "ambiguous", "step": "s", "message": "perhaps"}, "failed": 0, "ambiguous": 1}`)
	if err := m.Update(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	entry := func(kind state.Kind, key string, status state.Status, identity, payload string) state.Entry {
		e := state.Entry{Run: "r1", Kind: kind, Key: key, Status: status, Identity: identity, At: began.Add(3 * time.Second)}
		if payload != "" {
			e.Payload = []byte(payload)
		}
		return e
	}
	err = m.Put(t.Context(),
		entry(state.Time, "now", "", "", `"2026-03-01T08:00:00Z"`),
		entry(state.Call, "a", "", "", `{"outcome": "ok", "status": 200, "outputs": {"id": 1}, "endpoint": "GET https://x", "at": "2026-03-01T08:00:01Z"}`),
		entry(state.Call, "b", state.Intended, "", `{"outcome": "unknown", "message": "no answer", "at": "2026-03-01T08:00:01Z"}`),
		entry(state.Call, "b/rows[1]", state.Intended, `["v","o","1"]`, ""),
		entry(state.Call, "b/rows[2]", state.Done, `["v","o","2"]`, ""),
		entry(state.Call, "c", state.Intended, `["v","o","3"]`, `{"outcome": "unknown", "at": "2026-03-01T08:00:03Z", "asked": {"inputs": {"n": 1.50}, "digest": "sha256:3"}}`),
		entry(state.Item, "e[A]", "", "", `{"outputs": {"x": 1}}`),
	)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestListTellsWhoIsAlive(t *testing.T) {
	m := filled(t)
	unlock, err := m.Lock(t.Context(), state.RunLock("r2"))
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	runs, err := history.List(t.Context(), m, 0)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range runs {
		got = append(got, fmt.Sprint(r.ID, " ", r.Status, " ", r.Ended.IsZero()))
	}
	want := []string{"r3 interrupted true", "r2 running true", "r1 ambiguous false"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if runs, err = history.List(t.Context(), m, 1); err != nil || len(runs) != 1 || runs[0].ID != "r3" {
		t.Errorf("%v, %v", runs, err)
	}
	if _, free, _ := m.TryLock(t.Context(), state.RunLock("r3")); !free {
		t.Error("the lock of a run that was looked at is held")
	}
}

func TestShowTellsAllThatIsRecorded(t *testing.T) {
	run, err := history.Show(t.Context(), filled(t), "nightly")
	if err != nil {
		t.Fatal(err)
	}
	at := began.Add(3 * time.Second)
	sent := began.Add(time.Second)
	open := history.Call{Key: "c", Status: state.Intended, Identity: `["v","o","3"]`, Outcome: "unknown", Sent: at, Recorded: at,
		Inputs: json.RawMessage(`{"n": 1.50}`), Digest: "sha256:3"}
	row := history.Call{Key: "b/rows[1]", Status: state.Intended, Identity: `["v","o","1"]`, Recorded: at}
	want := &history.Details{
		Run: history.Run{
			ID: "r1", Key: "nightly", Pipeline: "p.yaml", Status: "ambiguous", Began: began, Ended: began.Add(time.Hour),
			Inputs:  map[string]history.Input{"a": {Value: json.RawMessage("1.50")}, "b": {File: "b.csv", Digest: "sha256:2"}, "c": {Secret: true}},
			Outputs: json.RawMessage(`{"n": 203.7700}`),
			Error:   &event.Failure{Code: "ambiguous", Step: "s", Message: "perhaps"},
			Files:   map[string]string{"p.yaml": "sha256:1"},
		},
		Calls: []history.Call{
			{Key: "a", Outcome: "ok", HTTPStatus: 200, Outputs: json.RawMessage(`{"id": 1}`), Request: "GET https://x", Sent: sent, Recorded: at},
			{Key: "b", Status: state.Intended, Outcome: "unknown", Message: "no answer", Sent: sent, Recorded: at},
			row,
			{Key: "b/rows[2]", Status: state.Done, Identity: `["v","o","2"]`, Recorded: at},
			open,
		},
		Rows:    []history.Row{{Key: "e[A]", Outputs: json.RawMessage(`{"x": 1}`), Recorded: at}},
		Created: []history.Call{{Key: "b/rows[2]", Status: state.Done, Identity: `["v","o","2"]`, Recorded: at}},
		Open:    []history.Call{row, open},
	}
	if !reflect.DeepEqual(run, want) {
		t.Errorf("got  %+v\nwant %+v", run, want)
	}
	if took := run.Calls[0].Took(); took != 2*time.Second {
		t.Errorf("it took %v", took)
	}
	if took := open.Took(); took != 0 {
		t.Errorf("what was never answered took %v", took)
	}
}

func TestUnknownRunsAreNamed(t *testing.T) {
	m := filled(t)
	for id, want := range map[string]string{
		"nightli": "there is no run nightli (did you mean nightly?)",
		"":        "there is no run  (the last one is r3)",
	} {
		if _, err := history.Show(t.Context(), m, id); hinted(err) != want {
			t.Errorf("got %s, want %s", hinted(err), want)
		}
	}
	_, err := history.Find(t.Context(), state.NewMemory(), "x")
	if want := "there is no run x (this state knows no run at all: is it the right one?)"; hinted(err) != want {
		t.Errorf("got %s, want %s", hinted(err), want)
	}
}

func TestBrokenRecordsAreNamed(t *testing.T) {
	for _, tt := range []struct {
		run   state.Run
		entry string
		want  string
	}{
		{state.Run{Inputs: []byte("[]")}, "", "the record of what run r was started with is broken: "},
		{state.Run{Inputs: []byte("{}"), Outcome: []byte("[]")}, "", "the record of what run r came to is broken: "},
		{state.Run{Inputs: []byte("{}")}, "[]", "the record of k is broken: "},
	} {
		m := state.NewMemory()
		tt.run.ID = "r"
		if err := m.Begin(t.Context(), tt.run); err != nil {
			t.Fatal(err)
		}
		if tt.entry != "" {
			if err := m.Put(t.Context(), state.Entry{Run: "r", Kind: state.Call, Key: "k", Payload: []byte(tt.entry)}); err != nil {
				t.Fatal(err)
			}
		}
		_, err := history.Show(t.Context(), m, "r")
		if err == nil || err.Error()[:min(len(err.Error()), len(tt.want))] != tt.want {
			t.Errorf("got %v, want %s…", err, tt.want)
		}
	}
}

// A deadState cannot be asked for locks.
type deadState struct{ *state.Memory }

func (deadState) TryLock(context.Context, string) (func(), bool, error) {
	return nil, false, errors.New("gone")
}

func TestListNeedsTheLocks(t *testing.T) {
	_, err := history.List(t.Context(), deadState{filled(t)}, 0)
	if want := "cannot find out whether run r3 is alive: gone"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// hinted is the text of a fault with its hint.
func hinted(err error) string {
	var faults diag.List
	if !errors.As(err, &faults) {
		return fmt.Sprint(err)
	}
	return fmt.Sprintf("%v (%s)", faults[0], faults[0].Hint)
}

func TestStatesOfSandboxesAreKnown(t *testing.T) {
	for _, c := range []struct {
		name, site string
		want       bool
		err        string
	}{
		{"nothing", "", false, ""},
		{"a vendor", `{"vendor": "v", "at": "https://v.example"}`, false, ""},
		{"a sandbox", `{"vendor": "v", "at": "a sandbox"}`, true, ""},
		{"a broken record", `{`, false, "the record of connection v is broken: unexpected end of JSON input"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := state.NewMemory()
			if c.site != "" {
				if err := m.PutValue(t.Context(), state.Connections, "v", []byte(c.site)); err != nil {
					t.Fatal(err)
				}
			}
			got, err := history.Sandboxed(t.Context(), m)
			if got != c.want || fmt.Sprint(err) != fmt.Sprint(c.err) && (err != nil || c.err != "") {
				t.Errorf("%v, %v; want %v, %s", got, err, c.want, c.err)
			}
		})
	}
}
