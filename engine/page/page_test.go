package page

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
)

// vendor is a listing of elements 0 to n-1 that hands out at most size of them
// at a time, in each of the ways.
type vendor struct{ n, size int }

// answer returns the elements of a page and what the answer says of the next.
func (v vendor) answer(kind string, first, p Page) (items []int, next string) {
	from := 0
	switch kind {
	case "number":
		from = int(p.Value.(int64)-first.Value.(int64)) * v.size
	case "offset":
		from = int(p.Value.(int64))
	case "cursor":
		if text, ok := p.Value.(string); ok {
			fmt.Sscanf(text, "after-%d", &from)
		}
	case "link":
		if p.Link != "" {
			fmt.Sscanf(p.Link, "?from=%d", &from)
		}
	}
	for i := from; i < min(from+v.size, v.n); i++ {
		items = append(items, i)
	}
	if to := from + v.size; to < v.n {
		next = map[string]string{"cursor": "after-" + strconv.Itoa(to), "link": "?from=" + strconv.Itoa(to)}[kind]
	}
	return items, next
}

// Every kind has a row here: it reads each element of a listing once, in order, and ends.
func TestKindsReadAListingOnceAndToItsEnd(t *testing.T) {
	t.Parallel()
	conformance := map[string]struct {
		starts   []string
		variable string
	}{
		"number": {[]string{"", "0", "1", "17"}, "number"},
		"offset": {[]string{"", "0"}, "offset"},
		"cursor": {[]string{"", "after-0"}, "cursor"},
		"link":   {[]string{""}, ""},
	}
	kinds := Builtin()
	for name := range conformance {
		if kinds[name] == nil {
			t.Errorf("there is no kind %s", name)
		}
	}
	for name, kind := range kinds {
		row, known := conformance[name]
		if !known {
			t.Errorf("the kind %s has no row", name)
			continue
		}
		if kind.Variable() != row.variable {
			t.Errorf("%s: the variable is %q", name, kind.Variable())
		}
		for _, start := range row.starts {
			for _, v := range []vendor{{0, 3}, {1, 3}, {3, 3}, {7, 3}, {5, 1}} {
				checkListing(t, name, kind, start, v)
			}
		}
	}
}

func checkListing(t *testing.T, name string, kind Kind, start string, v vendor) {
	t.Helper()
	first, err := kind.First(start)
	if err != nil {
		t.Fatalf("%s from %q: %v", name, start, err)
	}
	var got, want []int
	for i := range v.n {
		want = append(want, i)
	}
	for p, pages := first, 0; ; pages++ {
		if pages > v.n+1 {
			t.Fatalf("%s from %q does not end", name, start)
		}
		items, next := v.answer(name, first, p)
		if got = append(got, items...); len(items) == 0 {
			break
		}
		if !kind.Follows() && next != "" {
			t.Fatalf("%s does not follow, and is told of %s", name, next)
		}
		again, more := kind.Next(p, Answer{Items: len(items), Next: next})
		if same, sameMore := kind.Next(p, Answer{Items: len(items), Next: next}); same != again || sameMore != more {
			t.Fatalf("%s says %v, then %v", name, again, same)
		}
		if !more {
			break
		}
		p = again
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s from %q, %+v: got %v", name, start, v, got)
	}
}

func TestStartsThatAreWrong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ kind, start, want string }{
		{"number", "first", "expected a whole number from 0, found first"},
		{"number", "-1", "expected a whole number from 0, found -1"},
		{"offset", "0.5", "expected a whole number from 0, found 0.5"},
		{"link", "1", "expected nothing: the first page is where the request leads"},
	} {
		if _, err := Builtin()[c.kind].First(c.start); err == nil || err.Error() != c.want {
			t.Errorf("%s from %s: %v", c.kind, c.start, err)
		}
	}
}

func TestNextLink(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		headers []string
		want    string
	}{
		{nil, ""},
		{[]string{""}, ""},
		{[]string{`<https://a.example/x?page=2>; rel="next"`}, "https://a.example/x?page=2"},
		{[]string{`<?p=2>;rel=next`}, "?p=2"},
		{[]string{`<?p=1>; rel=prev, <?p=3> ; REL = "last NEXT"`}, "?p=3"},
		{[]string{`<?p=1>; rel=prev`, `<?p=3>; rel=next`}, "?p=3"},
		{[]string{`<?ids=1,2>; title="a, <b>; rel=next \" c"; rel="next"`}, "?ids=1,2"},
		{[]string{`<?p=9>; title="x; rel=next"; rel=last`}, ""},
		{[]string{`<?p=9>; rel=last; rel=next`}, ""},
		{[]string{`<?p=9>; rel=next; anchor="#other", <?p=2>; rel=next`}, "?p=2"},
		{[]string{`<?p=9>; rel=nextpage`}, ""},
		{[]string{`<?p=9`, `?p=2; rel=next`, `<>; rel=next`, `<?p=2>; rel="next`}, "?p=2"},
		{[]string{`<?p=9>; nofollow; rel=next`}, "?p=9"},
	} {
		if got := NextLink(c.headers); got != c.want {
			t.Errorf("%q: got %q, want %q", c.headers, got, c.want)
		}
	}
}

func FuzzNextLink(f *testing.F) {
	f.Add(`<?p=1>; rel=prev, <?p=3>; title="a, \" b"; rel="last next"`)
	f.Add(`<a>; rel="`)
	f.Fuzz(func(t *testing.T, text string) {
		if found := NextLink([]string{text}); found != "" && NextLink([]string{"<" + found + ">; rel=next"}) != found {
			t.Errorf("%q is read from %q, and not read again", found, text)
		}
	})
}
