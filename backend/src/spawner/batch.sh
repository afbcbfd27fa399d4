#!/bin/bash
# Slipway's batch script: the same for everybody. What differs comes in variables that start with
# SLIPWAY_, set by Slipway; nothing that a person typed is ever part of this text.
umask=$(umask)
umask 077

fail() { # CODE WORDS… : Slipway turns the code into the sentence that the person reads
  echo "slipway: ${*:2}" >&2
  exit "$1"
}

# Jupyter writes to the home before it says anything. That a quota is used up shows only when something is written.
[[ -d $HOME && -w $HOME && -x $HOME ]] || fail 87 "$HOME is not there, or $USER may not write to it"
probe="$HOME/.slipway-$SLURM_JOB_ID"
printf '%4096s' >"$probe" || { rm -f "$probe"; fail 88 "nothing can be written to $HOME"; }
rm -f "$probe"

# The files of mutual TLS, in a folder that nobody else can enter and that ends with the job.
folder=$(mktemp -d "${SLURM_TMPDIR:-${TMPDIR:-/tmp}}/slipway-XXXXXXXX") || fail 85 "no temporary folder"
trap 'rm -rf "$folder"' EXIT
printf '%s' "$SLIPWAY_SERVER_KEY" >"$folder/server.key"
printf '%s' "$SLIPWAY_SERVER_CERTIFICATE" >"$folder/server.crt"
printf '%s' "$SLIPWAY_CLIENT_CERTIFICATE" >"$folder/client.crt"

# JupyterLab says when the time is nearly over, by an extension that is there for this job alone.
lab="$folder/lab/slipway"
mkdir -p "$lab/static"
printf 'const ends = %d, language = "%s";\n%s' "${SLURM_JOB_END_TIME:-0}" "$SLIPWAY_LANGUAGE" "$SLIPWAY_LAB" >"$lab/static/remoteEntry.js"
printf '{"name":"slipway","version":"1.0.0","jupyterlab":{"extension":true,"_build":%s}}' \
  '{"load":"static/remoteEntry.js","extension":"./extension"}' >"$lab/package.json"

# Kernels, terminals and jobs that are started from them inherit the environment: nothing secret stays.
setup=$SLIPWAY_SETUP language=$SLIPWAY_LANGUAGE jupyter=$SLIPWAY_JUPYTER base=$SLIPWAY_BASE hub=$SLIPWAY_HUB bind=$SLIPWAY_BIND
arguments=()
while IFS= read -r line; do [[ $line ]] && arguments+=("$line"); done <<<"$SLIPWAY_ARGUMENTS"
fresh=$SLIPWAY_FRESH first=$SLIPWAY_FIRST_PORT last=$SLIPWAY_LAST_PORT comment=$SLIPWAY_COMMENT scontrol=$(command -v scontrol)
unset "${!SLIPWAY_@}"

# The site's set-up lines. What they complain about is kept for a moment: a module that is missing is told apart, in
# the words of Lmod and of Environment Modules, also where the lines after it go on.
complaints="$folder/complaints" # Should they exit, that is a failure of theirs, and not of Jupyter.
trap 'cat "$complaints" >&2; rm -rf "$folder"; exit 81' EXIT
eval "$setup" 2>"$complaints"
code=$? module=0
grep -qE 'module\(s\) (are|is) unknown|cannot be loaded as requested|Unable to locate a modulefile' "$complaints" && module=1
trap 'rm -rf "$folder"' EXIT
cat "$complaints" >&2
((code == 0)) || fail $((module ? 86 : 81)) "the site's set-up lines ended with $code"
command -v "$jupyter" >/dev/null || fail $((module ? 86 : 82)) "there is no $jupyter on $HOSTNAME"

# Without the person's own settings, once: what is broken there stays as it is, and cannot keep Jupyter from starting.
if [[ $fresh ]]; then
  export JUPYTER_CONFIG_DIR="$folder/config" JUPYTER_DATA_DIR="$folder/data" IPYTHONDIR="$folder/ipython"
  export JUPYTERLAB_SETTINGS_DIR="$folder/settings" JUPYTERLAB_WORKSPACES_DIR="$folder/workspaces" PYTHONNOUSERSITE=1
fi

# In the page's language, where Jupyter has its pack; what the person or the site has chosen for Jupyter goes before it.
if [[ $language ]]; then
  mkdir -p "$folder/defaults/labconfig"
  printf '{"@jupyterlab/translation-extension:plugin":{"locale":"%s"}}' "$language" \
    >"$folder/defaults/labconfig/default_setting_overrides.json"
  export JUPYTER_CONFIG_PATH="${JUPYTER_CONFIG_PATH:+$JUPYTER_CONFIG_PATH:}$folder/defaults"
fi

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
  --LabApp.extra_labextensions_path="$folder/lab" --JupyterNotebookApp.extra_labextensions_path="$folder/lab" \
  --ServerApp.tornado_settings="{'hub_prefix':'$base/hub/','hub_host':'$hub','user':'$USER'}" &
# In the background, so that this shell can pass on the signal that ends the job, and then tidy up.
server=$!
trap 'kill -TERM "$server" 2>/dev/null' TERM INT
until wait "$server"; code=$?; ! kill -0 "$server" 2>/dev/null; do :; done
exit "$code"
