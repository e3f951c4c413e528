package project_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/project"
)

// FuzzLoad loads arbitrary bytes in place of a vendor file or of a pipeline
// that another one calls: nothing panics, and every fault stands inside its file. Run it with -fuzzminimizetime 10x: files
// are read side by side, so that what an input covers differs from time to time.
func FuzzLoad(f *testing.F) {
	for _, text := range sound {
		f.Add([]byte(text), true)
		f.Add([]byte(text), false)
	}
	for _, tt := range faultCases {
		for _, e := range tt.edits {
			name := e.file
			f.Add(spoil(f, tt.edits...)[name].Data, strings.HasPrefix(name, "specs/"))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte, vendor bool) {
		if len(text) > 1<<14 {
			t.Skip("long files only cost time")
		}
		name := one
		if vendor {
			name = shop
		}
		files := spoil(t)
		files[name].Data = text
		_, faults := project.Load(files)
		for _, d := range faults {
			checkPlace(t, string(text), name, d.File, d.Pos)
			for _, r := range d.Related {
				checkPlace(t, string(text), name, r.File, r.Pos)
			}
			if d.Message == "" || d.Code == "" {
				t.Errorf("a fault without message or code: %+v", d)
			}
		}
	})
}

func checkPlace(t *testing.T, spoilt, name string, f *diag.File, at diag.Pos) {
	if f == nil {
		t.Error("a fault in no file")
		return
	}
	if !at.IsValid() {
		return // of the file as a whole
	}
	text := sound[f.Name]
	if f.Name == name {
		text = spoilt
	}
	lines := strings.Split(strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n"), "\n")
	if at.Line > len(lines) {
		t.Fatalf("line %d of the %d in %s", at.Line, len(lines), f.Name)
	}
	if n := utf8.RuneCountInString(lines[at.Line-1]); at.Col < 1 || at.Col > n+1 {
		t.Errorf("column %d in line %d of %s, which has %d runes", at.Col, at.Line, f.Name, n)
	}
}
