#!/usr/bin/env bash
# A venv with the JupyterHub that benchmarks compare with.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
venv=$SLIPWAY_TOOLS/jupyterhub
"$SLIPWAY_TOOLS/jupyter/bin/python" -m venv --clear "$venv" || fail "making $venv did not work"
"$venv/bin/pip" install -q "jupyterhub==$1" || fail "pip install jupyterhub==$1 did not work"
