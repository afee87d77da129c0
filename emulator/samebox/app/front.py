"""The edge, with all that answers on the emulator's URL, and the forward proxy in front of it."""

import logging
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

from samebox.app.endings import Endings
from samebox.app.status import Status
from samebox.asgi import Application
from samebox.containers.metadata_network import ADDRESS
from samebox.containers.registry_server import RegistryServer
from samebox.edge import NETWORKS_OF_CONTAINERS, Edge
from samebox.faults.api import FaultDoor
from samebox.faults.faults import FaultTable
from samebox.listening import listener_at
from samebox.proxy import docker_names, passage
from samebox.proxy.authority import Authority
from samebox.proxy.targets import ProxyRules
from samebox.proxy.tunnel import ForwardProxy
from samebox.services.container_roles import ContainerRoles
from samebox.services.context import Services
from samebox.services.metadata import Metadata
from samebox.services.registry import RegistryEndpoint
from samebox.settings import Settings, is_loopback, words
from samebox.traffic import front_page
from samebox.traffic.origins import OriginPolicy
from samebox.wire.gateway import Gateway

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SecuredListener:
    """A socket to be listened on, and the certificates for it."""

    listener: socket.socket
    address: str
    context: ssl.SSLContext


def make_proxy(settings: Settings, data_dir: Path) -> ForwardProxy:
    """The forward proxy, with the certificate authority of the data folder."""
    rules = ProxyRules(
        containers=NETWORKS_OF_CONTAINERS,
        pass_through=settings.proxy_pass_through,
        upstream=passage.upstream_of(settings.https_proxy, settings.no_proxy),
    )
    roots = Path(settings.ca_bundle) if settings.ca_bundle else None
    return ForwardProxy(rules, Authority(data_dir / "proxy", roots))


def open_docker_listener(data_dir: Path, proxy: ForwardProxy, endings: Endings) -> SecuredListener | None:
    """Where the Docker daemon reaches us by names of ECR, None where it was not taught any, or it cannot be had."""
    names = docker_names.read(data_dir)
    if not names.address:
        return None
    try:
        listener = listener_at(names.address, docker_names.PORT)
    except OSError as error:
        log.warning("docker cannot push by %s: %s:%d: %s", names.hosts[0], names.address, docker_names.PORT, error)
        return None
    endings.add(listener.close)
    return SecuredListener(listener, names.address, proxy.authority.context_of(names.hosts))


def make_edge(
    services: Services,
    gateway: Gateway,
    invocations: Application,
    registry: RegistryServer,
    status: Status,
    proxy: ForwardProxy,
    inward: str | None,
    docker: SecuredListener | None,
    faults: FaultTable,
    endings: Endings,
) -> Edge:
    """The edge. `registry` is the server that `docker push` and `docker pull` are passed on to.

    `inward` is the address at which containers reach us, `docker` that of the daemon; None where they do not.
    """
    own = services.settings
    registry_endpoint = RegistryEndpoint(
        services.resources, services.pushed, services.registry, services.secret, registry.url, registry.forget
    )
    endings.add_connections(registry_endpoint.close)

    def page(url: str) -> str:
        return front_page.write(url, status.version, own.account, own.region, bool(own.token))

    return Edge(
        invocations=invocations,
        registry=registry_endpoint,
        metadata=Metadata(gateway.call, ContainerRoles(services.resources, services.secret).find),
        gateway=gateway,
        ready=status.readiness,
        status=status.report,
        faults=FaultDoor(faults, gateway.identify),
        metadata_host=inward or ADDRESS,
        origins=_origins(own, inward),
        authorize=gateway.identify,
        is_near=proxy.rules.is_near,
        docker_address=None if docker is None else docker.address,
        refuse=gateway.refuse,
        page=page,
        foreign=gateway.for_foreign_page,
    )


def _origins(settings: Settings, inward: str | None) -> OriginPolicy:
    hosts = set(words(settings.allowed_hosts))
    if inward is not None:
        hosts.add(inward)
    if not is_loopback(settings.host):
        hosts.add(socket.gethostname().lower())
    return OriginPolicy(settings.host, frozenset(hosts), frozenset(words(settings.allowed_origins)))
