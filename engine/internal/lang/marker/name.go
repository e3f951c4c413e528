package marker

import (
	"strings"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser/lexer"
	"github.com/seed627bd532/runner/engine/internal/source"
)

// IsName reports whether text can be the name of a variable.
func IsName(text string) bool {
	switch text {
	case "true", "false", "null", "nil", "omit":
		return false
	}
	tokens, err := lexer.Lex(file.NewSource(text))
	return err == nil && len(tokens) == 2 && tokens[0].Kind == lexer.Identifier &&
		tokens[0].Value == text && !strings.ContainsRune(text, '$')
}

// JustName returns the name that is all of a value: ${{ name }}.
func JustName(n *source.Node) (name string, ok bool) {
	if n == nil || n.Kind != source.Scalar {
		return "", false
	}
	inner, ok := strings.CutPrefix(strings.TrimSpace(n.Text), Open)
	inner, closed := strings.CutSuffix(inner, Close)
	name = strings.TrimSpace(inner)
	return name, ok && closed && IsName(name)
}
