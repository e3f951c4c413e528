package authoring

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// JSON returns e as one JSON object, indented, with a line break at its end.
func (e *Explanation) JSON() []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(e); err != nil {
		panic(fmt.Sprintf("authoring: an explanation is no JSON: %v", err)) // it holds texts and valid JSON only
	}
	return buf.Bytes()
}

// WriteText writes e for people, as tables, without characters that would steer
// a terminal. The error is that of w.
func (e *Explanation) WriteText(w io.Writer) error {
	p := &printer{}
	where := "built in"
	if e.File != "" {
		where = fmt.Sprintf("%s:%d", e.File, e.Line)
	}
	fmt.Fprintf(&p.buf, "%s (%s, %s)\n", e.Name, e.Kind, where)
	for _, text := range []string{e.Title, e.Description} {
		if text != "" {
			fmt.Fprintln(&p.buf, text)
		}
	}
	p.table("", facts(e))
	p.table("config", valueRows(e.Config, ""))
	p.table("inputs", valueRows(e.Inputs, ""))
	p.table("outputs", valueRows(e.Outputs, ""))
	var rows [][]string
	for _, c := range e.Connections {
		rows = append(rows, []string{c.Name, "vendor " + c.Vendor})
	}
	p.table("connections", rows)
	rows = nil
	for _, o := range e.Operations {
		rows = append(rows, []string{o.Name, o.Effect, o.Request, "(" + strings.Join(o.Inputs, ", ") + ")", o.Title})
	}
	p.table("operations", rows)
	rows = nil
	for _, c := range e.Calls {
		rows = append(rows, []string{c.Step, c.Call, c.Effect, c.Repeated})
	}
	p.table("calls", rows)
	rows = nil
	for _, t := range e.Tests {
		rows = append(rows, []string{t.Name, fmt.Sprintf("%s:%d", t.File, t.Line)})
	}
	p.table("tests", rows)
	rows = nil
	for _, o := range e.Outcomes {
		when := o.When
		if o.Declared {
			when = "if " + when
		}
		rows = append(rows, []string{o.Outcome, when})
	}
	p.table("outcomes (the first that fits)", rows)
	rows = nil
	for _, c := range e.Consequences {
		rows = append(rows, []string{strings.Join(c.Outcomes, ", "), c.Then})
	}
	p.table("what follows", rows)
	p.buf.WriteString("\nexample\n")
	for line := range strings.Lines(e.Example) {
		p.buf.WriteString("  " + line)
	}
	_, err := w.Write(bytes.Map(harmless, p.buf.Bytes()))
	return err
}

// harmless replaces what would steer a terminal: files may hold it, as an escape in quotes.
func harmless(r rune) rune {
	if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
		return unicode.ReplacementChar
	}
	return r
}

// facts are what there is one of.
func facts(e *Explanation) [][]string {
	var rows [][]string
	for _, fact := range [][2]string{
		{"effect", effectWords[e.Effect]}, {"request", e.Request}, {"identity", e.Identity},
		{"paging", e.Paging}, {"rows", e.Rows}, {"auth", e.Auth}, {"timeout", e.Timeout}, {"limits", e.Limits},
	} {
		if fact[1] != "" {
			rows = append(rows, fact[:])
		}
	}
	return rows
}

var effectWords = map[string]string{
	"read":       "read: it changes nothing",
	"idempotent": "idempotent: doing it twice changes nothing more",
	"create":     "create: it must not happen twice",
}

// valueRows are the rows of a table of values and, indented, their members.
func valueRows(values []Value, indent string) [][]string {
	var rows [][]string
	for _, v := range values {
		rows = append(rows, []string{indent + v.Name, v.Type, remarks(v)})
		rows = append(rows, valueRows(v.Members, indent+"  ")...)
	}
	return rows
}

func remarks(v Value) string {
	var all []string
	if v.Required {
		all = append(all, "required")
	}
	if v.Default != nil {
		all = append(all, "default "+string(v.Default))
	}
	if v.File != "" {
		all = append(all, "file "+v.File)
	}
	if len(v.Enum) > 0 {
		words := make([]string, len(v.Enum))
		for i, one := range v.Enum {
			words[i] = string(one)
		}
		all = append(all, "one of "+strings.Join(words, " "))
	}
	if v.Description != "" {
		all = append(all, v.Description)
	}
	return strings.Join(all, "; ")
}

// span writes a time span as files do: 2m, not 2m0s.
func span(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// A printer writes tables.
type printer struct{ buf bytes.Buffer }

// table writes rows of cells in columns, below a title if there is one. No rows are no table.
func (p *printer) table(title string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	var aligned bytes.Buffer
	tw := tabwriter.NewWriter(&aligned, 0, 0, 3, ' ', 0)
	for _, row := range rows {
		for i, cell := range row {
			row[i] = strings.Join(strings.FieldsFunc(cell, func(r rune) bool { return r == '\n' || r == '\t' }), " ")
		}
		fmt.Fprintln(tw, strings.Join(row, "\t"))
	}
	tw.Flush() // into memory
	p.buf.WriteByte('\n')
	indent := ""
	if title != "" {
		p.buf.WriteString(title + "\n")
		indent = "  "
	}
	for line := range strings.Lines(aligned.String()) {
		p.buf.WriteString(indent + strings.TrimRight(line, " \n") + "\n")
	}
}
