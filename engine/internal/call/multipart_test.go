package call

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/value"
)

func TestMultipart(t *testing.T) {
	t.Parallel()
	const spec = `
vendor: acme
version: 1
auth: {inject: {body: {key: k-12345678}}}
operations:
  send:
    effect: create
    inputs: {file: {}, tags: {type: array, items: {type: string}}, note: {type: string, optional: true}}
    request:
      method: POST
      path: /
      as: multipart
      body: {"na\"me": 1.50, tags: "${{ inputs.tags }}", note: "${{ inputs.note ?? omit }}", file: "${{ inputs.file }}"}
    response: {as: text, outputs: {said: "@this"}}
`
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		parts, err := r.MultipartReader()
		if err != nil {
			t.Error(err)
			return
		}
		for {
			p, err := parts.NextPart()
			if err == io.EOF {
				return
			}
			content, _ := io.ReadAll(p)
			fmt.Fprintf(w, "%q %q %q %q|", p.FormName(), p.FileName(), p.Header.Get("Content-Type"), content)
		}
	})
	e := connect(t, vendorOf(t, spec), base, nil, Options{})
	const fields = `"na%22me" "" "" "1.50"|"tags" "" "" "a"|"tags" "" "" "b\r\n--x"|`
	refused := func(why string) string { return "invalid bad-request: cannot make the request of acme.send: " + why }
	for _, tt := range []struct {
		file value.Value
		want string
	}{
		{value.ObjectOf("file", `ä"b.csv`, "content", "sku\n007\n", "type", "text/csv"), fields + `"file" "ä%22b.csv" "text/csv" "sku\n007\n"|`},
		{value.ObjectOf("file", "a.bin", "base64", "AP8="), fields + `"file" "a.bin" "application/octet-stream" "\x00\xff"|`},
		{value.List{value.ObjectOf("file", "1", "content", ""), value.ObjectOf("file", "2", "content", "x")},
			fields + `"file" "1" "application/octet-stream" ""|"file" "2" "application/octet-stream" "x"|`},
		{value.ObjectOf("file", "a.bin", "base64", "no!"), refused("the file file is not in base64")},
		{value.ObjectOf("file", "a.bin"), refused("the field file is an object, and no file")},
		{value.ObjectOf("file", "a", "content", "x", "mime", "y"), refused("the file file has no mime")},
		{value.ObjectOf("file", int64(1), "content", "x"), refused("the file of the file file must be text, found integer")},
		{value.ObjectOf("file", "a", "content", "x", "type", "a\r\nX: y"), refused("the type of the file file holds a control character")},
		{value.List{value.List{}}, refused("the field file must be a text, number or boolean, found list")},
		{nil, refused("the field file is null")},
	} {
		res := ask(t, e, "send", "file", tt.file, "tags", value.List{"a", "b\r\n--x"})
		got := summary(res)
		if res.Outcome == flow.OK {
			got = strings.TrimSuffix(res.Outputs.At("said").(string), `"key" "" "" "•••"|`)
			got = strings.TrimSuffix(got, `"key" "" "" "k-12345678"|`)
		}
		if got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}
