// Package spec makes a [state.Spec] from the text of a cluster.hcl, or says
// what is wrong with it and where.
//
// It owns the language: its blocks and options, their defaults and bounds, its
// functions, and the canonical layout. The file cluster.hcl at the root of the
// repository is its reference, and the tests hold the two together.
//
// It refuses to guess. An option or a block that it does not know is an error,
// so that a slip of the pen never passes for a setting. It reads nothing but
// what [Env] hands it and asks no network. No diagnostic shows a cookie,
// neither its value nor the source text that holds one, and what comes from
// outside under the name of a secret makes cookies and tokens only: everything
// else of a Spec is shown to whoever may ask.
package spec

import (
	"fmt"
	"path/filepath"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"ehc/state"
)

// Parse reads src, the text of the file named file, and returns what it asks
// for. If the diagnostics have errors, the Spec is the zero Spec; warnings
// leave it valid. The diagnostics are ordered by where they stand in the file.
//
// The name is used in diagnostics, and its folder is what the paths given to
// the function file are relative to. Parse keeps no reference to src and may be
// called by several goroutines at once if env's functions may.
func Parse(file string, src []byte, env Env) (state.Spec, Diagnostics) {
	p := &parser{
		file:   file,
		src:    src,
		inputs: newInputs(env, filepath.Dir(file)),
	}
	asked := p.parse()
	diags := p.diagnostics()
	if diags.HasErrors() {
		return state.Spec{}, diags
	}
	return asked, diags
}

// parser is one run of Parse.
type parser struct {
	file   string
	src    []byte
	tokens hclsyntax.Tokens
	broken bool // the text does not parse
	inputs *inputs
	scope  *scope
	secret secrets
	found  []finding
}

func (p *parser) parse() state.Spec {
	if len(p.src) > maxSource {
		p.errorAt(hcl.Range{}, "the file is too long", fmt.Sprintf("It has %d bytes; the limit is %d.", len(p.src), maxSource))
		return state.Spec{}
	}
	// The lexer's complaints come again from the parser.
	p.tokens, _ = hclsyntax.LexConfig(p.src, p.file, hcl.InitialPos)
	if at, limit := unbearable(p.tokens); limit != "" {
		p.errorAt(at, "this is more than the parser bears", limit)
		return state.Spec{}
	}
	parsed, diags := hclsyntax.ParseConfig(p.src, p.file, hcl.InitialPos)
	p.syntax(diags)
	if diags.HasErrors() {
		p.broken = true
		return state.Spec{} // what is left of the file would only bring up more complaints
	}
	body := parsed.Body.(*hclsyntax.Body)
	p.secret.learn(body)
	p.inputs.secretNames = p.inputs.secretPaths(p.secret.names)
	p.check(body, root, "the file")
	p.scope = p.newScope(body)
	return p.decode(body)
}

// decode reads the checked blocks of the file. What check has refused is
// passed over.
func (p *parser) decode(body *hclsyntax.Body) state.Spec {
	top := block{p: p, kind: root, title: "the file", body: body}
	asked := state.Spec{
		DNS:     decodeDNS(top.child("dns")),
		Outbox:  decodeOutbox(top.child("outbox")),
		Receive: decodeReceive(top.child("receive")),
		RPC:     decodeRPC(top.child("rpc")),
		API:     decodeAPI(top.child("api")),
		Log:     decodeLog(top.child("log")),

		Telemetry: decodeTelemetry(top.child("telemetry")),
	}
	node := top.child("node")
	if node.body == nil {
		p.errorAt(hcl.Range{}, "no node block", "Say who ehc is:\n\n"+nodeExample)
	} else {
		asked.Node = decodeNode(node)
	}
	asked.PubSub = decodePubSubs(top.children("pubsub"))
	asked.Apps = decodePeers(top.children("peer"), asked.Node.Name)
	return asked
}

const nodeExample = `node {
  name   = "ehc@${env("FLY_PRIVATE_IP", "127.0.0.1")}"
  cookie = env("RELEASE_COOKIE")
}`
