package call

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/seed627bd532/runner/engine/diag"
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
		sent.Header, sent.Body = e.headers(w.header, w.hidden), e.excerpt(string(w.body))
	}
	j.events.Emit(sent)
}

// headers returns the headers of a request as they may be shown: of those that carry credentials, be it by
// their name or by what hidden says, only the name.
func (e *Executor) headers(header http.Header, hidden map[string]bool) map[string]string {
	shown := make(map[string]string, len(header))
	for name, values := range header {
		if hidden[name] {
			values = []string{redact.Mask}
		}
		shown[name] = strings.Join(values, ", ")
	}
	return e.gate.Header(shown)
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
	return diag.Shorten(e.masked(body), maxShown)
}
