"""Mail as values: what was fetched, what it says, who it is from."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A mailbox of RFC 5322: ``address`` is lower-cased ASCII (domain in IDNA form), ``name`` is for show only.

    The name never identifies anybody (THREATS 17).
    """

    address: str
    name: str = ""

    @property
    def domain(self) -> str:
        """The part after the last ``@``, or an empty string."""
        return self.address.rpartition("@")[2] if "@" in self.address else ""

    @property
    def local_part(self) -> str:
        """The part before the last ``@``."""
        return self.address.rpartition("@")[0]


NOBODY = Address(address="")


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedMail:
    """A mail as the server handed it over, byte for byte.

    ``uid`` is the IMAP UID in decimal, or a Maildir base name before ``:`` (then ``uid_validity`` is 0).
    ``received_at`` is the INTERNALDATE or the file's time. ``oversize_bytes`` is set where only the header
    was fetched because the whole mail is larger than allowed; it then holds the size that was announced.
    """

    mailbox: str
    folder: str
    uid: str
    uid_validity: int
    received_at: datetime
    raw: bytes
    oversize_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A leaf of the MIME tree that is not the mail's text.

    ``filename`` is for show: control and bidi characters removed, path parts cut, never used on disk
    (THREATS 24). ``declared_type`` is what the sender says, ``media_type`` what the magic bytes say.
    ``inline`` is true for pictures that the HTML text refers to by Content-ID.
    """

    filename: str
    declared_type: str
    media_type: str
    content: bytes = field(repr=False)
    sha256: str
    inline: bool = False
    content_id: str = ""
    in_forwarded_mail: bool = False

    @property
    def size_bytes(self) -> int:
        """Decoded size in bytes."""
        return len(self.content)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryStatus:
    """What a DSN (RFC 3464) or a server's own kind of bounce says about one recipient.

    ``from_remote``: ``diagnostic`` is what another server answered (it has a Remote-MTA, §2.3.5).
    """

    recipient: str
    permanent: bool
    status: str = ""
    diagnostic: str = ""
    from_remote: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedMail:
    """A whole mail that is attached to another: who wrote it, under which subject, and what."""

    sender: Address = NOBODY
    subject: str = ""
    text: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundMail:
    """Everything that triage needs to know about a mail, and nothing of MIME.

    Ids stand without angle brackets. ``from_addresses`` has every address of every From field: exactly one
    is the rule, everything else is unverified (THREATS 11). ``subject`` is decoded, on one line, without
    control characters. ``new_text`` is what the sender wrote now, ``quoted_text`` what was cut from it,
    ``full_text`` all of it. ``headers`` has every header field in order, names in lower case, values
    decoded and unfolded. ``identity`` is a digest of From, Date, subject and the decoded leaf bodies: with
    the Message-ID it tells a second delivery from a second mail. ``attached_mails`` are the first few mails that
    are attached: whoever sent this one did not write them to us.
    """

    message_id: str
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    sent_at: datetime | None = None
    sender: Address = NOBODY
    from_addresses: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    delivered_to: tuple[str, ...] = ()
    subject: str = ""
    new_text: str = ""
    quoted_text: str = ""
    full_text: str = ""
    attachments: tuple[Attachment, ...] = ()
    attached_mails: tuple[AttachedMail, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    authentication_results: tuple[str, ...] = ()
    return_path: str | None = None
    delivery_statuses: tuple[DeliveryStatus, ...] = ()
    returned_message_ids: tuple[str, ...] = ()
    content_type: str = "text/plain"
    report_type: str = ""
    identity: str = ""
    defects: tuple[str, ...] = ()

    def header(self, name: str) -> str:
        """First value of the header field ``name`` (any case), or an empty string."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key == wanted), "")

    def all_headers(self, name: str) -> tuple[str, ...]:
        """Every value of the header field ``name`` (any case), in order."""
        wanted = name.lower()
        return tuple(value for key, value in self.headers if key == wanted)


# --- what triage finds out -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The mail goes on. ``may_answer`` is false for whatever a machine may have written (RFC 3834);
    ``automatic_reply`` is true where the headers prove an answering machine."""

    may_answer: bool
    reason: str = ""
    automatic_reply: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Discarded:
    """The mail is kept in the log and goes no further."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounce:
    """The mail says that a letter did not arrive. Ids and handles are those found in the returned part."""

    recipient: str
    permanent: bool
    original_message_id: str = ""
    diagnostic: str = ""


Screening = Accepted | Discarded | Bounce


class SenderRole(StrEnum):
    """Who writes."""

    REQUESTER = "requester"
    AGENT = "agent"
    MACHINE = "machine"


class Authenticity(StrEnum):
    """What our own receiving server says about the From address."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who wrote a mail. ``agent_key`` is the roster's key where ``role`` is agent."""

    address: Address
    role: SenderRole
    authenticity: Authenticity
    agent_key: str | None = None


class ThreadKey(StrEnum):
    """By what a mail was tied to a ticket, strongest first."""

    REPLY_TOKEN = "reply_token"
    MESSAGE_ID = "message_id"
    SUBJECT_TAG = "subject_tag"
    OPEN_REQUEST = "open_request"


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadMatch:
    """The ticket that a mail belongs to, or seemed to.

    ``refused`` says why a match does not count (then ``ticket_number`` is only a link for staff).
    ``from_another_address``: a requester's handle used from an address that is not the handle's.
    ``handle_recipient``/``handle_purpose`` describe the handle where ``key`` is ``reply_token``.
    ``candidates``: several open requests fit, the sender must be asked which. ``also_named``: another ticket that
    the mail of an agent names besides, by a second notice's handle or in its subject.
    ``of_another_requester``: the ticket was merged into one of somebody else, who is to read nothing of what the
    first still writes.
    """

    ticket_number: str | None = None
    key: ThreadKey | None = None
    refused: str | None = None
    from_another_address: bool = False
    handle_recipient: str = ""
    handle_purpose: str = ""
    handle_expired: bool = False
    candidates: tuple[str, ...] = ()
    also_named: str = ""
    of_another_requester: bool = False

    @property
    def accepted(self) -> bool:
        """Whether the mail joins ``ticket_number``."""
        return self.ticket_number is not None and self.refused is None


NO_THREAD = ThreadMatch()


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A request type that a mail might be, with a confidence between 0 and 1."""

    request_type: str
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """What a mail asks for. ``request_type`` is ``None`` unless it is certain enough to act on.

    ``matched`` names what decided: ``subject``, ``subject_alias``, ``subject_typo``, ``fields``, ``thread``,
    ``nothing`` …; ``ask`` is true where a person or the sender has to confirm the best candidate.
    """

    request_type: str | None = None
    confidence: float = 0.0
    matched: str = ""
    candidates: tuple[Candidate, ...] = ()
    ask: bool = False


def normalised_message_id(value: str) -> str:
    """A Message-ID without angle brackets, white space and control characters; empty if it cannot be an id.

    Ids shorter than three characters or without a visible character never thread (THREATS 15).
    """
    stripped = "".join(ch for ch in value.strip().strip("<>") if ch.isprintable() and not ch.isspace())
    return stripped if len(stripped) >= 3 else ""


def keyed_digest(key: bytes, content: bytes) -> str:
    """HMAC-SHA256 of ``content`` in hexadecimal: names stored files without telling what is in them."""
    return hmac.new(key, content, hashlib.sha256).hexdigest()
