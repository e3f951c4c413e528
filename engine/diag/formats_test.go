package diag_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/seed627bd532/runner/engine/diag"
)

func several() diag.List {
	spec := &diag.File{Name: "specs/a b%,c:d.yaml", Text: []byte("vendor: \"x\"\n")}
	return diag.List{
		{File: spec, Pos: diag.Pos{Line: 2, Col: 3}, Severity: diag.Warning, Code: "yes-no", Message: "yes is a text", Hint: "write <true>"},
		{File: spec, Pos: diag.Pos{Line: 1, Col: 9}, Code: "unknown-key", Message: "100% \"wrong\"\r\nhere",
			Related: []diag.Place{{File: spec, Pos: diag.Pos{Line: 7, Col: 1}, Note: "declared here"}, {Note: "and nowhere"}}},
		{File: spec, Code: "empty-file", Message: "the file is empty"},
		{Code: "usage", Message: "no such flag"},
	}
}

func TestRenderJSONPrintsALineForEachFault(t *testing.T) {
	t.Parallel()
	var buf bytes.Buffer
	if err := diag.RenderJSON(&buf, several()); err != nil {
		t.Fatal(err)
	}
	want := `{"severity":"error","code":"usage","message":"no such flag"}
{"file":"specs/a b%,c:d.yaml","severity":"error","code":"empty-file","message":"the file is empty"}
{"file":"specs/a b%,c:d.yaml","line":1,"column":9,"severity":"error","code":"unknown-key","message":"100% \"wrong\"\r\nhere","related":[{"file":"specs/a b%,c:d.yaml","line":7,"column":1,"note":"declared here"},{"note":"and nowhere"}]}
{"file":"specs/a b%,c:d.yaml","line":2,"column":3,"severity":"warning","code":"yes-no","message":"yes is a text","hint":"write <true>"}
`
	if buf.String() != want {
		t.Errorf("got\n%s\nwant\n%s", buf.String(), want)
	}
}

func TestRenderGitHubPrintsCommands(t *testing.T) {
	t.Parallel()
	var buf bytes.Buffer
	if err := diag.RenderGitHub(&buf, several(), "sub"); err != nil {
		t.Fatal(err)
	}
	want := `::error title=usage::no such flag
::error file=sub/specs/a b%25%2Cc%3Ad.yaml,title=empty-file::the file is empty
::error file=sub/specs/a b%25%2Cc%3Ad.yaml,line=1,col=9,title=unknown-key::100%25 "wrong"%0D%0Ahere%0Aspecs/a b%25,c:d.yaml:7:1: declared here%0Aand nowhere
::warning file=sub/specs/a b%25%2Cc%3Ad.yaml,line=2,col=3,title=yes-no::yes is a text%0Ahint: write <true>
`
	if buf.String() != want {
		t.Errorf("got\n%s\nwant\n%s", buf.String(), want)
	}
}

func TestRenderSARIFPrintsALog(t *testing.T) {
	t.Parallel()
	var buf bytes.Buffer
	if err := diag.RenderSARIF(&buf, several()[1:2], "", "v1.2.3"); err != nil {
		t.Fatal(err)
	}
	want := `{
  "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
  "version": "2.1.0",
  "runs": [
    {
      "tool": {
        "driver": {
          "name": "runner",
          "version": "v1.2.3",
          "rules": [
            {
              "id": "unknown-key",
              "helpUri": "https://github.com/seed627bd532/runner/blob/main/docs/diagnostics.md#unknown-key"
            }
          ]
        }
      },
      "columnKind": "unicodeCodePoints",
      "results": [
        {
          "ruleId": "unknown-key",
          "ruleIndex": 0,
          "level": "error",
          "message": {
            "text": "100% \"wrong\"\r\nhere"
          },
          "locations": [
            {
              "physicalLocation": {
                "artifactLocation": {
                  "uri": "specs/a%20b%25,c:d.yaml",
                  "uriBaseId": "%SRCROOT%"
                },
                "region": {
                  "startLine": 1,
                  "startColumn": 9
                }
              }
            }
          ],
          "relatedLocations": [
            {
              "id": 1,
              "physicalLocation": {
                "artifactLocation": {
                  "uri": "specs/a%20b%25,c:d.yaml",
                  "uriBaseId": "%SRCROOT%"
                },
                "region": {
                  "startLine": 7,
                  "startColumn": 1
                }
              },
              "message": {
                "text": "declared here"
              }
            }
          ]
        }
      ]
    }
  ]
}
`
	if buf.String() != want {
		t.Errorf("got\n%s\nwant\n%s", buf.String(), want)
	}
	// Faults without a file have no location; the rules are the codes, in order.
	buf.Reset()
	if err := diag.RenderSARIF(&buf, several(), "", ""); err != nil {
		t.Fatal(err)
	}
	var log struct {
		Runs []struct {
			Tool struct {
				Driver struct{ Rules []struct{ ID string } }
			}
			Results []struct {
				RuleID    string
				RuleIndex int
				Level     string
				Locations []any
			}
		}
	}
	if err := json.Unmarshal(buf.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	for i, want := range []struct {
		code, level string
		locations   int
	}{{"usage", "error", 0}, {"empty-file", "error", 1}, {"unknown-key", "error", 1}, {"yes-no", "warning", 1}} {
		got := run.Results[i]
		if got.RuleID != want.code || got.Level != want.level || len(got.Locations) != want.locations || run.Tool.Driver.Rules[got.RuleIndex].ID != want.code {
			t.Errorf("result %d is %+v, want %+v", i, got, want)
		}
	}
}

func TestFormatsPrintNoFaultsAsNone(t *testing.T) {
	t.Parallel()
	var buf bytes.Buffer
	if err := errors.Join(diag.RenderJSON(&buf, nil), diag.RenderGitHub(&buf, nil, "")); err != nil || buf.Len() > 0 {
		t.Errorf("got %q, %v", buf.String(), err)
	}
	if err := diag.RenderSARIF(&buf, nil, "", ""); err != nil || !bytes.Contains(buf.Bytes(), []byte(`"results": []`)) || !bytes.Contains(buf.Bytes(), []byte(`"rules": []`)) {
		t.Errorf("got %s, %v", buf.String(), err)
	}
}
