"""The words by which agents order something in a mail, and why such a mail may do nothing.

Triage reads and weighs them, letters name them: both know the same ones (INTERFACE *Staff words*).
"""

from __future__ import annotations

from enum import StrEnum


class StaffWord(StrEnum):
    """Every staff word, named as agents type it; the value has no accents."""

    AUTORIZAR = "autorizar"
    NEGAR = "negar"
    PEDIR = "pedir"
    NOTA = "nota"
    RESPONDER = "responder"
    ESPERA = "espera"
    APROVACAO = "aprovacao"
    AGENDAR = "agendar"
    STATUS = "status"
    RESOLVER = "resolver"
    REABRIR = "reabrir"
    FECHAR = "fechar"
    ATRIBUIR = "atribuir"
    FILA = "fila"
    PRIORIDADE = "prioridade"
    TIPO = "tipo"
    DISPENSAR = "dispensar"
    CAMPO = "campo"
    OS = "os"
    JUNTAR = "juntar"
    COPIAR = "copiar"
    DOCUMENTOS = "documentos"
    ORIGINAIS = "originais"
    HISTORICO = "historico"
    ABERTOS = "abertos"
    CLIENTE = "cliente"
    ABRIR = "abrir"
    DESFAZER = "desfazer"
    AJUDA = "ajuda"


class Refusal(StrEnum):
    """Why an agent's mail does not do what it says; letters word it by this code."""

    NO_HANDLE = "no_handle"
    HANDLE_OF_ANOTHER = "handle_of_another"
    TWO_TICKETS = "two_tickets"
    NOT_VERIFIED = "not_verified"
    EXPIRED_HANDLE = "expired_handle"
    UNKNOWN_WORD = "unknown_word"
    WORD_NOT_POSSIBLE = "word_not_possible"
    TOO_MANY_WORDS = "too_many_words"
    TWO_DECISIONS = "two_decisions"
    ALREADY_DECIDED = "already_decided"
    REASON_MISSING = "reason_missing"
    NO_TEXT = "no_text"
    QUOTED_NOTICE = "quoted_notice"
    NEEDS_CODE = "needs_code"
    CODE_WRONG = "code_wrong"
    CODE_EXPIRED = "code_expired"
    CODE_USED = "code_used"
    CODES_EXHAUSTED = "codes_exhausted"
