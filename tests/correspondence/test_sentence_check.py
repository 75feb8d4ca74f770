"""The check of sentences names each problem with its file and line."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mailbot.correspondence.render import LetterRenderer
from mailbot.correspondence.samples import sample_view
from mailbot.correspondence.sentence_check import sentence_problems
from mailbot.domain.errors import Problem
from mailbot.domain.events import LetterKind

TEMPLATES = Path(__file__).parents[2] / "templates"
DECISION = "pt-BR/decision/sentences.yaml"


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    """A copy of the templates to break."""
    return Path(shutil.copytree(TEMPLATES, tmp_path / "templates"))


def problems(templates: Path, language: str = "pt-BR") -> list[Problem]:
    return list(sentence_problems(templates, language))


def changed(file: Path, change: Callable[[str], str]) -> None:
    file.write_text(change(file.read_text("utf-8")), "utf-8")


def line_of(file: Path, key: str) -> int:
    return [line.partition(":")[0] for line in file.read_text("utf-8").splitlines()].index(key) + 1


@pytest.mark.parametrize("language", ["pt-BR", "en", "es"])
def test_nothing_is_wrong_with_what_is_shipped(language: str) -> None:
    assert problems(TEMPLATES, language) == []


def test_a_missing_sentence_is_named_with_the_template_that_says_it(templates: Path) -> None:
    changed(templates / DECISION, lambda text: text.replace("\ndate:", "\ndat:"))

    missing, left_over = problems(templates)

    assert (missing.source, missing.key) == (str(templates / DECISION), "date")
    assert "letters/decision/body.txt:" in missing.message
    assert (left_over.key, left_over.line) == ("dat", line_of(templates / DECISION, "dat"))


def test_a_place_that_no_template_fills_is_named_with_its_line(templates: Path) -> None:
    changed(templates / DECISION, lambda text: text.replace("{decided_at}", "{when}"))

    (found,) = problems(templates)

    assert (found.source, found.key) == (str(templates / DECISION), "decided")
    assert found.line == line_of(templates / DECISION, "decided")
    assert "{when}" in found.message and "{decided_at}" in found.message


def test_a_sentence_that_was_not_translated_is_named_with_the_line_after_which_it_belongs(
    templates: Path,
) -> None:
    file = templates / "en" / "decision" / "sentences.yaml"
    changed(file, lambda text: text.replace("\nreason_below:", "\n# reason_below:"))

    (found,) = problems(templates, "en")

    assert (found.source, found.key) == (str(file), "reason_below")
    assert found.line == line_of(file, "looked_carefully_request_not")


def test_both_forms_of_a_count_must_be_there(templates: Path) -> None:
    file = templates / "pt-BR" / "parts.yaml"
    changed(file, lambda text: text.replace("\ndays.one:", "\nday.one:"))

    assert ("days", str(file)) in [(one.key, one.source) for one in problems(templates)]


def test_a_sentence_that_stands_twice_is_named_with_the_second_line(templates: Path) -> None:
    changed(templates / DECISION, lambda text: text + 'date: "Data"\n')

    (found,) = problems(templates)

    assert (found.key, found.line) == ("date", len((templates / DECISION).read_text("utf-8").splitlines()))


def test_a_sentence_can_be_said_otherwise_for_a_request_type(templates: Path) -> None:
    own = templates / "pt-BR" / "decision" / "inspection_location_change"
    own.mkdir()
    (own / "sentences.yaml").write_text('request_approved: "Vistoria autorizada"\n', "utf-8")
    view = sample_view(LetterKind.DECISION, TEMPLATES)
    renderer = LetterRenderer(templates)

    ours = renderer.render(LetterKind.DECISION, view, request_type="inspection_location_change")
    general = renderer.render(LetterKind.DECISION, view, request_type="general")

    assert problems(templates) == []
    assert "Vistoria autorizada" in ours.html and "Pedido autorizado" not in ours.html
    assert "Pedido autorizado" in general.html


@pytest.mark.parametrize(
    ("sentence", "told"),
    [
        ('no_such: "Oi"', "no template says decision.no_such"),
        ('date: "Em {when}"', "nothing is put into {when}"),
        ("date: 3", "both code and sentence must be text"),
    ],
)
def test_what_is_said_otherwise_must_be_something_that_is_said(templates: Path, sentence: str, told: str) -> None:
    own = templates / "pt-BR" / "decision" / "general"
    own.mkdir()
    (own / "sentences.yaml").write_text(sentence + "\n", "utf-8")

    (found,) = problems(templates)

    assert found.source == str(own / "sentences.yaml")
    assert found.message == told


def test_a_letter_written_anew_in_one_language_needs_no_sentences_of_the_shared_one(templates: Path) -> None:
    folder = templates / "en" / "mail_refused"
    (folder / "sentences.yaml").write_text('preheader: "x"\n', "utf-8")
    for part in ("body.html", "body.txt", "subject.txt"):
        (folder / part).write_text('{{ say("mail_refused.preheader") }} {{ reference }}', "utf-8")

    assert not [one for one in problems(templates, "en") if one.message.endswith("says it")]
