// Package diag holds the faults that users can mend, and prints them.
//
// A fault is a [Diagnostic]: a place in a [File], a stable code, a sentence, and
// where possible a hint. Finders collect theirs in a [List], so that one run of a
// check shows everything at once:
//
//	var faults diag.List
//	faults.Add(&diag.Diagnostic{
//		File:    file,
//		Pos:     diag.Pos{Line: 9, Col: 18},
//		Code:    "unknown-name",
//		Message: `unknown name "naem"`,
//		Hint:    "did you mean name?",
//	})
//	diag.Render(os.Stderr, faults)
//
// prints
//
//	specs/acme.yaml:9:18: unknown name "naem"
//	    9 |     "name": "${{ naem }}"
//	      |                  ^
//	  hint: did you mean name?
//
// [RenderJSON], [RenderGitHub] and [RenderSARIF] print the same for machines.
//
// Columns count runes, as editors do; a byte order mark and line breaks are not
// part of a line. A file's text may be hostile: what is printed never moves the
// terminal's cursor or reorders its text.
package diag
