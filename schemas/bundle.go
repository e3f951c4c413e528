package schemas

import (
	"strings"
)

// Kinds returns the kinds of files that there is a grammar for, as Bundle takes them.
func Kinds() []string { return []string{"vendor", "pipeline", "connections", "test", "sandbox"} }

// Bundle returns the grammar of a kind of file as one document that refers to
// no other. ok is false when there is no such kind.
func Bundle(kind string) (text []byte, ok bool) {
	for _, known := range Kinds() {
		ok = ok || kind == known
	}
	if !ok {
		return nil, false
	}
	// The texts are a part of the program, laid out as is relied on here; a test reads what comes of it.
	own, data := grammar(kind), grammar("data")
	data = strings.Replace(data, "  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n", "", 1)
	data = strings.ReplaceAll(data, `"$ref": "#`, `"$ref": "#/$defs/data`)
	data = strings.ReplaceAll(strings.TrimSpace(data), "\n", "\n    ")
	own = strings.ReplaceAll(own, `"$ref": "data.schema.json#`, `"$ref": "#/$defs/data`)
	own = strings.ReplaceAll(own, `"$ref": "data.schema.json"`, `"$ref": "#/$defs/data"`)
	const defs = "\n  \"$defs\": {\n"
	if strings.Contains(own, defs) {
		own = strings.Replace(own, defs, defs+`    "data": `+data+",\n", 1)
	} else {
		own = strings.TrimSuffix(strings.TrimSpace(own), "\n}") + "," + defs + `    "data": ` + data + "\n  }\n}\n"
	}
	return []byte(own), true
}

// grammar returns the text of a file that is embedded.
func grammar(kind string) string {
	text, err := files.ReadFile(kind + ".schema.json")
	if err != nil {
		panic("schemas: " + err.Error())
	}
	return string(text)
}
