"""Which day it is: the office's, also in the evening, when it is tomorrow already by UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailbot.catalogue.field_specs import FieldKind, FieldSpec
from mailbot.catalogue.load import load_catalogue
from mailbot.domain.evidence import DocumentKind
from mailbot.flows.order_desk import check_field, held_against
from tests.flows.house import LICENCE, REPOSITORY, REQUEST, TestHouse, mail

CATALOGUE = load_catalogue(REPOSITORY / "config")
HALF_PAST_TEN = datetime(2034, 3, 9, 1, 30, tzinfo=UTC)
"""In the evening of the day until which the sample licence is good."""
MIDNIGHT = datetime(2034, 3, 9, 3, 0, tzinfo=UTC)


def test_an_agents_tomorrow_is_the_offices() -> None:
    spec = FieldSpec(key="day", kind=FieldKind.DATE, label="Dia", question="Que dia?")
    checked = check_field(CATALOGUE, HALF_PAST_TEN)(spec, "amanhã")
    assert (checked.value, checked.valid) == ("2034-03-09", True)


@pytest.mark.parametrize(("now", "remarks"), [(HALF_PAST_TEN, []), (MIDNIGHT, ["licence_expired"])])
def test_a_licence_is_good_until_its_last_day_is_over_here(
    now: datetime, remarks: list[str], tmp_path: Path
) -> None:
    with TestHouse(tmp_path, now=now) as house:
        house.receive(mail(REQUEST, files=[LICENCE]))
        [ticket] = house.tickets()
    report = held_against(CATALOGUE, now)(ticket, CATALOGUE.type(ticket.request_type))
    for findings in (ticket.documents, report.findings):
        [licence] = [one for one in findings if one.kind is DocumentKind.DRIVER_LICENCE]
        assert [one.reason for one in licence.remarks] == remarks
