package sandbox

import (
	"testing"
	"time"
)

func TestFaultsAreReadAndWritten(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text string
		want Fault
		said string // how it is written, where that differs
	}{
		{"lose_answer:create:2", Fault{Kind: LoseAnswer, Operation: "create", Nth: 2, Count: 1}, ""},
		{"lose_request", Fault{Kind: LoseRequest}, ""},
		{"lose_request:*", Fault{Kind: LoseRequest}, "lose_request"},
		{"status", Fault{Kind: Status}, "status=503"},
		{"status=429/2s:*:1-3", Fault{Kind: Status, Status: 429, RetryAfter: 2 * time.Second, Nth: 1, Count: 3}, ""},
		{"delay=200ms:find", Fault{Kind: Delay, Delay: 200 * time.Millisecond, Operation: "find"}, ""},
		{"garbage:2", Fault{Kind: Garbage, Nth: 2, Count: 1}, "garbage:*:2"},
		{"expire:*:3+", Fault{Kind: Expire, Nth: 3, Count: forever}, ""},
		{"truncate:create:30%", Fault{Kind: Truncate, Operation: "create", Chance: 0.3}, ""},
		{"truncate:create:5-8:12.5%", Fault{Kind: Truncate, Operation: "create", Nth: 5, Count: 4, Chance: 0.125}, ""},
	} {
		f, err := ParseFault(test.text)
		if err != nil || f != test.want {
			t.Errorf("%s\n got %+v, %v\nwant %+v", test.text, f, err, test.want)
			continue
		}
		said := test.said
		if said == "" {
			said = test.text
		}
		if got := f.String(); got != said {
			t.Errorf("%s is written %s, want %s", test.text, got, said)
		}
	}
}

func TestBadFaultTextsAreExplained(t *testing.T) {
	t.Parallel()
	const known = "lose_request, lose_answer, delay, status, truncate, garbage, expire"
	for _, test := range []struct{ text, want string }{
		{"", `fault "": no fault "", there are ` + known},
		{"burn:create", `fault "burn:create": no fault "burn", there are ` + known},
		{"delay", `fault "delay": a delay says how long: delay=200ms`},
		{"delay=soon", `fault "delay=soon": a time is written such as 200ms or 2s, found "soon"`},
		{"status=ok", `fault "status=ok": a status is a number, found "ok"`},
		{"status=42", `fault "status=42": a status is from 200 to 599, found 42`},
		{"garbage=1", `fault "garbage=1": garbage takes no value`},
		{"garbage:a:0", `fault "garbage:a:0": calls are written such as 2, 1-3 or 2+, found "0"`},
		{"garbage:a:3-1", `fault "garbage:a:3-1": calls are written such as 2, 1-3 or 2+, found "3-1"`},
		{"garbage:a:120%", `fault "garbage:a:120%": a chance is written such as 30%, found "120%"`},
		{"garbage:a:1:2%:x", `fault "garbage:a:1:2%:x": nothing is known about "x"; write KIND=VALUE:OPERATION:CALLS:CHANCE%`},
	} {
		if _, err := ParseFault(test.text); err == nil || err.Error() != test.want {
			t.Errorf("%s\n got %v\nwant %s", test.text, err, test.want)
		}
	}
}

func FuzzParseFault(f *testing.F) {
	for _, text := range []string{"lose_answer:create:2", "status=429/2s:*:1-3:30%", "delay=200ms:find:3+", "expire::", "garbage:-1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		fault, err := ParseFault(text)
		if err != nil {
			return
		}
		if again, err := ParseFault(fault.String()); err != nil || again.String() != fault.String() {
			t.Errorf("%q is written %q, which is read as %q, %v", text, fault, again, err)
		}
	})
}
