package diag

import (
	"encoding/json"
	"io"
	"net/url"
	"path"
	"slices"
)

// The parts of SARIF 2.1.0 that are written.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID   string `json:"id"`
		Help string `json:"helpUri"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations,omitempty"`
		Related   []sarifLocation `json:"relatedLocations,omitempty"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifLocation struct {
		ID       int           `json:"id,omitempty"`
		Physical sarifPhysical `json:"physicalLocation"`
		Message  *sarifText    `json:"message,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI  string `json:"uri"`
		Base string `json:"uriBaseId"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
	}
)

// pages explains every code, under a heading of that name.
const pages = "https://github.com/seed627bd532/runner/blob/main/docs/diagnostics.md"

// RenderSARIF prints the faults of l, sorted, as one log of SARIF 2.1.0, whose
// rules are the codes, each with the address of its page. version is that of this program, or "". Files are relative to the repository's root
// when dir leads from there to where their names begin; "" and "." put nothing before
// them. l is not changed. The error is that of w.
func RenderSARIF(w io.Writer, l List, dir, version string) error {
	l = sorted(l)
	run := sarifRun{
		Tool:       sarifTool{sarifDriver{Name: "runner", Version: version, Rules: []sarifRule{}}},
		ColumnKind: "unicodeCodePoints",
		Results:    []sarifResult{},
	}
	var codes []string
	for _, d := range l {
		codes = append(codes, d.Code)
	}
	slices.Sort(codes)
	codes = slices.Compact(codes)
	for _, code := range codes {
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{code, pages + "#" + code})
	}
	for _, d := range l {
		text := d.Message
		if d.Hint != "" {
			text += " (hint: " + d.Hint + ")"
		}
		rule, _ := slices.BinarySearch(codes, d.Code)
		result := sarifResult{RuleID: d.Code, RuleIndex: rule, Level: d.Severity.String(), Message: sarifText{text}}
		if d.File != nil {
			result.Locations = []sarifLocation{{Physical: physical(d.File, d.Pos, dir)}}
		}
		for _, p := range d.Related {
			if p.File != nil {
				result.Related = append(result.Related, sarifLocation{ID: len(result.Related) + 1,
					Physical: physical(p.File, p.Pos, dir), Message: &sarifText{p.Note}})
			}
		}
		run.Results = append(run.Results, result)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}})
}

func physical(f *File, p Pos, dir string) sarifPhysical {
	at := sarifPhysical{Artifact: sarifArtifact{URI: (&url.URL{Path: path.Join(dir, f.Name)}).String(), Base: "%SRCROOT%"}}
	if p.IsValid() {
		at.Region = &sarifRegion{p.Line, p.Col}
	}
	return at
}
