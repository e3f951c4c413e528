package project_test

import (
	"regexp"
	"strings"
)

// Mistakes whose files are well formed and well typed, and mean something else than what was meant.
func meanings() []mutation {
	return []mutation{
		// Conditions.
		{kind: "condition that always holds", in: "vsp", find: `(?m)^ +(?:- )?(?:if|until|found|fail_if|ok): ([^>\s].*)$`, change: becomes("true")},
		{kind: "comparison with itself", in: "vp", find: `[( ](\.?[a-z][\w.]* == [a-z.][\w.]*)`, change: withItself, known: notConstant},
		{kind: "text in a case that it never has", in: "vp", find: `lower\([^()]*\) (?:==|!=|contains|startsWith|matches) '([a-z]+)`, change: strings.ToUpper},
		{kind: "conditions that exclude each other", in: "v", find: `(?:if|ok): (status < [0-9]+) and`, change: func(m string) string { return m + " and " + strings.Replace(m, "<", ">", 1) }},
		{kind: "outcome that is asked for twice", in: "v", find: `(?m)^ +- if: [^>\n].*\n +is: \w+\n`, change: twice},
		{kind: "status that no answer has", in: "v", find: `status (?:==|!=|<|>=|<=|>) ([1-5][0-9][0-9])\b`, change: behind("0")},
		{kind: "header with capitals", in: "vs", find: `headers\['([a-z-]+)'\]`, change: strings.ToUpper},
		{kind: "fail without its if", in: "p", find: `(?m)^ +(if: .*\n +)fail: `, change: gone, right: around, known: stepsFollow},

		// Requests.
		{kind: "query in a path", in: "v", find: `(?m)^ +path: (/[\w/]+)$`, change: behind("?x=1")},
		{kind: "blank in a path", in: "v", find: `(?m)^ +path: /\w()[\w/]+$`, change: becomes(" ")},
		{kind: "blank in the name of a header", in: "v", find: `(?m)^ +[A-Z]\w*(-)[\w-]+: `, change: becomes(" ")},
		{kind: "value that is not sent", in: "v", find: `(?m)^ {8,}\w+: \$\{\{ inputs\.\w+[^{}]*\}\}.*\n`, change: gone, right: users, known: usedOnce},
		{kind: "arguments that are swapped", in: "p", find: `(?m)^ +(\w+: \$\{\{ \w+\.\w+ \}\}\n +\w+: \$\{\{ \w+\.\w+) \}\}`, change: crossed, known: namedAlike},

		{kind: "number beyond all bounds", in: "vp", find: `(?:parallel|batch|breaker|attempts|tries|concurrency|size|max_pages): ([0-9]+)`, change: behind("00000000")},
		{kind: "duration of years", in: "vp", find: `(?:timeout|first|max|every|settle): ([0-9]+)[smh]`, change: behind("000000000")},
		{kind: "write that says it is a read", in: "v", find: `effect: (idempotent)`, change: becomes("read"), right: around, known: isWrite},

		// What is declared and not used.
		{kind: "input that nothing uses", in: "p", find: `(?m)^inputs:\n()`, change: becomes("  spare: {type: string, optional: true}\n")},
		{kind: "input of an operation that nothing uses", in: "v", find: `(?m)^    inputs:\n()`, change: becomes("      spare: {type: string, optional: true}\n")},
		{kind: "config that nothing uses", in: "v", find: `(?m)^config:\n()`, change: becomes("  spare: {type: string, default: x}\n")},
		{kind: "connection that nothing uses", in: "p", find: `(?m)^connections:\n()`, change: becomes("  spare: {vendor: serpi}\n")},

		// Credentials.
		{kind: "token that is not sent", in: "v", find: `(\$\{\{ token \}\})`, change: becomes("abc"), right: users},
		{kind: "secret that is not marked", in: "v", find: `(?m)^ +(\w+: \{.*, secret: true)`, change: func(m string) string { return strings.TrimSuffix(m, ", secret: true") }, right: users},

		// Schemas.
		{kind: "lengths that nothing has", in: "vp", find: `(minLength: 1)\b`, change: becomes("minLength: 9, maxLength: 3")},
		{kind: "misspelt member in a list of paths", in: "v", find: `"\[(\w+)[,\]]`, change: misspell, known: isField},

		// Creates and rows.
		{kind: "identity that all have", in: "v", find: `(?m)^    identity: ([^>\s].*)$`, change: becomes(`"'x'"`)},
		{kind: "key that all rows have", in: "p", find: `(?m)^ +key: ([a-z(][^\n{}]*)$`, change: becomes("run.id")},

		// Sandboxes.
		{kind: "misspelt member of a record", in: "s", find: `(?:find|filter|any|none)\(state\.\w+, \.(\w+)`, change: misspell},
		{kind: "rule that always replies", in: "s", find: `(?m)^ +- (if: .*\n +)reply`, change: gone, right: around, known: rulesFollow},
		{kind: "misspelt path of a sandbox", in: "s", find: `(?m)^    path: (/.*\w)$`, change: misspell, right: around},
		{kind: "other method of a sandbox", in: "s", find: `(?m)^    method: (\w+)$`, change: otherMethod, right: around},
		{kind: "misspelt header of a sandbox", in: "s", find: `request\.headers\['([a-z-]+)'\]`, change: misspell},
		{kind: "misspelt parameter of a sandbox", in: "s", find: `request\.(?:query|form|members)\??\.(\w+)`, change: misspell},
		{kind: "misspelt member of a body in a sandbox", in: "s", find: `request\.body\??\.(\w+)`, change: misspell},
		{kind: "value that a sandbox waits for in vain", in: "s", find: `request\.\w+\??\.(?:action|grant_type|provider|orderType) [!=]= '(\w+)'`, change: misspell},
		{kind: "misspelt config of a sandbox", in: "s", find: `config: \{(\w+): `, change: misspell},
	}
}

// otherMethod is one that no operation has.
func otherMethod(string) string { return "DELETE" }

// isWrite reports whether the operation is no login and no other question that is sent by POST.
func isWrite(c *corpus, m *mutant) bool {
	above := string(c.files[m.file].Data)[:m.at]
	names := regexp.MustCompile(`(?m)^  (\w+):$`).FindAllStringSubmatch(above, -1)
	name := names[len(names)-1][1]
	return !strings.Contains(name, "login")
}

// withItself makes a == a of a == b.
func withItself(m string) string {
	left, _, _ := strings.Cut(m, " == ")
	return left + " == " + left
}

var constant = regexp.MustCompile(`== (?:true|false|null)$`)

// notConstant leaves out comparisons with constants: such a comparison is spoilt otherwise.
func notConstant(_ *corpus, m *mutant) bool {
	left, right, _ := strings.Cut(m.old, " == ")
	return !constant.MatchString(m.old) && left != right
}

// stepsFollow reports whether another step of the same list stands below the place.
func stepsFollow(c *corpus, m *mutant) bool {
	text := string(c.files[m.file].Data)
	line := text[strings.LastIndex(text[:m.at], "\n")+1:]
	return followed(text[m.end:], indentOf(line)-2)
}

// rulesFollow is stepsFollow for the rules of a sandbox.
func rulesFollow(c *corpus, m *mutant) bool { return stepsFollow(c, m) }

// followed reports whether, before anything stands further left, an item begins at this indent.
func followed(text string, indent int) bool {
	_, text, _ = strings.Cut(text, "\n")
	for line := range strings.Lines(text) {
		trimmed := strings.TrimLeft(line, " ")
		if trimmed == "\n" || strings.HasPrefix(trimmed, "#") {
			continue
		}
		switch n := len(line) - len(trimmed); {
		case n == indent && strings.HasPrefix(trimmed, "- "):
			return true
		case n <= indent:
			return false
		}
	}
	return false
}

// usedOnce reports whether the input stands nowhere else in its operation.
func usedOnce(c *corpus, m *mutant) bool {
	text := string(c.files[m.file].Data)
	m.name = strings.TrimPrefix(regexp.MustCompile(`inputs\.\w+`).FindString(m.old), "inputs.")
	operations := regexp.MustCompile(`(?m)^  \w+:$`)
	from, to := 0, len(text)
	for _, at := range operations.FindAllStringIndex(text, -1) {
		if at[0] < m.at {
			from = at[0]
		} else {
			to = min(to, at[0])
		}
	}
	return len(regexp.MustCompile(`inputs\.`+m.name+`\b`).FindAllString(text[from:to], -1)) == 1 && !regexp.MustCompile(`\binputs[^.:\w]`).MatchString(text[from:to])
}

var twoArguments = regexp.MustCompile(`^(\w+): \$\{\{ (\w+)\.(\w+) \}\}\n +(\w+): \$\{\{ (\w+)\.(\w+)$`)

// namedAlike reports whether two arguments are given what is called as they are.
func namedAlike(c *corpus, m *mutant) bool {
	a := twoArguments.FindStringSubmatch(m.old)
	return a != nil && a[1] == a[3] && a[4] == a[6] && a[2] == a[5] && isInput(c, m)
}

// crossed gives each of the two what is called as the other one.
func crossed(m string) string {
	a := twoArguments.FindStringSubmatch(m)
	between := m[strings.Index(m, "}}"):strings.LastIndex(m, a[4]+": ")]
	return a[1] + ": ${{ " + a[2] + "." + a[6] + " " + between + a[4] + ": ${{ " + a[5] + "." + a[3]
}
