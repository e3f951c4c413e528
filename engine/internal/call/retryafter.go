package call

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter bounds what is taken from a Retry-After: a vendor's slip of the
// pen should not park a run for a week.
const maxRetryAfter = time.Hour

// retryAfter returns how long the vendor asked to wait, between 0 and
// maxRetryAfter; 0 when it did not say, or not understandably. A date is held against the
// answer's own Date, so that the two clocks need not agree; where it has none, against now.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if text == "" {
		return 0
	}
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		seconds = min(seconds, int64(maxRetryAfter/time.Second))
		return max(0, time.Duration(seconds)*time.Second)
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return until(at, h, now)
}

// until returns how long it was, when the answer was sent, until at.
func until(at time.Time, h http.Header, now time.Time) time.Duration {
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return min(max(0, at.Sub(now)), maxRetryAfter)
}

// limitHeaders begin the names by which vendors tell of their limits.
var limitHeaders = [...]string{"RateLimit-", "X-RateLimit-", "X-Rate-Limit-"}

// aYearOfSeconds is what tells a wait from a point in time: both are numbers.
const aYearOfSeconds = 365 * 24 * 3600

// resetAfter returns when, after a throttled answer, the limit that was met lets
// requests through again, for vendors that say so in place of Retry-After: as seconds from
// now, or as seconds or milliseconds since 1970. 0 where they do not, or where some requests
// remain and it was another limit.
func resetAfter(h http.Header, now time.Time) time.Duration {
	for _, prefix := range limitHeaders {
		reset, ok := wholeSeconds(h.Get(prefix + "Reset"))
		if left, counted := wholeSeconds(h.Get(prefix + "Remaining")); !ok || counted && left > 0 {
			continue
		}
		switch {
		case reset < aYearOfSeconds:
			return min(time.Duration(reset)*time.Second, maxRetryAfter)
		case reset > 1000*aYearOfSeconds:
			return until(time.UnixMilli(reset), h, now)
		}
		return until(time.Unix(reset, 0), h, now)
	}
	return 0
}

// wholeSeconds reads a number from 0 up; a fraction makes it one more.
func wholeSeconds(text string) (n int64, ok bool) {
	whole, fraction, _ := strings.Cut(strings.TrimSpace(text), ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if strings.Trim(fraction, "0") != "" {
		n++
	}
	return n, err == nil && n >= 0
}
