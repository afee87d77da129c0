"""The metrics store: series of values in an SQLite file of their own, added up by second and by minute.

Writers hand over values and go on: values are added up in memory, and a thread writes what came together in half a
second as one transaction. So a `kill -9` loses the last second at most, and writing never waits for the disk. What is
older than `keep_seconds` goes, and then the oldest while the file has more than `largest_bytes`.
"""

import json
import logging
import math
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from samebox.resources import histogram
from samebox.resources.metrics import MetricPeriod, MetricSeries

log = logging.getLogger(__name__)

SECOND, MINUTE = 1, 60
FLUSH_SECONDS = 0.5
# CloudWatch keeps minutes for 15 days.
KEEP_SECONDS = 15 * 86_400
LARGEST_BYTES = 256 * 1024 * 1024
# How many periods may wait for the disk. More than that is a disk that takes nothing; what comes then is lost.
MOST_WAITING = 100_000
_CLEAN_SECONDS = 60
_BUSY_SECONDS = 30.0
_VERSION = 1
_SCHEMA = """
CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    account TEXT NOT NULL, region TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
    dimensions TEXT NOT NULL, unit TEXT NOT NULL,
    UNIQUE (account, region, namespace, name, dimensions, unit)
);
CREATE TABLE periods (
    series INTEGER NOT NULL, length INTEGER NOT NULL, start INTEGER NOT NULL,
    total REAL NOT NULL, minimum REAL NOT NULL, maximum REAL NOT NULL, count REAL NOT NULL, histogram BLOB,
    PRIMARY KEY (series, length, start)
) WITHOUT ROWID;
CREATE INDEX periods_by_start ON periods (start);
"""
_UPSERT = """
INSERT INTO periods VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (series, length, start) DO UPDATE SET
    total = total + excluded.total, minimum = min(minimum, excluded.minimum),
    maximum = max(maximum, excluded.maximum), count = count + excluded.count,
    histogram = add_histograms(histogram, excluded.histogram)
"""
_READ = """
SELECT (start - :begin) / :length * :length + :begin AS place, sum(total), min(minimum), max(maximum), sum(count)
FROM periods WHERE series = :series AND length = :kept AND start >= :begin AND start < :end
GROUP BY place ORDER BY place
"""
_READ_HISTOGRAMS = """
SELECT (start - :begin) / :length * :length + :begin, histogram
FROM periods WHERE series = :series AND length = :kept AND start >= :begin AND start < :end
"""

_Key = tuple[MetricSeries, int, int]  # of a period: its series, its length, its start


class _Sum:
    """What the values of a period come to so far. `counts` is None where there is no histogram."""

    __slots__ = ("count", "counts", "maximum", "minimum", "total")

    def __init__(self) -> None:
        self.total, self.count = 0.0, 0.0
        self.minimum, self.maximum = math.inf, -math.inf
        self.counts: dict[int, float] | None = {}

    def add(self, total: float, minimum: float, maximum: float, count: float) -> None:
        self.total += total
        self.count += count
        self.minimum, self.maximum = min(self.minimum, minimum), max(self.maximum, maximum)

    def count_value(self, bucket: int | None, count: float) -> None:
        if bucket is None:
            self.counts = None
        elif self.counts is not None:
            self.counts[bucket] = self.counts.get(bucket, 0.0) + count

    def add_all(self, other: "_Sum") -> None:
        self.add(other.total, other.minimum, other.maximum, other.count)
        if self.counts is not None and other.counts is not None:
            histogram.add(self.counts, other.counts)
        else:
            self.counts = None


class MetricsStore:
    """Every series of one emulator. Thread-safe. `clock` is epoch seconds."""

    def __init__(
        self,
        path: Path,
        clock: Callable[[], float],
        keep_seconds: int = KEEP_SECONDS,
        largest_bytes: int = LARGEST_BYTES,
    ) -> None:
        self._clock = clock
        self._keep_seconds, self._largest_bytes = keep_seconds, largest_bytes
        self._waiting: dict[_Key, _Sum] = {}
        self._lost = 0
        self._lock = threading.Lock()  # of what waits
        self._database = threading.Lock()  # of the connection
        self._ids: dict[MetricSeries, int] = {}
        self._connection = _open(path)
        self._cleaned = clock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._write, name="metrics")
        self._thread.start()

    def put(self, series: MetricSeries, time: float, value: float, count: float = 1, by_second: bool = False) -> None:
        """Add a value that came at `time`, `count` times. By minute; `by_second` too, for short periods."""
        self.put_counts(series, time, {value: count}, by_second)

    def put_counts(
        self, series: MetricSeries, time: float, counts: Mapping[float, float], by_second: bool = False
    ) -> None:
        """As `put`, of several values, each of which came so many times."""
        values = [(None if value < 0 else histogram.bucket_of(value), value, count) for value, count in counts.items()]
        with self._lock:
            for one in self._sums(series, int(time), by_second):
                for bucket, value, count in values:
                    one.add(value * count, value, value, count)
                    one.count_value(bucket, count)

    def put_sum(
        self,
        series: MetricSeries,
        time: float,
        total: float,
        minimum: float,
        maximum: float,
        count: float,
        by_second: bool = False,
    ) -> None:
        """Add what `count` values came to, which are not known. Their period has no percentiles then."""
        with self._lock:
            for one in self._sums(series, int(time), by_second):
                one.add(total, minimum, maximum, count)
                one.count_value(None, count)

    def series(
        self,
        account: str,
        region: str,
        namespace: str | None = None,
        name: str | None = None,
        dimensions: Mapping[str, str | None] | None = None,
        since: float | None = None,
    ) -> list[MetricSeries]:
        """Every series of these, in order; `dimensions` are some of those it has, None for any value of one."""
        self.flush()
        asked = (account, region, namespace, namespace, name, name, since, since)
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT namespace, name, dimensions, unit FROM series WHERE account = ? AND region = ?"
                " AND (? IS NULL OR namespace = ?) AND (? IS NULL OR name = ?)"
                " AND (? IS NULL OR EXISTS (SELECT 1 FROM periods WHERE series = id AND start >= ?))",
                asked,
            ).fetchall()
        found = [
            MetricSeries(account, region, space, of, tuple((key, value) for key, value in json.loads(text)), unit)
            for space, of, text, unit in rows
        ]
        wanted = (dimensions or {}).items()
        matching = [one for one in found if all(_has(one, key, value) for key, value in wanted)]
        return sorted(matching, key=lambda one: (one.namespace, one.name, one.dimensions, one.unit))

    def read(
        self, series: MetricSeries, begin: float, end: float, length: int, percentiles: bool = False
    ) -> list[MetricPeriod]:
        """What each period of `length` seconds from `begin` until before `end` came to, the oldest first.

        Values are there by minute, so `begin` should be a whole one; by second, where they were put so, for a length
        that is not a whole number of minutes. Periods without a value are left out, and histograms are there only where
        `percentiles` asks for them.
        """
        self.flush()
        kept = SECOND if length % MINUTE else MINUTE
        with self._reading() as connection:
            number = self._id(connection, series, make=False)
            if number is None:
                return []
            asked = {"series": number, "kept": kept, "length": length, "begin": int(begin), "end": int(end)}
            rows = connection.execute(_READ, asked).fetchall()
            counts = _histograms(connection.execute(_READ_HISTOGRAMS, asked)) if percentiles else {}
        return [
            MetricPeriod(place, total, least, most, count, counts.get(place))
            for place, total, least, most, count in rows
        ]

    def flush(self) -> None:
        """Write what waits. Raises sqlite3.Error where the disk takes nothing; it waits on then."""
        with self._database:
            with self._lock:
                waiting, self._waiting = self._waiting, {}
                lost, self._lost = self._lost, 0
            if lost:
                log.warning("metrics: %d values are lost, as they could not be written in time", lost)
            try:
                with self._connection:
                    self._connection.executemany(_UPSERT, self._rows(waiting))
            except sqlite3.Error:
                self._ids.clear()  # series that were made in the transaction are not there
                with self._lock:
                    for key, one in self._waiting.items():
                        waiting.setdefault(key, _Sum()).add_all(one)
                    self._waiting = waiting
                raise

    def close(self) -> None:
        """Write what waits, and end."""
        self._closing.set()
        self._thread.join()
        self._connection.close()

    def _sums(self, series: MetricSeries, time: int, by_second: bool) -> Iterator[_Sum]:
        for length in (MINUTE, SECOND) if by_second else (MINUTE,):
            key = (series, length, time // length * length)
            one = self._waiting.get(key)
            if one is None and len(self._waiting) >= MOST_WAITING:
                self._lost += 1
                continue
            if one is None:
                one = self._waiting[key] = _Sum()
            yield one

    def _rows(self, waiting: Mapping[_Key, _Sum]) -> Iterator[tuple[object, ...]]:
        for (series, length, start), one in waiting.items():
            counts = None if one.counts is None else histogram.pack(one.counts)
            number = self._id(self._connection, series)
            yield (number, length, start, one.total, one.minimum, one.maximum, one.count, counts)

    def _id(self, connection: sqlite3.Connection, series: MetricSeries, make: bool = True) -> int | None:
        if series in self._ids:
            return self._ids[series]
        of = (series.account, series.region, series.namespace, series.name)
        values = (*of, json.dumps(series.dimensions), series.unit)
        if make:
            connection.execute(
                "INSERT OR IGNORE INTO series (account, region, namespace, name, dimensions, unit)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                values,
            )
        found = connection.execute(
            "SELECT id FROM series WHERE account = ? AND region = ? AND namespace = ? AND name = ? AND dimensions = ?"
            " AND unit = ?",
            values,
        ).fetchone()
        if found is None:
            return None
        self._ids[series] = int(found[0])
        return self._ids[series]

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._database:
            yield self._connection

    def _write(self) -> None:
        while not self._closing.wait(FLUSH_SECONDS):
            self._try(self.flush)
            if self._clock() >= self._cleaned + _CLEAN_SECONDS:
                self._cleaned = self._clock()
                self._try(self.clean)
        self._try(self.flush)

    def _try(self, work: Callable[[], None]) -> None:
        try:
            work()
        except sqlite3.Error as error:
            log.warning("metrics cannot be written: %s", error)

    def clean(self) -> None:
        """Remove what is too old, and the oldest tenth while the file is too large; series without values go too."""
        with self._database, self._connection as connection:
            connection.execute("DELETE FROM periods WHERE start < ?", (int(self._clock()) - self._keep_seconds,))
            while _bytes(connection) > self._largest_bytes:
                tenth = "SELECT start FROM periods ORDER BY start LIMIT 1 OFFSET (SELECT count(*) / 10 FROM periods)"
                (until,) = connection.execute(tenth).fetchone() or (None,)
                if until is None or not connection.execute("DELETE FROM periods WHERE start <= ?", (until,)).rowcount:
                    break
            connection.execute("DELETE FROM series WHERE NOT EXISTS (SELECT 1 FROM periods WHERE series = id)")
            self._ids.clear()
        with self._database:
            # Each step of the statement frees one page, and `execute` makes but one.
            self._connection.executescript("PRAGMA incremental_vacuum;")


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, check_same_thread=False)
    connection.create_function("add_histograms", 2, _add_histograms, deterministic=True)
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    # A transaction that a killed process made is with the system, which writes it; only a power cut may lose it.
    connection.execute("PRAGMA synchronous = NORMAL")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == 0:
        connection.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;")
    return connection


def _add_histograms(one: bytes | None, other: bytes | None) -> bytes | None:
    if one is None or other is None:
        return None
    total = histogram.unpack(one)
    histogram.add(total, histogram.unpack(other))
    return histogram.pack(total)


def _histograms(rows: Iterator[Sequence[object]]) -> dict[int, Mapping[int, float] | None]:
    """The histogram of each period, None where a part of it has none."""
    total: dict[int, dict[int, float]] = {}
    without = set()
    for place, packed in rows:
        assert isinstance(place, int)
        if not isinstance(packed, bytes):
            without.add(place)
        elif place in total:
            histogram.add(total[place], histogram.unpack(packed))
        else:
            total[place] = histogram.unpack(packed)
    return {place: counts for place, counts in total.items() if place not in without}


def _has(series: MetricSeries, name: str, value: str | None) -> bool:
    return any(key == name and value in (None, of) for key, of in series.dimensions)


def _bytes(connection: sqlite3.Connection) -> int:
    """What is in use; pages that are free are given back."""
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)
