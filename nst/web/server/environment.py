"""The machine that the page finds itself on: address, proxies, temporary folder.

Gradio reads some of the environment while it is imported, and fails there with a traceback; so
this is called before.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import NamedTuple

from nst.web.server.temporary_files import folder_for_visitors

PORT = 7860
BACKLOG = 2048  # connections that wait to be accepted, as uvicorn has it

Environment = MutableMapping[str, str]


class CannotStartError(ValueError):
    """Something here does not let the page start; the message says what in a sentence."""


class Address(NamedTuple):
    name: str = "127.0.0.1"
    port: int = PORT

    def __str__(self) -> str:
        return f"[{self.name}]:{self.port}" if ":" in self.name else f"{self.name}:{self.port}"


def is_ones_own(address: Address, environment: Mapping[str, str]) -> bool:
    """Whether only this machine's user comes here, who may train on it; NST_OWN=1 says so, too."""
    if environment.get("NST_OWN"):
        return True
    behind_a_proxy = environment.get("GRADIO_ROOT_PATH") or environment.get("SPACE_ID")
    is_loopback = address.name == "localhost" or address.name.startswith("127.")
    return (is_loopback or address.name == "::1") and not behind_a_proxy


def prepare() -> tuple[Address, list[socket.socket], Path]:
    """Make the environment one that the page can start in, or end the program with a sentence.

    Returns:
        An address, sockets that listen there, and the folder for visitors' files.
    """
    use_no_proxy(os.environ)
    try:
        address = read_address(os.environ)
        return address, listen(address), folder_for_visitors()
    except CannotStartError as error:
        sys.exit(f"app.py: {error}")
    except OSError as error:
        sys.exit(cannot_keep(error))


def cannot_keep(error: OSError) -> str:
    """A sentence about a temporary folder that cannot be made or written to, or is full."""
    reason = f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return f"app.py: pictures cannot be kept ({reason}); GRADIO_TEMP_DIR sets another folder"


def use_no_proxy(environment: Environment) -> None:
    """No proxy for anything: nobody is asked anything.

    Because a proxy that httpx does not understand, such as a SOCKS one, is an error even where it
    would not be used, and Gradio makes a client of httpx while it is imported.
    """
    for name in ("no_proxy", "NO_PROXY"):
        environment[name] = "*"


def read_address(environment: Environment) -> Address:
    """What GRADIO_SERVER_NAME and GRADIO_SERVER_PORT say.

    Raises:
        CannotStartError: the port is no number of a port.
    """
    name = environment.get("GRADIO_SERVER_NAME", "").strip("[] ") or Address().name
    written = environment.get("GRADIO_SERVER_PORT") or str(PORT)
    port = int(written) if written.isascii() and written.isdigit() else 0
    if not 0 < port < 2**16:
        raise CannotStartError(f"GRADIO_SERVER_PORT is {written!r}, not a number from 1 to 65535")
    return Address(name, port)


def listen(address: Address) -> list[socket.socket]:
    """Sockets that listen there, one for each address that the name stands for.

    Raises:
        CannotStartError: nobody can listen there, or somebody else does already.
    """
    try:
        places = socket.getaddrinfo(*address, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        return [
            socket.create_server(place, family=family, backlog=BACKLOG)
            for family, _, _, _, place in dict.fromkeys(places)
        ]
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "not a name"
        reason = reason.partition(" (while")[0]  # Python repeats the address
        advice = "GRADIO_SERVER_NAME and GRADIO_SERVER_PORT set another address"
        raise CannotStartError(f"cannot listen on {address} ({reason}); {advice}") from None
