"""A Jupyter Server extension for Slipway's jobs: which transport a kernel uses, and whether it may be debugged.

Kernels use Unix sockets (`--KernelManager.transport=ipc`). The kernels in `tcp_kernels` cannot; they get TCP, encrypted
with CurveZMQ where jupyter_client (8.9) and the kernel support that. Without `debugger`, no front end is told that a
kernel has a debugger, and requests to it are dropped: debuggers listen on TCP without authentication.
"""

import json
from pathlib import Path

import zmq


def _jupyter_server_extension_points():
    return [{"module": __name__}]


def _load_jupyter_server_extension(app):
    settings = json.loads(Path(__file__).with_name("kernels.json").read_text())
    manager = app.kernel_manager
    create = manager.kernel_manager_factory

    def create_kernel_manager(*args, **kwargs):
        kernel = create(*args, **kwargs)
        if kernel.kernel_name.lower() in settings["tcp_kernels"]:
            kernel.transport = "tcp"
        if kernel.transport == "tcp" and kernel.has_trait("transport_encryption") and zmq.has("curve"):
            kernel.transport_encryption = "auto"
        if not settings["debugger"]:
            drop_debug_requests(kernel, app.log)
        return kernel

    manager.kernel_manager_factory = create_kernel_manager
    if not settings["debugger"]:
        hide_debugger(app.kernel_spec_manager)


def drop_debug_requests(kernel, log):
    """The control channels to this kernel pass on everything but `debug_request`."""
    connect = kernel.connect_control

    def connect_control(*args, **kwargs):
        stream = connect(*args, **kwargs)
        send = stream.send_multipart

        def send_multipart(frames, *args, **kwargs):
            if b'"debug_request"' not in header(frames):
                return send(frames, *args, **kwargs)
            log.warning("debug_request dropped: the debugger is off, because it listens on TCP without authentication")

        stream.send_multipart = send_multipart
        return stream

    kernel.connect_control = connect_control


def header(frames):
    """The header of a message: identities, delimiter, signature, header, and more frames."""
    frames = iter(frames)
    for frame in frames:
        if bytes(frame) == b"<IDS|MSG>":
            next(frames, None)
            return bytes(next(frames, b""))
    return b""


def hide_debugger(specs):
    """Front ends offer a debugger where the kernelspec's metadata has one."""
    get_all, get_one = specs.get_all_specs, specs.get_kernel_spec

    def get_all_specs():
        found = get_all()
        for entry in found.values() if isinstance(found, dict) else ():
            entry.get("spec", {}).get("metadata", {}).pop("debugger", None)
        return found

    def get_kernel_spec(*args, **kwargs):
        spec = get_one(*args, **kwargs)
        getattr(spec, "metadata", {}).pop("debugger", None)
        return spec

    specs.get_all_specs, specs.get_kernel_spec = get_all_specs, get_kernel_spec
