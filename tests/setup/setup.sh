#!/usr/bin/env bash
# Installs what Slipway needs and this machine lacks, into $SLIPWAY_TOOLS (and, on Debian, with apt).
#
#   setup.sh demo   what `make demo` needs: the wasm target, Trunk, Jupyter
#   setup.sh dev    the same without Jupyter
#   setup.sh test   everything: also a browser, cargo-nextest, cargo-deny, PAM and a real Slurm
#   setup.sh bench  the same, and the JupyterHub to compare with
#   setup.sh all    the same as test
#
# Each step leaves a stamp with a hash of its script and inputs, so a second run takes no time
# and a changed pin runs its step again. Remove $SLIPWAY_TOOLS to start over.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/../.." && pwd)
. "$here/env.sh"
stamps=$SLIPWAY_TOOLS/stamps
mkdir -p "$SLIPWAY_TOOLS/bin" "$stamps"
failures=()

# step NAME "what and why" "result that must exist" "inputs, separated by spaces" command…
# A step says why it failed on its last line of output; the whole output stays in its log.
step() {
  local name=$1 why=$2 result=$3 inputs=$4 log=$SLIPWAY_TOOLS/log/$1.log hash began
  shift 4
  # shellcheck disable=SC2086 # the inputs are a list
  hash=$({ echo "${*//"$repo"/}"; cat $inputs; } 2>/dev/null | cksum) # the same in every checkout
  [ -e "$result" ] && [ "$(cat "$stamps/$name" 2>/dev/null)" = "$hash" ] && return
  mkdir -p "$SLIPWAY_TOOLS/log"
  printf '%s … ' "$why"
  began=$SECONDS
  if "$@" >"$log" 2>&1 </dev/null; then
    echo "$hash" >"$stamps/$name"
    echo "$((SECONDS - began)) s"
  else
    echo "failed after $((SECONDS - began)) s"
    failures+=("$name: $(tail -n 1 "$log") (all of it: $log)")
  fi
}

tool() { # tool NAME "why": a pinned command-line program, see cargo-tool.sh
  step "$1" "$2" "$SLIPWAY_TOOLS/bin/$1" "$here/cargo-tool.sh" bash "$here/cargo-tool.sh" "$1" "$(version_of "$1")"
}

version_of() {
  case $1 in
    trunk) echo 0.21.14 ;; # 0.22 wants a newer Rust than Debian has
    # The page is only understood by the wasm-bindgen of the very version that it was linked with.
    wasm-bindgen) grep -A 1 '^name = "wasm-bindgen"$' "$repo/Cargo.lock" 2>/dev/null | sed -n 's/^version = "\(.*\)"/\1/p' | grep . || echo 0.2.130 ;;
    cargo-nextest) echo 0.9.151 ;;
    cargo-deny) echo 0.20.2 ;;
  esac
}

page() {
  step wasm "Rust's wasm32 target, to compile the page" "$(rustc --print sysroot 2>/dev/null)/lib/rustlib/wasm32-unknown-unknown/lib" "$here/wasm.sh $here/wasm-debian.sh" bash "$here/wasm.sh"
  . "$here/env.sh" # the step may have brought another toolchain
  tool trunk "Trunk, which builds the page"
  tool wasm-bindgen "wasm-bindgen, which ties wasm to the browser"
  step wasm-opt "wasm-opt, which makes the page small" "$SLIPWAY_TOOLS/bin/wasm-opt" "$here/node.sh" bash "$here/node.sh" binaryen@132.0.0 wasm-opt
}

jupyter() {
  step jupyter "JupyterLab and Notebook, which people's servers run" "$SLIPWAY_TOOLS/jupyter/bin/jupyter" "$here/jupyter.sh $here/jupyter.txt" bash "$here/jupyter.sh"
}

tests() {
  local e2e=$repo/tests/e2e pam=$repo/tests/pam slurm=$repo/tests/slurm roots=$SLIPWAY_TOOLS/slurm suite release
  tool cargo-nextest "cargo-nextest, which runs the tests"
  tool cargo-deny "cargo-deny, which checks licences and sources"
  step compiler "a C++ compiler, for fuzzing" "$(command -v c++ || echo missing)" "$here/compiler.sh" bash "$here/compiler.sh"
  step pam "PAM's headers and a module for tests, seccomp and systemd-analyze" "$SLIPWAY_TOOLS/pam/acts.so" "$here/pam.sh $pam/acts.c" bash "$here/pam.sh" "$pam/acts.c"
  step front-proxies "nginx, Apache httpd and HAProxy, to put in front of Slipway" "$(PATH=$PATH:/usr/sbin command -v haproxy || echo missing)" "$here/front-proxies.sh" bash "$here/front-proxies.sh"
  step proxy "configurable-http-proxy, to compare with in benchmarks" "$SLIPWAY_TOOLS/bin/configurable-http-proxy" "$here/node.sh" bash "$here/node.sh" configurable-http-proxy@5.3.0 configurable-http-proxy
  step browser "Chromium, Playwright and axe-core, for tests in a browser" "$SLIPWAY_TOOLS/node/e2e/node_modules" "$here/browser.sh $e2e/package.json $e2e/package-lock.json" bash "$here/browser.sh" "$e2e"
  # trixie has Slurm 24.11. What sid has changes: the folder is named after what it says itself.
  for suite in ${SLIPWAY_SLURM_SUITES:-trixie sid}; do
    step "slurm-$suite" "Slurm of Debian $suite with slurmrestd, in a chroot of its own" "$roots/$suite" "$here/slurm.sh $here/jupyter.txt" bash "$here/slurm.sh" "$suite"
    release=$(readlink "$roots/$suite") || continue
    step "slurm-accounts-$release" "Slurm $release: its people, accounts and limits" "$roots/$release/var/lib/mysql/prepared" "$slurm/enter.sh $slurm/cluster.sh $slurm/daemons.sh $slurm/accounts.sh $slurm/conf/slurm.conf $slurm/conf/slurmdbd.conf" bash "$slurm/run.sh" --prepare "$release"
  done
}

hub() {
  step lighthouse "Lighthouse, which marks the page" "$SLIPWAY_TOOLS/bin/lighthouse" "$here/node.sh" bash "$here/node.sh" lighthouse@12.8.2 lighthouse
  step jupyterhub "JupyterHub, to compare with in benchmarks" "$SLIPWAY_TOOLS/jupyterhub/bin/jupyterhub" "$here/jupyterhub.sh" bash "$here/jupyterhub.sh" 6.1.1
}

case ${1:-all} in
  demo) page; jupyter ;;
  dev) page ;;
  test | all) page; jupyter; tests ;;
  bench) page; jupyter; tests; hub ;;
  *) echo "usage: setup.sh [demo|dev|test|bench|all]" >&2; exit 2 ;;
esac
rm -rf "$SLIPWAY_TOOLS/build" # what compiling the tools left

[ ${#failures[@]} -eq 0 ] && exit
echo
echo "Not ready:"
printf '  %s\n' "${failures[@]}"
exit 1
