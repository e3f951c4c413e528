package report

import (
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/event"
)

// maxFailedRows is how many failed rows of one foreach the console names,
// unless it is verbose; the totals count them all.
const maxFailedRows = 20

// maxSeen is how many runes of what a waiting step saw the console shows,
// unless it is verbose. A look that saw what the one before it saw is not shown.
const maxSeen = 100

// ConsoleOptions say how much the console shows.
type ConsoleOptions struct {
	// Verbose adds every row, the steps within rows, requests and answers.
	Verbose bool
	// Quiet leaves only warnings and the error that a run ends with; it
	// overrules Verbose.
	Quiet bool
}

// Console shows a run on a terminal, one line for each thing that
// matters. Whatever happens inside the rows of a foreach is summed up, so that
// thousands of rows stay readable. Make one with NewConsole.
type Console struct {
	writer
	verbose bool
	quiet   bool
	loops   map[string]*rowCount // of foreach steps that are under way, by key
	seen    map[string]string    // what the steps that wait saw last, by key
}

var (
	_ event.Sink     = (*Console)(nil)
	_ event.Detailed = (*Console)(nil)
)

// NewConsole returns a console that writes to w.
func NewConsole(w io.Writer, o ConsoleOptions) *Console {
	return &Console{
		writer:  writer{w: w},
		verbose: o.Verbose && !o.Quiet,
		quiet:   o.Quiet,
		loops:   map[string]*rowCount{},
		seen:    map[string]string{},
	}
}

// Details reports whether the console shows headers and bodies.
func (c *Console) Details() bool { return c.verbose }

// Emit shows e, if it is worth it.
func (c *Console) Emit(e event.Event) {
	switch e := e.(type) {
	case *event.RunStarted:
		resumed := ""
		if e.Resumed {
			resumed = ", resumed"
		}
		c.say("%s: run %s%s", oneLine(e.Pipeline), e.Run, resumed)
	case *event.StepStarted:
		if c.verbose && e.Operation != "" {
			c.say("  %s: %s started", oneLine(e.Key), e.Operation)
		}
	case *event.StepFinished:
		c.stepFinished(e)
	case *event.RequestSent:
		c.requestSent(e)
	case *event.ResponseReceived:
		c.responseReceived(e)
	case *event.RetryScheduled:
		c.retryScheduled(e)
	case *event.PollScheduled:
		c.pollScheduled(e)
	case *event.RowFinished:
		c.rowFinished(e)
	case *event.Note:
		c.note(e)
	case *event.RunFinished:
		c.runFinished(e)
	}
}

// say writes a line unless the console is quiet.
func (c *Console) say(format string, args ...any) {
	if !c.quiet {
		c.printf(format+"\n", args...)
	}
}

func (c *Console) stepFinished(e *event.StepFinished) {
	rows, isLoop := c.loops[e.Key]
	delete(c.loops, e.Key)
	delete(c.seen, e.Key)
	if (inRow(e.Key) || e.Replayed && !isLoop && e.Error == "") && !c.verbose {
		return
	}
	what := ""
	switch {
	case e.Skipped:
		what = "skipped"
	case e.Error != "":
		what = failedWord(e.Outcome) + ": " + oneLine(e.Error)
	case e.Replayed:
		what = join(", ", e.Outcome, "done before")
	case !isLoop:
		what = wordOr(e.Outcome, "done")
	}
	if isLoop {
		what = join("; ", rows.String(), what)
	}
	took := ""
	if !e.Skipped && !e.Replayed {
		took = "(" + duration(e.Took) + ")"
	}
	c.say("  %s: %s", oneLine(e.Key), join(" ", e.Operation, what, took))
}

func (c *Console) retryScheduled(e *event.RetryScheduled) {
	if inRow(e.Key) {
		c.loop(outermost(e.Key)).retries++
		if !c.verbose {
			return
		}
	}
	c.say("  %s: %s attempt %d of %d: %s, again in %s", oneLine(e.Key), e.Operation, e.Attempt, e.Of,
		join(": ", e.Outcome, oneLine(e.Message)), duration(e.Wait))
}

func (c *Console) pollScheduled(e *event.PollScheduled) {
	seen := oneLine(e.Seen)
	if !c.verbose {
		before, looked := c.seen[e.Key]
		c.seen[e.Key] = seen
		if inRow(e.Key) || looked && seen == before {
			return
		}
		seen = diag.Shorten(seen, maxSeen)
	}
	c.say("  %s: %s look %d: %s, again in %s", oneLine(e.Key), e.Operation, e.Look, seen, duration(e.Wait))
}

func (c *Console) rowFinished(e *event.RowFinished) {
	if e.Replayed && e.Status == "done" {
		c.loop(e.Key).before++
		if c.verbose {
			c.say("  %s[%s]: done before", oneLine(e.Key), oneLine(e.Row))
		}
		return
	}
	c.loop(e.Key).add(e.Status)
	bad := e.Status == "failed" || e.Status == "ambiguous"
	if !bad && !c.verbose {
		return
	}
	top := c.loop(outermost(e.Key))
	if bad && !c.verbose {
		if top.named++; top.named > maxFailedRows {
			if top.named == maxFailedRows+1 {
				c.say("  %s: further failed rows are only counted", oneLine(outermost(e.Key)))
			}
			return
		}
	}
	c.say("  %s[%s]: %s", oneLine(e.Key), oneLine(e.Row), join(": ", e.Status, oneLine(e.Error)))
}

func (c *Console) note(e *event.Note) {
	if e.Warning {
		c.printf("warning: %s\n", oneLine(e.Text))
		return
	}
	c.say("%s", oneLine(e.Text))
}

func (c *Console) runFinished(e *event.RunFinished) {
	c.say("%s: %s after %s", oneLine(e.Pipeline), e.Status, duration(e.Took))
	if e.Error == nil {
		return
	}
	place := ""
	if e.Error.Step != "" {
		place = "step " + oneLine(e.Error.Step)
	}
	c.printf("error: %s\n", join(": ", join(", ", place, e.Error.Operation), e.Error.Outcome, oneLine(e.Error.Message)))
	if e.Error.Hint != "" {
		c.printf("  hint: %s\n", oneLine(e.Error.Hint))
	}
}

func (c *Console) requestSent(e *event.RequestSent) {
	if !c.verbose {
		return
	}
	c.say("  %s: > %s %s", oneLine(e.Key), e.Method, oneLine(e.URL))
	for _, name := range slices.Sorted(maps.Keys(e.Header)) {
		c.say("    %s: %s", oneLine(name), oneLine(e.Header[name]))
	}
	c.body(e.Body)
}

func (c *Console) responseReceived(e *event.ResponseReceived) {
	if !c.verbose {
		return
	}
	status := ""
	if e.Status != 0 {
		status = strconv.Itoa(e.Status)
	}
	c.say("  %s: < %s", oneLine(e.Key),
		join(" ", status, join(": ", e.Outcome, oneLine(e.Error)), "("+duration(e.Took)+")"))
	c.body(e.Body)
}

// body shows a text below a request or an answer.
func (c *Console) body(text string) {
	for line := range strings.Lines(printable(text)) {
		c.say("    | %s", strings.TrimRight(line, "\n "))
	}
}

// loop returns the count of the foreach step called key.
func (c *Console) loop(key string) *rowCount {
	if c.loops[key] == nil {
		c.loops[key] = &rowCount{}
	}
	return c.loops[key]
}

// inRow reports whether key stands inside a row of a foreach.
func inRow(key string) bool { return strings.Contains(key, "[") }

// outermost returns the foreach step around key that is in no row itself.
func outermost(key string) string {
	step, _, _ := strings.Cut(key, "[")
	return step
}

// failedWord names a failure by its outcome, unless the call went well and
// something failed after it.
func failedWord(outcome string) string {
	if outcome == "ok" || outcome == "empty" {
		return "failed"
	}
	return wordOr(outcome, "failed")
}

// wordOr returns s, or word when s is empty.
func wordOr(s, word string) string {
	if s == "" {
		return word
	}
	return s
}

// join joins the parts that are not empty.
func join(sep string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), sep)
}
