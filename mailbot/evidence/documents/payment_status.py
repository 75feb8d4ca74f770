"""Whether a receipt says *paid*: ``PageText -> PaymentStatus`` (DOMAIN C.4).

Scheduled is not paid, and is a common fraud; but *agendamento* also stands in receipts of what was paid. So a
receipt is paid only where it says so itself and nothing else in it says scheduled, waiting, failed, refunded or
received; in doubt it is unknown, and a person looks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mailbot.catalogue.folding import plain_lines
from mailbot.domain.evidence import PaymentStatus
from mailbot.evidence.documents.misread_status import may_say_otherwise
from mailbot.evidence.documents.page_text import NOT_WORDS, PageText, compiled

# What banks print in receipts of payments that were made.
_HARMLESS = compiled(
    r"data (?:d[ae] )?efetivacao (?:/ )?(?:ou )?(?:d[eo] )?agendamento"
    r"|data (?:d[eo] )?agendamento (?:/ )?efetivacao"
    r"|(?:numero|n|no|nr|num|nro|codigo|id|identificador|protocolo) (?:d[eo] )?agendamento"
    r"|(?:data|hora) d[eo] agendamento [\d/ :]{8,20}(?= .*(?:efetivad|pago em|data d[eo] pagamento))"
    r"|pagamentos? (?:realizados?|efetuados?) (?:apos|depois d)[a-z0-9 ]{1,40} (?:serao|sera) (?:processad"
    r"|efetivad|considerad)[oa]s?[a-z ]{0,30}"
    r"|(?:mecanismo especial de|pedido de|solicitar (?:a )?|prazo (?:para|de) )devolucao|agencia(?:s)? bancaria"
    r"|(?:sac|ouvidoria|central de atendimento|duvidas|reclamacoes|cancelamentos?)(?: (?:e|ou))? "
    r"(?:cancelamentos?|informacoes|elogios|reclamacoes)[a-z ,]*"
    r"|(?:consultas|informacoes|reclamacoes|elogios|sugestoes|duvidas|servicos)"
    r"(?: (?:e|ou|de|gerais|consultas|informacoes|reclamacoes|elogios|sugestoes|duvidas|servicos|transacionais))*"
    r" cancelamentos?(?: de (?:produtos?|servicos?|contas?)(?: e servicos?)?)?"
    r"|cancelamentos?(?: (?:e|ou))? (?:consultas|informacoes|reclamacoes|elogios|sugestoes|duvidas)"
    r"|(?:nao )?e possivel cancelar (?:ou estornar )?(?:esta|a) (?:transacao|transferencia)"
    r"|esta (?:transacao|operacao) (?:e|foi) [a-z ]{0,20}nao pode ser cancelada|nao pode ser cancelad[oa]"
    r"|sem (?:erros|pendencias)|(?:serao|sera) (?:processad|efetivad)[oa]s? no (?:proximo|primeiro) dia util"
)
# What stands behind these in a sentence is what would be, or what could be done: it says nothing of what was.
_IF = compiled(
    r"se|caso|em caso|quando|para (?:cancelar|agendar|solicitar|consultar)|poderao?|podera|voce pode|podem?"
    r"|antes de|"
    r"ate que|consulte|saiba mais|ligue|acesse|duvidas|ouvidoria|0800[0-9 ]*|como|aprenda|prazo|politica|evite"
    # Not a piece of another word that OCR cut.
    r"|^sac|sac(?= (?:[0-9]|caixa|bb|itau|bradesco|e |ou ))"
)

_NOUN = (
    r"(?:pagamentos?|pix|transferencias?|transac(?:ao|oes)|operacao|boletos?|titulos?|ted|doc|debito"
    r"|contas?|guias?|envio|fatura|tributos?|impostos?)"
)
_SCHEDULED = compiled(
    rf"comprovante (?:d[eo] )?(?:\w+ ){{0,3}}agend\w*|agendamento (?:d[eoa]s? )?(?:\w+ ){{0,2}}{_NOUN}"
    rf"|{_NOUN} (?:\w+ ){{0,3}}(?:agendad|programad)[oa]s?|(?:agendad|programad)[oa]s? (?:para|com sucesso|em"
    rf"|por|ate|no dia)"
    r"|agendamento (?:foi )?(?:realizad|efetuad|efetivad|confirmad|concluid|registrad|incluid|feit|aceit|salv)[oa]"
    r"|agendamento com sucesso|(?:data|dia|valor) (?:d[eo] )?(?:agendad[oa]|agendamento|programad[oa])"
    r"|(?:voce|vc) (?:agendou|programou)|lancamentos? futuros?|(?:data|debito|pagamento) previst[oa]"
    r"|previst[oa] para"
    r"|previsao (?:de|do|para) (?:pagamento|debito|envio|efetivacao|lancamento)"
    r"|(?:nao|nem) (?:garante|comprova|confirma|vale|serve|equivale|representa|substitui|e um|constitui)"
    r"(?: como)?(?: \w+){0,6} (?:efetiv\w*|pagamento|quitacao|comprovante|transferencia|transacao|liquidacao"
    r"|operacao)"
    r"|(?:sera|serao|vai ser) (?:\w+ ){0,2}(?:efetuad|realizad|processad|debitad|efetivad|enviad|pag|transferid|"
    r"concluid|lancad|executad|liquidad)[oa]s?|a ser (?:debitad|pag|efetuad|realizad|processad)[oa]"
    r"|desde que haja saldo|havendo saldo|mediante saldo|(?:vai|ira) (?:ser )?(?:sair|debitar|cair)"
)
_MENTIONS_SCHEDULE = compiled(
    r"agend\w*|programad[oa]s?|programou"
    r"|sujeit[oa] (?:a|ao) (?:saldo|disponibilidade|existencia|confirmacao|aprovacao|analise|processamento)"
)
_WAITING = compiled(
    r"aguardando|pendente|em (?:processamento|analise|andamento|aprovacao|liquidacao|aberto)|processando"
    r"|nao concluid[oa]"
    r"|falta(?:m)? (?:\w+ )?(?:autorizar|aprovar|aprovacao|assinatura|autorizacao)|(?:a|para) (?:autorizar"
    r"|aprovar)"
    r"|revis(?:e|ar|ao)(?: (?:os|o|a|as|seu|sua|do|da|e|dados|pagamento|pix|transferencia))*|confira (?:os )?dados"
    r"|confirm(?:e|ar) (?:o |os |a |seu |sua )?(?:dados|pagamento|pix|transferencia|envio|transacao)"
    r"|digite (?:sua |a )?senha|pagar agora|continuar|deseja (?:pagar|confirmar|continuar)|valor a pagar"
    r"|total a pagar"
    r"|copia e cola|escaneie|aponte a camera|qr code para pagamento|pague com|pix cobranca|codigo pix"
    r"|simulacao|rascunho|sem valor (?:legal|fiscal|de comprovante)"
    r"|solicitacao (?:de pagamento )?(?:recebida|registrada|enviada)|pedido de pagamento|em compensacao"
)
_FAILED = compiled(
    r"nao (?:foi |pode ser |pode |foram |esta |conseguimos |conseguiu |e )?(?:possivel )?(?:\w+ )?(?:efetuad"
    r"|realizad|"
    r"concluid|efetivad|autorizad|processad|aprovad|pag|conclu|realiz|process|complet|confirmad|finaliz|enviad|"
    r"debitad|liquidad|aceit|sucedid)\w*"
    r"|cancelad[oa]s?|cancelamento (?:realizado|efetuado|confirmado|com sucesso|d[eoa] (?:pagamento|pix"
    r"|transacao|transferencia|operacao|boleto|titulo))|estornad[oa]s?|estorno|devolvid[oa]s?"
    r"|devolucao|reembols\w+|recusad[oa]s?|recusou|rejeitad[oa]s?|negad[oa]s?|falh(?:a|ou|ada)|sem sucesso"
    r"|mal sucedid[oa]|insucesso|saldo insuficiente|insuficiencia de saldo|expirad[oa]|expirou|invalidad[oa]"
    r"|nao efetivacao|nao[- ]?(?:paga|pago)|algo deu errado|ops|deu erro|erro (?:no|na|ao|de|em)|ocorreu um erro"
    r"|indeferid[oa]|bloquead[oa]|contestad[oa]|tentativa de|interrompid[oa]|suspens[oa]|revertid[oa]"
    r"|desfeit[oa]|anulad[oa]|nao houve|nao ocorreu|nao aconteceu|nao deu certo|nao saiu"
)
_RECEIVED = compiled(
    r"(?:pix|transferencia|ted|doc|pagamento|deposito|valor|dinheiro) recebid[oa]s?|voce recebeu|recebemos"
    r"|recebimento (?:de |via |por )?(?:pix|transferencia|ted)|comprovante de recebimento|recebeu (?:um|uma|r\$"
    r"|de)"
    r"|enviou (?:um pix |r\$ [\d.,]+ )?(?:para|pra) voce|te (?:enviou|pagou|transferiu)"
    r"|credito (?:em conta )?recebido"
)
_PAID = compiled(
    r"(?:comprovante|recibo|2a? via(?: d[eo] comprovante)?|via) (?:de |do |da |d[eo] )?(?:\w+ ){0,2}"
    r"(?:pagamentos?|pix|transferencia|transacao|operacao|ted|deposito|titulos?|arrecadacao|debito|quitacao"
    r"|boletos?"
    r"|cobranca|convenio)"
    r"|(?:pagamento|pix|transferencia|transacao|operacao|boleto|titulo|conta|fatura|ted|guia|envio|tributo"
    r"|imposto)"
    r"(?: (?:de|da|do|via|pix|boleto|titulo|conta|foi|com|instantane[oa]|enviad[oa]|por|\w+)){0,3} "
    r"(?:efetuad|realizad|confirmad|concluid|efetivad|enviad|aprovad|pag|liquidad|autorizad|processad|feit"
    r"|executad)[oa]s?"
    r"|voce (?:pagou|transferiu|enviou|fez)|pag[oa] (?:em|com sucesso|por|para|via)|pagou (?:um|uma|o|a|r\$)"
    r"|efetivad[oa]|liquidad[oa]|concluid[oa]|realizad[oa] (?:em|com sucesso)|efetuad[oa] (?:em|com sucesso)"
    r"|valor (?:total )?pago|valor cobrado|data (?:d[eo] )?(?:pagamento|efetivacao|debito)|quitad[oa]|quitacao"
    r"|(?:pix|tev|ted|doc|transferencia) enviad[oa]|sucesso|aprovad[oa]|pago|transacao aprovada"
)
_STATUS_LABEL = r"(?:status|situacao|estado)(?: (?:d[aoe] )?(?:\w+))?"
_SAYS_PAID = re.compile(
    r"^(?:(?:foi|com|pagamento|transacao|operacao|pix) )*(?:efetivad|efetuad|pag|concluid|realizad|liquidad"
    r"|confirmad|"
    r"aprovad|quitad|finalizad|autorizad|enviad|completad|processad|sucesso)[oa]?s?\b"
)
_STAMPED = re.compile(
    r"(?:pagamento |boleto |titulo |pix |transacao |operacao )?(?:estornad|cancelad|agendad|recusad|rejeitad"
    r"|devolvid|reembolsad|negad|anulad|suspens|invalidad)[oa]"
)
_END_OF_SENTENCE = re.compile(r"[.!?;](?:\s+|$)")
_FEWEST_WORDS_TO_GO_ON = 4
_NEGATES = re.compile(r"\b(?:nao|nem|sem|foi|esta|pagamento|pix|transferencia|boleto)$")


def payment_status(page: PageText) -> PaymentStatus:
    """What the page says of the payment, by its words alone; the dates are for the caller to weigh."""
    said = set(_signs(page))
    labelled = _by_label(page)
    if PaymentStatus.FAILED in said:
        return PaymentStatus.FAILED
    if PaymentStatus.SCHEDULED in said:
        # Scheduled once, and carried out since? A person reads it.
        return PaymentStatus.UNKNOWN if labelled is PaymentStatus.PAID else PaymentStatus.SCHEDULED
    if labelled is PaymentStatus.UNKNOWN or PaymentStatus.UNKNOWN in said:
        return PaymentStatus.UNKNOWN
    return PaymentStatus.PAID if PaymentStatus.PAID in said else PaymentStatus.UNKNOWN


def _signs(page: PageText) -> Iterator[PaymentStatus]:
    for sentence in _sentences(page):
        yield from _signs_in(_HARMLESS.sub(" ", sentence))
        if page.is_ocr and may_say_otherwise(_HARMLESS.sub(" ", sentence)):
            yield PaymentStatus.UNKNOWN


def _signs_in(sentence: str) -> Iterator[PaymentStatus]:
    if _says(_FAILED, sentence):
        yield PaymentStatus.FAILED
    if _says(_SCHEDULED, sentence):
        yield PaymentStatus.SCHEDULED
    elif _says(_MENTIONS_SCHEDULE, sentence) or _says(_WAITING, sentence) or _says(_RECEIVED, sentence):
        yield PaymentStatus.UNKNOWN
    elif _says(_PAID, sentence):
        yield PaymentStatus.PAID


def _says(pattern: re.Pattern[str], sentence: str) -> bool:
    """Whether a sentence has ``pattern``, not behind an *if*."""
    said = pattern.search(sentence)
    if said is None:
        return False
    begin = _IF.search(sentence)
    return begin is None or said.start() < begin.start()


def _sentences(page: PageText) -> Iterator[str]:
    """Every line's sentences, and those that go on over the end of a line, as words."""
    before = ""
    for line in page.lines:
        folded = "  ".join(cell.folded for cell in line.cells)
        for sentence in _END_OF_SENTENCE.split(folded):
            yield _as_words(sentence)
        last = _END_OF_SENTENCE.split(before)[-1]
        if len(last.split()) >= _FEWEST_WORDS_TO_GO_ON or _NEGATES.search(_as_words(last)):
            yield _as_words(f"{last} {_END_OF_SENTENCE.split(folded)[0]}")
        before = folded
        if len(line.cells) > 1:
            # A stamp beside the bank's telephone numbers is none of their line.
            yield from filter(_STAMPED.fullmatch, (_as_words(cell.folded) for cell in line.cells))


def _as_words(text: str) -> str:
    return " ".join(NOT_WORDS.sub(" ", text).split())


def _by_label(page: PageText) -> PaymentStatus | None:
    """What stands behind *Situação* or *Status*; anything that is not plainly *paid* is not paid."""
    said = page.near(_STATUS_LABEL, lambda text: [text] if any(ch.isalpha() for ch in text) else [], below=1)
    plain = [_as_words(plain_lines(one)) for one in said]
    if not plain:
        return None
    return PaymentStatus.PAID if all(_SAYS_PAID.match(one) for one in plain) else PaymentStatus.UNKNOWN
