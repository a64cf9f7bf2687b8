package box_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ehc/controller/api"
)

// regions plans a file that asks for one region only.
func (w *world) regions(fleet []*machine) {
	w.t.Helper()
	w.step("a plan for one region")
	text := strings.Replace(quick(w.t.(*testing.T)), `"fly:`+phoenix+`"`, `"lhr.`+phoenix+`.internal"`, 1)
	out := w.must("", "plan", "-config", w.file("lhr.hcl", text), "-o", "json")
	var plan api.Plan
	if err := json.Unmarshal([]byte(out), &plan); err != nil {
		w.t.Fatal(err)
	}
	var leaving []string
	for _, h := range plan.Held {
		leaving = append(leaving, h.Node)
	}
	for _, a := range plan.Actions {
		if a.Kind != "prune" {
			w.t.Errorf("planned: %+v", a)
		}
		leaving = append(leaving, a.Node)
	}
	if diff := cmp.Diff(names(first, fleet[:1]), leaving); diff != "" { // the one in yyz
		w.t.Errorf("leaving -want +got:\n%s\n%s", diff, out)
	}
}

// rolling replaces one node after the other, and with it its name; the Machines
// and their addresses stay.
func (w *world) rolling(fleet []*machine) {
	w.t.Helper()
	for i, m := range fleet {
		w.step("rolling deploy, Machine %d of %d", i+1, len(fleet))
		m.delist()
		m.halt()
		w.emit(5)
		w.boot(m, second)
		w.emit(5)
		w.eventually("the new name is there and the old one gone", func() bool {
			up := w.up()
			return slices.Contains(up, m.name(second)) && !slices.Contains(up, m.name(first))
		})
	}
	w.delivered()
}

// bluegreen boots a second fleet beside the first. Both are listed for a while,
// then the old one leaves the resolver, while its nodes still run, and is
// destroyed once ehc has let go of it.
func (w *world) bluegreen(blue []*machine, other *machine) []*machine {
	w.t.Helper()
	w.step("bluegreen deploy: the green Machines")
	var green []*machine
	for _, m := range blue {
		green = append(green, w.app(phoenix, m.region, third))
		w.emit(3)
	}
	w.converges(slices.Concat(names(second, blue), names(third, green), []string{other.name(first)}))
	w.step("bluegreen deploy: away from the blue Machines")
	for _, m := range blue {
		m.delist()
	}
	w.emit(5)
	for _, m := range blue {
		m.deployed = false
	}
	w.publish()
	w.converges(append(names(third, green), other.name(first)))
	for _, m := range blue {
		m.node.Await("Node.list(:hidden)", "[]") // it was let go of, and not by dying
		m.destroy()
	}
	w.delivered()
	return green
}

// stopped stops a Machine and starts it again.
func (w *world) stopped(fleet []*machine, other *machine) {
	w.t.Helper()
	w.step("a stopped Machine")
	m := fleet[1]
	m.stop()
	w.emit(5)
	w.eventually("the stopped Machine is told of", func() bool {
		c := w.condition("phoenix", "Running")
		return c.Status == "False" && c.Reason == "MachineStopped" && strings.Contains(c.Message, m.id+" in "+m.region)
	})
	w.eventually("its node is gone", func() bool {
		return !slices.ContainsFunc(w.status().Nodes, func(n api.Node) bool { return n.Node == m.name(third) })
	})
	w.delivered()
	m.cable.plug()
	w.boot(m, third)
	w.converges(append(names(third, fleet), other.name(first)))
}

// partition cuts ehc off from the app's Machines and not from the resolver, then
// from the resolver too; what is emitted meanwhile waits.
func (w *world) partition(fleet []*machine, other *machine) {
	w.t.Helper()
	w.step("a partition")
	all := append(slices.Clone(fleet), other)
	w.apart(true, all)
	w.emit(20)
	w.eventually("the links are down", func() bool { return len(w.up()) == 0 })
	w.emit(20)
	w.eventually("the resolver, which can be reached, is asked", func() bool { return w.condition("phoenix", "Discovered").Reason != "LookupFailed" })
	w.step("no DNS either")
	w.resolver.unplug()
	w.eventually("lookups fail", func() bool { return w.condition("phoenix", "Discovered").Reason == "LookupFailed" })
	w.emit(20)
	if n := w.pending(); n != 60 {
		w.t.Errorf("%d events wait, want 60", n)
	}
	w.step("the Machines are back, DNS is not")
	w.apart(false, all)
	w.delivered() // nobody has forgotten the nodes
	w.step("DNS is back")
	w.resolver.plug()
	w.converges(append(names(third, fleet), other.name(first)))

	w.step("DNS away while all is well")
	w.resolver.unplug()
	w.eventually("lookups fail", func() bool { return w.condition("phoenix", "Discovered").Reason == "LookupFailed" })
	w.emit(20)
	w.delivered()
	w.eventually("all nodes are up without DNS", func() bool { return len(w.up()) == len(all) })
	w.resolver.plug()
	w.converges(append(names(third, fleet), other.name(first)))
}

func (w *world) apart(apart bool, all []*machine) {
	w.t.Helper()
	for _, m := range append(all, w.ehc) {
		m.cable.apart(apart)
	}
}

// crash kills ehc with -9 while events wait, takes its Machine off the network,
// and brings both back.
func (w *world) crash(fleet []*machine, other *machine) {
	w.t.Helper()
	w.step("kill -9 of ehc with a backlog")
	all := append(slices.Clone(fleet), other)
	w.apart(true, all)
	w.emit(20)
	w.kill()
	w.ehc.delist()
	w.ehc.cable.unplug()
	w.ehc.cable.plug()
	w.apart(false, all)
	w.start()
	w.converges(append(names(third, fleet), other.name(first)))
	w.delivered()
}

// migrations move a Machine of the app and ehc's own to other hosts, where they
// have other addresses, and so their nodes other names.
func (w *world) migrations(fleet []*machine, other *machine) {
	w.t.Helper()
	w.step("a Machine migrates")
	m, before := fleet[0], fleet[0].name(third)
	m.halt()
	m.migrate()
	w.emit(5)
	w.boot(m, third)
	w.converges(append(names(third, fleet), other.name(first)))
	if m.name(third) == before {
		w.t.Errorf("it is still %s", before)
	}
	w.delivered()

	w.step("ehc's own Machine migrates, with a backlog")
	all := append(slices.Clone(fleet), other)
	w.apart(true, all)
	w.emit(20)
	node := w.status().Node
	w.end()
	w.ehc.migrate()
	w.apart(false, all)
	w.start()
	w.converges(append(names(third, fleet), other.name(first)))
	w.delivered()
	if now := w.status().Node; now == node {
		w.t.Errorf("ehc is still %s", now)
	}
}
