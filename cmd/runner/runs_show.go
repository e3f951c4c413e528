package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/history"
	"github.com/seed627bd532/runner/engine/report"
	"github.com/seed627bd532/runner/engine/state"
)

func (c *cli) runsShow(ctx context.Context, m *memory, f *runsFlags, id string) error {
	run, err := history.Show(ctx, m, id)
	if err != nil {
		return unreadable(err)
	}
	root, err := c.projectRoot("")
	if err != nil {
		return err
	}
	sandbox, err := history.Sandboxed(ctx, m)
	if err != nil {
		return unreadable(err)
	}
	goOn := c.goOn(run.ID, root, &runFlags{envFlags: f.envFlags, sandbox: sandbox})
	if f.output == "json" {
		return c.printJSON(jsonOfDetails(run, goOn))
	}
	return c.print(textOfDetails(run, goOn))
}

// runJSON is a run in the output of the commands about runs.
type runJSON struct {
	Run      string  `json:"run"`
	Key      *string `json:"key"`
	Pipeline string  `json:"pipeline"`
	Status   string  `json:"status"`
	Began    string  `json:"began"`
	Ended    *string `json:"ended"`
}

func jsonOfRun(r history.Run) runJSON {
	j := runJSON{Run: r.ID, Pipeline: r.Pipeline, Status: r.Status, Began: stamp(r.Began)}
	if r.Key != "" {
		j.Key = &r.Key
	}
	if !r.Ended.IsZero() {
		ended := stamp(r.Ended)
		j.Ended = &ended
	}
	return j
}

type detailsJSON struct {
	runJSON
	Inputs  map[string]history.Input `json:"inputs"`
	Files   map[string]string        `json:"files"`
	Outputs json.RawMessage          `json:"outputs"`
	Error   *event.Failure           `json:"error"`
	Calls   []callJSON               `json:"calls"`
	Rows    []rowJSON                `json:"rows"`
	Created []createdJSON            `json:"created"`
	Open    []openJSON               `json:"open"`
}

type callJSON struct {
	Key      string          `json:"key"`
	Create   string          `json:"create,omitempty"` // how far a create got
	Outcome  string          `json:"outcome"`
	Status   int             `json:"status"`
	Message  string          `json:"message"`
	Request  string          `json:"request"`
	Sent     *string         `json:"sent"`
	Recorded string          `json:"recorded"`
	TookMS   float64         `json:"took_ms"`
	Reused   bool            `json:"reused"`
	Inputs   json.RawMessage `json:"inputs"`
	Digest   string          `json:"digest"`
	Outputs  json.RawMessage `json:"outputs"`
}

type rowJSON struct {
	Key      string          `json:"key"`
	Recorded string          `json:"recorded"`
	Outputs  json.RawMessage `json:"outputs"`
}

type createdJSON struct {
	Key      string          `json:"key"`
	Identity string          `json:"identity"`
	Inputs   json.RawMessage `json:"inputs"`
	Digest   string          `json:"digest"`
	Outputs  json.RawMessage `json:"outputs"`
}

type openJSON struct {
	Key      string          `json:"key"`
	Identity string          `json:"identity"`
	Request  string          `json:"request"`
	Inputs   json.RawMessage `json:"inputs"`
	Digest   string          `json:"digest"`
	Since    string          `json:"since"`
	Message  string          `json:"message"`
	Settle   []string        `json:"settle"`
}

func jsonOfDetails(d *history.Details, goOn string) detailsJSON {
	j := detailsJSON{
		runJSON: jsonOfRun(d.Run),
		Inputs:  d.Inputs, Files: d.Files, Outputs: d.Outputs, Error: d.Error,
		Calls: []callJSON{}, Rows: []rowJSON{}, Created: []createdJSON{}, Open: []openJSON{},
	}
	for _, call := range d.Calls {
		j.Calls = append(j.Calls, jsonOfCall(call))
	}
	for _, call := range d.Created {
		j.Created = append(j.Created, createdJSON{call.Key, identityText(call.Identity), call.Inputs, call.Digest, call.Outputs})
	}
	for _, row := range d.Rows {
		j.Rows = append(j.Rows, rowJSON{row.Key, stamp(row.Recorded), row.Outputs})
	}
	for _, call := range d.Open {
		j.Open = append(j.Open, openJSON{
			Key: call.Key, Identity: identityText(call.Identity), Request: call.Request, Inputs: call.Inputs, Digest: call.Digest,
			Since: stamp(call.Recorded), Message: call.Message, Settle: settling(call, goOn),
		})
	}
	return j
}

func jsonOfCall(call history.Call) callJSON {
	j := callJSON{
		Key: call.Key, Create: string(call.Status), Outcome: call.Outcome, Status: call.HTTPStatus, Message: call.Message,
		Request: call.Request, Recorded: stamp(call.Recorded), TookMS: float64(call.Took().Microseconds()) / 1000,
		Reused: call.Reused, Inputs: call.Inputs, Digest: call.Digest, Outputs: call.Outputs,
	}
	if !call.Sent.IsZero() {
		sent := stamp(call.Sent)
		j.Sent = &sent
	}
	return j
}

// settling are the commands that settle an open create.
func settling(call history.Call, goOn string) []string {
	return []string{goOn + " --settle " + diag.ShellWord(call.Key+"=done:{…}"), goOn + " --settle " + diag.ShellWord(call.Key+"=absent")}
}

func textOfDetails(d *history.Details, goOn string) string {
	var b strings.Builder
	head := [][]string{{"run", d.ID}, {"pipeline", d.Pipeline}}
	if d.Key != "" {
		head = append(head, []string{"key", d.Key})
	}
	head = append(head, []string{"status", d.Status}, []string{"began", stamp(d.Began)})
	if !d.Ended.IsZero() {
		head = append(head, []string{"ended", stamp(d.Ended)})
	}
	b.WriteString(aligned("", head))
	if inputs := inputLines(d.Inputs); len(inputs) > 0 {
		b.WriteString("inputs\n" + aligned("  ", inputs))
	}
	b.WriteString("files\n")
	for _, name := range slices.Sorted(maps.Keys(d.Files)) {
		fmt.Fprintf(&b, "  %s\n", report.Plain(name))
	}
	if len(d.Calls) > 0 {
		lines := [][]string{{"KEY", "OUTCOME", "RECORDED", "TOOK", "REQUEST"}}
		for _, call := range d.Calls {
			lines = append(lines, []string{call.Key, outcomeOf(call), stamp(call.Recorded), tookCall(call), call.Request})
		}
		b.WriteString("calls\n" + aligned("  ", lines))
	}
	if len(d.Rows) > 0 {
		lines := [][]string{{"KEY", "RECORDED", "OUTPUTS"}}
		for _, row := range d.Rows {
			lines = append(lines, []string{row.Key, stamp(row.Recorded), compact(row.Outputs)})
		}
		b.WriteString("rows that are done\n" + aligned("  ", lines))
	}
	b.WriteString(createdText(d))
	b.WriteString(endText(d, goOn))
	return b.String()
}

func createdText(d *history.Details) string {
	var lines [][]string
	for _, call := range d.Created {
		lines = append(lines, []string{call.Key, identityText(call.Identity), compact(call.Outputs), compact(call.Inputs)})
	}
	if lines == nil {
		return ""
	}
	return "created\n" + aligned("  ", append([][]string{{"KEY", "WHAT", "OUTPUTS", "INPUTS"}}, lines...))
}

// endText tells what the run came to, and how it goes on.
func endText(d *history.Details, goOn string) string {
	var b strings.Builder
	if len(d.Outputs) > 0 && string(d.Outputs) != "{}" {
		fmt.Fprintf(&b, "outputs\n  %s\n", report.Plain(compact(d.Outputs)))
	}
	if d.Error != nil {
		fmt.Fprintf(&b, "error\n  %s\n", report.Plain(errorText(d.Error)))
		if d.Error.Hint != "" {
			fmt.Fprintf(&b, "  hint: %s\n", report.Plain(d.Error.Hint))
		}
	}
	if len(d.Open) > 0 {
		b.WriteString("open, since nobody knows whether they were done\n")
		for _, call := range d.Open {
			fmt.Fprintf(&b, "  %s (%s), sent at %s\n", report.Plain(call.Key), report.Plain(identityText(call.Identity)), stamp(call.Recorded))
			if len(call.Inputs) > 0 {
				fmt.Fprintf(&b, "    with %s\n", report.Plain(compact(call.Inputs)))
			}
			for _, command := range settling(call, goOn) {
				fmt.Fprintf(&b, "    %s\n", report.Plain(command))
			}
		}
	}
	switch d.Status {
	case "succeeded", "partial", history.Running:
	default:
		fmt.Fprintf(&b, "go on\n  %s\n", goOn)
	}
	return b.String()
}

// errorText tells what ended a run: the step, the call and its outcome, and why.
func errorText(f *event.Failure) string {
	var parts []string
	at := f.Operation
	if f.Step != "" {
		at = strings.TrimSuffix("step "+f.Step+", "+f.Operation, ", ")
	}
	for _, part := range []string{at, f.Outcome, f.Message} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ": ")
}

func outcomeOf(call history.Call) string {
	switch {
	case call.Status == state.Intended:
		return "open"
	case call.Reused:
		return "reused"
	case call.Outcome == "" && call.Status == state.Done: // a row, whose batch has the answer
		return "done"
	case call.Outcome == "":
		return "not done"
	}
	return call.Outcome
}

func tookCall(call history.Call) string {
	if call.Sent.IsZero() {
		return ""
	}
	return call.Took().Round(time.Millisecond).String()
}

// identityText is an identity as people know it.
func identityText(identity string) string {
	var parts []any
	if err := json.Unmarshal([]byte(identity), &parts); err != nil || len(parts) != 3 {
		return identity
	}
	text := fmt.Sprint(parts[2])
	if plain, err := strconv.Unquote(text); err == nil {
		text = plain
	}
	return fmt.Sprintf("%v.%v %s", parts[0], parts[1], text)
}

// inputLines tells of each input how it was given.
func inputLines(inputs map[string]history.Input) [][]string {
	var lines [][]string
	for _, name := range slices.Sorted(maps.Keys(inputs)) {
		text := ""
		switch in := inputs[name]; {
		case in.Secret:
			text = "secret, not recorded"
		case in.Rows:
			text = "rows, not recorded"
		case in.File != "":
			text = "@" + in.File
		default:
			text = compact(in.Value)
		}
		lines = append(lines, []string{name, text})
	}
	return lines
}

// maxShown is how many runes of a JSON text are shown in a line.
const maxShown = 200

func compact(text json.RawMessage) string {
	var b bytes.Buffer
	if json.Compact(&b, text) != nil {
		return ""
	}
	return diag.Shorten(b.String(), maxShown)
}

// stamp writes a time as RFC 3339 does, to the second.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func took(r history.Run) string {
	if r.Ended.IsZero() {
		return ""
	}
	return r.Ended.Sub(r.Began).Round(time.Millisecond).String()
}

// aligned writes a table.
func aligned(indent string, lines [][]string) string {
	width := make([]int, len(lines[0]))
	for _, line := range lines {
		for i := range line {
			line[i] = report.Plain(line[i])
			width[i] = max(width[i], utf8.RuneCountInString(line[i]))
		}
	}
	var b strings.Builder
	for _, line := range lines {
		var text strings.Builder
		for i, cell := range line {
			fmt.Fprintf(&text, "%-*s  ", width[i], cell)
		}
		fmt.Fprintln(&b, strings.TrimRight(indent+text.String(), " "))
	}
	return b.String()
}
