package value

import (
	"iter"
	"maps"
)

// Object is a JSON object that keeps its members in the order they were set.
// The nil *Object is an empty object that can be read.
// It is safe for concurrent reading.
type Object struct {
	members []member
	index   map[string]int // nil while the object is small
}

type member struct {
	name  string
	value Value
}

// indexFrom is the size from which a map pays: to make one costs as much as
// some hundred searches of a smaller object, and few objects are read so often.
const indexFrom = 40

// NewObject returns an empty object with room for n members. One of the usual sizes is a single
// piece of memory, since most of what a run computes are small objects.
func NewObject(n int) *Object {
	switch {
	case n == 0:
		return new(Object)
	case n <= 2:
		o := new(struct {
			Object
			room [2]member
		})
		o.members = o.room[:0]
		return &o.Object
	case n <= 4:
		o := new(struct {
			Object
			room [4]member
		})
		o.members = o.room[:0]
		return &o.Object
	case n <= 8:
		o := new(struct {
			Object
			room [8]member
		})
		o.members = o.room[:0]
		return &o.Object
	case n <= 16:
		o := new(struct {
			Object
			room [16]member
		})
		o.members = o.room[:0]
		return &o.Object
	}
	return &Object{members: make([]member, 0, n)}
}

// ObjectOf returns an object of alternating names and values. It panics when
// a name is not a string or a value is missing.
func ObjectOf(pairs ...any) *Object {
	o := NewObject(len(pairs) / 2)
	for i := 0; i < len(pairs); i += 2 {
		o.Set(pairs[i].(string), pairs[i+1])
	}
	return o
}

// Len returns the number of members.
func (o *Object) Len() int {
	if o == nil {
		return 0
	}
	return len(o.members)
}

// Get returns the member called name, and whether there is one.
func (o *Object) Get(name string) (Value, bool) {
	if i := o.find(name); i >= 0 {
		return o.members[i].value, true
	}
	return nil, false
}

// At returns the member called name, or nil.
func (o *Object) At(name string) Value {
	v, _ := o.Get(name)
	return v
}

// AtNear is At for a member that may well be the one at place i. It also returns its place, or -1.
func (o *Object) AtNear(name string, i int) (Value, int) {
	if i >= o.Len() || o.members[i].name != name {
		if i = o.find(name); i < 0 {
			return nil, -1
		}
	}
	return o.members[i].value, i
}

// Set adds the member, or replaces its value in place.
func (o *Object) Set(name string, v Value) {
	if i := o.find(name); i >= 0 {
		o.members[i].value = v
		return
	}
	o.push(name, v)
}

// Add is Set for a member that is certainly not there.
func (o *Object) Add(name string, v Value) { o.push(name, v) }

// add adds the member unless there is one of that name.
func (o *Object) add(name string, v Value) {
	if o.find(name) < 0 {
		o.push(name, v)
	}
}

// push adds a member whose name is new.
func (o *Object) push(name string, v Value) {
	o.members = append(o.members, member{name, v})
	if o.index != nil {
		o.index[name] = len(o.members) - 1
	} else if len(o.members) >= indexFrom {
		o.index = make(map[string]int, max(cap(o.members), 2*len(o.members)))
		for i, m := range o.members {
			o.index[m.name] = i
		}
	}
}

// All yields the members in order.
func (o *Object) All() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		for i := range o.Len() {
			if m := &o.members[i]; !yield(m.name, m.value) {
				return
			}
		}
	}
}

// Keys returns the names in order. The slice is the caller's.
func (o *Object) Keys() []string {
	if o == nil {
		return nil
	}
	names := make([]string, len(o.members))
	for i, m := range o.members {
		names[i] = m.name
	}
	return names
}

// Head returns a new object of the first n members, with room for so many.
func (o *Object) Head(n, room int) *Object {
	head := NewObject(room)
	if n == 0 {
		return head
	}
	for _, m := range o.members[:n] {
		head.push(m.name, m.value)
	}
	return head
}

// Grow makes grown an object that has one more member than o, or another value of it; o stays as it
// is. The two share memory where o has room: of one object only one may be grown.
func (o *Object) Grow(grown *Object, name string, v Value) {
	if o.index != nil || len(o.members)+1 >= indexFrom || o.find(name) >= 0 {
		*grown = *o.Clone()
		grown.Set(name, v)
		return
	}
	grown.members = append(o.members, member{name, v})
}

// Clone returns a copy that can be changed; the members are shared.
func (o *Object) Clone() *Object {
	c := NewObject(o.Len() + 1)
	if o != nil {
		c.members = append(c.members, o.members...)
		c.index = maps.Clone(o.index)
	}
	return c
}

func (o *Object) find(name string) int {
	if o == nil {
		return -1
	}
	if o.index != nil {
		if i, ok := o.index[name]; ok {
			return i
		}
		return -1
	}
	for i := range o.members {
		if o.members[i].name == name {
			return i
		}
	}
	return -1
}
