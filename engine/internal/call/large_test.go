package call

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/value"
)

const exports = `
vendor: acme
version: 1
operations:
  list:
    effect: read
    request:
      method: GET
      path: /list
    response:
      schema:
        type: array
        items:
          type: object
          required: [Id]
          properties:
            Id: {type: integer}
            Costs: {type: number}
      outputs:
        rows: "@this"
        count: "#"
        first: "0.Id"
        mapped:
          path: "@this"
          each:
            id: Id
            costs: {path: Costs, type: text}
  report:
    effect: read
    request:
      method: GET
      path: /report
    response:
      ok: body.success == true and len(body.result.Charges) > 0
      data: result
      message: error.text
      schema:
        type: object
        required: [Charges, Month]
        properties:
          Month: {type: string}
          Charges: {type: array, items: {type: object, properties: {Id: {type: integer}, Costs: {type: number}}}}
      outputs:
        month: Month
        charges: Charges
        count: "Charges.#"
        all: "@this"
  ids:
    effect: read
    request:
      method: GET
      path: /list
    response:
      outputs:
        ids: "#.Id"
  make:
    effect: create
    request:
      method: POST
      path: /list
    response:
      outputs:
        rows: "@this"
`

// rowsText is a list of n rows; extra is put among them.
func rowsText(n int, extra ...string) string {
	rows := make([]string, n, n+len(extra))
	for i := range rows {
		rows[i] = fmt.Sprintf(`{"Id":%d,"Costs":%d.500,"Text":"%s"}`, i, i, strings.Repeat("x", 100))
	}
	return "[" + strings.Join(append(rows, extra...), ",\n") + "]"
}

// small makes answers of more than 64 KiB large.
var small = Options{SpoolFrom: 64 << 10, MaxAnswer: 1 << 20, MaxSpooled: 8 << 20}

func exporting(t testing.TB, text string, o Options) *Executor {
	t.Helper()
	base := serve(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, text) })
	return connect(t, vendorOf(t, exports), base, nil, o)
}

func TestLargeAnswersAreHandedOutRowByRow(t *testing.T) {
	t.Parallel()
	const n = 2000
	for _, mark := range []string{"", "\xef\xbb\xbf"} {
		res := ask(t, exporting(t, mark+rowsText(n), small), "list")
		rows, ok := res.Outputs.At("rows").(*value.Rows)
		if res.Outcome != flow.OK || !ok || rows.Len() != n {
			t.Fatalf("%s %T", summary(res), res.Outputs.At("rows"))
		}
		if count, first := res.Outputs.At("count"), res.Outputs.At("first"); count != int64(n) || first != int64(0) {
			t.Errorf("count %v, first %v", count, first)
		}
		mapped := res.Outputs.At("mapped").(*value.Rows)
		v, err := mapped.At(n - 1)
		if got := string(value.AppendJSON(nil, v)); err != nil || got != `{"id":1999,"costs":"1999.500"}` {
			t.Errorf("got %s, %v", got, err)
		}
		i := 0
		for v, err := range rows.All() {
			if err != nil || v.(*value.Object).At("Costs") != value.Decimal(fmt.Sprintf("%d.500", i)) {
				t.Fatalf("row %d: %v, %v", i, v, err)
			}
			i++
		}
	}
}

func TestLargeListsInsideOfAnswers(t *testing.T) {
	t.Parallel()
	const n = 2000
	text := `{"success":true,"result":{"Charges":` + rowsText(n) + `,"Month":"05/2025"}}`
	res := ask(t, exporting(t, text, small), "report")
	rows, ok := res.Outputs.At("charges").(*value.Rows)
	if res.Outcome != flow.OK || !ok || rows.Len() != n || res.Outputs.At("month") != "05/2025" || res.Outputs.At("count") != int64(n) {
		t.Fatalf("%s %T", summary(res), res.Outputs.At("charges"))
	}
	all := res.Outputs.At("all").(*value.Object)
	if _, ok := all.At("Charges").(*value.Rows); !ok || all.At("Month") != "05/2025" {
		t.Errorf("all has %v", all.Keys())
	}
}

func TestLargeAnswersThatAreNoSuccess(t *testing.T) {
	t.Parallel()
	text := `{"success":false,"error":{"text":"no such month"},"result":{"Charges":` + rowsText(2000) + `}}`
	res := ask(t, exporting(t, text, small), "report")
	if got, want := summary(res), "unknown: no such month"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestRowsAreHeldAgainstTheSchemaBeforeAnyIsHandedOut(t *testing.T) {
	t.Parallel()
	broken := rowsText(2000, `{"Id":"x"}`, `{"Costs":"much"}`)
	inMemory := Options{SpoolFrom: 1 << 20}
	for _, c := range []struct{ operation, text, want string }{
		{"list", broken, `invalid contract-broken: the answer of acme.list breaks its contract: [2000].Id: expected integer, found text "x" (and 2 more)`},
		{"report", `{"success":true,"result":{"Month":"05/2025","Charges":` + broken + `}}`,
			`invalid contract-broken: the answer of acme.report breaks its contract: Charges[2000].Id: expected integer, found text "x" (and 1 more)`},
		{"list", rowsText(2000, `1e9999`), `invalid contract-broken: `},
		{"list", rowsText(2000) + "]", `unknown unreadable: the answer is not JSON: [{"Id":0,"Costs":0.500,`},
	} {
		for _, o := range []Options{small, inMemory} {
			res := ask(t, exporting(t, c.text, o), c.operation)
			got := summary(res)
			if c.text == rowsText(2000, `1e9999`) {
				if want := "unknown unreadable: the answer cannot be read: number 1e9999 has an exponent beyond 400"; got != want {
					t.Errorf("got %s, want %s", got, want)
				}
				continue
			}
			if !strings.HasPrefix(got, c.want) || res.Outputs != nil {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		}
	}
}

func TestLargeAnswersThatAreNeededAsAWhole(t *testing.T) {
	t.Parallel()
	const n = 2000
	res := ask(t, exporting(t, rowsText(n), small), "ids")
	if ids, ok := res.Outputs.At("ids").(value.List); !ok || len(ids) != n || ids[n-1] != int64(n-1) {
		t.Errorf("%s %T", summary(res), res.Outputs.At("ids"))
	}
	res = ask(t, exporting(t, rowsText(n), small), "make")
	if rows, ok := res.Outputs.At("rows").(value.List); !ok || len(rows) != n {
		t.Errorf("%s %T", summary(res), res.Outputs.At("rows"))
	}
}

func TestAnswersThatAreTooLarge(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1<<20)
	for _, c := range []struct{ operation, text, want string }{
		{"list", rowsText(70_000), "invalid too-large: the answer is larger than 8 MiB"},
		{"ids", rowsText(10_000), "invalid too-large: the answer, into whose list the path #.Id of output ids looks, is larger than 1 MiB"},
		{"list", rowsText(10, `{"Id":1,"Text":"`+long+`"}`), "invalid too-large: outside of lists, or in one element of a list, the answer is larger than 1 MiB"},
		{"list", long + long, "invalid too-large: the answer, which is not JSON, is larger than 1 MiB"},
		{"make", rowsText(10_000), "unknown too-large: the answer is larger than 1 MiB"},
	} {
		if got := summary(ask(t, exporting(t, c.text, small), c.operation)); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestLargeAnswersThatBreakOff(t *testing.T) {
	t.Parallel()
	text := rowsText(2000)
	base := raw(t, func(_ int, c net.Conn, _ *http.Request) {
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(text)+1, text)
	})
	res := ask(t, connect(t, vendorOf(t, exports), base, nil, small), "list")
	want := fmt.Sprintf("unknown unreadable: the answer broke off after %s: unexpected EOF", bytesText(int64(len(text))))
	if got := summary(res); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSpoolsLeaveNoFiles(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a spool keeps its name there, until it is closed")
	}
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Setenv("TMP", dir)
	res := ask(t, exporting(t, rowsText(2000), small), "list")
	if _, ok := res.Outputs.At("rows").(*value.Rows); !ok {
		t.Fatal(summary(res))
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) > 0 {
		t.Errorf("there are %v, %v", files, err)
	}
	t.Setenv("TMPDIR", dir+"/none")
	t.Setenv("TMP", dir+"/none")
	res = ask(t, exporting(t, rowsText(2000), small), "list")
	if res.Code != "unreadable" || !strings.HasPrefix(res.Message, "cannot keep a large answer: ") {
		t.Errorf("got %s", summary(res))
	}
}
