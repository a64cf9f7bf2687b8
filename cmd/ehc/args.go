package main

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// normalise gives every long flag two dashes, as cobra wants them; people write
// one or two:
//
//	-config x    --config x
//	-config=x    --config=x
//	-o json      -o json       one letter: a short flag
//	-            -             standard input
//	x -5 -o y    x -o y -- -5  no letter: an argument, and what follows goes behind --
//	-out -x      --out -x      the value of a flag is left alone
//	-- -config   -- -config    and so is what follows --
//
// Short flags can therefore not be strung together, which none of ours needs.
func normalise(root *cobra.Command, args []string) []string {
	takes := takesValue(root)
	out := make([]string, 0, len(args))
	var behind []string // -- and arguments, once one of them begins with a dash
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			if behind == nil {
				behind = []string{arg}
			}
			behind = append(behind, args[i+1:]...)
			break
		}
		name, assigned, ok := flagName(arg)
		switch {
		case ok:
		case behind != nil:
			behind = append(behind, arg)
			continue
		case len(arg) > 1 && arg[0] == '-':
			behind = append(behind, "--", arg)
			continue
		default:
			out = append(out, arg)
			continue
		}
		if len(name) > 1 && !strings.HasPrefix(arg, "--") {
			arg = "-" + arg
		}
		out = append(out, arg)
		if takes[name] && !assigned && i+1 < len(args) {
			i++
			out = append(out, args[i])
		}
	}
	return append(out, behind...)
}

// flagName returns the name in arg if it is a flag, and whether it has its value
// with it.
func flagName(arg string) (name string, assigned, ok bool) {
	name, found := strings.CutPrefix(arg, "-")
	if !found {
		return "", false, false
	}
	name = strings.TrimPrefix(name, "-")
	name, _, assigned = strings.Cut(name, "=")
	if name == "" || !isLetter(name[0]) {
		return "", false, false
	}
	return name, assigned, true
}

func isLetter(b byte) bool { return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' }

// takesValue holds the flags, long and short, of any command that want a value.
func takesValue(root *cobra.Command) map[string]bool {
	takes := map[string]bool{}
	note := func(f *pflag.Flag) {
		if f.NoOptDefVal == "" {
			takes[f.Name] = true
			if f.Shorthand != "" {
				takes[f.Shorthand] = true
			}
		}
	}
	root.PersistentFlags().VisitAll(note)
	root.Flags().VisitAll(note)
	for _, c := range root.Commands() {
		for name := range takesValue(c) {
			takes[name] = true
		}
	}
	return takes
}
