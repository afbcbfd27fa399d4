#!/usr/bin/env bash
# enter.sh FOLDER SLIPWAY PAGE GROUPS ARGUMENT…: Slipway as its service user, in these more groups, on a machine of its own as
# far as PAM can tell: accounts and services are those of FOLDER/etc. All of it ends with this process.
#
# With SLIPWAY_UNIT, a systemd unit: under what the unit forbids it, by hand. Not covered are the limits of its control group
# (devices, memory, tasks), which only systemd sets, and LimitNOFILE.
set -euo pipefail
[ -n "${SLIPWAY_PRIVATE:-}" ] || SLIPWAY_PRIVATE=1 exec unshare --mount --propagation private bash "$0" "$@"
folder=$1 slipway=$2 page=$3 groups=$4
shift 4
# Read now: there may be no way later to where this repository is.
unit=$(cat "${SLIPWAY_UNIT:-/dev/null}")
seccomp=$(cat "$(dirname "${BASH_SOURCE[0]}")/seccomp.py")
settings() { sed -n "s/^$1=//p" <<<"$unit"; }
unset SLIPWAY_PRIVATE SLIPWAY_UNIT

mount --bind "$slipway" "$folder/slipway"
mount --bind "$page" "$folder/page"
for name in passwd shadow group pam.d; do mount --bind "$folder/etc/$name" "/etc/$name"; done
as=(setpriv --reuid slipway --regid slipway)
if [ -n "$groups" ]; then as+=(--groups "$groups"); else as+=(--clear-groups); fi
[ -n "$unit" ] || exec "${as[@]}" "$folder/slipway" "$@"

# The names of system calls, of which systemd has groups of groups.
expand() {
  local name
  for name; do
    case $name in
      @*) expand $(systemd-analyze syscall-filter "$name" | sed '1d; s/#.*//') ;;
      *) echo "$name" ;;
    esac
  done | sort -u
}
calls=$(comm -23 <(expand @default $(settings SystemCallFilter | grep -v '^~')) \
  <(expand $(settings SystemCallFilter | sed -n 's/^~//p')))

# PrivateTmp=, with the way to FOLDER left open, which stands for StateDirectory=
mount -t tmpfs -o mode=1777 tmpfs "$folder/mnt"
case $folder in
  /tmp/*)
    mkdir -p "$folder/mnt/${folder#/tmp/}"
    mount --rbind "$folder" "$folder/mnt/${folder#/tmp/}"
    ;;
  *) mount --rbind "$folder" "$folder" ;;
esac
mount --rbind "$folder/mnt" /tmp
# PrivateDevices=
mount -t tmpfs -o mode=755 tmpfs "$folder/mnt"
mkdir "$folder/mnt/shm"
for device in null zero full random urandom tty; do
  : >"$folder/mnt/$device"
  mount --bind "/dev/$device" "$folder/mnt/$device"
done
mount --rbind "$folder/mnt" /dev
# ProtectProc=, ProcSubset=
mount -t proc -o hidepid=invisible,subset=pid proc /proc
# ProtectHome=
for home in /home /root /run/user; do [ ! -d $home ] || mount -t tmpfs -o mode=000,ro tmpfs $home; done
# ProtectSystem=strict, and what else is read-only then
findmnt -rno TARGET | grep -vE "^(/dev|/proc|/tmp|$folder)(/|$)" | while read -r mounted; do
  mount -o remount,bind,ro "$mounted"
done

umask "$(settings UMask)"
exec "${as[@]}" --no-new-privs --bounding-set=-all --inh-caps=-all --ambient-caps=-all \
  /usr/bin/python3 -I -c "$seccomp" "$(settings RestrictAddressFamilies)" \
  "$calls" "$folder/slipway" "$@"
