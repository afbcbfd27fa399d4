#!/usr/bin/env bash
# `make dev`: the demo with a Jupyter in miniature, and trunk in front of it. Ctrl-C ends both.
set -u
config=Trunk.dev.toml # Trunk takes its proxies from a file or from arguments, not from both
sed "s/127\.0\.0\.1:8000/127.0.0.1:$PORT/" Trunk.toml >"$config"
target/fast/demo --dev &
demo=$!
trap 'kill -INT "$demo" 2>/dev/null; wait "$demo"; rm -f "$config"' EXIT
trunk --config "$config" --log warn serve --offline --port "$TRUNK_PORT"
