package value

import "iter"

// Object is a JSON object that keeps its members in the order they were set.
// The nil *Object is an empty object that can be read.
// It is safe for concurrent reading.
type Object struct {
	keys   []string
	values []Value
	index  map[string]int // nil while the object is small
}

// indexFrom is the size from which a map beats a linear search.
const indexFrom = 12

// NewObject returns an empty object with room for n members.
func NewObject(n int) *Object {
	return &Object{keys: make([]string, 0, n), values: make([]Value, 0, n)}
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
	return len(o.keys)
}

// Get returns the member called name, and whether there is one.
func (o *Object) Get(name string) (Value, bool) {
	if i := o.find(name); i >= 0 {
		return o.values[i], true
	}
	return nil, false
}

// At returns the member called name, or nil.
func (o *Object) At(name string) Value {
	v, _ := o.Get(name)
	return v
}

// Set adds the member, or replaces its value in place.
func (o *Object) Set(name string, v Value) {
	if i := o.find(name); i >= 0 {
		o.values[i] = v
		return
	}
	o.push(name, v)
}

// add adds the member unless there is one of that name.
func (o *Object) add(name string, v Value) {
	if o.find(name) < 0 {
		o.push(name, v)
	}
}

// push adds a member whose name is new.
func (o *Object) push(name string, v Value) {
	o.keys = append(o.keys, name)
	o.values = append(o.values, v)
	if o.index != nil {
		o.index[name] = len(o.keys) - 1
	} else if len(o.keys) >= indexFrom {
		o.index = make(map[string]int, max(cap(o.keys), 2*len(o.keys)))
		for i, k := range o.keys {
			o.index[k] = i
		}
	}
}

// All yields the members in order.
func (o *Object) All() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		for i := range o.Len() {
			if !yield(o.keys[i], o.values[i]) {
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
	return append([]string(nil), o.keys...)
}

// Clone returns a copy that can be changed; the members are shared.
func (o *Object) Clone() *Object {
	c := NewObject(o.Len() + 1)
	for k, v := range o.All() {
		c.Set(k, v)
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
	for i, k := range o.keys {
		if k == name {
			return i
		}
	}
	return -1
}
