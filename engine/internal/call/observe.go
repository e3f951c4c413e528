package call

import (
	"fmt"
	"strings"
	"time"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/redact"
)

// tellSent tells of a request that is about to be sent.
func (e *Executor) tellSent(j *job, w *wire) {
	if j.events == nil {
		return
	}
	header := make(map[string]string, len(w.header))
	for name, values := range w.header {
		if w.hidden[name] || credentialHeader[name] {
			header[name] = redact.Mask
			continue
		}
		header[name] = e.gate.Text(strings.Join(values, ", "))
	}
	j.events.Emit(&event.RequestSent{
		Key:       string(j.key),
		Operation: j.name(),
		Attempt:   j.attempt,
		Method:    w.method,
		URL:       e.gate.Text(w.url.Redacted()),
		Header:    header,
		Body:      e.excerpt(string(w.body)),
	})
}

// credentialHeader are headers whose values are never shown, wherever they came from.
var credentialHeader = map[string]bool{
	"Authorization":       true,
	"Cookie":              true,
	"Proxy-Authorization": true,
}

// tellReceived tells of an answer.
func (e *Executor) tellReceived(j *job, a *answer, res flow.Result, took time.Duration) {
	if j.events == nil {
		return
	}
	body := "(not shown: it may hold a secret)"
	if !a.withheld() || a.looksLikeHTML() && !a.sealed {
		body = e.excerpt(a.head())
	}
	j.events.Emit(&event.ResponseReceived{
		Key:       string(j.key),
		Operation: j.name(),
		Status:    a.status,
		Outcome:   string(res.Outcome),
		Body:      body,
		Took:      took,
	})
}

// tellUnanswered tells of what came in the place of an answer.
func (e *Executor) tellUnanswered(j *job, t *trouble, res flow.Result, took time.Duration) {
	if j.events == nil {
		return
	}
	message := res.Message
	if message == "" {
		message = e.short(fmt.Sprint(t.err))
	}
	j.events.Emit(&event.ResponseReceived{
		Key:       string(j.key),
		Operation: j.name(),
		Status:    t.status,
		Outcome:   string(res.Outcome),
		Error:     message,
		Took:      took,
	})
}

// excerpt returns the beginning of a body, masked first and shortened then.
func (e *Executor) excerpt(body string) string {
	text := e.masked(body)
	if len(text) <= maxShown {
		return text
	}
	return strings.ToValidUTF8(text[:maxShown], "") + "…"
}
