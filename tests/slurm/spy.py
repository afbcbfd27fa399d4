"""What another user of a node can read of a person's processes. Needs pyzmq.

spy.py sockets UID         as root: the sockets on which processes of this user listen, as JSON
spy.py listen FILE STOP    as another user: everything that those sockets tell whoever connects, until the file STOP is there
spy.py files               as another user: everything that can be read below /proc and in folders for all users
"""

import json
import os
import socket
import stat
import sys
import time

LISTENING = {"tcp": "0A", "tcp6": "0A", "udp": "07", "udp6": "07"}
FOLDERS = ["/tmp", "/var/tmp", "/dev/shm", "/run", "/home", "/var/spool", "/var/lib/slurm"]


def sockets(uid):
    """By the inodes in /proc/PID/fd, so that sockets of other clusters on this machine are left alone."""
    inodes = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.stat(f"/proc/{pid}").st_uid == uid:
                links = (os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd"))
                inodes |= {link[8:-1] for link in links if link.startswith("socket:[")}
        except OSError:
            pass  # it has ended
    found = {"tcp": [], "udp": [], "unix": []}
    for kind, state in LISTENING.items():
        for line in open(f"/proc/net/{kind}").readlines()[1:]:
            fields = line.split()
            if fields[9] in inodes and fields[3] == state:
                found[kind[:3]].append(int(fields[1].split(":")[1], 16))
    for line in open("/proc/net/unix").readlines()[1:]:
        fields = line.split()
        if fields[6] in inodes and len(fields) > 7:
            found["unix"].append(fields[7])
    return {kind: sorted(set(names)) for kind, names in found.items()}


def tell(source, data):
    sys.stdout.buffer.write(b"\n== %s\n%s" % (source.encode(), data))
    sys.stdout.flush()


def converse(source, family, address):
    """What a socket says by itself, and to a request."""
    for request in (b"", b"GET / HTTP/1.0\r\n\r\n"):
        with socket.socket(family, socket.SOCK_STREAM) as connection:
            connection.settimeout(0.3)
            try:
                connection.connect(address)
                connection.sendall(request)
                while data := connection.recv(65536):
                    tell(source, data)
            except OSError as error:
                tell(source, repr(error).encode())


def listen(targets, stop):
    import zmq

    context = zmq.Context()
    poller = zmq.Poller()
    names = {}

    def subscribe(address):
        subscriber = context.socket(zmq.SUB)
        subscriber.setsockopt(zmq.SUBSCRIBE, b"")
        subscriber.connect(address)
        poller.register(subscriber, zmq.POLLIN)
        names[subscriber] = address

    for port in targets["tcp"]:
        subscribe(f"tcp://127.0.0.1:{port}")
    for path in targets["unix"]:
        subscribe(f"ipc://{path}")
    for port in targets["tcp"]:
        converse(f"tcp {port}", socket.AF_INET, ("127.0.0.1", port))
    for path in targets["unix"]:
        address = path.encode()
        converse(f"unix {path}", socket.AF_UNIX, b"\0" + address[1:] if path.startswith("@") else address)
    tell("LISTENING", b"")
    while not os.path.exists(stop):
        for subscriber, _ in poller.poll(100):
            for frame in subscriber.recv_multipart():
                tell(names[subscriber], frame)
    tell("STOPPED", b"")


def read(path):
    try:
        if stat.S_ISREG(os.stat(path).st_mode):
            with open(path, "rb") as file:
                tell(path, file.read(1 << 20))
    except OSError:
        pass


def files():
    me = os.getuid()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        process = f"/proc/{pid}"
        try:
            if os.stat(process).st_uid == me:
                continue
            for name in ("cmdline", "comm", "status", "environ", "maps", "io", "stack", "mem", "auxv"):
                read(f"{process}/{name}")
            for name in ("cwd", "exe", "root", "fd", "map_files"):
                for path in [f"{process}/{name}", *entries(f"{process}/{name}")]:
                    try:
                        tell(path, os.readlink(path).encode())
                    except OSError:
                        pass
                    read(path)
        except OSError:
            pass  # it has ended
    for folder in FOLDERS:
        for parent, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(parent, name)
                if os.lstat(path).st_uid != me:
                    read(path)


def entries(folder):
    try:
        return [os.path.join(folder, name) for name in os.listdir(folder)]
    except OSError:
        return []


if sys.argv[1] == "sockets":
    print(json.dumps(sockets(int(sys.argv[2]))))
elif sys.argv[1] == "listen":
    listen(json.load(open(sys.argv[2])), sys.argv[3])
else:
    files()
