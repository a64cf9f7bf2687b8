package controller

import (
	"ehc/state"
	"ehc/transport"
)

// Cookies are the secrets as the transport takes them.
func Cookies(secrets []state.Secret) []transport.Cookie {
	var cs []transport.Cookie
	for _, s := range secrets {
		cs = append(cs, transport.NewCookie(s.Reveal()))
	}
	return cs
}

// CookiesFor returns the cookies of the app that lists a node, for peers that
// dial us; none if no app does or its app uses the node's.
func CookiesFor(store *state.Store, config *Config) func(node string) []transport.Cookie {
	return func(node string) []transport.Cookie {
		peer, ok := store.Snapshot().Wanted(state.Node(node))
		if !ok {
			return nil
		}
		for _, a := range config.Spec().Apps {
			if a.Name == peer.App {
				return Cookies(a.Cookies)
			}
		}
		return nil
	}
}
