package doctor

import "fmt"

// The checks. Their words are stable: scripts and the page on troubleshooting go by
// them.
const (
	Cookie      = "Cookie"
	NodeName    = "NodeName"
	Visibility  = "Visibility"
	TLS         = "TLS"
	Clock       = "Clock"
	DataFolder  = "DataFolder"
	OwnEPMD     = "OwnEPMD"
	ConfigFile  = "ConfigFile"
	NameServers = "NameServers"

	Resolves    = "Resolves"
	SameNetwork = "SameNetwork"
	Machines    = "Machines"
	EPMD        = "EPMD"
	Names       = "Names"
	Nodes       = "Nodes"
	Handshake   = "Handshake"

	Inside     = "Inside"
	OTPRelease = "OTPRelease"
	TickTime   = "TickTime"
	Handler    = "Handler"
	PubSub     = "PubSub"

	Complete = "Complete"
)

// Check is what a word stands for.
type Check struct{ Word, Means string }

// Checks are all checks, in the order in which they are made.
func Checks() []Check {
	return []Check{
		{ConfigFile, "the file parses, and its newest version is in force"},
		{Cookie, "every cookie is long and random enough not to be guessed"},
		{NodeName, "the host of ehc's own name is an address of this machine"},
		{Visibility, "ehc is a hidden node"},
		{TLS, "the certificate is good, names ehc's host and does not expire soon"},
		{DataFolder, "the data folder is writable, on a volume, with room"},
		{OwnEPMD, "this machine has an EPMD, or ehc may serve one"},
		{NameServers, "there are name servers to ask"},
		{Resolves, "each name server answers each query, with which records and for how long"},
		{SameNetwork, "the addresses are of ehc's own private network on Fly"},
		{Machines, "the machines that Fly has deployed are started"},
		{EPMD, "an EPMD answers at each address"},
		{Names, "which of the names that it lists are nodes of the app, and why others are not"},
		{Nodes, "there is a node to connect to"},
		{Handshake, "the node takes the cookie, and is who it should be"},
		{Inside, "functions of the node can be called"},
		{OTPRelease, "its OTP is one that ehc is tested with"},
		{TickTime, "both ends agree on when a silent peer is dead"},
		{Clock, "its clock and this one agree"},
		{Handler, "it exports the handler that is to get the events"},
		{PubSub, "its Phoenix.PubSub is alive, and how large its pools are"},
		{Complete, "there was time to look at all of it"},
	}
}

// many is a number of things: 1 node, 3 nodes.
func many(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	if thing[len(thing)-1] == 's' {
		return fmt.Sprintf("%d %ses", n, thing)
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
