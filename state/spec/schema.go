package spec

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// blockType is one kind of block: what may stand in it.
type blockType struct {
	name   string
	label  string // what its one label names; empty if it takes none
	many   bool   // it may stand there more than once
	free   bool   // any attribute may stand in it
	attrs  []string
	blocks []*blockType
}

// root is the language: every block and option that a file may have.
var root = &blockType{blocks: []*blockType{
	{name: "node", attrs: []string{"name", "cookie", "listen", "port", "epmd_port", "tick", "visible"},
		blocks: []*blockType{{name: "tls", attrs: []string{"cert_file", "key_file", "ca_file"}}}},
	{name: "dns", attrs: []string{"servers", "interval", "timeout"}},
	{name: "peer", label: "the app's name", many: true,
		attrs: []string{"queries", "match", "node", "port", "cookie"},
		blocks: []*blockType{
			{name: "prune", attrs: []string{"after", "max_share", "max_at_once", "allow_empty"}},
			{name: "deliver", attrs: []string{"handler", "mode", "batch_handler", "batch", "timeout", "tries"}},
		}},
	{name: "outbox", attrs: []string{"max_events", "max_bytes", "max_age", "max_dead", "remember"}},
	{name: "receive", attrs: []string{"handler", "batch_handler", "counts", "remember_for", "remember_max"}},
	{name: "pubsub", label: "the server's name", many: true, attrs: []string{"topics", "pool_size", "relay"}},
	{name: "rpc", attrs: []string{"allow", "timeout", "count"}},
	{name: "api", attrs: []string{"listen", "token", "cert_file", "key_file"}},
	{name: "log", attrs: []string{"level", "format"}},
	{name: "telemetry", attrs: []string{"listen", "traces"}},
	{name: "locals", many: true, free: true},
	{name: "variable", label: "the variable's name", many: true, attrs: []string{"default"}},
}}

func (k *blockType) block(name string) *blockType {
	for _, b := range k.blocks {
		if b.name == name {
			return b
		}
	}
	return nil
}

func (k *blockType) blockNames() []string {
	var names []string
	for _, b := range k.blocks {
		names = append(names, b.name)
	}
	return names
}

// owner returns the block below k that has an attribute or block of this name.
func (k *blockType) owner(name string) *blockType {
	for _, b := range k.blocks {
		if slices.Contains(b.attrs, name) || b.block(name) != nil {
			return b
		}
	}
	for _, b := range k.blocks {
		if o := b.owner(name); o != nil {
			return o
		}
	}
	return nil
}

// accepts says whether a block of this kind may have these labels.
func (k *blockType) accepts(labels []string) bool {
	if k.label == "" {
		return len(labels) == 0
	}
	return len(labels) == 1
}

// check reports what does not belong in a body of this kind, and in the blocks
// below it. title is how the body is spoken of.
func (p *parser) check(body *hclsyntax.Body, kind *blockType, title string) {
	for _, a := range inOrder(body.Attributes) {
		if !kind.free && !slices.Contains(kind.attrs, a.Name) {
			p.unknownAttribute(a, kind, title)
		}
	}
	first := map[string]hcl.Range{}
	for _, b := range body.Blocks {
		known := kind.block(b.Type)
		if known == nil {
			p.unknownBlock(b, kind, title)
			continue
		}
		p.checkLabels(b, known)
		if before, twice := first[b.Type]; twice && !known.many {
			p.errorAt(b.TypeRange, fmt.Sprintf("a second %s block in %s", b.Type, title),
				fmt.Sprintf("The first is on line %d. Put all of it into one.", before.Start.Line))
			continue
		}
		first[b.Type] = b.TypeRange
		p.check(b.Body, known, titleOf(b, kind, title))
	}
}

func (p *parser) checkLabels(b *hclsyntax.Block, kind *blockType) {
	switch {
	case kind.accepts(b.Labels):
	case kind.label == "":
		p.errorAt(b.LabelRanges[0], fmt.Sprintf("a %s block takes no label", b.Type), fmt.Sprintf("Write: %s { … }", b.Type))
	default:
		p.errorAt(b.DefRange(), fmt.Sprintf("a %s block takes one label: %s", b.Type, kind.label),
			fmt.Sprintf("Write: %s \"NAME\" { … }", b.Type))
	}
}

func (p *parser) unknownAttribute(a *hclsyntax.Attribute, kind *blockType, title string) {
	var hint string
	switch {
	case kind.block(a.Name) != nil:
		hint = fmt.Sprintf("%s is a block. Write it without the equals sign: %s { … }", a.Name, a.Name)
	default:
		hint = misplaced(a.Name, kind, kind.attrs, "options")
	}
	p.errorAt(a.NameRange, fmt.Sprintf("unknown option %q in %s", a.Name, title), hint)
}

func (p *parser) unknownBlock(b *hclsyntax.Block, kind *blockType, title string) {
	var hint string
	switch {
	case slices.Contains(kind.attrs, b.Type):
		hint = fmt.Sprintf("%s is an option. Write it with an equals sign: %s = …", b.Type, b.Type)
	default:
		hint = misplaced(b.Type, kind, kind.blockNames(), "blocks")
	}
	p.errorAt(b.TypeRange, fmt.Sprintf("unknown block %q in %s", b.Type, title), hint)
}

// misplaced says what was probably meant by a name that is not known here: a
// known one, one of another block, or else all that there is.
func misplaced(name string, kind *blockType, known []string, all string) string {
	if near := nearest(name, known); near != "" {
		return fmt.Sprintf("Did you mean %q?", near)
	}
	if o := kind.owner(name); o != nil {
		return fmt.Sprintf("%s belongs in a %s block.", name, o.name)
	}
	if o := root.owner(name); o != nil {
		return fmt.Sprintf("%s belongs in a %s block.", name, o.name)
	}
	if kind != root && root.block(name) != nil {
		return fmt.Sprintf("%s stands on its own, outside any other block.", name)
	}
	if len(known) == 0 {
		return "Nothing of the kind may stand here."
	}
	return fmt.Sprintf("Known %s here: %s.", all, strings.Join(known, ", "))
}

// titleOf is how a block is spoken of: peer "billing", or prune of it.
func titleOf(b *hclsyntax.Block, in *blockType, above string) string {
	title := b.Type
	if len(b.Labels) > 0 {
		title = fmt.Sprintf("%s %q", b.Type, b.Labels[0])
	}
	if in != root {
		title += " of " + above
	}
	return title
}

// inOrder returns attributes in the order in which they were written.
func inOrder(attrs hclsyntax.Attributes) []*hclsyntax.Attribute {
	ordered := make([]*hclsyntax.Attribute, 0, len(attrs))
	for _, a := range attrs {
		ordered = append(ordered, a)
	}
	sort.Slice(ordered, func(i, j int) bool {
		return ordered[i].SrcRange.Start.Byte < ordered[j].SrcRange.Start.Byte
	})
	return ordered
}
