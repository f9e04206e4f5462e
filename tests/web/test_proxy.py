"""The page behind a proxy that says nothing about itself, as `proxy_pass` alone makes one."""

from __future__ import annotations

import re
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.browser import result, sync_api, upload, visiting
from tests.helpers import random_picture


class Forwarder(socketserver.BaseRequestHandler):
    """Passes a request on with the page's own address as its Host, and the answer back."""

    target: tuple[str, int]
    prefix: str

    def handle(self) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            part = self.request.recv(65536)
            if not part:
                return
            head += part
        head, _, body = head.partition(b"\r\n\r\n")
        request, *headers = head.decode("latin-1").split("\r\n")
        method, path, version = request.split(" ")
        assert path.startswith(self.prefix), path
        headers = [line for line in headers if not re.match(r"(?i)(host|connection):", line)]
        host = f"Host: {self.target[0]}:{self.target[1]}"
        first = f"{method} {path.removeprefix(self.prefix) or '/'} {version}"
        lines = [first, host, "Connection: close", *headers, "", ""]
        with socket.create_connection(self.target) as page:
            page.sendall("\r\n".join(lines).encode("latin-1") + body)
            threading.Thread(target=pass_on, args=(self.request, page), daemon=True).start()
            pass_on(page, self.request)


def pass_on(source: socket.socket, sink: socket.socket) -> None:
    try:
        while part := source.recv(65536):
            sink.sendall(part)
    except OSError:  # one of them has gone
        pass


@contextmanager
def proxy(url: str, prefix: str = "") -> Iterator[str]:
    """The address of a proxy before a page."""
    address = urlsplit(url)
    handler = type("", (Forwarder,), {"target": (address.hostname, address.port), "prefix": prefix})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}{prefix}/"
        server.shutdown()


def test_pictures_come_from_where_the_page_came_from(
    browser: sync_api.Browser, url: str, tmp_path: Path
) -> None:
    random_picture(90, 70).save(tmp_path / "photo.png")
    with proxy(url) as address, visiting(browser, address) as page:
        upload(page, tmp_path / "photo.png")
        assert result(page, "v3").size == (90, 70)
        link = page.get_by_role("link", name="Download v3 as PNG")
        assert link.evaluate("link => link.href").startswith(address)
