package spec

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"ehc/state"
)

// decodeTelemetry reads where metrics and probes are answered, and where traces go.
func decodeTelemetry(b block) state.TelemetrySpec {
	return state.TelemetrySpec{Listen: metricsListen(b), Traces: receiver(b)}
}

func metricsListen(b block) netip.AddrPort {
	text, at, got := b.text("listen", use{})
	if got != present {
		return netip.AddrPort{}
	}
	listen, err := netip.ParseAddrPort(text)
	if err != nil || listen.Port() == 0 {
		b.p.errorAt(at, fmt.Sprintf("listen in %s: %q is not an address with a port", b.title, text),
			`Such as: "[::]:9568" for every address, "127.0.0.1:9568" or "[fdaa:0:1::2]:9568".`)
		return netip.AddrPort{}
	}
	return listen
}

// receiver reads the base URL of an OTLP receiver.
func receiver(b block) string {
	text, at, got := b.text("traces", use{})
	if got != present {
		return ""
	}
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "", u.RawQuery != "", u.Fragment != "":
		b.p.errorAt(at, "traces in "+b.title+": want the URL of a receiver of OTLP over HTTP",
			`Such as: "http://127.0.0.1:4318". The path /v1/traces is added to it.`)
		return ""
	case u.User != nil:
		b.p.errorAt(b.at, "traces in "+b.title+": a URL with a password in it", // not where it is shown
			"Headers go into the environment: OTEL_EXPORTER_OTLP_HEADERS.")
		return ""
	}
	return strings.TrimSuffix(text, "/")
}
