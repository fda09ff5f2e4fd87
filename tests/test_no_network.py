"""The tests' walls hold: in this process, in a child, in a notebook's kernel."""

import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from nbval.kernel import CURRENT_ENV_KERNEL_NAME, start_new_kernel

# Addresses that are reserved for documentation (RFC 5737 and 3849): nobody answers there.
OUTSIDE = ["192.0.2.1", "2001:db8::1"]
TRY = """
import socket
try:
    socket.create_connection(("192.0.2.1", 80), timeout=5)
except OSError as error:
    print(error)
"""
REFUSED = "the tests have no network: socket.getaddrinfo to '192.0.2.1'"


@pytest.mark.parametrize("host", OUTSIDE)
def test_a_connection_is_refused_at_the_socket_itself(host):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as client:
        with pytest.raises(OSError, match=f"no network: socket.connect to '{host}'"):
            client.connect((host, 80))
        with pytest.raises(OSError, match="no network"):
            client.connect_ex((host, 80))


def test_datagrams_are_refused():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        with pytest.raises(OSError, match=r"no network: socket.sendto"):
            client.sendto(b"x", ("192.0.2.1", 53))
        with pytest.raises(OSError, match=r"no network: socket.sendmsg"):
            client.sendmsg([b"x"], [], 0, ("192.0.2.1", 53))


@pytest.mark.parametrize("look_up", [socket.gethostbyname, socket.gethostbyname_ex])
def test_no_name_is_looked_up(look_up):
    with pytest.raises(OSError, match=r"no network: socket.gethostbyname to 'example.org'"):
        look_up("example.org")


@pytest.mark.parametrize("url", ["http://192.0.2.1/", "https://example.org/"])
def test_an_address_of_the_web_is_refused(url):
    through_proxy = urllib.request.build_opener()
    with pytest.raises(urllib.error.URLError, match="refused"):  # by a port where nobody listens
        through_proxy.open(url, timeout=5)
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with pytest.raises(urllib.error.URLError, match="the tests have no network"):
        direct.open(url, timeout=5)


def test_loopback_is_open():
    with socket.create_server(("127.0.0.1", 0)) as server:
        for host in ("127.0.0.1", "localhost"):
            with socket.create_connection((host, server.getsockname()[1]), timeout=5) as client:
                assert client.getpeername()[0] == "127.0.0.1"


def test_a_child_process_is_bound_as_well(tmp_path):
    child = subprocess.run(
        [sys.executable, "-c", TRY], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert REFUSED in child.stdout


def test_a_kernel_is_bound_as_well(tmp_path):
    # nbval's own function and kernel, with which it runs the chapters.
    manager, client = start_new_kernel(kernel_name=CURRENT_ENV_KERNEL_NAME, cwd=str(tmp_path))
    printed = []
    try:
        client.execute_interactive(
            TRY, timeout=60, output_hook=lambda message: printed.append(message["content"])
        )
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert any(REFUSED in content.get("text", "") for content in printed), printed
