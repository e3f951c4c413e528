// Package catalog is the model of a vendor file: its config, how it is logged
// in to, how its answers are read, and its operations.
package catalog

import (
	"time"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/paths"
	"github.com/seed627bd532/runner/engine/internal/lang/template"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/schema"
)

// A Vendor is a loaded and compiled vendor file. It never changes.
type Vendor struct {
	Name  string
	Title string
	File  *diag.File
	// Config is what every connection to the vendor must supply.
	Config *Params
	Auth   Auth
	// Limits hold for all requests to the vendor together, logins too; nil for none.
	Limits *Limits
	// Operations are in file order.
	Operations []*Operation
}

// Operation returns the operation called name, or nil.
func (v *Vendor) Operation(name string) *Operation {
	for _, o := range v.Operations {
		if o.Name == name {
			return o
		}
	}
	return nil
}

// OperationNames lists the operations in file order.
func (v *Vendor) OperationNames() []string {
	names := make([]string, len(v.Operations))
	for i, o := range v.Operations {
		names[i] = o.Name
	}
	return names
}

// Auth says how calls prove who is calling. The zero value proves nothing.
type Auth struct {
	// Token says how a token is got; nil when Inject needs none.
	Token *Token
	// BaseURL, over InjectVars, takes the place of the connection's for calls that carry
	// credentials; nil where these stay at that.
	BaseURL *template.Template
	// Inject says where credentials go, over InjectVars.
	Headers *template.Template
	Query   *template.Template
	Body    *template.Template
}

// Token says how a token is got and how long it is trusted.
type Token struct {
	// Kind names the way: TokenCall, TokenOAuth2 or TokenValue.
	Kind string
	// Call is the operation that logs in, and With its inputs (over ConfigVars). Nil for other kinds.
	Call *Operation
	With *template.Template
	// Value makes the token of what came with it (over TokenVars), and Parts one that has
	// several. Both are nil for TokenValue, and where the endpoint's access_token is the token.
	Value *expr.Expr
	Parts *template.Template
	// Type is what token is below auth.inject.
	Type *types.Type
	// OAuth2 is the token endpoint; nil for other kinds.
	OAuth2 *OAuth2
	// Fixed is the token of TokenValue (over ConfigVars); nil for other kinds.
	Fixed *template.Template
	// Check is an operation that tells whether a token kept from before still lives; nil to trust it.
	Check *Operation
	// Lifetime is how long a token is trusted when the answer gives no expiry; 0 for ever.
	Lifetime time.Duration
	// Timeout bounds a request for a token that is no operation.
	Timeout time.Duration
	// Exclusive tokens serve one request at a time. After one that timed out the
	// next waits for Settle; 0 means as long as the time-out was.
	Exclusive bool
	Settle    time.Duration
}

// The kinds of tokens, as files and auth.Kinds name them.
const (
	TokenCall   = "call"
	TokenOAuth2 = "oauth2"
	TokenValue  = "value"
)

// OAuth2 is a token endpoint. The templates are over ConfigVars.
type OAuth2 struct {
	Grant string // client_credentials | password | refresh_token
	// URL is absolute, or begins with / and continues the connection's base URL.
	URL *template.Template
	// Params are the other fields of the form; nil for none.
	Params *template.Template
	// Basic sends client_id and client_secret by HTTP Basic in place of the form.
	Basic bool
}

// An Operation is one endpoint of a vendor.
type Operation struct {
	Vendor *Vendor
	Name   string
	Place  diag.Place
	Effect flow.Effect
	// NoAuth operations are sent without token and without anything injected (auth: none).
	NoAuth   bool
	Inputs   *Params
	Request  Request
	Response Response
	// SecretInputs and SecretOutputs name those that are secret, or hold something secret:
	// nothing may write them down.
	SecretInputs, SecretOutputs []string
	// Identity is what must not be created twice (over IdentityVars); nil for
	// none. With a Batch it names one row, and BatchRows evaluates it.
	Identity *expr.Expr
	// Reconcile says how to look for what Identity names; nil where nothing can tell.
	Reconcile *Reconcile
	// Batch is set for an operation that sends many rows in one request.
	Batch *Batch
	// Paging is set for an operation whose answer comes page by page.
	Paging  *Paging
	Timeout time.Duration
	Retry   Retry
	// Limits are the operation's own, beside its vendor's; nil for none.
	Limits *Limits
}

// Request says what is sent. The templates are over RequestVars; nil ones are absent.
type Request struct {
	Method string
	Path   *template.Template
	// URL is an address that an answer gave, in place of Path.
	URL     *template.Template
	Query   *template.Template
	Headers *template.Template
	Body    *template.Template
	As      string // json | form | multipart | text; empty where config says it
	// Nested says how lists and objects stand in a form: json, brackets or repeat.
	Nested string
	// JSONField names the field of a form that has all of the body as JSON text; "" for none.
	JSONField string
	// style gives json or form, where As is empty.
	style *template.Template
}

// Style returns how the body is written: json, form or text. vars are RequestVars.
func (r *Request) Style(vars expr.Vars) (string, error) {
	if r.style == nil {
		return r.As, nil
	}
	v, err := r.style.Eval(vars)
	if err != nil {
		return "", err
	}
	style, _ := v.(string) // one of bodyStyles, as its type says
	return style, nil
}

// Response says how an answer is read; the vendor's envelope is already merged in.
type Response struct {
	As string // json | text | csv | lines | xml | none
	// Outcomes are tried top-down, over AnswerVars; then OK (nil: status in 200..299); then the built-in table.
	Outcomes []Rule
	OK       *expr.Expr
	// Data is where schema and outputs look (nil: the whole body), Message the vendor's own words (nil: the shortened text).
	Data    *paths.Path
	Message *paths.Path
	// Secrets say what in the whole answer is masked before anything else looks at it.
	Secrets []*SecretPath
	// Schema is what the data must fit; nil for no check.
	Schema *schema.Schema
	// Over is the type of what Schema describes; nil where there is none.
	Over    *types.Type
	Outputs []*paths.Mapping
	// OutputsType is the object type of Outputs where the outcome is ok; see Given.
	OutputsType *types.Type
	// empty is the type of the outputs where the outcome is empty, and given where it is ok or empty;
	// nil where it is never empty.
	empty, given *types.Type
}

// A Rule gives an answer its outcome when If is true. An If that cannot be
// evaluated, because the answer has another shape, is false.
type Rule struct {
	If *expr.Expr
	Is flow.Outcome
}

// Retry is how patiently a call is repeated; whether it may be follows from
// effect and outcome alone.
type Retry struct {
	Attempts int
	First    time.Duration
	Max      time.Duration
}
