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
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return min(max(0, at.Sub(now)), maxRetryAfter)
}
