package spec

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"ehc/state"
)

// schemes are the kinds of query that are written with a prefix.
var schemes = map[string]state.LookupKind{"srv": state.LookupSRV, "static": state.LookupStatic, "fly": state.LookupFly}

// flyOK is what Fly lets apps be called.
var flyOK = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

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
	if query.Kind == state.LookupFly {
		return query, badFlyApp(query.Target), flyHint(query.Target)
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
	if near := nearest(prefix, sortedKeys(schemes)); near != "" {
		return fmt.Sprintf("Did you mean %q?", near+":"+rest)
	}
	return "A query is a DNS name, \"srv:\" and a name, \"fly:\" and an app, or \"static:\" and a node."
}

// badFlyApp says why no app of Fly's can be called this, or "".
func badFlyApp(name string) string {
	if len(name) > maxLabel || !flyOK.MatchString(name) {
		return fmt.Sprintf("\"fly:%s\" does not name an app of Fly's", name)
	}
	return ""
}

func flyHint(name string) string {
	if app, _, dotted := strings.Cut(strings.TrimSuffix(name, "."), ".internal"); dotted && badFlyApp(app) == "" {
		return fmt.Sprintf("The app's name stands alone: \"fly:%s\"", app)
	}
	return "Such as: \"fly:my-app\". A region or a process group is asked for by its name: \"lhr.my-app.internal\""
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
