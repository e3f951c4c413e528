package page

// cursor hands back what each answer says of the next page, which only the vendor understands.
type cursor struct{}

func (cursor) Variable() string { return "cursor" }

func (cursor) Follows() bool { return true }

// First has no cursor, unless the vendor wants one for the first page, too.
func (cursor) First(start string) (Page, error) {
	if start == "" {
		return Page{}, nil
	}
	return Page{Value: start}, nil
}

func (cursor) Next(_ Page, a Answer) (Page, bool) {
	return Page{Value: a.Next}, a.Next != ""
}
