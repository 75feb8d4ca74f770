"""When ``make evaluate`` fails: a goal is missed by more than the interval, or one payment was read as made."""

from __future__ import annotations

import pytest

from tests.evaluation.__main__ import BORN_DIGITAL, PHOTO, missed_goals
from tests.evaluation.measured import Read


def receipt(*, read_as: str = "payment_receipt", status: str = "paid", read_status: str = "paid") -> Read:
    return Read(
        made_as="payment_receipt",
        family="app",
        form=BORN_DIGITAL,
        kind=read_as,
        truth={"status": status},
        facts={"status": read_status} if read_as == "payment_receipt" else {},
        seconds=0.1,
    )


def lookalike(read_as: str) -> Read:
    return Read(made_as="none", family="bill", form=BORN_DIGITAL, kind=read_as, truth={}, facts={}, seconds=0.1)


def test_what_is_all_right_misses_nothing() -> None:
    assert missed_goals(BORN_DIGITAL, [*[receipt()] * 60, *[lookalike("other")] * 60]) == []


def test_one_that_is_left_to_a_person_among_sixty_may_be_chance() -> None:
    assert missed_goals(BORN_DIGITAL, [*[receipt()] * 59, receipt(read_as="unknown")]) == []


def test_half_of_them_left_to_a_person_are_too_many() -> None:
    found = [*[receipt()] * 30, *[receipt(read_as="unknown")] * 30]
    assert missed_goals(BORN_DIGITAL, found) == ["coverage"]
    assert missed_goals(PHOTO, found) == []


def test_many_wrong_ones_break_what_is_claimed_of_certainty() -> None:
    found = [*[receipt()] * 50, *[receipt(read_as="boleto")] * 10]
    assert "right, of what is certain" in missed_goals(BORN_DIGITAL, found)


@pytest.mark.parametrize("status", ["scheduled", "failed"])
def test_a_single_payment_that_was_not_made_and_is_read_so_is_too_many(status: str) -> None:
    found = [*[receipt()] * 600, receipt(status=status)]
    assert missed_goals(BORN_DIGITAL, found) == ["not paid, read as paid"]


def test_many_lookalikes_taken_for_evidence_are_too_many() -> None:
    found = [*[lookalike("other")] * 50, *[lookalike("boleto")] * 10]
    assert "look-alikes taken for evidence" in missed_goals(BORN_DIGITAL, found)
