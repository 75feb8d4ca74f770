"""View model of the letter that tells a requester what to do instead, or why something cannot be."""

from __future__ import annotations

from dataclasses import dataclass

from mailbot.correspondence.context import LongText, RequesterTicketView


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidanceView(RequesterTicketView):
    """What the requester has to do instead, in the catalogue's words with the request's own figures in them.

    ``denied``: what was asked for cannot be. ``linked_ticket`` is the number of a ticket that was opened beside
    this one and ``linked_name`` what it is for. ``correction``: it follows a reprocessing.
    """

    title: str
    text: LongText
    denied: bool
    link_label: str = ""
    link_url: str = ""
    linked_ticket: str = ""
    linked_name: str = ""
    reopen_until: str = ""
    understood_as: str = ""
    right_subject: str = ""
    correction: bool = False
