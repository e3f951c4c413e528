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
	sent := &event.RequestSent{
		Key:       string(j.key),
		Operation: j.name(),
		Creates:   j.op.Effect == flow.Create,
		Attempt:   j.attempt,
		Method:    w.method,
		URL:       e.gate.Text(w.url.Redacted()),
	}
	if event.WantsDetails(j.events) {
		sent.Header, sent.Body = e.headers(w), e.excerpt(string(w.body))
	}
	j.events.Emit(sent)
}

// headers returns the request's headers as they may be shown.
func (e *Executor) headers(w *wire) map[string]string {
	shown := make(map[string]string, len(w.header))
	for name, values := range w.header {
		if w.hidden[name] || credentialHeader[name] {
			shown[name] = redact.Mask
			continue
		}
		shown[name] = e.gate.Text(strings.Join(values, ", "))
	}
	return shown
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
	received := &event.ResponseReceived{
		Key:       string(j.key),
		Operation: j.name(),
		Status:    a.status,
		Outcome:   string(res.Outcome),
		Took:      took,
	}
	switch {
	case !event.WantsDetails(j.events):
	case a.withheld() && (a.sealed || !a.looksLikeHTML()):
		received.Body = "(not shown: it may hold a secret)"
	default:
		received.Body = e.excerpt(a.head())
	}
	j.events.Emit(received)
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
