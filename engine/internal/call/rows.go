package call

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/paths"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// settleRows says of a batch that was a success as a whole what became of each
// row. A batch of which that cannot be known is none.
func (e *Executor) settleRows(res *flow.Result, j *job, vars expr.Vars, a *answer) {
	b := j.op.Batch
	switch {
	case b.Answers != nil:
		e.pairRows(res, j, vars, a)
	case b.Count != nil:
		e.countRows(res, j, a)
	default:
		res.Rows = allDone(j.rows)
	}
}

func allDone(rows []flow.RowRef) []flow.RowResult {
	done := make([]flow.RowResult, len(rows))
	for i, row := range rows {
		done[i] = flow.RowResult{Key: row.Key, Status: flow.Done}
	}
	return done
}

// countRows takes nothing for done unless everything was.
func (e *Executor) countRows(res *flow.Result, j *job, a *answer) {
	c := j.op.Batch.Count
	text := textAt(c.Path, a.body, a.json)
	done, of, found := counted(c, text)
	sent := len(j.rows)
	if found && done == sent && of == sent {
		res.Rows = allDone(j.rows)
		return
	}
	res.Outcome, res.Code, res.Outputs = flow.Unknown, flow.CodeNotCounted, nil
	res.Body = a.bodyFor(j.op)
	switch {
	case !found:
		res.Message = fmt.Sprintf("%d rows were sent, and the answer does not say how many were done", sent)
		text = e.words(j.op, a)
	case of != sent || done > of:
		res.Message = fmt.Sprintf("%d rows were sent, and the vendor says that %d of %d were done", sent, done, of)
	default:
		res.Code = flow.CodePartlyDone
		res.Message = fmt.Sprintf("%d of %d rows were done, and it is not known which", done, sent)
	}
	if said := e.said(j.op, a); said != "" {
		text = said
	}
	if text != "" {
		res.Message += ": " + text
	}
	res.Message = e.short(res.Message)
}

// counted reads a count; found is false where the text has none.
func counted(c *catalog.RowCount, text string) (done, of int, found bool) {
	m := c.Match.FindStringSubmatch(text)
	if m == nil {
		return 0, 0, false
	}
	done, err := strconv.Atoi(m[1])
	if err != nil {
		return 0, 0, false
	}
	of, err = strconv.Atoi(m[2])
	return done, of, err == nil
}

// textAt returns the text or number at path, "" where there is none. p may be nil.
func textAt(p *paths.Path, data []byte, isJSON bool) string {
	if p == nil || !isJSON {
		return ""
	}
	v, _, err := p.Get(data)
	if err != nil {
		return ""
	}
	text, err := value.Text(v)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(text)
}

// pairRows finds the part of the answer that is about each row. A row that is
// not answered has failed; an answer in which rows cannot be told from each
// other breaks its contract.
func (e *Executor) pairRows(res *flow.Result, j *job, vars expr.Vars, a *answer) {
	parts, problem := rowParts(j.op.Batch.Answers, a)
	if problem == "" && j.op.Batch.Answers.Match == nil && len(parts) != len(j.rows) {
		problem = fmt.Sprintf("%d rows were sent, and %d are answered", len(j.rows), len(parts))
	}
	if problem != "" {
		e.contractBroken(res, j, a, problem)
		return
	}
	p := pairing{Executor: e, identity: j.op.Identity, a: j.op.Batch.Answers, vars: a.vars(j.op, vars), parts: parts}
	p.index()
	rows := make([]flow.RowResult, len(j.rows))
	for i, row := range j.rows {
		var err error
		if rows[i], err = p.row(i, row.Key); err != nil {
			e.contractBroken(res, j, a, fmt.Sprintf("row %s: %v", row.Key, err))
			return
		}
	}
	res.Rows = rows
}

// rowParts returns the parts of the answer that are about rows.
func rowParts(r *catalog.RowAnswers, a *answer) (parts value.List, problem string) {
	if !a.json {
		return nil, "the rows are not answered, it is not JSON"
	}
	v, found, err := r.Path.Get(a.body)
	switch parts, ok := v.(value.List); {
	case err != nil:
		return nil, err.Error()
	case ok:
		return parts, ""
	case !found:
		return nil, fmt.Sprintf("the rows are not answered, path %s finds nothing", r.Path.Text())
	}
	return nil, fmt.Sprintf("path %s: expected a list of the rows' answers, found %s", r.Path.Text(), value.KindOf(v))
}

// pairing holds the parts of an answer against the rows.
type pairing struct {
	*Executor
	a     *catalog.RowAnswers
	vars  expr.Vars
	parts value.List
	// identity names rows; nil where parts come in order.
	identity *expr.Expr
	byKey    map[string][]int // the parts of each key; nil where parts come in order
}

func (p *pairing) index() {
	if p.a.Match == nil {
		return
	}
	p.byKey = make(map[string][]int, len(p.parts))
	for i, part := range p.parts {
		if key := textAt(p.a.Match, value.AppendJSON(nil, part), true); key != "" {
			key, _ = p.identity.Type().Canonical(key).(string)
			p.byKey[key] = append(p.byKey[key], i)
		}
	}
}

// row says what became of row i. One that is answered several times was done
// when all answers say so. The error is that of a condition that makes no sense
// of the answer, which must not pass for a no.
func (p *pairing) row(i int, key string) (flow.RowResult, error) {
	res := flow.RowResult{Key: key, Status: flow.Done}
	about := []int{i}
	if p.byKey != nil {
		about = p.byKey[strings.TrimSpace(key)]
	}
	if len(about) == 0 {
		res.Status, res.Message = flow.Failed, "the vendor's answer does not mention the row"
		return res, nil
	}
	for _, at := range about {
		part := p.parts[at]
		ok := true
		if p.a.OK != nil {
			var err error
			if ok, err = p.a.OK.Bool(catalog.RowAnswerVars(p.vars, part)); err != nil {
				return res, err
			}
		}
		if !ok {
			res.Status, res.Message = flow.Failed, p.words(part)
			return res, nil
		}
	}
	return res, nil
}

// words returns what the vendor says of a row that was refused.
func (p *pairing) words(part value.Value) string {
	raw := value.AppendJSON(nil, part)
	text := textAt(p.a.Message, raw, true)
	if text == "" {
		text = string(raw)
	}
	return p.short(text)
}
