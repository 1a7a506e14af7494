"""The listening socket: systemd's, when it passes one, or an own one; and word to systemd."""

from __future__ import annotations

import os
import socket
from collections.abc import MutableMapping

from mnist_api.settings import Address, SettingsError

FIRST_PASSED = 3
"""File descriptor of the first socket that systemd passes (sd_listen_fds(3))."""
BACKLOG = 1024


def passed_socket(environ: MutableMapping[str, str]) -> socket.socket | None:
    """Take over the socket that systemd passed to this process, if it passed one.

    Clears the variables, so that no child takes the socket for its own. Raises SettingsError for
    anything but one listening TCP socket.
    """
    count = environ.pop("LISTEN_FDS", "")
    pid = environ.pop("LISTEN_PID", "")
    environ.pop("LISTEN_FDNAMES", None)
    if not count or pid != str(os.getpid()):
        return None
    if count != "1":
        raise SettingsError(f"systemd passed {count} sockets; name one in the service's Sockets=.")
    os.set_inheritable(FIRST_PASSED, False)
    try:
        listener = socket.socket(fileno=FIRST_PASSED)
        listening = listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise SettingsError(
            f"LISTEN_FDS is set, but file descriptor 3 is no socket: {error}."
        ) from error
    if listener.family not in (socket.AF_INET, socket.AF_INET6) or not listening:
        raise SettingsError(
            "The socket that systemd passed does not listen for TCP connections; "
            "write ListenStream=ADDRESS:PORT into the socket unit."
        )
    return listener


def own_socket(address: Address) -> socket.socket:
    """Listen at an address. Raises SettingsError when that is not possible."""
    try:
        family, _, _, _, name = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(name)
            listener.listen(BACKLOG)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise SettingsError(
            f"Cannot listen at {address}: {error.strerror}; "
            "stop what listens there, or set MNIST_API_LISTEN to another address."
        ) from error
    return listener


def tell_systemd(state: str, environ: MutableMapping[str, str]) -> None:
    """Send a state such as READY=1 to the service manager, if there is one (sd_notify(3))."""
    name = environ.get("NOTIFY_SOCKET")
    if not name:
        return
    # A leading @ stands for the zero byte of an abstract socket's name.
    address = f"\0{name[1:]}" if name.startswith("@") else name
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.sendto(state.encode(), address)
