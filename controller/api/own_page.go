package api

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// OnSocket serves h on a unix socket, where who may open it needs no token. A
// browser may, through a tunnel that its user opened: so it refuses what another
// site's page has it send, and any request for a host that is not this machine,
// under which a page whose name was pointed here would read the answers.
func OnSocket(h http.Handler) http.Handler {
	h = ownPage(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !here(r.Host) {
			fail(w, NewProblem(http.StatusForbidden, "host %.100q: on the socket ask for http://ehc/, http://localhost/ or http://127.0.0.1/", r.Host).Because(ReasonNotAllowed))
			return
		}
		h.ServeHTTP(w, r)
	})
}

// here says whether a Host header, with a port or without, is a name of this
// machine's own that no name server is asked for. A browser always sends one.
func here(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if addr, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return addr.IsLoopback()
	}
	return host == "" || strings.EqualFold(host, "ehc") || strings.EqualFold(host, "localhost")
}

// ownPage refuses what another site's page has a browser send. That page would not see
// what a read is answered; but to be answered a count asks an app, and a doctor every
// node. A person who follows a link may read, for a browser shows them the answer.
func ownPage(h http.Handler) http.Handler {
	refused := func(w http.ResponseWriter, _ *http.Request) {
		fail(w, NewProblem(http.StatusForbidden, "a request of another site's page: not allowed").Because(ReasonNotAllowed))
	}
	fromElsewhere := http.NewCrossOriginProtection() // which lets every read through
	fromElsewhere.SetDenyHandler(http.HandlerFunc(refused))
	h = fromElsewhere.Handler(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		site := r.Header.Get("Sec-Fetch-Site") // empty: no browser's, or one of before 2023
		if (site == "cross-site" || site == "same-site") && r.Header.Get("Sec-Fetch-Dest") != "document" {
			refused(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}
