#!/usr/bin/env bash
# cargo-tool.sh NAME VERSION: a command-line program from crates.io, unless PATH already has that version.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
name=$1 version=$2 crate=$1
[ "$name" = wasm-bindgen ] && crate=wasm-bindgen-cli
case $name in cargo-*) sub=${name#cargo-} ;; *) sub= ;; esac

if has "$name" && "$name" ${sub:+"$sub"} --version | grep -qF "$version"; then
  found=$(command -v "$name")
  [ "$found" = "$SLIPWAY_TOOLS/bin/$name" ] || ln -sf "$found" "$SLIPWAY_TOOLS/bin/$name"
  exit
fi
has cc || apt_install build-essential || fail "a C compiler is missing: install Xcode's command line tools or gcc"
# Their own release profiles aim at speed that nobody notices here: these settings build much faster.
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL=1
export CARGO_TARGET_DIR=$SLIPWAY_TOOLS/build # shared: the tools have many crates in common
# wasm-bindgen's own lock file names a crate that has been withdrawn.
locked=--locked
[ "$name" = wasm-bindgen ] && locked=
nice cargo install "$crate" --version "$version" $locked --force --root "$SLIPWAY_TOOLS" ||
  fail "cargo install $crate --version $version $locked did not work"
