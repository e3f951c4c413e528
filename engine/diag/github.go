package diag

import (
	"bytes"
	"fmt"
	"io"
	"path"
	"strings"
)

// RenderGitHub prints every fault of l, sorted, as a workflow command of GitHub
// Actions, which shows it beside the line it is about. Files are relative to
// the repository's root when dir, which is put before their names, leads from there to where the
// names begin; "" and "." put nothing before them. l is not changed. The error is that of w.
func RenderGitHub(w io.Writer, l List, dir string) error {
	var buf bytes.Buffer
	for _, d := range sorted(l) {
		fmt.Fprintf(&buf, "::%s ", d.Severity)
		if d.File != nil {
			fmt.Fprintf(&buf, "file=%s,", commandProperty.Replace(path.Join(dir, d.File.Name)))
		}
		if d.Pos.IsValid() {
			fmt.Fprintf(&buf, "line=%d,col=%d,", d.Pos.Line, d.Pos.Col)
		}
		text := d.Message
		if d.Hint != "" {
			text += "\nhint: " + d.Hint
		}
		for _, p := range d.Related {
			text += "\n" + where(p.File, p.Pos) + p.Note
		}
		fmt.Fprintf(&buf, "title=%s::%s\n", commandProperty.Replace(d.Code), commandText.Replace(text))
	}
	_, err := w.Write(buf.Bytes())
	return err
}

// Workflow commands end with their line; commas and colons divide their properties.
var (
	commandText     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	commandProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)
