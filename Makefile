# nirzone: every target is one line that a person could type.
GO      ?= go
BIN     := bin
TOOLS   := $(CURDIR)/$(BIN)/tools
FUZZTIME ?= 10s
export PATH := $(PATH):/usr/sbin:/sbin

.PHONY: all build demo test race mutate requirements peers bench fuzz lint clean

all: build

build: ## the three programs into bin/
	$(GO) build -trimpath -o $(BIN)/ ./cmd/zonefetch ./cmd/zonebuild ./cmd/nirctl

demo: build ## from an empty registry to signed zones, on a small made-up world, in ./demo
	$(GO) run -trimpath ./fixtures/demo -bin $(BIN) -dir demo

test: ## all tests; peers that are not installed are skipped loudly
	$(GO) test -timeout 20m ./...

race: ## zones, the registry and their programs under the race detector
	$(GO) test -race -timeout 25m ./zone/... ./nir/... ./cmd/...

mutate: ## breaks the code in every way that is listed: a test must fail for each (minutes)
	$(GO) run ./fixtures/mutate

requirements: ## each requirement of the policy, its tests, and whether they pass
	$(GO) run ./fixtures/requirements

peers: ## the real servers and signers that the tests and the benchmark use (Debian)
	sh scripts/peers.sh

bench: build ## full-size world, beside the peers: bench/report.json
	$(GO) run -trimpath ./fixtures/bench -bin $(BIN) -dir bench

fuzz: ## every fuzz target for FUZZTIME
	sh scripts/fuzz.sh $(FUZZTIME)

lint: ## vet, staticcheck, gofumpt, govulncheck
	sh scripts/lint.sh $(TOOLS)

clean: ## what the targets above made
	rm -rf $(BIN) demo bench
