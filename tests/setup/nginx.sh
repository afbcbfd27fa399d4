#!/usr/bin/env bash
# nginx, which the benchmarks start themselves.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
export PATH=$PATH:/usr/sbin
has nginx || apt_install nginx || fail "nginx is missing: install it"
