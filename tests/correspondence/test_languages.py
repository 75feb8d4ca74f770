"""Every letter in every language, with the same places (R003-17)."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from mailbot.correspondence.check import check_templates
from mailbot.correspondence.render import LetterRenderer
from mailbot.correspondence.samples import sample_views
from mailbot.correspondence.wording import DEFAULT_LANGUAGE, languages_in, load_words
from mailbot.domain.events import LetterKind

TEMPLATES = Path(__file__).parents[2] / "templates"
OTHERS = ("en", "es")
_NAMES = {"label", "received", "refused", "missing", "done", "not_done", "for_a_person", "wait", "info", "value."}
"""States, attributes and parts of letters in the expressions of templates."""
_MARKS = re.compile(r"\[mailbot\] |\[Chamado #|Ref\.: ")
_PORTUGUESE = re.compile(r"\b(?:você|não|seu pedido|chamado|nossa equipe|obrigado)\b", re.IGNORECASE)


def test_there_are_three_languages_and_nothing_is_missing_in_any() -> None:
    assert languages_in(TEMPLATES) == ("en", "es", "pt-BR")
    assert check_templates(TEMPLATES) == []


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize(
    ("name", "key"),
    [("reminder/sentences.yaml", "title.one"), ("parts.yaml", "hello"), ("phrases.yaml", "not_a_unit")],
)
def test_the_check_names_a_sentence_that_is_missing_in_a_language(
    tmp_path: Path, language: str, name: str, key: str
) -> None:
    shutil.copytree(TEMPLATES, tmp_path / "templates")
    file = tmp_path / "templates" / language / name
    kept = [line for line in file.read_text("utf-8").splitlines() if not line.startswith(f"{key}:")]
    file.write_text("\n".join(kept), encoding="utf-8")

    problems = check_templates(tmp_path / "templates")

    missing = [one for one in problems if "is missing" in one.message]
    assert {(one.source, one.key) for one in missing} == {(str(file), key.removesuffix(".one"))}


@pytest.mark.parametrize("language", OTHERS)
def test_the_check_names_a_letter_that_was_not_translated(tmp_path: Path, language: str) -> None:
    shutil.copytree(TEMPLATES, tmp_path / "templates")
    file = tmp_path / "templates" / language / "reminder" / "sentences.yaml"
    file.unlink()

    problems = check_templates(tmp_path / "templates")

    assert (str(file), "this file is missing") in [(one.source, one.message) for one in problems]


@pytest.mark.parametrize("language", OTHERS)
def test_the_check_names_a_sentence_with_other_places(tmp_path: Path, language: str) -> None:
    shutil.copytree(TEMPLATES, tmp_path / "templates")
    file = tmp_path / "templates" / language / "phrases.yaml"
    file.write_text(file.read_text("utf-8").replace("{agent}", "{somebody}"), encoding="utf-8")

    assert "done.atribuir" in [one.key for one in check_templates(tmp_path / "templates")]


@pytest.mark.parametrize("language", OTHERS)
def test_no_portuguese_is_left_in_the_sentences(language: str) -> None:
    for code, sentence in load_words(TEMPLATES / language, language).phrases.items():
        # What a customer writes to be understood may be Portuguese too.
        said = re.sub(r"NÃO ÚTIL|Garantia: não|\*não\*|não \(no\)|NÃO APROVO", "", sentence)
        assert not _PORTUGUESE.search(said), code


def test_the_templates_that_all_languages_share_hold_no_sentence() -> None:
    for file in sorted([*(TEMPLATES / "letters").rglob("*.html"), *(TEMPLATES / "letters").rglob("*.txt")]):
        for expression in re.findall(r"\{\{.*?\}\}", file.read_text("utf-8")):
            quoted = re.findall(r"""["']([^"']*)["']""", re.sub(r'say\("[\w.]+"', "", expression))
            words = [one for one in quoted if re.search(r"[a-zà-ú]{3,}", _MARKS.sub("", one))]
            assert set(words) <= _NAMES, (file, expression)


def test_the_templates_that_all_languages_share_hold_no_text() -> None:
    for file in sorted([*(TEMPLATES / "letters").rglob("*.html"), *(TEMPLATES / "letters").rglob("*.txt")]):
        text = re.sub(
            r"\{[{%#].*?[}%#]\}|<style>.*?</style>|<[^>]*>|&\w+;", "", file.read_text("utf-8"), flags=re.DOTALL
        )
        # What administrators type is the same in every language; so are the mark of a reference and "Book",
        # which is what the sectors call it.
        text = re.sub(r"mailbot [a-z]+( [a-z]+)?( --status \w+)?|Ref\.:|#[a-z]+|Book", "", text)
        assert not re.search(r"[a-zà-ú]{3,}", text), (file, text.split())


@pytest.mark.parametrize("language", OTHERS)
def test_a_letter_that_was_not_translated_leaves_in_the_default_language(tmp_path: Path, language: str) -> None:
    shutil.copytree(TEMPLATES, tmp_path / "templates")
    shutil.rmtree(tmp_path / "templates" / language / "reminder")
    renderer = LetterRenderer(tmp_path / "templates")
    view = sample_views(TEMPLATES)[LetterKind.REMINDER][0]

    letter = renderer.render(LetterKind.REMINDER, view, language=language)

    assert f'lang="{DEFAULT_LANGUAGE}"' in letter.html


def test_a_folder_in_which_each_language_has_all_files_goes_on_working(tmp_path: Path) -> None:
    """As `mailbot init` wrote it before templates were shared; nobody's folder is overwritten by an upgrade."""
    folder = tmp_path / "templates"
    shutil.copytree(TEMPLATES, folder)
    for language in languages_in(folder):
        shutil.copytree(folder / "letters", folder / language, dirs_exist_ok=True)
    shutil.rmtree(folder / "letters")

    assert check_templates(folder) == []
    view = sample_views(folder)[LetterKind.REMINDER][0]
    ours, theirs = (LetterRenderer(one).render(LetterKind.REMINDER, view) for one in (folder, TEMPLATES))
    assert ours == theirs


@pytest.mark.parametrize(
    ("language", "shown"), [("en", "Monday, 30 November 2026"), ("es", "lunes, 30 de noviembre de 2026")]
)
def test_samples_speak_the_language_of_their_letter(language: str, shown: str) -> None:
    view = sample_views(TEMPLATES, language=language)[LetterKind.EVIDENCE_REQUESTED][0]

    assert shown in LetterRenderer(TEMPLATES).render(LetterKind.EVIDENCE_REQUESTED, view, language=language).text


def test_words_for_what_no_sample_says_are_named(tmp_path: Path) -> None:
    shutil.copytree(TEMPLATES, tmp_path / "templates")
    file = tmp_path / "templates" / "en" / "_sample_words.yaml"
    file.write_text(file.read_text("utf-8") + '"Nada disso": "None of it"\n', encoding="utf-8")

    (problem,) = check_templates(tmp_path / "templates")

    assert (problem.source, problem.key) == (str(file), "Nada disso")
