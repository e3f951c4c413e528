package call

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/table"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// sendRows answers with n rows of about 1 KB, none of which stays in memory.
func sendRows(n int) http.HandlerFunc {
	text := strings.Repeat("x", 940)
	return func(w http.ResponseWriter, r *http.Request) {
		out := bufio.NewWriter(w)
		defer out.Flush()
		for i := range n {
			lead := ","
			if i == 0 {
				lead = "["
			}
			fmt.Fprintf(out, `%s{"Id":%d,"Costs":%d.5000,"Month":"05/2025","Text":"%s"}`, lead, i, i, text)
		}
		out.WriteString("]")
	}
}

func live() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// export makes a call that answers with n rows, and writes them to a CSV file.
// It returns the most that was alive on the heap meanwhile, beyond what was before.
func export(t testing.TB, e *Executor, n int) (peak int64) {
	before := live()
	res := ask(t, e, "list")
	if res.Outcome != flow.OK {
		t.Fatal(summary(res))
	}
	i := 0
	rows := res.Outputs.At("rows").(*value.Rows).Map(func(_ int, row value.Value) (value.Value, error) {
		if i++; i%(n/8) == 0 {
			peak = max(peak, live()-before)
		}
		return row, nil
	})
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	written, err := table.WriteFile(root, "rows.csv", rows, nil)
	if err != nil || written != n {
		t.Fatal(written, err)
	}
	return peak
}

func TestLargeAnswersDoNotStayInMemory(t *testing.T) {
	const n = 10_000
	base := serve(t, sendRows(n))
	e := connect(t, vendorOf(t, exports), base, nil, Options{SpoolFrom: 1 << 20})
	// The list and what is looked up in it once would be more than 20 MB.
	if peak := export(t, e, n); peak > 3<<20 {
		t.Errorf("an answer of 10 MB held %d KB", peak>>10)
	}
}

// BenchmarkExport is 50 MB in 50,000 rows: read, held against its schema,
// mapped, walked through and written as CSV.
func BenchmarkExport(b *testing.B) {
	const n = 50_000
	base := serve(b, sendRows(n))
	e := connect(b, vendorOf(b, exports), base, nil, Options{})
	b.ReportAllocs()
	var peak int64
	for b.Loop() {
		peak = max(peak, export(b, e, n))
	}
	b.ReportMetric(float64(peak)/(1<<20), "peak-MB")
}
