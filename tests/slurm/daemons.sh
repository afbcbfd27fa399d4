#!/usr/bin/env bash
# The cluster's daemons, inside its root: sourced by cluster.sh, and run by ctl.sh as
#   daemons.sh start|stop|pause|resume DAEMON…
# where a daemon is munged, mariadbd, slurmdbd, slurmctld, slurmrestd, or a node's slurmd by the node's name.
set -euo pipefail
pids=/run/slurm # their process ids, one file each
mariadb_options=(--no-defaults --user=mysql --datadir=/var/lib/mysql --socket=/run/mysqld/mysqld.sock --skip-networking
  --innodb-buffer-pool-size=64M --innodb-log-file-size=8M --innodb-lock-wait-timeout=900
  --innodb-flush-log-at-trx-commit=0 --performance-schema=OFF --skip-log-bin)

# launch NAME USER COMMAND…
launch() {
  local name=$1 user=$2
  shift 2
  setsid setpriv --reuid="$user" --regid="$user" --clear-groups "$@" </dev/null >>"/var/log/slurm/$name.log" 2>&1 &
  echo $! >"$pids/$name.pid"
}

# until_ready SECONDS COMMAND…: tries until it works.
until_ready() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || { echo "gave up waiting: $*" >&2; return 1; }
    sleep 0.05
  done
}

port_of() { sed -n "s/^$2=//p" "/etc/slurm/$1"; }
listens() { : <>"/dev/tcp/127.0.0.1/$1"; }
# The ones that jobs run on at once: c3 is drained, and r1 is reserved some seconds later.
nodes_idle() { [ "$(sinfo -h -p long -o '%D %T')" = "3 idle" ]; }
# A token for root, of the kind that every variant of the cluster takes.
token() {
  local text
  text=$(printf '{"alg":"RS256","kid":"slipway"}' | base64url).$(printf '{"sun":"root","exp":%s}' $(($(date +%s) + 60)) | base64url)
  echo "$text.$(printf %s "$text" | openssl dgst -sha256 -sign /opt/slipway/keys/rs256.pem | base64url)"
}
base64url() { base64 -w 0 | tr '+/' '-_' | tr -d '='; }
rest_answers() {
  local port line
  port=$(sed -n 's/REST_PORT=//p' /opt/slipway/env)
  exec 9<>"/dev/tcp/127.0.0.1/$port"
  printf 'GET /slurm/v0.0.42/ping HTTP/1.0\r\nX-SLURM-USER-NAME: root\r\nX-SLURM-USER-TOKEN: %s\r\n\r\n' \
    "$(token)" >&9
  read -r -t 5 line <&9
  exec 9<&-
  [[ $line == *" 200 "* ]]
}

start_one() {
  case $1 in
    munged)
      launch munged munge munged --foreground --num-threads=2
      until_ready 10 test -S /run/munge/munge.socket.2 ;;
    mariadbd)
      launch mariadbd root mariadbd "${mariadb_options[@]}"
      until_ready 20 mariadb -e 'select 1' ;;
    slurmdbd)
      launch slurmdbd slurm slurmdbd -D
      until_ready 20 listens "$(port_of slurmdbd.conf DbdPort)" ;;
    slurmctld)
      launch slurmctld slurm slurmctld -D
      until_ready 20 scontrol ping ;;
    slurmrestd)
      rm -f /run/slipway/rest.sock
      # Without this value it refuses every request; it cannot read the key: slurmctld checks the tokens.
      SLURM_JWT=daemon launch slurmrestd slurmrestd slurmrestd -a rest_auth/jwt unix:/run/slipway/rest.sock \
        "127.0.0.1:$(sed -n 's/REST_PORT=//p' /opt/slipway/env)"
      until_ready 10 test -S /run/slipway/rest.sock
      # Without slurmctld it cannot answer yet, and need not.
      if scontrol ping >/dev/null 2>&1; then until_ready 10 rest_answers; fi ;;
    *) launch "$1" root slurmd -D -N "$1" ;;
  esac
}

start() { for daemon in "$@"; do start_one "$daemon"; done; }

stop() {
  local daemon pid
  for daemon in "$@"; do
    pid=$(cat "$pids/$daemon.pid")
    kill -TERM "$pid" 2>/dev/null || continue
    kill -CONT "$pid" 2>/dev/null || : # it may be paused
    until_ready 20 test ! -d "/proc/$pid" || kill -KILL "$pid"
  done
}

# A process that hangs, as opposed to one that is gone.
pause() { for daemon in "$@"; do kill -STOP "$(cat "$pids/$daemon.pid")"; done; }
resume() { for daemon in "$@"; do kill -CONT "$(cat "$pids/$daemon.pid")"; done; }

prepare_database() {
  rm -rf /var/lib/mysql/*
  chown mysql: /var/lib/mysql
  mariadb-install-db --no-defaults --user=mysql --datadir=/var/lib/mysql --auth-root-authentication-method=socket \
    --skip-test-db --innodb-log-file-size=8M >/var/log/slurm/install-db.log 2>&1
  start mariadbd
  # Before slurmdbd asks for it: it would wait five seconds after a refusal.
  mariadb -e 'create database slurm_acct_db; create user slurm@localhost identified via unix_socket; grant all on slurm_acct_db.* to slurm@localhost'
  stop mariadbd
}

case ${0##*/} in
  daemons.sh)
    action=$1
    shift
    case $action in start | stop | pause | resume) "$action" "$@" ;; *) exit 2 ;; esac ;;
esac
