"""What the operations of the API may use."""

from collections.abc import Callable
from functools import cache, partial

from samebox.app.data_folder import DataFolder
from samebox.app.endings import Endings
from samebox.app.engine_side import EngineSide
from samebox.app.stores import Stores
from samebox.containers.kept_images import KeptImages
from samebox.data.lookups import Lookups
from samebox.data.objects import Objects
from samebox.proxy import docker_names
from samebox.services import image_aliases, images
from samebox.services.context import Services
from samebox.services.registry_client import RegistryClient
from samebox.services.repositories import PushedImages
from samebox.settings import Settings


def make_services(
    settings: Settings,
    folder: DataFolder,
    stores: Stores,
    objects: Objects,
    containers: EngineSide,
    clock: Callable[[], float],
    endings: Endings,
) -> Services:
    """The collaborators of operations, over the stores and the engine."""
    containers.stop_registry_at_the_end()
    pushed, manifests = PushedImages(stores.resources), RegistryClient(containers.registry.url)
    endings.add(manifests.close)
    kept = KeptImages(containers.engine, folder.id, lambda: images.needed_ids(stores.store))
    aliases = cache(partial(image_aliases.read, settings.image_aliases))
    return Services(
        settings=settings,
        resources=stores.resources,
        objects=Lookups(objects),
        images=images.EcrImages(settings, stores.resources, pushed, kept, aliases),
        pushed=pushed,
        registry=manifests,
        logbook=stores.logbook,
        metrics=stores.metrics,
        clock=clock,
        secret=folder.secret,
        docker_names=frozenset(docker_names.read(folder.path).hosts),
    )
