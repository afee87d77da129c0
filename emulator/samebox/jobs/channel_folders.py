"""The channels of a job's hosts as folders: copied, or linked and mounted below a layer, or mounted as they are.

Small ones are copied, and large ones are linked; those in FastFile mode and file systems are only mounted.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from threading import Event

from samebox.containers.engine import Engine
from samebox.data import channels, fast_channels
from samebox.data.channel_cache import ChannelCache
from samebox.data.channels import ChannelError, ChannelPlan
from samebox.data.fast_channels import MountError
from samebox.data.objects import Objects
from samebox.data.tree import DIRECTORY_MODE
from samebox.jobs.plan import FileSystem, Plan
from samebox.platform.hosts import Retry
from samebox.platform.job import HostPlan, with_folder

FOLDER = "channels"  # beside the hosts' folders in the job's: what is mounted


class ChannelFolders:
    """Fills the folders of one job's hosts. `retry` calls again while S3 or the engine is away."""

    def __init__(
        self,
        plan: Plan,
        engine: Engine,
        objects: Objects,
        cache: ChannelCache,
        retry: Retry,
        cancelled: Event,
        report: Callable[[str], None],
    ) -> None:
        self._plan = plan
        self._engine = engine
        self._objects = objects
        self._cache = cache
        self._retry = retry
        self._cancelled = cancelled
        self._report = report

    def fill(self, host: HostPlan, found: Sequence[ChannelPlan]) -> HostPlan:
        """Fetch what the host gets of these channels; gives the host with the large ones mounted.

        Whatever an interrupted call left is put right. Raises what channels.download, ChannelCache.fetch and
        fast_channels.fill do, but MountError.
        """
        plan, own = self._plan, []
        for channel, laid_out in zip(self._plan.inputs.channels, found, strict=True):
            sharing = plan.hosts_of(channel)
            if host in sharing:
                if channels.is_sharded(channel):
                    laid_out = channels.share(laid_out, sharing.index(host), len(sharing), plan.inputs.layout)
                own.append(laid_out)
        folder = host.root / plan.inputs.folder
        whole = [one for one in own if one.name not in plan.inputs.fast]
        channels.check_names([one.name for one in own])
        channels.check(whole, folder, plan.volume_bytes)
        small = [one for one in whole if not one.is_large]
        self._retry(lambda: channels.download(small, self._objects, folder, None, self._cancelled))
        for one in own:
            if one.name in plan.inputs.fast:
                host = self._retry(partial(self._mount_lazily, host, one, folder / one.name))
            elif one.is_large:
                host = self._retry(partial(self._link, host, one, folder / one.name))
        channels.write_manifests(own if plan.inputs.fast_manifests else whole, folder)
        for file_system in plan.inputs.file_systems:
            host = self._mount(host, file_system, folder / file_system.channel)
        return host

    def _link(self, host: HostPlan, channel: ChannelPlan, folder: Path) -> HostPlan:
        place = self._place(host, channel)
        files, layer = place / "files", place / "layer"
        self._engine.sweep_path(layer)  # a new container finds nothing of what an earlier one changed
        channels.fill(channel, self._cache.fetch, files, self._cancelled)
        _make(folder)
        return with_folder(host, folder, files, layer)

    def _mount_lazily(self, host: HostPlan, channel: ChannelPlan, folder: Path) -> HostPlan:
        place = self._place(host, channel)
        source = None
        if self._engine.shares_disk():
            try:
                source = fast_channels.fill(channel, self._objects, self._cache, place, self._plan.arn, self._cancelled)
            except MountError as error:
                self._report(f"FastFile: all of channel {channel.name} is fetched before the start: {error}")
        if source is None:
            source = place / "files"
            channels.fill(channel, self._cache.fetch, source, self._cancelled)
        _make(folder)
        return with_folder(host, folder, source, read_only=True)

    def _mount(self, host: HostPlan, system: FileSystem, folder: Path) -> HostPlan:
        if not self._retry(self._engine.shares_disk):
            raise ChannelError(f"Channel {system.channel}: a file system needs a container engine on this machine.")
        root = system.root.resolve()
        source = (root / system.directory.lstrip("/")).resolve()
        if not source.is_relative_to(root) or not source.is_dir():
            raise ChannelError(f"Channel {system.channel}: the file system has no directory {system.directory}.")
        _make(folder)
        return with_folder(host, folder, source, read_only=system.read_only)

    def _place(self, host: HostPlan, channel: ChannelPlan) -> Path:
        return self._plan.root / FOLDER / host.name / channel.name


def _make(folder: Path) -> None:
    """The folder that is mounted at, or the engine would make it, as root."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(DIRECTORY_MODE)
