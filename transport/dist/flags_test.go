package dist

import (
	"math/bits"
	"strings"
	"testing"
)

func TestOffer(t *testing.T) {
	tests := map[string]struct {
		visible, serve bool
		want           Flags
	}{
		"a hidden node that serves calls offers the atom cache":       {false, true, 0xD075F2FBC},
		"a hidden node that serves none does not offer SPAWN":         {false, false, 0xC075F2FBC},
		"a visible node offers PUBLISHED besides":                     {true, true, 0xD075F2FBD},
		"a visible node that serves none offers PUBLISHED, not SPAWN": {true, false, 0xC075F2FBD},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := Offer(tt.visible, tt.serve)
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if got.Hidden() == tt.visible {
				t.Errorf("hidden %t", got.Hidden())
			}
			if got.Has(FlagFragments) {
				t.Error("long messages would come in fragments")
			}
		})
	}
}

func TestMissing(t *testing.T) {
	if Mandatory != 0x403070F94 {
		t.Errorf("mandatory %#x", uint64(Mandatory))
	}
	for _, enough := range []Flags{Mandatory, 0xD07DF7FBD, 0x6D07DF7FBD, FlagMandatory25Digest | FlagUnlinkID | FlagV4NC} {
		if m := Missing(enough); m != 0 {
			t.Errorf("%s lacks %s", enough, m)
		}
	}
	for rest := Mandatory; rest != 0; rest &= rest - 1 {
		bit := Flags(1) << bits.TrailingZeros64(uint64(rest))
		if m := Missing(Mandatory &^ bit); m != bit {
			t.Errorf("without %s: lacks %s", bit, m)
		}
		if strings.HasPrefix(bit.String(), "0") {
			t.Errorf("no name for %s", bit)
		}
	}
}

func TestFlagsString(t *testing.T) {
	for want, f := range map[string]Flags{
		"0":                           0,
		"PUBLISHED":                   1,
		"UNLINK_ID|V4_NC":             FlagUnlinkID | FlagV4NC,
		"V4_NC|NATIVE_RECORDS|0x8000": 1<<38 | 1<<34 | 1<<15,
	} {
		if got := f.String(); got != want {
			t.Errorf("%#x: %q, want %q", uint64(f), got, want)
		}
	}
}

func TestCheckName(t *testing.T) {
	for _, good := range []string{"a@b", "ehc-1@127.0.0.1", "x@fdaa:0:1::7", strings.Repeat("n", 250) + "@host"} {
		if err := CheckName(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"", "a", "@b", "a@", "a@b@c", "a b@c", "a@b\n", "ü@b", strings.Repeat("n", 251) + "@host"} {
		if CheckName(bad) == nil {
			t.Errorf("%q is taken for a name", bad)
		}
	}
}
