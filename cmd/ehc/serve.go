package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/sync/errgroup"

	"ehc/controller/api"
	"ehc/controller/api/web"
	"ehc/state"
)

// Where the API token comes from, for ehc run and for every other command.
const (
	tokenVariable     = "EHC_API_TOKEN"
	tokenFileVariable = "EHC_API_TOKEN_FILE"
)

// maxTokenFile bounds a file with a token, in bytes: more than any token has.
const maxTokenFile = 4 << 10

// endpoint is one place where the API is served.
type endpoint struct {
	at      api.Address
	listen  net.Listener
	guarded bool // who asks there needs the token
}

// endpoints listens where the API is to be served: on the unix socket, and over
// TCP if the flag or the file says so.
func (d daemon) endpoints(s state.APISpec, log hclog.Logger) ([]endpoint, api.Token, error) {
	tcp, token, err := d.overTCP(s)
	if err != nil {
		return nil, token, err
	}
	l, err := d.at.Listen()
	if err != nil {
		return nil, token, err
	}
	all := []endpoint{{at: d.at, listen: l}}
	if tcp == (api.Address{}) {
		return all, token, nil
	}
	if tcp.IsTLS() {
		l, err = listenTLS(tcp, s, log)
	} else {
		l, err = tcp.Listen()
	}
	if err != nil {
		return nil, token, errors.Join(err, all[0].listen.Close())
	}
	return append(all, endpoint{at: tcp, listen: l, guarded: true}), token, nil
}

// overTCP is where to serve over TCP, and with which token; the zero Address if
// nowhere.
func (d daemon) overTCP(s state.APISpec) (api.Address, api.Token, error) {
	at := d.tcp
	if at == (api.Address{}) && s.Listen.IsValid() {
		at = api.TCP(s.Listen, s.CertFile != "")
	}
	if at == (api.Address{}) {
		return at, api.Token{}, nil
	}
	if at.IsTLS() != (s.CertFile != "") {
		return at, api.Token{}, fmt.Errorf("serve the API on %s: https needs cert_file and key_file in the api block of cluster.hcl, and http must not have them", at)
	}
	if at.IsTLS() {
		if _, err := readCertificate(s); err != nil {
			return at, api.Token{}, err
		}
	}
	token, err := tokenOf(d.env.Lookup)
	if err == nil && s.Token.Reveal() != "" {
		token, err = api.NewToken(s.Token.Reveal())
	}
	if err == nil && token.IsZero() {
		err = fmt.Errorf("serve the API on %s: there is no token: set %s or %s, or token in the api block of cluster.hcl; ehc cookie makes one",
			at, tokenVariable, tokenFileVariable)
	}
	return at, token, err
}

func listenTLS(at api.Address, s state.APISpec, log hclog.Logger) (net.Listener, error) {
	c, err := openCertificates(s, log)
	if err != nil {
		return nil, err
	}
	return at.ListenTLS(c.current)
}

// tokenOf is the API token of the environment; the zero Token if it has none.
func tokenOf(env func(string) (string, bool)) (api.Token, error) {
	from := tokenVariable
	text, _ := env(from)
	if path, _ := env(tokenFileVariable); text == "" && path != "" {
		b, err := readFile(path, maxTokenFile)
		if err != nil {
			return api.Token{}, fmt.Errorf("read %s: %w", tokenFileVariable, err)
		}
		from, text = tokenFileVariable, strings.TrimRight(string(b), "\r\n")
	}
	if text == "" {
		return api.Token{}, nil
	}
	t, err := api.NewToken(text)
	if err != nil {
		return t, fmt.Errorf("%s: %w", from, err)
	}
	return t, nil
}

// serve serves h at every endpoint until ctx ends.
func serve(ctx context.Context, all []endpoint, token api.Token, h http.Handler, log hclog.Logger) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, e := range all {
		here := api.OnSocket(h)
		if e.guarded {
			here = api.Authorized(h, token)
			log.Info("serving the API", "at", e.at, "address", e.listen.Addr())
		}
		here = web.Beside(here) // outside the guard: it holds nothing, and asks for the token itself
		group.Go(func() error { return api.Serve(ctx, e.listen, here) })
	}
	return group.Wait()
}
