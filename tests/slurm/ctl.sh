#!/usr/bin/env bash
# Inside the cluster that run.sh started in STATE-DIR:
#
#   ctl.sh STATE-DIR COMMAND…                    runs a command as root, e.g. scontrol show job 1
#   ctl.sh STATE-DIR as USER COMMAND…            the same as that person
#   ctl.sh STATE-DIR stop|start DAEMON…          an outage: slurmctld, slurmdbd, slurmrestd, mariadbd, or a node (c1, g1, …)
#   ctl.sh STATE-DIR pause|resume DAEMON…        the other kind: it hangs (SIGSTOP)
set -euo pipefail
[ $# -ge 2 ] || { sed -n '2,7p' "$0" >&2; exit 2; }
pid=$(cat "$1/pid" 2>/dev/null || :)
if [ -z "$pid" ] || [ ! -d "/proc/$pid" ]; then
  echo "ctl.sh: no cluster runs in $1" >&2
  exit 1
fi
shift
case $1 in
  start | stop | pause | resume) set -- bash /opt/slipway/daemons.sh "$@" ;;
  as)
    user=$2
    shift 2
    set -- setpriv --reuid="$user" --regid="$user" --init-groups "$@" ;;
esac
exec nsenter --target "$pid" --mount --pid --uts --ipc --root --wd \
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "$@"
