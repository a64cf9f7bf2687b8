package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"ehc/controller"
)

// provoked says which test makes a controller, or the transport below it, give each
// reason: a real node wherever one can, a fault where none will.
var provoked = map[string]string{
	"Unreachable":     "cmd/ehc.TestEveryWayNotToConnectHasItsReason",
	"NotListed":       "cmd/ehc.TestEveryWayNotToConnectHasItsReason",
	"FlagsRefused":    "cmd/ehc.TestEveryWayNotToConnectHasItsReason",
	"WrongName":       "cmd/ehc.TestEveryWayNotToConnectHasItsReason",
	"TimedOut":        "cmd/ehc.TestEveryWayNotToConnectHasItsReason",
	"NotErlang":       "cmd/ehc.TestEveryWayNotToConnectHasItsReason",
	"CookieRejected":  "cmd/ehc.TestWrongCookieIsNamed",
	"TLSRefused":      "cmd/ehc.TestTLSOnAFixedPort",
	"Yielded":         "transport/ergonode.TestBothDialAtOnce",
	"Replaced":        "transport/ergonode.TestAPeerThatComesAgainReplacesItsConnection",
	"Closed":          "transport/ergonode.TestStopEndsDialsAndLinks",
	"Silent":          "cmd/ehc.TestAFrozenNodeIsSilent",
	"Overloaded":      "transport/ergonode.TestAPeerThatTakesNothing",
	"Disconnected":    "transport/ergonode.TestAKilledPeerIsNoticed",
	"ResyncFailed":    "cmd/ehc.TestWhoIsUpAndYetNotAsItShouldBe",
	"NotSynced":       "cmd/ehc.TestWhoIsUpAndYetNotAsItShouldBe",
	"Unclaimed":       "cmd/ehc.TestWhoIsUpAndYetNotAsItShouldBe",
	"EPMDUnreachable": "cmd/ehc.TestWhoIsUpAndYetNotAsItShouldBe",
	"LookupFailed":    "cmd/ehc.TestDNSFaultsCutNothing",

	"Listed":       "controller.TestANodesConditionsSaySinceWhenAndWhy",
	"Unlisted":     "controller.TestANodesConditionsSaySinceWhenAndWhy",
	"NotConnected": "controller.TestANodesConditionsSaySinceWhenAndWhy",
	"NotDialled":   "controller.TestADialThatDoesNotEndIsDialling",
	"Dialling":     "controller.TestADialThatDoesNotEndIsDialling",
	"Connected":    "controller.TestAListedNodeIsConnectedResyncedAndDelivered",
	"Synced":       "controller.TestAListedNodeIsConnectedResyncedAndDelivered",
	"Drained":      "controller.TestAListedNodeIsConnectedResyncedAndDelivered",
	"NoNodes":      "controller.TestAListedNodeIsConnectedResyncedAndDelivered",
	"NotLookedUp":  "controller.TestStoppedMachinesAreACondition",

	"PubSubJoined":      "cmd/ehc.TestPubSubGoesThroughTheController",
	"PubSubDeaf":        "cmd/ehc.TestPubSubGoesThroughTheController",
	"PubSubPoolDiffers": "cmd/ehc.TestPubSubGoesThroughTheController",
	"PubSubUnknown":     "controller.TestANodeThatDoesNotSayWhatItShowsIsResynced",

	"Running":        "controller.TestStoppedMachinesAreACondition",
	"MachineStopped": "controller.TestStoppedMachinesAreACondition",
	"NoMachines":     "controller.TestStoppedMachinesAreACondition",
	"NotProbed":      "controller.TestProbesAreBounded",
	"Active":         "controller.TestASuspendedAppIsLeftAlone",
	"Suspended":      "controller.TestASuspendedAppIsLeftAlone",

	"Waiting":           "controller.TestEventsWithoutANodeWait",
	"HandlerUndefined":  "cmd/ehc.TestPeerWithoutTheHandlers",
	"HandlerRaised":     "cmd/ehc.TestPoisonGoesToTheDeadLetters",
	"UnknownEventType":  "cmd/ehc.TestPoisonGoesToTheDeadLetters",
	"HandlerRefused":    "controller.TestAFailingHandlerStopsTheQueueInOrder",
	"FunctionUndefined": "controller.TestAnswersOfTheBatchHandler",
	"HandlerKilled":     "controller.TestAnswersOfTheBatchHandler",
	"NoProgress":        "controller.TestAnswersOfTheBatchHandler",
	"ReceiverFull":      "controller.TestWhatAReceiverSaysOfItselfBuriesNothing",
	"ReceiverFailed":    "controller.TestWhatAReceiverSaysOfItselfBuriesNothing",
	"CallRefused":       "controller.TestAnswersOfTheBatchHandler",
	"NotATerm":          "controller.TestWhatIsNoTermIsBuried",
	"Expired":           "controller.TestOldEventsExpireWithoutAnyConnection",
	"DeadLettersFull":   "controller.TestFullDeadLettersHoldTheQueue",
	"OutboxFailed":      "controller.TestAStoreThatFailsIsTriedAgain",
	"Intact":            "controller.TestDamageIsACondition",
	"Damaged":           "controller.TestDamageIsACondition",
}

// TestEveryReasonIsExplainedAndProvoked: a word that status gives has an entry in
// pages/troubleshooting.md, and a test that makes it appear; and the page and the
// list above have no word that is never given.
func TestEveryReasonIsExplainedAndProvoked(t *testing.T) {
	given := map[string]bool{}
	for _, r := range controller.Reasons() {
		given[r.Word] = true
		if e, err := explain(r.Word); err != nil || e.text == "" {
			t.Errorf("pages/troubleshooting.md does not explain %s", r.Word)
		}
		if provoked[r.Word] == "" {
			t.Errorf("no test provokes %s: write one, and name it above", r.Word)
		}
	}
	for _, w := range explainedWords() {
		if !given[w] {
			t.Errorf("pages/troubleshooting.md explains %s, which is never given", w)
		}
	}
	tests := map[string]map[string]bool{}
	for word, test := range provoked {
		dir, name, _ := strings.Cut(test, ".")
		if tests[dir] == nil {
			tests[dir] = testsIn(t, dir)
		}
		if !given[word] || !tests[dir][name] {
			t.Errorf("%s: there is no such reason, or no test %s", word, test)
		}
	}
}

// testsIn are the names of the tests in a folder.
func testsIn(t *testing.T, dir string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	files, err := filepath.Glob(filepath.Join("../..", dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(f.Name.Name, "Test") {
				names[f.Name.Name] = true
			}
		}
	}
	return names
}
