package expr

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

var textParam = param{name: "text", takes: kinds(types.Text)}

var textFunctions = []function{
	{
		name: "text", doc: "a number, boolean or text as text",
		params: []param{{name: "x", takes: scalar}}, result: always(types.TextType),
		call: func(f *frame, args []value.Value) (value.Value, error) { return value.Text(args[0]) },
	}, {
		name: "lower", doc: "the text in lower case",
		params: []param{textParam}, result: always(types.TextType), call: onText(strings.ToLower),
	}, {
		name: "upper", doc: "the text in upper case",
		params: []param{textParam}, result: always(types.TextType), call: onText(strings.ToUpper),
	}, {
		name: "trim", doc: "the text without blanks at its ends",
		params: []param{textParam}, result: always(types.TextType), call: onText(strings.TrimSpace),
	}, {
		name: "padStart", doc: "the text, filled at its start to a length; with blanks unless told",
		params: []param{
			{name: "text", takes: kinds(types.Text)},
			{name: "length", takes: kinds(types.Integer)},
			{name: "filling", takes: kinds(types.Text), optional: true, check: checkFilling},
		},
		result: always(types.TextType), call: padStart,
	}, {
		name: "split", doc: "the parts of a text between separators",
		params: []param{textParam, {name: "separator", takes: kinds(types.Text)}},
		result: always(types.ListOf(types.TextType)), call: split,
	}, {
		name: "join", doc: "the elements of a list as one text, with a separator between them",
		params: []param{listParam, {name: "separator", takes: kinds(types.Text), optional: true}},
		result: always(types.TextType), call: joinTexts, streams: true,
	}, {
		name: "replace", doc: "the text with every occurrence of old replaced by new",
		params: []param{textParam, {name: "old", takes: kinds(types.Text)}, {name: "new", takes: kinds(types.Text)}},
		result: always(types.TextType), call: replace,
	}, {
		name: "contains", doc: "whether the text has the part in it",
		params: []param{textParam, {name: "part", takes: kinds(types.Text)}},
		result: always(types.BooleanType), call: onTexts("contains"),
	}, {
		name: "startsWith", doc: "whether the text starts with the part",
		params: []param{textParam, {name: "part", takes: kinds(types.Text)}},
		result: always(types.BooleanType), call: onTexts("startsWith"),
	}, {
		name: "endsWith", doc: "whether the text ends with the part",
		params: []param{textParam, {name: "part", takes: kinds(types.Text)}},
		result: always(types.BooleanType), call: onTexts("endsWith"),
	}, {
		name: "matches", doc: "whether a regular expression (RE2) is found in the text",
		params: []param{textParam, {name: "pattern", takes: kinds(types.Text)}},
		result: always(types.BooleanType),
	}, {
		name: "base64", doc: "the text, in UTF-8, written in base64",
		params: []param{textParam}, result: always(types.TextType), call: inBase64,
	}, {
		name: "xml", doc: "the text as it stands in XML, its signs escaped",
		params: []param{textParam}, result: always(types.TextType), call: inXML,
	}, {
		name: "digest", doc: "the SHA-256 of values in hexadecimal digits; equal values have equal digests",
		params: []param{{name: "value", takes: anything, null: true}}, repeat: true,
		result: always(types.TextType), compare: digest,
	},
}

func onText(change func(string) string) func(*frame, []value.Value) (value.Value, error) {
	return func(f *frame, args []value.Value) (value.Value, error) {
		text := args[0].(string)
		if err := f.spend(1 + len(text)/4); err != nil { // rune by rune, at worst
			return nil, err
		}
		if changed := change(text); changed != text {
			return changed, nil
		}
		return args[0], nil
	}
}

// onTexts gives an operator as a function.
func onTexts(name string) func(*frame, []value.Value) (value.Value, error) {
	return func(f *frame, args []value.Value) (value.Value, error) {
		return operators[name](f, args[0], args[1])
	}
}

func inBase64(f *frame, args []value.Value) (value.Value, error) {
	text := args[0].(string)
	if err := f.spendText(base64.StdEncoding.EncodedLen(len(text))); err != nil {
		return nil, err
	}
	return base64.StdEncoding.EncodeToString([]byte(text)), nil
}

func inXML(f *frame, args []value.Value) (value.Value, error) {
	text := args[0].(string)
	if err := f.spendText(6 * len(text)); err != nil {
		return nil, err
	}
	var out strings.Builder
	err := xml.EscapeText(&out, []byte(text))
	return out.String(), err
}

func checkFilling(v value.Value) error {
	if v == "" {
		return errors.New("filling of padStart is empty")
	}
	return nil
}

func padStart(f *frame, args []value.Value) (value.Value, error) {
	text, filling := args[0].(string), " "
	length, ok := args[1].(int64)
	if !ok {
		return nil, fmt.Errorf("length of padStart is %s, expected integer", types.Shown(args[1]))
	}
	if len(args) > 2 {
		filling = args[2].(string)
		if err := checkFilling(filling); err != nil {
			return nil, err
		}
	}
	if err := f.spendText(len(text)); err != nil {
		return nil, err
	}
	missing := length - int64(utf8.RuneCountInString(text))
	if missing <= 0 {
		return text, nil
	}
	if missing > budget*bytesPerStep {
		return nil, ErrBudget
	}
	runes := []rune(filling)
	if err := f.spendText(int(missing) * utf8.UTFMax); err != nil {
		return nil, err
	}
	var b strings.Builder
	for i := range int(missing) {
		b.WriteRune(runes[i%len(runes)])
	}
	return b.String() + text, nil
}

func split(f *frame, args []value.Value) (value.Value, error) {
	text, sep := args[0].(string), args[1].(string)
	if err := f.spendText(len(text)); err != nil {
		return nil, err
	}
	if err := f.spend(strings.Count(text, sep)); err != nil {
		return nil, err
	}
	parts := strings.Split(text, sep)
	list := make(value.List, len(parts))
	for i, p := range parts {
		list[i] = p
	}
	return list, nil
}

func joinTexts(f *frame, args []value.Value) (value.Value, error) {
	sep := ""
	if len(args) > 1 {
		sep = args[1].(string)
	}
	// All is paid for before the text is built: a long separator is no reason
	// to fill the memory first.
	var parts []string
	var broken error
	for i, e := range f.elements(args[0], &broken) {
		text, err := value.Text(e)
		if err != nil {
			return nil, fmt.Errorf("element %d of join is %s, expected %s", i+1, types.Shown(e), scalar)
		}
		if err := f.spendText(len(text) + len(sep)); err != nil {
			return nil, err
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, sep), broken
}

func replace(f *frame, args []value.Value) (value.Value, error) {
	text, before, after := args[0].(string), args[1].(string), args[2].(string)
	if err := f.spendText(len(text)); err != nil {
		return nil, err
	}
	places := strings.Count(text, before)
	if places > 0 && len(after) > budget*bytesPerStep/places {
		return nil, ErrBudget
	}
	if err := f.spendText(len(text) + places*len(after)); err != nil {
		return nil, err
	}
	return strings.ReplaceAll(text, before, after), nil
}

// digest separates the values, so that digest("ab", "c") is not digest("a", "bc").
func digest(f *frame, args []value.Value, ts []types.Times) (value.Value, error) {
	for range 2 { // read once for the canonical form, once for the sum
		if err := f.spendDeep(value.List(args)); err != nil {
			return nil, err
		}
	}
	same := make(value.List, len(args))
	for i, v := range args {
		same[i] = ts[i].Of(v)
	}
	sum := sha256.Sum256([]byte(value.Key(same)))
	return hex.EncodeToString(sum[:]), nil
}
