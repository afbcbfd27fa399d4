# shellcheck shell=sh
# Where the tools of `make setup` are. Sourced (`. tests/setup/env.sh`) by make's recipes and by scripts;
# plain POSIX sh, quick, quiet, and safe to source twice. Every value can be set from outside.

export SLIPWAY_TOOLS="${SLIPWAY_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/slipway}"

case ":$PATH:" in
  ":$SLIPWAY_TOOLS/bin:"*) ;;
  *) export PATH="$SLIPWAY_TOOLS/bin:$PATH" ;;
esac

# The toolchain that wasm-debian.sh builds, only where the one in use cannot compile for the browser.
slipway_fallback=${RUSTUP_HOME:-$HOME/.rustup}/toolchains/debian
if [ -z "${RUSTUP_TOOLCHAIN:-}" ] && [ -d "$slipway_fallback/lib/rustlib/wasm32-unknown-unknown/lib" ] &&
  [ ! -d "$(rustc --print sysroot 2>/dev/null)/lib/rustlib/wasm32-unknown-unknown/lib" ]; then
  export RUSTUP_TOOLCHAIN=debian
fi
unset slipway_fallback

export SLIPWAY_JUPYTER="${SLIPWAY_JUPYTER:-$SLIPWAY_TOOLS/jupyter/bin/jupyter}"

# Node does not look at NODE_PATH for ES modules: tests resolve their packages from this folder
# with `createRequire(process.env.SLIPWAY_NODE + "/")`.
export SLIPWAY_NODE="${SLIPWAY_NODE:-$SLIPWAY_TOOLS/node/e2e}"

if [ -z "${SLIPWAY_CHROMIUM:-}" ]; then
  SLIPWAY_CHROMIUM=$(command -v chromium || command -v chromium-browser || command -v google-chrome || :)
  export SLIPWAY_CHROMIUM
fi
