package local

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/flow/flowtest"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/state"
)

// What a write asks for is on record from its intent to its settlement, without secrets.
func TestWhatWritesAskForIsOnRecord(t *testing.T) {
	m := state.NewMemory()
	intents := map[string]string{}
	vendor := flowtest.Vendor{Answer: func(r flow.CallRequest) flow.Result {
		if r.Effect == flow.Create {
			intents[string(r.Key)] = string(askedIn(entry(t, m, string(r.Key)).Payload))
		}
		if r.Key == "lost" {
			return flow.Result{Outcome: flow.Unknown, Sent: true}
		}
		return flow.Result{Outcome: flow.OK, Sent: true}
	}}
	mask := func(v value.Value) value.Value {
		o, isObject := v.(*value.Object)
		if note, ok := o.At("note").(string); isObject && ok {
			o = o.Clone()
			o.Set("note", strings.ReplaceAll(note, "hunter2", "***"))
			return o
		}
		return v
	}
	rt := New(t.Context(), Options{Executor: &vendor, Journal: m, Locks: m, RunID: "r1", Mask: mask})
	request := func(key flow.Key, effect flow.Effect, note string) flow.CallRequest {
		r := create(key, string(key))
		r.Effect, r.Inputs, r.SecretInputs = effect, value.ObjectOf("note", note, "pin", "4711"), []string{"pin"}
		return r
	}
	large := strings.Repeat("x", maxAsked)
	for _, r := range []flow.CallRequest{
		request("sent", flow.Create, "of hunter2"), request("lost", flow.Create, "b"), request("large", flow.Create, large),
		request("update", flow.Idempotent, "c"), request("find", flow.Read, "d"),
	} {
		mustCall(t, rt, r)
	}
	if err := Settle(t.Context(), m, "r1", "lost", true, nil); err != nil {
		t.Fatal(err)
	}
	asked := func(inputs string) string {
		sum := sha256.Sum256([]byte(inputs))
		if len(inputs) > maxAsked {
			inputs = "null"
		}
		return `{"inputs":` + inputs + `,"digest":"sha256:` + hex.EncodeToString(sum[:]) + `"}`
	}
	for key, want := range map[string]string{
		"sent": asked(`{"note":"of ***"}`), "lost": asked(`{"note":"b"}`), "large": asked(`{"note":"` + large + `"}`),
		"update": asked(`{"note":"c"}`), "find": "",
	} {
		if got := string(askedIn(entry(t, m, key).Payload)); got != want {
			t.Errorf("%s: on record is %s, want %s", key, got, want)
		}
		if intent, isCreate := intents[key]; isCreate && intent != want {
			t.Errorf("%s: its intent says %s, want %s", key, intent, want)
		}
	}
	if len(intents) != 3 {
		t.Errorf("intents of %d creates", len(intents))
	}
}

// What is made of rows that had failed is another call once these are done.
func TestACallThatAsksForSomethingElseIsMadeAgain(t *testing.T) {
	vendor := flowtest.Vendor{}
	m, start := open(&vendor)
	request := func(total string) flow.CallRequest {
		return flow.CallRequest{Key: "tell", CallKey: "tell", Connection: "v", Operation: "v.tell", Effect: flow.Idempotent,
			Inputs: value.ObjectOf("total", total, "pin", "4711"), SecretInputs: []string{"pin"}}
	}
	for i, step := range []struct {
		total    string
		replayed bool
	}{{"9 of 10", false}, {"9 of 10", true}, {"10 of 10", false}, {"10 of 10", true}} {
		if res := mustCall(t, start("r1"), request(step.total)); res.Replayed != step.replayed {
			t.Errorf("pass %d, %s: replayed is %v", i+1, step.total, res.Replayed)
		}
	}
	if got := string(askedIn(entry(t, m, "tell").Payload)); !strings.Contains(got, "10 of 10") {
		t.Errorf("on record is %s", got)
	}
}
