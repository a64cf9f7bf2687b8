package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"ehc/controller/api"
)

func TestTheFilesAreServedToWhoeverAsksAndNothingElse(t *testing.T) {
	url := serve(t, well(), "a-token-of-the-test-0123")
	for path, kind := range map[string]string{
		"": "text/html; charset=utf-8", "ui/main.js": "text/javascript; charset=utf-8",
		"ui/ehc.css": "text/css; charset=utf-8", "ui/icon.svg": "image/svg+xml",
	} {
		res := header(t, http.MethodGet, url+path, nil)
		body, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != kind || len(body) == 0 {
			t.Errorf("%q: %d %s %v", path, res.StatusCode, res.Header.Get("Content-Type"), err)
		}
		csp := res.Header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") || res.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%q: headers %v", path, res.Header)
		}
		again := header(t, http.MethodGet, url+path, http.Header{"If-None-Match": {res.Header.Get("ETag")}})
		if again.StatusCode != http.StatusNotModified {
			t.Errorf("%q again: %d", path, again.StatusCode)
		}
	}
	for _, path := range []string{"v1/status", "ui/", "ui/nothing.js", "index.html", "page/index.html"} {
		if res := header(t, http.MethodGet, url+path, nil); res.StatusCode != http.StatusUnauthorized {
			t.Errorf("%q without the token: %d", path, res.StatusCode)
		}
	}
	if res := header(t, http.MethodPost, url, nil); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a POST to the page: %d", res.StatusCode)
	}
}

const rows = `document.querySelectorAll("#nodes tr").length`

func TestThePageShowsTheClusterAndChangesWithIt(t *testing.T) {
	b := chromium(t)
	s := well()
	p := open(t, b, serve(t, s, ""), 1280, 900)
	p.until(`document.getElementById("verdict").dataset.state === "well"`)
	p.until(`document.getElementById("live").dataset.state === "live"`)
	if got := value[string](p, `document.getElementById("verdict-title").textContent`); got != "All is well: 3 of 3 nodes up, nothing waits" {
		t.Errorf("the verdict is %q", got)
	}
	if got := value[string](p, `document.getElementById("plan-summary").textContent`); !strings.HasPrefix(got, "No changes") {
		t.Errorf("the plan is %q", got)
	}
	p.until(`document.querySelectorAll("#history li").length === 4`)
	p.shot("well")

	s.change(func(s *stage) {
		*s.node("phoenix-01JDQ8V0Y3@fdaa:0:18:a7b:2f:2:11d0:2") = down("phoenix", "phoenix-01JDQ8V0Y3@fdaa:0:18:a7b:2f:2:11d0:2", "Silent", "peer fell silent")
		s.status.Apps[1].Conditions[0] = condition("Connected", false, "NotConnected", "1 of 2; peer fell silent")
		s.status.Outbox = []api.OutboxApp{{App: "phoenix", Pending: 7, Bytes: 700, Oldest: time.Now(), Dead: 1}}
		s.dead = []api.Event{{ID: "01X", App: "phoenix", Seq: 3, Type: "poke", Payload: json.RawMessage(`{"a":1}`), Reason: "HandlerRefused", Error: "no", DiedAt: time.Now()}}
		s.plan.Actions = []api.Action{{Kind: "connect", Node: "phoenix-01JDQ8V0Y3@fdaa:0:18:a7b:2f:2:11d0:2", App: "phoenix", Reason: "listed, not connected"}}
		s.happens(api.HistoryEntry{At: time.Now(), Kind: "Disconnected", Warning: true, App: "phoenix", Node: "phoenix-01JDQ8V0Y3@x", Reason: "Silent", Message: "peer fell silent"})
	})
	p.until(`document.getElementById("verdict").dataset.state === "bad"`)
	p.until(`document.querySelector("#history li").textContent.includes("Disconnected")`)
	p.until(`document.querySelectorAll("#actions li.connect").length === 1`)
	p.until(`document.querySelectorAll("#letters li").length === 1`)
	if got := value[int](p, `document.querySelectorAll("#picture .dot.down").length`); got != 1 {
		t.Errorf("%d nodes are drawn as down", got)
	}
	if got := value[string](p, `document.querySelector("#queues tr").textContent`); !strings.Contains(got, "phoenix7") {
		t.Errorf("the queue is %q", got)
	}

	// What is open stays open when something else changes.
	p.do(click("#letters summary"))
	s.change(func(s *stage) {
		*s.node("phoenix-01JDQ8V0Y3@fdaa:0:18:a7b:2f:2:11d0:2") = up("phoenix", "phoenix-01JDQ8V0Y3@fdaa:0:18:a7b:2f:2:11d0:2", "27")
		s.status.Apps[1].Conditions[0] = condition("Connected", true, "Connected", "2 of 2")
	})
	p.until(`document.querySelectorAll("#picture .dot.down").length === 0`)
	if !value[bool](p, `document.querySelector("#letters details").open`) {
		t.Error("the dead letter closed itself")
	}
	p.clean()
}

// node is one of the stage's. It is for change.
func (s *stage) node(name string) *api.Node {
	for i := range s.status.Nodes {
		if s.status.Nodes[i].Node == name {
			return &s.status.Nodes[i]
		}
	}
	panic("no node " + name)
}

func TestThePageComesBackWithItsController(t *testing.T) {
	b := chromium(t)
	first, stop := serveAt(t, "127.0.0.1:0", well())
	p := open(t, b, first, 1280, 900)
	p.until(`document.getElementById("live").dataset.state === "live" && document.querySelectorAll("#history li").length === 4`)
	stop()
	p.until(`document.getElementById("live").dataset.state === "lost"`)
	again := trouble()
	serveAt(t, strings.Trim(strings.TrimPrefix(first, "http://"), "/"), again)
	p.until(`document.getElementById("live").dataset.state === "live" && document.getElementById("verdict").dataset.state === "bad"`)
	p.until(`document.querySelector("#history li").textContent.includes("alert(1)")`)
}

// TestEventsThatWaitAreNoFault: a queue always has a reason while something waits.
func TestEventsThatWaitAreNoFault(t *testing.T) {
	b := chromium(t)
	s := well()
	s.status.Outbox = []api.OutboxApp{{App: "phoenix", Pending: 7, Oldest: time.Now(), Reason: "Waiting", Message: "events wait"}}
	p := open(t, b, serve(t, s, ""), 1280, 900)
	p.until(`document.querySelectorAll("#queues .word").length === 1`)
	if got := value[string](p, `document.querySelector("#queues .word").className`); got != "word warn" {
		t.Errorf("the queue is marked %q", got)
	}
	if n := value[int](p, `document.querySelectorAll("#picture .flow").length`); n != 2 {
		t.Errorf("%d links flow, want 2", n)
	}
	s.change(func(s *stage) { s.status.Outbox[0].Reason = "HandlerRaised" })
	p.until(`document.querySelector("#queues .word").className === "word bad" && !document.querySelector("#picture .flow")`)
	p.clean()
}

// TestALongNameHidesNothing: what stands beside the name of an app is seen, on a screen
// without moving anything.
func TestALongNameHidesNothing(t *testing.T) {
	b := chromium(t)
	s := well()
	long := strings.Repeat("a_long_name_", 5) + "abc" // 63, the most
	s.status.Apps[1].App = long
	for i := range s.status.Nodes[:2] {
		s.status.Nodes[i].App = long
	}
	s.status.Outbox = []api.OutboxApp{{App: long, Pending: 12345, Dead: 12, Oldest: time.Now(), Reason: "HandlerUndefined"}}
	s.status.Suspended = []api.Suspension{{App: long}, {App: "event_horizon"}}
	s.plan.Held = []api.Hold{{App: long, Node: s.status.Nodes[0].Node, Reason: "suspended"}}
	s.plan.Suspended = []string{long, "event_horizon"}
	p := open(t, b, serve(t, s, ""), 1440, 900)
	p.until(`document.querySelectorAll("#queues .word").length === 1 && document.querySelectorAll("#actions li").length > 0`)
	if n := value[int](p, `document.querySelectorAll("#actions li").length`); n != 2 {
		t.Errorf("the plan has %d lines: a suspended app with something held needs no other", n)
	}
	for _, width := range []int64{1440, 375} {
		p.do(chromedp.EmulateViewport(width, 900))
		p.until(`document.querySelector("#picture svg").viewBox.baseVal.width === document.getElementById("picture").clientWidth`)
		if over := value[int](p, `(() => {
			const badges = [...document.querySelectorAll("#picture rect.badge")].map((r) => r.getBoundingClientRect());
			return [...document.querySelectorAll("#picture .name, #picture .small")].map((n) => n.getBoundingClientRect())
				.filter((n) => badges.some((r) => n.right > r.left && n.left < r.right && n.bottom > r.top && n.top < r.bottom)).length;
		})()`); over != 0 {
			t.Errorf("%d wide: %d names lie over their badges", width, over)
		}
		if hidden := value[int](p, `(({scrollWidth, clientWidth}) => scrollWidth - clientWidth)(document.querySelector("#outbox .scroll"))`); hidden > 0 && width > 1000 {
			t.Errorf("%d wide: %d pixels of the queues are hidden", width, hidden)
		}
		p.shot(fmt.Sprintf("long-%d", width))
	}
	p.clean()
}

// TestAConnectionOnWhichNothingComesIsGivenUp: the first two connections of each read
// are left without an answer, as when the machine has gone.
func TestAConnectionOnWhichNothingComesIsGivenUp(t *testing.T) {
	b := chromium(t)
	s := well()
	h := api.Handler(s, api.Options{})
	var mu sync.Mutex
	asked := map[string]int{}
	url, _ := serveHandler(t, "127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked[r.URL.Path]++
		n := asked[r.URL.Path]
		mu.Unlock()
		if n > 2 {
			h.ServeHTTP(w, r)
			return
		}
		if n == 2 && r.URL.Path == "/v1/history/follow" {
			_ = http.NewResponseController(w).Flush() // the answer begins, and nothing follows
		}
		<-r.Context().Done()
	}))
	p := open(t, b, url, 1280, 900, hasty)
	p.until(`document.getElementById("live").dataset.state === "live" && document.querySelectorAll("#history li").length === 4`)
	s.change(func(s *stage) { s.happens(api.HistoryEntry{At: time.Now(), Kind: "Reloaded", Message: "cluster.hcl"}) })
	p.until(`document.querySelectorAll("#history li").length === 5`)
	p.clean()
}

// hasty makes half a second of the 40 for which the page waits on a silent connection.
func hasty(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
	_, err := cdp.Call(ctx, tab, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `
		const hasty = (ms) => (ms === 40000 ? 500 : ms);
		const wait = window.setTimeout, limit = AbortSignal.timeout;
		window.setTimeout = (f, ms) => wait(f, hasty(ms));
		AbortSignal.timeout = (ms) => limit.call(AbortSignal, hasty(ms));`})
	return chromedp.Void{}, err
}

func TestNamesThatAreHTMLStayText(t *testing.T) {
	b := chromium(t)
	s := trouble()
	p := open(t, b, serve(t, s, ""), 1280, 900)
	p.until(rows + ` === ` + fmt.Sprint(len(s.status.Nodes)))
	p.until(`document.querySelectorAll("#letters li").length === 2 && document.querySelectorAll("#actions li").length === 4`)
	p.do(click("#letters summary"), click("#nodes-details summary"))
	for _, where := range []string{"#nodes", "#actions", "#letters", "#history", "#picture"} {
		if !strings.Contains(value[string](p, fmt.Sprintf(`document.querySelector(%q).textContent`, where)), "<img/src=x") {
			t.Errorf("%s does not show the name as it is", where)
		}
	}
	if n := value[int](p, `document.querySelectorAll("main img, main script, main iframe, [onerror]").length`); n != 0 {
		t.Errorf("%d elements were made of names", n)
	}
	p.shot("trouble")
	p.clean()
}

func TestTheTokenOpensThePageForOneTab(t *testing.T) {
	const token = "a-token-of-the-test-0123"
	b := chromium(t)
	p := open(t, b, serve(t, well(), token), 1280, 900)
	p.until(`!document.getElementById("gate").hidden && document.activeElement.id === "token"`)
	p.shot("gate")
	p.do(chromedp.KeyEvent("not-the-token-of-the-test" + kb.Enter))
	p.until(`document.getElementById("gate-error").textContent === "The controller refuses this token."`)
	p.do(chromedp.KeyEvent(token + kb.Enter))
	p.until(`document.getElementById("verdict").dataset.state === "well" && document.getElementById("gate").hidden`)
	p.do(chromedp.Reload())
	p.until(`document.getElementById("verdict").dataset.state === "well"`)
	if value[int](p, `localStorage.length + document.cookie.length`) != 0 || strings.Contains(value[string](p, `location.href + document.title + document.body.textContent`), token) {
		t.Error("the token is elsewhere than in the tab's storage")
	}
	other := open(t, b, value[string](p, `location.href`), 1280, 900)
	other.until(`!document.getElementById("gate").hidden`)
	p.clean()
}

func TestThePageFitsAPhoneAndTheDark(t *testing.T) {
	b := chromium(t)
	p := open(t, b, serve(t, trouble(), ""), 1440, 900)
	p.until(rows + ` > 0 && document.querySelectorAll("#letters li").length > 0 && document.querySelectorAll("#history li").length > 5`)
	for _, c := range []struct {
		name          string
		width, height int64
		scheme        string
	}{
		{"desktop", 1440, 900, "light"}, {"desktop-dark", 1440, 900, "dark"}, {"tablet", 820, 1180, "light"},
		{"phone", 375, 812, "light"}, {"phone-dark", 375, 812, "dark"}, {"small-phone", 320, 568, "light"},
	} {
		p.do(chromedp.EmulateViewport(c.width, c.height), prefers(c.scheme))
		p.until(fmt.Sprintf(`innerWidth === %d && matchMedia("(prefers-color-scheme: %s)").matches &&
			document.querySelector("#picture svg").viewBox.baseVal.width === document.getElementById("picture").clientWidth`, c.width, c.scheme))
		if wide := value[int64](p, `document.scrollingElement.scrollWidth`); wide > c.width {
			t.Errorf("%s: the page is %d wide, the screen %d", c.name, wide, c.width)
		}
		for what, ratio := range value[map[string]float64](p, contrasts) {
			if ratio < 4.5 {
				t.Errorf("%s: %s has a contrast of %.2f", c.name, what, ratio)
			}
		}
		p.shot(c.name)
	}
	p.clean()
}

// prefers is a person who likes it light or dark.
func prefers(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})
}

// contrasts gives the least contrast of the texts by their classes, as WCAG reckons
// it, with what is behind them.
const contrasts = `(() => {
	const parse = (c) => (c.match(/[\d.]+/g) ?? []).map(Number);
	const light = ([r, g, b]) => [r, g, b].map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
		.reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
	const behind = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.length === 3 || c[3] === 1) return c; } return [255, 255, 255]; };
	const found = {};
	for (const e of document.querySelectorAll("body *")) {
		if (e.closest("svg, [hidden], .skip") || ![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()) || !e.getClientRects().length) continue;
		const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
		const name = e.tagName.toLowerCase() + "." + e.className;
		found[name] = Math.min(found[name] ?? 99, (a + 0.05) / (b + 0.05));
	}
	return found;
})()`

func TestThePageIsUsedByKeyboard(t *testing.T) {
	b := chromium(t)
	p := open(t, b, serve(t, trouble(), ""), 1280, 900)
	p.until(rows + ` > 0 && document.querySelectorAll("#letters li").length === 2`)
	focused := `(() => { const e = document.activeElement, s = getComputedStyle(e);
		return (e.id || e.textContent.trim()) + "|" + (s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2); })()`
	var seen []string
	for range 40 {
		p.do(chromedp.KeyEvent(kb.Tab))
		at := value[string](p, focused)
		name, visible, _ := strings.Cut(at, "|")
		if name == "" || value[bool](p, `document.activeElement === document.body`) {
			break
		}
		if visible != "true" {
			t.Errorf("the focus on %q cannot be seen", name)
		}
		seen = append(seen, name)
	}
	want := []string{"Skip to the cluster", "Cluster", "Outbox", "Plan", "Events", "Dead letters", "Every node as a table", "history", "Error and payload"}
	at := 0
	for _, name := range seen {
		if at < len(want) && name == want[at] {
			at++
		}
	}
	if at < len(want) {
		t.Errorf("Tab comes to %q, and never to %q", seen, want[at])
	}
	value[any](p, `document.querySelector("#nodes-details summary").focus() ?? true`)
	p.do(chromedp.KeyEvent(kb.Enter))
	p.until(`document.getElementById("nodes-details").open`)
	p.clean()
}

func TestThePageMakesSenseToAScreenReader(t *testing.T) {
	b := chromium(t)
	p := open(t, b, serve(t, trouble(), ""), 1280, 900)
	p.until(rows + ` > 0 && document.querySelectorAll("#letters li").length === 2`)
	tree, err := chromedp.Call(p.ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	if err != nil {
		t.Fatal(err)
	}
	roles, named := map[string]int{}, regexp.MustCompile(`^(link|button|textbox|image|img|heading|region|navigation|DisclosureTriangle)$`)
	for _, n := range tree.Nodes {
		if n.Ignored || n.Role == nil {
			continue
		}
		role, name := unquote(n.Role.Value), ""
		if n.Name != nil {
			name = unquote(n.Name.Value)
		}
		roles[role]++
		if named.MatchString(role) && name == "" {
			t.Errorf("a %s has no name", role)
		}
	}
	for role, least := range map[string]int{"main": 1, "banner": 1, "navigation": 1, "contentinfo": 1, "status": 2, "heading": 6, "region": 6, "image": 2} {
		if roles[role] < least {
			t.Errorf("%d of role %s, want %d; there are %v", roles[role], role, least, roles)
		}
	}
	levels := value[[]int](p, `[...document.querySelectorAll("h1, h2, h3")].filter((h) => h.getClientRects().length).map((h) => Number(h.tagName[1]))`)
	if len(levels) == 0 || levels[0] != 1 {
		t.Errorf("the headings are %v", levels)
	}
	p.clean()
}

// click clicks where the first element is that a selector finds.
func click(selector string) chromedp.Action[chromedp.Void] {
	return chromedp.Click(chromedp.CSS(selector))
}

func unquote(raw []byte) (text string) {
	_ = json.Unmarshal(raw, &text)
	return text
}
