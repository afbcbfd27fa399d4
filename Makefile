# The few commands a person types. Works with make 3.81 and bash 3.2.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup demo dev build check test record docs bench soak clean

ENV := . tests/setup/env.sh &&
PORT ?= 8000
TRUNK_PORT ?= 8080
PAGE := Cargo.toml Cargo.lock Trunk.toml $(shell find frontend shared style -type f)
# With PAM everywhere, so that the server is built once. `make demo` and `make dev` do without: they need no PAM headers.
HOST := -p shared -p backend -p local-slurm -p slipway-tests --features backend/pam
export PORT TRUNK_PORT

help:
	@echo "make demo    a pretend cluster with Slipway in front of it, on http://127.0.0.1:$(PORT)/ (PORT=8001 for another)"
	@echo "make dev     the same for people who change the page: trunk serve on port $(TRUNK_PORT), no Jupyter needed"
	@echo "make check   format, lints, unit and API tests: the inner loop, under 4 minutes"
	@echo "make test    everything, with a browser and real Slurm"
	@echo "make record  writes down what real Slurm answers, for tests/slurm/recorded/"
	@echo "make docs    writes the messages and pictures in docs/ anew"
	@echo "make bench   measures, beside the alternatives; writes target/bench/"
	@echo "make soak    the tests again and again, to find what fails now and then"
	@echo "make setup   installs what all of these need; quick when there is nothing to do"

setup:
	@bash tests/setup/setup.sh all

demo:
	@bash tests/setup/setup.sh demo
	@$(MAKE) -s build
	@$(ENV) exec target/fast/demo

dev:
	@bash tests/setup/setup.sh dev
	@$(ENV) cargo build -q --profile fast -p backend -p slipway-tests --bins
	@$(ENV) bash tests/setup/dev.sh

build: dist/index.html
	@$(ENV) cargo build -q --profile fast -p backend -p slipway-tests --bins

# Trunk takes its time even when nothing has changed. Where the sources were is not for the page to carry around.
dist/index.html: $(PAGE)
	@$(ENV) RUSTFLAGS="--remap-path-prefix=$(HOME)/= --remap-path-prefix=$(CURDIR)/=" trunk --log warn build --release --offline
	@touch $@

check: dist/index.html
	@$(ENV) cargo fmt --all --check
	@$(ENV) cargo clippy -q -p frontend $(HOST) --all-targets -- -D warnings
	@$(ENV) cargo build -q $(HOST) --bins
	@$(ENV) cargo nextest run -p frontend $(HOST) -E 'not (binary(slurm) and test(/real/)) and not test(/^pam::/) and not binary(e2e)'

test:
	@bash tests/setup/setup.sh test
	@$(MAKE) -s dist/index.html
	@$(ENV) cargo fmt --all --check
	@$(ENV) cargo clippy -q -p frontend $(HOST) --all-targets -- -D warnings
	@$(ENV) cargo clippy -q -p frontend --target wasm32-unknown-unknown -- -D warnings
	@$(ENV) cargo clippy -q -p slipway-fuzz --all-targets -- -D warnings
	@$(ENV) cargo deny --log-level error --locked check licenses bans sources
	@$(ENV) cargo build -q $(HOST) --bins
	@$(ENV) cargo nextest run -p frontend $(HOST)
	@bash tests/fuzz/run.sh 20

record:
	@bash tests/setup/setup.sh test
	@$(ENV) cargo run -q -p slipway-tests --features backend/pam --bin record

# The pictures are those that `make test` has taken last.
docs:
	@$(ENV) SLIPWAY_WRITE_DOCS=1 cargo nextest run $(HOST) -E 'binary(api) and test(documents)'
	@for language in en fr; do for name in options starting given-up-help home-running; do \
		cp target/e2e/$$name-$$language-768-light.png docs/pictures/$${name%-help}-$$language.png; done; done

bench:
	@bash tests/setup/setup.sh bench
	@$(MAKE) -s dist/index.html
	@$(ENV) cargo build -q --release -p backend -p slipway-tests --bins
	@$(ENV) target/release/bench

soak:
	@bash tests/setup/setup.sh test
	@$(MAKE) -s dist/index.html
	@$(ENV) cargo build -q $(HOST) --bins
	@$(ENV) SLIPWAY_CHAOS_STARTS=200 SLIPWAY_MADE_UP_REQUESTS=4 cargo nextest run --profile soak $(HOST) -E 'test(chaos) or test(what_is_accepted_runs)'
	@$(ENV) cargo nextest run $(HOST) --stress-count 10 -E 'not (binary(e2e) or binary(slurm))'
	@$(ENV) cargo nextest run $(HOST) --stress-count 3 -E 'binary(slurm)'
	@$(ENV) SLIPWAY_CHURN_SECONDS=600 cargo nextest run --profile soak $(HOST) -E 'test(come_and_go)'
	@$(ENV) SLIPWAY_SILENCE_SECONDS=300 cargo nextest run --profile soak $(HOST) -E 'test(works_in_lab_for_a_day)'
	@$(ENV) cargo nextest run $(HOST) --stress-count 3 -E 'binary(e2e)'
	@bash tests/fuzz/run.sh 600

clean:
	rm -rf target dist
