#!/usr/bin/env bash
# Rust's standard library for the browser: rustup's own where its server can be reached, else built from Debian's packages.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
has cargo || fail "Rust is missing: install it from https://rustup.rs"

ready() { [ -d "$(rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown/lib" ]; }

ready && exit
has rustup && rustup target add wasm32-unknown-unknown && ready && exit
exec bash "$here/wasm-debian.sh"
