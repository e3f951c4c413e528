package catalog

import "testing"

// The grammar takes whatever output mappings can do.
func TestMappingsInAllTheirForms(t *testing.T) {
	t.Parallel()
	v := vendor(t, `
vendor: acme
version: 1
operations:
  list:
    effect: read
    request: {method: GET, path: /a}
    response:
      outputs:
        plain: a.0.b
        count: {path: a.#, type: integer}
        text: {path: a.0.c, type: text, trim: false}
        padded: {path: a.0.d, type: string, trim: right, null_if: ["", EMPTY]}
        day: {path: a.0.e, type: date, format: yyyyMMdd}
        names: {path: a.#.b, type: list}
        rows:
          path: a
          default: []
          each:
            id: b
            amount: {path: c, type: decimal, default: 0}
            pin: {path: pin, secret: true}
            parts: {path: d, each: {no: {path: n, type: integer}, all: "@this"}}
`)
	want := map[string]string{
		"plain":  "anything",
		"count":  "integer or null",
		"text":   "text or null",
		"padded": "text or null",
		"day":    "date or null",
		"names":  "list or null",
		"rows":   "list of object",
	}
	outputs := v.Operation("list").Response.Outputs
	if len(outputs) != len(want) {
		t.Errorf("got %d outputs", len(outputs))
	}
	for _, m := range outputs {
		if got := m.Type().String(); got != want[m.Name] {
			t.Errorf("%s: got %s, want %s", m.Name, got, want[m.Name])
		}
		if m.Type().HasSecret() != (m.Name == "rows") {
			t.Errorf("%s: secret is %v", m.Name, m.Type().HasSecret())
		}
	}
}
