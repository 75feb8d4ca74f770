"""Words of forms that OCR misread, put right: ``folded text -> folded text``.

Only words that labels and titles are made of, and only where one of them is clearly meant. Names and numbers are
never touched: a number is believed for its check digits, not for its likeness.
"""

from __future__ import annotations

import re
from functools import lru_cache

from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import extractOne

_WORD = re.compile(r"[a-z0-9]{5,24}")
_FEWEST_LETTERS = 4

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
# Words of letters and marks that look alike and are others: never made one of the above.
_OTHERS = frozenset({"conduta", "locais", "barros", "contas", "bancos", "valores", "titular", "paga", "pagas"})


def corrected(folded: str) -> str:
    """``folded`` with the words of forms in it put right."""
    return _WORD.sub(lambda word: _nearest(word.group()), folded)


@lru_cache(maxsize=4096)
def _nearest(word: str) -> str:
    if word in _KNOWN or word in _OTHERS or sum(ch.isalpha() for ch in word) < _FEWEST_LETTERS:
        return word
    allowed = 1 if len(word) < 8 else 2
    found = extractOne(word, _WORDS, scorer=Levenshtein.distance, score_cutoff=allowed)
    return word if found is None or word[0] != found[0][0] else str(found[0])
