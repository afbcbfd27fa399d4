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

# A line takes the place of the one that sets the same.
set_line() {
  local key=${2%%=*}=
  case $2 in NodeName=* | PartitionName=*) key="${2%% *} " ;; esac
  sed -i "/^$key/d" "etc/slurm/$1"
  echo "$2" >>"etc/slurm/$1"
}
cp "$here"/conf/* etc/slurm/
for line in "$@"; do
  set_line slurm.conf "$line"
  # Who sees what, and whose tokens count, is decided in both places.
  case $line in PrivateData=* | AuthAltParameters=*) set_line slurmdbd.conf "$line" ;; esac
done
# Free ports, below the range that outgoing connections take theirs from; a block for each cluster, by its process, as
# clusters that start together would both find the same port free.
chroot . python3 - "$pid" CTLD DBD REST C1 C2 C3 R1 G1 <<'EOF' >opt/slipway/ports.sed
import socket, sys
names = sys.argv[2:]
def free(first):
    held = [socket.socket() for _ in names]
    try:
        for port, s in enumerate(held, first): s.bind(("127.0.0.1", port))
    except OSError: return False
    return True
blocks = (20000 + (int(sys.argv[1]) + n) % 1500 * len(names) for n in range(1500))
for port, name in enumerate(names, next(filter(free, blocks))): print(f"s/@{name}@/{port}/")
EOF
# Where tests cut c1 and c2 off the network (Variant::NodeAddress), they have an address that is only theirs.
address=127.0.0.1
case $* in *@ADDRESS@*) address=127.$((pid >> 15 & 63 | 64)).$((pid >> 7 & 255)).$((pid & 127 | 128)) ;; esac
echo "s/@ADDRESS@/$address/" >>opt/slipway/ports.sed
sed -i -f opt/slipway/ports.sed etc/slurm/*.conf
rest_port=$(echo @REST@ | sed -f opt/slipway/ports.sed)
cp "$here"/{cluster,daemons,accounts}.sh opt/slipway/
hostname slurmctl
printf '127.0.0.1 localhost slurmctl c1 c2 c3 r1 g1\n' >etc/hosts
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 REST_PORT="$rest_port" STATE="$state" HOST_PID="$pid" \
  chroot . /bin/bash /opt/slipway/cluster.sh "$mode"
