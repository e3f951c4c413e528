package report

import "github.com/seed627bd532/runner/engine/event"

// Summary folds a run into its result. The zero value is ready for the events
// of one run.
type Summary struct {
	run      string // "" before a run exists
	pipeline string
	status   string // "" until the run ended
	outputs  []byte
	failure  *event.Failure
}

var (
	_ event.Sink     = (*Summary)(nil)
	_ event.Detailed = (*Summary)(nil)
)

// Details is false: a result holds neither requests nor answers.
func (s *Summary) Details() bool { return false }

// Invalid returns the summary of a run that never began because its files or
// inputs are wrong.
func Invalid(pipeline string, f event.Failure) *Summary {
	return &Summary{pipeline: pipeline, status: "invalid", failure: &f}
}

// Interrupted returns the summary of a run that was stopped before it began.
func Interrupted(pipeline string, f event.Failure) *Summary {
	return &Summary{pipeline: pipeline, status: "interrupted", failure: &f}
}

// Emit takes in what the result needs.
func (s *Summary) Emit(e event.Event) {
	switch e := e.(type) {
	case *event.RunStarted:
		s.run, s.pipeline = e.Run, e.Pipeline
	case *event.RunFinished:
		s.run, s.pipeline, s.status = e.Run, e.Pipeline, e.Status
		s.outputs = append([]byte(nil), e.Outputs...)
		if e.Error != nil {
			failure := *e.Error
			s.failure = &failure
		}
	}
}

// Run returns the run's id, "" when no run came to be.
func (s *Summary) Run() string { return s.run }

// Status returns how the run ended: "succeeded", "failed", "partial",
// "ambiguous", "invalid" or "interrupted". A run that was cut off before it
// could say so was interrupted.
func (s *Summary) Status() string {
	return wordOr(s.status, "interrupted")
}

// JSON returns the result as one JSON object on a line:
//
//	{"run":"r1","pipeline":"ensure_company","status":"succeeded","outputs":{…},"error":null}
//
// run is null when no run came to be, error is null or has the members of
// event.Failure. Outputs stand as the engine wrote them, numbers digit by digit.
func (s *Summary) JSON() []byte {
	var run any
	if s.run != "" {
		run = s.run
	}
	return append(encode([]member{
		{"run", run},
		{"pipeline", s.pipeline},
		{"status", s.Status()},
		{"outputs", outputs(s.outputs)},
		{"error", s.failure},
	}), '\n')
}
