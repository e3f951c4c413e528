package local

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/value"
)

func TestResultsSurviveTheJournal(t *testing.T) {
	full := flow.Result{
		Outcome:    flow.Invalid,
		Status:     400,
		Message:    "não <b>",
		Hint:       "h",
		Code:       "c",
		Outputs:    value.ObjectOf("z", value.Decimal("203.7700"), "a", value.List{nil, true, int64(-5), "x"}, "o", value.ObjectOf()),
		Body:       value.ObjectOf("error", "no"),
		Sent:       true,
		RetryAfter: 90*time.Second + time.Nanosecond,
		Reused:     true,
		Reconciled: true,
		Resent:     true,
		Exhausted:  true,
		At:         time.Date(2026, 3, 1, 8, 0, 0, 123456789, time.UTC),
		Endpoint:   "POST https://x.example/?token=***",
		Rows:       []flow.RowResult{{Key: "A", Status: flow.Done}, {Key: "B", Status: flow.Failed, Message: "no \"B\""}},
		Apart:      []flow.RowResult{{}, {Key: "C", Status: flow.Failed, Message: "no \"C\""}},
		Down:       true,
	}
	// Nothing but what is never recorded may be left out of this test.
	never := map[string]bool{"Fatal": true, "Again": true, "Replayed": true}
	v := reflect.ValueOf(full)
	for i := range v.NumField() {
		if name := v.Type().Field(i).Name; v.Field(i).IsZero() != never[name] {
			t.Errorf("field %s is not tested", name)
		}
	}
	for _, want := range []flow.Result{full, {}, {Outcome: flow.OK, Outputs: value.NewObject(0), Rows: []flow.RowResult{}}} {
		got, err := decodeResult(encodeResult(want, nil))
		if err != nil {
			t.Fatal(err)
		}
		if g, w := string(encodeResult(got, nil)), string(encodeResult(want, nil)); g != w || !got.At.Equal(want.At) || (got.Outputs == nil) != (want.Outputs == nil) {
			t.Errorf("got  %s\nwant %s", g, w)
		}
	}
}

func TestBrokenRecordsAreNamed(t *testing.T) {
	tests := []struct {
		give, want string
	}{
		{`[]`, "the journal holds a broken record: list in place of an object"},
		{`{}`, "the journal holds a broken record: outcome is null"},
		{`{"outcome":"ok","status":"200"}`, "the journal holds a broken record: status is string"},
	}
	for _, tt := range tests {
		_, err := decodeResult([]byte(tt.give))
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %v, want %s", tt.give, err, tt.want)
		}
	}
	if _, err := decodeTime([]byte(`"yesterday"`)); err == nil || err.Error() != "the journal holds a broken record: time is not a time" {
		t.Errorf("got %v", err)
	}
	if _, err := decodeItem([]byte(`{"outputs":1}`)); err == nil || err.Error() != "the journal holds a broken record: outputs is integer" {
		t.Errorf("got %v", err)
	}
}

func TestItemsSurviveTheJournal(t *testing.T) {
	full := flow.Item{
		Status:  flow.Done,
		Outputs: value.ObjectOf("z", value.Decimal("203.7700"), "a", value.List{nil, true}),
		Rows:    []flow.RowResult{{Key: "A", Status: flow.Done}, {Key: "B", Status: flow.Ambiguous, Message: "perhaps"}},
		Undo: []flow.Undo{
			{Key: "each[A]/one/undo", Connection: "shop", Operation: "drop", Inputs: value.ObjectOf("id", int64(7))},
			{Key: "each[A]/two/undo", Connection: "shop", Operation: "clear", Create: "each[A]/two"},
		},
		Tally: flow.Tally{Failed: 2, Ambiguous: 1},
	}
	// Index and Key are the row's own; a row that is done has none of the others.
	left := map[string]bool{"Index": true, "Key": true, "Err": true, "Stop": true, "Down": true, "Replayed": true, "Doubtful": true}
	v := reflect.ValueOf(full)
	for i := range v.NumField() {
		if name := v.Type().Field(i).Name; v.Field(i).IsZero() != left[name] {
			t.Errorf("field %s is not tested", name)
		}
	}
	for _, want := range []flow.Item{full, {Status: flow.Done}, {Status: flow.Done, Outputs: value.NewObject(0), Rows: []flow.RowResult{}}} {
		got, err := decodeItem(encodeItem(want))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	}
}

func TestBrokenItemsAreNamed(t *testing.T) {
	const whole = `{"outputs":null,"failed":0,"ambiguous":0,"undo":[%s],"rows":%s}`
	tests := []struct {
		undo, rows, want string
	}{
		{`3`, `null`, "the journal holds a broken record: key is null"},
		{`{"key":"k","connection":"c","operation":"o","inputs":[]}`, `null`, "the journal holds a broken record: inputs is list"},
		{``, `[1]`, "the journal holds a broken record: rows holds integer"},
		{``, `[{"key":"A","status":1,"message":""}]`, "the journal holds a broken record: status is integer"},
	}
	for _, tt := range tests {
		_, err := decodeItem(fmt.Appendf(nil, whole, tt.undo, tt.rows))
		if err == nil || err.Error() != tt.want {
			t.Errorf("undo %s, rows %s: got %v, want %s", tt.undo, tt.rows, err, tt.want)
		}
	}
}
