package local

import (
	"bytes"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// scratch is where payloads are put together, before each is kept in its own size.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

// keepScratch bounds the memory that is kept.
const keepScratch = 1 << 20

// encode returns what write appends.
func encode(write func(dst []byte) []byte) []byte {
	buf := scratch.Get().(*[]byte)
	defer scratch.Put(buf)
	text := write((*buf)[:0])
	if cap(text) <= keepScratch {
		*buf = text
	}
	return bytes.Clone(text)
}

// encodeResult writes a result as JSON, and after its members what more appends; more may be nil.
// Fatal results are never recorded.
func encodeResult(r flow.Result, more func(dst []byte) []byte) []byte {
	return encode(func(dst []byte) []byte {
		dst = appendResult(append(dst, '{'), r)
		if more != nil {
			dst = more(dst)
		}
		return append(dst, '}')
	})
}

// appendResult appends the members of a result.
func appendResult(dst []byte, r flow.Result) []byte {
	dst = appendText(dst, `"outcome":`, string(r.Outcome))
	dst = strconv.AppendInt(append(dst, `,"status":`...), int64(r.Status), 10)
	dst = appendText(dst, `,"message":`, r.Message)
	dst = appendText(dst, `,"hint":`, r.Hint)
	dst = appendText(dst, `,"code":`, r.Code)
	dst = value.AppendJSON(append(dst, `,"outputs":`...), object(r.Outputs))
	dst = value.AppendJSON(append(dst, `,"body":`...), r.Body)
	dst = strconv.AppendBool(append(dst, `,"sent":`...), r.Sent)
	dst = appendText(dst, `,"retry_after":`, r.RetryAfter.String())
	dst = strconv.AppendBool(append(dst, `,"reused":`...), r.Reused)
	dst = strconv.AppendBool(append(dst, `,"reconciled":`...), r.Reconciled)
	dst = strconv.AppendBool(append(dst, `,"resent":`...), r.Resent)
	dst = strconv.AppendBool(append(dst, `,"exhausted":`...), r.Exhausted)
	dst = r.At.UTC().AppendFormat(append(dst, `,"at":"`...), time.RFC3339Nano)
	dst = appendText(dst, `","endpoint":`, r.Endpoint)
	dst = value.AppendJSON(append(dst, `,"rows":`...), encodeRows(r.Rows))
	dst = value.AppendJSON(append(dst, `,"apart":`...), encodeRows(r.Apart))
	return strconv.AppendBool(append(dst, `,"down":`...), r.Down)
}

// appendText appends the lead and text as a JSON string.
func appendText(dst []byte, lead, text string) []byte {
	return value.AppendText(append(dst, lead...), text)
}

// decodeResult reads what encodeResult wrote.
func decodeResult(payload []byte) (flow.Result, error) {
	var r flow.Result
	o, err := decodeObject(payload)
	if err != nil {
		return r, err
	}
	f := fields{o: o}
	r = flow.Result{
		Outcome:    flow.Outcome(f.text("outcome")),
		Status:     int(get[int64](&f, "status")),
		Message:    f.text("message"),
		Hint:       f.text("hint"),
		Code:       f.text("code"),
		Outputs:    f.object("outputs"),
		Body:       o.At("body"),
		Sent:       get[bool](&f, "sent"),
		RetryAfter: f.duration("retry_after"),
		Reused:     get[bool](&f, "reused"),
		Reconciled: get[bool](&f, "reconciled"),
		Resent:     get[bool](&f, "resent"),
		Exhausted:  get[bool](&f, "exhausted"),
		At:         f.time("at"),
		Endpoint:   f.text("endpoint"),
		Rows:       f.rows("rows"),
		Apart:      f.rows("apart"),
		Down:       get[bool](&f, "down"),
	}
	return r, f.err
}

// encodeRows returns null for nil: a batch without rows is another thing.
func encodeRows(rows []flow.RowResult) value.Value {
	if rows == nil {
		return nil
	}
	list := make(value.List, len(rows))
	for i, row := range rows {
		list[i] = value.ObjectOf("key", row.Key, "status", string(row.Status), "message", row.Message)
		if row.Reused {
			list[i].(*value.Object).Set("reused", true)
		}
	}
	return list
}

// encodeItem writes what there is to a row that is done.
func encodeItem(it flow.Item) []byte {
	return encode(func(dst []byte) []byte { return appendItem(dst, it) })
}

func appendItem(dst []byte, it flow.Item) []byte {
	dst = value.AppendJSON(append(dst, `{"outputs":`...), object(it.Outputs))
	dst = strconv.AppendInt(append(dst, `,"failed":`...), int64(it.Tally.Failed), 10)
	dst = strconv.AppendInt(append(dst, `,"ambiguous":`...), int64(it.Tally.Ambiguous), 10)
	dst = append(dst, `,"undo":[`...)
	for i, u := range it.Undo {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendText(dst, `{"key":`, string(u.Key))
		dst = appendText(dst, `,"connection":`, u.Connection)
		dst = appendText(dst, `,"operation":`, u.Operation)
		dst = value.AppendJSON(append(dst, `,"inputs":`...), object(u.Inputs))
		dst = append(appendText(dst, `,"create":`, string(u.Create)), '}')
	}
	dst = value.AppendJSON(append(dst, `],"rows":`...), encodeRows(it.Rows))
	return append(dst, '}')
}

// decodeItem reads what encodeItem wrote.
func decodeItem(payload []byte) (flow.Item, error) {
	o, err := decodeObject(payload)
	if err != nil {
		return flow.Item{}, err
	}
	f := fields{o: o}
	it := flow.Item{
		Status:  flow.Done,
		Outputs: f.object("outputs"),
		Rows:    f.rows("rows"),
		Tally:   flow.Tally{Failed: int(get[int64](&f, "failed")), Ambiguous: int(get[int64](&f, "ambiguous"))},
	}
	for _, v := range get[value.List](&f, "undo") {
		u, _ := v.(*value.Object)
		call := fields{o: u}
		it.Undo = append(it.Undo, flow.Undo{
			Key:        flow.Key(call.text("key")),
			Connection: call.text("connection"),
			Operation:  call.text("operation"),
			Inputs:     call.object("inputs"),
			Create:     flow.Key(call.text("create")),
		})
		if f.err == nil {
			f.err = call.err
		}
	}
	return it, f.err
}

func encodeTime(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// decodeTime reads a payload that holds nothing but a time.
func decodeTime(payload []byte) (time.Time, error) {
	v, err := value.Decode(payload)
	if err != nil {
		return time.Time{}, fmt.Errorf("the journal holds a broken record: %w", err)
	}
	f := fields{o: value.ObjectOf("time", v)}
	return f.time("time"), f.err
}

func decodeObject(payload []byte) (*value.Object, error) {
	v, err := value.Decode(payload)
	if err != nil {
		return nil, fmt.Errorf("the journal holds a broken record: %w", err)
	}
	o, ok := v.(*value.Object)
	if !ok {
		return nil, fmt.Errorf("the journal holds a broken record: %s in place of an object", value.KindOf(v))
	}
	return o, nil
}

// object makes the nil object a null.
func object(o *value.Object) value.Value {
	if o == nil {
		return nil
	}
	return o
}

// fields reads members of known types and keeps the first fault.
type fields struct {
	o   *value.Object
	err error
}

func (f *fields) fail(name, problem string) {
	if f.err == nil {
		f.err = fmt.Errorf("the journal holds a broken record: %s %s", name, problem)
	}
}

// get returns the member called name, which must be a T.
func get[T any](f *fields, name string) T {
	v, ok := f.o.At(name).(T)
	if !ok {
		f.fail(name, "is "+value.KindOf(f.o.At(name)))
	}
	return v
}

func (f *fields) text(name string) string { return get[string](f, name) }

// object returns the member as an object, nil when it is null.
func (f *fields) object(name string) *value.Object {
	if f.o.At(name) == nil {
		return nil
	}
	return get[*value.Object](f, name)
}

// rows returns the member as rows, nil when it is null.
func (f *fields) rows(name string) []flow.RowResult {
	if f.o.At(name) == nil {
		return nil
	}
	list := get[value.List](f, name)
	rows := make([]flow.RowResult, len(list))
	for i, v := range list {
		o, ok := v.(*value.Object)
		if !ok {
			f.fail(name, "holds "+value.KindOf(v))
			return nil
		}
		row := fields{o: o}
		rows[i] = flow.RowResult{Key: row.text("key"), Status: flow.ItemStatus(row.text("status")), Message: row.text("message"),
			Reused: o.At("reused") == true}
		if f.err == nil {
			f.err = row.err
		}
	}
	return rows
}

func (f *fields) time(name string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, f.text(name))
	if err != nil {
		f.fail(name, "is not a time")
	}
	return t
}

func (f *fields) duration(name string) time.Duration {
	d, err := time.ParseDuration(f.text(name))
	if err != nil {
		f.fail(name, "is not a duration")
	}
	return d
}
