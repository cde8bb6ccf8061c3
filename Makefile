# Run `make help` for what can be made. Go and make are enough for all, build,
# demo, test, generate and clean.

GO        ?= go
BIN       := bin/synoptic
OUT       := out
HOME_NETS := 192.0.2.0/24,198.51.100.0/24,2001:db8:1::/48
LAB       := ./testdata/lab
# The go tool passes over directories named testdata unless they are named.
PROGRAMS  := ./testdata/accuracy ./testdata/bench ./testdata/benchlive ./testdata/flood ./testdata/gen ./testdata/site
PACKAGES  := ./... $(PROGRAMS) ./testdata/cases ./testdata/netns ./testdata/replays ./testdata/wire $(LAB)
# The race detector is for what has goroutines; what has none runs within detect/sensor. Left out are tests, and
# scripts, that read each capture many times as one goroutine, or that test a program without the detector.
RACING     = $$(grep -rlE --include='*.go' --exclude='*_test.go' '^[[:blank:]]*go [a-z]|"sync(/atomic)?"' bpf capture cmd detect flows \
	| xargs -n1 dirname | sort -u | sed 's,^,./,') ./cmd/synoptic
UNRACED   := TestSavedAndLoaded TestSameForAnyWrapping TestFilterIsAsIfCutBefore TestMemoryChangesNothingThatFits \
	TestGateNamesNobodyElse TestProbesOfTunnelPorts TestScanSeenTwice TestScanSeenFromOutside TestPacketsAllocateNothing \
	TestConclusionsAgree TestProgramOnAFullDisk
UNRACED_SCRIPTS := allow config explain filter inexact judge notices profile tunnels usage
# A count, not a time: at its end of time the go tool now and then fails with
# "context deadline exceeded" (golang.org/issue/75804). 10m is for long runs.
FUZZTIME  ?= 10000x
CORPUS    ?= $(SYNOPTIC_CORPUS)
SOAK      ?= 20m
# Further flags of the flood, as FLOOD='-spoofed 1000000'.
FLOOD     ?=
GOLANGCI  ?= $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
MAX_LINES := 600

export CGO_ENABLED = 0
# By cmd/synoptic/default.pgo the compiler knows what to inline, in the program. For tests it would compile
# everything a second time.
export GOFLAGS := $(strip $(GOFLAGS) -pgo=off)
# Without a usable git there is no version to record, which must not stop a build.
VCS := $(shell git rev-parse HEAD >/dev/null 2>&1 || echo -buildvcs=false)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help all demo build test race libpcap lint size fuzz bench profile bench-live flood growth soak soak-flood lab lab-runs xdp bench-xdp e2e corpus accuracy generate verify-generate kills clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' Makefile

all: build test ## build and test

demo: build ## build, and name the scanners in a made-up day of traffic
	$(BIN) -r testdata/captures/scan-day.pcapng --home $(HOME_NETS)

build: ## build bin/synoptic, one static binary
	$(GO) build $(VCS) -pgo=auto -trimpath -o $(BIN) ./cmd/synoptic

test: ## vet and test everything that needs nothing but Go
	$(GO) vet $(PACKAGES)
	$(GO) test $(PACKAGES)

race: ## test what has goroutines with the race detector (needs a C compiler)
	CGO_ENABLED=1 $(GO) test -race -short -skip "$$(printf '^%s$$|' $(UNRACED))$$(printf '^TestScripts$$/^%s$$|' $(UNRACED_SCRIPTS))^$$" $(RACING)
	CGO_ENABLED=1 $(GO) test -race -run TestSavingLeavesRecordsAlone ./detect

libpcap: ## build bin/synoptic-libpcap and test it (needs a C compiler, libpcap's headers; root tests a device)
	CGO_ENABLED=1 $(GO) vet -tags libpcap ./...
	CGO_ENABLED=1 $(GO) build $(VCS) -pgo=auto -trimpath -tags libpcap -o $(BIN)-libpcap ./cmd/synoptic
	CGO_ENABLED=1 $(GO) test -count=1 -tags libpcap ./capture/... ./cmd/...

lint: size ## gofmt, go vet, golangci-lint with the import rules, file sizes
	@files=$$($$($(GO) env GOROOT)/bin/gofmt -l .) && { [ -z "$$files" ] || { echo "gofmt would change:"; echo "$$files"; exit 1; }; }
	$(GO) vet $(PACKAGES)
	$(GOLANGCI) run $(PACKAGES)

size:
	@find . -name '*.go' -o -name '*.[ch]' | xargs wc -l | awk -v max=$(MAX_LINES) \
		'$$2 != "total" && $$1 > max {print $$2 ": " $$1 " lines, more than " max; bad = 1} END {exit bad}'

fuzz: ## run every fuzz target for FUZZTIME (10000x: executions)
	@set -e; for file in $$(grep -rl --include='*_test.go' '^func Fuzz' . | sort); do \
		for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' $$file); do \
			echo "$$(dirname $$file) $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$(dirname $$file); \
		done; \
	done

bench: build $(OUT)/bench/scan-heavy.pcap ## what a packet costs: by stage, and against tcpdump
	$(GO) run ./testdata/bench

profile: $(OUT)/bench/scan-heavy.pcap ## renew the profile by which the compiler knows what to inline
	$(GO) run ./testdata/bench -profile cmd/synoptic/default.pgo

bench-live: build ## what capturing costs and loses: floods between own namespaces, against tcpdump (root, Linux)
	$(GO) run ./testdata/benchlive

# The generator writes this file last.
$(OUT)/bench/scan-heavy.pcap:
	$(GO) run ./testdata/gen bench -o $(OUT)/bench

flood: $(OUT)/flood ## what is found, and how exactly, among 10 million forged sources; memory, which must hold, and time
	@for span in 1h 30s; do for to in "" -distinct; do $(OUT)/flood -span $$span $$to -fast 100 -slow 95 -resident 296 $(FLOOD) || exit 1; echo; done; done
	@$(OUT)/flood -span 30s -distinct -memory 64 -fast 97 -resident 104 $(FLOOD)

growth: $(OUT)/flood ## what a packet costs as the tuples grow to 16 million
	$(OUT)/flood -growth

soak: build ## memory, goroutines and files of a sensor over SOAK (20m) of mixed traffic; fails if they grow (root, Linux)
	$(GO) run ./testdata/benchlive -soak $(SOAK)

soak-flood: $(OUT)/flood ## memory and speed over SOAK (20m) of one flood after the other in one process
	$(OUT)/flood -soak $(SOAK) $(FLOOD)

.PHONY: $(OUT)/flood
$(OUT)/flood:
	$(GO) build -o $@ ./testdata/flood

lab: ## record real scanners in network namespaces and judge them, by the ring and XDP too; test capturing (root, Linux)
	SYNOPTIC_REQUIRE_LAB=1 $(GO) test -count=1 ./bpf/settle ./testdata/benchlive
	SYNOPTIC_REQUIRE_LAB=1 $(GO) test -count=1 -run 'TestRing|TestInterfaces|TestLive|TestSettledInTheKernel' ./capture ./cmd/synoptic ./detect/sensor
	$(MAKE) lab-runs

lab-runs:
	SYNOPTIC_REQUIRE_LAB=1 $(GO) test -count=1 -v ./testdata/lab

e2e: ## what a running sensor has given up, and its unit under systemd (root, Linux with landlock, systemd)
	SYNOPTIC_REQUIRE_LAB=1 $(GO) test -count=1 ./cmd/internal/privilege ./cmd/internal/evidence
	SYNOPTIC_REQUIRE_LAB=1 $(GO) test -count=1 -run 'TestUnit|TestLive|TestScripts/sandbox' ./cmd/synoptic

kills: ## kill a run that keeps its state 50 times (KILLS): no end of a scan is lost (root, Linux)
	SYNOPTIC_KILLS=$(or $(KILLS),50) SYNOPTIC_REQUIRE_LAB=1 $(GO) test -count=1 -v -run TestLiveKilled ./cmd/synoptic

corpus: ## test against a directory of labelled captures: make corpus CORPUS=DIR
	@[ -f "$(CORPUS)/labels.jsonl" ] || { echo "CORPUS: no directory with labels.jsonl was given"; exit 1; }
	SYNOPTIC_CORPUS=$(abspath $(CORPUS)) $(GO) test -count=1 \
		$$(grep -rl --include='*_test.go' SYNOPTIC_CORPUS . | xargs -n1 dirname | sort -u)

# The labelled captures are judged as well where they lie beside the project.
accuracy: ## false scans on whole days of a made-up site, and with CORPUS=DIR on labelled captures; headroom
	$(GO) run ./testdata/accuracy -corpus "$(or $(CORPUS),$(patsubst %/labels.jsonl,%,$(wildcard ../shared/corpus/labels.jsonl)))"
	SYNOPTIC_SITE=day $(GO) test -count=1 ./testdata/site

xdp: ## test the XDP program and its loader (root, Linux)
	SYNOPTIC_REQUIRE_LAB=1 $(GO) test -count=1 ./bpf

bench-xdp: ## what the XDP program costs above one that drops every packet (root, Linux)
	SYNOPTIC_REQUIRE_LAB=1 SYNOPTIC_BENCH=1 $(GO) test -count=1 -v -run TestBench ./bpf

# Other releases of clang make other bytes of the same program.
CLANG     := 14
BPF       = clang --version | grep -q ' version $(CLANG)\.' || { echo "the programs in bpf are made by clang $(CLANG)"; exit 1; }; \
	C_INCLUDE_PATH=/usr/include/$$(uname -m)-linux-gnu $(GO) generate ./bpf/...

generate: ## write the captures of testdata again, and compile the programs of bpf (clang 14, llvm, libbpf-dev)
	$(GO) run ./testdata/gen captures -o testdata/captures
	@$(BPF)

verify-generate: ## fail if the captures of testdata, or the programs of bpf, are not what is generated
	@rm -rf $(OUT)/captures
	$(GO) run ./testdata/gen captures -o $(OUT)/captures
	diff -r testdata/captures $(OUT)/captures
	@$(BPF)
	git diff --exit-code -- bpf

clean: ## remove what was built and generated outside testdata
	rm -rf bin $(OUT)
