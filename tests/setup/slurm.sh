#!/usr/bin/env bash
# slurm.sh SUITE: that Debian with its Slurm, MariaDB and Jupyter in $SLIPWAY_TOOLS/slurm/RELEASE, which it says, and a link
# SUITE to it. Nothing of it runs here: tests/slurm/run.sh starts clusters from it and never writes to it.
#
# slurm.sh --release SUITE VERSION: the release that a version belongs to, if the tests have been through it.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
known="24.11 26.05" # the releases that the tests have been through

# A suite moves on; what it has now, only Slurm itself can say.
release_of() {
  local suite=$1 version=$2 release
  release=$(cut -d . -f 1,2 <<<"$version")
  [[ " $known " == *" $release "* ]] ||
    fail "Debian $suite now has Slurm $version, and Slipway does not know $release: run the tests on it and add it to 'known' ($known) in tests/setup/slurm.sh"
  echo "$release"
}
if [ "$1" = --release ]; then
  release_of "$2" "$3"
  exit
fi

suite=$1
if [ "$(uname)" != Linux ] || [ "$(id -u)" != 0 ]; then
  fail "real Slurm needs Linux and root; the tests on local-slurm do without"
fi
has debootstrap || apt_install debootstrap || fail "debootstrap is missing: install it"
has ip || apt_install iproute2 || fail "ip is missing: install iproute2" # the tests cut nodes off with it

# What is mounted from here on is seen by this process alone, and gone when it ends.
[ -n "${SLIPWAY_PRIVATE:-}" ] || SLIPWAY_PRIVATE=1 exec unshare --mount --propagation private bash "$0" "$@"

# The mirror of a Debian host is the nearest one; elsewhere debootstrap knows one.
mirror=${SLIPWAY_DEBIAN_MIRROR:-}
if [ -z "$mirror" ] && grep -qs '^ID=debian' /etc/os-release; then
  mirror=$(cat /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null |
    awk '$1 == "URIs:" || $1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ /^http/) { if (!n++) print $i } }') || :
fi

mkdir -p "$SLIPWAY_TOOLS/slurm"
root=$SLIPWAY_TOOLS/slurm/$suite.new # renamed when complete: half an installation is none
rm -rf --one-file-system "$root"
# debootstrap of an older Debian does not know newer suites by name; sid's script installs any of them.
# shellcheck disable=SC2086
debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" ${mirror:+"$mirror" /usr/share/debootstrap/scripts/sid} ||
  fail "debootstrap of Debian $suite did not work"

mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
# How this machine reaches registries (certificates, settings): lent for the installation, not copied.
for file in /etc/resolv.conf /etc/hosts /etc/pip.conf /etc/apt/apt.conf.d /etc/ssl/certs/ca-certificates.crt; do
  [ -e "$file" ] || continue
  if [ -d "$file" ]; then mkdir -p "$root$file"; else touch "$root$file"; fi
  mount --bind "$file" "$root$file"
done
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" # packages must not start their daemons
chmod 755 "$root/usr/sbin/policy-rc.d"

in_root() { chroot "$root" env DEBIAN_FRONTEND=noninteractive "$@"; }
in_root apt-get update -q
in_root apt-get install -y -q --no-install-recommends slurmctld slurmd slurmrestd slurmdbd slurm-client \
  slurm-wlm-jwt-plugin slurm-wlm-mysql-plugin munge mariadb-server openssl procps python3 python3-venv ||
  fail "installing Slurm's packages did not work"
version=$(in_root slurmctld -V | sed 's/^slurm-wlm //')
release=$(release_of "$suite" "$version") || fail "$release" # what a substitution says is not seen otherwise

in_root python3 -m venv /opt/jupyter
cp "$here/jupyter.txt" "$root/opt/jupyter/"
in_root /opt/jupyter/bin/pip install -q --no-cache-dir -r /opt/jupyter/jupyter.txt || fail "pip install did not work in the chroot"

# People, the service user that Slipway asks as, and the REST daemon's own user, who cannot read Slurm's key.
for user in alice:2001 bob:2002 carol:2003 dave:2004 slipway:2005; do
  in_root useradd -m -u "${user#*:}" -s /bin/bash "${user%:*}"
done
in_root useradd -M -u 2090 -s /usr/sbin/nologin slurmrestd

in_root apt-get clean
rm -rf "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,locale}/* "$root"/var/lib/mysql/* "$root"/var/log/*.log
umount -R "$root/dev" "$root/proc" "$root"/etc/{resolv.conf,hosts,pip.conf,apt/apt.conf.d,ssl/certs/ca-certificates.crt} 2>/dev/null || :
to=$SLIPWAY_TOOLS/slurm/$release
rm -rf --one-file-system "$to"
mv "$root" "$to"
ln -sfn "$release" "$SLIPWAY_TOOLS/slurm/$suite"
echo "Debian $suite has Slurm $version"
