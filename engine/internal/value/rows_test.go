package value

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"sync"
	"testing"
)

// surveyed surveys text with every list of more than 2 bytes as Rows.
func surveyed(t testing.TB, text string) *Surveyed {
	t.Helper()
	s, err := Survey(strings.NewReader(text), int64(len(text)), 2, 1<<20)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

func TestSurveysTakeLargeListsOut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, outline string
		paths         [][]string
	}{
		{`[1, {"a": [1,2]} , []]`, `[]`, [][]string{{}}},
		{` {"ok":true, "data" : {"rows":[ 1.50 ,"x"], "n":2}, "none":[], "more":[[1]]} `,
			` {"ok":true, "data" : {"rows":[], "n":2}, "none":[], "more":[]} `, [][]string{{"data", "rows"}, {"more"}}},
		{`{"a":[1,2],"a":[3,4]}`, `{"a":[],"a":[]}`, [][]string{{"a"}}},
		{`"text"`, `"text"`, nil},
		{`-0.0`, `-0.0`, nil},
		{`null`, `null`, nil},
	} {
		s := surveyed(t, c.text)
		if string(s.Outline) != c.outline || fmt.Sprint(RowsWithin(s.Value)) != fmt.Sprint(c.paths) {
			t.Errorf("%s: outline %s, rows at %v", c.text, s.Outline, RowsWithin(s.Value))
		}
		want, err := Decode([]byte(c.text))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(AppendJSON(nil, s.Value)); got != string(AppendJSON(nil, want)) {
			t.Errorf("%s: got %s", c.text, got)
		}
	}
}

func TestSurveysRefuse(t *testing.T) {
	t.Parallel()
	const memory = 64
	long := strings.Repeat("x", 4*markEvery)
	for _, c := range []struct{ text, want string }{
		{``, "not JSON: the text is empty"},
		{`[1,2`, "not JSON: the text ends too early, at offset 4"},
		{`{"a":[1,2]`, "not JSON: the text ends too early, at offset 10"},
		{`[1,2] x`, "not JSON: more data after the value, at offset 5"},
		{`[1,2,]`, "not JSON: invalid character ',' at start of value, at offset 4"},
		{`[1e999999]`, "number 1e999999 has an exponent beyond 400"},
		{`["` + long + `"]`, ErrTooLarge.Error()},
		{`["` + strings.Repeat("x", 100) + `"]`, ErrTooLarge.Error()},
		{`{"a":"` + strings.Repeat("x", 100) + `"}`, ErrTooLarge.Error()},
		{`[[1,[` + strings.Repeat("[],", 50) + `0]]]`, ErrTooLarge.Error()},
	} {
		_, err := Survey(strings.NewReader(c.text), int64(len(c.text)), 2, memory)
		if err == nil || err.Error() != c.want {
			t.Errorf("%.40s: got %v, want %s", c.text, err, c.want)
		}
	}
}

// many has n elements of some 100 bytes, so that it has marks.
func many(n int) string {
	var b strings.Builder
	b.WriteString("[ ")
	for i := range n {
		if i > 0 {
			b.WriteString(" ,\n")
		}
		fmt.Fprintf(&b, `{"id":%d,"price":%d.500,"text":"%s"}`, i, i, strings.Repeat("é", 40))
	}
	return b.String() + " ]"
}

func TestRowsAreReadFromAnyPlace(t *testing.T) {
	t.Parallel()
	const n = 2000
	r := surveyed(t, many(n)).Value.(*Rows)
	if r.Len() != n || len(r.marks) < 10 {
		t.Fatalf("%d rows, %d marks", r.Len(), len(r.marks))
	}
	var passes sync.WaitGroup
	for from := 0; from < n; from += 173 {
		passes.Go(func() {
			i := from
			for v, err := range r.From(from) {
				if err != nil || v.(*Object).At("id") != int64(i) {
					t.Errorf("row %d from %d: %v %v", i, from, v, err)
					return
				}
				i++
			}
			if i != n {
				t.Errorf("%d rows from %d", i-from, from)
			}
		})
	}
	passes.Wait()
	for _, i := range []int{0, 1, 999, n - 1} {
		if v, err := r.At(i); err != nil || v.(*Object).At("price") != Decimal(fmt.Sprintf("%d.500", i)) {
			t.Errorf("row %d: %v %v", i, v, err)
		}
	}
	if _, err := r.At(n); err == nil || err.Error() != "there is no element 2000" {
		t.Errorf("got %v", err)
	}
}

func TestRowsAreLists(t *testing.T) {
	t.Parallel()
	text := `[{"b":1.0,"a":[null,true]},"x",-3]`
	list, err := Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	rows := surveyed(t, text).Value
	if KindOf(rows) != "list" {
		t.Errorf("kind %s", KindOf(rows))
	}
	if _, err := Text(rows); err == nil || err.Error() != "a list cannot be written as text" {
		t.Errorf("got %v", err)
	}
	if _, err := Compare(rows, rows); err == nil || err.Error() != "cannot compare a list with a list" {
		t.Errorf("got %v", err)
	}
	if Key(rows) != Key(list) || !reflect.DeepEqual(ToGo(rows), ToGo(list)) {
		t.Errorf("keys %s and %s", Key(rows), Key(list))
	}
	if v, err := FromGo(rows); v != rows || err != nil {
		t.Errorf("got %v, %v", v, err)
	}
	other := surveyed(t, `[{"a":[null,true],"b":1},"x",-3]`).Value
	for _, same := range []Value{rows, list, other} {
		if !Equal(rows, same) || !Equal(same, rows) {
			t.Errorf("%T is not equal", same)
		}
	}
	for _, not := range []Value{nil, int64(3), List{}, surveyed(t, `[{"a":[null,true],"b":1},"x",3]`).Value, NewObject(0)} {
		if Equal(rows, not) || Equal(not, rows) {
			t.Errorf("%v is equal", not)
		}
	}
	o := ObjectOf("list", List{rows}, "n", int64(1))
	in, err := InMemory(o)
	if err != nil || !HoldsRows(o) || HoldsRows(in) || !Equal(in, o) {
		t.Errorf("got %v, %v", in, err)
	}
}

func TestRowsAreMapped(t *testing.T) {
	t.Parallel()
	errOdd := errors.New("odd")
	r := surveyed(t, `[10,11,12,13]`).Value.(*Rows)
	doubled := r.Map(func(i int, v Value) (Value, error) { return Mul(v, int64(2)) })
	sums := doubled.Map(func(i int, v Value) (Value, error) {
		if i == 3 {
			return nil, errOdd
		}
		return Add(v, int64(i))
	})
	var got []string
	for v, err := range sums.From(1) {
		got = append(got, fmt.Sprint(v, " ", err))
	}
	if want := []string{"23 <nil>", "26 <nil>", "<nil> odd"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q", got)
	}
	if _, err := sums.List(); err != errOdd {
		t.Errorf("got %v", err)
	}
}

// A broken text fails after some bytes.
type broken struct {
	text  string
	after int64
}

func (b *broken) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > b.after {
		return 0, errors.New("bad sector")
	}
	return strings.NewReader(b.text).ReadAt(p, off)
}

func TestUnreadableRowsAreAnError(t *testing.T) {
	t.Parallel()
	text := many(1000)
	in := &broken{text: text, after: 1 << 30}
	s, err := Survey(in, int64(len(text)), 2, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	r := s.Value.(*Rows)
	in.after = int64(len(text)) / 2
	n := 0
	var last error
	for _, err := range r.All() {
		if last = err; err == nil {
			n++
		}
	}
	var read *ReadError
	if n == 0 || n == 1000 || !errors.As(last, &read) || !strings.HasSuffix(last.Error(), "bad sector") {
		t.Errorf("%d rows, then %v", n, last)
	}
	for _, v := range []Value{r, List{r}, ObjectOf("rows", r)} {
		if out, err := TryAppendJSON([]byte("x"), v); string(out) != "x" || !errors.As(err, &read) {
			t.Errorf("got %.20s, %v", out, err)
		}
		if _, err := InMemory(v); !errors.As(err, &read) {
			t.Errorf("got %v", err)
		}
	}
	defer func() {
		if err, _ := recover().(*ReadError); err == nil {
			t.Error("nobody was told")
		}
	}()
	AppendJSON(nil, r)
}

func FuzzSurvey(f *testing.F) {
	for _, seed := range []string{`[1,[2,3],{"a":[1,2,3]}]`, `{"a":{"b":[1,2]},"c":[[]],"a":[1e5]}`, `["\ud800","é"]`, `[1,2`, " [0] ", `{"a":[1],"a":[1,2]}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want, wrong := Decode([]byte(text))
		s, err := Survey(io.NewSectionReader(strings.NewReader(text), 0, int64(len(text))), int64(len(text)), 4, 1<<20)
		if (err == nil) != (wrong == nil) {
			t.Fatalf("survey: %v, decode: %v", err, wrong)
		}
		if err == nil && (string(AppendJSON(nil, s.Value)) != string(AppendJSON(nil, want)) || !Equal(s.Value, want)) {
			t.Fatalf("got %s, want %s", AppendJSON(nil, s.Value), AppendJSON(nil, want))
		}
	})
}
