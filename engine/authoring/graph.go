package authoring

import (
	"fmt"
	"io/fs"
	"strings"
	"unicode"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/source"
)

// Graph returns the pipeline at a path of the project fsys as a flowchart in
// Mermaid's language. Calls show their effect by shape and colour: reads
// are round, idempotent calls square, creates have double sides. What repeats, groups and called pipelines
// are boxes around their steps; a pipeline that is called twice is drawn once.
// The error is a diag.List of what is wrong with the files.
func Graph(fsys fs.FS, path string) (string, error) {
	p, err := loadPipeline(fsys, path)
	if err != nil {
		return "", err
	}
	d := &drawing{drawn: map[*pipeline.Pipeline]bool{p: true}}
	d.indent = "  "
	d.b.WriteString("flowchart TD\n")
	from := d.shape("([", p.Name, "])", "")
	ends := d.pipeline(p, []end{{node: from}})
	names := make([]string, len(p.Outputs))
	for i, out := range p.Outputs {
		names[i] = out.Name
	}
	done := "done"
	if len(names) > 0 {
		done = "outputs: " + strings.Join(names, ", ")
	}
	if len(ends) > 0 {
		d.join(ends, d.shape("([", done, "])", ""))
	}
	d.b.WriteString(styles)
	return d.b.String(), nil
}

const styles = `  classDef read fill:#e3f2fd,stroke:#1565c0,color:#000
  classDef idempotent fill:#fff8e1,stroke:#f9a825,color:#000
  classDef create fill:#ffebee,stroke:#c62828,stroke-width:3px,color:#000
  classDef fail fill:#eeeeee,stroke:#616161,color:#000
`

// A drawing is a flowchart that is being drawn.
type drawing struct {
	b      strings.Builder
	indent string
	nodes  int // so far, boxes too
	drawn  map[*pipeline.Pipeline]bool
	texts  map[diag.Pos]string // the scalars of the pipeline that is being drawn
}

// An end is where the flow goes on: a node, and what the arrow from it says.
type end struct{ node, label string }

// longest is how much of an expression or a message a node shows.
const longest = 90

// escape makes text harmless inside of the quotes of a label: all that Mermaid
// or HTML could take for something else becomes an entity.
func escape(text string) string {
	text = diag.Shorten(strings.Join(strings.Fields(text), " "), longest)
	var b strings.Builder
	for _, r := range text {
		switch {
		case strings.ContainsRune("\"#&<>`%;\\", r):
			fmt.Fprintf(&b, "#%d;", r)
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			b.WriteRune(unicode.ReplacementChar)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func (d *drawing) line(format string, args ...any) {
	d.b.WriteString(d.indent)
	fmt.Fprintf(&d.b, format, args...)
	d.b.WriteByte('\n')
}

func (d *drawing) next() string {
	d.nodes++
	return fmt.Sprintf("n%d", d.nodes)
}

// shape draws a node and returns its name. The lines of text are escaped one by one.
func (d *drawing) shape(open, text, closed, class string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = escape(lines[i])
	}
	name := d.next()
	if class != "" {
		closed += ":::" + class
	}
	d.line("%s%s\"%s\"%s", name, open, strings.Join(lines, "<br/>"), closed)
	return name
}

// join draws arrows from all ends to a node.
func (d *drawing) join(ends []end, to string) {
	for _, e := range ends {
		if e.label == "" {
			d.line("%s --> %s", e.node, to)
		} else {
			d.line("%s -->|\"%s\"| %s", e.node, escape(e.label), to)
		}
	}
}

// box draws a box around what draw draws.
func (d *drawing) box(title string, draw func() []end) []end {
	d.line("subgraph %s[\"%s\"]", d.next(), escape(title))
	outer := d.indent
	d.indent += "  "
	ends := draw()
	d.indent = outer
	d.line("end")
	return ends
}

// pipeline draws the steps of p.
func (d *drawing) pipeline(p *pipeline.Pipeline, from []end) []end {
	outer := d.texts
	defer func() { d.texts = outer }()
	d.texts = map[diag.Pos]string{}
	collectTexts(reread(p.File), d.texts)
	return d.steps(p.Steps, from)
}

// collectTexts notes the scalars of n by their places.
func collectTexts(n *source.Node, texts map[diag.Pos]string) {
	if n.Kind == source.Scalar {
		texts[n.Pos] = n.Text
	}
	for _, item := range n.Items {
		collectTexts(item, texts)
	}
	for _, pair := range n.Pairs {
		collectTexts(pair.Value, texts)
	}
}

func (d *drawing) steps(steps []*pipeline.Step, from []end) []end {
	for _, s := range steps {
		from = d.step(s, from)
	}
	return from
}

// step draws a step behind the ends from, and returns where the flow goes on.
func (d *drawing) step(s *pipeline.Step, from []end) []end {
	var passed []end
	if s.If != nil {
		question := d.question(s.If, from)
		from, passed = []end{{question, "yes"}}, []end{{question, "no"}}
	}
	draw := func() []end { return d.action(s, from) }
	if f := s.Foreach; f != nil {
		return append(d.box(foreachTitle(s, f), draw), passed...)
	}
	return append(draw(), passed...)
}

// question draws a condition.
func (d *drawing) question(condition *expr.Expr, from []end) string {
	name := d.shape("{", condition.Text(), "}", "")
	d.join(from, name)
	return name
}

func foreachTitle(s *pipeline.Step, f *pipeline.Foreach) string {
	title := fmt.Sprintf("%s: for each %s of %s", s.ID, f.As, f.Over.Text())
	if f.Batch > 0 {
		title += fmt.Sprintf(", %d at once in a batch", f.Batch)
	}
	if f.Parallel > 1 {
		title += fmt.Sprintf(", %d in parallel", f.Parallel)
	}
	if s.OnError == pipeline.Collect {
		title += ", failed ones are collected"
	}
	if f.Key != nil {
		title += ", by " + f.Key.Text()
	}
	return title
}

func (d *drawing) action(s *pipeline.Step, from []end) []end {
	switch a := s.Action.(type) {
	case *pipeline.Call:
		return d.call(s, a, from)
	case *pipeline.Set:
		var names []string
		for _, m := range a.Values.Members() {
			names = append(names, m.Name)
		}
		return d.node(from, "[/", title(s, "set "+strings.Join(names, ", ")), "/]", "")
	case *pipeline.Fail:
		ends := d.node(from, "{{", title(s, "fail: "+d.texts[a.Message.Place().Pos]), "}}", "fail")
		if s.OnError == pipeline.Continue || len(s.Handlers) > 0 {
			return ends
		}
		return nil
	case *pipeline.Group:
		if s.Foreach != nil {
			return d.steps(a.Steps, from) // the box is there
		}
		return d.box(title(s, "a group"), func() []end { return d.steps(a.Steps, from) })
	case *pipeline.Switch:
		return d.box(title(s, "the first that is true"), func() []end { return d.branches(a, from) })
	}
	return from
}

// node draws a node behind the ends from.
func (d *drawing) node(from []end, open, text, closed, class string) []end {
	name := d.shape(open, text, closed, class)
	d.join(from, name)
	return []end{{node: name}}
}

// title puts a step's id before what it does, and what it does about failures behind.
func title(s *pipeline.Step, what string) string {
	if s.ID != "" && s.Foreach == nil {
		what = s.ID + ": " + what
	}
	switch {
	case len(s.Handlers) > 0:
		what += "\non error: handled"
	case s.OnError == pipeline.Continue:
		what += "\non error: continue"
	}
	return what
}

// branches draws the conditions of a switch below each other, each beside what it leads to.
func (d *drawing) branches(a *pipeline.Switch, from []end) []end {
	var ends []end
	for _, b := range a.Branches {
		if b.If == nil {
			return append(ends, d.steps(b.Steps, from)...)
		}
		question := d.question(b.If, from)
		ends = append(ends, d.steps(b.Steps, []end{{question, "yes"}})...)
		from = []end{{question, "no"}}
	}
	return append(ends, from...)
}

// shapes are the sides of the nodes of calls, by effect.
var shapes = map[string][2]string{"read": {"(", ")"}, "idempotent": {"[", "]"}, "create": {"[[", "]]"}}

func (d *drawing) call(s *pipeline.Step, c *pipeline.Call, from []end) []end {
	if c.Operation != nil {
		effect := string(c.Operation.Effect)
		text := title(s, c.Name()) + "\n" + effect
		if s.Until != nil {
			text += "\nuntil " + s.Until.Done.Text() + "\nevery " + span(s.Until.Every)
		}
		if s.Undo != nil {
			text += "\nundo: " + s.Undo.Name()
		}
		return d.node(from, shapes[effect][0], text, shapes[effect][1], effect)
	}
	if d.drawn[c.Pipeline] {
		return d.node(from, "[", title(s, c.Name())+"\nas drawn elsewhere", "]", "")
	}
	d.drawn[c.Pipeline] = true
	return d.box(title(s, c.Name()), func() []end { return d.pipeline(c.Pipeline, from) })
}
