"""pytest's hooks: options, markers, and the checks of the image as tests.

Nothing of the kit is imported before an image is given, and no engine is contacted before a test needs it: collection
takes no longer than without the plugin.
"""

from __future__ import annotations

import pytest

from samebox.testing import options

# A plugin's fixtures are found among its names.
from samebox.testing.fixtures import endpoint, samebox_image, train_run

__all__ = ["endpoint", "samebox_image", "train_run"]


def pytest_addoption(parser: pytest.Parser) -> None:
    options.add(parser)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "samebox: a check of the contract kit (--samebox-image)")
    name = options.image(config)
    if not name:
        return
    from samebox.testing import items, kit

    _take_our_arguments(config, name)
    made = kit.of(config)
    for line in items.markers(made.checks):
        config.addinivalue_line("markers", line)


def pytest_sessionstart(session: pytest.Session) -> None:
    config = session.config
    if config.pluginmanager.hasplugin("dsession") and options.image(config):
        from samebox.testing import kit

        # Where xdist's workers do the work, this process ends them, and then looks for what they have left.
        config.add_cleanup(kit.sweep)
        config.add_cleanup(kit.end_at_sigterm())


def pytest_report_header(config: pytest.Config) -> str | None:
    name = options.image(config)
    if not name:
        return None
    claims = ", ".join(options.value(config, "claims")) or "what it is for is judged by its PATH"
    return f"samebox: {name} ({claims})"


@pytest.hookimpl(tryfirst=True)  # before -k and -m choose, and before xdist names groups
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    name = options.image(config)
    if name and (options.is_on_the_command_line(config) or config.args_source is not config.ArgsSource.ARGS):
        from samebox.testing.items import ImageChecks

        image: ImageChecks = ImageChecks.from_parent(session, name=name, nodeid=name)
        items.extend(session.genitems(image))


def pytest_collection_finish(session: pytest.Session) -> None:
    # A worker of xdist's does not know which of them will be its own.
    if options.image(session.config) and not hasattr(session.config, "workerinput"):
        from samebox.testing import items, kit

        chosen = [one.check for one in session.items if isinstance(one, items.ImageCheck)]
        kit.of(session.config).chosen = chosen


def _take_our_arguments(config: pytest.Config, name: str) -> None:
    """`pytest IMAGE::serve-starts`, as a report names a test, chooses that check; for pytest it would be a file."""
    ours = [one for one in config.args if one.startswith(f"{name}::")]
    if ours:
        config.args[:] = [one for one in config.args if one not in ours]
        config.option.samebox_image = name
        # Behind the @ is xdist's group.
        config.option.samebox_only = [one.removeprefix(f"{name}::").partition("@")[0] for one in ours]
