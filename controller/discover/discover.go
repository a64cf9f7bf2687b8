// Package discover turns the queries of cluster.hcl into the nodes that are
// there: names to addresses by DNS, addresses to node names by EPMD or by a
// template.
//
//	query ──Resolver──▶ addresses ──EPMD or template──▶ nodes ──Poller──▶ store
//	        (DNS)                   (Finder)                    (rows)
//
// It owns the questions, their pace and the judgement whether one was answered.
// A lookup has one of two outcomes, and the difference is the whole point:
//
//	NOERROR with records                      answer
//	NOERROR without, NXDOMAIN                 answer, empty
//	SERVFAIL, REFUSED, any other rcode        failure
//	silence, garbage, a foreign id            failure
//	a referral to other servers               failure
//	truncated, and TCP does not complete it   failure
//	one of several questions failed           failure: half an answer is none
//
// It refuses to decide what an answer means for a peer, which is reconcile's
// affair, to dial nodes, to read a hosts file, to cache, and to log: a failure
// is a row.
package discover

import "time"

// Limits of one lookup. One that would pass them fails.
const (
	// MaxAddrs is how many addresses a lookup may give.
	MaxAddrs = 4096
	// MaxNodes is how many nodes a lookup may find, counted at each address.
	MaxNodes = 4096
	// MaxTargets is how many targets an SRV answer may have.
	MaxTargets = 1024

	maxQuestions = 8  // asked for one name and type, along a chain of aliases
	maxLinks     = 32 // aliases followed for one name and type
	sideBySide   = 32 // addresses, or targets, of one lookup asked at once
)

const (
	defaultTimeout     = 2 * time.Second // of a question
	defaultEPMDTimeout = 3 * time.Second // of one EPMD
	defaultInterval    = 5 * time.Second // between lookups
)
