package spec

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// callError is why a function of ours has no result, in words for a
// diagnostic.
type callError struct{ summary, hint string }

func (e *callError) Error() string { return e.summary }

// functions returns all functions that an expression may call, by name. Only for
// a secret do env and file give what is one.
func (in *inputs) functions(secret bool) map[string]function.Function {
	return map[string]function.Function{
		"env":        in.envFunction(secret),
		"file":       in.fileFunction(secret),
		"coalesce":   coalesce,
		"concat":     stdlib.ConcatFunc,
		"format":     format,
		"join":       stdlib.JoinFunc,
		"lower":      stdlib.LowerFunc,
		"replace":    stdlib.ReplaceFunc,
		"split":      stdlib.SplitFunc,
		"substr":     stdlib.SubstrFunc,
		"trimprefix": stdlib.TrimPrefixFunc,
		"trimspace":  stdlib.TrimSpaceFunc,
		"trimsuffix": stdlib.TrimSuffixFunc,
		"upper":      stdlib.UpperFunc,
	}
}

// functionNames returns the names of all functions, in order.
func functionNames() []string {
	return sortedKeys(newInputs(Env{}, "").functions(false))
}

// envFunction is env(name) and env(name, default). A variable that is set to
// nothing is set.
func (in *inputs) envFunction(secret bool) function.Function {
	return function.New(&function.Spec{
		Params:   []function.Parameter{{Name: "name", Type: cty.String}},
		VarParam: &function.Parameter{Name: "default", Type: cty.String, AllowNull: true},
		Type:     function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			name := args[0].AsString()
			if len(args) > 2 {
				return cty.NilVal, &callError{"env takes a name and at most one default", "Write: env(\"NAME\", \"default\")"}
			}
			if in.isSecret(name) && !secret {
				return cty.NilVal, &callError{fmt.Sprintf("the environment variable %s is a secret", name), onlySecrets}
			}
			if value, ok := in.lookup(name); ok {
				return hide(cty.StringVal(value).Mark(outside), in.isSecret(name)), nil
			}
			if len(args) == 2 {
				return args[1], nil
			}
			return cty.NilVal, &callError{
				fmt.Sprintf("the environment variable %s is not set", name),
				fmt.Sprintf("Set it where ehc starts, such as by: export %s=…\nOr give a default: env(%q, \"…\")", name, name),
			}
		},
	})
}

// fileFunction is file(path): a file's text without the newlines at its end.
func (in *inputs) fileFunction(secret bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			path := args[0].AsString()
			if in.isSecretFile(path) && !secret {
				return cty.NilVal, &callError{fmt.Sprintf("the file %q is a secret", path), onlySecrets}
			}
			text, err := in.file(path)
			var inPath *fs.PathError
			switch {
			case err == nil:
				return hide(cty.StringVal(text).Mark(outside), in.isSecretFile(path)), nil
			case errors.As(err, &inPath):
				err = inPath.Err // the path is said already
			}
			return cty.NilVal, &callError{
				fmt.Sprintf("cannot read the file %q: %v", path, err),
				"A path is relative to the folder of the file that names it.",
			}
		},
	})
}

// onlySecrets is what to do about a secret that would be shown.
const onlySecrets = "Only a cookie or a token may be made of it, for plans and statuses show the rest.\n" +
	"It is one by its name, or because a cookie or a token is made of it: keep what is not secret under another name."

// coalesce is the first of its arguments that is neither null nor empty.
var coalesce = function.New(&function.Spec{
	VarParam: &function.Parameter{Name: "values", Type: cty.String, AllowNull: true},
	Type:     function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		for _, arg := range args {
			if !arg.IsNull() && arg.AsString() != "" {
				return arg, nil
			}
		}
		return cty.NilVal, &callError{"all that coalesce was given is empty", "Let its last argument be a default."}
	},
})

// wide is a width or precision in a format that would fill the memory.
var wide = regexp.MustCompile(`%[^a-zA-Z%]*[0-9]{4}`)

// format is the standard one, with bounds.
var format = function.New(&function.Spec{
	Params:   []function.Parameter{{Name: "format", Type: cty.String}},
	VarParam: &function.Parameter{Name: "args", Type: cty.DynamicPseudoType, AllowNull: true},
	Type:     function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if wide.MatchString(args[0].AsString()) {
			return cty.NilVal, &callError{"the format asks for a width beyond 999", ""}
		}
		for i, arg := range args[1:] {
			if arg.Type() == cty.Number && !arg.IsNull() && !moderate(arg) {
				return cty.NilVal, function.NewArgErrorf(i+1, "the number is too large")
			}
		}
		return stdlib.Format(args[0], args[1:]...)
	},
})
