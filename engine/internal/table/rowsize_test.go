package table

import (
	"fmt"
	"strings"
	"testing"
)

func TestRowsHaveABound(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", maxRow+1<<17)
	for _, c := range []struct{ file, in, want string }{
		{"a.csv", "vat_id\n1\n\"" + long, "1; a.csv:3:1: the row is longer than 16 MiB"},
		{"a.csv", "vat_id\n1\n\"a\nb\"\n" + long + "\n3\n", "1; a\nb; a.csv:5:1: the row is longer than 16 MiB"},
		{"a.csv", "\"" + long, "a.csv:1:1: the row is longer than 16 MiB"},
		{"a.csv", "vat_id\n" + strings.Repeat(long[:1<<20]+"\n", 20) + "x\n", strings.Repeat(long[:10]+"; ", 20) + "x"},
		{"a.json", "[{\"vat_id\":\"1\"},\n{\"vat_id\":\"" + long + "\"}]", "1; a.json:1:1: the row is longer than 16 MiB"},
		{"a.jsonl", "{\"vat_id\":\"1\"}\n\"" + long + "\"\n{\"vat_id\":\"3\"}", "1; !! the row is longer than 16 MiB; 3"},
		{"a.yaml", "- " + long, "a.yaml: a YAML file of rows may have 16 MiB at most"},
	} {
		r, err := Open(c.file, strings.NewReader(c.in), company, nil)
		var got []string
		if err != nil {
			got = append(got, err.Error())
		} else {
			for row, err := range r.Rows() {
				switch {
				case err != nil:
					got = append(got, err.Error())
				case row.Err != nil:
					got = append(got, fmt.Sprint("!! ", row.Err))
				default:
					text := vatID(row.Value)
					got = append(got, text[:min(len(text), 10)])
				}
			}
		}
		if told := strings.Join(got, "; "); told != c.want {
			t.Errorf("%s: got %.200s, want %s", c.file, told, c.want)
		}
	}
}
