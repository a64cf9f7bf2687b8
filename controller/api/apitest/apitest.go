// Package apitest holds what goes over the API against its description, the
// OpenAPI file: which operations and parameters there are, and whether a request
// or an answer is as its schema says. It is for tests.
package apitest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// file is under what name the description's schemas are compiled.
const file = "ehc:openapi"

// itemSchema is the extension that gives the schema of one line of NDJSON, or of
// the data of one Server-Sent Event.
const itemSchema = "x-item-schema"

// Description is one OpenAPI file. Its methods may be called at once.
type Description struct {
	doc      map[string]any
	compiler *jsonschema.Compiler
	ops      map[string]Operation
}

// Operation is one method of one path.
type Operation struct {
	Method, Path string
	Query        []string // its parameters, sorted

	at         string // its JSON pointer
	node       map[string]any
	parameters map[string]*jsonschema.Schema
	required   []string // parameters
}

// Load reads an OpenAPI 3.1 file in YAML and compiles the schemas of its
// operations.
func Load(text []byte) (*Description, error) {
	var plain any
	if err := yaml.Unmarshal(text, &plain); err != nil {
		return nil, fmt.Errorf("read description: %w", err)
	}
	b, err := json.Marshal(plain)
	if err != nil {
		return nil, fmt.Errorf("read description: %w", err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("read description: %w", err)
	}
	d := &Description{compiler: jsonschema.NewCompiler(), ops: map[string]Operation{}}
	d.doc, _ = doc.(map[string]any)
	if v, _ := d.doc["openapi"].(string); !strings.HasPrefix(v, "3.1.") {
		return nil, fmt.Errorf("read description: openapi %q, want 3.1", v)
	}
	d.compiler.DefaultDraft(jsonschema.Draft2020)
	d.compiler.AssertFormat()
	d.compiler.RegisterFormat(&jsonschema.Format{Name: "ehc-wait", Validate: checkWait})
	if err := d.compiler.AddResource(file, doc); err != nil {
		return nil, fmt.Errorf("read description: %w", err)
	}
	return d, d.operations()
}

// checkWait is the format of how long to wait: a duration as Go writes it, of up to
// ten minutes.
func checkWait(v any) error {
	text, ok := v.(string)
	if !ok {
		return nil // its type says that
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d > 10*time.Minute {
		return fmt.Errorf("%q is no time from 0s to 10m", text)
	}
	return nil
}

func (d *Description) operations() error {
	paths, _ := d.doc["paths"].(map[string]any)
	for path, item := range paths {
		for method, node := range object(item) {
			if !slices.Contains([]string{"get", "put", "post", "delete", "patch"}, method) {
				return fmt.Errorf("read description: %s: unknown method %q", path, method)
			}
			o := Operation{
				Method: strings.ToUpper(method), Path: path, node: object(node),
				at: pointer("paths", path, method), parameters: map[string]*jsonschema.Schema{},
			}
			if err := d.parameters(&o); err != nil {
				return fmt.Errorf("read description: %s %s: %w", o.Method, path, err)
			}
			d.ops[o.Method+" "+path] = o
		}
	}
	return nil
}

func (d *Description) parameters(o *Operation) error {
	list, _ := o.node["parameters"].([]any)
	for i := range list {
		p, at, err := d.resolve(o.at + pointer("parameters", fmt.Sprint(i)))
		if err != nil {
			return err
		}
		name, _ := p["name"].(string)
		if in, _ := p["in"].(string); in != "query" {
			continue // a path has its parameters in its own text; headers are net/http's
		}
		schema, err := d.compile(at + "/schema")
		if err != nil {
			return err
		}
		o.parameters[name] = schema
		o.Query = append(o.Query, name)
		if p["required"] == true {
			o.required = append(o.required, name)
		}
	}
	slices.Sort(o.Query)
	return nil
}

// Operations are all of them, ordered by path and method.
func (d *Description) Operations() []Operation {
	return slices.SortedFunc(maps.Values(d.ops), func(a, b Operation) int {
		return strings.Compare(a.Path+" "+a.Method, b.Path+" "+b.Method)
	})
}

// Schemas are the schemas among the components, by name, as JSON.
func (d *Description) Schemas() map[string]map[string]any {
	out := map[string]map[string]any{}
	components := object(d.doc["components"])
	for name, s := range object(components["schemas"]) {
		out[name] = object(s)
	}
	return out
}

// Unreferenced names the components that nothing in the file refers to.
func (d *Description) Unreferenced() []string {
	seen := map[string]bool{}
	references(d.doc, seen)
	var names []string
	for kind, all := range object(d.doc["components"]) {
		for name := range object(all) {
			if kind != "securitySchemes" && !seen["#/components/"+kind+"/"+name] {
				names = append(names, kind+"/"+name)
			}
		}
	}
	slices.Sort(names)
	return names
}

func references(node any, seen map[string]bool) {
	switch node := node.(type) {
	case map[string]any:
		if ref, ok := node["$ref"].(string); ok {
			seen[ref] = true
		}
		for _, v := range node {
			references(v, seen)
		}
	case []any:
		for _, v := range node {
			references(v, seen)
		}
	}
}

// operation finds the one that serves a path.
func (d *Description) operation(method, path string) (Operation, error) {
	for _, o := range d.Operations() {
		if o.Method == method && serves(o.Path, path) {
			return o, nil
		}
	}
	return Operation{}, fmt.Errorf("%s %s is not described", method, path)
}

// serves says whether path is template with its {parts} filled in.
func serves(template, path string) bool {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		if want[i] != got[i] && (!strings.HasPrefix(want[i], "{") || got[i] == "") {
			return false
		}
	}
	return true
}

func object(v any) map[string]any { m, _ := v.(map[string]any); return m }

// pointer is a JSON pointer of these steps.
func pointer(steps ...string) string {
	var b strings.Builder
	for _, s := range steps {
		b.WriteString("/" + strings.ReplaceAll(strings.ReplaceAll(s, "~", "~0"), "/", "~1"))
	}
	return b.String()
}

// resolve follows a pointer and any references, and returns what is there and
// where that is.
func (d *Description) resolve(at string) (map[string]any, string, error) {
	for range 8 {
		node, err := d.lookup(at)
		if err != nil {
			return nil, "", err
		}
		ref, ok := node["$ref"].(string)
		if !ok {
			return node, at, nil
		}
		at = strings.TrimPrefix(ref, "#")
	}
	return nil, "", fmt.Errorf("%s: references go round in a circle", at)
}

func (d *Description) lookup(at string) (map[string]any, error) {
	var node any = d.doc
	for step := range strings.SplitSeq(strings.TrimPrefix(at, "/"), "/") {
		step = strings.ReplaceAll(strings.ReplaceAll(step, "~1", "/"), "~0", "~")
		switch n := node.(type) {
		case map[string]any:
			node = n[step]
		case []any:
			var i int
			if _, err := fmt.Sscan(step, &i); err != nil || i >= len(n) {
				return nil, fmt.Errorf("%s is not there", at)
			}
			node = n[i]
		}
	}
	if object(node) == nil {
		return nil, fmt.Errorf("%s is not there", at)
	}
	return object(node), nil
}

func (d *Description) compile(at string) (*jsonschema.Schema, error) {
	return d.compiler.Compile(file + "#" + escaped(at))
}

// escaped is a pointer as the fragment of a URL.
func escaped(at string) string { return strings.NewReplacer("{", "%7B", "}", "%7D").Replace(at) }

// errUndescribed is the end of every fault that is not of a schema.
var errUndescribed = errors.New("not described")
