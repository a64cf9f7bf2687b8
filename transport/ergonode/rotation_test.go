package ergonode_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ehc/transport"
	"ehc/transport/ergonode"
	"ehc/transport/transporttest/beam"
)

const oldSecret, newSecret = "old-SESAME-cookie", "new-SESAME-cookie"

// jar is the cookies of each app, of which a test may have others at any time: what
// the controller has from the file in force.
type jar struct {
	mu   sync.Mutex
	apps map[string][]transport.Cookie // by a node's full name
}

func newJar(nodes ...string) *jar {
	j := &jar{apps: map[string][]transport.Cookie{}}
	for _, n := range nodes {
		j.set(n, newSecret, oldSecret)
	}
	return j
}

func (j *jar) set(node string, secrets ...string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.apps[node] = nil
	for _, s := range secrets {
		j.apps[node] = append(j.apps[node], transport.NewCookie(s))
	}
}

func (j *jar) of(node string) []transport.Cookie {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.apps[node]
}

// rotation is a node of ours and two apps of one node each. Everything that any of
// our parts says is kept, to look for cookies in it.
type rotation struct {
	t    *testing.T
	n    *ergonode.Node
	jar  *jar
	news *news
	log  lines
	said strings.Builder
}

// shy is a node that dials only when it is told to. Else it now and then dials anew a
// link that is cut as soon as it is up, in the middle of a call that we make by it.
func shy(t *testing.T, epmd int, name, secret string) *beam.Node {
	return beam.Start(t, beam.Options{Name: name, Cookie: secret, EPMDPort: epmd,
		Args: []string{"-kernel", "dist_auto_connect", "never"}})
}

// joins dials an app's node, and has the node dial us; in both cases anew.
func (r *rotation) joins(p *beam.Node) {
	r.t.Helper()
	ups := r.ups(p)
	c, err := r.n.Dial(within(r.t), transport.Target{Node: p.Name(), Cookies: r.jar.of(p.Name())})
	if err != nil {
		r.t.Fatalf("dial: %v", err)
	}
	if _, err := c.Call(within(r.t), "erlang", "node"); err != nil {
		r.t.Error(err)
	}
	r.cut(c)
	forgotten(r.t, p, ourName)
	if got := p.Eval("net_kernel:connect_node('" + ourName + "')"); got != "true" {
		r.t.Fatalf("%s dials us: %s", p.Name(), got)
	}
	// The node knows it before we do: its last word is still on its way.
	until(r.t, p.Name()+" is up both times", func() bool { return r.ups(p) == ups+2 })
}

// ups is how often a peer has come up.
func (r *rotation) ups(p *beam.Node) (n int) {
	for _, e := range r.news.heard() {
		if e == "up "+p.Name() {
			n++
		}
	}
	return n
}

func (r *rotation) cut(c transport.Conn) {
	r.t.Helper()
	if err := c.Close(); err != nil {
		r.t.Fatal(err)
	}
	if why := <-r.news.downs; transport.Reason(why) != "Closed" {
		r.t.Errorf("%s went down: %v", c.Peer().Node, why)
	}
}

// refused is that of a node with another cookie than ours for it, both ways.
func (r *rotation) refused(p *beam.Node) {
	r.t.Helper()
	_, err := r.n.Dial(within(r.t), transport.Target{Node: p.Name(), Cookies: r.jar.of(p.Name())})
	if transport.Reason(err) != "CookieRejected" {
		r.t.Errorf("dial %s: %v", p.Name(), err)
	}
	_, _ = fmt.Fprintf(&r.said, "%v %+v %#v\n", err, err, err)
	if got := p.Eval("net_kernel:connect_node('" + ourName + "')"); got != "false" {
		r.t.Errorf("%s dials us: %s", p.Name(), got)
	}
	r.said.WriteString(r.log.next(r.t, "CookieRejected"))
}

// Both apps go from the old cookie to the new one, one after the other, by
// set_cookie in the running node. The links stay up throughout; those made after it
// go by the new cookie.
func TestARotationAcrossTwoAppsDropsNoConnection(t *testing.T) {
	e := beam.EPMD(t)
	a, z := shy(t, e, "a@127.0.0.1", oldSecret), shy(t, e, "z@127.0.0.1", oldSecret) // our name is between the two
	r := &rotation{t: t, jar: newJar(a.Name(), z.Name()), news: newNews()}
	r.n = start(t, e, func(o *ergonode.Options) {
		r.log = logging(o)
		o.Observer, o.AppCookies = r.news, r.jar.of
		o.Cookies = []transport.Cookie{transport.NewCookie("SESAME-of-no-app")}
	})
	r.joins(a)
	r.joins(z)
	before := r.news.heard()

	step := func(name string, do func()) {
		do()
		for _, p := range []*beam.Node{a, z} {
			if c := dial(t, r.n, p.Name()); !c.Peer().Accepted {
				t.Errorf("%s: the link to %s is a new one", name, p.Name())
			} else if _, err := c.Call(within(t), "erlang", "node"); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if diff := cmp.Diff(before, r.news.heard()); diff != "" {
			t.Errorf("%s: links came and went: %s", name, diff)
		}
	}
	turn := func(p *beam.Node) { p.Eval("erlang:set_cookie(node(), '" + newSecret + "')") }
	step("app a turns", func() { turn(a) })
	step("app z turns", func() { turn(z) })
	step("the old cookie is taken off", func() {
		r.jar.set(a.Name(), newSecret)
		r.jar.set(z.Name(), newSecret)
	})
	for _, p := range []*beam.Node{a, z} {
		r.cut(dial(t, r.n, p.Name()))
		forgotten(t, p, ourName)
		r.joins(p)
	}
	r.silent(a, z)
}

// Half of the way one app has the new cookie and the other the old one: whoever
// starts again then gets in, by a dial of either side.
func TestEachAppHasCookiesOfItsOwn(t *testing.T) {
	e := beam.EPMD(t)
	a, z := shy(t, e, "a@127.0.0.1", newSecret), shy(t, e, "z@127.0.0.1", oldSecret)
	r := &rotation{t: t, jar: newJar(a.Name(), z.Name()), news: newNews()}
	r.n = start(t, e, func(o *ergonode.Options) {
		r.log = logging(o)
		o.Observer, o.AppCookies = r.news, r.jar.of
	})
	for range 3 { // a second cookie follows on the heels of the first
		for _, p := range []*beam.Node{a, z} {
			r.joins(p)
			r.cut(dial(t, r.n, p.Name()))
			forgotten(t, p, ourName)
		}
	}
	r.jar.set(a.Name(), oldSecret)
	r.refused(a)
	r.jar.set(a.Name(), newSecret)
	r.jar.set(z.Name(), newSecret)
	r.joins(a)
	r.refused(z)
	r.silent(a, z)
}

// silent looks for cookies in what we said.
func (r *rotation) silent(peers ...*beam.Node) {
	r.t.Helper()
	for _, p := range peers {
		_, _ = fmt.Fprintf(&r.said, "%v %+v\n", r.jar.of(p.Name()), transport.Target{Cookies: r.jar.of(p.Name())})
	}
	r.said.WriteString(drained(r.log))
	text := r.said.String()
	if strings.Contains(text, "SESAME") {
		r.t.Errorf("a cookie is shown:\n%s", text)
	}
	if !strings.Contains(text, transport.NewCookie(newSecret).Fingerprint()) {
		r.t.Errorf("no fingerprint is shown:\n%s", text)
	}
}
