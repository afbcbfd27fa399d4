#!/usr/bin/env bash
# pam.sh SOURCE: what linking to PAM needs, the PAM module of the tests, and what they put Slipway into a sandbox with.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
[ "$(uname)" = Linux ] || fail "the tests with PAM need Linux and root; the others do without"

missing=()
[ -e /usr/include/security/pam_modules.h ] || missing+=(libpam0g-dev)
has systemd-analyze || missing+=(systemd)
/usr/bin/python3 -c 'import seccomp' 2>/dev/null || missing+=(python3-seccomp)
has cc || missing+=(build-essential)
[ ${#missing[@]} -eq 0 ] || apt_install "${missing[@]}" ||
  fail "install PAM's headers (libpam0g-dev, pam-devel), systemd-analyze, a C compiler and libseccomp's Python module: missing are, as Debian calls them, ${missing[*]}"
mkdir -p "$SLIPWAY_TOOLS/pam"
cc -Wall -Wextra -Werror -O1 -shared -fPIC -o "$SLIPWAY_TOOLS/pam/acts.so" "$1" -lpam || fail "$1 does not compile"
