package simtest_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/testserver"
	"github.com/seed627bd532/runner/engine/state"
)

var (
	simulations = flag.Int("simulations", 500, "how many random programs are simulated")
	simFirst    = flag.Int("first-seed", 1, "the first of the seeds that are simulated")
	simSeed     = flag.Uint64("seed", 0, "simulate the program of this seed alone, and tell what happens")
)

// A twist takes away something that a simulation must miss.
type twist string

const (
	asItIs             twist = ""
	withoutSync        twist = "without the sync of intents"
	withoutReconcile   twist = "without look-ups"
	withoutLocks       twist = "without locks"
	withoutTurns       twist = "without the turns of an exclusive token"
	withoutRefusedLook twist = "without a look before what was refused is sent again"
	withoutRedirects   twist = "without doubt about redirects"
	withoutDoubts      twist = "without doubt about what is read behind ambiguous rows"
	withoutSights      twist = "without look-ups of what is sent once more"
)

// A simulation runs one random program in a world where everything breaks that
// can, until it has come to an end, and holds that against an undisturbed run.
type simulation struct {
	seed    uint64
	twist   twist
	plan    plan
	runners []string
	oneKey  bool    // all runners start one and the same run
	late    bool    // the second begins when the first is at work
	crashes float64 // the chance of each moment
	faults  float64 // the chance of each request
	skewed  bool    // clocks jump while nothing runs
	program *engine.Program
	disk    *disk
	vendor  *vendor

	begun    atomic.Int64 // runs on record
	underway atomic.Int64 // requests at or on their way to the vendor

	mu         sync.Mutex
	alive      map[string]*process
	using      map[*http.Request]*process // who makes a request with a token
	counted    map[string][]byte          // the first answer to each count, by its call
	story      []string
	violations []string
}

// An ending is what a run came to.
type ending struct {
	status  engine.Status
	outputs string
	failure string
}

// The runner is given up on when it has not come to an end by then.
const (
	maxLives  = 80
	calmLives = 10 // after which nothing breaks any more
	maxLife   = 48 * time.Hour
)

// newSimulation returns the world of a seed.
func newSimulation(seed uint64, tw twist) *simulation {
	dice := rand.New(rand.NewPCG(seed, 0))
	s := &simulation{seed: seed, twist: tw, runners: []string{"ann"}}
	s.crashes = []float64{0, 0.01, 0.04, 0.1}[dice.IntN(4)]
	s.faults = []float64{0, 0.05, 0.15, 0.3}[dice.IntN(4)]
	if dice.IntN(3) == 0 {
		s.runners = append(s.runners, "bob")
		s.oneKey = dice.IntN(4) == 0
		s.late = dice.IntN(2) == 0
	} else {
		s.skewed = dice.IntN(2) == 0
	}
	if dice.IntN(8) > 0 {
		s.plan = newPlan(dice, len(s.runners) > 1, s.late && !s.oneKey)
		return s
	}
	s.plan, s.oneKey = intcomexPlan(dice), true // of two runs, one finds what the other created
	return s
}

// undisturbed returns the same world without anything that breaks.
func (s *simulation) undisturbed() *simulation {
	return &simulation{seed: s.seed, plan: s.plan, runners: s.runners[:1]}
}

// tell keeps what happened.
func (s *simulation) tell(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.story = append(s.story, time.Now().UTC().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
}

func (s *simulation) violated(format string, args ...any) {
	s.tell("VIOLATION: "+format, args...)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.violations = append(s.violations, fmt.Sprintf(format, args...))
}

// simulate returns what is wrong with a seed, and the story of it.
func simulate(t *testing.T, seed uint64, tw twist) (violations, story []string) {
	s := newSimulation(seed, tw)
	want := s.undisturbed()
	var wanted map[string]ending
	synctest.Test(t, func(t *testing.T) { wanted = want.play(t) })
	if len(want.violations) > 0 {
		return want.violations, append(want.story, s.plan.String())
	}
	synctest.Test(t, func(t *testing.T) {
		got := s.play(t)
		s.judge(got, wanted["ann"], want)
	})
	return s.violations, append(s.story, s.plan.String())
}

func (p plan) String() string {
	inputs, _ := json.Marshal(p.inputs)
	return fmt.Sprintf("%s\nwith %s; what is made is shown after %v", p.text, inputs, p.delay)
}

// play lets all runners come to their ends, and returns what these are.
func (s *simulation) play(t *testing.T) map[string]ending {
	v, err := newVendor(s.plan.files, "specs/"+s.plan.vendor+".sandbox.yaml", s.plan.delay)
	if err != nil {
		t.Fatalf("seed %d: %v", s.seed, err)
	}
	v.blind = map[twist]string{withoutReconcile: "/looks", withoutSights: "/sights"}[s.twist]
	s.vendor, s.disk, s.alive = v, newDisk(), map[string]*process{}
	s.using, s.counted = map[*http.Request]*process{}, map[string][]byte{}
	s.disk.lazy = s.twist == withoutSync
	if s.program, err = engine.Load(s.plan.files, engine.Options{Paths: []string{s.plan.pipeline}}); err != nil {
		t.Fatalf("seed %d: %v\n%s", s.seed, testserver.FaultsOf(err), s.plan)
	}
	ends := map[string]ending{}
	var mu sync.Mutex
	var wait sync.WaitGroup
	for _, runner := range s.runners {
		wait.Go(func() {
			end := s.operate(runner)
			mu.Lock()
			defer mu.Unlock()
			ends[runner] = end
		})
	}
	wait.Wait()
	for s.underway.Load() > 0 {
		time.Sleep(time.Second)
	}
	return ends
}

// operate does what a person, or a job that starts again and again, does for one run.
func (s *simulation) operate(runner string) ending {
	key := runner
	if s.oneKey {
		key = "all"
	}
	if s.late && runner != s.runners[0] {
		time.Sleep(time.Duration(diceOf(s.seed, "late").IntN(20000)) * time.Millisecond)
	}
	for life := 1; life <= maxLives; life++ {
		p := s.process(runner, life)
		res, err, ended := s.live(p, key)
		if !ended {
			s.violated("%s hangs", p)
			return ending{}
		}
		if p.killed {
			time.Sleep(time.Duration(p.dice("rest").IntN(10000)) * time.Millisecond)
			continue
		}
		var faults diag.List
		if errors.As(err, &faults) {
			if s.oneKey && faults[0].Code == "run-alive" {
				time.Sleep(10 * time.Second)
				continue
			}
			s.violated("%s: %s", p, testserver.FaultsOf(err))
			return ending{}
		}
		s.judgeTime(p, res)
		s.judgeCounts(p, res)
		text, _ := json.Marshal(res.Outputs)
		end := ending{status: res.Status, outputs: s.plan.alike(string(text))}
		var failed *engine.Error
		if errors.As(err, &failed) {
			end.failure = failed.Failure.Step + ": " + failed.Failure.Message
		}
		s.tell("%s: %s %s %s", p, end.status, end.outputs, end.failure)
		switch res.Status {
		case engine.Succeeded, engine.Partial:
			return end
		case engine.Ambiguous:
			s.settle(p, res.RunID)
		case engine.Failed:
			if p.calm {
				return end
			}
		default:
			s.violated("%s ended as %s", p, res.Status)
			return end
		}
	}
	s.violated("%s does not come to an end in %d lives", runner, maxLives)
	return ending{}
}

// judgeTime checks that now() is when the run began for the first time, whatever the
// time is when it ends, and takes it out of the outputs.
func (s *simulation) judgeTime(p *process, res *engine.Result) {
	at, given := res.Outputs["at"]
	delete(res.Outputs, "at")
	run, _, _ := s.disk.now().Run(context.Background(), res.RunID)
	if want := run.Began.Format("2006-01-02T15:04:05Z"); given && at != want && !s.skewed {
		s.violated("%s: now() is %s, and the run began at %s", p, at, want)
	}
}

// judgeCounts checks that what a run that is done has counted is what is there, and takes it out of the outputs.
func (s *simulation) judgeCounts(p *process, res *engine.Result) {
	for output, names := range s.plan.counts {
		n, given := res.Outputs[output]
		delete(res.Outputs, output)
		if !given || res.Status != engine.Succeeded && res.Status != engine.Partial {
			continue
		}
		made := map[string]bool{}
		for _, c := range s.plan.creates {
			for name, times := range s.vendor.box.Stats().Creates[c.sandbox] {
				made[name] = made[name] || times > 0
			}
		}
		want := 0
		for _, name := range slices.Compact(slices.Sorted(slices.Values(strings.Fields(names)))) {
			if made[name] {
				want++
			}
		}
		if fmt.Sprint(n) != fmt.Sprint(want) {
			s.violated("%s counted %v of %s, and there are %d", p, n, names, want)
		}
	}
}

func (s *simulation) process(runner string, life int) *process {
	p := &process{sim: s, runner: runner, life: life, calm: life > calmLives, times: map[string]int{}}
	if s.skewed {
		skews := []time.Duration{0, 0, time.Hour, -time.Hour, 10 * time.Second, -10 * time.Second}
		p.skew = skews[p.dice("skew").IntN(len(skews))]
	}
	if s.crashes == 0 && s.faults == 0 {
		p.calm = true
	}
	p.ctx, p.cancel = context.WithCancelCause(context.Background())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.alive[runner] = p
	return p
}

// cutPower ends all processes, and what they wrote last may be gone.
func (s *simulation) cutPower(dice *rand.Rand) {
	s.mu.Lock()
	alive := slices.Collect(maps.Values(s.alive))
	s.mu.Unlock()
	for _, p := range alive {
		p.die()
	}
	if err := s.disk.cutPower(func(n int) int { return dice.IntN(n + 1) }); err != nil {
		s.violated("what is on the disk cannot be read: %v", err)
	}
}

// live lets a process work on the run until that ends; ended is false when it does not.
func (s *simulation) live(p *process, key string) (res *engine.Result, err error, ended bool) {
	program := s.program.With(engine.Options{
		State:       p,
		Client:      &http.Client{Transport: p},
		Connections: map[string]engine.Connection{s.plan.vendor: {Vendor: s.plan.vendor, BaseURL: "http://" + s.plan.vendor + ".example", Config: s.plan.config}},
	})
	before := s.finishedCalls(key)
	seen := len(s.vendor.arrivals())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if run, known, _ := s.disk.now().RunByKey(p.ctx, key); known && p.dice("how").IntN(2) == 0 {
			res, err = program.Resume(p.ctx, run.ID, engine.ResumeRequest{})
		} else {
			res, err = program.Run(p.ctx, engine.Request{Pipeline: s.plan.pipeline, Inputs: s.plan.inputs, Key: key})
		}
	}()
	select {
	case <-done:
	case <-time.After(maxLife):
		p.die()
		return nil, nil, false
	}
	for _, a := range s.vendor.arrivals()[seen:] {
		if strings.HasPrefix(a.name, "tally") {
			continue // which is written again when it is another number; that it is right in the end, judge sees
		}
		if at, finished := before[a.call]; finished && a.runner == p.runner && a.life == p.life {
			s.violated("%s asked %s %s again, which was finished as %s", p, a.path, a.name, at)
		}
	}
	s.mu.Lock()
	delete(s.alive, p.runner)
	s.mu.Unlock()
	p.killed = p.isDead()
	p.die() // gives back what it should not hold any more
	return res, err, true
}

// finishedCalls returns where calls are on record that nobody may make again, by their call.key. The run
// under key, if it has failed, may look again for what it had seen since it last wrote something.
func (s *simulation) finishedCalls(key string) map[string]string {
	all := map[string]string{}
	run, _, _ := s.disk.now().RunByKey(context.Background(), key)
	var wrote time.Time
	for at, e := range s.disk.finished() {
		if at[0] == run.ID && !isLook(e) && e.At.After(wrote) {
			wrote = e.At
		}
	}
	for at, e := range s.disk.finished() {
		if run.Status == "failed" && at[0] == run.ID && isLook(e) && e.At.After(wrote) {
			continue
		}
		if call := outputOf(e, "call"); call != "" {
			all[call] = at[1]
		}
	}
	return all
}

// isLook reports whether e records a read.
func isLook(e state.Entry) bool {
	return e.Kind == state.Call && e.Status == "" && !strings.Contains(string(e.Payload), `"asked":`)
}

// outputOf returns an output, which is a text, of a call on record.
func outputOf(e state.Entry, name string) string {
	var payload struct{ Outputs map[string]any }
	_ = json.Unmarshal(e.Payload, &payload)
	text, _ := payload.Outputs[name].(string)
	return text
}

// settle says of all that a run leaves open what is true. A person waits with
// that until nothing is on its way any more.
func (s *simulation) settle(p *process, run string) {
	for s.underway.Load() > 0 {
		time.Sleep(time.Second)
	}
	time.Sleep(time.Minute)
	ctx := context.Background()
	entries, err := s.disk.now().Entries(ctx, run)
	if err != nil {
		s.violated("%v", err)
	}
	open := s.open(entries)
	if len(open) == 0 && len(s.runners) == 1 {
		s.violated("%s is ambiguous, and nothing is open", p)
	}
	settled := map[string]engine.Settlement{}
	for key, what := range open {
		s.mayBeOpen(p, what, len(open))
		done := s.isMade(what)
		s.tell("%s is open: %s %s, done %v", key, what.path, what.name, done)
		settled[key] = engine.Settlement{Done: done}
		if done && what.path != "/adds" {
			settled[key] = engine.Settlement{Done: done, Outputs: s.plan.settle(s.vendor, what.name)}
		}
	}
	if len(open) == 0 {
		return
	}
	// A settlement is written, and the run goes on from there in a life of its own.
	q := s.process(p.runner, p.life*1000)
	q.calm = true
	program := s.program.With(engine.Options{
		State:       q,
		Client:      &http.Client{Transport: q},
		Connections: map[string]engine.Connection{s.plan.vendor: {Vendor: s.plan.vendor, BaseURL: "http://" + s.plan.vendor + ".example", Config: s.plan.config}},
	})
	_, err = program.Resume(q.ctx, run, engine.ResumeRequest{Settle: settled})
	var faults diag.List
	already := s.oneKey && errors.As(err, &faults) && faults[0].Code == "nothing-to-settle" // by whoever works on the same run
	if errors.As(err, &faults) && faults[0].Code != "run-alive" && !already && !q.isDead() {
		s.violated("%s cannot be settled: %s", p, testserver.FaultsOf(err))
	}
	q.die()
}

// A thing is what one create makes.
type thing struct{ path, name string }

// open returns the creates among entries that a person has to settle, by key.
func (s *simulation) open(entries []state.Entry) map[string]thing {
	all := map[string]thing{}
	for _, e := range entries {
		if e.Kind != state.Call || e.Status != state.Intended {
			continue
		}
		if e.Identity == "" {
			batch := slices.ContainsFunc(entries, func(o state.Entry) bool { return strings.HasPrefix(o.Key, e.Key+"/rows[") })
			if !batch {
				all[e.Key] = thing{path: "/drops", name: s.nameOf(e)}
			}
			continue
		}
		all[e.Key] = s.thingOf(e.Identity)
	}
	return all
}

// thingOf reads an identity: connection, operation and name.
func (s *simulation) thingOf(identity string) thing {
	var parts [3]string
	_ = json.Unmarshal([]byte(identity), &parts)
	_ = json.Unmarshal([]byte(parts[2]), &parts[2]) // where it is quoted
	for _, c := range s.plan.creates {
		if c.operation == parts[1] {
			return thing{path: c.path, name: parts[2]}
		}
	}
	return thing{name: identity}
}

// nameOf returns what a create without identity makes: that of the last arrival under its key.
func (s *simulation) nameOf(e state.Entry) string {
	step := e.Key
	_, rest, found := strings.Cut(s.plan.text, "- id: "+step+"\n")
	if !found {
		return ""
	}
	_, rest, _ = strings.Cut(rest, "with: {name: ")
	name, _, _ := strings.Cut(rest, "}")
	return name
}

// isMade says whether the vendor made a thing.
func (s *simulation) isMade(what thing) bool {
	for _, c := range s.plan.creates {
		if c.path == what.path && s.vendor.box.Stats().Creates[c.sandbox][what.name] > 0 {
			return true
		}
	}
	return false
}

// mayBeOpen checks that nobody could have known: where looks at the vendor would have shown it in time,
// it must not be open. Of several that are open, the run may have ended before it looked for this one.
func (s *simulation) mayBeOpen(p *process, what thing, open int) {
	i := slices.IndexFunc(s.plan.creates, func(c creator) bool { return c.path == what.path })
	if i < 0 || s.plan.creates[i].looks == "" || !s.isMade(what) {
		return
	}
	by := s.plan.creates[i]
	var shown time.Time // from when on a look would have shown it
	var sent time.Time
	looks, missed := 0, 0
	for _, a := range s.vendor.arrivals() {
		about := a.name == what.name || strings.Contains(a.name, " "+what.name+" ")
		switch {
		case slices.Contains([]string{"/login", "/GetSessionToken"}, a.path) && a.runner == p.runner && a.life == p.life && !a.heard:
			missed++ // whoever cannot log in cannot look
		case a.path == by.looks && a.fate.kind == expired && a.runner == p.runner && a.life == p.life:
			missed++ // nor whoever is let in no more, whatever it looks for
		case !about:
		case a.path == what.path:
			if a.runner == p.runner {
				sent = a.left
			}
			if !a.worked.IsZero() && shown.IsZero() {
				shown = a.worked.Add(s.plan.delay)
			}
		case a.path == by.looks && a.runner == p.runner && a.life == p.life:
			looks++
			if !a.heard {
				missed++
			}
		}
	}
	if shown.IsZero() || missed > 0 || looks == 0 && open > 1 {
		return
	}
	if last := sent.Add(by.within); !shown.After(last) {
		s.violated("%s: %s %s is open, though it is shown since %s, sent at %s", p, what.path, what.name, shown.Format("15:04:05.000"), sent.Format("15:04:05.000"))
	}
}

// judge holds what came of it all against the undisturbed run.
func (s *simulation) judge(ends map[string]ending, want ending, calm *simulation) {
	if len(s.violations) > 0 {
		return // the rest follows from that
	}
	for operation, made := range s.vendor.box.Stats().Creates {
		for name, times := range made {
			if times > 1 {
				s.violated("%s %s was made %d times", operation, name, times)
			}
		}
	}
	alike := true
	for runner, end := range ends {
		alike = alike && end == want
		s.judgeEnd(runner, end, want)
	}
	s.judgeRecord()
	if s.plan.undo && ends["ann"].status == engine.Failed {
		s.judgeUndone()
	} else if alike {
		if got, want := s.plan.things(s.vendor), s.plan.things(calm.vendor); got != want {
			s.violated("at the vendor is %s, want %s", got, want)
		}
	}
}

func (s *simulation) judgeEnd(runner string, end, want ending) {
	switch {
	case end.status == engine.Failed && s.plan.undo:
		return
	case end.status == want.status && end.status != engine.Partial:
		if end != want {
			s.violated("%s came to\n%s %s, want\n%s %s", runner, end.outputs, end.failure, want.outputs, want.failure)
		}
	case end.status == engine.Partial && want.status != engine.Failed:
		s.judgeRows(runner, end, want)
	default:
		s.violated("%s ended as %s %s, want %s %s", runner, end.status, end.failure, want.status, want.failure)
	}
}

// judgeUndone checks that nothing is left of what can be undone.
func (s *simulation) judgeUndone() {
	left := s.plan.things(s.vendor)
	for _, name := range s.plan.undone {
		if strings.Contains(left, `"`+name+" ") {
			s.violated("%s was not undone: at the vendor is %s", name, left)
		}
	}
}

// judgeRows checks that each row that is done is what it should be. Others may
// have failed where the vendor failed; a later row of the same key has to do then what they were to do.
func (s *simulation) judgeRows(runner string, end, want ending) {
	var got, wanted map[string]any
	if json.Unmarshal([]byte(end.outputs), &got) != nil || json.Unmarshal([]byte(want.outputs), &wanted) != nil {
		s.violated("%s: outputs are no objects", runner)
	}
	for name, v := range got {
		rows, ok := v.([]any)
		others, _ := wanted[name].([]any)
		if !ok || len(rows) != len(others) {
			if fmt.Sprint(v) != fmt.Sprint(wanted[name]) {
				s.violated("%s: %s is %v, want %v", runner, name, v, wanted[name])
			}
			continue
		}
		failed := map[string]bool{} // by key
		for i, row := range rows {
			members, _ := row.(map[string]any)
			key, _ := members["key"].(string)
			key, _, _ = strings.Cut(key, "#")
			text, _ := json.Marshal(row)
			other, _ := json.Marshal(others[i])
			done := strings.Contains(string(text), " done ") || strings.Contains(string(text), `"status":"done"`)
			failed[key] = failed[key] || key != "" && !done
			if string(text) != string(other) && (done && !failed[key] || s.faults == 0) {
				s.violated("%s: row %v of %s, want %v", runner, row, name, others[i])
			}
		}
	}
}

// judgeRecord checks that the record and the vendor tell of the same creates.
func (s *simulation) judgeRecord() {
	recorded := map[thing]bool{}
	ctx := context.Background()
	runs, _ := s.disk.now().Runs(ctx, 0)
	for _, run := range runs {
		entries, _ := s.disk.now().Entries(ctx, run.ID)
		for key, what := range s.open(entries) {
			s.violated("%s %s is open still, as %s", what.path, what.name, key)
		}
		for _, e := range entries {
			if e.Kind != state.Call || e.Status != state.Done {
				continue
			}
			what := thing{path: "/drops", name: outputOf(e, "name")}
			if e.Identity != "" {
				what = s.thingOf(e.Identity)
			} else if what.name == "" {
				continue // a batch, whose rows have records of their own
			}
			recorded[what] = true
			if !s.isMade(what) {
				s.violated("%s %s is on record as done, and the vendor did not do it", what.path, what.name)
			}
		}
	}
	for _, c := range s.plan.creates {
		for name := range s.vendor.box.Stats().Creates[c.sandbox] {
			if !recorded[thing{path: c.path, name: name}] && !slices.Contains(s.plan.undone, name) {
				s.violated("%s %s was done, and nobody tells of it", c.operation, name)
			}
		}
	}
}

// What makes creates safe must be missed when it is not there.
func TestSimulationFindsWhatIsMissing(t *testing.T) {
	for _, tt := range []struct {
		twist twist
		want  string // of a violation
	}{
		{withoutSync, "was made 2 times"},
		{withoutReconcile, "is open, though it is shown since"},
		{withoutLocks, "was made 2 times"},
		{withoutTurns, "at the same time with an exclusive token"},
		{withoutRefusedLook, "was made 2 times"},
		{withoutRedirects, "was made 2 times"},
		{withoutDoubts, "counted"},
		{withoutSights, "was made 2 times"},
	} {
		t.Run(string(tt.twist)+": "+tt.want, func(t *testing.T) {
			t.Parallel()
			for seed := uint64(1); seed <= 500; seed++ {
				violations, _ := simulate(t, seed, tt.twist)
				if strings.Contains(strings.Join(violations, "\n"), tt.want) {
					t.Logf("found with seed %d", seed)
					return
				}
			}
			t.Errorf("500 seeds passed %s", tt.twist)
		})
	}
}

func TestSimulation(t *testing.T) {
	if *simSeed != 0 {
		violations, story := simulate(t, *simSeed, asItIs)
		t.Logf("%s", strings.Join(story, "\n"))
		for _, v := range violations {
			t.Errorf("seed %d: %s", *simSeed, v)
		}
		return
	}
	const share = 50
	end := *simFirst + *simulations
	for first := *simFirst; first < end; first += share {
		t.Run(fmt.Sprint("from ", first), func(t *testing.T) {
			t.Parallel()
			for seed := first; seed < min(first+share, end); seed++ {
				violations, _ := simulate(t, uint64(seed), asItIs)
				for _, v := range violations {
					t.Errorf("seed %d: %s", seed, v)
				}
			}
		})
	}
}

// forgetful is a state that could not write its journal yet.
type forgetful struct{ *state.Memory }

func (forgetful) Put(context.Context, ...state.Entry) error { return errKilled }

// A run that died before its first step was recorded has begun all the same.
func TestNowIsTheFirstStartThoughNoStepWasRecorded(t *testing.T) {
	files := fstest.MapFS{"pipelines/dated.yaml": {Data: []byte(`
pipeline: dated
version: 1
steps:
  - {id: note, call: store.put, with: {table: notes, key: a, value: 1}}
outputs:
  at: ${{ now() }}
`)}}
	synctest.Test(t, func(t *testing.T) {
		memory := state.NewMemory()
		program, err := engine.Load(files, engine.Options{State: forgetful{memory}})
		if err != nil {
			t.Fatal(err)
		}
		failed, _ := program.Run(t.Context(), engine.Request{Pipeline: "pipelines/dated.yaml"})
		time.Sleep(time.Hour)
		done, err := program.With(engine.Options{State: memory}).Resume(t.Context(), failed.RunID, engine.ResumeRequest{})
		if err != nil || done.Outputs["at"] != "2000-01-01T00:00:00Z" {
			t.Errorf("%v, %v", done, err)
		}
	})
}
