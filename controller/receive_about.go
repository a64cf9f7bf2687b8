package controller

import (
	"context"

	"ehc/transport"
	"ehc/transport/etf"
)

// About adds to functions what other nodes ask of a node that is to be called, so
// that "ehc doctor" can tell there what is exported, as on an Erlang node:
//
//	erlang:system_info/1        otp_release    "ehc": who connects asks for it
//	code:ensure_loaded/1        a module       {module, M} if a function of it is here,
//	                                           else {error, nofile}
//	erlang:function_exported/3  a function     whether it is here
//
// It returns functions.
func About(functions map[transport.Function]transport.Handler) map[transport.Function]transport.Handler {
	modules, exported := map[etf.Atom]bool{}, map[transport.Function]bool{}
	for f := range functions {
		modules[etf.Atom(f.Module)], exported[f] = true, true
	}
	functions[transport.Function{Module: "erlang", Name: "system_info", Arity: 1}] = systemInfo
	functions[transport.Function{Module: "code", Name: "ensure_loaded", Arity: 1}] =
		func(_ context.Context, _ string, args []transport.Term) (transport.Term, error) {
			m, ok := args[0].(etf.Atom)
			switch {
			case !ok:
				return nil, badarg()
			case !modules[m]:
				return etf.Tuple{etf.Atom("error"), etf.Atom("nofile")}, nil
			}
			return etf.Tuple{etf.Atom("module"), m}, nil
		}
	functions[transport.Function{Module: "erlang", Name: "function_exported", Arity: 3}] =
		func(_ context.Context, _ string, args []transport.Term) (transport.Term, error) {
			m, isModule := args[0].(etf.Atom)
			f, isFunction := args[1].(etf.Atom)
			arity, isArity := args[2].(int)
			if !isModule || !isFunction || !isArity {
				return nil, badarg()
			}
			return exported[transport.Function{Module: string(m), Name: string(f), Arity: arity}], nil
		}
	return functions
}

// systemInfo answers the one question that is asked of every new connection.
func systemInfo(_ context.Context, _ string, args []transport.Term) (transport.Term, error) {
	if args[0] != transport.Term(etf.Atom("otp_release")) {
		return nil, badarg()
	}
	return ehcRelease, nil
}
