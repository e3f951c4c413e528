package page

// offset counts the elements: page.offset is how many come before the page.
type offset struct{}

func (offset) Variable() string { return "offset" }

func (offset) Follows() bool { return false }

func (offset) First(start string) (Page, error) { return wholeNumber(start, 0) }

// Next adds what was handed out, not what was asked for: a vendor that gives
// less than the size of a page would otherwise have elements that nobody sees.
func (offset) Next(p Page, a Answer) (Page, bool) {
	at, _ := p.Value.(int64)
	return Page{Value: at + int64(a.Items)}, true
}
