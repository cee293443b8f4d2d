# Everything one does with this tree. `make help` lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# The Go distribution may be installed without being on a bare PATH, and runc
# lives in sbin.
export PATH := $(PATH):/usr/local/go/bin:/usr/sbin:/sbin

# An environment without a home has no place for Go's caches.
ifeq ($(strip $(HOME)),)
export HOME := $(CURDIR)/.cache/home
endif

# A static program; and no VCS stamp, since git refuses to look at a tree that
# belongs to another user, as on many CI machines. The version is set by LDFLAGS.
export CGO_ENABLED := 0
export GOFLAGS := $(strip $(GOFLAGS) -buildvcs=false)

VERSION = $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS = -s -w -X main.version=$(VERSION)
BUILD = go build -trimpath -ldflags '$(LDFLAGS)'
TOOL := go tool -modfile=tools/go.mod
SOURCES = find . -name .cache -prune -o -name '*.go' -print0

# Where tests are looked for, and what is given to `go test`.
PKG ?= ./...
TESTFLAGS ?= -timeout=40m
FUZZTIME ?= 10s

# What the client is built for beside this system.
CLIENT_SYSTEMS ?= linux-arm64 darwin-arm64 windows-amd64

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## install what this machine lacks (apt; asks for nothing)
	@tools/setup

.PHONY: build
build: bin/drydockd ## build bin/drydockd, and the client bin/drydock, also for other systems
	$(BUILD) -o bin/drydock ./cmd/drydock
	for system in $(CLIENT_SYSTEMS); do \
		GOOS=$${system%-*} GOARCH=$${system#*-} $(BUILD) -o bin/$$system/ ./cmd/drydock; \
	done

# Go knows what is up to date.
.PHONY: bin/drydockd
bin/drydockd: setup
	$(BUILD) -o $@ ./cmd/drydockd

.PHONY: demo
demo: bin/drydockd ## a server with a page that follows a public image, and a gate between the two
	$(BUILD) -o bin/drydock ./cmd/drydock
	go build -o bin/demo ./test/demo
	tools/as-root bin/demo bin/drydockd bin/drydock examples/public-content

# Containers need root: the tests are compiled by the caller and run by
# tools/as-root, which is sudo for everyone else.
.PHONY: test
test: setup ## run all tests (PKG=./internal/plan/ for one package)
	$(TOOL) gotestsum --format pkgname -- -exec "'$(CURDIR)/tools/as-root'" $(TESTFLAGS) $(PKG)

# Docker comes first on PATH where it is not the machine's own.
.PHONY: compat
compat: setup ## use a server with what others wrote: Azure's SDKs and CLI, docker, skopeo, ORAS
	@tools/docker .cache/docker
	@tools/azure-cli .cache/azure-cli
	PATH="$(CURDIR)/.cache/docker/bin:$$PATH" go test -exec "'$(CURDIR)/tools/as-root'" -tags docker -count=1 -timeout=20m $(if $(V),-v) ./test/compat

# AZ=/path/to/az for an Azure CLI that is there, WALK=FILE for another script.
.PHONY: walkthrough
walkthrough: setup ## play a whole gated import, by drydock and by the Azure CLI; pictures and transcripts go to .cache/walkthrough
	$(if $(AZ),,@tools/azure-cli .cache/azure-cli)
	@mkdir -p .cache/walkthrough
	AZ=$(or $(AZ),$(CURDIR)/.cache/azure-cli/az) $(if $(WALK),WALK=$(abspath $(WALK))) PICTURES=$(CURDIR)/.cache/walkthrough \
	    go test -exec "'$(CURDIR)/tools/as-root'" -tags azurecli -count=1 -timeout=40m -v ./test/walkthrough

.PHONY: lint
lint: setup ## gofumpt, go vet, staticcheck, tidy modules
	@unformatted=$$($(SOURCES) | xargs -0 $(TOOL) gofumpt -l); \
	if [ -n "$$unformatted" ]; then echo "not formatted, run make format:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	go vet -tags docker ./test/compat
	go vet -tags azurecli ./test/walkthrough
	$(TOOL) staticcheck ./...
	$(TOOL) staticcheck -tags docker ./test/compat
	$(TOOL) staticcheck -tags azurecli ./test/walkthrough
	go mod tidy -diff
	go -C tools mod tidy -diff
	go -C test/images/tools mod tidy -diff
	go -C test/images/tools vet ./...
	go -C test/gitea/tools mod tidy -diff
	go -C test/bench/stock mod tidy -diff

.PHONY: format
format: ## rewrite all Go files as gofumpt has them
	$(SOURCES) | xargs -0 $(TOOL) gofumpt -w

.PHONY: docs
docs: ## write docs/cli.md and docs/client-commands.md from the commands' own help
	UPDATE_DOCS=1 go test -count=1 -run TestCommandReference ./cmd/drydockd ./internal/cli

.PHONY: fuzz
fuzz: ## run each fuzz target for FUZZTIME (10s)
	@tools/fuzz $(FUZZTIME)

.PHONY: soak
soak: setup ## kill a server some hundreds of times (KILLS=300)
	SOAK_KILLS=$(or $(KILLS),300) go test -exec "'$(CURDIR)/tools/as-root'" -count=1 -timeout=120m -run TestKillsAtAnyMoment ./test/serve

# The programs are built in one place, so that all of them are measured as they
# are shipped. BENCH=short only shows that the measuring works; BENCHFLAGS go to
# the program (-h lists them), and leave out the triggers.
.PHONY: bench
bench: setup ## measure against runc, a stock buildkitd and a stock registry (BENCH=short for a quick look)
	$(BUILD) -o .cache/bench/ ./cmd/drydockd ./test/bench
	go -C test/bench/stock build -trimpath -ldflags '-s -w' -o $(CURDIR)/.cache/bench/ \
	    github.com/moby/buildkit/cmd/buildkitd github.com/moby/buildkit/cmd/buildctl
	@tools/as-root .cache/bench/bench $(if $(filter short,$(BENCH)),-short) $(BENCHFLAGS)
ifeq ($(BENCHFLAGS),)
	go test ./internal/baseimage -run '^$$' -bench Push -benchtime $(if $(filter short,$(BENCH)),1x,5x)
	go test ./test/serve -exec "'$(CURDIR)/tools/as-root'" -run '^$$' -bench 'Chain|FirstStep' -benchtime $(if $(filter short,$(BENCH)),1x,10x)
endif

.PHONY: clean
clean: ## remove what was built here
	chmod -R u+w .cache 2>/dev/null || true
	rm -rf bin .cache
