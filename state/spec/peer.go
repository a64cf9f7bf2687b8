package spec

import (
	"fmt"
	"regexp"
	"sort"

	"ehc/state"
)

var appOK = regexp.MustCompile(`^[A-Za-z][0-9A-Za-z_-]*$`)

// decodePeers reads the apps, and orders them by name.
func decodePeers(blocks []block, own state.Node) []state.App {
	if len(blocks) > maxApps {
		blocks[maxApps].p.errorAt(blocks[maxApps].at, "too many peer blocks", fmt.Sprintf("The limit is %d.", maxApps))
		return nil
	}
	var apps []state.App
	first := map[string]block{}
	for _, b := range blocks {
		if before, twice := first[b.label]; twice {
			b.p.errorAt(b.named, fmt.Sprintf("a second peer block %q", b.label),
				fmt.Sprintf("The first is on line %d. One app has one block; its queries option takes several.", before.at.Start.Line))
			continue
		}
		first[b.label] = b
		if len(b.label) > maxLabel || !appOK.MatchString(b.label) {
			b.p.errorAt(b.named, fmt.Sprintf("%q cannot name an app", b.label),
				"A name is a letter and then letters, digits, _ and -, 63 characters at most.")
		}
		apps = append(apps, decodePeer(b, own))
	}
	sharedQueries(apps, first)
	sort.Slice(apps, func(i, j int) bool { return apps[i].Name < apps[j].Name })
	return apps
}

func decodePeer(b block, own state.Node) state.App {
	app := state.App{
		Name:    b.label,
		Queries: queries(b, own),
		Port:    uint16(b.count("port", peerPort)),
		Cookies: cookies(b, false),
		Prune:   decodePrune(b.child("prune")),
		Deliver: decodeDeliver(b.child("deliver")),
	}
	app.Match, app.Template = naming(b)
	return app
}

// naming reads how the names of an app's nodes are learned: by a pattern, or
// by a template.
func naming(b block) (match, template string) {
	match, matchAt, gotMatch := b.text("match", use{})
	template, templateAt, gotTemplate := b.text("node", use{template: true})
	if gotMatch == present && gotTemplate == present {
		b.p.errorAt(templateAt, fmt.Sprintf("%s has both match and node", b.title),
			"match picks names that EPMD lists; node makes the name, and asks nobody. Keep one.")
		return "", ""
	}
	if gotMatch == present {
		if why := badGlob(match); why != "" {
			b.wrong(matchAt, "match", why)
		}
		return match, ""
	}
	if gotTemplate == present {
		if why := badTemplate(template); why != "" {
			b.p.errorAt(templateAt, "node in "+b.title+": "+why, `Such as: node = "billing@${ip}"`)
		}
		return "", template
	}
	return peerMatch, ""
}

func decodePrune(b block) state.Prune {
	empty, _ := b.flag("allow_empty", pruneAllowEmpty)
	return state.Prune{
		After:      b.duration("after", pruneAfter),
		MaxShare:   b.share("max_share", pruneMaxShare),
		MaxAtOnce:  b.share("max_at_once", pruneMaxAtOnce),
		AllowEmpty: empty,
	}
}

// sharedQueries warns of a query that several apps ask, unless each of them
// says by different names which of the nodes are its own.
func sharedQueries(apps []state.App, blocks map[string]block) {
	asked := map[string]state.App{}
	for _, app := range apps {
		for _, q := range app.Queries {
			before, shared := asked[q.Text]
			if !shared {
				asked[q.Text] = app
				continue
			}
			if before.Match != app.Match || before.Template != app.Template {
				continue
			}
			b := blocks[app.Name]
			b.p.warnAt(b.body.Attributes["queries"].Expr.Range(),
				fmt.Sprintf("%s asks %q, as peer %q does", b.title, q.Text, before.Name),
				"Each node found would belong to both apps. Tell them apart by match, or drop one of the two.")
		}
	}
}
