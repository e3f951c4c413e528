package project_test

import (
	"regexp"
	"slices"
	"strings"

	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
)

// misspell doubles the last letter of a name, which no other name has.
func misspell(s string) string { return s + s[len(s)-1:] }

// swapType gives a declaration another type.
func swapType(match string) string {
	for _, types := range [][2]string{{"string", "integer"}, {"integer", "string"}, {"decimal", "boolean"}, {"date", "boolean"}} {
		if name, ok := strings.CutSuffix(match, types[0]); ok {
			return name + types[1]
		}
	}
	return match
}

// swapSteps exchanges two steps, the comments between them stay.
func swapSteps(match string) string {
	_, second, _ := strings.Cut(match[1:], "\n  - id: ")
	second = "  - id: " + second
	between := match[:len(match)-len(second)]
	first := between[:len(between)-len(between[strings.LastIndex(between, "\n    ")+1:])]
	last, rest, _ := strings.Cut(between[len(first):], "\n")
	return second + rest + first + last + "\n"
}

func gone(string) string { return "" }

func becomes(text string) func(string) string { return func(string) string { return text } }

func behind(text string) func(string) string {
	return func(match string) string { return match + text }
}

func twice(match string) string { return match + match }

// The kinds of single mistakes. They are grouped by what the hand does.
var mutations = slices.Concat([]mutation{
	// Keys and the layout of YAML.
	{kind: "misspelt key", in: "vspt", find: `(?m)^ *(?:- )?(effect|request|response|method|path|steps|call|with|foreach|on_error|connections|identity|operations|outcomes|inputs|outputs|set|fail|if|id|rules|reply|state|let|insert|into|body|status|until|every|key|as|schema|type|required|properties|timeout|retry|paginate|reconcile|found|tries):`, change: misspell, right: around},
	{kind: "dropped key that is needed", in: "vsp", find: `(?m)^ *(?:effect|request|method|version|call|operations|into|is|foreach|found): .*\n`, change: gone, right: around},
	{kind: "duplicate key", in: "vspt", find: `(?m)^ +(?:call|effect|method|path|if|schema|as|key|status|fail): .*\n`, change: twice},
	{kind: "wrong indent", in: "vspt", find: `(?m)^    ((?: *)(?:call|effect|request|with|path|method|response|schema|set)):`, change: func(m string) string { return " " + m }},
	{kind: "tab for blanks", in: "vspt", find: `(?m)^( +)\w+:`, change: becomes("\t")},
	{kind: "colon without a blank behind it", in: "vspt", find: `(?m)^ +\w+(: )[^#\n]`, change: becomes(":")},
	{kind: "dropped colon", in: "vspt", find: `(?m)^ +\w+(:)(?: .*)?$`, change: gone},
	{kind: "second document", in: "vspt", find: `(?m)^()(?:operations|steps|connections|schemas|state|envelope|defaults|outputs):`, change: becomes("---\n")},
	{kind: "number with a leading zero", in: "vspt", find: `: ([1-9][0-9]*)(?:[,}\n])`, change: func(m string) string { return "0" + m }},
	{kind: "yes and no", in: "vspt", find: `: (true|false)[,}\n]`, change: func(m string) string {
		if m == "true" {
			return "yes"
		}
		return "no"
	}},
	{kind: "unknown tag", in: "vspt", find: `(?m)^ +\w+: ()[a-z$"]`, change: becomes("!done ")},
	{kind: "misspelt alias", in: "vspt", find: `[:-] \*(\w+)\n`, change: misspell},
	{kind: "unfinished flow mapping", in: "vspt", find: `[^}](\})\n`, change: gone},
	{kind: "unfinished flow list", in: "vspt", find: `(\])\n`, change: gone},
	{kind: "unfinished quote", in: "vspt", find: `(?m): "[^"\n]*(")$`, change: gone},
	{kind: "dropped quotes around ? :", in: "vspt", find: `(?m): ("\$\{\{ [^"\n]* \? [^"\n]* : [^"\n]*")$`, change: func(m string) string { return strings.Trim(m, `"`) }},

	// Markers and expressions.
	{kind: "unfinished marker", in: "vsp", find: ` (\}\})`, change: becomes("}")},
	{kind: "marker without dollar", in: "vsp", find: `(\$\{\{) `, change: becomes("{{")},
	{kind: "marker with one brace", in: "vsp", find: `\$\{\{ [\w.]+ \}\}`, change: func(m string) string {
		return strings.Replace(strings.Replace(m, "${{", "${", 1), "}}", "}", 1)
	}},
	{kind: "comment inside a marker", in: "vsp", find: `\$\{\{ ([\w.]+) \}\}`, change: behind(" # as it is")},
	{kind: "unclosed bracket", in: "vsp", find: `\w\([^()\n]*(\))`, change: gone},
	{kind: "unclosed text", in: "vsp", find: `[=(,] ?'[\w ]*(')`, change: gone},
	{kind: "operator without operand", in: "vsp", find: `( (?:==|\?\?|!=|>|and|or) )`, change: func(m string) string { return m + strings.TrimLeft(m, " ") }},
	{kind: "= for ==", in: "vsp", find: ` (==) `, change: becomes("=")},
	{kind: "misspelt operator", in: "vsp", known: inExpression, find: ` (and|or|matches|in|startsWith|contains) `, change: misspell},
	{kind: "misspelt function", in: "vsp", find: `[^\w.](trim|lower|upper|len|filter|join|map|first|last|count|find|any|all|none|int|text|groupBy|unique|replace|flatten|concat|min|max|split|round|formatDate|padStart|values|next|reads|elapsed)\(`, change: misspell},
	{kind: "missing argument of a function", in: "vsp", find: `\b(?:replace|join|split|filter|map|find|any|count|groupBy|formatDate|padStart|round)\([\w.]+(, [^(),\n]+)\)`, change: gone},
	{kind: "surplus argument of a function", in: "vsp", find: `\b(?:trim|lower|upper|len|first|last|int|text|flatten)\([\w.]+()\)`, change: becomes(", 1")},
	{kind: "text compared with a number", in: "vsp", find: `(?:status|len\([\w.]+\)|Id|count) (?:[<>=!]=?) (\d+)`, change: func(m string) string { return "'" + m + "'" }},
	{kind: "condition without comparison", in: "vsp", find: `(?m)(?:if|found|until): (?:len|count|text|lower)\([\w.]+\)( [<>=!]+ (?:\d+|'[^']*'|[\w.]+))$`, change: gone},
	{kind: "dropped ??", in: "vp", find: `(?m)[\w.)\]]( \?\? (?:'[^']*'|\[\]|0|omit|[\w.]+))`, change: gone},
	{kind: "dropped ?.", in: "vp", find: `(\?\.)`, change: becomes(".")},
	{kind: "dropped ?? or ?. in a sandbox", in: "s", find: `(?m)[\w.)\]]( \?\? (?:'[^']*'|\[\]|0|omit|[\w.]+)|\?)\.?`, change: gone},
	{kind: "?? with a value of another type", in: "p", find: `(?m)[\w.)\]] \?\? ('[^']*'|\[\]|0)`, change: becomes("true")},
	{kind: "unknown pattern of a date", in: "vsp", find: `(?:'|format: )(dd\.MM\.yyyy|yyyyMMdd|yyyy-MM-dd)`, change: func(m string) string { return strings.ToUpper(m) }},
	{kind: "broken regular expression", in: "vsp", find: `(?:matches|pattern:) '([^'\n]*)'`, change: behind("(")},

	// Names.
	{kind: "misspelt vendor", in: "p", find: `vendor: (\w+)`, change: misspell},
	{kind: "misspelt connection", in: "p", find: `call: (\w+)\.\w`, change: misspell},
	{kind: "misspelt operation", in: "p", find: `call: \w+\.(\w+)`, change: misspell},
	{kind: "misspelt operation in the vendor's file", in: "v", find: `(?m)^ +(?:call|check): (\w+)$`, change: misspell},
	{kind: "misspelt pipeline", in: "p", find: `call: (\.[./\w]+)\.yaml`, change: misspell},
	{kind: "misspelt step", in: "p", find: `steps\.(\w+)`, change: misspell},
	{kind: "misspelt word of a step", in: "p", find: `steps\.\w+\.(outputs|results|ran|sent|outcome)`, change: misspell},
	{kind: "misspelt output", in: "p", find: `steps\.\w+\.outputs\.(\w+)`, change: misspell},
	{kind: "misspelt input", in: "vp", find: `inputs\.(\w+)`, change: misspell},
	{kind: "misspelt config", in: "v", find: `config\.(\w+)`, change: misspell},
	{kind: "misspelt member of a row", in: "vp", find: `\b(?:row|article|product|client|line|order|item)\.(\w+)`, change: misspell},
	{kind: "misspelt member in a predicate", in: "vp", find: `[ (]\.(\w+)`, change: misspell},
	{kind: "misspelt member of an output", in: "vp", find: `(?:outputs\.\w+|\))\??\.(\w+)`, change: misspell},
	{kind: "misspelt name of a scope", in: "vsp", find: `[ ({](inputs|config|steps|outputs|status|body|text|headers|request|state|row|page)\.`, change: misspell},
	{kind: "misspelt state of a sandbox", in: "s", find: `state\.(\w+)`, change: misspell},
	{kind: "misspelt part of a request", in: "s", find: `request\.(\w+)`, change: misspell},
	{kind: "misspelt reference", in: "vp", find: `(?:\$ref: "[^"]*#/)(\w+(?:/\w+)?)`, change: misspell},
	{kind: "misspelt file of a reference", in: "p", find: `\$ref: "([^"#]+)\.yaml`, change: misspell},
	{kind: "misspelt path into an answer", in: "v", find: `(?m)^ {8,}(?:\w+: |\w+: \{path: )(\w+)(?:,.*)?$`, change: misspell, known: isField},
	{kind: "misspelt argument", in: "p", find: `(?m)^ +(\w+): \$\{\{ `, change: misspell, known: isInput},
	{kind: "misspelt argument of a login or look-up", in: "v", find: `(?m)^ +with:\n +(\w+):`, change: misspell},
	{kind: "misspelt column of a store", in: "p", find: `(?m)^      (?:table): (\w+)`, change: misspell},

	// Words of closed lists.
	{kind: "unknown effect", in: "v", find: `effect: (\w+)`, change: misspell},
	{kind: "unknown outcome", in: "v", find: `is: (\w+)`, change: misspell},
	{kind: "unknown method", in: "vs", find: `method: (\w+)`, change: misspell},
	{kind: "unknown type", in: "vp", find: `type: (string|integer|array|object|boolean|decimal|date|number|text)`, change: misspell},
	{kind: "unknown form of a body", in: "v", find: `(?m)^ +as: (text|json|none|form)$`, change: misspell},
	{kind: "unknown way of paging or getting a token", in: "v", find: `(?:\bby|grant|use): (\w+)`, change: misspell},
	{kind: "unknown policy on errors", in: "p", find: `on_error: (\w+)`, change: misspell},
	{kind: "word that an expression cannot have", in: "p", find: `\.status [!=]= '(done|failed|ambiguous|skipped)'`, change: misspell},
	{kind: "value that an enum does not have", in: "p", find: `(?:order_type|outcome) [!=]= '(\w+)'`, change: misspell},
	{kind: "duration without unit", in: "vp", find: `(?:timeout|lifetime|first|max|every|settle): \d+([smh])`, change: gone},
	{kind: "unknown unit of a duration", in: "vp", find: `(?:timeout|lifetime|first|max|every|settle): \d+([smh])`, change: becomes(" sec")},
	{kind: "unknown version", in: "vsp", find: `version: (1)\n`, change: becomes("2")},
	{kind: "output file of an unknown format", in: "p", find: `file: \w+\.(csv)`, change: becomes("xlsx")},

	// Arguments, types, declarations.
	{kind: "dropped argument", in: "p", find: `(?m)^ +\w+: \$\{\{ .*\n`, change: gone, right: around, known: isNeeded},
	{kind: "dropped with", in: "p", known: holdsNeeded, find: `(?m)^    with:\n(?:      .*\n)+`, change: gone, right: around},
	{kind: "dropped argument of a login", in: "v", find: `(?m)^      (?:username|password|client_secret): \$\{\{ config.*\n`, change: gone, right: around},
	{kind: "surplus argument", in: "p", find: `(?m)^    with:\n()`, change: becomes("      colour: red\n")},
	{kind: "argument of another type", in: "p", find: `(?m)^ +(\w+: \$\{\{ .*)\n`, change: func(m string) string { return m[:strings.Index(m, ":")] + ": {a: 1}" }, known: isInput},
	{kind: "swapped type of a pipeline's input", in: "p", find: `(?m)^  (\w+: \{type: (?:string|integer|date)\b)`, change: swapType, right: users},
	{kind: "swapped type of an operation's input", in: "v", known: isOperationInput, find: `(?m)^      (\w+: \{type: (?:string|integer|decimal|date)\b)`, change: swapType, right: users},
	{kind: "renamed input of a pipeline", in: "p", find: `(?m)^  (\w+): \{(?:type|\$ref):`, change: misspell, right: users, known: isUsed},
	{kind: "renamed input of an operation", in: "v", find: `(?m)^      (\w+): \{(?:type|\$ref):`, change: misspell, right: users, known: isOperationInput},
	{kind: "renamed output of an operation", in: "v", find: `(?m)^        (\w+): (?:"@this"|\w+|\{path:.*\})$`, change: misspell, right: users, known: isReadOutput},
	{kind: "renamed field of an answer's schema", in: "v", find: `(?m)^      (\w+): \{type: .*\}`, change: misspell, right: users, known: isReadField},
	{kind: "dropped field of an answer's schema", in: "v", find: `(?m)^      \w+: \{type: .*\}.*\n`, change: gone, right: users, known: isReadField},
	{kind: "swapped type of an answer's field", in: "v", find: `(?m)^      (\w+: \{type: (?:string|integer)\b)`, change: swapType, right: users, known: isReadField},
	{kind: "misspelt field among those required", in: "v", find: `(?m)^    required: \[(?:\w+, )*?(\w+)(?:, \w+)*\]\n    properties:\n`, change: misspell},
	{kind: "field of an answer that may be absent", in: "v", find: `(?m)^ +required: \[(?:\w+, )*?(\w+, )`, change: gone, right: users, known: isReadField},
	{kind: "number for a list", in: "p", find: `(?m)foreach: ([\w.]+)$`, change: func(m string) string { return "len(" + m + ")" }},
	{kind: "secret into an open place", in: "v", find: `: \$\{\{ (?:config\.(?:password|secret_key|token) \}\}\n) `, change: gone},
	{kind: "whole output for its member", in: "p", find: `steps\.\w+\.outputs(\.\w+) [!=]= `, change: gone},

	// Steps and effects.
	{kind: "dropped id", in: "p", find: `(?m)^ +- (id: \w+\n +)`, change: gone, right: users, known: isRead},
	{kind: "step that is there twice", in: "p", find: `(?m)^  - id: \w+\n(?:    .*\n)+`, change: twice},
	{kind: "step above one that it reads", in: "p", find: `(?m)^  - id: \w+\n(?:    .*\n)+\n?(?:  #.*\n)*  - id: \w+\n(?:    .*\n)+`, change: swapSteps, known: readsFirst},
	{kind: "create that says it is a read", in: "v", find: `effect: (create)`, change: becomes("read"), right: around},
	{kind: "read that says it is a create", in: "v", find: `effect: (read)`, change: becomes("create"), right: around},
	{kind: "create without identity", in: "v", find: `(?m)^    identity: .*\n(?:      .*\n)*`, change: gone, right: around},
	{kind: "foreach around a create without key", in: "p", find: `(?m)^    key: .*\n`, change: gone, right: around, known: isCreating},
	{kind: "collect without foreach", in: "p", find: `(?m)^  - id: \w+\n()    (?:call|set):`, change: becomes("    on_error: collect\n")},
	{kind: "until without every", in: "p", find: `(?m)^    every: .*\n`, change: gone, right: around},
	{kind: "login that needs itself", in: "v", find: `(?m)^    auth: none\n`, change: gone, right: around},
	{kind: "reconcile by a write", in: "v", find: `(?m)^    reconcile:\n      call: (get_company_by_vat_id|get_supplier_articles|list_clients)`, change: func(m string) string {
		return map[string]string{"get_company_by_vat_id": "create_company", "get_supplier_articles": "update_supplier_articles", "list_clients": "edit_client"}[m]
	}},
}, testFileMutations, meanings(), forgottenMarkers())

// isUsed reports whether a declared name is mentioned more often than the once that declares it.
func isUsed(c *corpus, m *mutant) bool {
	n := 0
	for _, f := range c.reread[m.file] {
		n += len(c.mentions(f, m.name))
	}
	return n > 1
}

// isField reports whether the name is a field of one of the vendor's schemas.
func isField(c *corpus, m *mutant) bool {
	_, schemas, _ := strings.Cut(string(c.files[m.file].Data), "\nschemas:")
	return strings.Contains(schemas, " "+m.name+": {")
}

// isInput reports whether the name is an input of what the step calls in which it stands.
func isInput(c *corpus, m *mutant) bool {
	return slices.ContainsFunc(c.called(m), func(p *catalog.Param) bool { return p.Name == m.name })
}

// isNeeded reports whether it is one that must be given.
func isNeeded(c *corpus, m *mutant) bool {
	return slices.ContainsFunc(c.called(m), func(p *catalog.Param) bool { return p.Name == m.name && p.Required() })
}

// holdsNeeded reports whether one of the arguments of a call must be given.
func holdsNeeded(c *corpus, m *mutant) bool {
	return slices.ContainsFunc(c.called(m), (*catalog.Param).Required)
}

// isRead reports whether something reads the step.
func isRead(c *corpus, m *mutant) bool {
	m.name = strings.Fields(m.old)[1]
	return strings.Contains(string(c.files[m.file].Data), "steps."+m.name+".")
}

// isReadField reports whether a path or an expression reads the field of an answer.
func isReadField(c *corpus, m *mutant) bool {
	_, schemas, _ := strings.Cut(string(c.files[m.file].Data), "\nschemas:")
	if !strings.Contains(schemas, strings.TrimSuffix(m.old, ", ")) {
		return false
	}
	reads := regexp.MustCompile(`(?m)\.` + m.name + `\b|^ {8,}\w+: (?:\{path: )?` + m.name + `\b`)
	return slices.ContainsFunc(c.reread[m.file], func(file string) bool { return reads.Match(c.files[file].Data) })
}

// isReadOutput reports whether a step that calls the operation, or a look-up, reads the output.
func isReadOutput(c *corpus, m *mutant) bool {
	above := string(c.files[m.file].Data)[:m.at]
	operations := regexp.MustCompile(`(?m)^  (\w+):$`).FindAllStringSubmatch(above, -1)
	if !strings.HasSuffix(above[:strings.LastIndex(above, "      outputs:\n")+len("      outputs:\n")], "outputs:\n") || strings.LastIndex(above, "\n      outputs:") < strings.LastIndex(above, "\n      body:") || len(operations) == 0 {
		return false
	}
	calls := regexp.MustCompile(`(?m)(?:^ *- id: (\w+)\n(?:.+\n)*?)? +call: (?:\w+\.)?` + operations[len(operations)-1][1] + `\n((?:.+\n)*)`)
	for _, file := range c.reread[m.file] {
		text := string(c.files[file].Data)
		for _, call := range calls.FindAllStringSubmatch(text, -1) {
			if regexp.MustCompile(`[ (]outputs\.`+m.name+`\b`).MatchString(call[2]) || call[1] != "" && regexp.MustCompile(`steps\.`+call[1]+`\.outputs\.`+m.name+`\b`).MatchString(text) {
				return true
			}
		}
	}
	return false
}

// inExpression reports whether the place is in an expression, and not in prose.
func inExpression(c *corpus, m *mutant) bool {
	above := string(c.files[m.file].Data)[:m.at]
	line := above[strings.LastIndex(above, "\n")+1:]
	if strings.Contains(line, "${{") {
		return strings.LastIndex(line, "${{") > strings.LastIndex(line, "}}")
	}
	return !prose.MatchString(line) || expressionKey.MatchString(line)
}

// prose begins lines without a marker that hold no expression.
var prose = regexp.MustCompile(`^ *(?:- )?["{]?\w+: `)

// expressionKey begins those that do.
var expressionKey = regexp.MustCompile(`^ *(?:- )?(?:if|until|fail_if|foreach|key|ok|found|identity|where|when|token|stop|\$each): `)

// isOperationInput reports whether the place is among the inputs of an operation.
func isOperationInput(c *corpus, m *mutant) bool {
	above := string(c.files[m.file].Data)[:m.at]
	return strings.LastIndex(above, "\n    inputs:") > strings.LastIndex(above, "\n    request:") && !strings.Contains(above, "\nschemas:")
}

// isCreating reports whether the foreach around the place creates something for each row.
func isCreating(c *corpus, m *mutant) bool {
	line := 1 + strings.Count(string(c.files[m.file].Data)[:m.at], "\n")
	var inner *pipeline.Step
	for s := range pipeline.AllSteps(c.project.Find(m.file).Steps) {
		if s.Foreach != nil && s.Place.Pos.Line < line {
			inner = s
		}
	}
	return inner != nil && creates([]*pipeline.Step{inner})
}

func creates(steps []*pipeline.Step) bool {
	for s := range pipeline.AllSteps(steps) {
		if call, ok := s.Action.(*pipeline.Call); ok && (call.Operation != nil && call.Operation.Effect == flow.Create || call.Pipeline != nil && creates(call.Pipeline.Steps)) {
			return true
		}
	}
	return false
}

// readsFirst reports whether the second of two steps reads the first.
func readsFirst(c *corpus, m *mutant) bool {
	first := m.old[len("  - id: "):strings.Index(m.old, "\n")]
	return strings.Contains(m.old, "steps."+first+".")
}
