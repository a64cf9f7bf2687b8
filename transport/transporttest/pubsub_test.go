package transporttest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"ehc/transport"
	"ehc/transport/etf"
	"ehc/transport/transporttest"
)

// ear keeps what it hears, as text.
type ear struct{ said []string }

func (e *ear) Heard(m transport.PubSubMessage) {
	e.said = append(e.said, m.Node+" "+m.Server+" "+m.Topic+" "+etf.Text(m.Message))
}

func (e *ear) Shown(p transport.PubSubPeer) {
	text := p.Node + " shows"
	if !p.Scope {
		text += " nothing"
	}
	for server, pool := range p.Pools {
		text += " " + server + " " + etf.Text(pool)
	}
	for _, other := range p.Others {
		text += " and " + other
	}
	e.said = append(e.said, text)
}

func TestPubSubInMemory(t *testing.T) {
	n := transporttest.NewNetwork()
	defer n.Close()
	p := n.Add("a@memory")
	d := n.Dialer("ehc@memory", nil)
	e := &ear{}
	d.Listen(e)
	says := func(want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, e.said); diff != "" {
			t.Errorf("-want +said:\n%s", diff)
		}
		e.said = nil
	}
	p.ShowPubSub(map[string]int{"A": 2, "B": 1})
	dial := func() transport.Conn {
		c, err := d.Dial(t.Context(), transport.Target{Node: "a@memory"})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := dial()
	p.Broadcast("A", "t", 1)
	says()
	d.Follow([]transport.PubSubServer{{Name: "A"}})
	p.Broadcast("A", "t", []byte("x"))
	p.Broadcast("B", "t", 1)
	says("a@memory shows A 2 and B", `a@memory A t <<"x">>`)
	p.ShowPubSub(nil)
	p.Broadcast("A", "t", 1)
	says("a@memory shows nothing")
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	p.ShowPubSub(map[string]int{"A": 1})
	p.Broadcast("A", "t", 1)
	says()
	dial()
	says("a@memory shows A 1")
}
