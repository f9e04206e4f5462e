"""The machine that the page finds itself on: address, proxies, temporary folder.

Gradio reads some of the environment while it is imported, and fails there with a traceback; so
this is called before.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import NamedTuple

from nst.web.server.temporary_files import folder_for_visitors

Environment = MutableMapping[str, str]


class SurroundingsError(ValueError):
    """Something here does not let the page start; the message says what in a sentence."""


class Address(NamedTuple):
    """Where the page is to be found; None: where Gradio likes it."""

    name: str | None = None
    port: int | None = None


def prepare() -> tuple[Address, Path]:
    """Make the environment one that Gradio can start in, or end the program with a sentence.

    Returns:
        Where to listen, and the folder for visitors' files.
    """
    ask_nobody(os.environ)
    try:
        address = take_address(os.environ)
        check_free(address)
        return address, folder_for_visitors()
    except SurroundingsError as error:
        sys.exit(f"app.py: {error}")
    except OSError as error:
        reason = f"{error.strerror}: {error.filename}" if error.filename else error.strerror
        sys.exit(f"app.py: pictures cannot be kept ({reason}); GRADIO_TEMP_DIR sets another folder")


def ask_nobody(environment: Environment) -> None:
    """No proxy for anything: at its start Gradio asks the page itself, and nobody else is asked.

    Not for localhost alone, because a proxy that httpx does not understand, such as a SOCKS one,
    is an error even where it would not be used.
    """
    for name in ("no_proxy", "NO_PROXY"):
        environment[name] = "*"


def take_address(environment: Environment) -> Address:
    """GRADIO_SERVER_NAME and GRADIO_SERVER_PORT, taken out of the environment.

    What is asked for there is what the page gets: Gradio would take one of the next hundred ports
    if this one is in use, and tries names with IPv4 alone.

    Raises:
        SurroundingsError: the port is no number of a port.
    """
    name = environment.pop("GRADIO_SERVER_NAME", "").strip("[] ")
    written = environment.pop("GRADIO_SERVER_PORT", "")
    if not written:
        return Address(_in_addresses(name))
    port = int(written) if written.isascii() and written.isdigit() else 0
    if not 0 < port < 2**16:
        raise SurroundingsError(f"GRADIO_SERVER_PORT is {written!r}, not a number from 1 to 65535")
    return Address(_in_addresses(name), port)


def _in_addresses(name: str) -> str | None:
    """A name as it stands in an address: http://[::1]:7860/."""
    return f"[{name}]" if ":" in name else name or None


def check_free(address: Address) -> None:
    """Look whether somebody can listen there.

    Raises:
        SurroundingsError: nobody can, or somebody else does already.
    """
    name = (address.name or "127.0.0.1").strip("[]")
    port = address.port or 0  # 0: any
    try:
        places = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, place in places:
            with socket.socket(family, kind, protocol) as listener:
                if os.name == "posix":  # elsewhere it would let two listen to one port
                    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                listener.bind(place)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "not a name"
        where = f"{address.name or name}:{port}" if port else name
        advice = "GRADIO_SERVER_NAME and GRADIO_SERVER_PORT set another address"
        raise SurroundingsError(f"cannot listen on {where} ({reason}); {advice}") from None
