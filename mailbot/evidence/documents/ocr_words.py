"""Words of forms that OCR misread, put right: ``folded text -> folded text``.

Only words that labels and titles are made of, and only where one of them is clearly meant. Names and numbers are
never touched: a number is believed for its check digits, not for its likeness.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import extractOne

_WORD = re.compile(r"[a-z0-9]{5,24}")
_FEWEST_LETTERS = 4
# A narrow J looks like a bracket.
_CNPJ = re.compile(r"(?<![a-z0-9])cnp[)\]}1il](?![a-z0-9])")

_WORD_LIST = """
    agencia agendada agendado agendamento aguardando aprovada aprovado arrecadacao assinatura
    autenticacao autorizada autorizado bancaria bancario banco barras beneficiario boleto cancelada
    cancelado cancelamento carteira cedente chave cobrado codigo compensacao comprovante concluida
    concluido conducao confirmada confirmado conta controle debitada debitado debito desconto
    destinatario destino devolucao devolvido digitavel documento efetivacao efetivada efetivado efetuada
    efetuado eletronica emissao emissor encargos enviada enviado especie estorno estornada estornado
    favorecido ficha filiacao habilitacao identidade identificador instituicao juros licenca liquidacao
    liquidado local mecanica moeda motorista multa nacional nacionalidade nascimento nosso numero
    operacao origem pagador pagamento pagar parcela pendente permissao preferencialmente previsto
    processado processamento programado programada protocolo quantidade realizada realizado recebedor
    recebido recebida recibo recusada recusado referencia registro rejeitada rejeitado representacao
    republica sacado sacador secretaria situacao sobrenome solicitacao status sucesso titulo transacao
    transferencia transferido transito validade valor vencimento
"""
_WORDS = tuple(_WORD_LIST.split())
_KNOWN = frozenset(_WORDS)
# Words and names of letters that look alike and are others: never made one of the above.
_OTHERS = frozenset(
    {
        "agradando",
        "banca",
        "barco",
        "barros",
        "canteiro",
        "carreira",
        "certeira",
        "chame",
        "confinado",
        "congelado",
        "congelamento",
        "contar",
        "conte",
        "conto",
        "contra",
        "contas",
        "corta",
        "especial",
        "habitacao",
        "locais",
        "muita",
        "muitas",
        "parceria",
        "pegar",
        "secretario",
        "valer",
        "validada",
    }
)
# Letters that look alike where they are printed small or blurred; two that together look like another one.
_ALIKE = ("il1tjfr", "oecaq0dg", "nmurhvwx", "gqy9", "sz5x", "bhk68", "pb", "ft7", "uov")
_THIN = frozenset("il1tjfr")
_PAIRS = (("rn", "m"), ("ni", "m"), ("in", "m"), ("cl", "d"), ("ii", "u"), ("li", "h"), ("vv", "w"))
_LOOKS_LIKE = frozenset((one, two) for alike in _ALIKE for one in alike for two in alike)


def corrected(folded: str) -> str:
    """``folded`` with the words of forms in it put right."""
    return _WORD.sub(lambda word: _nearest(word.group()), _CNPJ.sub("cnpj", folded))


@lru_cache(maxsize=4096)
def _nearest(word: str) -> str:
    if word in _KNOWN or word in _OTHERS or sum(ch.isalpha() for ch in word) < _FEWEST_LETTERS:
        return word
    allowed = 1 if len(word) < 8 else 2
    for likely in _variants(word):
        found = extractOne(likely, _WORDS, scorer=Levenshtein.distance, score_cutoff=allowed)
        if found is not None and likely[0] == found[0][0] and is_misread(likely, str(found[0])):
            return str(found[0])
    return word


def _variants(word: str) -> Iterator[str]:
    """The word, and the word with pairs of letters as the one that they look like."""
    yield word
    for pair, one in _PAIRS:
        if pair in word:
            yield word.replace(pair, one)


def is_misread(word: str, meant: str) -> bool:
    """Whether all that differs between two words are letters that look alike, or thin ones too few or too many.

    *Calculado* is near *cancelado*, and *atendimento* near *agendamento*: other words, of other letters.
    """
    for change in Levenshtein.editops(word, meant):
        if change.tag == "replace":
            if (word[change.src_pos], meant[change.dest_pos]) not in _LOOKS_LIKE:
                return False
        elif (word[change.src_pos] if change.tag == "delete" else meant[change.dest_pos]) not in _THIN:
            return False
    return True
