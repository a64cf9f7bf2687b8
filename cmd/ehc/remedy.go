package main

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"ehc/controller/api"
	"ehc/state/disk"
	"ehc/transport/epmd"
)

// remedy is what to do about an error, in lines of their own; empty if the error says
// it, or nobody can.
func remedy(err error) string {
	var usage *usageError
	var taken *epmd.TakenError
	switch {
	case errors.Is(err, api.ErrNoController) && errors.Is(err, fs.ErrPermission):
		return "The socket is for the user of that ehc run alone: be that user or root, as by sudo; or name another with -api or EHC_API.\n"
	case errors.Is(err, api.ErrNoController):
		return "Start one: ehc run -config cluster.hcl -data DIR; or name another with -api or EHC_API.\n"
	case errors.Is(err, api.ErrUnauthorized):
		return "Set EHC_API_TOKEN to it, or EHC_API_TOKEN_FILE to a file that holds it.\n"
	case errors.Is(err, api.ErrLate):
		return "Somebody listens there: is that process stopped, or does its disk hang? Its log may say.\n"
	case errors.Is(err, disk.ErrDamaged):
		return "Keep the folder as it is, and look at the disk. A copy of ehc.db, from a snapshot or from Litestream, can take the " +
			"place of ehc.db, without the -wal and -shm beside it. Without any, move ehc.db, ehc.db-wal and ehc.db-shm elsewhere: " +
			"ehc begins with an empty outbox.\n"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "That is no address of this machine: correct the host in name of the node block, or give it listen.\n"
	case errors.As(err, &taken):
		return "A node of that name runs on this machine, another ehc perhaps: stop it, or put another name into the node block.\n"
	case errors.As(err, &usage):
		return fmt.Sprintf("To see how it is used: %s -help\n", usage.command)
	}
	return ""
}
