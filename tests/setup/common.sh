# shellcheck shell=bash
# Helpers of the setup steps. A step ends with `fail "what is missing and how to fix it"`.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/env.sh"

fail() {
  echo "$*"
  exit 1
}

has() { command -v "$1" >/dev/null; }

# apt_install PACKAGE…: only on Debian and its kin, and only as root; asking for a password is not a script's place.
apt_install() {
  has apt-get || return 1
  [ "$(id -u)" = 0 ] || fail "as root: apt-get install --no-install-recommends $*"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q
  apt-get install -y -q --no-install-recommends "$@" || fail "apt-get install $* did not work"
}
