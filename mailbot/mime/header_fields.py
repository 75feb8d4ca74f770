"""The header of a mail: its fields as they came, and addresses and date as mail-parser reads them.

mail-parser reads what is hardest to read safely, the address fields (CVE-2023-27043 and its kin) and dates. It is
given the header fields that it is asked about and no body: some parts it drops or distorts (LIBRARIES §3). Its
functions for addresses and dates are asked by themselves: to be looked at when its version moves.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

from mailbot.domain.mail import Address
from mailbot.mime.defects import Defect
from mailbot.mime.headers import decode_words, decoded, shown, single_message_id
from mailbot.mime.structure import Part

# mail-parser logs header values, which are personal data.
logging.getLogger("mailparser").setLevel(logging.CRITICAL)

MADE_UP_ID_DOMAIN = "mailbot.invalid"
MAX_ADDRESS_FIELD_CHARACTERS = 64 * 1024
MAX_ADDRESS_CHARACTERS = 320
_MAX_DATE_CHARACTERS = 200
# Of longer fields there is none that comes again and again.
_MAX_REMEMBERED_CHARACTERS = 1000
_MAX_FROM_FIELDS = 10
_DELIVERED_TO_FIELDS = frozenset({"delivered-to", "x-original-to", "envelope-to", "x-envelope-to"})
_SINGLE_FIELDS = ("from", "subject", "message-id", "date", "reply-to", "to", "cc", "in-reply-to", "references")
_FOLDS = re.compile(r"[\r\n]+")


class Fields:
    """The header fields of a mail: raw octets recovered, nothing decoded or unfolded yet."""

    def __init__(self, root: Part) -> None:
        self._items = [(name.lower(), str(value)) for name, value in root.raw_items()]
        self._by_name: dict[str, list[str]] = {}
        for name, value in self._items:
            self._by_name.setdefault(name, []).append(value)

    def first(self, name: str) -> str:
        """The first value of a field, or an empty string."""
        return self._by_name.get(name, [""])[0]

    def all(self, name: str) -> list[str]:
        """All values of a field from the top."""
        return self._by_name.get(name, [])

    def joined(self, name: str) -> str:
        """All values of an address field as one list."""
        return ", ".join(self.all(name))

    def decoded(self) -> tuple[tuple[str, str], ...]:
        """Every field, decoded and on one line."""
        return tuple((name, decoded(value)) for name, value in self._items)

    def delivered_to(self) -> tuple[str, ...]:
        """Where our server delivered to, in lower case, without doubles."""
        values = [value for name, value in self._items if name in _DELIVERED_TO_FIELDS]
        addresses = [part.strip(" \t\r\n<>").lower() for value in values for part in value.split(",")]
        return tuple(dict.fromkeys(address for address in addresses if "@" in address))

    def return_path(self) -> str | None:
        """The envelope sender that our server noted: empty for ``<>``, ``None`` if it noted nothing."""
        values = self.all("return-path")
        return values[0].strip().strip("<>").strip().lower() if values else None

    def defects(self) -> Iterable[Defect]:
        """What is wrong with the header itself."""
        if not single_message_id(self.first("message-id")):
            yield Defect.MESSAGE_ID_MISSING
        if any(len(self.all(name)) > 1 for name in _SINGLE_FIELDS):
            yield Defect.FIELD_REPEATED


def message_id_of(fields: Fields, raw: bytes) -> str:
    """The mail's Message-ID without brackets, or one made up from its bytes."""
    return single_message_id(fields.first("message-id")) or made_up_id(raw)


def made_up_id(raw: bytes) -> str:
    """An id for a mail that has none (THREATS 33)."""
    return f"sha256-{hashlib.sha256(raw).hexdigest()}@{MADE_UP_ID_DOMAIN}"


def identity_of(fields: Fields, subject: str, leaf_digests: Sequence[bytes]) -> str:
    """A digest that two deliveries of one mail share: trace headers, line ends, folding and transfer
    encodings do not enter into it."""
    digest = hashlib.sha256()
    head = (decoded(fields.first("from")), decoded(fields.first("date")), subject)
    for piece in (*(value.encode("utf-8", "replace") for value in head), *leaf_digests):
        digest.update(len(piece).to_bytes(8, "big") + piece)
    return digest.hexdigest()


class ReadHeader:
    """Address fields and the field ``date``, by their names in small letters, as mail-parser reads them.

    It is asked for these fields and nothing else: as a parser of mails it would read every field twice and every
    part besides, which is done here in its own way.
    """

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._addresses: dict[str, tuple[Address, ...]] = {}
        self._is_doubtful = False
        for name, value in fields.items():
            if value and name != "date":
                self._addresses[name], is_doubtful = _addresses_in(_bounded(value))
                self._is_doubtful |= is_doubtful
        self._cut = any(len(value) > MAX_ADDRESS_FIELD_CHARACTERS for value in fields.values())
        self.sent_at = _date_of(fields.get("date", ""))
        """The Date field in UTC; ``None`` if there is none or it means nothing."""

    def addresses(self, name: str) -> tuple[Address, ...]:
        """The mailboxes of an address field; what is ambiguous or no address is left out."""
        return self._addresses.get(name, ())

    def defects(self) -> Iterable[Defect]:
        """What could not be read, or only by guessing."""
        if self._cut or self._is_doubtful or not self.addresses("from"):
            yield Defect.ADDRESS_UNREADABLE
        if self.sent_at is None:
            yield Defect.DATE_UNREADABLE


def further_senders(fields: Fields) -> tuple[Address, ...]:
    """The addresses of all From fields but the first: a mail has only one, who sends more is unverified."""
    further = fields.all("from")[1:_MAX_FROM_FIELDS]
    return tuple(address for value in further for address in ReadHeader({"from": value}).addresses("from"))


def _addresses_in(value: str) -> tuple[tuple[Address, ...], bool]:
    """The mailboxes of an address field, and whether any had to be guessed or left out."""
    return _read_once(value) if len(value) <= _MAX_REMEMBERED_CHARACTERS else _read_addresses(value)


def _read_addresses(value: str) -> tuple[tuple[Address, ...], bool]:
    # Imported late: the daemon's first command to the server need not wait for it.
    from mailparser.utils import get_addresses

    doubts: list[object] = []
    pairs = get_addresses(value, defects=doubts, decode_names=True)
    # Who has no name but the address has none.
    found = [_address("" if display == address else display, address) for display, address in pairs]
    return tuple(address for address in found if address is not None), bool(doubts)


# Nearly all mails are addressed alike, and one sender's follow each other.
_read_once = lru_cache(maxsize=128)(_read_addresses)


def _address(display: str, address: str) -> Address | None:
    """An address in ASCII (domain in IDNA form, THREATS 17), or ``None`` if it has no such form."""
    local, _, domain = address.lower().rpartition("@")
    if not local or not domain or len(address) > MAX_ADDRESS_CHARACTERS:
        return None
    try:
        ascii_domain = domain if domain.isascii() else domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None
    whole = f"{local}@{ascii_domain}"
    if not whole.isascii() or not whole.isprintable():
        return None
    return Address(address=whole, name=shown(decode_words(display)))


def _bounded(value: str) -> str:
    return _FOLDS.sub(" ", value[:MAX_ADDRESS_FIELD_CHARACTERS])


def _date_of(value: str) -> datetime | None:
    """A Date field in UTC; ``None`` if it is empty or means nothing."""
    from mailparser.dates import parse_mail_date

    read = parse_mail_date(_bounded(value)).value if value else None
    return read.astimezone(UTC) if read is not None else _lenient_date(value)


def _lenient_date(value: str) -> datetime | None:
    """Dates in forms that mail-parser is too strict for; one without a zone says too little to be used."""
    if not value or len(value) > _MAX_DATE_CHARACTERS:
        return None
    try:
        read = parsedate_to_datetime(value)
        return read.astimezone(UTC) if read.tzinfo is not None else None
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
