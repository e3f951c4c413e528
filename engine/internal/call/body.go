package call

import (
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/template"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// setBody writes the request body, with the injected members merged into its
// top level, and returns its content type. Nothing is pooled here: net/http may still
// be sending a body after it has returned.
func (w *wire) setBody(op *operation, vars expr.Vars, injected *value.Object) (content []string, err error) {
	t := op.Request.Body
	if t == nil && injected.Len() == 0 {
		return nil, nil
	}
	style, err := op.Request.Style(vars)
	if err != nil {
		return nil, err
	}
	size := op.bodySize.Load()
	dst := make([]byte, 0, size+64)
	switch {
	case style == "form":
		content = formContent
		w.body, w.hasBody, err = appendForm(dst, &op.Request, vars, injected)
	case style == "multipart":
		w.body, content, err = appendMultipart(dst, t, vars, injected)
		w.hasBody = err == nil
	case style == "text":
		content = textContent
		w.body, w.hasBody, err = appendText(dst, t, vars, injected)
	case injected.Len() > 0:
		content = jsonContent
		w.body, w.hasBody, err = appendMerged(dst, t, vars, injected)
	default:
		content = jsonContent
		w.body, w.hasBody, err = t.AppendJSON(dst, vars)
	}
	if n := int64(len(w.body)); n > size {
		op.bodySize.Store(n)
	}
	return content, err
}

func appendMerged(dst []byte, t *template.Template, vars expr.Vars, injected *value.Object) ([]byte, bool, error) {
	body, err := evalObject(t, vars, "a body that credentials are injected into")
	if err != nil {
		return nil, false, err
	}
	return value.AppendJSON(dst, merge(body, injected)), true, nil
}

func merge(body, injected *value.Object) *value.Object {
	if injected.Len() == 0 {
		return body
	}
	merged := body.Clone()
	for name, v := range injected.All() {
		merged.Set(name, v)
	}
	return merged
}

func appendText(dst []byte, t *template.Template, vars expr.Vars, injected *value.Object) ([]byte, bool, error) {
	if injected.Len() > 0 {
		return nil, false, faultf("inject into headers or query instead", "credentials cannot be injected into a body of text")
	}
	v, err := t.Eval(vars)
	if err != nil || v == types.Omit {
		return nil, false, err
	}
	text, err := scalar("the", "body", v)
	return append(dst, text...), err == nil, err
}
