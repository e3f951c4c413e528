package template

import "strings"

// deepestUse is how many members behind a name are looked at.
const deepestUse = 3

// eachUseIn calls found for each byte of the text at which name stands, with the members behind it.
func eachUseIn(text, name string, found func(at int, path []string)) {
	for at := 0; ; {
		i := strings.Index(text[at:], name)
		if i < 0 {
			return
		}
		from := at + i
		at = from + len(name)
		// 1..inputs.count is a range
		if from > 0 && (text[from-1] == '.' && !strings.HasSuffix(text[:from], "..") || isWord(text[from-1])) || at < len(text) && isWord(text[at]) {
			continue
		}
		var path []string
		for len(path) < deepestUse {
			member, n := usePart(text[at:])
			if n == 0 {
				break
			}
			path = append(path, member)
			at += n
		}
		found(from, path)
	}
}

// usePart reads one member behind a name: .x, ?.x or ['x']; n is 0 where there is none.
func usePart(text string) (member string, n int) {
	if strings.HasPrefix(text, "['") || strings.HasPrefix(text, `["`) {
		end := strings.Index(text[2:min(len(text), 200)], text[1:2]+"]")
		if end < 0 {
			return "", 0
		}
		return text[2 : 2+end], end + 4
	}
	rest := strings.TrimPrefix(text, "?")
	if rest == "" || rest[0] != '.' {
		return "", 0
	}
	end := 1
	for end < len(rest) && isWord(rest[end]) {
		end++
	}
	if end == 1 {
		return "", 0
	}
	return rest[1:end], len(text) - len(rest) + end
}

func isWord(b byte) bool {
	return b == '_' || '0' <= b && b <= '9' || 'a' <= b|0x20 && b|0x20 <= 'z'
}
