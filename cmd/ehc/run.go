package main

import (
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"ehc/controller/api"
	"ehc/state/spec"
)

func newRunCommand(s *streams) *cobra.Command {
	var config, data string
	c := &cobra.Command{
		Use:   "run",
		Short: "Run the controller",
		Long: `Run joins the cluster as a node and keeps it as cluster.hcl asks, until it gets
SIGINT or SIGTERM. It starts from the file last applied, if there is one in the
data folder, unless the -config file has changed since. SIGHUP, or a change of
the -config file, puts that file in force; a file with errors changes nothing.

The data folder holds the outbox: put it on a disk that outlives the machine.

The API is served on a unix socket, which only its owner may open. With -api
http://HOST:PORT, or https, or the api block of the file, it is served over TCP as
well, to whoever shows the token in EHC_API_TOKEN or in the file that
EHC_API_TOKEN_FILE names. There is a page for people at / of it, and /metrics,
/healthz and /readyz, which the telemetry block can put elsewhere too.`,
		Example: `  ehc run -config cluster.hcl -data /data`,
		Annotations: after(`  0   it was asked to stop, and has
  1   an error, told on standard error`, `  ehc status -api unix:/data/ehc.sock`),
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			d, err := daemonOf(c, s, config, data)
			if err != nil {
				return err
			}
			reload := make(chan os.Signal, 1)
			signal.Notify(reload, syscall.SIGHUP)
			defer signal.Stop(reload)
			d.reload = reload
			err = d.run(c.Context())
			var faults spec.Diagnostics
			if errors.As(err, &faults) {
				_ = faults.Write(s.err, s.colorErr) // what cannot be written there cannot be said
				return exitCode(codeError)
			}
			return err
		},
	}
	c.Flags().StringVar(&config, "config", "", "the desired `FILE`, watched for changes")
	c.Flags().StringVar(&data, "data", "", "the data folder, `DIR`; else EHC_DATA")
	return c
}

// daemonOf is the daemon that the flags ask for.
func daemonOf(c *cobra.Command, s *streams, config, data string) (daemon, error) {
	if data == "" {
		data = s.getenv("EHC_DATA")
	}
	if data == "" {
		return daemon{}, errors.New("no data folder: give -data DIR, or set EHC_DATA")
	}
	at, tcp := api.SocketIn(data), api.Address{}
	given, err := c.Flags().GetString(apiFlag)
	if err != nil {
		return daemon{}, err
	}
	if given == "" {
		given = s.getenv("EHC_API")
	}
	if given != "" {
		asked, err := api.ParseAddress(given)
		if err != nil {
			return daemon{}, err
		}
		if asked.IsTCP() {
			tcp = asked
		} else {
			at = asked
		}
	}
	if config != "" {
		if config, err = filepath.Abs(config); err != nil {
			return daemon{}, err
		}
	}
	env := spec.System()
	env.Lookup = s.env
	return daemon{config: config, data: data, at: at, tcp: tcp, env: env, log: s.err}, nil
}
