package spec

import (
	"path/filepath"
	"strings"

	"ehc/state"
)

// decodeTLS reads which files to speak TLS with: all three of them, or none. It
// does not open them: a cluster.hcl is read on other machines too.
func decodeTLS(b block) state.TLSSpec {
	names := [...]string{"cert_file", "key_file", "ca_file"}
	var paths [len(names)]string
	var lacking []string
	for i, name := range names {
		path, got := b.path(name)
		if got == absent {
			lacking = append(lacking, name)
		}
		paths[i] = path
	}
	if len(lacking) < len(names) {
		for _, name := range lacking {
			b.missing(name, name+` = "/etc/ehc/tls/`+strings.TrimSuffix(name, "_file")+`.pem"`)
		}
	}
	return state.TLSSpec{CertFile: paths[0], KeyFile: paths[1], CAFile: paths[2]}
}

// path reads the absolute path of a file. The value is not shown, for it may be the
// key itself by mistake.
func (b block) path(name string) (string, outcome) {
	text, at, got := b.text(name, use{})
	if got == present && (!filepath.IsAbs(text) || strings.ContainsAny(text, "\r\n\x00")) {
		b.p.errorAt(at, name+" in "+b.title+": want the absolute path of a PEM file on the machine where ehc runs",
			"ehc opens it itself, at each handshake: a new file needs no restart. Do not use the function file here.")
		return "", refused
	}
	return text, got
}
