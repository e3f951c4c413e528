package expr

import "testing"

func TestConditionsThatAreAlwaysTheSame(t *testing.T) {
	cases := []struct{ expr, want string }{
		{`inputs.n == inputs.n`, `10: == has inputs.n on both sides (one of the two is meant to be another)`},
		{`any(steps.lookup.outputs.companies, .AccountId == .AccountId)`, `48: == has .AccountId on both sides (one of the two is meant to be another)`},
		{`body.a and body.a`, `8: and has body.a on both sides (one of the two is meant to be another)`},
		{`len(inputs.name) >= 0`, `18: this is always true: len is never below 0`},
		{`count(body.list, # > 1) < 0`, `25: this is never true: count is never below 0`},
		{`lower(inputs.name) == "Ann"`, `23: "Ann" is never in what lower gives (write 'ann')`},
		{`trim(upper(inputs.name)) in ["", "Ok"]`, `34: "Ok" is never in what upper gives (write 'OK')`},
		{`trim(inputs.name) == "a "`, `22: "a " is never in what trim gives (write 'a')`},
		{`trim(inputs.name) contains "a b "`, `false`},
		{`upper(lower(inputs.name)) == "ANN"`, `false`},
		{`lower(text) contains "Not found"`, `22: "Not found" is never in what lower gives (write 'not found')`},
		{`lower(text) matches "pend|Prog[A-Z]"`, `21: "Prog" is never in what lower gives (write prog, or (?i) at the beginning of the pattern)`},
		{`lower(text) matches "(?i)Pend|\\S[A-Z]"`, `true`},
		{`inputs.n == 1 and inputs.n == 2`, `28: this is never true beside the test of inputs.n before it`},
		{`inputs.n < 300 and inputs.flag and inputs.n > 400`, `45: this is never true beside the test of inputs.n before it`},
		{`inputs.n < 300 and inputs.n in [400, 500]`, `29: this is never true beside the test of inputs.n before it`},
		{`inputs.name != "a" or inputs.name != "b"`, `35: this or the test of inputs.name before it is always true (write and where both are meant to hold)`},
		{`inputs.n >= 1 or inputs.n < 2`, `27: this or the test of inputs.n before it is always true (write and where both are meant to hold)`},
		{`inputs.n > 1 and inputs.n < 2`, `false`},
		{`inputs.n == 1 or inputs.n == 2`, `false`},
		{`inputs.n != 1 and inputs.n != 2`, `true`},
		{`inputs.n % 0`, `12: nothing can be divided by 0`},
		{`1 == 1.0`, `true`},
	}
	vars := testVars(t)
	for _, c := range cases {
		if got := outcome(t, testScope, vars, c.expr); got != c.want {
			t.Errorf("%s\n got  %s\n want %s", c.expr, got, c.want)
		}
	}
}
