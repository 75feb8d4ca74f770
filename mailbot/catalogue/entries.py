"""The base of everything that a file of the configuration folder may state, and its commonest kinds of value.

Frozen pydantic models; the JSON Schema for editors comes from them. Files may *name*, *list* and *compare*;
anything cleverer is a typed function elsewhere (ARCHITECTURE §4). What customers read stands in the files.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_YES_AND_NO = {"sim": True, "não": False, "nao": False}


def _yes_or_no(value: object) -> object:
    """``sim`` and ``não`` are strings in YAML 1.2: read them as what they mean."""
    return _YES_AND_NO.get(value.strip().lower(), value) if isinstance(value, str) else value


Flag = Annotated[bool, BeforeValidator(_yes_or_no)]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Text = Annotated[str, Field(min_length=1, max_length=2000)]


class Entry(BaseModel):
    """Base of everything that a file may state: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)
