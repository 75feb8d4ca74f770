"""Every letter, from its samples: what it says, what it never lets through, how large it may become."""

from __future__ import annotations

import dataclasses
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from enum import Enum
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailbot.correspondence.check import check_templates
from mailbot.correspondence.context import (
    FormLine,
    LetterView,
    LongText,
    StaffTicketView,
    first_name,
    paragraphs_of,
)
from mailbot.correspondence.inlining import inlined
from mailbot.correspondence.letter_views import VIEW_OF
from mailbot.correspondence.mail_links import mailto
from mailbot.correspondence.presentable import presentable
from mailbot.correspondence.render import MAX_HTML_BYTES, LetterRenderer, load_language, variables_of
from mailbot.correspondence.requester_views import AgentAnswerView, EvidenceRequestedView, TicketOpenedView
from mailbot.correspondence.safe_text import cleaned_line, delinked_line, delinked_text, shortened
from mailbot.correspondence.samples import sample_view, sample_views
from mailbot.correspondence.staff_views import TicketReadyView
from mailbot.correspondence.words import Phrase, phrase
from mailbot.domain.errors import ConfigurationError, LetterError
from mailbot.domain.events import LetterKind
from mailbot.domain.staff_words import Refusal

TEMPLATES = Path(__file__).parents[2] / "templates"
SAMPLES = sample_views(TEMPLATES)
EACH_SAMPLE = [
    pytest.param(letter, view, id=f"{letter}-{number}")
    for letter, views in SAMPLES.items()
    for number, view in enumerate(views)
]
REQUESTER_LETTERS = tuple(LetterKind)[: tuple(LetterKind).index(LetterKind.TICKET_READY)]


@pytest.fixture(scope="module")
def renderer() -> LetterRenderer:
    return LetterRenderer(TEMPLATES)


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    """A copy of the templates to break."""
    copied = tmp_path / "templates"
    shutil.copytree(TEMPLATES, copied)
    return copied


def requested(**changes: Any) -> EvidenceRequestedView:
    view = SAMPLES[LetterKind.EVIDENCE_REQUESTED][0]
    assert isinstance(view, EvidenceRequestedView)
    return replace(view, **changes)


def opened(**changes: Any) -> TicketOpenedView:
    view = SAMPLES[LetterKind.TICKET_OPENED][0]
    assert isinstance(view, TicketOpenedView)
    return replace(view, **changes)


def answer(**changes: Any) -> AgentAnswerView:
    view = SAMPLES[LetterKind.AGENT_ANSWER][0]
    assert isinstance(view, AgentAnswerView)
    return replace(view, **changes)


class _Visible(HTMLParser):
    """Text and tags of a page; what stands in style and title is no text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self._hidden = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._hidden = tag in ("style", "title")

    def handle_endtag(self, tag: str) -> None:
        self._hidden = False

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.text += data


def words_of(text: str) -> list[str]:
    return text.split()


# --- every letter ----------------------------------------------------------------------------------------


def test_the_shipped_templates_have_no_problem() -> None:
    assert check_templates(TEMPLATES) == []


def test_every_letter_has_a_view_and_a_sample() -> None:
    assert set(VIEW_OF) == set(LetterKind)
    assert all(type(sample_view(letter, TEMPLATES)) is VIEW_OF[letter] for letter in LetterKind)


@pytest.mark.parametrize(("letter", "view"), EACH_SAMPLE)
def test_text_and_html_end_with_one_reference_line(
    letter: LetterKind, view: LetterView, renderer: LetterRenderer
) -> None:
    rendered = renderer.render(letter, view)
    assert rendered.text.rstrip().splitlines()[-1] == f"Ref.: {view.reference}"
    assert rendered.text.count(view.reference) == 1
    page = _Visible(rendered.html)
    assert page.text.rstrip().endswith(f"Ref.: {view.reference}")
    assert page.text.count(view.reference) == 1


@pytest.mark.parametrize(("letter", "view"), EACH_SAMPLE)
def test_a_letter_loads_nothing_and_says_its_language(
    letter: LetterKind, view: LetterView, renderer: LetterRenderer
) -> None:
    html = renderer.render(letter, view).html
    assert '<html lang="pt-BR"' in html
    assert not re.search(r"<(link|script|iframe|object|form|base)\b|url\(|@import", html)
    # An address is somewhere to go, by the reader's own hand, in a link of ours and nowhere else.
    assert not re.search(r"https?://", re.sub(r'<a\b[^>]* href="https://[^"]*"[^>]*>', "", html))
    # A picture is a part of the letter itself, and only agents get any.
    assert not re.search(r'src=(?!"cid:)', html)
    assert issubclass(VIEW_OF[letter], StaffTicketView) or "<img" not in html
    assert len(html.encode()) < 32_000


@pytest.mark.parametrize(("letter", "view"), EACH_SAMPLE)
def test_the_bot_never_says_that_something_is_paid(
    letter: LetterKind, view: LetterView, renderer: LetterRenderer
) -> None:
    rendered = renderer.render(letter, view)
    said = (rendered.text + rendered.html).lower()
    # What is denied or left open is not said.
    said = said.replace("ainda não foi pago", "").replace("se ele já foi pago", "")
    assert not re.search(r"\bpag[oa]s?\b|\bpagou\b", said)


@pytest.mark.parametrize(("letter", "view"), EACH_SAMPLE)
def test_inlined_css_changes_nothing_but_style(letter: LetterKind, view: LetterView) -> None:
    variables = variables_of(presentable(view))
    plain = load_language(TEMPLATES, "pt-BR", inline_css=False).render(letter, "body.html", None, variables)
    styled = load_language(TEMPLATES, "pt-BR").render(letter, "body.html", None, variables)
    assert "{%" not in styled
    assert "{{" not in styled
    assert _Visible(styled).tags == _Visible(plain).tags
    assert words_of(_Visible(styled).text) == words_of(_Visible(plain).text)


@pytest.mark.parametrize(("letter", "view"), EACH_SAMPLE)
def test_a_notice_to_staff_says_first_who_reads_a_plain_reply(
    letter: LetterKind, view: LetterView, renderer: LetterRenderer
) -> None:
    if not isinstance(view, StaffTicketView) or not view.ticket_number:
        return
    rendered = renderer.render(letter, view)
    first_line = rendered.text.splitlines()[0]
    assert first_line.startswith("Quem lê sua resposta: ")
    assert (view.requester_address in first_line) is view.reply_is_public
    assert _Visible(rendered.html).text.strip().startswith("Quem lê sua resposta: ")


# --- what single letters must say ------------------------------------------------------------------------


def test_the_first_letter_tells_number_missing_days_and_that_the_answer_comes_by_mail_r000_11_12(
    renderer: LetterRenderer,
) -> None:
    rendered = renderer.render(LetterKind.EVIDENCE_REQUESTED, requested())
    for body in (rendered.text, _Visible(rendered.html).text.replace("\u2011", "-")):
        for said in (
            "2026-000123",
            "CNH de quem consta no boleto",
            "10 dias",
            "30 de novembro",
            "resposta",
            "e-mail",
        ):
            assert said in body
        assert "quem não acompanha o e-mail espera mais" in " ".join(body.split())


def test_the_checklist_shrinks_and_each_refused_file_has_its_reason(renderer: LetterRenderer) -> None:
    text = renderer.render(LetterKind.EVIDENCE_REQUESTED, requested()).text
    assert "✘ Comprovante de pagamento: envie de novo (comprovante.pdf)" in text
    assert "protegido por senha" in text
    assert "✔ Boleto: recebido (boleto.pdf)" in text
    assert "✘ CNH de quem consta no boleto: falta enviar" in text
    assert "✘ fotos.rar\n  Não aceitamos este tipo de arquivo" in text


def test_missing_fields_are_lines_to_fill_in(renderer: LetterRenderer) -> None:
    lines = (
        FormLine(label="Motivo"),
        FormLine(label="Telefone", received_value="12", reason=phrase("not_a_phone")),
    )
    text = renderer.render(LetterKind.EVIDENCE_REQUESTED, requested(form_lines=lines)).text
    assert "\nMotivo: ____\n" in text
    assert "\nTelefone: ____\n  Você escreveu “12”. Confira o telefone" in text


@pytest.mark.parametrize(
    ("count", "said"), [("1", "falta 1 item"), ("2", "faltam 2 itens"), ("0", "acertar um detalhe")]
)
def test_numbers_agree_with_their_nouns(count: str, said: str, renderer: LetterRenderer) -> None:
    assert said in renderer.render(LetterKind.EVIDENCE_REQUESTED, requested(missing_count=count)).text


def test_the_answer_button_opens_a_form_with_our_reference(renderer: LetterRenderer) -> None:
    html = renderer.render(LetterKind.EVIDENCE_REQUESTED, requested()).html
    (link,) = re.findall(r'href="(mailto:[^"]+)"', html)
    assert unescape(link).startswith("mailto:atendimento@example.com.br?subject=%5BChamado%20%232026-000123%5D")
    assert "&body=Motivo%3A%20%0D%0A%0D%0A%0D%0ARef.%3A%20%5Bmb-abcdefghijklmnopqrst%5D" in unescape(link)


def test_a_letter_to_a_stranger_repeats_nothing_but_a_short_subject_without_links_threat_6(
    renderer: LetterRenderer,
) -> None:
    """THREATS 6: forged mails must not make us a carrier of somebody's text."""
    bait = "Ganhe em https://evil.example/x agora www.evil.example evil.example " + "bla " * 100
    view = opened(
        quote_sender=False,
        greeting_name="evil",
        ticket_title="evil title",
        subject=f"[Chamado #2026-000123] {bait}",
        subject_quoted=bait,
        fields=tuple(replace(row, value="evil value") for row in opened().fields),
        items=tuple(replace(item, filename="evil.pdf") for item in opened().items),
    )
    rendered = renderer.render(LetterKind.TICKET_OPENED, view)
    for part in (rendered.subject, rendered.text, rendered.html):
        assert not re.search(r"//\w|www\.|evil\.", part)
        assert "evil value" not in part
        assert "evil title" not in part
        assert "evil.pdf" not in part
    assert len(rendered.subject) <= 120
    quoted = next(line for line in rendered.text.splitlines() if line.startswith("Assunto do seu e-mail"))
    assert len(quoted) <= 150


def test_the_requesters_links_are_dead_in_a_notice_to_staff_and_the_agents_live(
    renderer: LetterRenderer,
) -> None:
    """THREATS 23: no link of a stranger in any outgoing byte."""
    view = SAMPLES[LetterKind.TICKET_READY][0]
    assert isinstance(view, TicketReadyView)
    words = paragraphs_of("Veja http://evil.example/a?b e //evil.example/c")
    message = replace(view.messages[0], text=words)
    notice = renderer.render(LetterKind.TICKET_READY, replace(view, messages=(message,)))
    assert "//evil" not in notice.text + notice.html
    assert "http:[//]evil[.]example/a?b" in notice.text
    reply = renderer.render(
        LetterKind.AGENT_ANSWER, answer(text=paragraphs_of("Veja https://example.com.br/guia"))
    )
    assert "https://example.com.br/guia" in reply.text
    assert "https://example.com.br/guia" in reply.html


# --- hostile text ----------------------------------------------------------------------------------------


def test_markup_is_escaped_in_html_and_only_there(renderer: LetterRenderer) -> None:
    view = answer(greeting_name="<b>Zé</b>", text=paragraphs_of("<b>negrito</b> & companhia\nlinha dois"))
    rendered = renderer.render(LetterKind.AGENT_ANSWER, view)
    assert "<b>" not in rendered.html
    assert "&lt;b&gt;negrito&lt;/b&gt; &amp; companhia<br>\nlinha dois" in rendered.html
    assert "<b>negrito</b> & companhia" in rendered.text


def test_jinja_in_a_subject_is_text_threat_22(renderer: LetterRenderer) -> None:
    view = opened(subject="[Chamado #2026-000123] {{7*7}} {% for a in range(9) %}x{% endfor %}")
    rendered = renderer.render(LetterKind.TICKET_OPENED, view)
    assert "49" not in rendered.subject
    assert "{{7*7}} {% for a in range(9) %}x{% endfor %}" in rendered.subject


HOSTILE = st.one_of(
    st.text(max_size=80),
    st.sampled_from(
        [
            "<script>alert(1)</script>",
            "{{7*7}}",
            "{% raw %}",
            "{{ ''.__class__.__mro__ }}",
            "x\r\nBcc: evil@evil.example",
            "x\u2028Bcc: y\u0085Z\x0bW",
            '" onmouseover="alert(1)',
            "</td></table><style>*{display:none}</style>",
            "\u202efdp.exe",
            "]]><!--",
            "{limit}",
            "\ud800",
            "a" * 5000,
            "https://evil.example/" * 40,
            "javascript:alert(1)",
        ]
    ),
)


def hostile_copy(value: Any, draw: Iterator[str]) -> Any:
    """``value`` with every string in it replaced by the next hostile one."""
    if isinstance(value, (Enum, bool)) or value is None:
        return value
    if isinstance(value, str):
        return next(draw)
    if isinstance(value, tuple):
        return tuple(hostile_copy(one, draw) for one in value)
    if isinstance(value, Phrase):
        return replace(value, values=tuple((place, next(draw)) for place, _ in value.values))
    changes = {
        one.name: hostile_copy(getattr(value, one.name), draw)
        for one in dataclasses.fields(value)
        if one.name not in ("mailbox_address", "reply_address")
    }
    return replace(value, **changes)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    sample=st.sampled_from([(letter, view) for letter, views in SAMPLES.items() for view in views]),
    texts=st.lists(HOSTILE, min_size=3, max_size=12),
)
def test_no_string_of_a_view_can_break_out(sample: tuple[LetterKind, LetterView], texts: list[str]) -> None:
    letter, view = sample

    def endlessly() -> Iterator[str]:
        while True:
            yield from texts

    hostile = hostile_copy(view, endlessly())
    rendered = SHARED_RENDERER.render(letter, hostile)
    assert "<script" not in rendered.html.lower()
    assert not re.search(r"<[^>]*\sonmouseover=\"", rendered.html)
    assert rendered.subject == " ".join(rendered.subject.split())
    assert not any(one in rendered.subject for one in "\r\n\x0b\x0c\x85\u2028\u2029")
    assert "49" not in rendered.subject or any("49" in one for one in texts)
    assert len(rendered.html.encode()) <= MAX_HTML_BYTES
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00]", rendered.subject + rendered.text + rendered.html)
    rendered.text.encode()
    assert all(len(unescape(link)) <= 1800 for link in re.findall(r'href="(mailto:[^"]*)"', rendered.html))
    # A stranger's text opens no element: the letter has those of the template only.
    allowed = {"html", "head", "meta", "title", "style", "body", "div", "table", "tbody", "tr", "td"}
    # An address may be broken behind its @.
    allowed |= {"p", "h1", "h2", "strong", "span", "a", "br", "bdi", "wbr"}
    # Beside the agents' pictures of files there is the brand's logo.
    if isinstance(view, StaffTicketView) or hostile.logo:
        allowed.add("img")
    assert set(_Visible(rendered.html).tags) <= allowed


SHARED_RENDERER = LetterRenderer(TEMPLATES)


def fattened(value: Any) -> Any:
    """``value`` as large as a hostile sender could make it."""
    if isinstance(value, (Enum, bool, Phrase)) or value is None:
        return value
    if isinstance(value, str):
        return '"&' * 400
    if isinstance(value, LongText):
        return LongText(paragraphs=tuple(['<&"' * 300] * 2000))
    if isinstance(value, tuple):
        return tuple(fattened(one) for one in value) * 200
    return replace(
        value,
        **{
            one.name: fattened(getattr(value, one.name))
            for one in dataclasses.fields(value)
            if one.name not in ("missing_count", "reference")
        },
    )


@pytest.mark.parametrize("letter", LetterKind)
def test_html_stays_within_80_kb_whatever_stands_in_the_view(letter: LetterKind) -> None:
    rendered = SHARED_RENDERER.render(letter, fattened(SAMPLES[letter][0]))
    assert 1000 < len(rendered.html.encode()) <= MAX_HTML_BYTES


def test_a_long_answer_is_cut_in_html_with_a_note_and_whole_in_text(renderer: LetterRenderer) -> None:
    words = paragraphs_of("\n\n".join(f"Parágrafo {number}: " + "bla " * 40 for number in range(800)))
    rendered = renderer.render(LetterKind.AGENT_ANSWER, answer(text=words))
    assert len(rendered.html.encode()) <= MAX_HTML_BYTES
    assert "Texto longo" in rendered.html
    assert "Parágrafo 799" in rendered.text
    assert "Texto longo" not in rendered.text


def test_a_run_of_spaces_costs_no_time_of_its_own(renderer: LetterRenderer) -> None:
    rendered = renderer.render(LetterKind.AGENT_ANSWER, answer(text=LongText(paragraphs=(" " * 190_000 + "x",))))
    assert rendered.text.count("x") >= 1


# --- templates -------------------------------------------------------------------------------------------


def test_a_view_of_another_letter_is_refused(renderer: LetterRenderer) -> None:
    with pytest.raises(LetterError, match="decision takes a DecisionView"):
        renderer.render(LetterKind.DECISION, opened())


def test_a_request_type_overrides_single_files(templates: Path) -> None:
    folder = templates / "pt-BR" / "ticket_opened" / "inspection_location_change"
    folder.mkdir()
    (folder / "body.txt").write_text("Só o texto muda. Ref.: {{ reference }}\n", encoding="utf-8")
    assert check_templates(templates) == []
    renderer = LetterRenderer(templates)
    ours = renderer.render(LetterKind.TICKET_OPENED, opened(), request_type="inspection_location_change")
    general = renderer.render(LetterKind.TICKET_OPENED, opened(), request_type="general")
    assert ours.text.startswith("Só o texto muda.")
    assert general.text.startswith("Olá, Maria!")
    assert ours.html == general.html


@pytest.mark.parametrize("request_type", ["../decision", "a/b", "", "x" * 80, "Ä"])
def test_a_strange_request_type_falls_back_to_the_general_letter(
    request_type: str, renderer: LetterRenderer
) -> None:
    general = renderer.render(LetterKind.TICKET_OPENED, opened())
    assert renderer.render(LetterKind.TICKET_OPENED, opened(), request_type=request_type) == general


def test_a_language_without_templates_falls_back_to_portuguese(renderer: LetterRenderer) -> None:
    assert "Olá, Maria!" in renderer.render(LetterKind.TICKET_OPENED, opened(), language="fr").text


def test_a_template_cannot_reach_out_of_its_view(templates: Path) -> None:
    body = templates / "pt-BR" / "decision" / "body.txt"
    body.write_text("{{ ''.__class__.__mro__ }} {{ reference }}", encoding="utf-8")
    with pytest.raises(LetterError, match=r"decision/body\.txt"):
        LetterRenderer(templates).render(LetterKind.DECISION, SAMPLES[LetterKind.DECISION][0])


def test_a_template_that_writes_without_end_is_stopped(templates: Path) -> None:
    body = templates / "pt-BR" / "decision" / "body.txt"
    loop = "{% for a in range(90000) %}{% for b in range(90000) %}xxxxxxxxxx{% endfor %}{% endfor %}"
    body.write_text(loop, encoding="utf-8")
    with pytest.raises(LetterError, match="characters"):
        LetterRenderer(templates).render(LetterKind.DECISION, SAMPLES[LetterKind.DECISION][0])


def test_a_subject_is_one_short_line_whatever_its_template_writes_threat_18(templates: Path) -> None:
    subject = templates / "pt-BR" / "decision" / "subject.txt"
    subject.write_text("{{ subject }}\r\nBcc: a@example.com.br\n" + "x" * 300, encoding="utf-8")
    rendered = LetterRenderer(templates).render(LetterKind.DECISION, SAMPLES[LetterKind.DECISION][0])
    assert "LOCAL Bcc: a@example.com.br" in rendered.subject
    assert "\n" not in rendered.subject
    assert len(rendered.subject) <= 120


@pytest.mark.parametrize(
    ("path", "content", "line", "message"),
    [
        ("decision/body.txt", "a\nb {{ reference }}\n{{ nothing_such }}\n", 3, "nothing_such"),
        ("decision/body.html", "a\n{% if %}\n", 2, "Expected an expression"),
        ("decision/body.html", "{% extends '_layout.html' %}\n{% block content %}{{ no }}{% endblock %}", 2, "no"),
        ("reminder/subject.txt", "", None, "the subject is empty"),
        ("reminder/body.txt", "nada", None, "the reference line is missing"),
        ("phrases.yaml", "a: b\nc: [\n", 3, ""),
        ("_samples.yaml", "decision: {approved: perhaps}\n", None, ""),
    ],
)  # fmt: skip
def test_the_check_names_file_and_line(
    path: str, content: str, line: int | None, message: str, templates: Path
) -> None:
    (templates / "pt-BR" / path).write_text(content, encoding="utf-8")
    problems = [one for one in check_templates(templates) if one.source.endswith(path)]
    assert problems
    assert problems[0].line == line
    assert message in problems[0].message


def test_the_check_names_missing_files_sentences_and_unknown_folders(templates: Path) -> None:
    (templates / "letters" / "decision" / "body.html").unlink()
    (templates / "letters" / "_pages.txt").unlink()
    (templates / "pt-BR" / "decison").mkdir()
    phrases = templates / "pt-BR" / "phrases.yaml"
    phrases.write_text(phrases.read_text(encoding="utf-8").replace("\nencrypted:", "\nx:"), encoding="utf-8")
    found = [str(one) for one in check_templates(templates)]
    assert any("letters/decision/body.html: this file is missing" in one for one in found)
    assert any("letters/_pages.txt: this file is missing" in one for one in found)
    assert any("decison: no letter has this name" in one for one in found)
    assert any("phrases.yaml: encrypted: this sentence is missing" in one for one in found)


def test_no_templates_at_all_is_a_problem_and_not_a_crash(tmp_path: Path) -> None:
    assert "no letters in pt-BR" in str(check_templates(tmp_path)[0])
    with pytest.raises(ConfigurationError):
        LetterRenderer(tmp_path).words()


def test_a_remote_picture_in_a_template_is_a_problem(templates: Path) -> None:
    body = templates / "letters" / "decision" / "body.html"
    picture = '<img src="https://example.com.br/logo.png">'
    body.write_text(
        body.read_text(encoding="utf-8").replace("{% block content %}", "{% block content %}" + picture)
    )
    assert any("must not load" in one.message for one in check_templates(templates))


# --- parts -----------------------------------------------------------------------------------------------


def test_css_is_written_around_jinja_tags() -> None:
    source = (
        '{% extends "x" %}\n<table class="t"><tbody>\n{% for a in b if a > 3 %}\n'
        '<tr><td class="{{ c("<") }} t">{{ a }}</td></tr>\n{% endfor %}\n</tbody></table>'
    )
    done = inlined(source, ".t { color: red; }")
    assert done.count("color: red;") == 2
    assert re.sub(r' style="[^"]*"', "", done) == source


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("ALTERAÇÃO DE LOCAL", "ALTERAÇÃO DE LOCAL"),
        ("boleto.pdf", "boleto.pdf"),
        ("R$ 1.234,56", "R$ 1.234,56"),
        ("maria@example.com.br", "maria@example.com.br"),
        ("evil.example", "evil[.]example"),
        ("12.ABC.345/01DE-35", "12.ABC.345/01DE-35"),
        ("Padaria, CNPJ 12.ABC.345/01DE-35, evil.example", "Padaria, CNPJ 12.ABC.345/01DE-35, evil[.]example"),
        # A mail program may take the third group of this one for a domain.
        ("12.EVL.COM/01DE-35", "12[.]EVL[.]COM/01DE-35"),
        ("12.ABC.345/01DE-35.evil.com", "12[.]ABC.345/01DE-35[.]evil[.]com"),
        ("boleto.pdf.evil.com", "boleto[.]pdf[.]evil[.]com"),
        ("https://evil.example/x.pdf", "https:[//]evil[.]example/x.pdf"),
        ("veja WWW.evil.example", "veja WWW[.]evil[.]example"),
    ],
)
def test_what_could_become_a_link_is_defanged(written: str, shown: str) -> None:
    assert delinked_line(written) == shown


@given(st.text(max_size=300))
def test_cleaning_is_done_once_and_for_all(text: str) -> None:
    line = cleaned_line(text)
    assert cleaned_line(line) == line
    assert "\n" not in line
    assert not re.search(r"//\w", delinked_text(line))
    assert len(shortened(line, 20)) <= 20


@pytest.mark.parametrize(
    ("display_name", "greeted"),
    [
        ("MARIA APARECIDA", "Maria"),
        ("joão", "João"),
        ("Ana-Lúcia Reis", "Ana-Lúcia"),
        ("McDonald", "McDonald"),
        ("", ""),
        ("http://evil.example", ""),
        ("4x4 Peças", ""),
        ("x" * 60, ""),
    ],
)
def test_only_a_name_is_greeted(display_name: str, greeted: str) -> None:
    assert first_name(display_name) == greeted


def test_paragraphs_are_parted_at_empty_lines() -> None:
    assert paragraphs_of("a\nb  \n\n \nc\n").paragraphs == ("a\nb", "c")


def test_dates_and_sizes_are_written_as_brazilians_do(renderer: LetterRenderer) -> None:
    words, zone = renderer.words(), ZoneInfo("America/Sao_Paulo")
    at = datetime(2026, 11, 25, 1, 5, tzinfo=UTC)
    assert words.date(at, zone) == "terça-feira, 24 de novembro de 2026"
    assert words.moment(at, zone) == "24/11/2026 às 22:05"
    assert [words.size(one) for one in (1, 340_000, 1_234_567)] == ["1 kB", "340 kB", "1,2 MB"]


def test_every_reason_to_refuse_an_agents_mail_has_its_sentence(renderer: LetterRenderer) -> None:
    assert {f"reply_refused.{reason}" for reason in Refusal} <= renderer.words().phrases.keys()


def test_an_unknown_code_gives_a_general_sentence_and_places_are_filled_once(renderer: LetterRenderer) -> None:
    words = renderer.words()
    assert words.say(phrase("no_such_code")) == words.phrases["unknown"]
    assert "(o limite é {limit})." in words.say(phrase("refused_size", limit="{limit}"))
    assert words.say(phrase("refused_size")).startswith("O arquivo é grande demais. Envie")
    assert words.say(Phrase(code="no_such_code", otherwise="encrypted")) == words.phrases["encrypted"]
    assert words.say_to_staff(phrase("no_such_code")) == "Confira antes de decidir."
    assert words.fact_label("amount") == "Valor"
    assert words.say_to_staff(phrase("encrypted")) == "Protegido por senha."
    assert words.say_to_staff(phrase("too_short")) == words.say(phrase("too_short"))


@given(st.text(max_size=2000), st.lists(st.text(max_size=300), max_size=30))
def test_a_mailto_link_is_short_ascii_and_keeps_the_reference(subject: str, labels: list[str]) -> None:
    link = mailto("caixa+t.abc@example.com.br", subject, labels, "Ref.: [mb-abc]")
    assert len(link) <= 1800
    assert link.isascii()
    assert not re.search(r"[\s\"'<>]", link)
    assert link.startswith("mailto:caixa+t.abc@example.com.br?")
    assert link.endswith("Ref.%3A%20%5Bmb-abc%5D")
