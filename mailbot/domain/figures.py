"""How the house stands, as monitors ask for it: counts, ages, servers in trouble."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mailbot.domain.ledger import FolderMemory
from mailbot.domain.troubles import Trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseFigures:
    """What the database tells at one moment. Ages are in seconds, ``None`` where nothing waits.

    ``mails_waiting`` is counted up to a limit: beyond it the exact number costs more than it tells.
    """

    at: datetime
    mails_waiting: int
    oldest_mail_age_seconds: float | None
    oldest_letter_age_seconds: float | None
    quarantined: int
    letters_held: int
    letters_needing_person: int
    folders: tuple[FolderMemory, ...]
    troubles: tuple[Trouble, ...]
