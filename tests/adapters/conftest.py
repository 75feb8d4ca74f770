"""An IMAP server for each test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.adapters.imap_folder import MAILS
from tests.adapters.scripted_imap import ScriptedImap


@pytest.fixture
def server() -> Iterator[ScriptedImap]:
    with ScriptedImap(MAILS) as running:
        yield running
