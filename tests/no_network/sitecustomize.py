"""Refuses every connection that would leave this machine.

Python imports a module of this name when it starts, if its folder is on PYTHONPATH:
tests/conftest.py puts it there, so that the notebooks' kernels and all other child
processes are bound as well. It uses an audit hook, which sees the connection itself, however
a library came by its socket, and which nothing can take out again.
"""

import errno
import ipaddress
import socket
import sys

# Where in an event's arguments the host or the address stands.
PLACES = {
    "socket.connect": 1,
    "socket.sendto": 1,
    "socket.sendmsg": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
    "socket.gethostbyaddr": 0,
}
HERE = {"", "localhost", socket.gethostname().lower()}


def is_here(host):
    """Whether a host is this machine; what cannot be read as a host is not."""
    if host is None:
        return True
    name = host.decode("ascii", "replace") if isinstance(host, bytes | bytearray) else str(host)
    try:
        return ipaddress.ip_address(name.partition("%")[0]).is_loopback
    except ValueError:
        return name.lower() in HERE


def refuse(event, arguments):
    """The audit hook: an OSError, as a machine without a network gives."""
    if event not in PLACES:
        return
    address = arguments[PLACES[event]]
    # A tuple is a host and a port; text a file (a Unix socket), if it is not a name to look up.
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        if not isinstance(address, tuple):
            return
        address = address[0]
    if not is_here(address):
        raise OSError(errno.ENETUNREACH, f"the tests have no network: {event} to {address!r}")


sys.addaudithook(refuse)
