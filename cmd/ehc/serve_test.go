package main

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ehc/controller/api"
	"ehc/state"
	"ehc/state/spec"
	"ehc/transport/transporttest"
)

const testToken = "a-token-of-the-tests"

func TestWhereTheAPIIsServed(t *testing.T) {
	issued := transporttest.NewAuthority(t).Issue("127.0.0.1")
	tcp := func(text string) api.Address {
		a, err := api.ParseAddress(text)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	listen := netip.MustParseAddrPort("127.0.0.1:8400")
	secret := state.NewSecret("a-token-of-the-file")
	for name, c := range map[string]struct {
		flag string
		env  string
		file state.APISpec
		at   string // empty: nowhere
		err  string
	}{
		"nothing asks for TCP":          {env: testToken},
		"the flag does":                 {flag: "http://127.0.0.1:1", env: testToken, at: "http://127.0.0.1:1"},
		"without a token":               {flag: "http://127.0.0.1:1", err: "there is no token"},
		"with a token that is too weak": {flag: "http://127.0.0.1:1", env: "weak", err: "want 16 to 512"},
		"the file does":                 {file: state.APISpec{Listen: listen, Token: secret}, at: "http://127.0.0.1:8400"},
		"the file, without a token":     {file: state.APISpec{Listen: listen}, err: "there is no token"},
		"the flag goes first":           {flag: "http://127.0.0.1:1", file: state.APISpec{Listen: listen, Token: secret}, at: "http://127.0.0.1:1"},
		"with a certificate": {
			file: state.APISpec{Listen: listen, Token: secret, CertFile: issued.Cert, KeyFile: issued.Key}, at: "https://127.0.0.1:8400",
		},
		"https without one": {flag: "https://127.0.0.1:1", env: testToken, err: "https needs cert_file"},
		"http with one": {
			flag: "http://127.0.0.1:1", env: testToken, file: state.APISpec{CertFile: issued.Cert, KeyFile: issued.Key}, err: "http must not have them",
		},
		"a certificate that is none": {
			file: state.APISpec{Listen: listen, Token: secret, CertFile: issued.Key, KeyFile: issued.Key}, err: "certificate of the API",
		},
	} {
		d := daemon{env: spec.Env{Lookup: func(name string) (string, bool) { return c.env, name == tokenVariable }}}
		if c.flag != "" {
			d.tcp = tcp(c.flag)
		}
		at, token, err := d.overTCP(c.file)
		switch {
		case c.err != "":
			if err == nil || !strings.Contains(err.Error(), c.err) || strings.Contains(err.Error(), testToken) {
				t.Errorf("%s: error = %v, want %s", name, err, c.err)
			}
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case c.at == "" && at != (api.Address{}), c.at != "" && at.String() != c.at, c.at != "" && token.IsZero():
			t.Errorf("%s: at %v, token %v", name, at, token)
		}
	}
}

func TestTheTokenComesFromTheEnvironmentOrAFile(t *testing.T) {
	path, weak := filepath.Join(t.TempDir(), "token"), filepath.Join(t.TempDir(), "weak")
	for path, text := range map[string]string{path: testToken, weak: "short"} {
		if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		env  map[string]string
		none bool
		bad  string // what the error begins with
	}{
		"from the environment": {env: map[string]string{tokenVariable: testToken, tokenFileVariable: "/nowhere"}},
		"from a file":          {env: map[string]string{tokenFileVariable: path}},
		"from nowhere":         {none: true},
		"set to nothing":       {env: map[string]string{tokenVariable: "", tokenFileVariable: ""}, none: true},
		"from no file":         {env: map[string]string{tokenFileVariable: path + "x"}, bad: "read EHC_API_TOKEN_FILE: "},
		"too short":            {env: map[string]string{tokenVariable: "short"}, bad: "EHC_API_TOKEN: "},
		"from an endless file": {env: map[string]string{tokenFileVariable: "/dev/zero"}, bad: "read EHC_API_TOKEN_FILE: "},
		"too short in a file":  {env: map[string]string{tokenFileVariable: weak}, bad: "EHC_API_TOKEN_FILE: "},
	} {
		token, err := tokenOf(func(name string) (string, bool) { v, ok := c.env[name]; return v, ok })
		isBad := c.bad != ""
		if (err != nil) != isBad || token.IsZero() != (c.none || isBad) || isBad && !strings.HasPrefix(err.Error(), c.bad) {
			t.Errorf("%s: %v, %v", name, token, err)
		}
	}
}

// TestTheAPIOverTLS asks a real controller over TCP, with and without its token.
func TestTheAPIOverTLS(t *testing.T) {
	c := newCluster(t)
	issued := transporttest.NewAuthority(t).Issue("127.0.0.1")
	at := fmt.Sprintf("127.0.0.1:%d", transporttest.FreePort(t))
	c.extra = []string{tokenVariable + "=" + testToken, caVariable + "=" + issued.CA}
	c.start(c.file("cluster.hcl", fmt.Sprintf("api {\n  listen    = %q\n  cert_file = %q\n  key_file  = %q\n}\n", at, issued.Cert, issued.Key)))

	if out := c.must("status", "-o", "json", "-api", "https://"+at); !strings.Contains(out, `"ehc@127.0.0.1"`) {
		t.Errorf("over TLS: %s", out)
	}
	for name, lacking := range map[string]string{
		"want the API token": tokenVariable + "=", "certificate": caVariable + "=",
	} {
		e := exec.Command(c.bin, "status", "-api", "https://"+at)
		e.Env = append(c.environ(), lacking)
		out, err := e.CombinedOutput()
		if err == nil || !strings.Contains(string(out), name) {
			t.Errorf("without it: %v\n%s", err, out)
		}
	}
	if strings.Contains(c.log.String(), testToken) {
		t.Error("the token is in the log")
	}
}
