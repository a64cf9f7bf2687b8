# make demo     the main job on this machine, no Erlang needed
# make test     every test, with real Erlang and Elixir nodes (root installs them where they are missing)
# make test-otp the transport and the main job on OTP 27 and 29 too (as root: debootstrap and chroot)
# make test-litestream  the outbox replicated by Litestream, and what is left when the volume is lost
# make bench    the benchmarks, and what a BEAM does in the same run
# make soak     1,000 connections in a row and 1,000 peers at once, and what they leave behind; 200,000 events
#               while controller and peer are killed with -9 a hundred times each; thousands of faults of files
# make lint     go vet and golangci-lint
# make fuzz     every fuzz target for FUZZTIME (10s)

GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
FUZZTIME ?= 10s

.PHONY: build demo test test-otp test-litestream short bench soak lint fuzz need

build:
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o bin/ehc ./cmd/ehc

demo:
	go run ./cmd/ehc dev -once

need:
	@.ci/need

test: need
	go test -race -timeout 9m ./...

test-otp: need
	@for suite in trixie forky; do \
		bin=$$(.ci/otp $$suite) || exit 1; \
		echo "$$("$$bin/erl" -noshell -eval 'io:format("OTP ~s",[erlang:system_info(otp_release)]),halt().')"; \
		PATH="$$bin:$$PATH" go test -count=1 -timeout 9m ./transport/... ./cmd/ehc ./examples/... || exit 1; \
		rm -r "$$bin"; \
	done

test-litestream:
	CGO_ENABLED=0 GOBIN=$(CURDIR)/bin go install github.com/benbjohnson/litestream/cmd/litestream@v0.5.18
	EHC_LITESTREAM=$(CURDIR)/bin/litestream go test -count=1 -timeout 15m -run 'Litestream|Volume' ./examples/fly/...

short:
	go test -short ./...

bench: need
	go test -run '^$$' -bench . -benchmem ./...

soak: need
	EHC_SOAK=1000 go test -count=1 -v -run LeaveNothingBehind ./transport/ergonode
	EHC_SOAK_EVENTS=200000 go test -count=1 -v -timeout 60m -run TestKillsOnBothSides ./cmd/ehc
	EHC_FAULTS=4000 go test -count=1 -timeout 60m -run TestEveryFaultAtEveryStep ./state/disk ./state/outbox ./state/inbox

lint:
	go vet ./...
	go run $(GOLANGCI) run ./...

fuzz:
	@for p in $$(go list ./...); do \
		for f in $$(go test -list '^Fuzz' $$p | grep '^Fuzz'); do \
			go test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1000x $$p || exit 1; \
		done; \
	done
