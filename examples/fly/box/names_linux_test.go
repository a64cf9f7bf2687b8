package box_test

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// publish has the resolver say what Fly's says of the Machines that there are. A
// name changes from one answer to the next, never to none in between.
//
//	AAAA of started Machines   APP, global.APP, REGION.APP, top1.nearest.of.APP,
//	                           GROUP.process.APP, ID.vm.APP
//	TXT                        vms.APP, regions.APP     started
//	                           all.vms.APP, all.regions.APP, _apps   deployed
func (n *network) publish() {
	addrs, texts := map[string][]netip.Addr{}, map[string][]string{}
	add := func(name, word string) {
		if !slices.Contains(texts[name], word) {
			texts[name] = append(texts[name], word)
		}
	}
	for _, m := range n.machines {
		if !m.deployed {
			continue
		}
		app := m.app + ".internal"
		add("_apps.internal", m.app)
		add("all.vms."+app, m.id+" "+m.region)
		add("all.regions."+app, m.region)
		if !m.listed {
			continue
		}
		add("vms."+app, m.id+" "+m.region)
		add("regions."+app, m.region)
		for _, name := range []string{"", "global.", m.region + ".", "top1.nearest.of.", "app.process.", m.id + ".vm."} {
			addrs[name+app] = append(addrs[name+app], m.addr)
		}
	}
	now := map[string]bool{}
	for name, list := range addrs {
		n.dns.Set(name, list...)
		now[name] = true
	}
	for name, words := range texts {
		n.dns.SetTXT(name, strings.Join(words, ","))
		now[name] = true
	}
	for name := range maps.Keys(n.names) {
		if !now[name] {
			n.dns.Clear(name)
		}
	}
	n.names = now
}
