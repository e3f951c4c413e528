// Package page holds the ways in which vendors hand out a listing page by page.
// A Kind knows no YAML, no templates and no positions: it is given plain values,
// and tells which page comes after the one that was read.
//
// A new kind is a file in this package and a line in Builtin.
package page

import (
	"fmt"
	"maps"
	"strconv"
)

// A Page says which page of a listing is asked for.
type Page struct {
	// Value is what the kind's variable is in the request: an int64, a string, or
	// nil where there is none to send, as of a first page that has no cursor.
	Value any
	// Link is where the page is, as the answer before it says: absolute, or
	// relative to the address of that answer. "" where the request itself leads to it.
	Link string
}

// An Answer is what a Kind may know of a page that was read. After a page without items a
// Kind is asked only where the vendor file says that it was not the last one.
type Answer struct {
	// Items is the number of elements on the page.
	Items int
	// Next is what the answer says of the page after it: a cursor or an address; ""
	// when it says nothing. Kinds that do not follow always find "".
	Next string
}

// A Kind is one way of paging. It keeps nothing, so that one Kind serves any
// number of listings at a time: all that a listing knows is in its Page.
type Kind interface {
	// Variable is the member of page that the request has to use: "number" makes
	// page.number. "" where pages have an address of their own.
	Variable() string
	// Follows reports whether the way to the next page is read from each answer.
	Follows() bool
	// First returns the first page. start is where the vendor file lets the
	// listing start; "" where it does not say. An error says what start should be.
	First(start string) (Page, error)
	// Next returns the page after p, which was answered with a; more is false when
	// p was the last.
	Next(p Page, a Answer) (next Page, more bool)
}

// Kinds are the ways of paging by their name in vendor files.
type Kinds map[string]Kind

var builtin = Kinds{
	"number": number{},
	"offset": offset{},
	"cursor": cursor{},
	"link":   link{},
}

// Builtin returns the kinds that vendor files can always use, in a new map.
func Builtin() Kinds { return maps.Clone(builtin) }

// wholeNumber reads a start that is counted; otherwise stands for none.
func wholeNumber(start string, otherwise int64) (Page, error) {
	if start == "" {
		return Page{Value: otherwise}, nil
	}
	n, err := strconv.ParseInt(start, 10, 32)
	if err != nil || n < 0 {
		return Page{}, fmt.Errorf("expected a whole number from 0, found %s", start)
	}
	return Page{Value: n}, nil
}
