"""The channels of a job's hosts as folders: small ones are copied, large ones are linked and mounted below a layer."""

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event

from samebox.containers.engine import Engine
from samebox.data import channels
from samebox.data.channel_cache import ChannelCache
from samebox.data.channels import ChannelPlan
from samebox.data.objects import Objects
from samebox.data.tree import DIRECTORY_MODE
from samebox.jobs.plan import Plan
from samebox.platform.hosts import Retry
from samebox.platform.job import HostPlan, with_folder

FOLDER = "channels"  # beside the hosts' folders in the job's: what is mounted


class ChannelFolders:
    """Fills the folders of one job's hosts. `retry` calls again while S3 or the engine is away."""

    def __init__(
        self, plan: Plan, engine: Engine, objects: Objects, cache: ChannelCache, retry: Retry, cancelled: Event
    ) -> None:
        self._plan = plan
        self._engine = engine
        self._objects = objects
        self._cache = cache
        self._retry = retry
        self._cancelled = cancelled

    def fill(self, host: HostPlan, found: Sequence[ChannelPlan]) -> HostPlan:
        """Fetch what the host gets of these channels; gives the host with the large ones mounted.

        Whatever an interrupted call left is put right. Raises what channels.download and ChannelCache.fetch do.
        """
        plan, own = self._plan, []
        for channel, laid_out in zip(self._plan.inputs.channels, found, strict=True):
            sharing = plan.hosts_of(channel)
            if host in sharing:
                is_sharded = channels.is_sharded(channel)
                own.append(channels.share(laid_out, sharing.index(host), len(sharing)) if is_sharded else laid_out)
        folder = host.root / plan.inputs.folder
        channels.check(own, folder, plan.volume_bytes)
        small = [one for one in own if not one.is_large]
        self._retry(lambda: channels.download(small, self._objects, folder, None, self._cancelled))
        for one in own:
            if one.is_large:
                host = self._retry(self._linking(host, one, folder / one.name))
        channels.write_manifests(own, folder)
        return host

    def _linking(self, host: HostPlan, channel: ChannelPlan, folder: Path) -> Callable[[], HostPlan]:
        place = self._plan.root / FOLDER / host.name / channel.name
        files, layer = place / "files", place / "layer"

        def link() -> HostPlan:
            # A new container finds nothing of what an earlier one changed.
            self._engine.sweep_path(layer)
            channels.link(channel, self._cache, files, self._cancelled)
            folder.mkdir(parents=True, exist_ok=True)  # or the engine would make it, as root
            folder.chmod(DIRECTORY_MODE)
            return with_folder(host, folder, files, layer)

        return link
