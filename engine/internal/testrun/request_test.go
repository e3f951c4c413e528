package testrun

import (
	"net/http"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/value"
)

func TestBodiesAreReadAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	const multi = "multipart/form-data; boundary=b"
	for name, test := range map[string]struct{ kind, body, want string }{
		"nothing":                            {"application/json", "", `null`},
		"JSON":                               {"application/json", `{"n": 1.50}`, `{"n":1.50}`},
		"JSON under another name":            {"text/plain", `[1]`, `[1]`},
		"a text":                             {"application/json", `{"n":`, `"{\"n\":"`},
		"a form":                             {"application/x-www-form-urlencoded", "b=1&a=x&a=y", `{"a":["x","y"],"b":"1"}`},
		"a form that is none":                {"application/x-www-form-urlencoded", "a=%zz", `"a=%zz"`},
		"a form of parts":                    {multi, "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--b--\r\n", `{"a":"x"}`},
		"a form whose part is cut off":       {multi, "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx", `"--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx"`},
		"a form cut off in a part's headers": {multi, "--b\r\nContent-Disposition: form-", `"--b\r\nContent-Disposition: form-"`},
	} {
		r, err := http.NewRequest(http.MethodPost, "https://shop.example/orders", strings.NewReader(test.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", test.kind)
		if got := string(value.AppendJSON(nil, readRequest(r).body)); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}
