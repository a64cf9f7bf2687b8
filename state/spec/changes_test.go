package spec

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ehc/state"
)

func TestChangesNameBlocksAndSettings(t *testing.T) {
	const before = `
node {
  name   = "ehc@127.0.0.1"
  cookie = env("COOKIE")
}
peer "a" {
  queries = ["a.internal"]
}
peer "b" {
  queries = ["b.internal"]
  deliver {}
}
`
	const after = `
node {
  name   = "other@127.0.0.1"
  cookie = env("OTHER")
}
dns {
  interval = "1s"
}
peer "b" {
  queries = ["b.internal", "c.internal"]
  match   = "b-*"
  cookie  = env("OTHER")
  deliver {
    handler = "B.handle/1"
    tries   = 3
  }
  prune { after = "1m" }
}
peer "c" {
  queries = ["c.internal"]
}
receive {}
log { format = "json" }
`
	parse := func(text string) state.Spec {
		s, diags := Parse("cluster.hcl", []byte(text), world(map[string]string{"COOKIE": "hush-hush-hush-hush", "OTHER": "other-other-other"}, nil))
		if diags.HasErrors() {
			t.Fatal(diags.Text())
		}
		return s
	}
	want := []Change{
		{Op: "change", Block: "node", Settings: []string{"name", "cookie"}},
		{Op: "change", Block: "dns", Settings: []string{"interval"}},
		{Op: "remove", Block: `peer "a"`},
		{Op: "change", Block: `peer "b"`, Settings: []string{"queries", "match", "cookie", "prune.after", "deliver.handler", "deliver.batch_handler", "deliver.tries"}},
		{Op: "add", Block: `peer "c"`},
		{Op: "add", Block: "receive"},
		{Op: "change", Block: "log", Settings: []string{"format"}},
	}
	if d := cmp.Diff(want, Changes(parse(before), parse(after))); d != "" {
		t.Errorf("changes (-want +got):\n%s", d)
	}
	if got := Changes(parse(before), parse(before)); got != nil {
		t.Errorf("of the same file: %v", got)
	}
	if got := Changes(parse(after), parse(before))[0]; !cmp.Equal(got, want[0]) {
		t.Errorf("back again: %v", got)
	}
}

// TestEverySettingHasItsNameInTheFile changes each field of a Spec in turn. One
// whose name in the file is another than its own belongs in inFile.
func TestEverySettingHasItsNameInTheFile(t *testing.T) {
	known := map[string]bool{}
	list(root, "", known)
	full := func() state.Spec {
		return filled(reflect.TypeFor[state.Spec]()).Interface().(state.Spec)
	}
	old, n := full(), 0
	altered := full()
	leaves(reflect.ValueOf(&altered).Elem(), func(where string, v reflect.Value) {
		before := reflect.New(v.Type()).Elem()
		before.Set(v)
		v.Set(another(v))
		defer v.Set(before)
		if where == "Spec.Generation" || strings.HasSuffix(where, "App.Name") {
			return
		}
		n++
		got := Changes(old, altered)
		if len(got) == 0 {
			t.Errorf("a change of %s is not seen", where)
			return
		}
		for _, s := range got[0].Settings {
			block, _, _ := strings.Cut(got[0].Block, " ")
			if path := block + "." + s; !known[path] {
				t.Errorf("a change of %s is called %s, which is not in the language", where, path)
			}
		}
	})
	if n < 30 {
		t.Errorf("only %d settings were changed", n)
	}
}

// filled is a value with one element in every slice, and every pointer set.
func filled(of reflect.Type) reflect.Value {
	v := reflect.New(of).Elem()
	switch of.Kind() {
	case reflect.Pointer:
		v = reflect.New(of.Elem())
		v.Elem().Set(filled(of.Elem()))
	case reflect.Slice:
		v = reflect.MakeSlice(of, 1, 1)
		v.Index(0).Set(filled(of.Elem()))
	case reflect.Struct:
		for i := range of.NumField() {
			if of.Field(i).IsExported() {
				v.Field(i).Set(filled(of.Field(i).Type))
			}
		}
	}
	return v
}

// leaves calls f with each field below v that is no block, and with where it is.
func leaves(v reflect.Value, f func(where string, v reflect.Value)) {
	for i := range v.NumField() {
		field, where := v.Field(i), v.Type().Name()+"."+v.Type().Field(i).Name
		if field.Kind() == reflect.Pointer {
			field = field.Elem()
		}
		blocks := field.Kind() == reflect.Slice && isBlock(field.Index(0)) && field.Index(0).FieldByName("Name").IsValid() && v.Type().Name() == "Spec"
		switch {
		case blocks:
			leaves(field.Index(0), f)
		case isBlock(field):
			leaves(field, f)
		default:
			f(where, field)
		}
	}
}

// another is a value other than v.
func another(v reflect.Value) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	switch {
	case v.Kind() == reflect.Slice:
		return reflect.Append(reflect.AppendSlice(out, v), v.Index(0))
	case v.Type() == reflect.TypeFor[netip.Addr]():
		out.Set(reflect.ValueOf(netip.MustParseAddr("10.9.8.7")))
	case v.Type() == reflect.TypeFor[netip.AddrPort]():
		out.Set(reflect.ValueOf(netip.MustParseAddrPort("10.9.8.7:6")))
	case v.Type() == reflect.TypeFor[state.Secret]():
		out.Set(reflect.ValueOf(state.NewSecret("another")))
	case v.Kind() == reflect.String:
		out.SetString("another")
	case v.Kind() == reflect.Bool:
		out.SetBool(!v.Bool())
	case v.CanInt():
		out.SetInt(v.Int() + 1)
	case v.CanUint():
		out.SetUint(v.Uint() + 1)
	case v.CanFloat():
		out.SetFloat(v.Float() + 1)
	default:
		panic("change a " + v.Type().String())
	}
	return out
}
