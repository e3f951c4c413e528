package lang

import (
	"strings"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser/lexer"
)

// isName reports whether text can be the name of a variable.
func isName(text string) bool {
	switch text {
	case "true", "false", "null", "nil", "omit":
		return false
	}
	tokens, err := lexer.Lex(file.NewSource(text))
	return err == nil && len(tokens) == 2 && tokens[0].Kind == lexer.Identifier &&
		tokens[0].Value == text && !strings.ContainsRune(text, '$')
}
