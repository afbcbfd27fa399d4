"""seccomp.py FAMILIES CALLS PROGRAM ARGUMENT…: the program with no other address families and system calls than these, under
systemd's RestrictAddressFamilies=, RestrictNamespaces=, MemoryDenyWriteExecute=, SystemCallFilter= and
SystemCallArchitectures=native, as its src/shared/seccomp-util.c has them."""

import errno
import mmap
import os
import socket
import sys

import seccomp
from seccomp import ALLOW, EQ, ERRNO, GE, MASKED_EQ, Arg, SyscallFilter

families, calls, program = sys.argv[1].split(), sys.argv[2].split(), sys.argv[3:]

restricted = SyscallFilter(defaction=ALLOW)
known = {getattr(socket, family) for family in families}
for family in set(range(46)) - known:
    restricted.add_rule(ERRNO(errno.EAFNOSUPPORT), "socket", Arg(0, EQ, family))
restricted.add_rule(ERRNO(errno.EAFNOSUPPORT), "socket", Arg(0, GE, 46))

for namespace in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
    for call in ("unshare", "clone"):
        restricted.add_rule(ERRNO(errno.EPERM), call, Arg(0, MASKED_EQ, namespace, namespace))
restricted.add_rule(ERRNO(errno.EPERM), "setns")
restricted.add_rule(ERRNO(errno.ENOSYS), "clone3")

both = mmap.PROT_WRITE | mmap.PROT_EXEC
restricted.add_rule(ERRNO(errno.EPERM), "mmap", Arg(2, MASKED_EQ, both, both))
for call in ("mprotect", "pkey_mprotect"):
    restricted.add_rule(ERRNO(errno.EPERM), call, Arg(2, MASKED_EQ, mmap.PROT_EXEC, mmap.PROT_EXEC))
restricted.load()

allowed = SyscallFilter(defaction=ERRNO(errno.EPERM))
for call in calls:
    # systemd knows those of all architectures.
    if seccomp.resolve_syscall(seccomp.Arch(), call) >= 0:
        allowed.add_rule(ALLOW, call)
allowed.load()
os.execv(program[0], program)
