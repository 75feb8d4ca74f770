"""Every letter as a mail program shows it: on a phone and a desktop, light and dark, with and without <style>."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mailbot.correspondence.context import FieldRow, LetterView, paragraphs_of
from mailbot.correspondence.render import LetterRenderer
from mailbot.correspondence.requester_views import EvidenceRequestedView
from mailbot.correspondence.samples import sample_views
from mailbot.correspondence.staff_views import TicketReadyView
from mailbot.domain.events import LetterKind
from tests.correspondence.browser import Browser

TEMPLATES = Path(__file__).parents[2] / "templates"
SAMPLES = sample_views(TEMPLATES)
RENDERER = LetterRenderer(TEMPLATES)

PHONE, DESKTOP = 360, 1280
EACH_SIGHT = [
    pytest.param(width, dark, styled, id=f"{width}-{'dark' if dark else 'light'}{'' if styled else '-no-style'}")
    for width in (PHONE, DESKTOP)
    for dark in (False, True)
    for styled in (True, False)
]
EACH_LETTER = [
    pytest.param(letter, view, id=f"{letter}-{number}")
    for letter, views in SAMPLES.items()
    for number, view in enumerate(views)
]

# What INTERFACE asks of every letter, measured on every piece of text that is really shown.
MEASURE = r"""
(() => {
  const parts = colour => (colour.match(/[\d.]+/g) || []).map(Number);
  const light = channel => {
    const c = channel / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  };
  const luminance = colour => {
    const [r, g, b] = parts(colour);
    return 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b);
  };
  const ground = element => {
    for (let one = element; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      const [, , , alpha = 1] = parts(colour);
      if (alpha === 1) return colour;
      if (alpha !== 0) return null;
    }
    return null;
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.data.trim();
    const element = walker.currentNode.parentElement;
    if (!text || !element.getClientRects().length) continue;
    const style = getComputedStyle(element);
    const under = ground(element);
    const [a, b] = under ? [luminance(style.color), luminance(under)] : [0, 0];
    const box = element.getBoundingClientRect();
    found.push({
      text: text.slice(0, 40),
      pixels: parseFloat(style.fontSize),
      contrast: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05),
      right: box.right,
      left: box.left,
    });
  }
  const page = document.documentElement;
  return {
    found,
    scrollWidth: page.scrollWidth,
    clientWidth: page.clientWidth,
    buttons: [...document.querySelectorAll('a')].map(one => one.getBoundingClientRect().height),
    loaded: performance.getEntriesByType('resource').length,
  };
})()
"""


@pytest.fixture(scope="module")
def browser(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(chromium, tmp_path_factory.mktemp("chromium")) as running:
        yield running


def measured(browser: Browser, html: str, *, width: int, dark: bool, styled: bool) -> dict[str, Any]:
    shown = html if styled else re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
    assert ("<style" in shown) is styled
    browser.show(shown, width=width, dark=dark)
    measures: dict[str, Any] = browser.evaluate(MEASURE)
    assert measures["clientWidth"] == width
    assert measures["found"], "nothing is shown"
    return measures


def complaints(measures: dict[str, Any]) -> list[str]:
    told = [f"sideways: {measures['scrollWidth']} > {measures['clientWidth']}"]
    told = told if measures["scrollWidth"] > measures["clientWidth"] else []
    told += [f"button of {height} px" for height in measures["buttons"] if height < 44]
    for one in measures["found"]:
        if one["pixels"] < 14:
            told.append(f"{one['pixels']} px: {one['text']}")
        if one["contrast"] < 4.5:
            told.append(f"contrast {one['contrast']:.2f}: {one['text']}")
        if one["left"] < 0 or one["right"] > measures["clientWidth"] + 0.5:
            told.append(f"cut off: {one['text']}")
    return told + ([f"{measures['loaded']} things loaded"] if measures["loaded"] else [])


@pytest.mark.parametrize(("width", "dark", "styled"), EACH_SIGHT)
@pytest.mark.parametrize(("letter", "view"), EACH_LETTER)
def test_a_letter_can_be_read(
    letter: LetterKind, view: LetterView, width: int, dark: bool, styled: bool, browser: Browser
) -> None:
    html = RENDERER.render(letter, view).html
    assert complaints(measured(browser, html, width=width, dark=dark, styled=styled)) == []


@pytest.mark.parametrize(("width", "dark", "styled"), EACH_SIGHT)
def test_endless_words_wrap_and_push_nothing_aside(width: int, dark: bool, styled: bool, browser: Browser) -> None:
    endless = "x" * 500
    view = SAMPLES[LetterKind.TICKET_READY][0]
    assert isinstance(view, TicketReadyView)
    view = replace(
        view,
        ticket_title=endless,
        requester_name=endless,
        requester_address=endless,
        queue_name=endless,
        fields=(FieldRow(label=endless, value=endless),),
        documents=tuple(replace(one, filename=endless + ".pdf") for one in view.documents),
        messages=tuple(replace(one, author=endless, text=paragraphs_of(endless)) for one in view.messages),
        brand_name=endless,
    )
    html = RENDERER.render(LetterKind.TICKET_READY, view).html
    assert complaints(measured(browser, html, width=width, dark=dark, styled=styled)) == []


def test_the_dark_theme_is_dark_and_the_light_one_light(browser: Browser) -> None:
    html = RENDERER.render(LetterKind.DECISION, SAMPLES[LetterKind.DECISION][0]).html
    ground = "getComputedStyle(document.querySelector('.card')).backgroundColor"
    browser.show(html, width=PHONE, dark=False)
    assert browser.evaluate(ground) == "rgb(255, 255, 255)"
    browser.show(html, width=PHONE, dark=True)
    assert browser.evaluate(ground) == "rgb(26, 33, 42)"


def test_right_to_left_text_turns_nothing_else_around(browser: Browser) -> None:
    view = SAMPLES[LetterKind.EVIDENCE_REQUESTED][0]
    assert isinstance(view, EvidenceRequestedView)
    view = replace(view, items=tuple(replace(one, filename="\u202eשלום.pdf") for one in view.items))
    html = RENDERER.render(LetterKind.EVIDENCE_REQUESTED, view).html
    measures = measured(browser, html, width=PHONE, dark=False, styled=True)
    assert complaints(measures) == []
    browser.show(html, width=PHONE, dark=False)
    assert browser.evaluate("getComputedStyle(document.querySelector('.state-no')).direction") == "ltr"


def test_the_measures_find_what_is_wrong(browser: Browser) -> None:
    bad = (
        "<html><head><style></style></head><body style='background:#fff'>"
        "<p style='font-size:12px;color:#999'>pálido</p>"
        "<a href='#' style='display:block;height:20px;font-size:16px;color:#000'>baixo</a>"
        "<div style='width:900px;font-size:16px;color:#000'>largo</div></body></html>"
    )
    told = complaints(measured(browser, bad, width=PHONE, dark=False, styled=True))
    assert any("sideways" in one for one in told)
    assert any("12 px" in one for one in told)
    assert any("contrast 2.8" in one for one in told)
    assert any("button of 20 px" in one for one in told)
