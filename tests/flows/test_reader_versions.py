"""What an older reader could not open is read anew by a newer one (issue 4, 1)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailbot.domain.evidence import DocumentKind, DocumentReading, Readability
from mailbot.domain.mail import keyed_digest
from mailbot.evidence.reading import READER_VERSION
from tests.flows.house import REQUEST, TestHouse, mail
from tests.papers import BARCODE, BOLETO, page, saved, scan

READ_NO_GIF_NO_BMP_AND_NO_AVIF = 4


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path) as made:
        yield made


def by_an_older_reader(digest: str, reader_version: int) -> DocumentReading:
    return DocumentReading(
        digest=digest,
        reader_version=reader_version,
        kind=DocumentKind.UNKNOWN,
        confidence=0.0,
        readability=Readability.NOT_CHECKED,
        pages=1,
        reasons=("not_text",),
    )


@pytest.mark.tesseract
@pytest.mark.parametrize("picture_format", ["GIF", "BMP", "AVIF"])
def test_a_picture_that_an_older_reader_left_to_a_person_is_read(house: TestHouse, picture_format: str) -> None:
    content = saved(scan(page(BOLETO, barcode=BARCODE)), picture_format)
    digest = keyed_digest(house.environment["MAILBOT_SECRET_KEY"].encode(), content)
    with house.app.storage.write() as work:
        work.house.keep_readings([by_an_older_reader(digest, READ_NO_GIF_NO_BMP_AND_NO_AVIF)])
    house.receive(mail(REQUEST, files=[(f"foto.{picture_format.lower()}", content)]))
    (finding,) = house.tickets()[0].documents
    assert (finding.digest, finding.kind) == (digest, DocumentKind.BOLETO)
    assert "boleto" not in house.tickets()[0].missing


@pytest.mark.tesseract
def test_what_this_reader_said_already_is_not_read_again(house: TestHouse) -> None:
    content = saved(scan(page(BOLETO, barcode=BARCODE)), "GIF")
    digest = keyed_digest(house.environment["MAILBOT_SECRET_KEY"].encode(), content)
    with house.app.storage.write() as work:
        work.house.keep_readings([by_an_older_reader(digest, READER_VERSION)])
    house.receive(mail(REQUEST, files=[("foto.gif", content)]))
    (finding,) = house.tickets()[0].documents
    assert (finding.digest, finding.kind) == (digest, DocumentKind.UNKNOWN)
