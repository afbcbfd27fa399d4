#!/bin/sh
# Compiles this workspace's own crates so that libFuzzer sees which code an input reaches: cargo-fuzz's flags without a
# sanitizer, on stable Rust. Cargo calls it for members only (RUSTC_WORKSPACE_WRAPPER); dependencies stay as they are.
exec "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
  -Cllvm-args=-sanitizer-coverage-trace-compares -Cllvm-args=-simplifycfg-branch-fold-threshold=0
