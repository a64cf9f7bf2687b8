package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"

	"ehc/state"
	"ehc/transport/transporttest"
)

// TestARenewalThatIsNotSoundLeavesTheLastCertificate: in the moment between its two
// files, too.
func TestARenewalThatIsNotSoundLeavesTheLastCertificate(t *testing.T) {
	ca := transporttest.NewAuthority(t)
	first, second := ca.Issue("127.0.0.1"), ca.Issue("127.0.0.1")
	var log bytes.Buffer
	c, err := openCertificates(state.APISpec{CertFile: first.Cert, KeyFile: first.Key}, hclog.New(&hclog.LoggerOptions{Output: &log}))
	if err != nil {
		t.Fatal(err)
	}
	serial := func() string {
		t.Helper()
		now, err := c.current(nil)
		if err != nil || now.Leaf == nil {
			t.Fatal(now, err)
		}
		return now.Leaf.SerialNumber.String()
	}
	move := func(from, to string) {
		t.Helper()
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	complaints := func() int { return strings.Count(log.String(), "the last good certificate of the API stays in use") }

	before := serial()
	move(second.Cert, first.Cert)
	for range 3 {
		if serial() != before {
			t.Error("a certificate without its key is in use")
		}
	}
	if complaints() != 1 {
		t.Errorf("want one complaint: %s", &log)
	}
	move(second.Key, first.Key)
	if serial() == before || complaints() != 1 {
		t.Errorf("the new certificate is not in use: %s", &log)
	}
	after := serial()
	if err := os.Remove(first.Key); err != nil {
		t.Fatal(err)
	}
	if serial() != after || complaints() != 2 || !strings.Contains(log.String(), first.Key) {
		t.Errorf("of a key that has gone: %s", &log)
	}
}
