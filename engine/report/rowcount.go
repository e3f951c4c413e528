package report

import "fmt"

// rowCount counts the rows of one foreach.
type rowCount struct {
	done, failed, ambiguous, skipped int
	before                           int // done before the run was taken up again

	retries int // within its rows
	named   int // failed rows that were shown
}

func (n *rowCount) add(status string) {
	switch status {
	case "done":
		n.done++
	case "failed":
		n.failed++
	case "ambiguous":
		n.ambiguous++
	case "skipped":
		n.skipped++
	}
}

// String returns the counts that are not 0: "498 done, 2 failed".
func (n *rowCount) String() string {
	var parts []string
	for _, p := range []struct {
		n    int
		form string
	}{{n.before, "%d done before"}, {n.done, "%d done"}, {n.failed, "%d failed"}, {n.ambiguous, "%d ambiguous"}, {n.skipped, "%d skipped"}, {n.retries, "retries: %d"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf(p.form, p.n))
		}
	}
	return join(", ", parts...)
}
