"""Log lines through the API, as `samebox logs`, `samebox train` and scripts/deploy show them."""

from samebox.commands.lines import Lines, last
from samebox.resources.logbook import Event
from tests.conftest import ACCOUNT, REGION, Aws

GROUP = "/aws/sagemaker/TrainingJobs"


def write(aws: Aws, stream: str, *lines: tuple[int, str]) -> None:
    aws.services.logbook.of(ACCOUNT, REGION).append(GROUP, stream, [Event(at, text) for at, text in lines])


def test_lines_come_once_and_in_the_order_they_were_written(aws: Aws) -> None:
    lines = Lines(aws.logs, GROUP, "job/")
    assert list(lines.new()) == []
    write(aws, "job/algo-1", (1_700_000_000_000, "a"), (1_700_000_000_002, "c"))
    write(aws, "job/algo-2", (1_700_000_000_001, "b"))
    write(aws, "other/algo-1", (1_700_000_000_001, "somebody else's"))
    assert list(lines.new()) == ["a", "b", "c"]
    assert list(lines.new()) == []
    write(aws, "job/algo-1", (1_700_000_000_003, "d"))
    assert list(lines.new()) == ["d"]


def test_a_long_log_is_read_whole(aws: Aws) -> None:
    write(aws, "job/algo-1", *((1_700_000_000_000 + number, "x" * 1000) for number in range(3000)))
    assert len(list(Lines(aws.logs, GROUP, "job/").new())) == 3000


def test_the_last_lines_are_those_of_new_streams(aws: Aws) -> None:
    write(aws, "old/algo-1", (1_700_000_000_000, "old"))
    write(aws, "new/algo-1", *((1_700_000_001_000 + number, str(number)) for number in range(100)))
    assert last(aws.logs, GROUP, count=3) == ["97", "98", "99"]
    assert "old" in last(aws.logs, GROUP, count=1000)
    assert "old" not in last(aws.logs, GROUP, since=1_700_000_000_500, count=1000)
