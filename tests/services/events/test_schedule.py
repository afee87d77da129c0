"""Schedules: rate() and cron(), by EventBridge's own examples."""

from datetime import UTC, datetime

import pytest

from samebox.services.events.schedule import InvalidSchedule, parse

MONDAY = datetime(2026, 11, 30, 10, 17, 30, tzinfo=UTC)  # the last day of its month


def due(text: str, after: datetime = MONDAY, begun: datetime = MONDAY) -> str:
    found = parse(text).next(begun.timestamp(), after.timestamp())
    return "" if found is None else datetime.fromtimestamp(found, UTC).strftime("%Y-%m-%d %H:%M:%S")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rate(1 minute)", "2026-11-30 10:18:30"),
        ("rate(5 minutes)", "2026-11-30 10:22:30"),
        ("rate(1 hour)", "2026-11-30 11:17:30"),
        ("rate(7 days)", "2026-12-07 10:17:30"),
        ("cron(0 10 * * ? *)", "2026-12-01 10:00:00"),
        ("cron(15 12 * * ? *)", "2026-11-30 12:15:00"),
        ("cron(0 18 ? * MON-FRI *)", "2026-11-30 18:00:00"),
        ("cron(0 8 1 * ? *)", "2026-12-01 08:00:00"),
        ("cron(0/10 * ? * MON-FRI *)", "2026-11-30 10:20:00"),
        ("cron(0/5 8-17 ? * MON-FRI *)", "2026-11-30 10:20:00"),
        ("cron(0/30 20-2 ? * MON-FRI *)", "2026-11-30 20:00:00"),
        ("cron(0 9 ? * 2#1 *)", "2026-12-07 09:00:00"),
        ("cron(0 9 ? * FRI#5 *)", "2027-01-29 09:00:00"),
        ("cron(0 9 L * ? *)", "2026-12-31 09:00:00"),
        ("cron(0 11 L * ? *)", "2026-11-30 11:00:00"),
        ("cron(0 9 ? * 6L *)", "2026-12-25 09:00:00"),
        ("cron(0 9 ? * L *)", "2026-12-05 09:00:00"),
        ("cron(0 9 15W * ? *)", "2026-12-15 09:00:00"),
        ("cron(0 9 1W MAY ? 2027)", "2027-05-03 09:00:00"),  # the first of May is a Saturday
        ("cron(0 9 31W JAN ? 2027)", "2027-01-29 09:00:00"),  # the 31st of January is a Sunday
        ("cron(0 9 ? * FRI-MON *)", "2026-12-04 09:00:00"),
        ("cron(0 0 29 2 ? *)", "2028-02-29 00:00:00"),
        ("cron(0 0 1 JAN,JUL ? 2030-2031)", "2030-01-01 00:00:00"),
        ("cron(0 0 30 2 ? *)", ""),
        ("cron(0 0 1 1 ? 2020)", ""),
    ],
)
def test_the_next_time(text: str, expected: str) -> None:
    assert due(text) == expected


def test_a_rate_is_counted_from_the_beginning_of_the_rule() -> None:
    begun = datetime(2026, 11, 30, 10, 0, 5, tzinfo=UTC)
    assert due("rate(10 minutes)", begun=begun) == "2026-11-30 10:20:05"
    assert due("rate(10 minutes)", after=begun, begun=MONDAY) == "2026-11-30 10:27:30"


@pytest.mark.parametrize(
    "text",
    [
        "", "rate(0 minutes)", "rate(1 minutes)", "rate(5 minute)", "rate(5 seconds)", "rate(x)", "every day",
        "cron(0 12 * * *)", "cron(0 12 * * * *)", "cron(0 12 ? * ? *)", "cron(60 12 * * ? *)", "cron(0 24 * * ? *)",
        "cron(0 12 32 * ? *)", "cron(0 12 ? * 8 *)", "cron(0 12 ? * MON#6 *)", "cron(0 12 * 13 ? *)",
        "cron(0/0 12 * * ? *)", "cron(x 12 * * ? *)", "cron(0 12 * * ? 1969)",
    ],
)  # fmt: skip
def test_what_is_not_a_schedule_is_refused(text: str) -> None:
    with pytest.raises(InvalidSchedule):
        parse(text)
