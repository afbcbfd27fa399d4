#!/usr/bin/env bash
# node.sh PACKAGE@VERSION COMMAND: a program from npm, linked into $SLIPWAY_TOOLS/bin.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
package=$1 command=$2 folder=$SLIPWAY_TOOLS/node/$2
has npm || apt_install nodejs npm || fail "npm is missing: install Node 20 or newer"
mkdir -p "$folder"
npm install --prefix "$folder" --no-save --no-audit --no-fund --loglevel=error "$package" ||
  fail "npm install $package did not work"
ln -sf "$folder/node_modules/.bin/$command" "$SLIPWAY_TOOLS/bin/$command"
