package spec

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

const referenceFile = "../../cluster.hcl"

func referenceText(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// commented matches an option that is commented out.
var commented = regexp.MustCompile(`(?m)^( *)# ([a-z_]+ = .*)$`)

func TestTheReferenceIsValidAndLaidOut(t *testing.T) {
	text := referenceText(t)
	for name, vars := range map[string]map[string]string{
		"at home": {},
		"on Fly": {
			"FLY_MACHINE_ID": "683d314fdd4d68", "FLY_PRIVATE_IP": "fdaa:0:18:a7b::2",
			"FLY_NAMESERVER": "fdaa::3", "RELEASE_COOKIE": "from-the-secrets",
		},
	} {
		got, diags := Parse(referenceFile, []byte(text), world(vars, nil))
		if diags.HasErrors() {
			t.Fatalf("%s:\n%s", name, diags.Text())
		}
		if len(got.Apps) != 2 || got.Apps[1].Deliver == nil || got.Apps[0].Deliver != nil {
			t.Errorf("%s: want two apps, of which phoenix gets events, got %+v", name, got.Apps)
		}
		if name == "on Fly" && len(diags) > 0 {
			t.Errorf("warnings:\n%s", diags.Text())
		}
	}
	if diff := cmp.Diff(string(Format([]byte(text))), text); diff != "" {
		t.Errorf("not as ehc fmt has it: %s", diff)
	}
}

func TestTheReferenceShowsEveryOptionAndNoOther(t *testing.T) {
	text := commented.ReplaceAllString(referenceText(t), "$1$2")
	file, diags := hclsyntax.ParseConfig([]byte(text), referenceFile, hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	shown := map[string]bool{}
	collect(file.Body.(*hclsyntax.Body), root, "", shown)
	known := map[string]bool{}
	list(root, "", known)
	if diff := cmp.Diff(known, shown); diff != "" {
		t.Errorf("known (-) and shown (+): %s", diff)
	}
}

// collect notes the blocks and options of a body as paths.
func collect(body *hclsyntax.Body, kind *blockType, path string, into map[string]bool) {
	for name := range body.Attributes {
		if !kind.free {
			into[path+name] = true
		}
	}
	for _, b := range body.Blocks {
		into[path+b.Type] = true
		below := kind.block(b.Type)
		if below == nil {
			below = &blockType{}
		}
		collect(b.Body, below, path+b.Type+".", into)
	}
}

// list notes all that the schema knows in the same way.
func list(kind *blockType, path string, into map[string]bool) {
	for _, name := range kind.attrs {
		into[path+name] = true
	}
	for _, b := range kind.blocks {
		into[path+b.name] = true
		list(b, path+b.name+".", into)
	}
}

func TestWhatTheReferenceCommentsOutIsTheDefault(t *testing.T) {
	text := referenceText(t)
	want, _ := Parse(referenceFile, []byte(text), Env{})
	places := commented.FindAllStringSubmatchIndex(text, -1)
	if len(places) < 15 {
		t.Fatalf("only %d options are commented out: has the layout changed?", len(places))
	}
	for _, at := range places {
		option := text[at[4]:at[5]]
		got, diags := Parse(referenceFile, []byte(text[:at[2]]+option+text[at[1]:]), Env{})
		if diags.HasErrors() {
			t.Errorf("%s:\n%s", option, diags.Text())
		} else if diff := cmp.Diff(want, got, same); diff != "" {
			t.Errorf("%s is not the default: %s", option, diff)
		}
	}
}

func TestTheReferenceNamesEveryFunction(t *testing.T) {
	text := referenceText(t)
	for name := range newInputs(Env{}, "").functions(false) {
		if !strings.Contains(text, name+"(") {
			t.Errorf("%s is not there", name)
		}
	}
}
