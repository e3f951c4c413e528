// Package source reads YAML and remembers where every value stood. It is the
// only importer of yaml.v3.
//
// Nothing is ever decoded into Go values by the library, since that changes what
// was written (0012345 would become 5349). Read works on the library's nodes, finds each
// scalar's characters again in the text, and reports what YAML would silently
// turn into something else.
//
// The codes of its faults:
//
//	encoding           not UTF-8
//	control-character  a character YAML does not allow
//	empty-file         no value at all
//	second-document    a second document behind ---
//	syntax             what YAML refuses, and we have no name for
//	tab                a tab as indentation
//	colon              ": " in a text without quotes
//	quote              a text that goes on after its closing quote
//	reserved           a text that begins with @, ` or %
//	indicator          a text that begins with &, * or ! and is no anchor, alias or tag
//	marker-cut         a ${{ that a comment, a colon or a bracket cut
//	comment            a value, or a part of one, that is a comment
//	tag                a tag, known to YAML or not
//	number             a number that is not written as JSON writes it, or out of range
//	yes-no             yes, no, on, off: texts, not booleans (a warning)
//	key                a key that is empty, a list or a mapping
//	duplicate-key      the same key twice
//	merge-key          <<
//	alias-loop         an alias inside of what it names
//	alias-bomb         aliases that stand for too much
//	too-deep           too many lists and mappings inside of each other
//	not-formatted      Format leaves the file as it is
//
// One scanner, the tracer, finds where a scalar begins and ends, for places and for Format, which cuts the text
// into tokens with its help and writes these with other white space between them, so that what it does not
// know stays. The finder is another thing: it guesses at texts that YAML refuses, of which there are no nodes.
package source
