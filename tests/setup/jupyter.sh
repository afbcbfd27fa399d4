#!/usr/bin/env bash
# A venv with the Jupyter of jupyter.txt. The distribution's Python comes first: a job of another user cannot reach
# one that lives in a private home (pyenv, conda).
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
venv=$SLIPWAY_TOOLS/jupyter

make_venv() {
  local python
  for python in /usr/bin/python3 python3; do
    rm -rf "$venv"
    has $python && $python -c 'import sys; sys.exit(sys.version_info < (3, 10))' && $python -m venv "$venv" && return
  done
  return 1
}

[ -x "$venv/bin/pip" ] || make_venv || { apt_install python3 python3-venv && make_venv; } || fail "Python 3.10 or newer with its venv module is missing: install it"
"$venv/bin/pip" install -q -r "$here/jupyter.txt" || fail "pip install -r $here/jupyter.txt did not work"
