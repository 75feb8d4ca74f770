"""What one sees of the demo: in the terminal and in the folder."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from rich.console import Console

from mailbot.demo import cast
from mailbot.demo.post_office import Delivery
from mailbot.demo.show import Screen, write_mails


def delivery(raw: bytes, *, number: int = 1, mailbox: str = cast.MAILBOX) -> Delivery:
    return Delivery(
        number=number,
        at=datetime(2026, 11, 21, 15, 0, tzinfo=UTC),
        envelope_from="x@cliente.example",
        mailbox=mailbox,
        authenticated_as=None,
        raw=raw,
    )


def letter(html: str = "<p>Olá</p>", *, subject: str = "[Chamado #2026-000001] x") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = cast.MAILBOX, cast.MARIA.addr_spec, subject
    mail.set_content("Olá")
    mail.add_alternative(html, subtype="html")
    return mail


def screen(*, terminal: bool) -> tuple[Screen, io.StringIO]:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=100, color_system="truecolor" if terminal else None)
    return Screen(console, cast.MAILBOX), out


def test_it_tells_who_wrote_to_whom_what_and_with_which_files() -> None:
    shown, out = screen(terminal=False)
    shown.mail(delivery(cast.complete_request()))
    lines = [line.strip() for line in out.getvalue().splitlines()]
    assert "maria.souza@cliente.example -> atendimento@example.com.br" in lines
    assert "ALTERAÇÃO DE LOCAL" in lines
    assert "Local atual: Rio Verde" in lines
    assert "[file] CNH Maria.pdf" in lines


def test_there_are_colours_on_a_terminal_only() -> None:
    for terminal in (True, False):
        shown, out = screen(terminal=terminal)
        shown.part("Um ato")
        shown.heading("Uma cena")
        shown.mail(delivery(cast.complete_request()))
        assert ("\x1b[" in out.getvalue()) is terminal
        assert "Um ato" in out.getvalue()
        assert "Uma cena" in out.getvalue()


def test_a_quote_is_not_shown_again() -> None:
    shown, out = screen(terminal=False)
    shown.mail(delivery(cast.reply_to(cast.plain_question(), from_=cast.ANA, text="Não abrimos.")))
    assert "Não abrimos." in out.getvalue()
    assert "atendem aos sábados" not in out.getvalue()


def test_what_a_scene_waits_for_is_shown_even_where_it_stands_far_below() -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = cast.MAILBOX, cast.MARIA.addr_spec, "x"
    mail.set_content("\n".join(f"linha {number}" for number in range(1, 30)))
    for showing, expected in (
        ((), ["linha 1", "linha 7", "…"]),
        (("linha 5",), ["linha 1", "linha 7", "…"]),
        (("linha 20", "linha 11"), ["linha 3", "…", "linha 11", "…", "linha 20", "linha 23", "…"]),
        (("nirgends",), ["linha 7", "…"]),
    ):
        shown, out = screen(terminal=False)
        shown.mail(delivery(bytes(mail)), showing=showing)
        lines = [line.strip() for line in out.getvalue().splitlines()]
        where = -1
        for line in expected:
            where = lines.index(line, where + 1)
        assert where == len(lines) - 1


def test_what_strangers_write_is_no_markup_of_the_terminal() -> None:
    shown, out = screen(terminal=False)
    shown.mail(delivery(bytes(letter(subject="[bold]x[/bold] [/nothing]"))))
    assert "[bold]x[/bold] [/nothing]" in out.getvalue()


def test_the_table_lists_tickets_oldest_first() -> None:
    shown, out = screen(terminal=False)
    row = {
        "requester": {"name": "Maria", "address": "m@cliente.example"},
        "title": "Alteração",
        "status": "resolved",
        "resolution": "approved",
        "queue": "sau",
    }
    shown.tickets([{**row, "number": "2026-000002", "resolution": None}, {**row, "number": "2026-000001"}])
    text = out.getvalue()
    assert text.index("2026-000001") < text.index("2026-000002")
    assert "m@cliente.example" in text
    assert "resolved, approved" in text


def test_only_titles_give_way_in_a_narrow_terminal() -> None:
    out = io.StringIO()
    row = {"requester": {"address": "someone@cliente.example"}, "status": "resolved", "resolution": "approved"}
    Screen(Console(file=out, width=70), cast.MAILBOX).tickets(
        [{**row, "number": "2026-000001", "title": "x" * 99}]
    )
    (line,) = (line for line in out.getvalue().splitlines() if "2026" in line)
    assert line.split()[:4] == ["2026-000001", "someone@cliente.example", "resolved,", "approved"]
    assert line.split()[4].endswith("…")


def test_every_mail_lies_in_the_folder_as_it_was_delivered_and_as_a_page(tmp_path: Path) -> None:
    first, second = cast.plain_question(), bytes(letter())
    write_mails(
        [delivery(first), delivery(second, number=2, mailbox=cast.MARIA.addr_spec)], tmp_path, cast.MAILBOX
    )
    assert {path.name for path in tmp_path.iterdir()} == {
        "01-helena-prado-to-atendimento.eml",
        "01-helena-prado-to-atendimento.html",
        "02-atendimento-to-maria-souza.eml",
        "02-atendimento-to-maria-souza.html",
        "index.html",
    }
    assert (tmp_path / "01-helena-prado-to-atendimento.eml").read_bytes() == first
    assert "<p>Olá</p>" in (tmp_path / "02-atendimento-to-maria-souza.html").read_text(encoding="utf-8")
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert 'href="02-atendimento-to-maria-souza.html"' in index


def test_the_page_of_a_customers_mail_tells_above_its_text_who_wrote_to_whom_and_with_which_files(
    tmp_path: Path,
) -> None:
    write_mails([delivery(cast.complete_request())], tmp_path, cast.MAILBOX)
    page = next(path for path in tmp_path.glob("01-*.html")).read_text(encoding="utf-8")
    head, _, body = page.partition("<pre>")
    assert "<dt>From</dt><dd>Maria Aparecida de Souza &lt;maria.souza@cliente.example&gt;</dd>" in head
    assert f"<dt>To</dt><dd>{cast.MAILBOX}</dd>" in head
    assert "<dt>Subject</dt><dd>ALTERAÇÃO DE LOCAL</dd>" in head
    assert "<dt>File</dt><dd>CNH Maria.pdf</dd>" in head
    assert "Local atual: Rio Verde" in body


def test_the_page_of_a_letter_is_the_letter_and_nothing_else(tmp_path: Path) -> None:
    write_mails([delivery(bytes(letter()))], tmp_path, cast.MAILBOX)
    page = next(path for path in tmp_path.glob("01-*.html")).read_text(encoding="utf-8")
    assert page.strip() == "<p>Olá</p>"


def test_text_and_subjects_become_no_html(tmp_path: Path) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = cast.MARIA.addr_spec, cast.MAILBOX, "<script>x</script>"
    mail.set_content("<script>alert(1)</script>")
    write_mails([delivery(bytes(mail))], tmp_path, cast.MAILBOX)
    assert all("<script>" not in path.read_text(encoding="utf-8") for path in tmp_path.glob("*.html"))


def test_pictures_of_a_letter_are_put_into_its_page(tmp_path: Path) -> None:
    mail = letter('<img src="cid:logo@x">')
    html = mail.get_body(preferencelist=("html",))
    assert isinstance(html, EmailMessage)
    html.add_related(b"\x89PNG\r\n\x1a\n", maintype="image", subtype="png", cid="<logo@x>")
    write_mails([delivery(bytes(mail))], tmp_path, cast.MAILBOX)
    page = next(path for path in tmp_path.glob("01-*.html")).read_text(encoding="utf-8")
    assert 'src="data:image/png;base64,' in page
    assert "cid:" not in page
