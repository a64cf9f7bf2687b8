package api

import (
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ehc/controller/api/apitest"
)

// bodies are the types that go over the API by themselves. What they hold is
// found from them.
func bodies() []any {
	return []any{
		Status{}, Nodes{}, Apps{}, History{}, PlanRequest{}, Plan{}, ApplyRequest{}, Applied{}, EmitRequest{}, Emitted{}, EmittedLine{},
		Outbox{}, OutboxSelection{}, OutboxChange{}, Counts{}, CallRequest{}, Called{}, Version{}, Problem{},
		SuspendRequest{}, Suspensions{}, Examination{}, Log{}, TopicMessage{}, Lost{}, BroadcastRequest{}, Broadcasted{},
	}
}

// loaded is the description, read once.
var loaded = sync.OnceValues(func() (*apitest.Description, error) { return apitest.Load(description) })

func describe(t *testing.T) *apitest.Description {
	t.Helper()
	d, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestEveryRouteIsDescribedAndTheOtherWayRound(t *testing.T) {
	served, described := map[string][]string{}, map[string][]string{}
	for _, r := range table(struct{ Backend }{}, Options{Machines: http.NotFoundHandler()}) {
		query := slices.Clone(r.query)
		slices.Sort(query)
		served[r.method()+" "+r.path()] = query
	}
	for _, o := range describe(t).Operations() {
		described[o.Method+" "+o.Path] = o.Query
	}
	if diff := cmp.Diff(served, described); diff != "" {
		t.Errorf("routes and their parameters, -served +described:\n%s", diff)
	}
}

func TestEveryComponentIsUsed(t *testing.T) {
	if names := describe(t).Unreferenced(); len(names) > 0 {
		t.Errorf("nothing refers to %q", names)
	}
}

// TestEveryFieldIsDescribedAndTheOtherWayRound holds the Go types against the
// schemas of the same names: which fields there are, which are always there, and
// of what type each is.
func TestEveryFieldIsDescribedAndTheOtherWayRound(t *testing.T) {
	types := map[string]reflect.Type{}
	for _, b := range bodies() {
		collect(reflect.TypeOf(b), types)
	}
	schemas := describe(t).Schemas()
	for name, s := range schemas {
		if s["type"] != "object" {
			continue // a number with a meaning
		}
		if types[name] == nil {
			t.Errorf("schema %s: no type of that name goes over the API", name)
		}
	}
	for name, typ := range types {
		s := schemas[name]
		if s == nil {
			t.Errorf("type %s has no schema", name)
			continue
		}
		want, always := fieldsOf(typ)
		got := map[string]string{}
		properties, _ := s["properties"].(map[string]any)
		for field, p := range properties {
			got[field] = kindOf(schemas, p.(map[string]any))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -type +schema:\n%s", name, diff)
		}
		var required []string
		if list, ok := s["required"].([]any); ok {
			for _, r := range list {
				required = append(required, r.(string))
			}
		}
		slices.Sort(required)
		if diff := cmp.Diff(always, required); diff != "" {
			t.Errorf("%s: -fields without omitempty +required:\n%s", name, diff)
		}
	}
}

// collect finds the structs in t.
func collect(t reflect.Type, into map[string]reflect.Type) {
	switch t.Kind() {
	case reflect.Slice, reflect.Pointer, reflect.Map:
		collect(t.Elem(), into)
	case reflect.Struct:
		if t == reflect.TypeFor[time.Time]() || into[t.Name()] == t {
			return
		}
		into[t.Name()] = t
		collectFields(t, into)
	}
}

func collectFields(t reflect.Type, into map[string]reflect.Type) {
	for i := range t.NumField() {
		if f := t.Field(i); f.Anonymous && f.Tag == "" {
			collectFields(f.Type, into) // its fields are t's
		} else {
			collect(f.Type, into)
		}
	}
}

// fieldsOf are the fields of t as JSON has them with what each holds, and those
// that are always there.
func fieldsOf(t reflect.Type) (fields map[string]string, always []string) {
	fields = map[string]string{}
	for i := range t.NumField() {
		f := t.Field(i)
		tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && tag == "" {
			inner, more := fieldsOf(f.Type)
			maps.Copy(fields, inner)
			always = append(always, more...)
			continue
		}
		if tag == "-" || !f.IsExported() {
			continue
		}
		fields[tag] = goKind(f.Type)
		if !strings.Contains(options, "omit") {
			always = append(always, tag)
		}
	}
	slices.Sort(always)
	return fields, always
}

func goKind(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return "date-time"
	case t.PkgPath() == "encoding/json" && t.Name() == "RawMessage":
		return "any"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return goKind(t.Elem())
	case reflect.Slice:
		return "list of " + goKind(t.Elem())
	case reflect.Map:
		return "map of " + goKind(t.Elem())
	case reflect.Struct:
		return t.Name()
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Float64:
		return "number"
	case reflect.Int, reflect.Int64, reflect.Uint32, reflect.Uint64, reflect.Int32:
		return "integer"
	}
	panic(fmt.Sprintf("%s has no kind", t))
}

func kindOf(schemas map[string]map[string]any, s map[string]any) string {
	if ref, ok := s["$ref"].(string); ok {
		name := ref[strings.LastIndexByte(ref, '/')+1:]
		if schemas[name]["type"] != "object" {
			return kindOf(schemas, schemas[name])
		}
		return name
	}
	kind, _ := s["type"].(string)
	switch {
	case s["format"] == "date-time":
		return "date-time"
	case kind == "array":
		return "list of " + kindOf(schemas, s["items"].(map[string]any))
	case kind == "object" && s["additionalProperties"] != nil:
		return "map of " + kindOf(schemas, s["additionalProperties"].(map[string]any))
	case kind == "object" || kind == "":
		return "any" // of anybody's making
	}
	return kind
}
