#!/usr/bin/env bash
# browser.sh FOLDER: the packages of that folder's package.json, outside the repository, and a Chromium for them.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
from=$1 to=$SLIPWAY_TOOLS/node/e2e
has npm || apt_install nodejs npm || fail "npm is missing: install Node 20 or newer"
mkdir -p "$to"
cp "$from/package.json" "$from/package-lock.json" "$to/"
npm ci --prefix "$to" --no-audit --no-fund --loglevel=error || fail "npm ci in $to did not work"

[ -n "$SLIPWAY_CHROMIUM" ] && exit
# Ubuntu's package is a snap, which does not run everywhere; Debian's is a plain one.
grep -qs '^ID=debian' /etc/os-release && apt_install chromium && exit
export PLAYWRIGHT_BROWSERS_PATH=$SLIPWAY_TOOLS/browsers
cd "$to"
npx playwright-core install chromium || fail "no Chromium: install one, or set SLIPWAY_CHROMIUM to the path of yours"
path=$(node -p 'require("playwright-core").chromium.executablePath()')
# A wrapper, not a link: on macOS the program looks for its frameworks beside itself.
printf '#!/bin/sh\nexec "%s" "$@"\n' "$path" >"$SLIPWAY_TOOLS/bin/chromium"
chmod 755 "$SLIPWAY_TOOLS/bin/chromium"
