package call

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang/paths"
	"github.com/seed627bd532/runner/engine/internal/value"
)

const (
	defaultSpoolFrom  = 4 << 20
	defaultMaxSpooled = 1 << 30
	// largeList is the size from which a list in a spooled answer is handed out as
	// rows: less is not worth reading twice.
	largeList = 64 << 10
)

// streams reports whether a large answer may stay outside of memory. A create's
// result must be recorded, and what may hold secrets is looked through as a whole.
func (o *operation) streams() bool { return o.maySpool() && !o.sees.text }

// maySpool reports whether what is read may leave memory at all.
func (o *operation) maySpool() bool {
	return !slices.Contains([]string{"text", "xml", "none"}, o.Response.As) && o.Effect != flow.Create && o.Batch == nil &&
		len(o.secretOutputs) == 0 && len(o.Response.Secrets) == 0
}

// spooled reads an answer to its end whose beginning is in buf, and takes buf over.
// Its large lists stay in a file; where something has to look into them as a
// whole, the answer comes into memory after all, if it fits.
func (e *Executor) spooled(resp *http.Response, j *job, buf *bytes.Buffer) (*answer, *trouble) {
	whole := io.MultiReader(bytes.NewReader(buf.Bytes()), resp.Body)
	s, broken, err := newSpool(&utf8Reader{in: whole}, e.maxSpooled)
	t := &trouble{left: true, status: resp.StatusCode, header: resp.Header}
	switch {
	case err != nil:
		t.err, t.unkept = err, true
	case broken != nil:
		t.err, t.size = broken, s.size
	case s.size > e.maxSpooled:
		t.tooLarge = "the answer is larger than " + bytesText(e.maxSpooled)
	default:
		a, tooLarge, err := e.survey(resp, j.op, buf, s)
		if a != nil {
			return a, nil
		}
		t.err, t.tooLarge, t.unkept = err, tooLarge, err != nil
	}
	if s != nil {
		s.Close()
	}
	recycle(buf)
	return nil, t
}

// survey makes an answer of a spool. Without one, either the answer is too
// large, or the spool cannot be read back.
func (e *Executor) survey(resp *http.Response, op *operation, buf *bytes.Buffer, s *spool) (a *answer, tooLarge string, err error) {
	start := bytes.TrimPrefix(buf.Bytes(), byteOrderMark)
	mark := int64(buf.Len() - len(start))
	text := io.NewSectionReader(s, mark, s.size-mark)
	found, err := value.Survey(text, text.Size(), largeList, e.maxAnswer)
	if err == nil {
		a := &answer{
			status: resp.StatusCode, header: resp.Header, buf: buf, spool: s, start: start,
			body: found.Outline, json: true, decoded: true, value: found.Value,
		}
		if tooLarge = a.looksInside(op); tooLarge == "" {
			return a, "", nil
		}
	} else if errors.Is(err, value.ErrTooLarge) {
		tooLarge = "outside of lists, or in one element of a list, the answer"
	} else {
		tooLarge = "the answer, which is not JSON,"
	}
	if s.size > e.maxAnswer {
		return nil, tooLarge + " is larger than " + bytesText(e.maxAnswer), nil
	}
	buf.Reset()
	if _, err := buf.ReadFrom(io.NewSectionReader(s, 0, s.size)); err != nil {
		return nil, "", err
	}
	s.Close()
	return newAnswer(resp, buf, op.wantsValue()), "", nil
}

// looksInside names what of the operation looks into the rows of the answer in
// a way that needs all of them in memory; "" for nothing.
func (a *answer) looksInside(op *operation) string {
	within := value.RowsWithin(a.value)
	if len(within) == 0 {
		return "the answer"
	}
	if blind(op.Response.Message, within) {
		return fmt.Sprintf("the answer, into whose list the message path %s looks,", op.Response.Message.Text())
	}
	if p := op.Paging; p != nil && p.Next != nil && blind(p.Next.Path, within) {
		return fmt.Sprintf("the answer, into whose list the next path %s looks,", p.Next.Path.Text())
	}
	if d := op.Response.Data; d != nil {
		if blind(d, within) {
			return fmt.Sprintf("the answer, into whose list the data path %s looks,", d.Text())
		}
		if v, _, err := a.find(&op.Response); err == nil {
			within = value.RowsWithin(v)
		}
	}
	for _, m := range op.Response.Outputs {
		if m.InBody() && blind(m.Path(), within) {
			return fmt.Sprintf("the answer, into whose list the path %s of output %s looks,", m.Path().Text(), m.Name)
		}
	}
	return ""
}

// blind reports whether a path, which may be nil, cannot be followed where
// lists are rows, and may lead there.
func blind(p *paths.Path, rows [][]string) bool {
	if p == nil || p.IsWalk() {
		return false
	}
	if _, counts := p.Counts(); counts {
		return false
	}
	for _, names := range rows {
		if p.Touches(names) {
			return true
		}
	}
	return false
}

// find returns the data of a spooled answer, and its text with the large lists
// emptied; null where the path leads nowhere.
func (a *answer) find(r *catalog.Response) (v value.Value, outline []byte, err error) {
	if r.Data == nil {
		return a.value, a.body, nil
	}
	outline, found := r.Data.Raw(a.body)
	if !found {
		return nil, nullText, nil
	}
	v, _, err = look(r.Data, a.value, a.body)
	return v, outline, err
}

// look follows a path that is not blind through v, whose outline it is.
func look(p *paths.Path, v value.Value, outline []byte) (part value.Value, found bool, err error) {
	if p.IsWalk() {
		return p.Find(v)
	}
	if list, ok := p.Counts(); ok {
		part, _, err = list.Find(v)
		n, isList := value.Length(part)
		if !isList || err != nil {
			return nil, false, err
		}
		return int64(n), true, nil
	}
	return p.Get(outline)
}

// acceptLarge is accept for a spooled answer: all of its rows are held against
// the schema, one by one, before any is handed out.
func (e *Executor) acceptLarge(res *flow.Result, j *job, a *answer) {
	data, outline, err := a.find(&j.op.Response)
	if err != nil {
		e.contractBroken(res, j, a, err.Error())
		return
	}
	if violations := j.op.Response.Schema.Validate(data); len(violations) > 0 {
		e.contractBroken(res, j, a, violated(violations, a.withheld()))
		return
	}
	e.mapOutputs(res, j, a, func(m *paths.Mapping) (value.Value, error) {
		v, found, err := look(m.Path(), data, outline)
		if err != nil {
			return nil, fmt.Errorf("output %s: %w", m.Name, err)
		}
		return m.Take(v, found)
	})
}

// follow follows a path into the whole answer.
func (a *answer) follow(p *paths.Path) (v value.Value, found bool, err error) {
	if a.spool == nil {
		return p.Get(a.body)
	}
	return look(p, a.value, a.body)
}
