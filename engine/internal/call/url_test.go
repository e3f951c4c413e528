package call

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/flow"
)

// Answers name jobs and files by their address.
const jobs = `
vendor: acme
version: 1
auth:
  inject: {headers: {X-Key: key-12345678}, query: {key: "q&1"}}
operations:
  status:
    effect: read
    inputs: {at: {type: string}}
    request: {method: GET, url: "${{ inputs.at }}", query: {fields: all}}
    response: {as: text, outputs: {said: "@this"}}
  download:
    effect: read
    auth: none
    inputs: {at: {type: string}}
    request: {method: GET, url: "${{ inputs.at }}"}
    response: {as: text, outputs: {said: "@this"}}
  cancel:
    effect: idempotent
    auth: none
    inputs: {at: {type: string}}
    request: {method: DELETE, url: "${{ inputs.at }}"}
    response: {as: text, outputs: {said: "@this"}}
`

func TestAddressThatAnAnswerGave(t *testing.T) {
	t.Parallel()
	say := func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.URL.RequestURI(), " ", r.Header.Get("X-Key"))
	}
	here, elsewhere := serve(t, say), serve(t, say)
	e := connect(t, vendorOf(t, jobs), here+"/api/v1", nil, Options{})
	host := strings.TrimPrefix(here, "http://")
	refused := func(op, at string) string {
		return "invalid bad-request: cannot make the request of acme." + op + ": the url is " + at
	}
	for _, tt := range []struct{ op, at, want string }{
		{"status", here + "/jobs/17?sig=a%2Fb&key=old#top", "/jobs/17?sig=a%2Fb&key=q%261&fields=all key-12345678"},
		{"status", "/jobs/17", "/jobs/17?key=q%261&fields=all key-12345678"},
		{"status", elsewhere + "/jobs/17", refused("status", elsewhere+"/jobs/17, which is not on "+here)},
		{"status", "//evil.example/jobs", refused("status", "http://evil.example/jobs, which is not on "+here)},
		{"status", "", refused("status", `"", which is no address`)},
		{"status", "http://a b/", refused("status", `"http://a b/", which is no address`)},
		{"download", elsewhere + "/files/17.csv?sig=a%2Fb", "/files/17.csv?sig=a%2Fb "},
		{"download", "/files/17.csv", "/files/17.csv "},
		{"download", "ftp://" + host + "/", refused("download", "ftp://"+host+"/, which is no web address like "+here)},
		{"download", "http://u:p@evil.example/", refused("download", "http://u:xxxxx@evil.example/, which is no web address like "+here)},
		{"cancel", "/jobs/17", "/jobs/17 "},
		{"cancel", elsewhere + "/jobs/17", refused("cancel", elsewhere+"/jobs/17, which is not on "+here)},
	} {
		res := ask(t, e, tt.op, "at", tt.at)
		got := summary(res)
		if res.Outcome == flow.OK {
			got = res.Outputs.At("said").(string)
		}
		if got != tt.want {
			t.Errorf("%s %q:\ngot  %s\nwant %s", tt.op, tt.at, got, tt.want)
		}
	}
}
