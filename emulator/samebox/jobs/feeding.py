"""The pipes of a job whose channels are in Pipe mode: fed from S3 while its containers run (contract §1.5).

A pipe ends with the process that feeds it, and a program cannot tell such an end from that of its data. So no later
process goes on with a job that may have read a part for the whole: it fails (`may_have_broken`).
"""

from functools import partial

from samebox.data import streams
from samebox.jobs.phases import Ended, JobDependencies, download_errors
from samebox.jobs.plan import Plan
from samebox.platform.pipes import Pipes, PipesUnavailable
from samebox.resources.outcome import Outcome


class Feeding:
    """The pipes of all hosts of one job."""

    def __init__(self, plan: Plan, deps: JobDependencies) -> None:
        self._plan = plan
        self._deps = deps
        self._pipes: list[Pipes] = []

    def begin(self) -> None:
        """Make the first pipe of each channel, before the containers start. Raises Ended."""
        channels = self._plan.inputs.pipes
        if not channels:
            return
        plan, deps = self._plan, self._deps
        with download_errors(plan, deps):
            found = [deps.retry(partial(streams.find, one, deps.objects, plan.inputs.layout)) for one in channels]
        if not deps.retry(deps.engine.shares_disk):
            raise Ended(Outcome.DOWNLOAD_FAILED, "Pipe mode needs a container engine on this machine.")
        for host in plan.job.hosts:
            try:
                pipes = Pipes(host.root, failed=deps.wake.notify)
            except PipesUnavailable as error:
                raise Ended(Outcome.DOWNLOAD_FAILED, str(error)) from error
            self._pipes.append(pipes)
            for channel, stream, path in zip(channels, found, plan.inputs.pipe_paths, strict=True):
                sharing = plan.hosts_of(channel)
                if host in sharing:
                    share = sharing.index(host), len(sharing)
                    pipes.add(stream.name, partial(streams.epoch, stream, deps.objects, *share), path)

    @property
    def may_have_broken(self) -> bool:
        """Whether containers of this job that ran may have read pipes of an earlier process."""
        return bool(self._plan.inputs.pipes) and not self._pipes

    @property
    def problem(self) -> str:
        """Why a channel could not be fed; '' while all are well."""
        return next((pipes.problem for pipes in self._pipes if pipes.problem), "")

    def close(self) -> None:
        for pipes in self._pipes:
            pipes.close()
