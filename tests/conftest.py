"""The peers as fixtures, one of each per test process; what needs one that is not here skips by name."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests import peers
from tests.peers.dovecot import Dovecot
from tests.peers.postfix import Postfix
from tests.peers.postgresql import PostgreSQL
from tests.peers.stack import MailStack

_NEEDS = {
    "dovecot": ("dovecot",),
    "postfix": ("dovecot", "postfix"),
    "mail_stack": ("dovecot", "postfix", "rspamd"),
    "chromium": ("chromium",),
    "postgresql": ("postgresql",),
}
"""Fixture → the markers that a test using it gets, so that `-m "not postfix"` leaves it out."""

# A machine that is busy, or stands still for a while, says nothing about a property.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with the peers that its fixtures need."""
    for item in items:
        for fixture in getattr(item, "fixturenames", ()):
            for marker in _NEEDS.get(fixture, ()):
                item.add_marker(marker)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that needs what is not here, naming it; fail it instead where all peers are required."""
    for peer in peers.PEERS:
        reason = peers.missing(peer) if item.get_closest_marker(peer) else None
        if reason and peers.are_required():
            pytest.fail(reason, pytrace=False)
        if reason:
            pytest.skip(reason)
    if item.get_closest_marker("corpora") and (reason := peers.missing_corpora()):
        pytest.skip(reason)


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    """A running Dovecot, shared by the process's tests: take users of your own with `new_user`."""
    with Dovecot() as server:
        yield server


@pytest.fixture(scope="session")
def postfix(dovecot: Dovecot) -> Iterator[Postfix]:
    """A running Postfix that delivers to `dovecot`, unchecked by any milter."""
    with Postfix(dovecot) as server:
        yield server


@pytest.fixture(scope="session")
def mail_stack() -> Iterator[MailStack]:
    """Dovecot, Postfix and rspamd with its name server, separate from the other fixtures' servers."""
    with MailStack() as stack:
        yield stack


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A running PostgreSQL, shared by the process's tests: take databases of your own with `new_database`."""
    with PostgreSQL() as server:
        yield server


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the Chromium binary."""
    path = shutil.which("chromium")
    assert path is not None
    return path
