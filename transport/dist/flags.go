package dist

import (
	"fmt"
	"strings"
)

// Flags is what a node can do on a connection. Each end offers its own in the
// handshake; those that both offer are in force. A flag that nobody knows does
// no harm.
type Flags uint64

// The flags of OTP 29 (dist.hrl). "Compulsory since" names the release that
// began to refuse nodes without it.
const (
	FlagPublished          Flags = 1 << 0  // count me among nodes(), if you are published too
	FlagAtomCache          Flags = 1 << 1  // obsolete
	FlagExtendedReferences Flags = 1 << 2  // compulsory since 25
	FlagDistMonitor        Flags = 1 << 3  // monitors by pid; only together with the names
	FlagFunTags            Flags = 1 << 4  // compulsory since 25
	FlagDistMonitorName    Flags = 1 << 5  // monitors by name
	FlagHiddenAtomCache    Flags = 1 << 6  // obsolete
	FlagNewFunTags         Flags = 1 << 7  // compulsory since 25
	FlagExtendedPidsPorts  Flags = 1 << 8  // compulsory since 25
	FlagExportPtrTag       Flags = 1 << 9  // compulsory since 25
	FlagBitBinaries        Flags = 1 << 10 // compulsory since 25
	FlagNewFloats          Flags = 1 << 11 // compulsory since 25
	FlagUnicodeIO          Flags = 1 << 12
	FlagDistHdrAtomCache   Flags = 1 << 13 // every packet has a header
	FlagSmallAtomTags      Flags = 1 << 14
	FlagUTF8Atoms          Flags = 1 << 16 // compulsory since 25
	FlagMapTag             Flags = 1 << 17 // compulsory since 25
	FlagBigCreation        Flags = 1 << 18 // compulsory since 25
	FlagSendSender         Flags = 1 << 19 // SEND_SENDER in place of SEND
	FlagBigSeqtraceLabels  Flags = 1 << 20
	FlagExitPayload        Flags = 1 << 22 // exit reasons as payloads
	FlagFragments          Flags = 1 << 23 // every packet has a header
	FlagHandshake23        Flags = 1 << 24 // compulsory since 25
	FlagUnlinkID           Flags = 1 << 25 // compulsory since 26
	FlagMandatory25Digest  Flags = 1 << 26 // stands for all that is compulsory since 25
	FlagSpawn              Flags = 1 << 32 // spawn requests are answered
	FlagNameMe             Flags = 1 << 33 // give me a name
	FlagV4NC               Flags = 1 << 34 // pids and references of full size; compulsory since 26
	FlagAlias              Flags = 1 << 35 // sends to aliases
	FlagAltactSig          Flags = 1 << 37 // ALTACT_SIG_SEND; OTP 28 and later
	FlagNativeRecords      Flags = 1 << 38 // OTP 29 and later, which sends records all the same
)

// mandatory25 is what FlagMandatory25Digest stands for.
const mandatory25 = FlagExtendedReferences | FlagFunTags | FlagNewFunTags | FlagExtendedPidsPorts |
	FlagExportPtrTag | FlagBitBinaries | FlagNewFloats | FlagUTF8Atoms | FlagMapTag |
	FlagBigCreation | FlagHandshake23

// Mandatory is what a peer must offer: what OTP 26 and later insist on. OTP 25
// offers it all.
const Mandatory = mandatory25 | FlagUnlinkID | FlagV4NC

// offered is what ehc can do: whole messages, with a header or without.
const offered = Mandatory | FlagMandatory25Digest | FlagDistMonitor | FlagDistMonitorName |
	FlagDistHdrAtomCache | FlagSendSender | FlagBigSeqtraceLabels | FlagExitPayload | FlagAlias

// Offer returns the flags that ehc offers. A visible node is counted among
// nodes() by peers that are visible too. Without serve the calls of peers fail at
// once with notsup and nothing of them is sent; our own calls work all the same.
func Offer(visible, serve bool) Flags {
	f := offered
	if visible {
		f |= FlagPublished
	}
	if serve {
		f |= FlagSpawn
	}
	return f
}

// Has says whether f has every flag of want.
func (f Flags) Has(want Flags) bool { return f&want == want }

// Hidden says whether a node with these flags is hidden from all.
func (f Flags) Hidden() bool { return f&FlagPublished == 0 }

// expanded is f with what FlagMandatory25Digest stands for.
func (f Flags) expanded() Flags {
	if f.Has(FlagMandatory25Digest) {
		f |= mandatory25
	}
	return f
}

// Missing returns what a peer that offers f lacks of Mandatory; 0 is nothing.
func Missing(f Flags) Flags { return Mandatory &^ f.expanded() }

// flagNames are OTP's names; a bit without one has an empty string.
var flagNames = [...]string{
	"PUBLISHED", "ATOM_CACHE", "EXTENDED_REFERENCES", "DIST_MONITOR", "FUN_TAGS", "DIST_MONITOR_NAME",
	"HIDDEN_ATOM_CACHE", "NEW_FUN_TAGS", "EXTENDED_PIDS_PORTS", "EXPORT_PTR_TAG", "BIT_BINARIES", "NEW_FLOATS",
	"UNICODE_IO", "DIST_HDR_ATOM_CACHE", "SMALL_ATOM_TAGS", "", "UTF8_ATOMS", "MAP_TAG", "BIG_CREATION",
	"SEND_SENDER", "BIG_SEQTRACE_LABELS", "", "EXIT_PAYLOAD", "FRAGMENTS", "HANDSHAKE_23", "UNLINK_ID",
	"MANDATORY_25_DIGEST", "", "", "", "", "", "SPAWN", "NAME_ME", "V4_NC", "ALIAS", "", "ALTACT_SIG", "NATIVE_RECORDS",
}

// String names the flags as OTP does, from the lowest bit up and with | between
// them; bits without a name come last, as one hexadecimal number. "0" is none.
func (f Flags) String() string {
	var words []string
	for bit, name := range flagNames {
		if b := Flags(1) << bit; name != "" && f&b != 0 {
			words = append(words, name)
			f &^= b
		}
	}
	switch {
	case f != 0:
		words = append(words, fmt.Sprintf("%#x", uint64(f)))
	case len(words) == 0:
		return "0"
	}
	return strings.Join(words, "|")
}
