package call

import (
	"net/http"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/value"
)

const cannedVendor = `vendor: acme
version: 1
config: {mode: {type: string}}
envelope:
  data: result
  outcomes:
    - if: body?.error != null
      is: invalid
operations:
  find:
    effect: read
    request: {method: GET, path: /}
    response:
      schema: {type: array, items: {type: object, required: [id], properties: {id: {type: integer}, day: {type: string}}}}
      outputs:
        ids: "#.id"
        days: {path: "@this", each: {day: {path: day, type: date, format: yyyyMMdd}}}
  bare:
    effect: read
    request: {method: GET, path: /}
    response:
      data: "[@this]|@flatten"
      schema: {type: array, items: {type: integer}}
      outputs: {all: "@this"}
  strict:
    effect: read
    request: {method: GET, path: /}
    response: {ok: status == 200 and config.mode == 'on', schema: {type: object}}
  asked:
    effect: read
    inputs: {id: {type: integer}}
    request: {method: GET, path: /}
    response:
      outcomes: [{if: body.id != inputs.id, is: unknown}]
      schema: {type: object}
  paged:
    effect: read
    paginate: {by: number, items: rows, stop: page.number >= len(body.rows)}
    request: {method: GET, path: /, query: {page: "${{ page.number }}"}}
    response:
      data: "@this"
      ok: page.number == 1
      schema: {type: object, required: [rows], properties: {rows: {type: array}}}
      outputs: {rows: rows}
  said:
    effect: read
    request: {method: GET, path: /}
    response: {as: text, schema: {type: string, minLength: 2}, outputs: {text: "@this", place: {header: Location, type: integer}}}
  rows:
    effect: read
    request: {method: GET, path: /}
    response: {data: "@this", as: csv, schema: {type: array, items: {type: object, required: [sku]}}, outputs: {rows: "@this"}}
  rates:
    effect: read
    request: {method: GET, path: /}
    response: {data: rates, as: xml, schema: {type: object, required: [rate], properties: {rate: {type: array, items: {type: string}}}}, outputs: {rates: rate}}
  done:
    effect: idempotent
    request: {method: GET, path: /}
    response: {data: "@this", outcomes: [{if: status == 409, is: ok}]}
`

func TestCannedAnswersThatBreakTheirContract(t *testing.T) {
	t.Parallel()
	v := vendorOf(t, cannedVendor)
	for _, test := range []struct {
		operation string
		status    int
		header    http.Header
		body      string
		want      string // pointer and message of the first violation; "" for none
	}{
		{"find", 200, nil, `{"result": [{"id": 1, "day": "20260131"}]}`, ""},
		{"find", 200, nil, `{"result": [{"id": 1}, {"id": "x"}]}`, `/result/1/id: expected integer, found text "x"`},
		{"find", 200, nil, `{"result": [{"id": 1, "day": "31.1.2026"}]}`, `: output days[0].day: path day: expected date, found text "31.1.2026"`},
		{"find", 200, nil, `{"resutl": []}`, `/result: expected list, found null`},
		{"find", 200, nil, `<html>`, `: the answer is not JSON`},
		{"find", 200, nil, `{"error": 1}`, ""}, // a refusal, of which nothing is said
		{"find", 500, nil, `whatever`, ""},
		{"bare", 200, nil, `[1, "x"]`, `/1: expected integer, found text "x"`},
		{"strict", 200, nil, `[]`, `/result: expected object, found null`},
		{"strict", 204, nil, ``, ""},
		{"asked", 200, nil, `[]`, ""}, // whether this is a success depends on what was asked for
		{"paged", 200, nil, `{"rows": 1}`, `/rows: expected list, found integer 1`},
		{"said", 200, http.Header{"Location": {"7"}}, `ok`, ""},
		{"said", 200, nil, `o`, `: expected at least 2 characters, found 1`},
		{"said", 200, http.Header{"Location": {"here"}}, `ok`, `: output place: header Location: expected integer, found text "here"`},
		{"rows", 200, nil, "sku,name\nA,Anvil\n", ""},
		{"rows", 200, nil, "code,name\nA,Anvil\n", `/0: missing member "sku"`},
		{"rows", 200, nil, "sku\n\"A\n", ": the answer is not CSV: parse error on line 2, column 4: extraneous or missing \" in quoted-field"},
		{"rates", 200, nil, "<rates><rate>1.5</rate></rates>", ""},
		{"rates", 200, nil, "<rates><rate>1.5</rate><rate n='1'>2</rate></rates>", `/rate/1: expected text, found object`},
		{"rates", 200, nil, "<rates>", ": the answer is not XML: XML syntax error on line 1: unexpected EOF"},
		{"done", 409, nil, `<html>`, ""},
	} {
		config := value.ObjectOf("mode", "on")
		header := test.header
		if header == nil {
			header = http.Header{}
		}
		got := ""
		if bad := (Canned{test.status, header, []byte(test.body)}).Breaks(v.Operation(test.operation), config); len(bad) > 0 {
			got = bad[0].Pointer + ": " + bad[0].Message
		}
		if got != test.want {
			t.Errorf("%s %d %s:\n got %s\nwant %s", test.operation, test.status, test.body, got, test.want)
		}
	}
}
