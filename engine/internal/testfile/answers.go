package testfile

import (
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/call"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// answersOf reads answers by operation, and holds them against the operations.
func (d *decoder) answersOf(n *source.Node) map[string]*Answers {
	all := map[string]*Answers{}
	if n == nil {
		return all
	}
	for _, pair := range n.Pairs {
		op, _ := d.operation(pair.Key)
		list := &Answers{Place: placeOf(pair.Key)}
		for _, item := range pair.Value.Items {
			a := d.answer(item)
			if op != nil && a.Lost == Nothing && item.Get("garbage") == nil && (!a.Truncate || item.Get("body") != nil) {
				d.keepsContract(op, a, pair.Key, item)
			}
			for range times(item) {
				list.List = append(list.List, a)
			}
		}
		all[pair.Key.Text] = list
	}
	return all
}

func times(n *source.Node) int {
	if t := n.Get("times"); t != nil {
		n, _ := strconv.Atoi(t.Text) // the grammar wants an integer
		return n
	}
	return 1
}

// answer reads one answer.
func (d *decoder) answer(n *source.Node) *Answer {
	a := &Answer{Place: placeOf(n), Status: http.StatusOK, Header: http.Header{}}
	for _, lost := range []Lost{Timeout, LoseAnswer, Unreachable} {
		if n.Get(string(lost)) != nil {
			a.Lost = lost
		}
	}
	if s := n.Get("status"); s != nil {
		a.Status, _ = strconv.Atoi(s.Text)
	}
	if t := n.Get("delay"); t != nil {
		var err error
		if a.Delay, err = time.ParseDuration(t.Text); err != nil {
			d.faults.Add(t.Errorf("wrong-value", "%q is not a duration", t.Text))
		}
	}
	a.Truncate = n.Get("truncate") != nil
	d.body(a, n)
	if headers := n.Get("headers"); headers != nil {
		for _, pair := range headers.Pairs {
			v, _ := d.value(pair.Value)
			text, err := value.Text(v)
			if err != nil {
				d.faults.Add(pair.Value.Errorf("wrong-type", "header %s: %v", pair.Key.Text, err))
			}
			a.Header.Set(pair.Key.Text, text)
		}
	}
	d.excluded(a, n)
	return a
}

// page is what a proxy answers that stands in the way.
const page = "<!DOCTYPE html><html><head><title>Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>\n"

// body reads what is answered, under the content type that goes with it.
func (d *decoder) body(a *Answer, n *source.Node) {
	text := func(part *source.Node) []byte {
		v, _ := d.value(part)
		said, err := value.Text(v)
		if err != nil {
			d.faults.Add(part.Errorf("wrong-type", "a text is wanted: %v", err))
		}
		return []byte(said)
	}
	switch {
	case n.Get("garbage") != nil:
		a.Body = []byte(page)
		a.Header.Set("Content-Type", "text/html; charset=utf-8")
	case n.Get("body") != nil:
		v, _ := d.value(n.Get("body"))
		a.Body = value.AppendJSON(nil, v)
		a.Header.Set("Content-Type", "application/json; charset=utf-8")
	case n.Get("text") != nil:
		a.Body = text(n.Get("text"))
		a.Header.Set("Content-Type", "text/plain; charset=utf-8")
	case n.Get("raw") != nil:
		a.Body = text(n.Get("raw"))
	}
	a.Header.Set("Content-Length", strconv.Itoa(len(a.Body)))
}

// excluded reports parts of an answer beside what comes in its place.
func (d *decoder) excluded(a *Answer, n *source.Node) {
	instead := string(a.Lost)
	parts := []string{"status", "headers", "body", "text", "raw", "garbage", "truncate", "delay"}
	switch {
	case instead != "":
	case n.Get("garbage") != nil:
		instead, parts = "garbage", []string{"body", "text", "raw"}
	default:
		return
	}
	for _, part := range parts {
		if key := n.Key(part); key != nil {
			d.faults.Add(key.Errorf("conflicting-keys", "%q and %q exclude each other: there is no such answer", instead, part))
		}
	}
}

// keepsContract reports an answer that the operation's vendor file does not allow: it would
// test what never happens.
func (d *decoder) keepsContract(op *catalog.Operation, a *Answer, key, n *source.Node) {
	connection, _ := cut(key.Text)
	config := d.test.Config[connection]
	if config == nil {
		return
	}
	at := n
	for _, part := range []string{"body", "text", "raw"} {
		if b := n.Get(part); b != nil {
			at = b
		}
	}
	for _, v := range (call.Canned{Status: a.Status, Header: a.Header, Body: a.Body}).Breaks(op, config) {
		place := at
		if n.Get("body") != nil {
			place, _ = at.Find(v.Pointer)
		}
		what := v.Message
		if v.Path != "" {
			what = v.Path + ": " + what
		}
		hint := "answer as the vendor does; where the vendor does answer so, the schema in its file is wrong"
		if m := missingMember.FindStringSubmatch(v.Message); m != nil {
			if misspelt := nearKey(place, m[1]); misspelt != nil {
				place, hint = misspelt, "did you mean "+m[1]+"?"
			}
		}
		d.faults.Add(place.Errorf("answer-breaks-contract", "%s does not answer so: %s", key.Text, what).WithHint(hint))
	}
}

var missingMember = regexp.MustCompile(`^missing member "(\w+)"$`)

// nearKey returns the key of a mapping that was meant to be another one; nil for none.
func nearKey(n *source.Node, name string) *source.Node {
	for _, pair := range n.Pairs {
		if diag.Nearest(pair.Key.Text, []string{name}) == name {
			return pair.Key
		}
	}
	return nil
}
