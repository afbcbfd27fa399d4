#!/usr/bin/env bash
# `make dev`: the demo with a Jupyter in miniature, and trunk in front of it. Ctrl-C ends both.
set -u
target/fast/demo --dev &
demo=$!
trap 'kill -INT "$demo" 2>/dev/null; wait "$demo"' EXIT
trunk --log warn serve --offline --port "$TRUNK_PORT" --proxy-backend "http://127.0.0.1:$PORT/hub/api"
