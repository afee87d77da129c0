"""Retention of logs: what a group keeps for how long, through boto3 and by a clock that the test moves."""

from typing import Any

import pytest

from samebox.resources.logbook import Event, Logbook
from samebox.services.log_retention import LogRetention
from tests.conftest import ACCOUNT, REGION, Aws
from tests.services.test_logs import GROUP, START, STREAM, error_of, filtered, read, write

DAY = 24 * 3600 * 1000


def look(aws: Aws, days_later: float) -> int:
    return LogRetention(aws.services.logbook, lambda: (START + days_later * DAY) / 1000).look()


def shown(aws: Aws) -> dict[str, Any]:
    (group,) = aws.logs.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]
    return dict(group)


def test_a_policy_is_shown_and_taken_away(aws: Aws) -> None:
    aws.logs.create_log_group(logGroupName=GROUP, tags={"team": "a"})
    assert "retentionInDays" not in shown(aws)
    aws.logs.put_retention_policy(logGroupName=GROUP, retentionInDays=7)
    assert shown(aws)["retentionInDays"] == 7
    aws.logs.delete_retention_policy(logGroupName=GROUP)
    assert "retentionInDays" not in shown(aws)
    assert aws.logs.list_tags_for_resource(resourceArn=shown(aws)["logGroupArn"])["tags"] == {"team": "a"}


def test_a_number_of_days_that_aws_does_not_have_and_a_missing_group_are_refused(aws: Aws) -> None:
    code, message = error_of(aws.logs.put_retention_policy, logGroupName=GROUP, retentionInDays=7)
    assert (code, message) == ("ResourceNotFoundException", "The specified log group does not exist.")
    aws.logs.create_log_group(logGroupName=GROUP)
    code, message = error_of(aws.logs.put_retention_policy, logGroupName=GROUP, retentionInDays=2)
    assert code == "InvalidParameterException"
    assert message.startswith(
        "1 validation error detected: Value '2' at 'retentionInDays' failed to satisfy constraint"
    )


def test_what_is_older_goes_and_tokens_stay_good(aws: Aws) -> None:
    write(aws, "old", "older still")
    _, forward, _ = read(aws, startFromHead=True, limit=1)
    write(aws, "new", "newest", start=START + 2 * DAY)
    aws.logs.put_retention_policy(logGroupName=GROUP, retentionInDays=1)
    assert look(aws, 2) == 1
    assert read(aws, startFromHead=True)[0] == read(aws)[0] == filtered(aws) == ["new", "newest"]
    assert read(aws, nextToken=forward)[0] == ["new", "newest"]
    (stream,) = aws.logs.describe_log_streams(logGroupName=GROUP)["logStreams"]
    assert stream["firstEventTimestamp"] == START + 2 * DAY
    write(aws, "and on", start=START + 2 * DAY)
    assert read(aws)[0] == ["new", "newest", "and on"]
    assert look(aws, 2) == 0


def test_the_last_event_stays_for_the_writer_that_continues_from_it(aws: Aws) -> None:
    write(aws, "a", "b")
    aws.logs.put_retention_policy(logGroupName=GROUP, retentionInDays=1)
    assert (look(aws, 5), look(aws, 5)) == (1, 0)
    assert read(aws, startFromHead=True)[0] == ["b"]


@pytest.mark.parametrize("policy", [None, 30])
def test_without_a_policy_or_before_its_time_everything_stays(aws: Aws, policy: int | None) -> None:
    write(aws, "a", "b")
    if policy is not None:
        aws.logs.put_retention_policy(logGroupName=GROUP, retentionInDays=policy)
    assert look(aws, 29) == 0
    assert read(aws)[0] == ["a", "b"]


def test_a_long_log_gives_its_room_back(aws: Aws) -> None:
    book: Logbook = aws.services.logbook.of(ACCOUNT, REGION)
    book.append(GROUP, STREAM, [Event(START + number, "x" * 1000) for number in range(3000)])
    book.append(GROUP, STREAM, [Event(START + 2 * DAY, "new")])
    (path,) = (
        one for one in aws.services.settings.data_dir.rglob("*") if one.is_file() and one.stat().st_size > 3_000_000
    )
    aws.logs.put_retention_policy(logGroupName=GROUP, retentionInDays=1)
    before = path.stat()
    assert look(aws, 2) == 1
    after = path.stat()
    assert after.st_size == before.st_size
    assert after.st_blocks < before.st_blocks / 10
    assert read(aws, startFromHead=True)[0] == ["new"]
