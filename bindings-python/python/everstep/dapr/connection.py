"""Where the clients and runtimes of this module connect to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ..errors import InvalidArgumentError, OperationNotImplementedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import TypedDict

    class Options(TypedDict, total=False):
        """What is said of a connection beside its address."""

        call_timeout: float
        max_payload_bytes: int


_ENGINES = ("memory:", "test:")
_SHARED = "dapr"
"""The name of the engine in memory that a process's runtime and clients share."""


def endpoint_of(host: str | None = None, port: str | int | None = None) -> str | None:
    """The endpoint of a host and port, as Dapr's SDK puts them together; none where neither is given."""
    if not host and not port:
        given = os.environ.get("EVERSTEP_ENDPOINT")
        # Every client of its own engine: a runtime and its clients would not meet.
        return given + _SHARED if given in _ENGINES else None
    host = host or os.environ.get("DAPR_RUNTIME_HOST") or "127.0.0.1"
    return address_of(f"{host}:{port or os.environ.get('DAPR_GRPC_PORT') or 50001}")


def address_of(address: str) -> str:
    """The endpoint of an address of Dapr's gRPC API, with the schemes that Dapr's SDK takes."""
    scheme, separator, rest = address.partition("://")
    if not separator:
        scheme, rest = ("dns", address[4:]) if address.startswith("dns:") else ("dns", address)
    rest, _, query = rest.partition("?")
    if scheme not in ("dns", "http", "https", "grpc", "grpcs") or query not in ("", "tls=true", "tls=false"):
        raise InvalidArgumentError(
            f"{address!r} is no address of Dapr's gRPC API; write host:port, or https://host:port for TLS"
        )
    tls = scheme in ("https", "grpcs") or query == "tls=true"
    if ":" not in rest.rpartition("]")[2]:
        rest += ":443"
    return f"{'grpcs' if tls else 'grpc'}://{rest}"


def options_of(max_grpc_message_length: int | None = None) -> Options:
    """The options of a client, from Dapr's variables where they are not given. Raises ``InvalidArgumentError``."""
    options: Options = {}
    seconds = _number("DAPR_API_TIMEOUT_SECONDS")
    if seconds:
        options["call_timeout"] = seconds
    longest = max_grpc_message_length or int(_number("DAPR_GRPC_MAX_INBOUND_MESSAGE_SIZE_BYTES"))
    if longest:
        # A message may be longer than its payload, so every message of that length is taken.
        options["max_payload_bytes"] = longest
    return options


def _number(name: str) -> float:
    try:
        return float(os.environ.get(name) or 0)
    except ValueError:
        raise InvalidArgumentError(f"{name} must be a number") from None


def refuse_interceptors(interceptors: Sequence[Any] | None, endpoint: str) -> None:
    """Refuses interceptors of gRPC calls where there are such calls. Raises ``OperationNotImplementedError``."""
    if interceptors and endpoint.startswith("grpc"):
        raise OperationNotImplementedError(
            "gRPC interceptors cannot be called here, since the calls are not made in Python; a token and TLS are set"
            " by DAPR_API_TOKEN and by the address"
        )


def refuse_app(app_id: str | None) -> None:
    """Refuses to reach the instances of another application. Raises ``OperationNotImplementedError``."""
    if app_id is not None:
        raise OperationNotImplementedError(
            "operations on instances of another application are not possible here; connect to that application's"
            " sidecar, by host and port"
        )
