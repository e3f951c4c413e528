package table

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

func TestFilesAsWritten(t *testing.T) {
	t.Parallel()
	rows := value.List{
		value.ObjectOf("key", "PT1", "status", "done", "price", value.Decimal("203.7700"), "tags", value.List{"a", int64(2), true}),
		value.ObjectOf("key", `say "x", y`, "price", nil, "tags", value.List{"a;b", "c"}, "status", false),
		value.ObjectOf("tags", value.List{}, "key", "two\nlines", "status", value.ObjectOf("n", int64(1))),
	}
	columns := []string{"key", "status", "price", "tags"}
	for _, c := range []struct {
		name, file string
		v          value.Value
		columns    []string
		want       string
	}{
		{"CSV", "a.csv", rows, columns,
			"key,status,price,tags\n" +
				"PT1,done,203.7700,a;2;true\n" +
				"\"say \"\"x\"\", y\",false,,\"[\"\"a;b\"\",\"\"c\"\"]\"\n" +
				"\"two\nlines\",\"{\"\"n\"\":1}\",,[]\n"},
		{"CSV, columns of the first row", "a.csv", rows[:1], nil, "key,status,price,tags\nPT1,done,203.7700,a;2;true\n"},
		{"CSV, a lone empty cell", "a.csv", value.List{value.ObjectOf("a", nil), value.ObjectOf("a", "x")}, nil, "a\n\"\"\nx\n"},
		{"CSV, formulas as they are", "a.csv", value.List{value.ObjectOf("a", "=1+1")}, nil, "a\n=1+1\n"},
		{"CSV, no rows", "a.csv", value.List{}, columns, "key,status,price,tags\n"},
		{"CSV, nothing known", "a.csv", value.List{}, nil, ""},
		{"JSON", "a.json", rows[:2], nil,
			"[\n" +
				`{"key":"PT1","status":"done","price":203.7700,"tags":["a",2,true]}` + ",\n" +
				`{"key":"say \"x\", y","price":null,"tags":["a;b","c"],"status":false}` + "\n]\n"},
		{"JSON, no rows", "a.json", value.List{}, nil, "[]\n"},
		{"JSON, an object", "a.json", value.ObjectOf("a", value.Decimal("1.50"), "b", value.List{"<é>"}), nil,
			"{\n  \"a\": 1.50,\n  \"b\": [\n    \"<é>\"\n  ]\n}\n"},
		{"JSON, null", "a.json", nil, nil, "null\n"},
		{"JSON Lines", "a.jsonl", value.List{rows[0], "x", nil}, nil,
			`{"key":"PT1","status":"done","price":203.7700,"tags":["a",2,true]}` + "\n\"x\"\nnull\n"},
	} {
		if got := written(t, c.file, c.v, c.columns); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

func TestRoundTrips(t *testing.T) {
	t.Parallel()
	item := types.ObjectOf(
		types.Field{Name: "text", Type: types.TextType},
		types.Field{Name: "int", Type: types.IntegerType},
		types.Field{Name: "price", Type: types.DecimalType},
		types.Field{Name: "flag", Type: types.BooleanType},
		types.Field{Name: "tags", Type: types.ListOf(types.TextType)},
		types.Field{Name: "counts", Type: types.ListOf(types.IntegerType)},
		types.Field{Name: "object", Type: types.ObjectOf(types.Field{Name: "a", Type: types.AnyType})},
	)
	rows := value.List{
		value.ObjectOf("text", "0012", "int", int64(-5), "price", value.Decimal("1.00000"), "flag", true,
			"tags", value.List{"a", "b c"}, "counts", value.List{int64(1), int64(2)}, "object", value.ObjectOf("a", value.List{nil, "x;y"})),
		value.ObjectOf("text", "[1;2] ", "tags", value.List{"[x", "y"}),
		value.ObjectOf("text", "a\"b,c;d\n", "tags", value.List{"a;b"}),
		value.ObjectOf("tags", value.List{" padded", ""}),
		value.ObjectOf("tags", value.List{""}),
		value.ObjectOf("tags", value.List{}),
		value.ObjectOf("text", `{"a":1}`),
		value.ObjectOf("text", "\tü€🔑"),
	}
	columns := []string{"text", "int", "price", "flag", "tags", "counts", "object"}
	for _, file := range []string{"a.csv", "a.json", "a.jsonl"} {
		r, err := Open(file, strings.NewReader(written(t, file, rows, columns)), item, nil)
		if err != nil {
			t.Fatal(err)
		}
		for row, err := range r.Rows() {
			if err != nil || row.Err != nil {
				t.Fatalf("%s: %v %v", file, err, row.Err)
			}
			got, want := asJSON(row.Value), asJSON(rows[row.Index])
			if got != want {
				t.Errorf("%s, row %d: got %s, want %s", file, row.Index, got, want)
			}
		}
	}
}

func TestWriteFileRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file    string
		v       value.Value
		columns []string
		want    string
	}{
		{"a.csv", value.NewObject(0), nil, "cannot write a.csv: it holds rows, but the value is no list (kind object): use a .json file"},
		{"a.jsonl", nil, nil, "cannot write a.jsonl: it holds rows, but the value is no list (kind null): use a .json file"},
		{"a.csv", value.List{value.ObjectOf("a", nil), "x"}, nil, "cannot write row 2 of a.csv: rows of a CSV file are objects, not string"},
		{"a.csv", value.List{value.ObjectOf("b", int64(1))}, []string{"a"}, "cannot write row 1 of a.csv: b is none of the columns of the file"},
		{"a.xlsx", value.List{}, nil, "a.xlsx: rows cannot be kept in .xlsx files: use .csv, .json or .jsonl"},
	} {
		root := rootWith(t, nil)
		if _, err := WriteFile(root, c.file, c.v, c.columns); err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
		if files := filesIn(t, root); len(files) > 0 {
			t.Errorf("%s: left behind: %v", c.file, files)
		}
	}
}

func TestTheOldFileStaysUntilCommit(t *testing.T) {
	t.Parallel()
	root := rootWith(t, map[string]string{"out/a.csv": "old\n"})
	w := start(t, root, "out/a.csv")
	if err := w.Write(value.ObjectOf("a", int64(1))); err != nil {
		t.Fatal(err)
	}
	if got := content(t, root, "out/a.csv"); got != "old\n" {
		t.Errorf("before Commit the file is %q", got)
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	w.Abort() // does nothing
	if got := content(t, root, "out/a.csv"); got != "a\n1\n" {
		t.Errorf("after Commit the file is %q", got)
	}
	if err := w.Write(value.ObjectOf("a", int64(2))); err == nil || err.Error() != "cannot write row 2 of out/a.csv: the file is finished" {
		t.Errorf("writing after Commit: %v", err)
	}
	if got, want := filesIn(t, root), []string{"out/a.csv"}; !slices.Equal(got, want) {
		t.Errorf("files %v, want %v", got, want)
	}
}

func TestTheOldFileSurvivesFailures(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(w *Writer) error{
		"given up": func(w *Writer) error {
			w.Abort()
			return w.Commit()
		},
		"bad row": func(w *Writer) error {
			if err := w.Write("text"); err == nil {
				t.Error("the row was taken")
			}
			return w.Commit()
		},
		"broken file": func(w *Writer) error {
			w.file.Close()
			return w.Commit()
		},
		"no temporary file": func(w *Writer) error {
			if err := w.root.Remove(w.temporary); err != nil {
				t.Error(err)
			}
			return w.Commit()
		},
	} {
		root := rootWith(t, map[string]string{"a.csv": "old\n"})
		w := start(t, root, "a.csv")
		if err := w.Write(value.ObjectOf("a", int64(1))); err != nil {
			t.Fatal(err)
		}
		if err := fail(w); err == nil {
			t.Errorf("%s: Commit succeeded", name)
		}
		if err := w.Commit(); err == nil {
			t.Errorf("%s: the second Commit succeeded", name)
		}
		if got := content(t, root, "a.csv"); got != "old\n" {
			t.Errorf("%s: the file is %q", name, got)
		}
		if got, want := filesIn(t, root), []string{"a.csv"}; !slices.Equal(got, want) {
			t.Errorf("%s: files %v, want %v", name, got, want)
		}
	}
}

func TestFilesStayBelowTheRoot(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	root := rootWith(t, map[string]string{"folder.csv/x": ""})
	if runtime.GOOS != "windows" { // where links need a privilege
		if err := os.Symlink(outside, filepath.Join(root.Name(), "link")); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"../a.csv", "/a.csv", "x/../../a.csv", "", "link/a.csv", "link/new/a.csv", "folder.csv"} {
		if w, err := Create(root, name, nil); err == nil {
			w.Abort()
			t.Errorf("%q was created", name)
		}
	}
	entries, err := os.ReadDir(outside)
	if err != nil || len(entries) > 0 {
		t.Errorf("outside are %v, %v", entries, err)
	}
	w := start(t, root, "deep/../new/folders/a.jsonl")
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	if got := content(t, root, "new/folders/a.jsonl"); got != "" {
		t.Errorf("got %q", got)
	}
}

func start(t *testing.T, root *os.Root, name string) *Writer {
	t.Helper()
	w, err := Create(root, name, nil)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// written returns the text of a file made by WriteFile.
func written(t *testing.T, name string, v value.Value, columns []string) string {
	t.Helper()
	root := rootWith(t, nil)
	rows, err := WriteFile(root, name, v, columns)
	if err != nil {
		t.Fatal(err)
	}
	want := 1
	if n, ok := value.Length(v); ok {
		want = n
	}
	if rows != want {
		t.Errorf("%s: %d rows written, want %d", name, rows, want)
	}
	return content(t, root, name)
}

func rootWith(t *testing.T, files map[string]string) *os.Root {
	t.Helper()
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	for name, text := range files {
		if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := root.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func content(t *testing.T, root *os.Root, name string) string {
	t.Helper()
	text, err := root.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// filesIn lists all files below root.
func filesIn(t *testing.T, root *os.Root) []string {
	t.Helper()
	var names []string
	err := fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestRowsAreWrittenOneByOne(t *testing.T) {
	t.Parallel()
	const text = `[{"id":1,"price":203.7700},{"id":2}]`
	s, err := value.Survey(strings.NewReader(text), int64(len(text)), 2, 1<<10)
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		"a.csv":   "id,price\n1,203.7700\n2,\n",
		"a.jsonl": "{\"id\":1,\"price\":203.7700}\n{\"id\":2}\n",
		"a.json":  "[\n{\"id\":1,\"price\":203.7700},\n{\"id\":2}\n]\n",
	} {
		if got := written(t, file, s.Value, nil); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", file, got, want)
		}
	}
	bad := s.Value.(*value.Rows).Map(func(i int, row value.Value) (value.Value, error) {
		if i == 1 {
			return nil, errors.New("the disk is gone")
		}
		return row, nil
	})
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	_, err = WriteFile(root, "a.csv", bad, nil)
	if err == nil || err.Error() != "cannot write row 2 of a.csv: the disk is gone" {
		t.Errorf("got %v", err)
	}
	if _, err := root.Stat("a.csv"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("there is a file: %v", err)
	}
	_, err = WriteFile(root, "a.yaml", s.Value, nil)
	if err == nil || err.Error() != "a.yaml: YAML files are read, not written: use .csv, .json or .jsonl" {
		t.Errorf("got %v", err)
	}
}
