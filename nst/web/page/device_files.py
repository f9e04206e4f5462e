"""The networks as files for visitors' own devices, which run them by assets/device/.

Each lies at an address with a hash of it, so that browsers keep it for ever; none is loaded before
a visitor asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from nst.device_program import IN_HALF, device_program
from nst.models import TransformerNet
from nst.web.page.static import kept_for_ever

FOLDER = "device-files"


class DeviceFiles:
    """A file of each network."""

    def __init__(self, networks: Mapping[str, TransformerNet]) -> None:
        self.addresses: dict[str, str] = {}  # by network, seen from the page
        self._files: dict[str, bytes] = {}  # by address
        for name, network in networks.items():
            self.add(name, network)

    def add(self, name: str, network: TransformerNet) -> None:
        """One more, or another one of that name."""
        content = device_program(network, half=name in IN_HALF).to_bytes()
        address = f"{FOLDER}/{sha256(content).hexdigest()[:16]}/{name}.nst"
        self.addresses[name], self._files[address] = address, content

    def route(self) -> Route:
        """Where the files lie; others are not there."""
        return Route(f"/{FOLDER}/{{path:path}}", self._serve)

    def _serve(self, request: Request) -> Response:
        address = f"{FOLDER}/{request.path_params['path']}"
        if address not in self._files:
            return Response(status_code=404)
        return kept_for_ever(request, self._files[address], "application/octet-stream")
