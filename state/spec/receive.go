package spec

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"ehc/state"
)

// receiveCounts are the functions that answer counts by default.
func receiveCounts() []string {
	return []string{"Remote.Metrics.get_count/1", "Remote.Metrics.get_realtime_count/1"}
}

// decodeReceive reads how ehc answers as a remote app; nil without the block.
func decodeReceive(b block) *state.Receive {
	if b.body == nil {
		return nil
	}
	handler, at := b.function("handler", deliverHandler)
	lists := plural(deliverHandler)
	if handler.Module != "" {
		lists = plural(strings.TrimPrefix(handler.Module, "Elixir.") + "." + handler.Name + "/1")
	}
	batch, batchAt := b.function("batch_handler", lists)
	if handler == batch && handler.Module != "" {
		if batchAt == (hcl.Range{}) {
			batchAt = at
		}
		b.wrong(batchAt, "batch_handler", "the function that is given one event cannot be given a list of them, too")
	}
	return &state.Receive{
		Handler: handler, Batch: batch, Counts: b.countFunctions(handler, batch),
		Inbox: state.InboxSpec{
			KeepFor: b.duration("remember_for", receiveRememberFor),
			MaxIDs:  int(b.count("remember_max", receiveRememberMax)),
		},
	}
}

// countFunctions reads what is called with a counter's key; taken are called with
// something else.
func (b block) countFunctions(taken ...state.Function) []state.Function {
	items, got := b.list("counts", maxCounts, false, use{})
	if got != present {
		items = nil
		for _, text := range receiveCounts() {
			items = append(items, item{text: text, at: b.at})
		}
	}
	var found []state.Function
	for _, it := range items {
		f, why := countFunction(it.text)
		switch {
		case why != "":
		case slices.Contains(taken, f):
			why = it.text + " is given events"
		case slices.Contains(found, f):
			why = it.text + " is there twice"
		default:
			found = append(found, f)
			continue
		}
		b.p.errorAt(it.at, "counts in "+b.title+": "+why,
			"It is written Module.function/1, such as \""+receiveCounts()[0]+"\" in Elixir or \"my_mod.count/1\" in Erlang.")
	}
	return found
}

// function reads what is called with an event, or with a list of them.
func (b block) function(name, otherwise string) (state.Function, hcl.Range) {
	text, at, got := b.text(name, use{})
	if got != present {
		text = otherwise
	}
	module, function, why := parseHandler(text)
	if why != "" {
		b.p.errorAt(at, fmt.Sprintf("%s in %s: %s", name, b.title, why),
			"It is written Module.function/1, such as \""+otherwise+"\" in Elixir or \"my_mod.handle/1\" in Erlang.")
	}
	return state.Function{Module: module, Name: function}, at
}

// countFunction reads what is called with a counter's key.
func countFunction(text string) (f state.Function, why string) {
	if _, arity, _ := strings.Cut(text, "/"); arity != "1" {
		return f, "it takes one argument, the counter's key, so it ends with /1"
	}
	f.Module, f.Name, why = parseHandler(text)
	return f, why
}
