package diag

import (
	"slices"
	"strings"
)

// longestName bounds the work of Nearest: nobody mistypes a name that long.
const longestName = 80

// Nearest returns the candidate that name was probably meant to be, or "" when
// none is near. Letter case counts for nothing, a swap of neighbours for one
// edit; up to a third of the name may be wrong. Of equally near candidates the first in
// alphabetical order is taken, so that the answer does not depend on their order.
// A candidate that equals name is passed over.
func Nearest(name string, candidates []string) string {
	wanted := []rune(strings.ToLower(name))
	if len(wanted) == 0 || len(wanted) > longestName {
		return ""
	}
	best, bestEdits := "", max(1, len(wanted)/3)+1
	for _, c := range slices.Sorted(slices.Values(candidates)) {
		have := []rune(strings.ToLower(c))
		if c == name || len(have) > longestName {
			continue
		}
		// For names of one or two letters any edit makes another name.
		if d := edits(wanted, have); d < bestEdits && d < max(1, min(len(wanted), len(have))-1) {
			best, bestEdits = c, d
		}
	}
	return best
}

// edits counts the insertions, deletions, replacements and swaps of neighbours
// that turn a into b (optimal string alignment).
func edits(a, b []rune) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
