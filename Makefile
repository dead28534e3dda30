# What people type. `make` alone explains.

SHELL := /bin/sh
# rustup's folder is added for shells that did not read a profile.
export PATH := $(PATH):$(HOME)/.cargo/bin
# Queries are checked against the committed caches, whatever databases this shell knows about.
export SQLX_OFFLINE := true

target := $(or $(CARGO_TARGET_DIR),target)
dev := $(or $(TONGBAO_DEV_DIR),.dev)
provisioned := set -a && . '$(abspath $(dev))/provision.env' && set +a &&

.PHONY: help demo up down test chaos bench bench-reconcile interop pages fuzz lint provision build cargo

help:
	@echo 'make demo   run the main job from order to reconciliation, with everything it needs, and tell the story'
	@echo 'make up     start the same world and keep it running'
	@echo 'make down   stop it'
	@echo 'make test   run every test'
	@echo 'make chaos  load and faults of every kind at one time, 3 minutes; CHAOS_SECONDS, CHAOS_SEED'
	@echo 'make bench  how fast this is, beside pgbench, single publishes and a plain Node service, about 10 minutes; ROUNDS, MS, ONLY'
	@echo 'make bench-reconcile  compare a day of 10 million rows beside DuckDB; ROWS, ROUNDS, DAY_ROWS; wants Python, 12 GB of disk and 12 GB of memory'
	@echo 'make interop  let clients of others speak with the sandbox and notify-svc; wants Node.js with npm, and Python'
	@echo 'make pages  buy from the sample shop in a real browser, in every way a page can sell; wants Node.js with npm, and Chromium'
	@echo 'make fuzz   feed the readers of bills with what no provider sends, 10 minutes each; wants a nightly Rust and cargo-fuzz; FUZZ_SECONDS'
	@echo 'make lint   check format, lints, query caches and docs'

demo: build
	@$(provisioned) $(target)/debug/world demo

up: build
	@$(provisioned) $(target)/debug/world up

down:
	@if [ -x $(target)/debug/world ]; then $(provisioned) $(target)/debug/world down; else echo 'nothing was started: world is not built'; fi

# The stories start the services as processes, so the programs are built first.
test: build
	@$(provisioned) cargo test --workspace

# Both variables reach it by the environment; what is drawn and what is seen is printed.
chaos: build
	@$(provisioned) $(target)/debug/chaos

# As it ships, and nothing else at the same time. The peer's libraries come from npm; without Node its rows are MISSING.
bench: provision
	cargo build --release -p sandbox -p pay-gateway -p notify-svc -p order-svc -p e2e --bins
	@$(provisioned) $(target)/release/bench

# An optimised build and some minutes; DuckDB comes from PyPI. Everything it writes is in target/bench and removed again.
bench-reconcile: provision
	@$(provisioned) scripts/bench-reconcile

# Beside `make test` and not in it: the clients come from registries. What cannot be had is skipped with a reason.
interop: provision
	cargo build -p sandbox -p notify-svc --bins
	@$(provisioned) interop/run '$(target)/debug'

# As `make interop`; screenshots are in target/pages.
pages: build
	@$(provisioned) interop/pages/run '$(target)/debug'

# Beside `make test` and not in it: libFuzzer needs a nightly compiler.
fuzz:
	@scripts/fuzz

lint: provision
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	@$(provisioned) scripts/sqlx-cache --check
	RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps

build: provision
	cargo build --workspace --bins

provision: cargo
	@scripts/provision

cargo:
	@command -v cargo >/dev/null || { echo 'cargo is missing: install Rust 1.95 or newer from https://rustup.rs' >&2; exit 1; }
	@command -v cc >/dev/null || { echo 'cc is missing: install a C compiler (Debian: build-essential, macOS: xcode-select --install)' >&2; exit 1; }
