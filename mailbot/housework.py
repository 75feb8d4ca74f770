"""What daemon and round do beside the mails: warm up, warn, and look after what time does."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import structlog

from mailbot.bootstrap import App
from mailbot.domain.errors import LetterError
from mailbot.domain.events import LetterKind

_log = structlog.get_logger("mailbot.round")

_FIRST_LETTERS = (LetterKind.TICKET_OPENED, LetterKind.EVIDENCE_REQUESTED, LetterKind.TICKET_READY)
_A_MAIL = b"From: <cliente@example.com.br>\r\nSubject: Oi\r\nContent-Type: text/html\r\n\r\n<p>Bom dia</p>\r\n"
_UPKEEP_LEASE = "upkeep"


def warm_up(app: App) -> None:
    """Import, and make of the catalogue, what the first mail and its letter need before a mail is claimed.

    It takes longer than a hundred mails, and a process that is killed meanwhile should have none in hand: a
    good mail that is the first of five starts that come to nothing would be quarantined.
    """
    from mailbot.correspondence.samples import sample_views
    from mailbot.evidence.fields import mail_text, read_labels
    from mailbot.mime.parse import parse_mail

    parse_mail(_A_MAIL)
    today = app.catalogue.calendar.local_day(app.clock.now())
    for request_type in app.catalogue.request_types.values():
        # How a type's labels are found is made when a mail has one of them.
        labels = "".join(f"{spec.label}:\n" for spec in request_type.fields)
        read_labels(request_type, mail_text(labels), app.catalogue.units, today=today)
    # A template that is wrong is for the mail to meet whose letter it is.
    with suppress(LetterError):
        for kind, views in sample_views(app.settings.templates_dir, letters=_FIRST_LETTERS).items():
            app.renderer.render(kind, views[0])
    app.calendar.after_business_hours(app.clock.now(), 1)


def warn_of_types_that_are_gone(app: App) -> None:
    """Tickets whose request type is no longer in the catalogue wait for a person: somebody should know."""
    with app.storage.read() as work:
        gone = sorted(key for key in work.workload.types_in_use() if not app.catalogue.has_type(key))
    if gone:
        _log.warning("tickets of request types that are gone", action="daemon.types_gone", request_types=gone)


def tick(app: App) -> None:
    """Upkeep, digests and alarms, unless another process has them in hand. Raises ``StorageUnavailable``."""
    with app.storage.write() as work:
        if work.house.take_lease(_UPKEEP_LEASE, app.owner, real_now=datetime.now(UTC)) is None:
            return
    try:
        app.upkeep.tick()
        app.digests.tick()
    finally:
        # Whatever is wrong with a ticket, the administrator hears what there is to hear.
        app.alarms.tick()
