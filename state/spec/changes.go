package spec

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"ehc/state"
)

// Change is a block in which two specs differ.
type Change struct {
	Op    string // "add", "change" or "remove"
	Block string // as it stands in the file: `peer "phoenix"`, "dns"
	// Settings are those that differ in a changed block, as they stand in the file:
	// "queries", "prune.after". They say which, not what: a setting may be secret.
	Settings []string
}

// Changes are the blocks in which new differs from old, in the order in which the
// reference has them, peers by name. It compares what the files ask for: a
// setting that is written down with its default is no change, and one that the
// environment changes is.
func Changes(old, new state.Spec) []Change {
	var all []Change
	a, b := reflect.ValueOf(old), reflect.ValueOf(new)
	for i := range a.NumField() {
		f := a.Type().Field(i)
		name := nameOf(a.Type(), f)
		if name == "" {
			continue
		}
		all = append(all, blockChanges(name, a.Field(i), b.Field(i))...)
	}
	return all
}

// inFile are the names in the file of the fields whose own name says it badly.
// Two fields of one setting have the same; "" is none of the file's.
var inFile = map[string]string{
	"Spec.Generation": "", "Spec.Apps": "peer", "Spec.PubSub": "pubsub",
	"NodeSpec.Cookies": "cookie", "NodeSpec.Hidden": "visible",
	"App.Name": "", "App.Template": "node", "App.Cookies": "cookie",
	"Deliver.Module": "handler", "Deliver.Function": "handler", "Deliver.Batch": "batch_handler", "Deliver.MaxBatch": "batch",
	"Receive.Batch": "batch_handler",
	"PubSub.Name":   "", "PubSub.Pool": "pool_size", "PubSub.Relay": "relay",
	"LogSpec.JSON": "format",
}

// flat are the structs that are one setting, or whose fields stand in the block
// around them under the names given here.
var flat = map[string]map[string]string{
	"Function":  nil,
	"Callable":  nil,
	"InboxSpec": {"KeepFor": "remember_for", "MaxIDs": "remember_max"},
}

func nameOf(of reflect.Type, f reflect.StructField) string {
	if name, ok := inFile[of.Name()+"."+f.Name]; ok {
		return name
	}
	return snake(f.Name)
}

// snake is a field's name as options are written: MaxAtOnce is max_at_once.
func snake(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if unicode.IsUpper(r) && i > 0 && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// blockChanges compares the blocks of one kind: one that is always there, one that
// may be missing (a pointer), or many with a name each (a slice).
func blockChanges(kind string, a, b reflect.Value) []Change {
	switch a.Kind() {
	case reflect.Slice:
		return namedChanges(kind, a, b)
	case reflect.Pointer:
		switch {
		case a.IsNil() && b.IsNil():
			return nil
		case a.IsNil():
			return []Change{{Op: "add", Block: kind}}
		case b.IsNil():
			return []Change{{Op: "remove", Block: kind}}
		}
		a, b = a.Elem(), b.Elem()
	}
	if settings := differing("", a, b); len(settings) > 0 {
		return []Change{{Op: "change", Block: kind, Settings: settings}}
	}
	return nil
}

func namedChanges(kind string, a, b reflect.Value) []Change {
	named := func(v reflect.Value) (names []string, rows map[string]reflect.Value) {
		rows = map[string]reflect.Value{}
		for i := range v.Len() {
			name := v.Index(i).FieldByName("Name").String()
			names, rows[name] = append(names, name), v.Index(i)
		}
		return names, rows
	}
	before, old := named(a)
	after, now := named(b)
	names := slices.Concat(before, after)
	slices.Sort(names)
	var all []Change
	for _, name := range slices.Compact(names) {
		block := fmt.Sprintf("%s %q", kind, name)
		x, had := old[name]
		y, has := now[name]
		switch {
		case !had:
			all = append(all, Change{Op: "add", Block: block})
		case !has:
			all = append(all, Change{Op: "remove", Block: block})
		default:
			if settings := differing("", x, y); len(settings) > 0 {
				all = append(all, Change{Op: "change", Block: block, Settings: settings})
			}
		}
	}
	return all
}

// differing are the settings in which two structs differ, each once, in the order
// of their fields. path goes before the names.
func differing(path string, a, b reflect.Value) []string {
	var names []string
	add := func(more ...string) {
		for _, name := range more {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	for i := range a.NumField() {
		f := a.Type().Field(i)
		name := nameOf(a.Type(), f)
		x, y := a.Field(i), b.Field(i)
		if name == "" || reflect.DeepEqual(x.Interface(), y.Interface()) {
			continue
		}
		if x.Kind() == reflect.Pointer && !x.IsNil() && !y.IsNil() {
			x, y = x.Elem(), y.Elem()
		}
		as, isFlat := flat[x.Type().Name()]
		switch {
		case isFlat && as != nil:
			for j := range x.NumField() {
				if !reflect.DeepEqual(x.Field(j).Interface(), y.Field(j).Interface()) {
					add(path + as[x.Type().Field(j).Name])
				}
			}
		case isBlock(x) && !isFlat:
			add(differing(path+name+".", x, y)...)
		default:
			add(path + name)
		}
	}
	return names
}

// isBlock says whether v is a struct of package state, whose fields are settings.
func isBlock(v reflect.Value) bool {
	return v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[state.Secret]() && v.Type().PkgPath() == reflect.TypeFor[state.Spec]().PkgPath()
}
