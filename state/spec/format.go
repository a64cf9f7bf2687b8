package spec

import "github.com/hashicorp/hcl/v2/hclwrite"

// Format returns the text of a file in its canonical layout: indented by two
// spaces a level, equals signs aligned. It changes white space only, and works
// on text that does not parse, which it leaves as it is where it must.
func Format(src []byte) []byte {
	return hclwrite.Format(src)
}
