package main

import (
	"crypto/tls"
	"fmt"
	"sync"

	"github.com/hashicorp/go-hclog"

	"ehc/state"
)

// maxPEM bounds a file with certificates or a key, in bytes.
const maxPEM = 1 << 20

// certificates gives the certificate of the API for each handshake, from files that
// are read anew, so that renewed ones need no restart. While they are not sound, be it
// for the moment in which one of the two is new, the last good ones go on. It may be
// used at once.
type certificates struct {
	files state.APISpec
	log   hclog.Logger

	mu   sync.Mutex
	good *tls.Certificate
	told string // what was last complained of, and still holds; empty: nothing
}

// openCertificates reads the files for the first time.
func openCertificates(files state.APISpec, log hclog.Logger) (*certificates, error) {
	good, err := readCertificate(files)
	if err != nil {
		return nil, err
	}
	return &certificates{files: files, log: log, good: good}, nil
}

// current is crypto/tls's GetCertificate. What is wrong with the files is logged once:
// anybody can begin a handshake.
func (c *certificates) current(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	read, err := readCertificate(c.files)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err == nil:
		c.good, c.told = read, ""
	case err.Error() != c.told:
		c.told = err.Error()
		c.log.Warn("the last good certificate of the API stays in use", "error", err)
	}
	return c.good, nil
}

func readCertificate(files state.APISpec) (*tls.Certificate, error) {
	cert, err := readFile(files.CertFile, maxPEM)
	if err != nil {
		return nil, fmt.Errorf("certificate of the API: %w", err)
	}
	key, err := readFile(files.KeyFile, maxPEM)
	if err != nil {
		return nil, fmt.Errorf("certificate of the API: %w", err)
	}
	c, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("certificate of the API: %s with %s: %w", files.CertFile, files.KeyFile, err)
	}
	return &c, nil
}
