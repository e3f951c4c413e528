package table

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestLineEnds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"", ""},
		{"a\r", "a\n"},
		{"a,b\r1,2\r3,4", "a,b\n1,2\n3,4"},
		{"a,b\r1,\"x\ry\"\r", "a,b\n1,\"x\ny\"\n"},
		{"\"a\rz\",b\r1,2\r", "\"a\rz\",b\n1,2\n"},
		{"a\r\r\r1\r", "a\n\n\n1\n"},
		{"a\r1\r\n2\r", "a\n1\r\n2\n"},
		{"a\r\n1\r2\r\n", "a\r\n1\r2\r\n"},
		{"a\n1\r2\n", "a\n1\r2\n"},
		{"\"a\r\nz\"\r\n1\r", "\"a\r\nz\"\r\n1\r"},
	} {
		for name, in := range map[string]io.Reader{
			"whole": strings.NewReader(tt.in), "one": iotest.OneByteReader(strings.NewReader(tt.in)), "data": iotest.DataErrReader(strings.NewReader(tt.in)),
		} {
			if got, err := io.ReadAll(lineEndsOf(in)); err != nil || string(got) != tt.want {
				t.Errorf("%s %q: got %q, want %q, %v", name, tt.in, got, tt.want, err)
			}
		}
	}
	if _, err := io.ReadAll(lineEndsOf(iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("a\rb"))))); err != iotest.ErrTimeout {
		t.Errorf("got %v", err)
	}
}
