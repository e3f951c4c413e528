package diag

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
)

// spot is a place as the formats for machines have it. What is not known is left out.
type spot struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

func spotOf(f *File, p Pos) spot {
	if f == nil {
		return spot{}
	}
	return spot{File: f.Name, Line: p.Line, Column: p.Col}
}

// RenderJSON prints every fault of l, sorted, as one JSON object on a line of
// its own, with the members file, line, column (from 1, in runes), severity, code,
// message, hint and related (a list of objects with file, line, column and
// note). Members that say nothing are left out. l is not changed. The error is that of w.
func RenderJSON(w io.Writer, l List) error {
	type related struct {
		spot
		Note string `json:"note,omitempty"`
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	for _, d := range sorted(l) {
		fault := struct {
			spot
			Severity string    `json:"severity"`
			Code     string    `json:"code"`
			Message  string    `json:"message"`
			Hint     string    `json:"hint,omitempty"`
			Related  []related `json:"related,omitempty"`
		}{spot: spotOf(d.File, d.Pos), Severity: d.Severity.String(), Code: d.Code, Message: d.Message, Hint: d.Hint}
		for _, p := range d.Related {
			fault.Related = append(fault.Related, related{spotOf(p.File, p.Pos), p.Note})
		}
		if err := enc.Encode(fault); err != nil {
			return err
		}
	}
	_, err := w.Write(buf.Bytes())
	return err
}

func sorted(l List) List {
	l = slices.Clone(l)
	l.Sort()
	return l
}
