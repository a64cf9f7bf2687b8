package spec

import (
	"fmt"
	"net/netip"
	"strings"

	"ehc/state"
)

// schemes are the kinds of query that are written with a prefix.
var schemes = map[string]state.LookupKind{"srv": state.LookupSRV, "static": state.LookupStatic}

// parseQuery returns a query as the file writes it, or what is wrong with it
// and how to put that right.
func parseQuery(text string) (query state.Lookup, why, hint string) {
	query = state.Lookup{Text: text, Kind: state.LookupHost, Target: text}
	if addr, err := netip.ParseAddr(text); err == nil {
		return query, fmt.Sprintf("%q is an address, and DNS is asked for names", text),
			fmt.Sprintf("If you know the node that runs there: \"static:NAME@%s\"", addr)
	}
	if prefix, rest, cut := strings.Cut(text, ":"); cut {
		kind, known := schemes[prefix]
		if !known {
			return query, fmt.Sprintf("%q is no kind of query that this version knows", text), schemeHint(prefix, rest)
		}
		query.Kind, query.Target = kind, rest
	}
	if query.Kind == state.LookupStatic {
		if _, why = validNode(query.Target); why != "" {
			why = "static: " + why
		}
		return query, why, "Such as: \"static:billing@10.0.0.7\""
	}
	if query.Target == "" {
		return query, "a query is empty", "Such as: \"billing.internal\""
	}
	hint = "Such as: \"billing.internal\""
	if strings.Contains(text, "@") {
		hint = fmt.Sprintf("A node is listed by its name with: \"static:%s\"", text)
	}
	return query, badName(query.Target), hint
}

func schemeHint(prefix, rest string) string {
	if prefix == "fly" {
		return "Later ones will ask Fly for an app's machines. Until then \"APP.internal\" lists those that are started."
	}
	if near := nearest(prefix, sortedKeys(schemes)); near != "" {
		return fmt.Sprintf("Did you mean %q?", near+":"+rest)
	}
	return "A query is a DNS name, \"srv:\" and a name, or \"static:\" and a node."
}

// queries reads the queries of an app.
func queries(b block, own state.Node) []state.Lookup {
	items, got := b.list("queries", maxQueries, false, use{})
	const example = `queries = ["billing.internal"]`
	switch {
	case got == absent:
		b.missing("queries", example)
	case got == present && len(items) == 0:
		b.wrong(b.body.Attributes["queries"].Expr.Range(), "queries", "the list is empty, so the app has no nodes")
	}
	var found []state.Lookup
	seen := map[string]bool{}
	for _, it := range items {
		query, why, hint := parseQuery(it.text)
		switch {
		case why != "":
			b.p.errorAt(it.at, "queries in "+b.title+": "+why, hint)
			continue
		case seen[it.text]:
			b.p.warnAt(it.at, fmt.Sprintf("queries in %s: %q is there twice", b.title, it.text), "")
			continue
		case query.Kind == state.LookupStatic && state.Node(query.Target) == own:
			b.p.warnAt(it.at, fmt.Sprintf("queries in %s: %s is ehc itself", b.title, own), "It never connects to itself.")
		}
		seen[it.text] = true
		found = append(found, query)
	}
	return found
}
