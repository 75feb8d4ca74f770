"""Which state of the reader made a reading: a number that is kept beside it."""

from __future__ import annotations

READER_VERSION = 11
"""Grows with every change of what is read, so that kept readings are made anew."""
