"""Sites for the kill tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailbot.demo.servers import EmbeddedServers
from tests.kill.site import Embedded, Real, Site
from tests.peers.stack import MailStack


@pytest.fixture(scope="session")
def embedded() -> Iterator[Embedded]:
    with EmbeddedServers() as servers:
        yield Embedded(servers)


@pytest.fixture
def site(embedded: Embedded, tmp_path: Path) -> Site:
    """A mailbox on the embedded servers."""
    return Site(embedded, tmp_path)


@pytest.fixture
def real_site(mail_stack: MailStack, tmp_path: Path) -> Site:
    """A mailbox on Dovecot, Postfix and rspamd."""
    return Site(Real(mail_stack), tmp_path)
