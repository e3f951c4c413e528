package catalog

import (
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// The names in scope at each place of a vendor file. The Vars functions give
// their values in the same order.

func configScope(config *types.Type) *expr.Scope {
	return expr.NewScope(expr.Name{Name: "config", Type: config})
}

// ConfigVars are in scope where a login's inputs are made.
func ConfigVars(config *value.Object) expr.Vars { return expr.Vars{config} }

func injectScope(config, token *types.Type) *expr.Scope {
	return configScope(config).With(expr.Name{Name: "token", Type: token})
}

// InjectVars are in scope below auth.inject.
func InjectVars(config *value.Object, token value.Value) expr.Vars {
	return expr.Vars{config, token}
}

func tokenScope(config, outputs *types.Type) *expr.Scope {
	return configScope(config).With(expr.Name{Name: "outputs", Type: outputs})
}

// TokenVars are in scope at auth.token.value.
func TokenVars(config, outputs *value.Object) expr.Vars { return expr.Vars{config, outputs} }

var callType = types.ObjectOf(types.Field{Name: "key", Type: types.TextType})

// requestScope has the identity of a create, and page for an operation that is paged; the types
// are nil for others. No operation has both.
func requestScope(config, inputs, identity, page *types.Type) *expr.Scope {
	s := configScope(config).With(
		expr.Name{Name: "inputs", Type: inputs},
		expr.Name{Name: "call", Type: callType},
	)
	if identity != nil {
		s = s.With(expr.Name{Name: identityName, Type: identity})
	}
	if page != nil {
		s = s.With(expr.Name{Name: "page", Type: page})
	}
	return s
}

// identityName is what an operation's identity is called where it is in scope.
const identityName = "identity"

// RequestVars are in scope in a request of op. callKey is the run's
// id and the call's key without attempt. Those of a paged operation are completed by Paging.Vars.
// The error is that of an identity that cannot be evaluated.
func (op *Operation) RequestVars(config, inputs *value.Object, callKey string) (expr.Vars, error) {
	call := value.NewObject(1)
	call.Add("key", callKey)
	vars := expr.Vars{config, inputs, call}
	if op.Identity == nil || op.Batch != nil {
		return vars, nil
	}
	identity, err := op.Identity.Eval(IdentityVars(inputs))
	return append(vars, identity), err
}

// answerScope has body as far as it is known: of a success alone anything is.
func answerScope(request *expr.Scope, body *types.Type) *expr.Scope {
	return request.With(
		expr.Name{Name: "status", Type: &types.Type{Kind: types.Integer, Least: 100, Most: 599}},
		expr.Name{Name: "headers", Type: &types.Type{Kind: types.Object, LowerNames: true, Extra: types.TextType.OrNull("a header may be missing")}},
		expr.Name{Name: "text", Type: types.TextType},
		expr.Name{Name: "body", Type: body},
	)
}

// AnswerVars are in scope where an answer is classified: those of its request,
// then status, headers (names in lower case), text (the raw answer) and body
// (its JSON value; nil if it is empty, null or not JSON).
func AnswerVars(request expr.Vars, status int, headers *value.Object, text string, body value.Value) expr.Vars {
	return append(request[:len(request):len(request)], int64(status), headers, text, body)
}

// StopVars are in scope at paginate.stop: those of the answer, the outputs of
// its page, and its outcome.
func StopVars(answer expr.Vars, outputs *value.Object, outcome flow.Outcome) expr.Vars {
	return append(answer[:len(answer):len(answer)], outputs, string(outcome))
}

func identityScope(inputs *types.Type) *expr.Scope {
	return expr.NewScope(expr.Name{Name: "inputs", Type: inputs})
}

// IdentityVars are in scope at an operation's identity. Config is not: an
// identity is computed where no credentials are.
func IdentityVars(inputs *value.Object) expr.Vars { return expr.Vars{inputs} }

// LookupVars are in scope at reconcile.with: the inputs of the operation and,
// with a batch, the row; then the identity of what is looked for. Config is not, as with an identity.
func LookupVars(inputs *value.Object, identity value.Value, row ...value.Value) expr.Vars {
	return append(append(expr.Vars{inputs}, row...), identity)
}

// FoundVars are in scope at reconcile.found and reconcile.outputs: those of the
// look-up's inputs, its outputs, and its outcome.
func FoundVars(lookup expr.Vars, outputs *value.Object, outcome flow.Outcome) expr.Vars {
	return append(lookup[:len(lookup):len(lookup)], outputs, string(outcome))
}

func rowAnswerScope(answer *expr.Scope, row *types.Type) *expr.Scope {
	return answer.With(expr.Name{Name: "row", Type: row})
}

// RowAnswerVars are in scope at response.rows.ok: those of the answer, and row,
// which is the part of it that answers one row.
func RowAnswerVars(answer expr.Vars, row value.Value) expr.Vars {
	return append(answer[:len(answer):len(answer)], row)
}
