"""Papers that people send instead, certainly none that is asked for: ``PageText -> KindReading``.

Invoices, card bills, statements, manuals about boletos, vehicle papers, identity and CPF cards, Pix keys and
charges. Saying so helps the customer; where this is unsure, a person looks.
"""

from __future__ import annotations

from datetime import date

from mailbot.domain.evidence import DocumentKind
from mailbot.evidence.documents.kind_reading import KindReading
from mailbot.evidence.documents.page_text import PageText
from mailbot.evidence.documents.scoring import Clue, weighed

KIND = DocumentKind.OTHER
NAME = r"crlv|crlve|danfe|nota fiscal|extrato|fatura d[eo] cartao"

_SORTS: dict[str, tuple[Clue, ...]] = {
    "invoice": (
        Clue(reason="title", weight=0.5, pattern=r"danfe|nota fiscal (?:eletronica|de servicos?|fatura)|nfs ?e"
        r"|documento auxiliar da nota"),
        Clue(reason="access_key", weight=0.3, pattern=r"chave de acesso|natureza da operacao"
        r"|protocolo de autorizacao de uso"),
        Clue(reason="goods", weight=0.3, pattern=r"dados dos produtos|discriminacao dos servicos"
        r"|valor dos produtos|base de calculo|icms|issqn|ncm"),
    ),
    "card_bill": (
        Clue(reason="title", weight=0.5, pattern=r"fatura (?:d[oe] )?(?:seu )?cartao|(?:total"
        r"|resumo) (?:d[ae] )?(?:sua |esta )?fatura|sua fatura"),
        Clue(reason="minimum", weight=0.4, pattern=r"pagamento minimo"),
        Clue(reason="limit", weight=0.3, pattern=r"limite (?:total|disponivel|de credito)|melhor dia (?:de"
        r"|para) compra|credito rotativo"),
        Clue(reason="purchases", weight=0.2, pattern=r"compras parceladas|lancamentos|final do cartao"
        r"|cartao final"),
    ),
    "manual": (
        Clue(reason="title", weight=0.5, pattern=r"este manual|manual (?:d[eo] )?\w+|guia (?:pratico|completo)"
        r"|cartilha|perguntas frequentes|passo a passo"),
        Clue(reason="rules", weight=0.4, pattern=r"modulo 1[01]|digito verificador|fator de vencimento"
        r"|posic(?:ao|oes)|tamanho do campo|cnab|layout"),
        Clue(reason="teaches", weight=0.3, pattern=r"como (?:ler|emitir|preencher|pagar|identificar|funciona)"
        r"|sumario|capitulo|figura \d|exemplo d[eo]"),
    ),
    "vehicle_paper": (
        Clue(reason="title", weight=0.6, pattern=r"crlv\w*|certificado de registro e licenciamento"
        r"|certificado de registro de veiculo"),
        Clue(reason="vehicle", weight=0.4, pattern=r"(?:codigo )?renavam|chassi|placa|ano (?:fabricacao|modelo)"
        r"|marca / ?modelo"),
    ),
    "identity_card": (
        Clue(reason="title", weight=0.5, pattern=r"carteira de identidade|registro geral|cedula de identidade"
        r"|identidade nacional"),
        Clue(reason="issuer", weight=0.3, pattern=r"instituto de identificacao|seguranca publica"
        r"|lei n? ?(?:o )?7 ?116|naturalidade|polegar direito"),
    ),
    "tax_card": (
        Clue(reason="title", weight=0.5, pattern=r"cadastro de pessoas? fisicas?|comprovante de (?:inscricao"
        r"|situacao cadastral)(?: no)? cpf|situacao cadastral"),
        Clue(reason="issuer", weight=0.4, pattern=r"receita federal|ministerio da (?:fazenda|economia)"
        r"|numero de inscricao"),
    ),
    "pix_key": (
        Clue(reason="keys", weight=0.6, pattern=r"(?:minhas|suas|gerenciar|cadastrar) chaves|area pix"
        r"|meu qr code|receber com pix|chaves? cadastradas?"),
        Clue(reason="kinds", weight=0.3, pattern=r"chave aleatoria|portabilidade|compartilhar chave"
        r"|copiar chave|registrar nova chave"),
        Clue(reason="charge", weight=0.6, pattern=r"copia e cola|escaneie o qr|aponte a camera|pague com pix"
        r"|cobranca pix"),
    ),
    "statement": (
        Clue(reason="title", weight=0.6, pattern=r"extrato (?:de |da )?(?:conta|movimentacao|periodo|mensal"
        r"|consolidado)"),
        Clue(reason="balance", weight=0.4, pattern=r"saldo (?:anterior|do dia|final|disponivel)"),
    ),
    "contract_or_offer": (
        Clue(reason="title", weight=0.4, pattern=r"contrato de (?:prestacao|compra|locacao|adesao)"
        r"|orcamento n|proposta comercial"),
        Clue(reason="words", weight=0.4, pattern=r"contratante|contratad[oa]|clausula|validade da proposta"),
    ),
    "other_proof": (
        Clue(
            reason="title",
            weight=0.7,
            pattern=r"comprovante de (?:residencia|endereco|renda|rendimentos|matricula|votacao|vacinacao)",
        ),
    ),
}  # fmt: skip
WHOLE_FILE_SORTS = frozenset({"card_bill", "manual"})
"""Papers of several pages of which one alone may look like a boleto."""


def read(page: PageText, *, today: date) -> KindReading:  # noqa: ARG001 - as all readers
    """How much speaks for any of these papers; the first reason is which."""
    score, sort, reasons = max(
        (round(max(0.0, min(1.0, found)), 3), sort, why)
        for sort, clues in _SORTS.items()
        for found, why in [weighed(page.words, clues)]
    )
    return KindReading(kind=KIND, score=score, reasons=(sort, *reasons) if score else ())
