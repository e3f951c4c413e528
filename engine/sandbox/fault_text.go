package sandbox

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ParseFault reads a fault as people write it: KIND[=VALUE][:OPERATION][:CALLS][:CHANCE%].
// VALUE is a time for delay, and STATUS or STATUS/RETRY-AFTER for status.
// OPERATION is the name of an operation of the sandbox or of the vendor file, or * for any. CALLS is a number, a range, or
// a number and + for all from there on. Examples:
//
//	lose_answer:create:2       the answer of the second create is lost
//	status=429/2s:*:1-3        the first three calls get 429 with Retry-After: 2
//	delay=200ms                every answer is 200 ms late
//	lose_request:create:30%    about every third create does not arrive
//
// Whether the operation exists is found when the fault is added to a sandbox.
func ParseFault(text string) (Fault, error) {
	f, err := parseFault(text)
	if err == nil {
		err = f.check([]string{f.Operation}) // which operations there are is not known here
	}
	if err != nil {
		return Fault{}, fmt.Errorf("fault %q: %w", text, err)
	}
	return f, nil
}

func parseFault(text string) (f Fault, err error) {
	parts := strings.Split(text, ":")
	kind, arg, given := strings.Cut(parts[0], "=")
	f.Kind = Kind(kind)
	if given {
		if err := f.parseValue(arg); err != nil {
			return f, err
		}
	}
	parts = parts[1:]
	if len(parts) > 0 && !isCount(parts[0]) {
		if parts[0] != "*" {
			f.Operation = parts[0]
		}
		parts = parts[1:]
	}
	if len(parts) > 0 && !strings.HasSuffix(parts[0], "%") {
		if err := f.parseCalls(parts[0]); err != nil {
			return f, err
		}
		parts = parts[1:]
	}
	if len(parts) > 0 && strings.HasSuffix(parts[0], "%") {
		percent, err := strconv.ParseFloat(strings.TrimSuffix(parts[0], "%"), 64)
		if err != nil || !(percent > 0 && percent <= 100) {
			return f, fmt.Errorf("a chance is written such as 30%%, found %q", parts[0])
		}
		f.Chance = percent / 100
		parts = parts[1:]
	}
	if len(parts) > 0 {
		return f, fmt.Errorf("nothing is known about %q; write KIND=VALUE:OPERATION:CALLS:CHANCE%%", strings.Join(parts, ":"))
	}
	return f, nil
}

// isCount tells calls and chances from the names of operations, which never begin with a digit.
func isCount(part string) bool { return part != "" && part[0] >= '0' && part[0] <= '9' }

func (f *Fault) parseValue(arg string) (err error) {
	switch f.Kind {
	case Delay:
		f.Delay, err = time.ParseDuration(arg)
	case Status:
		status, after, given := strings.Cut(arg, "/")
		if f.Status, err = strconv.Atoi(status); err != nil {
			return fmt.Errorf("a status is a number, found %q", status)
		}
		if given {
			f.RetryAfter, err = time.ParseDuration(after)
		}
	default:
		return fmt.Errorf("%s takes no value", f.Kind)
	}
	if err != nil {
		return fmt.Errorf("a time is written such as 200ms or 2s, found %q", arg)
	}
	return nil
}

func (f *Fault) parseCalls(calls string) error {
	bad := fmt.Errorf("calls are written such as 2, 1-3 or 2+, found %q", calls)
	first, last, isRange := strings.Cut(calls, "-")
	first, open := strings.CutSuffix(first, "+")
	n, err := strconv.Atoi(first)
	if err != nil || n < 1 || open && isRange {
		return bad
	}
	f.Nth, f.Count = n, 1
	switch {
	case open:
		f.Count = forever
	case isRange:
		m, err := strconv.Atoi(last)
		if err != nil || m < n {
			return bad
		}
		f.Count = m - n + 1
	}
	return nil
}

// forever is more calls than there will be.
const forever = 1 << 30

// String returns the fault as ParseFault reads it.
func (f Fault) String() string {
	text := string(f.Kind)
	switch {
	case f.Kind == Delay:
		text += "=" + f.Delay.String()
	case f.Kind == Status && f.RetryAfter > 0:
		text += fmt.Sprintf("=%d/%s", orDefault(f.Status), f.RetryAfter)
	case f.Kind == Status:
		text += fmt.Sprintf("=%d", orDefault(f.Status))
	}
	if f.Operation != "" {
		text += ":" + f.Operation
	} else if f.Nth > 0 || f.Count > 0 || f.Chance > 0 {
		text += ":*"
	}
	switch first := max(f.Nth, 1); {
	case f.Count == forever:
		text += fmt.Sprintf(":%d+", first)
	case f.Count > 1:
		text += fmt.Sprintf(":%d-%d", first, first+f.Count-1)
	case f.Nth > 0 || f.Count == 1:
		text += fmt.Sprintf(":%d", first)
	}
	if f.Chance > 0 {
		text += ":" + strconv.FormatFloat(f.Chance*100, 'g', -1, 64) + "%"
	}
	return text
}
