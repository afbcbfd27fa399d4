#!/usr/bin/env bash
# nginx, Apache httpd and HAProxy: tests run them in front of Slipway, and benchmarks compare with nginx. Tests start
# them in the foreground with a configuration of their own; the system services of these packages are neither started
# now nor enabled for the next boot.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
export PATH=$PATH:/usr/sbin
xsendfile=/usr/lib/apache2/modules/mod_xsendfile.so
has nginx && has apache2 && has haproxy && [ -e "$xsendfile" ] && exit

# invoke-rc.d and deb-systemd-invoke ask this program before they start a service: 101 is "no".
policy=/usr/sbin/policy-rc.d
if [ "$(id -u)" = 0 ] && [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
fi
new_services=()
for service in nginx haproxy; do has "$service" || new_services+=("$service"); done
# apache2-bin has the program and its modules, and no service.
apt_install nginx apache2-bin libapache2-mod-xsendfile haproxy ||
  fail "nginx, Apache httpd with mod_xsendfile, or HAProxy is missing: install them"
if [ ${#new_services[@]} -gt 0 ] && [ -d /run/systemd/system ]; then
  systemctl disable --now "${new_services[@]}"
fi
