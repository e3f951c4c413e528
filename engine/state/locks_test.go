package state

import (
	"fmt"
	"slices"
	"testing"
)

// The locks that one run holds at the same time are of several kinds, which must not meet.
func TestNamesOfOtherFirstWordsShareNoPlace(t *testing.T) {
	words := map[uint64]string{}
	for _, name := range []string{`["shop","create_order","A-1"]`, `create ["https://shop.example:443","create_order","A-1"]`,
		RunLock("20260101-000000-0"), "connections", "log in 1a", "use token 1a"} {
		word := Place(name) >> 46
		if other, taken := words[word]; taken {
			t.Errorf("%s and %s share places", name, other)
		}
		words[word] = name
	}
}

func TestLockOrderIsThatOfPlaces(t *testing.T) {
	names := []string{"b", "a", "create a", "create b"}
	for i := range 100 {
		names = append(names, fmt.Sprint(i))
	}
	slices.SortFunc(names, LockOrder)
	for i, name := range names[1:] {
		if Place(names[i]) > Place(name) || LockOrder(names[i], name) != -1 || LockOrder(name, names[i]) != 1 || LockOrder(name, name) != 0 {
			t.Errorf("%s and %s", names[i], name)
		}
		if Place(name) >= 1<<61 {
			t.Errorf("%s lies at %d", name, Place(name))
		}
	}
}
