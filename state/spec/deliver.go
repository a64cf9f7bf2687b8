package spec

import (
	"regexp"
	"strings"

	"ehc/state"
)

var (
	elixirModule = regexp.MustCompile(`^[A-Z][0-9A-Za-z_]*(\.[A-Z][0-9A-Za-z_]*)*$`)
	erlangModule = regexp.MustCompile(`^[a-z][0-9A-Za-z_@]*$`)
	functionOK   = regexp.MustCompile(`^[a-z_][0-9A-Za-z_]*[?!]?$`)
)

// decodeDeliver reads how an app gets events; nil without the block.
func decodeDeliver(b block) *state.Deliver {
	if b.body == nil {
		return nil
	}
	text, at, got := b.text("handler", use{})
	if got != present {
		text = deliverHandler
	}
	module, function, why := parseHandler(text)
	if why != "" {
		b.p.errorAt(at, "handler in "+b.title+": "+why,
			"It is written Module.function/1, such as \""+deliverHandler+"\" in Elixir or \"my_mod.handle/1\" in Erlang.")
		text = deliverHandler
	}
	d := &state.Deliver{
		Module: module, Function: function,
		MaxBatch: int(b.count("batch", deliverMaxBatch)),
		Timeout:  b.duration("timeout", deliverTimeout),
		Tries:    int(b.count("tries", deliverTries)),
	}
	batch, at := b.function("batch_handler", plural(text))
	if batch.Module == module && batch.Name == function && module != "" {
		b.wrong(at, "batch_handler", "the function that is given one event cannot be given a list of them, too")
	}
	if b.choice("mode", deliverMode, "each", "batch") == "batch" {
		d.Batch = batch
	}
	return d
}

// plural is the handler of lists that goes with a handler of single events.
func plural(handler string) string {
	name, _, _ := strings.Cut(handler, "/")
	return strings.TrimRight(name, "?!") + "s/1"
}

// parseHandler splits Module.function/1 into the atoms that Erlang knows, or
// says what is wrong with it. An Elixir module's atom begins with "Elixir.".
func parseHandler(text string) (module, function, why string) {
	name, arity, found := strings.Cut(text, "/")
	switch {
	case !found:
		return "", "", "it ends with /1, for the event is all that it is given"
	case arity != "1":
		return "", "", "it takes one argument, the event, so it ends with /1"
	}
	return parseName(name)
}

// parseName splits Module.function in the same way.
func parseName(name string) (module, function, why string) {
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 {
		return "", "", "a dot stands between the module and the function"
	}
	module, function = name[:dot], name[dot+1:]
	switch {
	case elixirModule.MatchString(module):
		module = "Elixir." + strings.TrimPrefix(module, "Elixir.")
	case !erlangModule.MatchString(module):
		return "", "", "that cannot be a module"
	}
	switch {
	case !functionOK.MatchString(function):
		return "", "", "that cannot be a function"
	case len(module) > maxAtom || len(function) > maxAtom:
		return "", "", "an atom has 255 characters at most"
	}
	return module, function, ""
}
