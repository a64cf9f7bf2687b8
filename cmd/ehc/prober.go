package main

import (
	"ehc/controller"
	"ehc/state"
	"ehc/transport/ergonode"
)

// newProber tries nodes as the node of a file would.
func newProber(n state.NodeSpec) (*ergonode.Prober, error) {
	o := ergonode.Options{Name: string(n.Name), Cookies: controller.Cookies(n.Cookies), EPMDPort: n.EPMDPort}
	if err := loadTLS(&o, n.TLS); err != nil {
		return nil, err
	}
	return ergonode.NewProber(o)
}

// loadTLS reads the files of a node's TLS, if it speaks it.
func loadTLS(o *ergonode.Options, files state.TLSSpec) (err error) {
	if files == (state.TLSSpec{}) {
		return nil
	}
	o.TLS, err = ergonode.LoadTLS(files.CertFile, files.KeyFile, files.CAFile)
	return err
}
