package engine_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// withoutTurns lets the requests under an exclusive token go whenever they like.
const withoutTurns twist = "without the turns of an exclusive token"

// exclude makes the token of some worlds one that stands one request at a time. The vendor may be at work on a
// request that timed out for half a minute.
func (s *simulation) exclude() {
	files, ok := s.plan.files.(fstest.MapFS)
	if !ok || files["specs/mill.yaml"] == nil || diceOf(s.seed, "exclusive").IntN(4) > 0 {
		return
	}
	spec := string(files["specs/mill.yaml"].Data)
	files = maps.Clone(files)
	files["specs/mill.yaml"] = &fstest.MapFile{Data: []byte(strings.Replace(spec, "    lifetime: 20m\n", "    lifetime: 20m\n    use: exclusive\n    settle: 1m\n", 1))}
	s.plan.files, s.exclusive = files, string(files["specs/mill.yaml"].Data) != spec
}

// useToken watches a request on its way to the vendor and at work there. What dead processes have left there
// nobody could have waited for.
func (s *simulation) useToken(p *process, r *http.Request) (done func()) {
	if !s.exclusive || r.URL.Path == "/login" {
		return func() {}
	}
	s.mu.Lock()
	others := slices.Clone(s.using)
	s.using = append(s.using, p)
	s.mu.Unlock()
	for _, other := range others {
		if !other.isDead() && !p.isDead() {
			s.violated("%s uses the token while %s does", p, other)
		}
	}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		i := slices.Index(s.using, p)
		s.using = slices.Delete(s.using, i, i+1)
	}
}

func TestSimulationHasExclusiveTokens(t *testing.T) {
	exclusive := 0
	for seed := uint64(1); seed <= 500; seed++ {
		if newSimulation(seed, asItIs).exclusive {
			exclusive++
		}
	}
	if exclusive < 50 {
		t.Errorf("%d of 500 worlds have an exclusive token", exclusive)
	}
	for seed := uint64(1); seed <= 500; seed++ {
		violations, _ := simulate(t, seed, withoutTurns)
		if strings.Contains(strings.Join(violations, "\n"), "uses the token while") {
			return
		}
	}
	t.Errorf("500 seeds passed %s", withoutTurns)
}
