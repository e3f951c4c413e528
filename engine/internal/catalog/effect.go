package catalog

import (
	"regexp"
	"slices"
	"strings"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/source"
)

// An effect that does not go with what is sent: what is called a read is sent again and again.

// repeatable warns of a request, n, that does not go with what the operation does.
func (d *decoder) repeatable(operation, n *source.Node, op *Operation) {
	method := n.Get("method")
	switch {
	case op.Effect == flow.Read && (method.Text == "PUT" || method.Text == "PATCH" || method.Text == "DELETE"):
		d.faults.Add(method.Warnf("method-effect", "%s changes something, and the operation says that it reads", method.Text).
			WithHint("effect: idempotent is what may be repeated without harm"))
	case op.Effect == flow.Create && operation.Get("identity") != nil && (method.Text == "GET" || method.Text == "HEAD" || method.Text == "DELETE"):
		d.faults.Add(method.Warnf("method-effect", "%s may be repeated by whatever stands between here and the vendor, and the operation creates", method.Text).
			WithHint("a create is a POST nearly everywhere"))
	case n.Get("body") != nil && (method.Text == "GET" || method.Text == "HEAD"):
		d.faults.Add(n.Key("body").Warnf("method-effect", "a %s has no body that a vendor would look at", method.Text).
			WithHint("put the values below query, or send a POST"))
	default:
		if sign := creating(operation, n, op); sign != "" {
			d.faults.Add(operation.Get("effect").Warnf("method-effect", "effect: %s, and %s: a request whose answer is lost would be sent again", op.Effect, sign).
				WithHint("effect: create is what must not happen twice"))
		}
	}
}

// creating says why an operation that claims to be harmless looks like one that creates; "" where it does not.
func creating(operation, request *source.Node, op *Operation) string {
	keyed := hasKey(request)
	switch {
	case op.Effect == flow.Create:
	case op.Effect == flow.Read && keyed:
		return "an idempotency key is sent, as for a create"
	case request.Get("method").Text != "POST":
	case op.Effect == flow.Read && namesCreate(op.Name, changingWords):
		return op.Name + " is named like something that is done, and sent by POST"
	case op.Effect == flow.Idempotent && !keyed && !mentions(request, "call.key") && namesCreate(op.Name, creatingWords):
		return op.Name + " is named like a create, and sends no idempotency key"
	case op.Effect == flow.Read && !saysRead(wordsOf(op.Name)) && expects201(operation.Get("response")):
		return "status 201 (created) counts as success"
	}
	return ""
}

// hasKey reports whether a header of the request is an idempotency key.
func hasKey(request *source.Node) bool {
	headers := request.Get("headers")
	return headers != nil && slices.ContainsFunc(headers.Pairs, func(p source.Pair) bool {
		return strings.Contains(strings.ToLower(p.Key.Text), "idempoten")
	})
}

// The words that names of operations begin with. Some also say of what there is a list: open_orders, order_lines.
var (
	creatingWords = []string{"create", "insert", "register", "place"}
	changingWords = append([]string{
		"add", "activate", "approve", "assign", "buy", "cancel", "charge", "delete", "edit", "enable", "disable", "insert", "make",
		"pay", "provision", "purchase", "refund", "remove", "renew", "reserve", "restore", "save", "send", "submit", "subscribe",
		"suspend", "transfer", "update", "upsert", "write",
	}, creatingWords...)
	listingWords = []string{"book", "change", "import", "issue", "new", "open", "order", "post", "set", "ship", "upload"}
	readingWords = regexp.MustCompile(`^(auth|available|availability|balance|calc|calculate|calculation|catalog|catalogue|check|compare|count|describe|details?|download|dry|estimate|exists|export|fetch|filter|find|get|history|info|inventory|list|login|logon|lookup|look|match|options|ping|preview|prices?|query|quotes?|rates?|read|report|result|results|search|session|show|simulate|simulation|state|status|stock|summary|test|token|validate|validation|verify|view|or)$`)
)

var wordsOfName = regexp.MustCompile(`[A-Z]?[a-z0-9]+|[A-Z]+`)

// wordsOf returns the words of a name, in lower case.
func wordsOf(name string) []string {
	words := wordsOfName.FindAllString(name, -1)
	for i := range words {
		words[i] = strings.ToLower(words[i])
	}
	return words
}

// saysRead reports whether one of the words is of something that is read.
func saysRead(words []string) bool { return slices.ContainsFunc(words, readingWords.MatchString) }

// namesCreate reports whether a name begins with one of the words, and none of it says that something is read.
func namesCreate(name string, begin []string) bool {
	words := wordsOf(name)
	if len(words) == 0 || saysRead(words) {
		return false
	}
	isOne := len(words) > 1 && !strings.HasSuffix(words[len(words)-1], "s")
	return slices.Contains(begin, words[0]) || len(begin) > len(creatingWords) && isOne && slices.Contains(listingWords, words[0])
}

var created = regexp.MustCompile(`\b201\b`)

// expects201 reports whether a response, which may be nil, takes status 201 for a success.
func expects201(response *source.Node) bool {
	if response == nil {
		return false
	}
	if ok := response.Get("ok"); ok != nil && created.MatchString(ok.Text) {
		return true
	}
	rules := response.Get("outcomes")
	return rules != nil && slices.ContainsFunc(rules.Items, func(rule *source.Node) bool {
		return flow.Outcome(rule.Get("is").Text) == flow.OK && created.MatchString(rule.Get("if").Text)
	})
}
