package redact

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/event"
)

const planted = "hunter2-planted"

// events has one of every type of event.
func events() []event.Event {
	return []event.Event{
		&event.RunStarted{}, &event.StepStarted{}, &event.StepFinished{}, &event.RequestSent{},
		&event.ResponseReceived{}, &event.RetryScheduled{}, &event.PollScheduled{}, &event.RowFinished{}, &event.Note{}, &event.RunFinished{},
	}
}

func TestEventsAreAllKnown(t *testing.T) {
	t.Parallel()
	var known []string
	for _, e := range events() {
		known = append(known, reflect.TypeOf(e).Elem().Name())
	}
	slices.Sort(known)
	if declared := declaredEvents(t); !slices.Equal(declared, known) {
		t.Errorf("package event declares %v\nthis test knows %v", declared, known)
	}
}

func TestSinkForgetsNoField(t *testing.T) {
	t.Parallel()
	g := gateFor(t, planted)
	for _, e := range events() {
		texts := 0
		visit(reflect.ValueOf(e), true, &texts)
		if texts == 0 {
			t.Errorf("%T has no text", e)
		}
		var got event.Event
		g.Sink(sinkFunc(func(e event.Event) { got = e })).Emit(e)
		if reflect.TypeOf(got) != reflect.TypeOf(e) {
			t.Errorf("%T became %T", e, got)
			continue
		}
		for _, leak := range visit(reflect.ValueOf(got), false, &texts) {
			t.Errorf("%T%s shows the secret", e, leak)
		}
		if leaks := visit(reflect.ValueOf(e), false, &texts); len(leaks) == 0 {
			t.Errorf("%T was changed, not copied", e)
		}
	}
}

func TestSinkKeepsWhatIsNoSecret(t *testing.T) {
	t.Parallel()
	g := gateFor(t, planted)
	var got []event.Event
	to := g.Sink(sinkFunc(func(e event.Event) { got = append(got, e) }))
	in := []event.Event{
		&event.RequestSent{
			Head: event.Head{Seq: 3, Run: "r1"}, Key: "create", Operation: "acme.create", Attempt: 2, Method: "POST",
			URL:    "https://acme.test/v1/" + planted,
			Header: map[string]string{"Authorization": "Basic abc", "X-Api-Key": "short", "Accept": "text/" + planted},
			Body:   `{"name":"x"}`,
		},
		&event.RunFinished{Pipeline: "p", Status: "failed", Outputs: []byte(`{"a":1.50}`), Error: &event.Failure{Code: "c", Hint: "ask " + planted}},
		&event.RunFinished{},
	}
	want := []event.Event{
		&event.RequestSent{
			Head: event.Head{Seq: 3, Run: "r1"}, Key: "create", Operation: "acme.create", Attempt: 2, Method: "POST",
			URL:    "https://acme.test/v1/•••",
			Header: map[string]string{"Authorization": "•••", "X-Api-Key": "•••", "Accept": "text/•••"},
			Body:   `{"name":"x"}`,
		},
		&event.RunFinished{Pipeline: "p", Status: "failed", Outputs: []byte(`{"a":1.50}`), Error: &event.Failure{Code: "c", Hint: "ask •••"}},
		&event.RunFinished{},
	}
	for _, e := range in {
		to.Emit(e)
	}
	if !reflect.DeepEqual(got, want) {
		for i := range want {
			t.Errorf("got  %+v\nwant %+v", got[i], want[i])
		}
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"Authorization": true, "proxy-authorization": true, "Cookie": true, "SET-COOKIE": true,
		"X-Api-Key": true, "apikey": true, "X-Auth-Token": true, "X-CSRF-Token": true,
		"Ocp-Apim-Subscription-Key": true, "X-Session-Id": true, "X-Client-Secret": true,
		"X-Key": true, "private_key": true, "Passwd": true, "X-Authorisation": true, "client_secret": true, "idempotency_key": false,
		"Accept": false, "Content-Type": false, "Idempotency-Key": false, "Retry-After": false, "X-Request-Id": false,
	} {
		if got := IsCredential(name); got != want {
			t.Errorf("IsCredential(%s) = %v, want %v", name, got, want)
		}
	}
}

type sinkFunc func(event.Event)

func (f sinkFunc) Emit(e event.Event) { f(e) }

// visit walks all texts below v. It plants the secret in each, or returns
// the paths of those that show it.
func visit(v reflect.Value, plant bool, texts *int) (leaks []string) {
	at := func(path string, found []string) {
		for _, f := range found {
			leaks = append(leaks, path+f)
		}
	}
	shows := func(s string) {
		if strings.Contains(s, planted) {
			leaks = append(leaks, "")
		}
	}
	switch {
	case v.Type() == reflect.TypeFor[[]byte]():
		*texts++
		if plant {
			v.SetBytes([]byte(`{"a":"` + planted + `"}`))
		}
		shows(string(v.Bytes()))
	case v.Kind() == reflect.String:
		*texts++
		if plant {
			v.SetString("a " + planted + " z")
		}
		shows(v.String())
	case v.Kind() == reflect.Pointer:
		if plant && v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		at("", visit(v.Elem(), plant, texts))
	case v.Kind() == reflect.Struct && v.Type().PkgPath() != "time":
		for i := range v.NumField() {
			at("."+v.Type().Field(i).Name, visit(v.Field(i), plant, texts))
		}
	case v.Kind() == reflect.Map:
		*texts++
		if plant {
			v.Set(reflect.ValueOf(map[string]string{"X-" + planted: planted}))
		}
		for _, name := range v.MapKeys() {
			shows(name.String())
			shows(v.MapIndex(name).String())
		}
	case v.Kind() == reflect.Slice, v.Kind() == reflect.Interface:
		panic("teach this test about " + v.Type().String())
	}
	return leaks
}

// declaredEvents lists the types of package event that embed its Head, sorted.
func declaredEvents(t *testing.T) []string {
	t.Helper()
	const folder = "../../event"
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".go") || strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), folder+"/"+entry.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if ok && embedsHead(spec) {
				names = append(names, spec.Name.Name)
			}
			return true
		})
	}
	slices.Sort(names)
	return names
}

func embedsHead(spec *ast.TypeSpec) bool {
	s, ok := spec.Type.(*ast.StructType)
	return ok && slices.ContainsFunc(s.Fields.List, func(f *ast.Field) bool {
		name, ok := f.Type.(*ast.Ident)
		return ok && f.Names == nil && name.Name == "Head"
	})
}
