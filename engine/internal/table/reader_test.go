package table

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

var company = types.ObjectOf(
	types.Field{Name: "vat_id", Type: types.TextType},
	types.Field{Name: "credit", Type: types.DecimalType, Optional: true},
	types.Field{Name: "seats", Type: types.IntegerType, Optional: true},
	types.Field{Name: "active", Type: types.BooleanType, Optional: true},
	types.Field{Name: "tags", Type: types.ListOf(types.TextType), Optional: true},
)

func TestRowsOfFiles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, file, in string
		want           []string
		warnings       []string
	}{
		{
			name: "cells by type", file: "a.csv",
			in: "vat_id,credit,seats,active,tags\n001234,203.7700,5,true,a;b\n\"x,y\",,,,\n",
			want: []string{
				`0 line 2: {"vat_id":"001234","credit":203.7700,"seats":5,"active":true,"tags":["a","b"]}`,
				`1 line 3: {"vat_id":"x,y"}`,
			},
		},
		{
			name: "semicolons, mark, CRLF, quoted line breaks", file: "A.CSV",
			in: "\xef\xbb\xbfvat_id; credit ;\"tags\"\r\n\"two\r\nlines\";1,5;\"a;b\"\r\n7;1.5;\"[\"\"a;b\"\",\"\"c\"\"]\"\r\n",
			want: []string{
				`0 line 2: {"vat_id":"two\nlines","tags":["a","b"]} !! column credit: expected decimal, found "1,5"`,
				`1 line 4: {"vat_id":"7","credit":1.5,"tags":["a;b","c"]}`,
			},
		},
		{
			name: "lines that end with carriage returns", file: "a.csv",
			in:   "vat_id,tags\r1,\"a\rb\"\r2,c\r",
			want: []string{`0 line 2: {"vat_id":"1","tags":["a\nb"]}`, `1 line 4: {"vat_id":"2","tags":["c"]}`},
		},
		{
			name: "one column of lists", file: "a.csv",
			in:   "tags\na;b\nc;d;e\n",
			want: []string{`0 line 2: {"tags":["a","b"]}`, `1 line 3: {"tags":["c","d","e"]}`},
		},
		{
			name: "commas beat semicolons of lists", file: "a.csv",
			in:   "vat_id,tags\n1,a;b;c;d\n",
			want: []string{`0 line 2: {"vat_id":"1","tags":["a","b","c","d"]}`},
		},
		{
			name: "bad rows among good ones", file: "a.csv",
			in: "vat_id,seats,active\n1,2\n2,x,maybe\n3,\"a\"b,\n\n4,1,true,5\n5,5,false\n\xff,6,\n",
			want: []string{
				`0 line 2: {"vat_id":"1","seats":2} !! 2 cells where the header has 3`,
				`1 line 3: {"vat_id":"2"} !! column seats: expected integer, found "x"; column active: expected boolean (true or false), found "maybe"`,
				`2 line 4: null !! a quoted cell is not closed as it should be, at column 5 of line 4`,
				`3 line 6: {"vat_id":"4","seats":1,"active":true} !! 4 cells where the header has 3`,
				`4 line 7: {"vat_id":"5","seats":5,"active":false}`,
				`5 line 8: {"seats":6} !! column vat_id: not UTF-8`,
			},
		},
		{
			name: "a quote that is never closed", file: "a.csv",
			in:   "vat_id\n1\n\"2\n3\n",
			want: []string{`0 line 2: {"vat_id":"1"}`, `1 line 3: null !! a quoted cell is not closed as it should be, at column 3 of line 4`},
		},
		{
			name: "surplus and nameless columns", file: "in/a.csv",
			in:       "vat_id,colour,\n1,red,x\n",
			want:     []string{`0 line 2: {"vat_id":"1"}`},
			warnings: []string{"in/a.csv: column colour is not known and is ignored", "in/a.csv: column number 3 has no name and is ignored"},
		},
		{name: "a header alone", file: "a.csv", in: "vat_id"},
		{
			name: "JSON", file: "a.json",
			in: " [ {\"vat_id\": 1.50},\n\n [1,\n2], null,\n1e999 , 5]\n",
			want: []string{
				`0 line 1: {"vat_id":1.50}`, `1 line 3: [1,2]`, `2 line 4: null`,
				`3 line 5: null !! number 1e999 has an exponent beyond 400`, `4 line 5: 5`,
			},
		},
		{name: "an empty array", file: "a.json", in: "\xef\xbb\xbf[]"},
		{
			name: "an array that breaks", file: "a.json",
			in:   "[1,\n2,\nnope]",
			want: []string{`0 line 1: 1`, `1 line 2: 2`, `broken: a.json:3:1: the file is not JSON: invalid character 'o' in literal null (expecting 'u')`},
		},
		{
			name: "an array that ends too early", file: "a.json",
			in:   `[1,{"a":`,
			want: []string{`0 line 1: 1`, `broken: a.json: the file ends in the middle of the rows`},
		},
		{
			name: "more than an array", file: "a.json",
			in:   "[1]\n[2]",
			want: []string{`0 line 1: 1`, `broken: a.json: something follows the array of rows`},
		},
		{
			name: "JSON Lines", file: "a.jsonl",
			in: "{\"a\":1}\r\n\n  \n{\"a\":\n[2.0]",
			want: []string{
				`0 line 1: {"a":1}`,
				`1 line 4: null !! not JSON: the text ends too early, at offset 5`,
				`2 line 5: [2.0]`,
			},
		},
		{name: "no lines", file: "a.ndjson", in: ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, err := Open(c.file, strings.NewReader(c.in), company, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := show(r); !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
			if got := r.Warnings(); !slices.Equal(got, c.warnings) {
				t.Errorf("warnings %q, want %q", got, c.warnings)
			}
		})
	}
}

func TestRowsOfUnknownTypeAreText(t *testing.T) {
	t.Parallel()
	for _, item := range []*types.Type{nil, types.AnyType, {Kind: types.Object, Extra: types.TextType}} {
		r, err := Open("a.csv", strings.NewReader("n,b\n001,true\n"), item, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := show(r), []string{`0 line 2: {"n":"001","b":"true"}`}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file, in, want, hint string
		item                 *types.Type
	}{
		{file: "a.txt", want: "a.txt: rows cannot be kept in .txt files: use .csv, .json or .jsonl"},
		{file: "csv", want: "csv has no extension: name it .csv, .json or .jsonl"},
		{file: "a.csv", in: "", want: "a.csv: the file is empty: its first line must name the columns"},
		{file: "a.csv", in: "\r\n\n", want: "a.csv: the file is empty: its first line must name the columns"},
		{file: "a.csv", in: "\xff\xfea\x00", want: "a.csv:1:1: the file is in UTF-16", hint: "save it as UTF-8"},
		{file: "a.csv", in: "vat_id,pre\xe7o\n", want: "a.csv:1:1: the header is not UTF-8", hint: "save it as UTF-8"},
		{file: "a.csv", in: "vat_id,seats,vat_id\n", want: "a.csv:1:1: column vat_id stands twice in the header, as number 1 and number 3"},
		{file: "a.csv", in: "vat_id,a\"b\n", want: "a.csv:1:1: the header cannot be read: a quote stands inside a cell, at column 9 of line 1: quote the cell and double the quote"},
		{file: "a.csv", in: "tags,credit\n", want: "a.csv:1:1: the required columns vat_id, seats are missing", hint: "the columns there are: tags, credit"},
		{file: "a.csv", in: "seats;Vat_ID\n", want: "a.csv:1:1: the required column vat_id is missing", hint: "did you mean to rename Vat_ID to vat_id?"},
		{file: "a.csv", in: "n\n1\n", item: types.IntegerType, want: "a.csv: rows of a CSV file have named columns, but rows of type integer are wanted", hint: "use a .json or .jsonl file"},
		{file: "a.json", in: "", want: "a.json: the file is empty: it must be a JSON array of rows"},
		{file: "a.json", in: "\n{\"a\":1}", want: "a.json:1:1: the file must be a JSON array of rows", hint: "put the rows into [ ], or name the file .jsonl if each line is a row"},
		{file: "a.json", in: "\n\n<html>", want: "a.json:3:1: the file is not JSON: invalid character '<' at start of value"},
	} {
		item := company
		if c.item != nil {
			item = c.item
		}
		_, err := Open(c.file, strings.NewReader(c.in), item, []string{"vat_id", "seats"})
		if err == nil || err.Error() != c.want {
			t.Errorf("%s %q: %v, want %s", c.file, c.in, err, c.want)
		}
		var d *diag.Diagnostic
		if errors.As(err, &d) && d.Hint != c.hint {
			t.Errorf("%s %q: hint %q, want %q", c.file, c.in, d.Hint, c.hint)
		}
	}
}

func TestReadErrorsEndTheRows(t *testing.T) {
	t.Parallel()
	failure := errors.New("the disk is gone")
	for file, start := range map[string]string{"a.csv": "vat_id\n1\n", "a.json": "[1, ", "a.jsonl": "100\n"} {
		in := io.MultiReader(strings.NewReader(start), iotest.ErrReader(failure))
		r, err := Open(file, iotest.OneByteReader(in), nil, nil)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		var rows int
		var last error
		for _, err := range r.Rows() {
			if last = err; err == nil {
				rows++
			}
		}
		if rows != 1 || !errors.Is(last, failure) || last.Error() != file+": cannot be read: the disk is gone" {
			t.Errorf("%s: %d rows, then %v", file, rows, last)
		}
	}
	if _, err := Open("a.csv", iotest.ErrReader(failure), nil, nil); !errors.Is(err, failure) {
		t.Errorf("got %v", err)
	}
}

func TestReadingStopsWhenAsked(t *testing.T) {
	t.Parallel()
	for file, in := range map[string]string{"a.csv": "n\n1\n2\n3\n", "a.json": "[1,2,3]", "a.jsonl": "1\n2\n3\n"} {
		r, err := Open(file, strings.NewReader(in), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		for row, err := range r.Rows() {
			if err != nil || row.Index > 1 {
				t.Errorf("%s: row %d, %v", file, row.Index, err)
			}
			if row.Index == 1 {
				break
			}
		}
	}
}

// FuzzCSV checks that no file makes the reader panic or loop, and that what was read can
// be written and read again.
func FuzzCSV(f *testing.F) {
	f.Add("vat_id,credit,tags\n1,2.50,a;b\n")
	f.Add("\xef\xbb\xbfvat_id;active\r\n\"a\r\nb\";true\r\n")
	f.Add("vat_id,vat_id\n\"")
	f.Add("tags\n\"[\"\"a\"\",1]\"\n[;\n\" \"\n")
	f.Fuzz(func(t *testing.T, in string) {
		r, err := Open("a.csv", strings.NewReader(in), company, nil)
		if err != nil {
			return
		}
		var rows value.List
		for row, err := range r.Rows() {
			if err != nil {
				t.Fatalf("a text in memory cannot break: %v", err)
			}
			if row.Err == nil {
				rows = append(rows, row.Value)
			}
		}
		if len(rows) == 0 {
			return
		}
		columns := make([]string, len(company.Fields))
		for i, field := range company.Fields {
			columns[i] = field.Name
		}
		text := encoded(t, rows, columns)
		again, err := Open("a.csv", strings.NewReader(text), company, nil)
		if err != nil {
			t.Fatalf("%q was written as %q: %v", in, text, err)
		}
		var back value.List
		for row, err := range again.Rows() {
			if err != nil || row.Err != nil {
				t.Fatalf("%q was written as %q: %v %v", in, text, err, row.Err)
			}
			back = append(back, row.Value)
		}
		if got, want := value.Key(back), value.Key(unbroken(rows)); got != want {
			t.Fatalf("%q was written as %q\ngot  %s\nwant %s", in, text, got, want)
		}
	})
}

// encoded returns rows as CSV, without the detour through a file.
func encoded(t *testing.T, rows value.List, columns []string) string {
	t.Helper()
	var text strings.Builder
	out := bufio.NewWriterSize(&text, 4096)
	e := newCSVEncoder(out, columns)
	for i, row := range rows {
		if err := e.write(i, row); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.end(len(rows)); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// unbroken does to texts what CSV does: \r\n becomes \n. Elements of lists are in JSON then.
func unbroken(rows value.List) value.List {
	out := make(value.List, len(rows))
	for i, row := range rows {
		o := value.NewObject(0)
		for name, v := range row.(*value.Object).All() {
			switch v := v.(type) {
			case string:
				o.Set(name, strings.ReplaceAll(v, "\r\n", "\n"))
			case value.List:
				list := slices.Clone(v)
				if joined, ok := join(v); ok {
					list = value.List{}
					for part := range strings.SplitSeq(strings.ReplaceAll(joined, "\r\n", "\n"), ";") {
						list = append(list, part)
					}
				}
				o.Set(name, list)
			default:
				o.Set(name, v)
			}
		}
		out[i] = o
	}
	return out
}

// show describes the rows, one a line.
func show(r *Reader) []string {
	var lines []string
	for row, err := range r.Rows() {
		if err != nil {
			lines = append(lines, "broken: "+err.Error())
			continue
		}
		line := fmt.Sprintf("%d line %d: %s", row.Index, row.Line, value.AppendJSON(nil, row.Value))
		if row.Err != nil {
			line += " !! " + row.Err.Error()
		}
		lines = append(lines, line)
	}
	return lines
}

// A header may have more columns than anybody would write.
func TestAWideHeaderIsReadInBoundedTime(t *testing.T) {
	t.Parallel()
	const columns = 300_000
	var text strings.Builder
	for i := range columns {
		fmt.Fprintf(&text, "column_%d,", i)
	}
	text.WriteString("vat_id\n" + strings.Repeat(",", columns) + "PT1\n")
	began := time.Now()
	r, err := Open("a.csv", strings.NewReader(text.String()), company, []string{"vat_id"})
	if err != nil {
		t.Fatal(err)
	}
	for row, err := range r.Rows() {
		if got := string(value.AppendJSON(nil, row.Value)); got != `{"vat_id":"PT1"}` || err != nil || row.Err != nil {
			t.Error(got, err, row.Err)
		}
	}
	warnings := r.Warnings()
	if got, want := warnings[len(warnings)-1], "a.csv: 299980 more columns are ignored"; got != want || len(warnings) != 21 {
		t.Errorf("got %d warnings, the last one %s, want %s", len(warnings), got, want)
	}
	_, err = Open("a.csv", strings.NewReader(text.String()), company, []string{"vat_number"})
	var d *diag.Diagnostic
	if !errors.As(err, &d) || len(d.Hint) > 500 {
		t.Errorf("got %v", err)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
}
