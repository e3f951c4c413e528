package page

// number counts the pages: page.number is 1, 2, 3, or starts elsewhere.
type number struct{}

func (number) Variable() string { return "number" }

func (number) Follows() bool { return false }

func (number) First(start string) (Page, error) { return wholeNumber(start, 1) }

// Next goes on after a page that is not full, too: vendors hand out fewer
// elements than they were asked for.
func (number) Next(p Page, _ Answer) (Page, bool) {
	at, _ := p.Value.(int64)
	return Page{Value: at + 1}, true
}
