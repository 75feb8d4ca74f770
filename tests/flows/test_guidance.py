"""Process 000 through intake: what the table says is what everybody hears, once (R000-01 to R000-06, R000-25)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailbot.domain.events import Audience, EventKind, LetterKind, OutboundLetter
from mailbot.domain.guidance import RulingAction
from mailbot.domain.ticket import Resolution, Status, Ticket
from mailbot.flows.reprocess import tasks_for
from tests.flows.house import BOLETO, LICENCE, MAILBOX, RECEIPT, REPOSITORY, TestHouse, mail, reply_to

PAPERS = [BOLETO, RECEIPT, LICENCE]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    with TestHouse(tmp_path) as opened:
        yield opened


def request(
    reason: str = "mudei de cidade", start: str = "Rio Verde", end: str = "Anápolis", more: str = ""
) -> str:
    return f"Motivo: {reason}\nLocal atual: {start}\nNovo local: {end}\nNome: Maria\nFone: 64 99999-1234\n{more}"


def only_letter(house: TestHouse, audience: Audience, ticket: str | None = None) -> OutboundLetter:
    (letter,) = house.letters(audience, ticket=ticket)
    return letter


def kinds(house: TestHouse, audience: Audience) -> list[LetterKind]:
    return [letter.letter for letter in house.letters(audience)]


def ticket(house: TestHouse, number: str = "2026-000001") -> Ticket:
    return next(one for one in house.tickets() if one.number == number)


# --- unpaid boleto -------------------------------------------------------------------------------------------


def test_r000_02_an_unpaid_boleto_ends_guided_and_opens_the_cancellation_in_one_commit(house: TestHouse) -> None:
    house.receive(mail(request("o boleto ainda não foi pago"), files=[BOLETO]))
    first, second = ticket(house), ticket(house, "2026-000002")
    assert (first.status, first.resolution, first.missing) == (Status.RESOLVED, Resolution.GUIDED, ())
    assert first.ruling is not None
    assert first.ruling.linked_ticket == second.number
    assert (second.request_type, second.queue, second.status) == (
        "boleto_cancellation", "suporte_operacional", Status.OPEN,
    )  # fmt: skip
    assert second.requester == first.requester
    assert second.title == "Cancelamento do boleto de Rio Verde"
    told = only_letter(house, Audience.REQUESTER)
    assert told.letter is LetterKind.GUIDANCE
    assert second.number in told.text
    assert "comprovante de pagamento" not in told.text.lower()
    notice = only_letter(house, Audience.STAFF)
    assert (notice.letter, notice.recipient.address) == (LetterKind.TICKET_READY, "bruno@example.com.br")
    assert notice.ticket_number == second.number
    with house.app.storage.read() as work:
        linked = [
            (one.new, one.detail)
            for number in (first.number, second.number)
            for one in work.tickets.events(number)
            if one.kind is EventKind.LINKED
        ]
        (message,) = work.tickets.messages(second.number)
    assert linked == [(second.number, "opened_beside"), (first.number, "opened_beside")]
    assert [file.filename for file in message.files] == ["boleto.pdf"]


def test_r000_02_the_cancellation_ends_with_a_letter_of_its_own(house: TestHouse) -> None:
    house.receive(mail(request("boleto não pago")))
    house.agent_reply(only_letter(house, Audience.STAFF), "#resolver")
    done = house.letters(Audience.REQUESTER, ticket="2026-000002")[-1]
    assert "O boleto foi cancelado. Emita um novo boleto" in done.text
    assert "(Anápolis)" in done.text
    assert ticket(house, "2026-000002").resolution is Resolution.DONE


def test_r000_02_an_answer_to_the_requesters_own_mail_stays_on_the_first_ticket(house: TestHouse) -> None:
    house.receive(mail(request("boleto não pago"), message_id="mine"))
    guidance = only_letter(house, Audience.REQUESTER)
    house.receive(reply_to(guidance, "Já paguei sim, segue o comprovante", files=[RECEIPT]))
    first = ticket(house)
    assert (first.status, first.missing) == (Status.AWAITING_REQUESTER, ("boleto", "driver_licence"))
    assert len(house.tickets()) == 2
    # Who was about to cancel the boleto hears that it was paid.
    notice = house.letters(Audience.STAFF, ticket=first.number)[-1]
    assert (notice.letter, notice.recipient.address) == (LetterKind.REQUESTER_REPLIED, "bruno@example.com.br")
    assert "Já paguei sim" in notice.text


def test_r000_02_only_guiding_is_a_matter_of_one_word_in_the_file(tmp_path: Path) -> None:
    config = Path(shutil.copytree(REPOSITORY / "config", tmp_path / "config"))
    file = config / "catalogue" / "inspection_location_change.yaml"
    file.write_text(file.read_text("utf-8").replace(" opens: boleto_cancellation,", ""), "utf-8")
    with TestHouse(tmp_path / "house", config_dir=config) as house:
        house.receive(mail(request("boleto não pago")))
        assert [one.resolution for one in house.tickets()] == [Resolution.GUIDED]
        told = only_letter(house, Audience.REQUESTER)
        assert "chamado {" not in told.text
        assert "suporte operacional para você" not in told.text


# --- refusals and self-service -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "guidance", "resolution", "says"),
    [
        (
            request(start="Goiânia", end="Anápolis"),
            "under_minimum_distance",
            Resolution.DENIED,
            "De Goiânia a Anápolis a distância considerada é de 55 km",
        ),
        (
            request(start="Goiânia", end="Aparecida de Goiânia"),
            "self_service_city",
            Resolution.GUIDED,
            "https://vistoria.example.com.br/alterar-local",
        ),
        (
            request("vistoria reprovada em outra unidade", more="Unidade da reprovação: Jataí\n"),
            "failed_elsewhere",
            Resolution.DENIED,
            "na mesma unidade: no seu caso, Jataí",
        ),
    ],
)
def test_r000_25_each_answer_is_told_with_its_reason_and_figures(
    house: TestHouse, text: str, guidance: str, resolution: Resolution, says: str
) -> None:
    house.receive(mail(text, files=PAPERS))
    (only,) = house.tickets()
    assert (only.status, only.resolution) == (Status.RESOLVED, resolution)
    assert only.ruling is not None
    assert only.ruling.given == guidance
    assert says in only_letter(house, Audience.REQUESTER).text
    assert house.letters(Audience.STAFF) == []


def test_r000_05_the_unit_of_the_rejection_is_asked_for_alone_and_only_then(house: TestHouse) -> None:
    house.receive(mail(request("vistoria reprovada em outra unidade")))
    asked = only_letter(house, Audience.REQUESTER)
    assert (asked.letter, ticket(house).missing) == (LetterKind.EVIDENCE_REQUESTED, ("rejection_unit",))
    assert "Unidade da reprovação: ____" in asked.text
    assert "CNH" not in asked.text
    house.receive(reply_to(asked, "Unidade da reprovação: Catalão"))
    assert (ticket(house).status, ticket(house).resolution) == (Status.RESOLVED, Resolution.DENIED)
    assert "Catalão" in house.letters(Audience.REQUESTER)[-1].text


def test_r000_06_a_long_way_goes_on_and_nobody_is_asked_for_the_rejection_unit(house: TestHouse) -> None:
    house.receive(mail(request(), files=PAPERS))
    assert (ticket(house).status, ticket(house).missing) == (Status.OPEN, ())
    assert "PARA VOCÊ CONFIRMAR" not in only_letter(house, Audience.STAFF).text


def test_r000_03_in_the_middle_band_an_agent_has_the_figures(house: TestHouse) -> None:
    house.receive(mail(request(end="Jataí"), files=PAPERS))
    assert (ticket(house).status, ticket(house).resolution) == (Status.OPEN, None)
    notice = only_letter(house, Audience.STAFF)
    assert "Resposta sugerida pelas regras: Menos de 100 km entre as unidades" in notice.text
    assert "Rio Verde e Jataí ficam a 85,4 km em linha reta" in notice.text
    assert only_letter(house, Audience.REQUESTER).letter is LetterKind.TICKET_OPENED


def test_a_reason_that_is_not_plain_becomes_a_suggestion_with_its_doubt(house: TestHouse) -> None:
    house.receive(mail(request("não sei se o boleto não foi pago"), files=[BOLETO, LICENCE]))
    only = ticket(house)
    assert (only.status, only.missing) == (Status.OPEN, ())
    assert len(house.tickets()) == 1
    notice = only_letter(house, Audience.STAFF)
    assert "Boleto não pago" in notice.text
    assert "foi entendido de um texto livre (motivo)" in notice.text


def test_who_may_not_be_answered_is_not_turned_away_in_silence(house: TestHouse) -> None:
    """Our own server says that the address is forged: no letter can go there, so a person looks at it."""
    raw = mail(request("boleto não pago")).replace(b"dmarc=pass", b"dmarc=fail", 1)
    house.receive(raw)
    assert [one.status for one in house.tickets()] == [Status.OPEN]
    assert house.letters(Audience.REQUESTER) == []


# --- afterwards ----------------------------------------------------------------------------------------------


def guided_on_distance(house: TestHouse) -> OutboundLetter:
    house.receive(mail(request(start="Goiânia", end="Anápolis")))
    return only_letter(house, Audience.REQUESTER)


def test_thanks_for_the_guidance_change_nothing(house: TestHouse) -> None:
    letter = guided_on_distance(house)
    house.receive(reply_to(letter, "Muito obrigada!"))
    assert ticket(house).status is Status.RESOLVED
    assert len(house.letters()) == 1


def test_who_does_not_agree_is_heard_by_a_person_and_not_told_the_same_again(house: TestHouse) -> None:
    letter = guided_on_distance(house)
    house.receive(reply_to(letter, "Não concordo, pela estrada de terra são 120 km!"))
    assert (ticket(house).status, ticket(house).resolution) == (Status.OPEN, None)
    assert kinds(house, Audience.REQUESTER) == [LetterKind.GUIDANCE]
    notice = only_letter(house, Audience.STAFF)
    assert notice.letter is LetterKind.TICKET_READY
    assert "Menos de 100 km" in notice.text


def test_who_names_another_unit_is_asked_for_what_that_needs(house: TestHouse) -> None:
    letter = guided_on_distance(house)
    house.receive(reply_to(letter, "Novo local: Catalão"))
    assert ticket(house).status is Status.AWAITING_REQUESTER
    assert ticket(house).missing == ("payment_receipt", "boleto", "driver_licence")
    assert kinds(house, Audience.REQUESTER) == [LetterKind.GUIDANCE, LetterKind.EVIDENCE_REQUESTED]
    house.receive(reply_to(house.letters(Audience.REQUESTER)[-1], "Seguem", files=PAPERS))
    assert ticket(house).status is Status.OPEN
    assert ticket(house).title == "Alteração de Goiânia para Catalão"


def test_a_later_mail_of_a_waiting_request_may_end_it(house: TestHouse) -> None:
    house.receive(mail(request()))
    house.receive(reply_to(only_letter(house, Audience.REQUESTER), "Motivo: boleto não pago"))
    assert ticket(house).resolution is Resolution.GUIDED
    assert len(house.tickets()) == 2
    assert kinds(house, Audience.REQUESTER)[-1] is LetterKind.GUIDANCE


def test_a_ticket_that_agents_have_before_them_gets_a_suggestion_only(house: TestHouse) -> None:
    house.receive(mail(request(), files=PAPERS))
    more = "Motivo: vistoria reprovada em outra unidade\nUnidade da reprovação: Jataí"
    house.receive(reply_to(only_letter(house, Audience.REQUESTER), more))
    only = ticket(house)
    assert (only.status, len(house.tickets())) == (Status.OPEN, 1)
    assert only.ruling is not None
    assert only.ruling.action is RulingAction.SUGGEST
    assert "Vistoria reprovada em outra unidade" in house.letters(Audience.STAFF)[-1].text


def test_an_agents_own_request_is_guided_like_anybodys(house: TestHouse) -> None:
    house.receive(mail(request(start="Goiânia", end="Anápolis"), sender="ana@example.com.br"))
    assert ticket(house).resolution is Resolution.DENIED


# --- reprocess -----------------------------------------------------------------------------------------------


def with_distance_of(house: TestHouse, folder: Path, km: str) -> None:
    """Open the house anew, with another length of the road from Goiânia to Anápolis."""
    config = Path(shutil.copytree(REPOSITORY / "config", folder))
    file = config / "units.yaml"
    text = file.read_text("utf-8")
    assert "[goiania, anapolis], km: 55" in text
    file.write_text(text.replace("[goiania, anapolis], km: 55", f"[goiania, anapolis], km: {km}"), "utf-8")
    house.reopen(config_dir=config)


def again(house: TestHouse, *, quiet: bool = False, dry_run: bool = False) -> list[LetterKind]:
    flow = house.app.reprocess()
    done = [flow.do(task, quiet=quiet, dry_run=dry_run) for task in tasks_for(house.mails())]
    return [letter.letter for one in done for letter in one.letters]


def test_reprocessing_what_did_not_change_does_nothing(house: TestHouse) -> None:
    house.receive(mail(request("boleto não pago")))
    before = house.tickets()
    assert again(house) == []
    assert house.tickets() == before


def test_reprocessing_tells_of_guidance_that_does_not_hold_any_more(house: TestHouse, tmp_path: Path) -> None:
    guided_on_distance(house)
    with_distance_of(house, tmp_path / "other", "155")
    assert again(house, dry_run=True) == [LetterKind.EVIDENCE_REQUESTED]
    assert again(house) == [LetterKind.EVIDENCE_REQUESTED]
    assert (ticket(house).status, ticket(house).resolution) == (Status.AWAITING_REQUESTER, None)
    assert again(house) == []


def test_reprocessing_gives_guidance_that_holds_now(house: TestHouse, tmp_path: Path) -> None:
    with_distance_of(house, tmp_path / "other", "155")
    house.receive(mail(request(start="Goiânia", end="Anápolis")))
    with_distance_of(house, tmp_path / "third", "54")
    assert again(house) == [LetterKind.GUIDANCE]
    assert ticket(house).resolution is Resolution.DENIED
    assert "a resposta mudou" in house.letters(Audience.REQUESTER)[-1].text
    assert again(house) == []


def test_reprocessing_quietly_ends_nothing_of_which_nobody_hears(house: TestHouse, tmp_path: Path) -> None:
    with_distance_of(house, tmp_path / "other", "155")
    house.receive(mail(request(start="Goiânia", end="Anápolis")))
    with_distance_of(house, tmp_path / "third", "54")
    assert again(house, quiet=True) == []
    assert not ticket(house).is_finished


def test_no_letter_of_the_table_goes_to_anybody_but_requester_and_staff(house: TestHouse) -> None:
    house.receive(mail(request("boleto não pago"), headers=[("Reply-To", "outra@example.com")]))
    assert {one.recipient.address for one in house.letters()} <= {
        "maria@example.com.br", "bruno@example.com.br", MAILBOX,
    }  # fmt: skip
