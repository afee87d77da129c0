"""Stopping and deleting jobs, which is the same for each kind that runs containers."""

from samebox.errors import ResourceInUse, ValidationException
from samebox.resources.lifecycle import IllegalMove
from samebox.resources.store import Resource
from samebox.services.context import Services


def stop(services: Services, job: Resource) -> None:
    """Store that the job shall stop. Stopping it twice is not an error (choice: AWS's answer is not known)."""
    try:
        services.resources.advance(job, "Stopping")
    except IllegalMove:
        newest = services.resources.by_arn(job.arn) or job
        if newest.status != "Stopping":
            # Contract §6.3.
            raise ValidationException(
                f"The request was rejected because the {_words(services, job)} is in status {newest.status}."
            ) from None


def delete(services: Services, job: Resource) -> None:
    """Delete a job that has ended (contract.md §6.3; the words are ours)."""
    if job.status in ("InProgress", "Stopping"):
        raise ResourceInUse(
            f"{_words(services, job).capitalize()} {job.arn} is in status {job.status}; "
            "only jobs that have ended can be deleted."
        )
    if (job.state.get("WarmPoolStatus") or {}).get("Status") == "Available":
        # SM:DeleteTrainingJob
        raise ResourceInUse(
            f"{_words(services, job).capitalize()} {job.arn} retains a warm pool, which is Available; "
            "set its KeepAlivePeriodInSeconds to 0 with UpdateTrainingJob first."
        )
    services.resources.delete(job)


def _words(services: Services, job: Resource) -> str:
    """ "training job"."""
    return services.resources.kind(job).arn_type.replace("-", " ")
