package spec

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"ehc/state"
)

const topicsExample = `topics = ["metrics:*"]`

// decodePubSubs reads in which Phoenix.PubSub servers to take part.
func decodePubSubs(blocks []block) []state.PubSub {
	var found []state.PubSub
	for i, b := range blocks {
		name, why := serverName(b.label)
		switch {
		case i == maxPubSubs:
			b.p.errorAt(b.at, "too many pubsub blocks", fmt.Sprintf("There may be %d.", maxPubSubs))
		case why != "":
			b.p.errorAt(b.named, fmt.Sprintf("%q is no name of a Phoenix.PubSub server: %s", b.label, why),
				`It is what stands in the app's children, {Phoenix.PubSub, name: MyApp.PubSub}: "MyApp.PubSub".`)
		case slices.ContainsFunc(found, func(s state.PubSub) bool { return s.Name == name }):
			b.p.errorAt(b.named, fmt.Sprintf("a second pubsub block for %q", name), "Put all of it into one.")
		}
		relay, _ := b.flag("relay", pubsubRelay)
		found = append(found, state.PubSub{Name: name, Topics: b.topics(), Pool: int(b.count("pool_size", pubsubPool)), Relay: relay})
	}
	slices.SortFunc(found, func(a, b state.PubSub) int { return cmp.Compare(a.Name, b.Name) })
	return found
}

// serverName is a server's name as Elixir shows it, without what it would leave out.
func serverName(text string) (name, why string) {
	name = strings.TrimPrefix(strings.TrimPrefix(text, "Elixir."), ":")
	if !elixirModule.MatchString(name) && !erlangModule.MatchString(name) {
		return name, "that cannot be a module or an atom"
	}
	if len(name) > maxAtom-len("Elixir..Adapter_256") {
		return name, "it is too long"
	}
	return name, ""
}

// topics reads the patterns of the topics that are kept.
func (b block) topics() []string {
	items, got := b.list("topics", maxTopics, false, use{})
	if got == absent && b.body != nil {
		b.missing("topics", topicsExample)
	}
	var found []string
	for _, it := range items {
		switch {
		case it.text == "" || len(it.text) > maxTopic:
			b.p.errorAt(it.at, fmt.Sprintf("topics in %s: a topic has 1 to %d bytes", b.title, maxTopic),
				`It is written as it is broadcast, with * for any characters: "metrics:*".`)
		case slices.Contains(found, it.text):
			b.p.errorAt(it.at, fmt.Sprintf("topics in %s: %q is there twice", b.title, it.text), "")
		default:
			found = append(found, it.text)
		}
	}
	return found
}
