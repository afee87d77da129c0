"""`samebox metrics`: what a job has published, drawn or as a table."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image, ImageColor

from samebox import cli
from samebox.commands import aws as clients
from samebox.commands import chart
from samebox.commands.metrics import Curve, drawn
from samebox.resources.metrics import MetricSeries
from tests.conftest import ACCOUNT, REGION, Aws

PANELS = [chart._SCALE * (chart._TITLE + chart._PANEL * number) for number in (0, 1)]  # where each begins
GROUP = "/aws/sagemaker/TrainingJobs"


@pytest.fixture(autouse=True)
def session(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> clients.Session:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCOUNT)
    monkeypatch.setenv("AWS_REGION", REGION)
    session = clients.of_emulator(aws.url, aws.services.settings)
    monkeypatch.setattr(clients, "of_running", lambda _: session)
    return session


def publish(aws: Aws, name: str, dimension: tuple[str, str], *values: float, at: float) -> None:
    series = MetricSeries.of(ACCOUNT, REGION, GROUP, name, dict([dimension]))
    for number, value in enumerate(values):
        aws.services.metrics.put(series, at + number, value, by_second=True)


def test_the_metrics_of_one_job_are_drawn_those_of_its_log_first(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    created = aws.row(aws.create("TrainingJob", TrainingJobName="digits")).created
    publish(aws, "CPUUtilization", ("Host", "digits/algo-1"), 150.0, at=created)
    publish(aws, "loss", ("TrainingJobName", "digits"), 4.0, 2.0, 1.0, at=created)
    publish(aws, "loss", ("TrainingJobName", "digits-2"), 9.0, at=created)
    assert cli.main(["metrics", "digits"]) == 0
    titles, loss, cpu = capsys.readouterr().out.splitlines()
    assert titles.split() == ["METRIC", "LAST", "LEAST", "MOST"]
    assert loss.split() == ["loss", "1", "1", "4", "█▃▁"]
    assert cpu.split()[:5] == ["algo-1", "CPUUtilization", "150", "150", "150"]


def test_a_table_has_each_value_in_the_order_of_time(
    aws: Aws, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    created = aws.row(aws.create("TrainingJob", TrainingJobName="digits")).created
    publish(aws, "loss", ("TrainingJobName", "digits"), 4.0, 2.5, at=created)
    file = tmp_path / "metrics.csv"
    assert cli.main(["metrics", "digits", "--csv", str(file)]) == 0
    titles, *rows = file.read_text().splitlines()
    assert titles == "time,metric,value"
    assert [row.split(",")[1:] for row in rows] == [["loss", "4.0"], ["loss", "2.5"]]
    assert cli.main(["metrics", "digits", "--csv", "-"]) == 0
    assert capsys.readouterr().out.splitlines() == [titles, *rows]


def test_a_job_without_metrics_and_a_name_of_no_job_are_named(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.create("TrainingJob", TrainingJobName="digits")
    for name, message in (("digits", "digits has no metrics yet."), ("none", "no job is named none.")):
        assert cli.main(["metrics", name]) == 1
        assert message in capsys.readouterr().err


def test_many_values_are_drawn_in_forty_columns() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    line = drawn([Curve("loss", (at,) * 1000, tuple(float(one) for one in range(1000)))]).splitlines()[1]
    bars = line.split()[-1]
    assert (len(bars), bars[0], bars[-1]) == (40, "▁", "█")


def test_a_picture_has_a_panel_for_each_metric_and_a_colour_for_each_host(aws: Aws, tmp_path: Path) -> None:
    created = aws.row(aws.create("TrainingJob", TrainingJobName="digits")).created
    publish(aws, "loss", ("TrainingJobName", "digits"), 4.0, 2.0, 1.0, at=created)
    for host in ("algo-1", "algo-2"):
        publish(aws, "CPUUtilization", ("Host", f"digits/{host}"), 100.0, 150.0, at=created)
    file = tmp_path / "metrics.png"
    assert cli.main(["metrics", "digits", "--png", str(file)]) == 0
    with Image.open(file) as picture:
        assert picture.format == "PNG"
        found = picture.convert("RGB")
    one = chart._TITLE + chart._PANEL + chart._FOOT
    assert found.size == (chart._WIDTH * 2, (one + chart._PANEL) * 2)
    panels = [found.crop((0, top, found.width, top + 2 * chart._PANEL)) for top in PANELS]
    upper, lower = ({colour for _, colour in panel.getcolors(found.width * found.height) or ()} for panel in panels)
    first, second = (ImageColor.getrgb(colour) for colour in chart._COLOURS[:2])
    assert (first in upper, second in upper) == (True, False)
    assert (first in lower, second in lower) == (True, True)


@pytest.mark.parametrize(
    ("least", "most", "marks"),
    [
        (0.0, 1.0, [0.0, 0.5, 1.0]),
        (0.063, 2.3, [0.0, 1.0, 2.0, 3.0]),
        (120.0, 200.0, [120.0, 140.0, 160.0, 180.0, 200.0]),
        (-3.0, 4.0, [-4.0, -2.0, 0.0, 2.0, 4.0]),
        (5.0, 5.0, [4.0, 6.0]),
        (0.0, 0.0, [0.0, 0.5]),
        (1e-7, 3e-7, [1e-07, 1.5e-07, 2e-07, 2.5e-07, 3e-07]),
    ],
)
def test_marks_of_an_axis_are_round_numbers_around_the_values(least: float, most: float, marks: list[float]) -> None:
    assert chart.ticks(least, most) == pytest.approx(marks)


def test_without_pillow_a_picture_names_what_to_install(
    aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(chart, "Image", None)
    created = aws.row(aws.create("TrainingJob", TrainingJobName="digits")).created
    publish(aws, "loss", ("TrainingJobName", "digits"), 4.0, at=created)
    assert cli.main(["metrics", "digits", "--png", str(tmp_path / "metrics.png")]) == 2
    assert "pip install 'samebox[png]'" in capsys.readouterr().err
    assert not list(tmp_path.glob("*.png"))
