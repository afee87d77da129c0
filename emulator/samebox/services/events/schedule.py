"""Schedules of rules: rate(5 minutes) and cron(0 12 * * ? *), in UTC. Pure: the time is given.

EventBridge User Guide, "Creating a rule that runs on a schedule".
"""

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_RATE = re.compile(r"rate\((\d{1,9}) (minute|minutes|hour|hours|day|days)\)")
_CRON = re.compile(r"cron\((.*)\)")
_SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}
_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
_YEARS = range(1970, 2200)


class InvalidSchedule(Exception):
    """The expression is not one of EventBridge's."""


@dataclass(frozen=True)
class Rate:
    """Every so many seconds from when the rule was made."""

    seconds: int

    def next(self, begun: float, after: float) -> float | None:
        """The first time after `after`; all are epoch seconds."""
        passed = max(0.0, after - begun)
        return begun + (passed // self.seconds + 1) * self.seconds


@dataclass(frozen=True)
class DayOfMonth:
    """Which days of a month: numbers, its last day, or the working day that is nearest to one."""

    numbers: frozenset[int]
    last: bool = False
    weekday_near: int = 0

    def has(self, day: datetime) -> bool:
        """Whether this is such a day."""
        length = calendar.monthrange(day.year, day.month)[1]
        if self.weekday_near:
            wanted = datetime(day.year, day.month, min(self.weekday_near, length), tzinfo=UTC)
            shift = {5: -1, 6: 1}.get(wanted.weekday(), 0)
            near = wanted + timedelta(days=shift)
            if near.month != day.month:  # a month is not left: Monday for the first, Friday for the last
                near = wanted + timedelta(days=-2 * shift if shift == 1 else 2)
            return near.day == day.day
        return day.day in self.numbers or (self.last and day.day == length)


@dataclass(frozen=True)
class DayOfWeek:
    """Which days of a week, 1 being Sunday; `nth` of the month, or the last."""

    numbers: frozenset[int]
    nth: int = 0
    last: bool = False

    def has(self, day: datetime) -> bool:
        """Whether this is such a day."""
        if day.isoweekday() % 7 + 1 not in self.numbers:
            return False
        if self.last:
            return day.day + 7 > calendar.monthrange(day.year, day.month)[1]
        return not self.nth or (day.day - 1) // 7 + 1 == self.nth


@dataclass(frozen=True)
class Cron:
    """Minutes, hours, days, months and years; one of the two kinds of days."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: DayOfMonth | DayOfWeek
    months: frozenset[int]
    years: frozenset[int]

    def next(self, begun: float, after: float) -> float | None:  # noqa: ARG002
        """The first time after `after`, epoch seconds; None where there is none any more."""
        at = datetime.fromtimestamp(after // 60 * 60 + 60, UTC)
        while at.year in _YEARS:
            if at.year not in self.years:
                at = datetime(at.year + 1, 1, 1, tzinfo=UTC)
            elif at.month not in self.months:
                at = datetime(at.year + at.month // 12, at.month % 12 + 1, 1, tzinfo=UTC)
            elif not self.days.has(at):
                at = at.replace(hour=0, minute=0) + timedelta(days=1)
            elif at.hour not in self.hours:
                at = at.replace(minute=0) + timedelta(hours=1)
            elif at.minute not in self.minutes:
                at += timedelta(minutes=1)
            else:
                return at.timestamp()
        return None


def parse(text: str) -> Rate | Cron:
    """A schedule from its expression. Raises InvalidSchedule."""
    if rate := _RATE.fullmatch(text):
        count, unit = int(rate[1]), rate[2]
        # The unit of 1 is singular, of all others plural (EB:ScheduleExpression).
        if count < 1 or (count == 1) == unit.endswith("s"):
            raise InvalidSchedule(text)
        return Rate(count * _SECONDS[unit.removesuffix("s")])
    cron = _CRON.fullmatch(text)
    fields = cron[1].split() if cron else []
    if len(fields) != 6:
        raise InvalidSchedule(text)
    minutes, hours, day, month, weekday, years = (field.upper() for field in fields)
    if (day == "?") == (weekday == "?"):
        raise InvalidSchedule(text)
    return Cron(
        _numbers(minutes, range(60)),
        _numbers(hours, range(24)),
        _day_of_month(day) if weekday == "?" else _day_of_week(weekday),
        _numbers(month, range(1, 13), _MONTHS),
        _numbers(years, _YEARS),
    )


def _day_of_month(text: str) -> DayOfMonth:
    if text == "L":
        return DayOfMonth(frozenset(), last=True)
    if near := re.fullmatch(r"(\d{1,2})W", text):
        (number,) = _numbers(near[1], range(1, 32))
        return DayOfMonth(frozenset(), weekday_near=number)
    return DayOfMonth(_numbers(text, range(1, 32)))


def _day_of_week(text: str) -> DayOfWeek:
    if text == "L":
        return DayOfWeek(frozenset({7}))
    if last := re.fullmatch(r"(\w+)L", text):
        return DayOfWeek(_numbers(last[1], range(1, 8), _DAYS), last=True)
    if nth := re.fullmatch(r"(\w+)#([1-5])", text):
        return DayOfWeek(_numbers(nth[1], range(1, 8), _DAYS), nth=int(nth[2]))
    return DayOfWeek(_numbers(text, range(1, 8), _DAYS))


def _numbers(text: str, allowed: range, names: Mapping[str, int] | None = None) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, _, step_text = part.partition("/")
        step = _number(step_text, range(1, allowed[-1] + 1), {}) if step_text else 1
        if span == "*":
            begin, end = allowed[0], allowed[-1]
        elif "-" in span:
            first, _, last = span.partition("-")
            begin, end = _number(first, allowed, names or {}), _number(last, allowed, names or {})
        else:
            begin = _number(span, allowed, names or {})
            end = allowed[-1] if step_text else begin
        if begin > end:  # a range may go over the end: FRI-MON
            end += len(allowed)
        found.update((number - allowed[0]) % len(allowed) + allowed[0] for number in range(begin, end + 1, step))
    return frozenset(found)


def _number(text: str, allowed: range, names: Mapping[str, int]) -> int:
    number = names.get(text)
    if number is None:
        if not re.fullmatch("[0-9]{1,4}", text):
            raise InvalidSchedule(text)
        number = int(text)
    if number not in allowed:
        raise InvalidSchedule(text)
    return number
