package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/seed627bd532/runner/engine/event"
)

func TestJSONLines(t *testing.T) {
	head := event.Head{Seq: 7, At: time.Date(2026, 3, 1, 9, 0, 0, 5000, time.FixedZone("", 3600)), Run: "r1"}
	const start = `"seq":7,"at":"2026-03-01T08:00:00.000005Z","run":"r1",`
	tests := []struct {
		give event.Event
		want string
	}{
		{&event.RunStarted{Head: head, Pipeline: "p"},
			`{"event":"run_started",` + start + `"pipeline":"p","resumed":false}`},
		{&event.StepStarted{Head: head, Key: "k", Operation: "v.o"},
			`{"event":"step_started",` + start + `"key":"k","operation":"v.o"}`},
		{&event.StepFinished{Head: head, Key: "k", Operation: "v.o", Outcome: "ok", Sent: true, Took: 1500 * time.Microsecond},
			`{"event":"step_finished",` + start + `"key":"k","operation":"v.o","skipped":false,"outcome":"ok","sent":true,"replayed":false,"error":"","took_ms":1.5}`},
		{&event.RequestSent{Head: head, Key: "k", Operation: "v.o", Attempt: 2, Method: "GET", URL: "https://x/?a=1&b=<2>", Header: map[string]string{"B": "2", "A": "1"}},
			`{"event":"request_sent",` + start + `"key":"k","operation":"v.o","attempt":2,"method":"GET","url":"https://x/?a=1&b=<2>","header":{"A":"1","B":"2"},"body":""}`},
		{&event.ResponseReceived{Head: head, Key: "k", Operation: "v.o", Status: 200, Outcome: "ok", Body: "a\nb", Took: time.Second},
			`{"event":"response_received",` + start + `"key":"k","operation":"v.o","status":200,"outcome":"ok","error":"","body":"a\nb","took_ms":1000}`},
		{&event.RetryScheduled{Head: head, Key: "k", Operation: "v.o", Attempt: 1, Of: 5, Outcome: "busy", Message: "m", Wait: time.Minute},
			`{"event":"retry_scheduled",` + start + `"key":"k","operation":"v.o","attempt":1,"of":5,"outcome":"busy","message":"m","wait_ms":60000}`},
		{&event.PollScheduled{Head: head, Key: "k", Operation: "v.o", Look: 3, Seen: "pending", Wait: time.Minute},
			`{"event":"poll_scheduled",` + start + `"key":"k","operation":"v.o","look":3,"seen":"pending","wait_ms":60000}`},
		{&event.RowFinished{Head: head, Key: "k", Row: "A", Status: "failed", Error: "no"},
			`{"event":"row_finished",` + start + `"key":"k","row":"A","status":"failed","replayed":false,"error":"no"}`},
		{&event.Note{Head: head, Warning: true, Text: "x"},
			`{"event":"note",` + start + `"warning":true,"text":"x"}`},
		{&event.RunFinished{Head: head, Pipeline: "p", Status: "succeeded", Outputs: []byte(`{"b": 203.7700, "a": null}`)},
			`{"event":"run_finished",` + start + `"pipeline":"p","status":"succeeded","outputs":{"b":203.7700,"a":null},"error":null,"took_ms":0}`},
		{&event.RunFinished{Head: head, Pipeline: "p", Status: "failed", Error: &event.Failure{Code: "c", Message: "m"}},
			`{"event":"run_finished",` + start + `"pipeline":"p","status":"failed","outputs":{},"error":{"code":"c","step":"","operation":"","outcome":"","message":"m","hint":""},"took_ms":0}`},
	}
	for _, tt := range tests {
		var out bytes.Buffer
		l := NewJSONLines(&out)
		l.Emit(tt.give)
		wantText(t, out.String(), tt.want+"\n")
		if l.Err() != nil {
			t.Error(l.Err())
		}
	}
}

func TestJSONLinesIsOneObjectPerLine(t *testing.T) {
	var out strings.Builder
	l := NewJSONLines(&out)
	for _, e := range story() {
		l.Emit(e)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != len(story()) {
		t.Fatalf("%d lines for %d events", len(lines), len(story()))
	}
	for _, line := range lines {
		var o map[string]any
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}
