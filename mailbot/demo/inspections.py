"""Scenes of process 000, another place for an inspection, and of what reaches every mailbox beside it."""

from __future__ import annotations

from mailbot.demo import cast
from mailbot.demo.cast import MailProgram
from mailbot.demo.stage import Scene, SceneFailed, Stage
from mailbot.mime.parse import parse_mail


def _complete_request(stage: Stage) -> None:
    stage.customer_writes(cast.complete_request())
    opened = stage.letter_to(cast.MARIA, what="a letter with her ticket's number", saying="2")
    notice = stage.notice_to(cast.ANA, what="a notice that Maria's ticket is ready", saying="Maria Aparecida")
    text = "#autorizar\nPode fazer a vistoria em Anápolis a partir de amanhã, das 8h às 17h. Leve os originais."
    stage.agent_writes(cast.reply_to(notice, from_=cast.ANA, text=text, program=MailProgram.OUTLOOK), cast.ANA)
    decision = stage.letter_to(cast.MARIA, what="the decision", saying="das 8h às 17h")
    _check_threads(decision, opened)
    stage.customer_writes(cast.reply_to(decision, from_=cast.MARIA, text="Muito obrigada!"))


def _incomplete_request(stage: Stage) -> None:
    stage.customer_writes(cast.incomplete_request())
    asked = stage.letter_to(cast.JOAO, what="a checklist of what is missing", saying="CNH")
    stage.customer_writes(cast.reply_with_what_was_missing(asked))
    stage.letter_to(cast.JOAO, what="a letter that all papers are there")
    notice = stage.notice_to(cast.ANA, what="a notice that João's ticket is ready", saying="João Batista")

    text = "Olá, João! O carro já está em Goiânia?\n\nAna Ribeiro"
    stage.agent_writes(cast.reply_to(notice, from_=cast.ANA, text=text), cast.ANA)
    question = stage.letter_to(cast.JOAO, what="Ana's question", saying="O carro já está em Goiânia?")
    text = "Ainda não, só no mês que vem."
    stage.customer_writes(cast.reply_to(question, from_=cast.JOAO, text=text, program=MailProgram.OUTLOOK))
    replied = stage.notice_to(cast.ANA, what="João's answer", saying="só no mês que vem")

    stage.screen.say("\nA stranger forges Ana's address, our server's results and the ticket's number:")
    tag = parse_mail(question).subject.partition("]")[0] + "]"
    stage.customer_writes(
        cast.forged_decision(tag.removeprefix("Re: ")), dmarc="fail", envelope_from="x@cliente.example"
    )
    # Only then does she decide herself, so that the screen tells the story in its order.
    stage.notice_to(cast.ANA, what="a notice that “her” mail was refused", saying="não foi aplicada")

    text = "#negar O boleto vence antes de o carro chegar a Goiânia."
    stage.agent_writes(cast.reply_to(replied, from_=cast.ANA, text=text), cast.ANA)
    # His next letter is Ana's own decision: the forged one did nothing.
    stage.letter_to(cast.JOAO, what="Ana's decision and no other", saying="antes de o carro chegar")
    stage.notice_to(cast.ANA, what="that it was done", saying="Pedido não autorizado")


def _photos(stage: Stage) -> None:
    stage.customer_writes(cast.photos_with_a_typo_in_the_subject())
    stage.letter_to(cast.CAMILA, what="a letter that names the right subject", saying=cast.RIGHT_SUBJECT)
    stage.notice_to(cast.ANA, what="a notice that somebody must look at the photos", saying="IMG_4021.jpg")


def _locked_pdf(stage: Stage) -> None:
    stage.customer_writes(cast.request_with_a_locked_pdf())
    stage.letter_to(cast.ROBERTO, what="a letter that asks for a copy without password", saying="senha")


def _raw_latin1(stage: Stage) -> None:
    stage.customer_writes(cast.request_with_raw_latin1_headers(), dmarc=None)
    stage.letter_to(cast.SEBASTIAO, what="the list of what to send", saying="CNH")


def _plain_question(stage: Stage) -> None:
    stage.customer_writes(cast.plain_question())
    stage.letter_to(cast.HELENA, what="a letter with her ticket's number")
    notice = stage.notice_to(cast.BRUNO, what="a notice of Helena's question", saying="sábados")
    text = "#resolver Atendemos de segunda a sexta, das 8h às 18h. Aos sábados não abrimos."
    stage.agent_writes(cast.reply_to(notice, from_=cast.BRUNO, text=text), cast.BRUNO)
    stage.letter_to(cast.HELENA, what="Bruno's answer", saying="Aos sábados não abrimos")
    stage.notice_to(cast.BRUNO, what="that it was done", saying="Chamado concluído")


def _machines(stage: Stage) -> None:
    stage.customer_writes(cast.out_of_office(), envelope_from="")
    stage.customer_writes(cast.newsletter())
    # Not answered is not thrown away: a list's mail may be a person's.
    stage.notice_to(cast.BRUNO, what="a notice of the newsletter", saying="pneus")


INSPECTIONS: tuple[tuple[str, Scene], ...] = (
    ("An answering machine and a newsletter: no answer to either", _machines),
    ("A complete request, approved by Ana from her mail program", _complete_request),
    ("An incomplete request, a reply, a question, a forgery, a refusal", _incomplete_request),
    ("Photos from a telephone, and a typo in the subject", _photos),
    ("A PDF that is locked with a password", _locked_pdf),
    ("An old web mail that declares no character set", _raw_latin1),
    ("A plain question, for a person", _plain_question),
)


def _check_threads(letter: bytes, earlier: bytes) -> None:
    """A ticket's letters to one person are one conversation for their mail program."""
    if parse_mail(earlier).message_id not in parse_mail(letter).references:
        raise SceneFailed("the decision should refer to the ticket's first letter")
