package spec

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"ehc/state"
)

// decodeRPC reads which functions people may have called on peers. Without the
// block there is none.
func decodeRPC(b block) state.RPC {
	allow, whole := b.allowed()
	r := state.RPC{Allow: allow, Timeout: b.duration("timeout", rpcTimeout)}
	text, at, got := b.text("count", use{})
	if got != present {
		text = rpcCount
	}
	r.Count = b.countOfPeers(text, at)
	if whole && got == present && r.Count.Module != "" && !r.Allows(r.Count) {
		b.p.errorAt(at, fmt.Sprintf("count in %s: %s may not be called", b.title, r.Count),
			fmt.Sprintf("Add it to allow: allow = [%q, …]", r.Count))
	}
	return r
}

// allowed reads the functions of allow, and says whether all of them are right.
func (b block) allowed() (found []state.Callable, whole bool) {
	items, got := b.list("allow", maxAllowed, false, use{})
	whole = got != refused
	for _, it := range items {
		f, why := ParseCallable(it.text)
		if why == "" && slices.Contains(found, f) {
			why = it.text + " is there twice"
		}
		if why != "" {
			b.wrongCallable(it.at, "allow", why)
			whole = false
			continue
		}
		found = append(found, f)
	}
	return found, whole
}

// countOfPeers reads what answers counts on peers; the zero Callable if it is wrong.
func (b block) countOfPeers(text string, at hcl.Range) state.Callable {
	f, why := ParseCallable(text)
	if why == "" && f.Arity != 1 {
		why = "it takes one argument, the counter's key, so it ends with /1"
	}
	if why != "" {
		b.wrongCallable(at, "count", why)
		return state.Callable{}
	}
	return f
}

func (b block) wrongCallable(at hcl.Range, name, why string) {
	b.p.errorAt(at, fmt.Sprintf("%s in %s: %s", name, b.title, why),
		`It is written Module.function/ARITY, such as "`+rpcCount+`" in Elixir or "my_mod.add/2" in Erlang.`)
}

// ParseCallable reads Module.function/ARITY as Erlang knows it, or says what is
// wrong with it.
func ParseCallable(text string) (f state.Callable, why string) {
	name, arity, found := strings.Cut(text, "/")
	if !found {
		return f, "it ends with the number of its arguments, such as /1"
	}
	n, err := strconv.Atoi(arity)
	if err != nil || n < 0 || n > maxArity || strconv.Itoa(n) != arity {
		return f, fmt.Sprintf("%q is no number of arguments: from 0 to %d", arity, maxArity)
	}
	module, function, why := parseName(name)
	if why != "" {
		return f, why
	}
	return state.Callable{Module: module, Name: function, Arity: n}, ""
}
