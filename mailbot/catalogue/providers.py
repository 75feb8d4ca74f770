"""What mail providers are known for: limits and habits that a mailbox on their servers has to live with.

``(what mailboxes.yaml says, the servers' host names) → Provider``. One row a provider, figures only where the
provider publishes them (README, *Settings that are known to work*, says where); what a row leaves open is found
out at the server or not assumed. Nothing else in the code knows a provider by name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A provider's limits for one mailbox; ``None`` where none is published.

    ``hosts`` are the domains by which its servers are recognised. ``smtp_connections`` and
    ``imap_connections`` are at one time, ``letters_per_minute`` and ``letters_per_day`` count what is
    submitted. ``saves_sent``: whether a copy of what is submitted is in the sent folder without our doing.
    ``rewrites_message_ids``: whether a letter may arrive under another Message-ID than ours.
    """

    key: str
    name: str
    hosts: tuple[str, ...] = ()
    smtp_connections: int | None = None
    imap_connections: int | None = None
    letters_per_minute: int | None = None
    letters_per_day: int | None = None
    keeps_keywords: bool | None = None
    saves_sent: bool | None = None
    rewrites_message_ids: bool = False


GENERIC = Provider(key="generic", name="own server")
"""A server of which nothing is known beforehand."""

PROVIDERS: tuple[Provider, ...] = (
    Provider(
        key="microsoft365",
        name="Microsoft 365",
        hosts=("office365.com", "outlook.com", "office365.us", "outlook.cn"),
        smtp_connections=3,
        letters_per_minute=30,
        letters_per_day=10_000,
        keeps_keywords=False,
        saves_sent=True,
        rewrites_message_ids=True,
    ),
    Provider(
        key="gmail",
        name="Gmail",
        hosts=("gmail.com", "googlemail.com"),
        imap_connections=15,
        letters_per_day=2_000,
        saves_sent=True,
    ),
    Provider(key="zoho", name="Zoho", hosts=("zoho.com", "zoho.eu", "zoho.in", "zoho.com.au", "zoho.jp")),
    Provider(key="cpanel", name="cPanel"),
    Provider(key="locaweb", name="Locaweb", hosts=("email-ssl.com.br",)),
    Provider(key="uol_host", name="UOL Host", hosts=("uhserver.com",)),
    GENERIC,
)

_BY_KEY = {provider.key: provider for provider in PROVIDERS}


def provider_of(stated: str, hosts: Iterable[str]) -> Provider:
    """The provider named ``stated``, or with ``auto`` the one to which all of ``hosts`` belong.

    A mailbox read at one provider that sends through another's server has nobody's habits.
    """
    if stated != "auto":
        return _BY_KEY[stated]
    found = {_provider_of_host(host.lower().rstrip(".")).key for host in hosts}
    return _BY_KEY[found.pop()] if len(found) == 1 else GENERIC


def _provider_of_host(host: str) -> Provider:
    for provider in PROVIDERS:
        if any(host == known or host.endswith(f".{known}") for known in provider.hosts):
            return provider
    return GENERIC
