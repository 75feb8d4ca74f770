"""What can be wrong with a mail that is read nevertheless."""

from __future__ import annotations

from enum import StrEnum


class Defect(StrEnum):
    """What was wrong with a mail that could be read nevertheless."""

    MESSAGE_ID_MISSING = "message_id_missing"
    FIELD_REPEATED = "field_repeated"
    ADDRESS_UNREADABLE = "address_unreadable"
    DATE_UNREADABLE = "date_unreadable"
    CHARSET_WRONG = "charset_wrong"
    TRANSFER_ENCODING_BROKEN = "transfer_encoding_broken"
    BOUNDARY_MISSING = "boundary_missing"
    HEADER_TOO_LONG = "header_too_long"
    BODY_TOO_LONG = "body_too_long"
    TOO_DEEP = "too_deep"
    TOO_MANY_PARTS = "too_many_parts"
