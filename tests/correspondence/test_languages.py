"""Every letter in every language, with the same places (R003-17)."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from mailbot.correspondence.check import check_templates
from mailbot.correspondence.render import DEFAULT_LANGUAGE, LetterRenderer, languages_in, load_words
from mailbot.correspondence.samples import sample_views
from mailbot.domain.events import LetterKind

TEMPLATES = Path(__file__).parents[2] / "templates"
OTHERS = ("en", "es")
_PORTUGUESE = re.compile(r"\b(?:você|não|seu pedido|chamado|nossa equipe|obrigado)\b", re.IGNORECASE)


def test_there_are_three_languages_and_nothing_is_missing_in_any() -> None:
    assert languages_in(TEMPLATES) == ("en", "es", "pt-BR")
    assert check_templates(TEMPLATES) == []


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("removed", ["reminder/body.html", "phrases.yaml"])
def test_the_check_names_what_is_missing_in_a_language(tmp_path: Path, language: str, removed: str) -> None:
    shutil.copytree(TEMPLATES, tmp_path / "templates")
    file = tmp_path / "templates" / language / removed
    if removed == "phrases.yaml":
        kept = [line for line in file.read_text("utf-8").splitlines() if not line.startswith("not_a_unit:")]
        file.write_text("\n".join(kept), encoding="utf-8")
    else:
        file.unlink()

    problems = check_templates(tmp_path / "templates")

    assert any(str(file) == one.source for one in problems)
    assert removed != "phrases.yaml" or [one.key for one in problems] == ["not_a_unit"]


@pytest.mark.parametrize("language", OTHERS)
def test_the_check_names_a_sentence_with_other_places(tmp_path: Path, language: str) -> None:
    shutil.copytree(TEMPLATES, tmp_path / "templates")
    file = tmp_path / "templates" / language / "phrases.yaml"
    file.write_text(file.read_text("utf-8").replace("{agent}", "{somebody}"), encoding="utf-8")

    assert "done.atribuir" in [one.key for one in check_templates(tmp_path / "templates")]


@pytest.mark.parametrize("language", OTHERS)
def test_no_portuguese_is_left_between_what_the_samples_say(language: str) -> None:
    folder = TEMPLATES / language
    for file in sorted([*folder.rglob("*.html"), *folder.rglob("*.txt")]):
        text = re.sub(r"\{%.*?%\}|<style>.*?</style>", "", file.read_text("utf-8"), flags=re.DOTALL)
        # What the links fill in is read by the program, and the words of staff are Portuguese.
        text = re.sub(r"\[Chamado #|NÃO ÚTIL|Garantia: não|<strong>não</strong>", "", text)
        assert not _PORTUGUESE.search(text), file
    for code, sentence in load_words(folder, language).phrases.items():
        assert not _PORTUGUESE.search(re.sub(r"não \(no\)|NÃO APROVO", "", sentence)), code


@pytest.mark.parametrize("language", OTHERS)
def test_a_letter_that_was_not_translated_leaves_in_the_default_language(tmp_path: Path, language: str) -> None:
    shutil.copytree(TEMPLATES, tmp_path / "templates")
    shutil.rmtree(tmp_path / "templates" / language / "reminder")
    renderer = LetterRenderer(tmp_path / "templates")
    view = sample_views(TEMPLATES)[LetterKind.REMINDER][0]

    letter = renderer.render(LetterKind.REMINDER, view, language=language)

    assert f'lang="{DEFAULT_LANGUAGE}"' in letter.html
