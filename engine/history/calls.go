package history

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/seed627bd532/runner/engine/state"
)

// Details are a run and what it did.
type Details struct {
	Run
	// Calls are the calls that are on record, in the order of their answers. The inner ones of a
	// row that is done are dropped, except its creates.
	Calls []Call
	// Rows are the rows of foreach steps that are done.
	Rows []Row
	// Created are the creates that the run has done, in place of a batch its rows.
	Created []Call
	// Open are the creates of which it is not known whether they took place.
	Open []Call
}

// A Call is one attempt of a call, as far as it is on record.
type Call struct {
	Key string
	// Status says how far a create got; "" for other calls.
	Status state.Status
	// Identity is what a create must not make twice, as a JSON list of connection, operation and the
	// identity itself; "" for none.
	Identity string
	// Outcome, HTTPStatus, Message and Outputs are those of the answer; zero while there is none.
	Outcome    string
	HTTPStatus int
	Message    string
	Outputs    json.RawMessage
	// Request is method and URL, secrets masked; "" where nothing was sent.
	Request string
	// Inputs are those of a write, without the secret ones and masked, and Digest is theirs. Inputs
	// are nil, and Digest is "", where that is not recorded: of reads, and, except for the digest, where they are large.
	Inputs json.RawMessage
	Digest string
	// Reused says that nothing was sent, since the run did this before.
	Reused bool
	// Sent is when the request was sent, or was about to be; Recorded is when its answer, or while there is none its
	// intent, was recorded.
	Sent     time.Time
	Recorded time.Time
}

// Took returns how long the call took; 0 where that is not known.
func (c Call) Took() time.Duration {
	if c.Sent.IsZero() || c.Recorded.Before(c.Sent) {
		return 0
	}
	return c.Recorded.Sub(c.Sent)
}

// A Row is a row of a foreach that is done.
type Row struct {
	Key      string
	Outputs  json.RawMessage
	Recorded time.Time
}

// Show returns all that is known of the run with this id, or else with this key.
func Show(ctx context.Context, s state.Store, id string) (*Details, error) {
	record, err := Find(ctx, s, id)
	if err != nil {
		return nil, err
	}
	run, err := describe(ctx, s, record)
	if err != nil {
		return nil, err
	}
	entries, err := s.Entries(ctx, record.ID)
	if err != nil {
		return nil, err
	}
	d := &Details{Run: run}
	for _, e := range entries {
		if err := d.add(maskedEntry(e)); err != nil {
			return nil, err
		}
	}
	d.Created, d.Open = d.creates(state.Done), d.creates(state.Intended)
	return d, nil
}

func (d *Details) add(e state.Entry) error {
	switch e.Kind {
	case state.Item:
		row := Row{Key: e.Key, Recorded: e.At}
		var payload struct {
			Outputs json.RawMessage `json:"outputs"`
		}
		if err := decode(e, &payload); err != nil {
			return err
		}
		row.Outputs = payload.Outputs
		d.Rows = append(d.Rows, row)
	case state.Call:
		c, err := callOf(e)
		if err != nil {
			return err
		}
		d.Calls = append(d.Calls, c)
	}
	return nil
}

// creates returns the creates that got as far as status, one by one: in place of a batch its rows.
func (d *Details) creates(status state.Status) []Call {
	var found []Call
	batches := map[string]bool{}
	for _, c := range d.Calls {
		if i := strings.LastIndex(c.Key, "/rows["); i >= 0 {
			batches[c.Key[:i]] = true
		}
	}
	for _, c := range d.Calls {
		if c.Status == status && !c.Reused && !batches[c.Key] {
			found = append(found, c)
		}
	}
	return found
}

func callOf(e state.Entry) (Call, error) {
	c := Call{Key: e.Key, Status: e.Status, Identity: e.Identity, Recorded: e.At}
	var payload struct {
		Outcome  string          `json:"outcome"`
		Status   int             `json:"status"`
		Message  string          `json:"message"`
		Outputs  json.RawMessage `json:"outputs"`
		Endpoint string          `json:"endpoint"`
		Reused   bool            `json:"reused"`
		At       time.Time       `json:"at"`
		Asked    struct {
			Inputs json.RawMessage `json:"inputs"`
			Digest string          `json:"digest"`
		} `json:"asked"`
	}
	if err := decode(e, &payload); err != nil {
		return c, err
	}
	c.Outcome, c.HTTPStatus, c.Message, c.Outputs = payload.Outcome, payload.Status, payload.Message, payload.Outputs
	c.Request, c.Reused, c.Sent = payload.Endpoint, payload.Reused, payload.At
	c.Inputs, c.Digest = payload.Asked.Inputs, payload.Asked.Digest
	return c, nil
}

// decode reads the payload of e, if there is one.
func decode(e state.Entry, into any) error {
	if e.Payload == nil {
		return nil
	}
	if err := json.Unmarshal(e.Payload, into); err != nil {
		return fmt.Errorf("the record of %s is broken: %w", e.Key, err)
	}
	return nil
}
