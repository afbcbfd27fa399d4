#!/usr/bin/env bash
# cluster.sh run|prepare: inside the cluster's root, as process 1. Makes its keys, starts its daemons, says so, and waits.
set -euo pipefail
# shellcheck source=daemons.sh
. /opt/slipway/daemons.sh
cd /etc/slurm

umask 077
head -c 128 /dev/urandom >/etc/munge/munge.key
keys=/opt/slipway/keys # on the host: STATE-DIR/keys
openssl rand -hex 32 | tr -d '\n' >$keys/jwt_hs256.key
cp $keys/jwt_hs256.key .
# Slurm takes both: tokens signed with its own key (HS256), and with a private key that only Slipway has (RS256).
openssl genrsa -out $keys/rs256.pem 2048 2>/dev/null
python3 - "$(openssl rsa -in $keys/rs256.pem -noout -modulus)" >jwks.json <<'EOF'
import base64, json, sys
b64 = lambda b: base64.urlsafe_b64encode(b).rstrip(b"=").decode()
n = b64(bytes.fromhex(sys.argv[1].split("=")[1]))
print(json.dumps({"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "slipway", "n": n, "e": "AQAB"}]}))
EOF
umask 022
echo "REST_PORT=$REST_PORT" >/opt/slipway/env
chmod 644 jwks.json
chown -R slurm: jwt_hs256.key jwks.json slurmdbd.conf
chmod 600 slurmdbd.conf
chown -R munge: /etc/munge /run/munge
chown mysql: /run/mysqld
chown slurmrestd: /run/slipway
install -d -o slurm -g slurm /var/lib/slurm/ctld /run/slurm
install -d /var/lib/slurm/spool

start munged
if [ "$1" = prepare ]; then
  prepare_database
  start mariadbd slurmdbd
  # shellcheck source=accounts.sh
  . /opt/slipway/accounts.sh
  start slurmctld # writes into the database what it counts (TRES)
  stop slurmctld slurmdbd mariadbd
  touch /var/lib/mysql/prepared
  exit
fi
start mariadbd slurmdbd slurmctld c1 c2 c3 r1 g1
scontrol create reservation ReservationName=course Accounts=rrg-prof_cpu Nodes=r1 StartTime=now Duration=UNLIMITED >/dev/null
start slurmrestd
until_ready 20 nodes_idle

# Through the root of this process the host sees the cluster's files.
files=/proc/$HOST_PID/root
release=$(slurmctld -V | cut -d ' ' -f 2)
printf '{"release":"%s","cluster":"testbed","url":"http://127.0.0.1:%s","socket":"%s","jwt_key":"%s","rs256_key":"%s","rs256_kid":"slipway","jupyter":"/opt/jupyter/bin/jupyter","root":"%s","pid":%s}\n' \
  "$release" "$REST_PORT" "$STATE/run/rest.sock" "$STATE/keys/jwt_hs256.key" "$STATE/keys/rs256.pem" "$files" "$HOST_PID"
exec >/dev/null
while :; do sleep infinity & wait; done # bash also collects the orphans, as process 1 must
