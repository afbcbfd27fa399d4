#!/usr/bin/env bash
# enter.sh ROOT STATE MODE [LINE-OF-slurm.conf]…: process 1 of a cluster's namespaces (run.sh made them). Lays a fresh layer
# in memory over the installation, so that a cluster starts in a moment and leaves nothing, and goes on as cluster.sh in it.
set -euo pipefail
root=$1 state=$2 mode=$3
shift 3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
read -r pid _ </proc/self/stat # our number on the host, whose /proc is still the one mounted here
echo "$pid" >"$state/pid"

[ "$mode" = prepare ] && mkdir -p "$root/var/lib/mysql"
mount -t tmpfs -o mode=755 slipway "$state/mnt"
mkdir "$state"/mnt/{upper,work,root}
mount -t overlay -o "lowerdir=$root,upperdir=$state/mnt/upper,workdir=$state/mnt/work" slipway "$state/mnt/root"
cd "$state/mnt/root"
mkdir -p opt/slipway/keys run/{slipway,munge,mysqld,slurm} var/log/slurm
rm -rf run/mariadbd
ln -s mysqld run/mariadbd # where newer packages look for the database's socket
[ "$mode" = prepare ] && mount --bind "$root/var/lib/mysql" var/lib/mysql # kept: the base of every later cluster

mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t tmpfs -o mode=755 dev dev
for device in null:3 zero:5 full:7 random:8 urandom:9; do mknod -m 666 "dev/${device%:*}" c 1 "${device#*:}"; done
mknod -m 666 dev/tty c 5 0
for gpu in 0 1 2 3 4 5; do mknod -m 666 "dev/nvidia$gpu" c 1 3; done # /dev/null by another name will do for Slurm
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
chmod 1777 dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mount --bind "$state/run" run/slipway
mount --bind "$state/log" var/log/slurm
mount --bind "$state/keys" opt/slipway/keys

# Six free ports, below the range that outgoing connections take theirs from.
read -r -a ports < <(chroot . python3 -c '
import random, socket
held = []
while len(held) < 6:
    try:
        s = socket.socket(); s.bind(("127.0.0.1", random.randrange(20000, 32000))); held.append(s)
    except OSError: pass
print(*(s.getsockname()[1] for s in held))')
for file in slurm.conf slurmdbd.conf gres.conf cgroup.conf; do
  sed "s/@CTLD@/${ports[0]}/; s/@DBD@/${ports[1]}/; s/@C1@/${ports[2]}/; s/@C2@/${ports[3]}/; s/@G1@/${ports[4]}/" \
    "$here/conf/$file" >"etc/slurm/$file"
done
for line in "$@"; do
  echo "$line" >>etc/slurm/slurm.conf
  # Who sees what is decided in both places.
  case $line in PrivateData=*) echo "$line" >>etc/slurm/slurmdbd.conf ;; esac
done
cp "$here"/{cluster,daemons,accounts}.sh opt/slipway/
hostname slurmctl
printf '127.0.0.1 localhost slurmctl c1 c2 g1\n' >etc/hosts
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 REST_PORT="${ports[5]}" STATE="$state" HOST_PID="$pid" \
  chroot . /bin/bash /opt/slipway/cluster.sh "$mode"
