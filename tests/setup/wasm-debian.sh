#!/usr/bin/env bash
# The wasm32 target from Debian's Rust (rustc-web, which installs beside rustup), for machines that cannot reach rustup's
# server. Debian ships no std for it, so we build one from Debian's sources and put it where rustc looks.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
target=wasm32-unknown-unknown
has rustup || fail "Rust's $target target is missing, and there is no rustup to add it: install Rust from https://rustup.rs"
has apt-get || fail "rustup could not add $target: run 'rustup target add $target' where its server can be reached"
apt_install rustc-web cargo-web rust-web-src rust-web-llvm rust-web-clippy rustfmt-web lld-22

if ! [ -d /usr/lib/rustlib/$target/lib ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  mkdir "$work/src"
  : >"$work/src/lib.rs"
  printf '[package]\nname = "empty"\nedition = "2021"\n[lib]\ncrate-type = ["cdylib"]\n' >"$work/Cargo.toml"
  # RUSTC_BOOTSTRAP lets a stable compiler build its own std; without the bitcode, LTO of the page fails.
  (
    cd "$work"
    CARGO_TARGET_DIR=$work/target RUSTFLAGS="-Cembed-bitcode=yes" RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc \
      nice /usr/bin/cargo build --release -Zbuild-std=std,panic_abort --target $target
  ) || fail "building std for $target did not work"
  rm -f "$work/target/$target/release/deps/"libempty*
  mkdir -p /usr/lib/rustlib/$target/lib
  cp "$work/target/$target/release/deps/"lib*.rlib /usr/lib/rustlib/$target/lib/
fi
rustup toolchain link debian /usr
