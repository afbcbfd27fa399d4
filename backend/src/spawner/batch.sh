#!/bin/bash
# Slipway's batch script: the same for everybody. What differs comes in variables that start with
# SLIPWAY_, set by Slipway; nothing that a person typed is ever part of this text.
umask=$(umask)
umask 077

fail() { # CODE WORDS… : Slipway turns the code into the sentence that the person reads
  echo "slipway: ${*:2}" >&2
  exit "$1"
}

# The files of mutual TLS, in a folder that nobody else can enter and that ends with the job.
folder=$(mktemp -d "${SLURM_TMPDIR:-${TMPDIR:-/tmp}}/slipway-XXXXXXXX") || fail 85 "no temporary folder"
trap 'rm -rf "$folder"' EXIT
printf '%s' "$SLIPWAY_SERVER_KEY" >"$folder/server.key"
printf '%s' "$SLIPWAY_SERVER_CERTIFICATE" >"$folder/server.crt"
printf '%s' "$SLIPWAY_CLIENT_CERTIFICATE" >"$folder/client.crt"

# Kernels, terminals and jobs that are started from them inherit the environment: nothing secret stays.
setup=$SLIPWAY_SETUP jupyter=$SLIPWAY_JUPYTER base=$SLIPWAY_BASE hub=$SLIPWAY_HUB bind=$SLIPWAY_BIND
arguments=()
while IFS= read -r line; do [[ $line ]] && arguments+=("$line"); done <<<"$SLIPWAY_ARGUMENTS"
first=$SLIPWAY_FIRST_PORT last=$SLIPWAY_LAST_PORT comment=$SLIPWAY_COMMENT scontrol=$(command -v scontrol)
unset "${!SLIPWAY_@}"

# The site's set-up lines.
eval "$setup" || fail 81 "the site's set-up lines ended with $?"
command -v "$jupyter" >/dev/null || fail 82 "there is no $jupyter on $HOSTNAME"

# A port that nobody listens on; by the job's number, so that jobs that start together on a node choose others,
# and a job that is started anew does not wait for its own port to be free.
# Whoever takes it meanwhile only stops this server: without the key nobody can answer for it, and without
# Slipway's certificate nobody can talk to it.
for ((try = 0, port = 0; port == 0 && try < 200; try++)); do
  port=$((first + (SLURM_JOB_ID + 31 * ${SLURM_RESTART_COUNT:-0} + try * 7919) % (last - first + 1)))
  (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && port=0
done
((port)) || fail 83 "no free port from $first to $last on $HOSTNAME"

# The port goes into this job's own comment: Slurm carries it to Slipway.
told="${comment%\}},\"port\":$port,\"start\":${SLURM_RESTART_COUNT:-0}}"
for try in 1 2 3 4 5; do
  "${scontrol:-scontrol}" update JobId="$SLURM_JOB_ID" Comment="$told" && break
  ((try < 5)) || fail 84 "the port could not be told through scontrol"
  read -rt "$try" < <(:) || true
done

umask "$umask"
# Only paths on the command line, where they win over the person's own Jupyter configuration.
"$jupyter" lab "${arguments[@]}" --no-browser --ip="$bind" --port="$port" --ServerApp.port_retries=0 \
  --ServerApp.base_url="$base/user/$USER/" --ServerApp.root_dir="$HOME" --ServerApp.allow_remote_access=True \
  --ServerApp.trust_xheaders=True --IdentityProvider.token= --ServerApp.password= \
  --ServerApp.certfile="$folder/server.crt" --ServerApp.keyfile="$folder/server.key" \
  --ServerApp.client_ca="$folder/client.crt" \
  --ServerApp.tornado_settings="{'hub_prefix':'$base/hub/','hub_host':'$hub','user':'$USER'}" &
# In the background, so that this shell can pass on the signal that ends the job, and then tidy up.
server=$!
trap 'kill -TERM "$server" 2>/dev/null' TERM INT
until wait "$server"; code=$?; ! kill -0 "$server" 2>/dev/null; do :; done
exit "$code"
