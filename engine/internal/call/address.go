package call

import (
	"net/url"
	"strings"

	"github.com/seed627bd532/runner/engine/internal/lang"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// address joins the base URL, without its final slash, and the path. Only the
// path changes: no value can move the request to another host, into the query
// or up the tree.
func address(base *url.URL, path *lang.Template, vars lang.Vars) (*url.URL, error) {
	u := *base
	if path == nil {
		return &u, nil
	}
	text, err := pathText(path, vars)
	if err != nil || text == "" {
		return &u, err
	}
	if err := checkPath(text); err != nil {
		return nil, err
	}
	u.Path = strings.TrimSuffix(base.Path, "/") + text
	u.RawPath = strings.TrimSuffix(base.EscapedPath(), "/") + escapePath(text)
	return &u, nil
}

func pathText(path *lang.Template, vars lang.Vars) (string, error) {
	v, err := path.Eval(vars)
	if err != nil {
		return "", err
	}
	if v == lang.Omit {
		return "", faultf("", "the path is omit")
	}
	text, err := value.Text(v)
	if err != nil {
		return "", faultf("", "the path must be text, found %s", value.KindOf(v))
	}
	return text, nil
}

// checkPath refuses paths that would lead elsewhere than their author meant. A
// path is written unescaped; a value cannot be told from the text around it
// here, so that these characters are refused wherever they come from.
func checkPath(path string) error {
	if path[0] != '/' {
		return faultf("", "the path %q must begin with /", path)
	}
	for i := range len(path) {
		switch b := path[i]; {
		case b < ' ' || b == 0x7f:
			return faultf("", "the path %q holds a control character", path)
		case b == '?' || b == '#':
			return faultf("query parameters belong under query", "the path %q must not hold %c", path, b)
		case b == '\\':
			return faultf("", "the path %q must not hold a backslash", path)
		}
	}
	for i, segment := range strings.Split(path[1:], "/") {
		switch segment {
		case ".", "..":
			return faultf("", "the path %q must not hold the segment %s", path, segment)
		case "":
			if i < strings.Count(path, "/")-1 {
				return faultf("is a value in it empty?", "the path %q has an empty segment", path)
			}
		}
	}
	return nil
}

// escapePath escapes all that RFC 3986 does not allow in a path as it stands,
// the percent sign included.
func escapePath(path string) string {
	const plain = "-._~!$&'()*+,;=:@/"
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(path) {
		c := path[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(plain, c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	return b.String()
}

// appendQuery adds the query template's parameters and then the injected ones
// to what the URL has. A list repeats its parameter.
func appendQuery(u *url.URL, t *lang.Template, vars lang.Vars, injected *value.Object) error {
	params, err := evalObject(t, vars, "query")
	if err != nil {
		return err
	}
	if params.Len() == 0 && injected.Len() == 0 {
		return nil
	}
	form := form{text: []byte(u.RawQuery)}
	for _, o := range []*value.Object{params, injected} {
		for name, v := range o.All() {
			list, ok := v.(value.List)
			if !ok {
				list = value.List{v}
			}
			for _, v := range list {
				if err := form.addScalar("the query parameter", name, v); err != nil {
					return err
				}
			}
		}
	}
	u.RawQuery = string(form.text)
	return nil
}
