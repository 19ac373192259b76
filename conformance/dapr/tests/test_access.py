"""Tokens, TLS and certificates: who is let in, and what the others are told."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import everstep
import pytest

from certificates import Authority
from cluster import Cluster
from proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.main
TOKEN = "open-sesame"
CALL_SECONDS = 20


@dataclass(frozen=True)
class Protocol:
    """How a program speaks to a sidecar."""

    plain: str
    secure: str
    alpn: str

    def port(self, cluster: Cluster) -> int:
        sidecar = cluster.sidecars[0]
        return sidecar.http_port if self.plain == "http" else sidecar.grpc_port


HTTP = Protocol("http", "https", "http/1.1")
GRPC = Protocol("grpc", "grpcs", "h2")


@pytest.fixture(params=[HTTP, GRPC], ids=["http", "grpc"])
def protocol(request: pytest.FixtureRequest) -> Protocol:
    found = request.param
    assert isinstance(found, Protocol)
    return found


@pytest.fixture(scope="module")
def guarded(binaries: Path, store: str) -> Iterator[Cluster]:
    """A sidecar that asks for a token."""
    with Cluster(binaries, store, api_token=TOKEN) as cluster:
        yield cluster


@pytest.fixture(autouse=True)
def nothing_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DAPR_API_TOKEN", "EVERSTEP_TLS_ROOTS", "EVERSTEP_TLS_CERTIFICATE", "EVERSTEP_TLS_KEY"):
        monkeypatch.delenv(name, raising=False)


def look(endpoint: str) -> None:
    """Asks for an instance that there is not: whoever is let in raises ``NotFoundError``."""
    with everstep.Client(endpoint, call_timeout=CALL_SECONDS) as client:
        client.get_workflow(instance_id="none")


def test_the_token_opens(guarded: Cluster, protocol: Protocol, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAPR_API_TOKEN", TOKEN)
    with pytest.raises(everstep.NotFoundError):
        look(f"{protocol.plain}://127.0.0.1:{protocol.port(guarded)}")


@pytest.mark.parametrize("token", [None, "wrong"], ids=["missing", "wrong"])
def test_without_the_token_nobody_comes_in(
    guarded: Cluster, protocol: Protocol, token: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if token is not None:
        monkeypatch.setenv("DAPR_API_TOKEN", token)
    with pytest.raises(everstep.EverstepError) as caught:
        look(f"{protocol.plain}://127.0.0.1:{protocol.port(guarded)}")
    assert type(caught.value) is everstep.UnauthenticatedError
    assert caught.value.code == "unauthenticated"
    assert "wrong" not in str(caught.value), "a token is never shown"
    assert TOKEN not in str(caught.value)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "authority")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that nobody here trusts."""
    return Authority(tmp_path_factory.mktemp("stranger"), "stranger")


@contextmanager
def ingress(
    cluster: Cluster,
    protocol: Protocol,
    authority: Authority,
    *,
    address: str = "127.0.0.1",
    clients: Authority | None = None,
) -> Iterator[str]:
    """The endpoint of a TLS front of the sidecar."""
    context = authority.server(
        protocol.alpn, address=address, clients=None if clients is None else clients.roots
    )
    with Proxy(protocol.port(cluster), tls=context) as proxy:
        yield f"{protocol.secure}://127.0.0.1:{proxy.port}"


def test_a_trusted_certificate_opens(
    shared: Cluster, protocol: Protocol, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVERSTEP_TLS_ROOTS", str(authority.roots))
    with ingress(shared, protocol, authority) as endpoint, pytest.raises(everstep.NotFoundError):
        look(endpoint)


def test_a_certificate_of_a_stranger_is_refused(
    shared: Cluster,
    protocol: Protocol,
    authority: Authority,
    stranger: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EVERSTEP_TLS_ROOTS", str(authority.roots))
    with ingress(shared, protocol, stranger) as endpoint, pytest.raises(everstep.EverstepError) as caught:
        look(endpoint)
    assert (type(caught.value), caught.value.code) == (
        everstep.UnauthenticatedError,
        "unauthenticated",
    )


def test_a_certificate_of_another_address_is_refused(
    shared: Cluster, protocol: Protocol, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVERSTEP_TLS_ROOTS", str(authority.roots))
    with (
        ingress(shared, protocol, authority, address="127.0.0.2") as endpoint,
        pytest.raises(everstep.EverstepError) as caught,
    ):
        look(endpoint)
    assert (type(caught.value), caught.value.code) == (
        everstep.UnauthenticatedError,
        "unauthenticated",
    )


def test_a_client_certificate_opens(
    shared: Cluster, protocol: Protocol, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = authority.identity("client")
    monkeypatch.setenv("EVERSTEP_TLS_ROOTS", str(authority.roots))
    monkeypatch.setenv("EVERSTEP_TLS_CERTIFICATE", str(client.certificate))
    monkeypatch.setenv("EVERSTEP_TLS_KEY", str(client.key))
    front = ingress(shared, protocol, authority, clients=authority)
    with front as endpoint, pytest.raises(everstep.NotFoundError):
        look(endpoint)


@pytest.mark.parametrize("issuer", ["nobody", "stranger"])
def test_without_a_client_certificate_nobody_comes_in(
    shared: Cluster,
    protocol: Protocol,
    authority: Authority,
    stranger: Authority,
    issuer: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EVERSTEP_TLS_ROOTS", str(authority.roots))
    if issuer == "stranger":
        client = stranger.identity("client")
        monkeypatch.setenv("EVERSTEP_TLS_CERTIFICATE", str(client.certificate))
        monkeypatch.setenv("EVERSTEP_TLS_KEY", str(client.key))
    with (
        ingress(shared, protocol, authority, clients=authority) as endpoint,
        pytest.raises(everstep.EverstepError) as caught,
    ):
        look(endpoint)
    # asyncio resets the connection and sends no alert; with one it is ``unauthenticated``, as the core's own tests show.
    assert (type(caught.value), caught.value.code) == (everstep.UnavailableError, "unavailable")


def test_tls_on_a_plain_port_is_refused(
    shared: Cluster, protocol: Protocol, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVERSTEP_TLS_ROOTS", str(authority.roots))
    with pytest.raises(everstep.EverstepError) as caught:
        look(f"{protocol.secure}://127.0.0.1:{protocol.port(shared)}")
    assert (type(caught.value), caught.value.code) == (
        everstep.FailedPreconditionError,
        "failed_precondition",
    )


def test_a_plain_program_on_a_tls_port_is_refused(
    shared: Cluster, protocol: Protocol, authority: Authority
) -> None:
    with ingress(shared, protocol, authority) as endpoint, pytest.raises(everstep.EverstepError) as caught:
        look(endpoint.replace(protocol.secure, protocol.plain, 1))
    assert caught.value.code in ("unavailable", "failed_precondition")
