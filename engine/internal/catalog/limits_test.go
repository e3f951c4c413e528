package catalog

import (
	"testing"
	"time"
)

func TestLimitsAreRead(t *testing.T) {
	t.Parallel()
	v := vendor(t, `
vendor: acme
version: 1
defaults:
  limits: {concurrency: 8, rate: 100/m}
operations:
  plain:
    effect: read
    request: {method: GET, path: /a}
  narrow:
    effect: read
    limits: {rate: 1000/h}
    request: {method: GET, path: /a}
  alone:
    effect: read
    limits: {concurrency: 1, per: connection}
    request: {method: GET, path: /a}
`)
	if l := v.Limits; l.Concurrency != 8 || l.Rate != (Rate{100, time.Minute}) || l.PerToken {
		t.Errorf("got %+v", l)
	}
	if l := v.Operation("plain").Limits; l != nil {
		t.Errorf("got %+v", l)
	}
	if l := v.Operation("narrow").Limits; l.Concurrency != 0 || l.Rate != (Rate{1000, time.Hour}) {
		t.Errorf("got %+v", l)
	}
	if l := v.Operation("alone").Limits; l.Concurrency != 1 || l.Rate != (Rate{}) || l.PerToken {
		t.Errorf("got %+v", l)
	}
}

func TestRatesAreComparedExactly(t *testing.T) {
	t.Parallel()
	tests := []struct {
		a, b Rate
		over bool
	}{
		{Rate{5, time.Second}, Rate{300, time.Minute}, false},
		{Rate{300, time.Minute}, Rate{5, time.Second}, false},
		{Rate{301, time.Minute}, Rate{5, time.Second}, true},
		{Rate{1, time.Second}, Rate{3599, time.Hour}, true},
		{Rate{1, time.Hour}, Rate{1, time.Second}, false},
		{Rate{9999999, time.Second}, Rate{9999999, time.Hour}, true},
	}
	for _, test := range tests {
		if got := test.a.over(test.b); got != test.over {
			t.Errorf("%v over %v: %v", test.a, test.b, got)
		}
	}
}
