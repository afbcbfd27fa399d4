#!/usr/bin/env bash
# A C++ compiler: libFuzzer is C++.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
has c++ || apt_install g++ || fail "a C++ compiler is missing: install Xcode's command line tools or g++"
