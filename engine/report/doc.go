// Package report turns the events of a run into what people and programs read:
// progress on a terminal, JSON Lines, and the result as text or as one JSON
// object. Each is an event.Sink; event.Fan feeds several at once.
//
//	summary := &report.Summary{}
//	console := report.NewConsole(os.Stderr, report.ConsoleOptions{})
//	sink := event.Fan(console, summary)
//	// … run with sink …
//	os.Stdout.Write(summary.JSON())
//
// The sinks trust that events were masked before. They are not safe for
// concurrent use, which no event.Sink needs to be.
package report
