package sandbox

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Stats are what a sandbox has counted since it began or was reset. They are a copy.
type Stats struct {
	// Calls is how often each operation was asked for, calls struck by faults included.
	Calls map[string]int `json:"calls"`
	// Creates is how often each identity was made: operation → identity → times.
	// Only work that was done counts, whether its answer arrived or not.
	Creates map[string]map[string]int `json:"creates"`
	// Overlaps is how many requests began while another of the same token was
	// under way: token → times.
	Overlaps map[string]int `json:"overlaps"`
	// Concurrency is the highest number of requests that were under way at once.
	Concurrency int `json:"concurrency"`
	// Total is the number of all requests; Requests are the last of them, oldest first.
	Total    int       `json:"total"`
	Requests []Request `json:"requests"`
	// Errors tell of rules that could not be evaluated; each was answered with 500.
	Errors []string `json:"errors"`
}

// A Request is one entry of the log.
type Request struct {
	Number    int    `json:"number"`
	Method    string `json:"method"`
	Path      string `json:"path"` // with the query
	Operation string `json:"operation"`
	// Headers have names in lower case; of several values the first.
	Headers map[string]string `json:"headers"`
	// Body is shortened to 64 KiB.
	Body string `json:"body"`
	// Status is what the vendor answered; 0 where the answer was lost.
	Status int `json:"status"`
	// Fault names the faults that struck.
	Fault string `json:"fault,omitempty"`
}

// Stats returns what was counted so far.
func (s *Sandbox) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.count
	stats := Stats{
		Calls:       maps.Clone(c.calls),
		Creates:     make(map[string]map[string]int, len(c.creates)),
		Overlaps:    maps.Clone(c.overlaps),
		Concurrency: c.highest,
		Total:       c.total,
		Requests:    make([]Request, 0, len(c.log)),
		Errors:      slices.Clone(c.errors),
	}
	for operation, made := range c.creates {
		stats.Creates[operation] = maps.Clone(made)
	}
	for i := range c.log {
		stats.Requests = append(stats.Requests, *c.log[(c.total+i)%len(c.log)])
	}
	return stats
}

// counts is the running tally, guarded by its sandbox.
type counts struct {
	calls    map[string]int
	creates  map[string]map[string]int
	overlaps map[string]int
	underway map[string]int // by token
	now      int
	highest  int
	total    int
	log      []*Request // a ring once it is full
	logSize  int
	errors   []string
}

const (
	loggedBody = 64 << 10
	maxErrors  = 100
)

func newCounts(logSize int) *counts {
	return &counts{
		calls:    map[string]int{},
		creates:  map[string]map[string]int{},
		overlaps: map[string]int{},
		underway: map[string]int{},
		logSize:  logSize,
		errors:   []string{},
	}
}

// request logs a request that has just arrived.
func (c *counts) request(r *http.Request, body string) *Request {
	if len(body) > loggedBody {
		body = strings.ToValidUTF8(body[:loggedBody], "")
	}
	headers := make(map[string]string, len(r.Header))
	for name, values := range r.Header {
		if len(values) > 0 {
			headers[strings.ToLower(name)] = values[0]
		}
	}
	entry := &Request{
		Number: c.total + 1, Method: r.Method, Path: r.URL.RequestURI(),
		Headers: headers, Body: body,
	}
	if len(c.log) < c.logSize {
		c.log = append(c.log, entry)
	} else {
		c.log[c.total%c.logSize] = entry
	}
	c.total++
	c.now++
	c.highest = max(c.highest, c.now)
	return entry
}

// begin counts an overlap where a request of the token is under way.
func (c *counts) begin(token string) {
	if token == "" {
		return
	}
	if c.underway[token] > 0 {
		c.overlaps[token]++
	}
	c.underway[token]++
}

// end is the opposite of request and begin.
func (c *counts) end(token string) {
	c.now--
	if token == "" {
		return
	}
	if c.underway[token]--; c.underway[token] == 0 {
		delete(c.underway, token)
	}
}

func (c *counts) create(operation, identity string) {
	if c.creates[operation] == nil {
		c.creates[operation] = map[string]int{}
	}
	c.creates[operation][identity]++
}

func (c *counts) fail(message string) {
	if len(c.errors) < maxErrors {
		c.errors = append(c.errors, message)
	}
}
