package local

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/flow/flowtest"
)

// vendorDown is a body whose rows find the vendor down where their keys say so.
func vendorDown(_ flow.Runtime, row flow.Row) flow.Item {
	time.Sleep(time.Second)
	if strings.HasPrefix(row.Key, "down") {
		return flow.Item{Status: flow.Failed, Err: errors.New("nobody there"), Down: true}
	}
	return scripted(nil, row)
}

func TestABreakerSkipsWhatIsLeftWhileTheVendorIsDown(t *testing.T) {
	tests := []struct {
		name   string
		policy flow.EachPolicy
		rows   string
		want   string
	}{
		{"too many one after another", flow.EachPolicy{Collect: true, Breaker: 2}, "a down-1 down-2 b c",
			"a done, down-1 failed, down-2 failed, b skipped, c skipped; <nil>"},
		{"one that is done counts anew", flow.EachPolicy{Collect: true, Breaker: 2}, "down-1 a down-2 b", "down-1 failed, a done, down-2 failed, b done; <nil>"},
		{"one that was refused counts anew", flow.EachPolicy{Collect: true, Breaker: 2}, "down-1 fail-1 down-2 a", "down-1 failed, fail-1 failed, down-2 failed, a done; <nil>"},
		{"none", flow.EachPolicy{Collect: true}, "down-1 down-2 down-3 a", "down-1 failed, down-2 failed, down-3 failed, a done; <nil>"},
		{"nothing is collected", flow.EachPolicy{Breaker: 2}, "down-1 a", "down-1 failed; down-1 down"},
		{"a break of the source behind it", flow.EachPolicy{Collect: true, Breaker: 1}, "down-1 a broken", "down-1 failed, a skipped; the source is broken"},
	}
	for _, tt := range tests {
		for _, kind := range []string{"inline", "durable"} {
			t.Run(tt.name+"/"+kind, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					rt := durable(t.Context())
					if kind == "inline" {
						rt = NewInline(t.Context(), &flowtest.Vendor{}, "r1", nil)
					}
					out, err := rt.Each("each", scriptedRows(tt.rows), tt.policy, flow.Body{Run: vendorDown})
					if err != nil {
						t.Fatal(err)
					}
					if got := strings.Replace(describe(out), "; nobody there", "; down-1 down", 1); got != tt.want {
						t.Errorf("got  %s\nwant %s", got, tt.want)
					}
					for _, it := range out.Items {
						if want := fmt.Sprintf("not started, since %d rows one after another found the vendor down", tt.policy.Breaker); it.Status == flow.Skipped && it.Err.Error() != want {
							t.Errorf("row %s: %v, want %s", it.Key, it.Err, want)
						}
					}
				})
			})
		}
	}
}

// The first row that ends lets one more in; the breaker trips with the second.
func TestABreakerLetsRowsUnderWayEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out, err := durable(t.Context()).Each("each", scriptedRows("down-1 down-2 down-3 down-4 a b"),
			flow.EachPolicy{Parallel: 4, Collect: true, Breaker: 2}, flow.Body{Run: vendorDown})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := describe(out), "down-1 failed, down-2 failed, down-3 failed, down-4 failed, a done, b skipped; <nil>"; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}
