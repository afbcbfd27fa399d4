#!/usr/bin/env bash
# A real Slurm cluster in the foreground: slurmctld, slurmdbd, slurmrestd, MariaDB and five nodes, from Debian's packages.
#
#   run.sh RELEASE STATE-DIR [LINE-OF-slurm.conf]…      e.g. run.sh 24.11 /tmp/c PrivateData=jobs
#
# A line takes the place of the one that sets the same; tests/src/real_slurm.rs names the useful ones.
# When REST answers and three nodes are idle, one line of JSON says on stdout how to reach it. It runs until SIGTERM, SIGINT
# or the end of its stdin (`</dev/null` is an end!); then, and also after SIGKILL, no process and no mount of it is left.
# Several can run at once. STATE-DIR keeps the logs (STATE-DIR/log). `ctl.sh` runs commands inside.
#
# run.sh --prepare RELEASE fills the accounting database that every cluster starts from; `make setup` does that.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../setup/env.sh"

fail() {
  echo "run.sh: $*" >&2
  exit 1
}

mode=run
if [ "${1:-}" = --prepare ]; then
  mode=prepare
  set -- "${2:-}" "$(mktemp -d)"
fi
[ $# -ge 2 ] || fail "usage: run.sh RELEASE STATE-DIR [LINE-OF-slurm.conf]…"
root=$SLIPWAY_TOOLS/slurm/$1
mkdir -p "$2"
state=$(cd "$2" && pwd)
shift 2
[ "$(id -u)" = 0 ] || fail "needs root, for its namespaces"
[ -d "$root" ] || fail "$root is missing: make setup"
[ $mode = prepare ] || [ -e "$root/var/lib/mysql/prepared" ] || fail "its accounts are missing: make setup"
[ -e "$state/pid" ] && [ -d "/proc/$(cat "$state/pid")/root/opt" ] && fail "a cluster runs in $state already"

rm -rf --one-file-system "${state:?}"/{pid,keys,log,mnt,run}
mkdir "$state"/{keys,log,mnt,run}
chmod 700 "$state/keys"

# The first of each line: the process below dies with this one, however this one dies. --kill-child then takes the cluster
# along: enter.sh becomes process 1 of its pid namespace, and the kernel ends a namespace with its process 1.
setpriv --pdeathsig KILL \
  unshare --mount --pid --uts --ipc --fork --kill-child bash "$here/enter.sh" "$root" "$state" "$mode" "$@" </dev/null &
cluster=$!

# Ends the cluster, if there is one, and waits for its last process: then the next can have the same folder.
end() {
  local stat=(- - R)
  kill -KILL "$cluster" 2>/dev/null || return
  exec 2>/dev/null # bash would tell that we killed it
  while [ "${stat[2]}" != Z ] && read -r -a stat <"/proc/$(cat "$state/pid")/stat"; do sleep 0.01; done
}
trap 'end || :; exit 0' TERM INT HUP

if [ $mode = prepare ]; then
  wait "$cluster" || fail "preparing the accounts failed: see $state/log"
  rm -rf --one-file-system "$state"
  exit
fi

# Whichever ends first: the cluster, which then failed, or our stdin.
exec 3<&0
setpriv --pdeathsig KILL cat <&3 >/dev/null &
stdin=$!
exec 3<&-
wait -n "$cluster" "$stdin" || :
if end; then exit 0; fi
kill "$stdin" 2>/dev/null
tail -n 20 "$state/log" >&2 || : # the folder goes with the test
fail "the cluster did not start, or ended: see $state/log"
