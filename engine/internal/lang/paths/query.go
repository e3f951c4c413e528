package paths

import (
	"strings"
	"unicode/utf8"

	"github.com/seed627bd532/runner/engine/internal/lang/types"
)

// typeOfWhole is the type of what a path that is left to gjson finds, from the part at on: members,
// indexes, #, queries and @reverse are followed. Of other modifiers, wildcards and objects of paths nothing
// is known, so that what comes behind them is not looked at. Members behind a list of paths, and behind
// @flatten, are looked for, but their types are not relied on.
func (c *pathCompiler) typeOfWhole(f found, rest string, at int) found {
	for rest != "" {
		part, sep := wholePart(rest)
		after := ""
		if sep != 0 {
			after = rest[len(part)+1:]
		}
		next := at + utf8.RuneCountInString(part) + 1
		t := f.typ
		if t.Nullable {
			f = f.orMissing(t.Why)
		}
		unknown := found{typ: types.AnyType.SecretIf(f.typ.HasSecret())}
		query, all, isQuery := queryOf(part)
		name, _, _ := nextPart(part)
		switch {
		case (t.Kind == types.Unknown || t.Kind == types.Null) && t.Members == nil:
			return unknown
		case isQuery && t.Kind == types.Unknown:
			return unknown
		case isQuery && t.Kind != types.List:
			c.misfit(t, step{name: part, key: part, at: at, each: true})
			return unknown
		case isQuery:
			c.query(t.ElemOrAny(), query, at+len("#("))
			if !all {
				f = found{typ: t.ElemOrAny(), missing: f.missing}.orMissing("no element may match")
				break
			}
			list := t.ElemOrAny()
			if sep == '.' && after != "" {
				list = c.typeOfWhole(found{typ: list}, after, next).typ
				after = ""
			}
			f = found{typ: types.ListOf(list).SecretIf(t.Secret), missing: f.missing}
		case strings.HasPrefix(part, "[") && strings.HasSuffix(part, "]") && len(c.n.Text) <= longestList:
			f = c.listOfPaths(f, part, at)
		case part == "@reverse" && (t.Kind == types.List || t.Kind == types.Object): // elements and members stay what they are
		case part == "@flatten" && t.Kind == types.List:
			c.guessed = true
			f.typ = types.ListOf(flattened(t.ElemOrAny()))
		case isGjsonPart(part) || part == "" || part == "#" && after != "":
			return unknown
		default:
			if f = c.walkType(f, c.addStep(nil, part, name, at)); f.typ == types.AnyType {
				return unknown
			}
		}
		rest, at = after, next
	}
	return f
}

// query looks for the member that a query compares, in an element of the list.
func (c *pathCompiler) query(elem *types.Type, query string, at int) {
	end := strings.IndexAny(query, "=!<>%~")
	if end < 0 {
		end = len(query)
	}
	member := strings.TrimSpace(query[:end])
	if member == "" || strings.ContainsAny(member, "#([{@*?\\\"| ") {
		return
	}
	at += utf8.RuneCountInString(query[:strings.Index(query, member)])
	for f, rest := (found{typ: elem}), member; rest != "" && f.typ.Kind != types.Unknown; {
		part, next, _ := strings.Cut(rest, ".")
		f = c.walkType(f, c.addStep(nil, part, part, at))
		at += utf8.RuneCountInString(part) + 1
		rest = next
	}
}

// wholePart returns the part of a path up to the next dot or pipe that is outside
// of brackets and quotes, and which of them ended it; 0 at the end.
func wholePart(rest string) (part string, sep byte) {
	depth := 0
	for i := 0; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case '"':
			for i++; i < len(rest) && rest[i] != '"'; i++ {
				if rest[i] == '\\' {
					i++
				}
			}
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		case '.', '|':
			if depth == 0 {
				return rest[:i], rest[i]
			}
		}
	}
	return rest, 0
}

// queryOf returns what stands in the parentheses of a query, and whether it finds all
// elements that match, not the first one.
func queryOf(part string) (query string, all, ok bool) {
	inner, ok := strings.CutPrefix(part, "#(")
	if !ok {
		return "", false, false
	}
	inner, all = strings.CutSuffix(inner, "#")
	inner, ok = strings.CutSuffix(inner, ")")
	return inner, all, ok
}

// longestList bounds the paths of which the lists are looked into, in bytes: each level of brackets is read anew.
const longestList = 2000

// listOfPaths is the type of [a,b,…]: a list of what each of the paths finds.
func (c *pathCompiler) listOfPaths(f found, part string, at int) found {
	c.guessed = true
	elem := types.NothingType
	at++
	for rest := part[1 : len(part)-1]; rest != ""; {
		one := upToComma(rest)
		elem = types.Join(elem, c.typeOfWhole(found{typ: f.typ}, one, at).typ.NotNull())
		at += utf8.RuneCountInString(one) + 1
		rest = strings.TrimPrefix(rest[len(one):], ",")
	}
	return found{typ: types.ListOf(elem)}
}

// upToComma returns the text before the first comma outside of brackets and quotes.
func upToComma(text string) string {
	for end := 0; ; {
		part, _ := wholePart(text[end:])
		if i := commaIn(part); i >= 0 {
			return text[:end+i]
		}
		if end += len(part); end >= len(text) {
			return text
		}
		end++
	}
}

func commaIn(part string) int {
	depth := 0
	for i := 0; i < len(part); i++ {
		switch part[i] {
		case '\\':
			i++
		case '"':
			for i++; i < len(part) && part[i] != '"'; i++ {
				if part[i] == '\\' {
					i++
				}
			}
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		case ',':
			if depth == 0 {
				return i
			}
		}
	}
	return -1
}

// flattened is the type of the elements of a flattened list of elem: what lists hold, and what is none.
func flattened(elem *types.Type) *types.Type {
	if elem.Kind == types.List {
		return elem.ElemOrAny()
	}
	if len(elem.Either) == 0 {
		return elem
	}
	all := types.NothingType
	for _, one := range elem.Either {
		all = types.Join(all, flattened(one))
	}
	return all
}
