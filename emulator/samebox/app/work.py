"""What runs containers: the supervisor, with a runner for each kind of resource that has work."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from samebox.app.data_folder import DataFolder
from samebox.app.endings import Endings
from samebox.app.engine_side import EngineSide, WayBack
from samebox.app.stores import Stores
from samebox.containers import reservations
from samebox.data import channel_cache
from samebox.data.channel_cache import ChannelCache
from samebox.data.objects import Objects
from samebox.faults.faults import FaultTable
from samebox.jobs import job_networks
from samebox.jobs.container_jobs import ContainerJobs
from samebox.jobs.endpoints import Endpoints
from samebox.jobs.plan import EmulatorInfo
from samebox.jobs.processing import PROCESSING
from samebox.jobs.supervisor import Supervisor, Work
from samebox.jobs.training import TRAINING
from samebox.jobs.transform import TRANSFORM
from samebox.platform.background import Background
from samebox.resources.kinds import CONTAINER_JOBS, ENDPOINT
from samebox.services import registry_tokens
from samebox.services.container_roles import role_keys
from samebox.services.context import Services
from samebox.settings import Settings
from samebox.traffic.client import HttpClient


def emulator_info(settings: Settings, folder: DataFolder, way: WayBack | None, ca_bundle: Path) -> EmulatorInfo:
    """What containers are given of the emulator, by the way on which they reach it."""
    info = EmulatorInfo(folder.path, folder.id, settings, folder.secret)
    if way is None:
        return info
    info = replace(info, network=way.network, endpoint_url=way.url, ca_bundle=ca_bundle)
    if way.has_credentials:
        return replace(info, credentials=True)
    return replace(info, role_keys=partial(role_keys, folder.secret, settings.signing_secret))


def start_supervisor(
    info: EmulatorInfo,
    services: Services,
    stores: Stores,
    objects: Objects,
    containers: EngineSide,
    client: HttpClient,
    faults: FaultTable,
    endings: Endings,
) -> Supervisor:
    """Start it over what is stored: jobs and endpoints with work left go on. `client` knows the current invocations."""
    background = Background()
    endings.add(background.close)

    def login(account: str, region: str) -> tuple[str, str]:
        return registry_tokens.USER, registry_tokens.issue(info.secret, account, region, services.clock()).password

    dependencies = (stores.resources, containers.engine, objects, stores.logbook, info, background, login)
    room = None if info.settings.overcommit else reservations.of_engine(containers.engine, info.label)
    networks = job_networks.of_jobs(containers.engine, info.label, stores.resources, CONTAINER_JOBS)
    endings.add_request(containers.health, networks.close)
    put_metric = partial(stores.metrics.put, by_second=True)
    cache = ChannelCache(channel_cache.folder(info.data_dir), info.settings.channel_cache_bytes, objects)
    jobs = [
        Work(
            one.kind,
            ContainerJobs(
                one,
                *dependencies,
                networks=networks,
                cache=cache,
                reservations=room,
                put_metric=put_metric,
                faults=faults,
            ),
        )
        for one in (TRAINING, PROCESSING, TRANSFORM)
    ]
    endpoints = Work(ENDPOINT, Endpoints(*dependencies, in_flight=client.in_flight, faults=faults), limit=None)
    supervisor = Supervisor(stores.resources, [*jobs, endpoints])
    supervisor.start()
    endings.add(supervisor.close)
    return supervisor
