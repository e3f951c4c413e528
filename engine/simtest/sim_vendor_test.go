package simtest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed627bd532/runner/engine/sandbox"
)

// millSpec is a vendor with one operation for each way to create.
const millSpec = `
vendor: mill
version: 1
config:
  user: {type: string}
  password: {type: string, secret: true}
auth:
  token:
    call: login
    with: {user: "${{ config.user }}", password: "${{ config.password }}"}
    value: ${{ outputs.token }}
    lifetime: 20mEXCLUSIVE
  inject:
    headers: {Authorization: "Bearer ${{ token }}"}
defaults:
  timeout: 4s
  retry: {attempts: ATTEMPTS, first: 100ms, max: 2s}
operations:
  login:
    effect: idempotent
    auth: none
    inputs: {user: {type: string}, password: {type: string, secret: true}}
    request: {method: POST, path: /login, body: "${{ inputs }}"}
    response:
      schema: {type: object, required: [token], properties: {token: {type: string}}}
      outputs: {token: {path: token, secret: true}}
  find:
    effect: read
    inputs: {name: {type: string}}
    request: {method: GET, path: /things, query: {name: "${{ inputs.name }}"}, headers: {X-Call: "${{ call.key }}"}}
    response:
      schema: {$ref: "#/schemas/Found"}
      outputs: {call: call, things: things}
  count:
    effect: read
    inputs: {names: {type: string}}
    request: {method: GET, path: /count, query: {names: "${{ inputs.names }}"}, headers: {X-Call: "${{ call.key }}"}}
    response:
      schema: {type: object, required: [call, n], properties: {call: {type: string}, n: {type: integer}}}
      outputs: {call: call, n: n}
  sight:                                  # shows at once what was minted
    effect: read
    inputs: {name: {type: string}}
    request: {method: GET, path: /sights, query: {name: "${{ inputs.name }}"}, headers: {X-Call: "${{ call.key }}"}}
    response:
      schema: {$ref: "#/schemas/Found"}
      outputs: {things: things}
  mint:                                   # is sent once more where it is not there
    effect: create
    identity: inputs.name
    inputs: {name: {type: string}}
    request: {method: POST, path: /mints, body: {name: "${{ inputs.name }}"}, headers: {X-Call: "${{ call.key }}"}}
    response:
      schema: {$ref: "#/schemas/Thing"}
      outputs: {id: id, name: name, call: call}
    reconcile:
      call: sight
      with: {name: "${{ inputs.name }}"}
      found: len(outputs.things) > 0
      outputs: {id: "${{ first(outputs.things)?.id }}", name: "${{ inputs.name }}", call: ""}
      tries: 2
      every: 1s
      if_absent: resend
  look:                                   # as find; nothing but reconcile asks it
    effect: read
    inputs: {name: {type: string}}
    request: {method: GET, path: /looks, query: {name: "${{ inputs.name }}"}, headers: {X-Call: "${{ call.key }}"}}
    response:
      schema: {$ref: "#/schemas/Found"}
      outputs: {things: things}
  make:
    effect: create
    identity: inputs.name
    inputs: {name: {type: string}}
    request: {method: POST, path: /makes, body: {name: "${{ inputs.name }}"}, headers: {X-Call: "${{ call.key }}"}}
    response: &made
      schema: {$ref: "#/schemas/Thing"}
      outputs: {id: id, name: name, call: call}
    reconcile:
      call: look
      with: {name: "${{ inputs.name }}"}
      found: len(outputs.things) > 0
      outputs: {id: "${{ first(outputs.things)?.id }}", name: "${{ inputs.name }}", call: ""}
      tries: 3
      every: 5s
  press:                                  # cannot be looked for
    effect: create
    identity: inputs.name
    inputs: {name: {type: string}}
    request: {method: POST, path: /presses, body: {name: "${{ inputs.name }}"}, headers: {X-Call: "${{ call.key }}"}}
    response:
      schema: {$ref: "#/schemas/Thing"}
      outputs: {id: id, name: name, call: call}
  drop:                                   # may happen as often as one likes, but not unasked
    effect: create
    identity: "inputs.name startsWith 'one' ? inputs.name : null"
    inputs: {name: {type: string}}
    request: {method: POST, path: /drops, body: {name: "${{ inputs.name }}"}, headers: {X-Call: "${{ call.key }}"}}
    response:
      schema: {$ref: "#/schemas/Thing"}
      outputs: {id: id, name: name, call: call}
  add:
    effect: create
    inputs: {rows: {type: array, items: {$ref: "#/schemas/Row"}}}
    rows: {of: inputs.rows, as: row}
    identity: row.name
    request: {method: POST, path: /adds, body: "${{ inputs.rows }}", headers: {X-Call: "${{ call.key }}"}}
    response:
      rows: {path: rows, match: name, ok: row.state == 'done', message: state}
    reconcile:
      call: look
      with: {name: "${{ row.name }}"}
      found: len(outputs.things) > 0
      tries: 3
      every: 5s
  tag:
    effect: idempotent
    inputs: {name: {type: string}, tag: {type: string}}
    request: {method: POST, path: /tags, body: {name: "${{ inputs.name }}", tag: "${{ inputs.tag }}"}, headers: {X-Call: "${{ call.key }}"}}
    response:
      schema: {type: object, required: [call, tag], properties: {call: {type: string}, tag: {type: string}}}
      outputs: {call: call, tag: tag}
  remove:
    effect: idempotent
    inputs: {name: {type: string}}
    request: {method: POST, path: /removes, body: {name: "${{ inputs.name }}"}, headers: {X-Call: "${{ call.key }}"}}
    response:
      schema: {type: object, required: [call], properties: {call: {type: string}}}
      outputs: {call: call}
schemas:
  Row: {type: object, required: [name], properties: {name: {type: string}}}
  Thing:
    type: object
    required: [id, name, call]
    properties: {id: {type: string}, name: {type: string}, call: {type: string}}
  Found:
    type: object
    required: [call, things]
    properties:
      call: {type: string}
      things: {type: array, items: {type: object, required: [id, name], properties: {id: {type: string}, name: {type: string}}}}
`

// millSandbox shows what was made only after a while, and refuses names that
// begin with "bad". The id of a thing follows from its name.
const millSandbox = `
sandbox: mill
version: 1
connection:
  base_url: ${{ sandbox.url }}
  config: {user: demo, password: demo-password}
tokens: sessions
state:
  sessions: []
  things:
    - {id: id-old1, name: old1, tag: "", old: true}
    - {id: id-old2, name: old2, tag: "", old: true}
TALLIES
before:
  - if: operation != 'login' and operation != 'dump' and none(state.sessions, 'Bearer ' + .token == request.headers['authorization'])
    reply: {status: 401, body: {message: log in first}}
  - if: "operation in ['make', 'press', 'drop', 'mint'] and request.body.name startsWith 'bad'"
    reply: {status: 400, body: {message: "nobody makes ${{ request.body.name }}"}}
operations:
  login:
    method: POST
    path: /login
    rules:
      - let: {token: "mill-session-${{ next('session', 1000) }}"}
        insert: {into: sessions, value: {token: "${{ token }}"}}
        reply: {body: {token: "${{ token }}"}}
  find:
    method: GET
    path: /things
    rules: &shown
      - reply:
          body:
            call: ${{ request.headers['x-call'] ?? '' }}
            things: ${{ filter(state.things, .name == request.query.name and (.old or elapsed(#) >= DELAY)) }}
  look:
    method: GET
    path: /looks
    rules:
      - reply:
          body:
            call: ${{ request.headers['x-call'] ?? '' }}
            things: ${{ filter(state.things, .name == request.query.name and (.old or elapsed(#) >= DELAY)) }}
  count:
    method: GET
    path: /count
    rules:
      - reply:
          body:
            call: ${{ request.headers['x-call'] ?? '' }}
            n: ${{ len(filter(state.things, (' ' + (request.query.names ?? '') + ' ') contains (' ' + .name + ' '))) }}
  sight:
    method: GET
    path: /sights
    rules:
      - reply:
          body:
            call: ${{ request.headers['x-call'] ?? '' }}
            things: ${{ filter(state.things, .name == request.query.name) }}
MAKERS
  add:
    method: POST
    path: /adds
    identity: map(filter(request.body, not (.name startsWith 'bad')), .name)
    rules:
      - insert:
          into: things
          foreach: filter(request.body, not (.name startsWith 'bad'))
          value: {id: "id-${{ row.name }}", name: "${{ row.name }}", tag: "", old: false}
      - reply:
          body:
            rows:
              $each: request.body
              as: one
              value: {name: "${{ one.name }}", state: "${{ one.name startsWith 'bad' ? 'nobody makes it' : 'done' }}"}
  tag:
    method: POST
    path: /tags
    rules:
      - update: {in: things, where: row.name == request.body.name, set: {tag: "${{ request.body.tag }}"}}
      - reply: {body: {call: "${{ request.headers['x-call'] ?? '' }}", tag: "${{ request.body.tag }}"}}
  remove:
    method: POST
    path: /removes
    rules:
      - remove: {from: things, where: row.name == request.body.name}
      - reply: {body: {call: "${{ request.headers['x-call'] ?? '' }}"}}
  dump:
    method: GET
    path: /dump
    rules:
      - reply: {body: "${{ sortBy(map(state.things, .name + ' ' + .id + ' ' + .tag), #) }}"}
`

const millMaker = `
  NAME:
    method: POST
    path: /NAMEes
    identity: request.body.name
    rules:
      - insert:
          into: things
          value: {id: "id-${{ request.body.name }}", name: "${{ request.body.name }}", tag: "", old: false}
      - reply:
          status: 201
          body: {id: "id-${{ request.body.name }}", name: "${{ request.body.name }}", call: "${{ request.headers['x-call'] ?? '' }}"}
`

// millFiles are the vendor's two files for one world.
func millFiles(attempts int, delay time.Duration, exclusive bool) (spec, box string) {
	spec = strings.Replace(millSpec, "ATTEMPTS", fmt.Sprint(attempts), 1)
	once := ""
	if exclusive {
		once = "\n    use: exclusive"
	}
	spec = strings.Replace(spec, "EXCLUSIVE", once, 1)
	spec = strings.Replace(spec, " &made", "", 1)
	var makers string
	for name, path := range map[string]string{"make": "makes", "press": "presses", "drop": "drops", "mint": "mints"} {
		makers += strings.ReplaceAll(strings.ReplaceAll(millMaker, "/NAMEes", "/"+path), "NAME", name)
	}
	box = strings.Replace(millSandbox, "MAKERS\n", makers, 1)
	var tallies []string
	for i := range maxSteps {
		tallies = append(tallies, fmt.Sprintf(`    - {id: id-tally%[1]d, name: tally%[1]d, tag: "", old: true}`, i+1))
	}
	box = strings.Replace(box, "TALLIES", strings.Join(tallies, "\n"), 1)
	box = strings.ReplaceAll(strings.Replace(box, " &shown", "", 1), "DELAY", fmt.Sprint(delay.Seconds()))
	return spec, box
}

// A vendor is a sandbox at the far end of a bad line. It keeps an account of its own.
type vendor struct {
	box   *sandbox.Sandbox
	delay time.Duration // until what was made is shown
	blind string        // the path of look-ups that show nothing

	mu  sync.Mutex
	log []arrival
}

// An arrival is one request as the vendor saw it.
type arrival struct {
	runner string
	life   int
	path   string
	name   string // of the thing, or those of a batch between blanks
	call   string // the key of the call
	left   time.Time
	worked time.Time // zero when nothing was done
	heard  bool      // the answer came in time, and whole
	fate   fate
}

func newVendor(files fs.FS, name string, delay time.Duration) (*vendor, error) {
	def, err := sandbox.Load(files, name)
	if err != nil {
		return nil, err
	}
	return &vendor{box: sandbox.New(def, sandbox.Options{}), delay: delay}, nil
}

// serve plays one request and its answer; nil is a line that broke.
func (v *vendor) serve(p *process, r *http.Request, body string, f fate) *http.Response {
	at := v.arrive(p, r, body, f)
	time.Sleep(f.there)
	if f.kind == lostRequest {
		return nil
	}
	w := httptest.NewRecorder()
	worked := time.Now()
	switch {
	case f.kind == refused:
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(f.status)
	case f.kind == expired:
		w.WriteHeader(http.StatusUnauthorized)
	case v.blind == r.URL.Path:
		io.WriteString(w, `{"call": "", "things": []}`)
	default:
		v.box.ServeHTTP(w, r)
	}
	v.mu.Lock()
	if f.kind != refused && f.kind != expired && w.Code < 300 {
		v.log[at].worked = worked
	}
	v.log[at].heard = f.kind == inTime && f.there+f.back < p.sim.plan.timeout
	v.mu.Unlock()
	time.Sleep(f.back)
	switch f.kind {
	case lostAnswer:
		return nil
	case brokenAnswer, refusedAfter, redirected:
		w.Code = f.status
		w.Body = bytes.NewBufferString("<html>bad gateway</html>")
		w.Header().Set("Content-Type", "text/html")
		switch {
		case f.kind == redirected:
			w.Header().Set("Location", "/elsewhere")
		case f.status == http.StatusServiceUnavailable && v.delay < shownLate:
			w.Header().Set("Retry-After", "1")
		}
	case cutAnswer:
		w.Body.Truncate(w.Body.Len() / 2)
	}
	return &http.Response{StatusCode: w.Code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: w.Header(),
		Body: io.NopCloser(w.Body), ContentLength: int64(w.Body.Len())}
}

func (v *vendor) arrive(p *process, r *http.Request, body string, f fate) int {
	a := arrival{runner: p.runner, life: p.life, path: r.URL.Path, call: r.Header.Get("X-Call"), left: time.Now(), fate: f, name: nameIn(r, body)}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.log = append(v.log, a)
	return len(v.log) - 1
}

var vatIn = regexp.MustCompile(`"(?:VATID|vatId)":"([^"]*)"`)

// nameIn returns what a request is about.
func nameIn(r *http.Request, body string) string {
	if name := r.URL.Query().Get("name"); name != "" {
		return name
	}
	if vat := vatIn.FindStringSubmatch(body); vat != nil {
		return vat[1]
	}
	var one struct{ Name string }
	var many []struct{ Name string }
	if json.Unmarshal([]byte(body), &one) == nil {
		return one.Name
	}
	json.Unmarshal([]byte(body), &many)
	names := " "
	for _, m := range many {
		names += m.Name + " "
	}
	return names
}

// arrivals returns a copy of the log.
func (v *vendor) arrivals() []arrival {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]arrival(nil), v.log...)
}

// ask asks the vendor past all that can happen on the way.
func (v *vendor) ask(method, path, token, body string) string {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Token", token)
	v.box.ServeHTTP(w, r)
	return w.Body.String()
}

// A fate is what becomes of one request: how long it takes to arrive and its answer to
// come back, and what else goes wrong.
type fate struct {
	kind        fateKind
	there, back time.Duration
	status      int
}

type fateKind string

const (
	inTime       fateKind = "in time"
	notReached   fateKind = "unreachable"  // never left
	lostRequest  fateKind = "lost request" // left, and never arrived
	lostAnswer   fateKind = "lost answer"
	brokenAnswer fateKind = "broken answer" // the work is done, and something else is said
	cutAnswer    fateKind = "cut answer"
	refused      fateKind = "refused" // not done; try again later
	expired      fateKind = "expired" // the session has ended
	refusedAfter fateKind = "refused after doing it"
	redirected   fateKind = "redirected after doing it"
)

// shownLate is later than the vendor file says that anything is shown.
const shownLate = 15 * time.Second

// mayRefuse reports whether a vendor that refuses after it has done it can be borne: where it can be looked for in
// time, or is no create at all. A 503 is an open question everywhere.
func (s *simulation) mayRefuse(path string, status int) bool {
	i := slices.IndexFunc(s.plan.creates, func(c creator) bool { return c.path == path })
	return i < 0 || status == http.StatusServiceUnavailable || s.plan.creates[i].looks != "" && s.plan.delay < shownLate
}

// fateOf decides what becomes of a request.
func (s *simulation) fateOf(p *process, r *http.Request, what string) fate {
	dice := p.dice("fate of " + what)
	f := fate{kind: inTime, there: time.Duration(dice.IntN(20)+1) * time.Millisecond, back: time.Duration(dice.IntN(20)+1) * time.Millisecond}
	if p.calm || dice.Float64() >= s.faults {
		return f
	}
	switch dice.IntN(12) {
	case 0:
		f.kind = notReached
	case 1:
		f.kind = lostRequest
	case 2:
		f.kind = lostAnswer
	case 3:
		f.kind, f.status = brokenAnswer, []int{500, 502, 503, 504, 408}[dice.IntN(5)]
	case 4:
		f.kind, f.status = brokenAnswer, http.StatusOK
	case 5:
		f.kind = cutAnswer
	case 6:
		f.kind, f.status = refused, http.StatusTooManyRequests
	case 7:
		f.kind = expired
		if r.URL.Path == "/login" {
			f.kind = inTime
		}
	case 8: // the work in time, the answer not
		f.back = s.plan.timeout + time.Duration(dice.IntN(20))*time.Second
	case 9: // neither; but an update that comes after later ones takes them back, and nobody could help it
		if r.URL.Path == "/tags" || r.URL.Path == "/mints" { // nor one that is shown at once
			return f
		}
		f.there = s.plan.timeout - time.Second + time.Duration(dice.IntN(30))*time.Second
	case 10:
		f.status = []int{429, 503, 401}[dice.IntN(3)]
		if strings.HasSuffix(r.URL.Path, "/login") || r.URL.Path == "/GetSessionToken" || !s.mayRefuse(r.URL.Path, f.status) {
			return f
		}
		f.kind = refusedAfter
	case 11:
		if !slices.ContainsFunc(s.plan.creates, func(c creator) bool { return c.path == r.URL.Path }) {
			return f
		}
		f.kind, f.status = redirected, []int{301, 302, 303, 307, 308}[dice.IntN(5)]
	}
	s.tell("%s: %s, %v there and %v back", f.kind, what, f.there, f.back)
	return f
}
