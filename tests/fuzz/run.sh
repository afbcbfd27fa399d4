#!/usr/bin/env bash
# run.sh SECONDS [TARGET…]: builds the fuzz targets and runs each for so long, two at a time, from the stored corpus.
# Inputs that reach new code are kept in target/fuzz/, and so is one that fails; nothing here is changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. tests/setup/env.sh
out=target/fuzz

run() { # run SECONDS TARGET
  local target=$2 log=$out/$2.log found
  mkdir -p "$out/corpus/$target" "$out/found"
  if target/debug/fuzz-"$target" -max_total_time="$1" -timeout=10 -rss_limit_mb=1024 -max_len=4096 -print_final_stats=1 \
    -artifact_prefix="$out/found/$target-" "$out/corpus/$target" "tests/fuzz/corpus/$target" >"$log" 2>&1; then
    # Without feedback libFuzzer only throws dice.
    grep -q '	DONE   cov: [1-9]' "$log" || { echo "fuzz $target: no coverage was seen ($log)"; return 1; }
    sed -n "s/^#\([0-9]*\)	DONE   cov: \([0-9]*\) ft: \([0-9]*\) corp: \([0-9]*\).*/fuzz $target: \1 executions, \2 edges, \3 features, \4 inputs/p" "$log"
  else
    found=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
    echo "fuzz $target: a finding. All of it: $log"
    sed -n "/panicked at\|^==[0-9]*== ERROR/,/stack backtrace\|^SUMMARY/p" "$log" | head -n 20
    echo "Run it again: target/debug/fuzz-$target ${found:-(no input was saved)}"
    return 1
  fi
}

if [ "${1:-}" = --one ]; then
  run "$2" "$3"
  exit
fi
[[ "${1:-}" =~ ^[0-9]+$ ]] || { echo "usage: run.sh SECONDS [TARGET…]" >&2; exit 2; }
seconds=$1
shift
[ $# -gt 0 ] || set -- next cookies hand-off options slurm comment signer headers response-filter login-state

# Only our own crates are instrumented and optimised: the others are those of every other test.
own=()
for crate in shared backend slipway-fuzz; do own+=(--config "profile.dev.package.$crate.opt-level=1"); done
RUSTC_WORKSPACE_WRAPPER=$PWD/tests/fuzz/rustc.sh cargo build -q "${own[@]}" -p slipway-fuzz --bins
printf '%s\n' "$@" | xargs -P 2 -n 1 bash tests/fuzz/run.sh --one "$seconds"
