#!/bin/bash
# Slipway's batch script: the same for everybody. What differs comes in variables that start with
# SLIPWAY_, set by Slipway; nothing that a person typed is ever part of this text.
umask=$(umask)
umask 077

fail() { # CODE WORDS… : Slipway turns the code into the sentence that the person reads
  echo "slipway: ${*:2}" >&2
  exit "$1"
}

# First stage. Slurm starts this script with Slipway's variables, and /proc/PID/environ shows what a process was started with
# for as long as it runs. The variables move into files of a private folder, and the script starts itself anew in the same
# process without them.
if [[ ${SLIPWAY_SERVER_KEY+set} ]]; then
  # A folder that nobody else can enter and that ends with the job.
  folder=$(mktemp -d "${SLURM_TMPDIR:-${TMPDIR:-/tmp}}/slipway-XXXXXXXX") || fail 85 "no temporary folder"
  trap 'rm -rf "$folder"' EXIT # not run by exec
  {
    printf '%s' "$SLIPWAY_SERVER_KEY" >"$folder/server.key" &&
      printf '%s' "$SLIPWAY_SERVER_CERTIFICATE" >"$folder/server.crt" &&
      printf '%s' "$SLIPWAY_CLIENT_CERTIFICATE" >"$folder/client.crt"
  } || fail 85 "cannot write to $folder"
  unset SLIPWAY_SERVER_KEY SLIPWAY_SERVER_CERTIFICATE SLIPWAY_CLIENT_CERTIFICATE
  for name in "${!SLIPWAY_@}"; do printf '%s=%q\n' "$name" "${!name}"; done >"$folder/variables" || fail 85 "cannot write to $folder"
  unset "${!SLIPWAY_@}"
  umask "$umask"
  exec "$BASH" "$0" "$folder"
fi

# Second stage. The variables are read as shell variables, so that kernels, terminals and jobs that are submitted from them
# do not inherit them.
folder=$1 sockets=''
tidy() { rm -rf "$folder" ${sockets:+"$sockets"}; }
trap tidy EXIT
. "$folder/variables" || fail 85 "cannot read $folder/variables"

# Jupyter writes to the home before it says anything. That a quota is used up shows only when something is written.
[[ -d $HOME && -w $HOME && -x $HOME ]] || fail 87 "$HOME is not there, or $USER may not write to it"
probe="$HOME/.slipway-$SLURM_JOB_ID"
printf '%4096s' >"$probe" || { rm -f "$probe"; fail 88 "nothing can be written to $HOME"; }
rm -f "$probe"

# Connection files and sockets of kernels. The path of a Unix socket has at most 107 bytes (here: ASCII characters).
longest="$SLIPWAY_RUNTIME_DIR/sw-XXXXXXXX/kernel-00000000-0000-0000-0000-000000000000-ipc-99"
((${#longest} <= 107)) || fail 89 "paths of sockets in $SLIPWAY_RUNTIME_DIR would be longer than 107 bytes: $longest"
sockets=$(mktemp -d "$SLIPWAY_RUNTIME_DIR/sw-XXXXXXXX") || fail 85 "cannot make a folder in $SLIPWAY_RUNTIME_DIR"

# A running job holds a lock on a file that names its other folder. Jobs that were killed left theirs unlocked: remove both.
if command -v flock >/dev/null; then
  exec 9>"$sockets/unlocked" && printf '%s' "$folder" >&9 && flock 9 && mv "$sockets/unlocked" "$sockets/slipway.lock"
  for stale in "$SLIPWAY_RUNTIME_DIR"/sw-????????; do
    [[ -O $stale && ! -L $stale && -f $stale/slipway.lock ]] &&
      flock -n "$stale/slipway.lock" rm -rf "$(<"$stale/slipway.lock")" "$stale"
  done
fi

defaults="$folder/defaults" lab="$folder/lab/slipway"
mkdir -p "$lab/static" "$defaults"/{labconfig,jupyter_server_config.d} "$folder/python" || fail 85 "cannot write to $folder"

# JupyterLab says when the time is nearly over, by an extension that is there for this job alone.
printf 'const ends = %d, language = "%s";\n%s' "${SLURM_JOB_END_TIME:-0}" "$SLIPWAY_LANGUAGE" "$SLIPWAY_LAB" >"$lab/static/remoteEntry.js"
printf '{"name":"slipway","version":"1.0.0","jupyterlab":{"extension":true,"_build":%s}}' \
  '{"load":"static/remoteEntry.js","extension":"./extension"}' >"$lab/package.json"

# An extension of Jupyter Server chooses each kernel's transport and turns the debugger off. What is configured here is
# added to what the person and the site have configured for Jupyter, and goes after it.
printf '%s' "$SLIPWAY_EXTENSION" >"$folder/python/slipway_extension.py"
printf '%s' "$SLIPWAY_KERNELS" >"$folder/python/kernels.json"
printf 'import sys\nsys.path.append("%s")\n' "$folder/python" >"$defaults/jupyter_config.py"
printf '{"ServerApp":{"jpserver_extensions":{"slipway_extension":true}}}' >"$defaults/jupyter_server_config.d/slipway.json"

setup=$SLIPWAY_SETUP language=$SLIPWAY_LANGUAGE jupyter=$SLIPWAY_JUPYTER base=$SLIPWAY_BASE hub=$SLIPWAY_HUB bind=$SLIPWAY_BIND
arguments=()
while IFS= read -r line; do [[ $line ]] && arguments+=("$line"); done <<<"$SLIPWAY_ARGUMENTS"
fresh=$SLIPWAY_FRESH first=$SLIPWAY_FIRST_PORT last=$SLIPWAY_LAST_PORT comment=$SLIPWAY_COMMENT scontrol=$(command -v scontrol)
unset "${!SLIPWAY_@}"

# The site's set-up lines. What they complain about is kept for a moment: a module that is missing is told apart, in
# the words of Lmod and of Environment Modules, also where the lines after it go on.
complaints="$folder/complaints" # Should they exit, that is a failure of theirs, and not of Jupyter.
trap 'cat "$complaints" >&2; tidy; exit 81' EXIT
eval "$setup" 2>"$complaints" 9>&-
code=$? module=0
grep -qE 'module\(s\) (are|is) unknown|cannot be loaded as requested|Unable to locate a modulefile' "$complaints" && module=1
trap tidy EXIT
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
  printf '{"@jupyterlab/translation-extension:plugin":{"locale":"%s"}}' "$language" \
    >"$defaults/labconfig/default_setting_overrides.json"
fi
export JUPYTER_CONFIG_PATH="${JUPYTER_CONFIG_PATH:+$JUPYTER_CONFIG_PATH:}$defaults" JUPYTER_RUNTIME_DIR="$sockets"

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
  --ServerApp.client_ca="$folder/client.crt" --KernelManager.transport=ipc \
  --LabApp.extra_labextensions_path="$folder/lab" --JupyterNotebookApp.extra_labextensions_path="$folder/lab" \
  --ServerApp.tornado_settings="{'hub_prefix':'$base/hub/','hub_host':'$hub','user':'$USER'}" 9>&- &
# In the background, so that this shell can pass on the signal that ends the job, and then tidy up.
server=$!
trap 'kill -TERM "$server" 2>/dev/null' TERM INT
until wait "$server"; code=$?; ! kill -0 "$server" 2>/dev/null; do :; done
exit "$code"
