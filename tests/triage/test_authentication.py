"""Authenticity, by the rows 9 to 11 of THREATS B.2."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.domain.mail import Address, Authenticity, InboundMail
from mailbot.triage.authentication import (
    AuthenticationKind,
    AuthenticationProfile,
    MethodResult,
    authenticity_of,
    parse_authentication_results,
)

OURS = "mx.example.com.br"
ANA = "ana@example.com.br"
PROFILE = AuthenticationProfile(kind=AuthenticationKind.AUTHSERV_ID, authserv_id=OURS)
PASS = f"{OURS}; dmarc=pass (p=reject) header.from=example.com.br"
FAIL = f"{OURS}; dmarc=fail (p=none) header.from=example.com.br"

VERIFIED, UNVERIFIED, FAILED = Authenticity.VERIFIED, Authenticity.UNVERIFIED, Authenticity.FAILED


def a_mail(*results: str, sender: str = ANA, from_field: str = "") -> InboundMail:
    address = Address(address=sender)
    return InboundMail(
        message_id="um@example.com.br",
        sender=address,
        from_addresses=(address,),
        headers=(("from", from_field or sender),),
        authentication_results=results,
    )


def judged(*results: str, **rest: str) -> Authenticity:
    return authenticity_of(a_mail(*results, **rest), PROFILE)


# --- row 10: whose result, and about whom -------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        PASS,
        f"{OURS} 1; dmarc=pass header.from=example.com.br",
        f"{OURS};dmarc=pass header.from=example.com.br",
        f"{OURS}; spf=fail smtp.mailfrom=x@y; dmarc=pass header.from=EXAMPLE.COM.BR; dkim=none",
        f"{OURS}; dmarc = pass (aligned; really) header.from = example.com.br",
        f"{OURS}; DMARC=Pass header.from={ANA}",
        f'{OURS}; dmarc=pass reason="ok; fine" header.from="example.com.br"',
        f"{OURS}; dmarc/1=pass header.from=example.com.br policy.dmarc=reject",
        f"{OURS}; auth=pass (plain) smtp.auth={ANA}",
        f"{OURS}; auth=pass smtp.auth={ANA.upper()} smtp.mailfrom={ANA}; dmarc=none header.from=example.com.br",
    ],
)
def test_threat_10_it_believes_our_own_server(value: str) -> None:
    assert judged(value) is VERIFIED


@pytest.mark.parametrize(
    "value",
    [
        "mx.forger.example; dmarc=pass header.from=example.com.br",
        "MX.example.com.br; dmarc=pass header.from=example.com.br",
        f'"{OURS}"; dmarc=pass header.from=example.com.br',
        f"(x) {OURS}; dmarc=pass header.from=example.com.br",
        f"{OURS}.forger.example; dmarc=pass header.from=example.com.br",
        f"{OURS}1; dmarc=pass header.from=example.com.br",
        f"{OURS}x; dmarc=pass header.from=example.com.br",
        f"{OURS} 2; dmarc=pass header.from=example.com.br",
        f"{OURS} forger; dmarc=pass header.from=example.com.br",
        "; dmarc=pass header.from=example.com.br",
        "dmarc=pass header.from=example.com.br",
        "",
        OURS,
        f"{OURS}; none",
        f"{OURS}; dmarc=pass",
        f"{OURS}; dmarc=pass header.from=forger.example",
        f"{OURS}; dmarc=pass header.from=example.com.br.forger.example",
        f"{OURS}; dmarc=pass header.from=forger.example header.from=example.com.br",
        f"{OURS}; dmarc=none header.from=example.com.br",
        f"{OURS}; dmarc=temperror header.from=example.com.br",
        f"{OURS}; dmarc=bestguesspass header.from=example.com.br",
        f"{OURS}; spf=pass smtp.mailfrom={ANA}; dkim=pass header.d=example.com.br",
        f"{OURS}; auth=pass smtp.auth=bruno@example.com.br",
        f"{OURS}; auth=pass smtp.auth=ana",
        f"{OURS}; auth=fail smtp.auth={ANA}",
        f"{OURS}; spf=fail (dmarc=pass header.from=example.com.br) smtp.mailfrom=x",
        f"{OURS}; spf=fail (a (b; dmarc=pass header.from=example.com.br) ; dmarc=pass header.from=example.com.br)",
        f'{OURS}; spf=fail smtp.mailfrom="; dmarc=pass header.from=example.com.br"@forger.example',
        f'{OURS}; spf=fail smtp.mailfrom="\\"; dmarc=pass header.from=example.com.br"',
        f"{OURS}; spf=fail smtp.mailfrom=dmarc=pass header.from=example.com.br",
        f"{OURS}; spf=fail smtp.mailfrom=x dmarc=pass header.from=example.com.br",
        f'{OURS}; "dmarc=pass" header.from=example.com.br',
        f"{OURS}; xdmarc=pass header.from=example.com.br",
        f"{OURS}; dmarc=pass; header.from=example.com.br",
    ],
)
def test_threat_10_it_believes_nothing_else(value: str) -> None:
    assert judged(value) is UNVERIFIED


def test_threat_10_dmarc_fail_is_told() -> None:
    assert judged(FAIL) is FAILED
    assert judged(f"{OURS}; auth=pass smtp.auth={ANA}; dmarc=fail header.from=example.com.br") is FAILED


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([PASS, PASS], VERIFIED),
        ([PASS, "mx.other.example; dmarc=fail header.from=example.com.br"], VERIFIED),
        (["mx.forger.example; dmarc=pass header.from=example.com.br", FAIL], FAILED),
        ([PASS, FAIL], UNVERIFIED),
        ([FAIL, PASS], UNVERIFIED),
        ([PASS, f"{OURS}; dmarc=pass header.from=forger.example"], UNVERIFIED),
        ([f"{OURS}; dmarc=none header.from=example.com.br", PASS], UNVERIFIED),
        ([PASS + "; dmarc=fail header.from=example.com.br"], UNVERIFIED),
        ([f"{OURS}; auth=pass smtp.auth=bruno@example.com.br", f"{OURS}; auth=pass smtp.auth={ANA}"], UNVERIFIED),
        ([f"{OURS}; spf=pass smtp.mailfrom=x", PASS, f"{OURS}; spf=fail smtp.mailfrom=x"], VERIFIED),
        ([], UNVERIFIED),
    ],
)
def test_threat_10_a_second_different_result_makes_both_worthless(
    results: list[str], expected: Authenticity
) -> None:
    assert judged(*results) is expected


@pytest.mark.parametrize(
    "profile",
    [
        AuthenticationProfile(),
        AuthenticationProfile(kind=AuthenticationKind.NONE, authserv_id=OURS),
        AuthenticationProfile(kind=AuthenticationKind.AUTHSERV_ID),
        AuthenticationProfile(kind=AuthenticationKind.MICROSOFT365, authserv_id=OURS),
    ],
)
def test_threat_10_without_an_id_nobody_is_authenticated(profile: AuthenticationProfile) -> None:
    empty_id = "; dmarc=pass header.from=example.com.br"
    assert authenticity_of(a_mail(PASS, empty_id), profile) is UNVERIFIED
    assert authenticity_of(a_mail(empty_id), profile) is UNVERIFIED


# --- row 11: exactly one From with exactly one address ------------------------------------------------------


@pytest.mark.parametrize(
    "from_field",
    [
        f"Ana <{ANA}>",
        f'"Ana; SAU <x@forger.example>" <{ANA}>',
        f"{ANA} (Ana)",
    ],
)
def test_threat_11_one_plain_sender_can_be_verified(from_field: str) -> None:
    assert judged(PASS, from_field=from_field) is VERIFIED


@pytest.mark.parametrize("from_field", [f"equipe: {ANA};", f"<x@forger.example> <{ANA}>"])
def test_threat_11_groups_and_double_addresses_are_unverified(from_field: str) -> None:
    assert judged(PASS, from_field=from_field) is UNVERIFIED


@pytest.mark.parametrize(
    "sender", ["", "ana", '"ana@example.com.br"@example.com.br', "ana @example.com.br", "aná@example.com.br"]
)
def test_threat_11_an_odd_address_is_unverified(sender: str) -> None:
    assert judged(PASS, sender=sender) is UNVERIFIED


def test_threat_11_two_addresses_or_two_fields_are_unverified() -> None:
    ana, other = Address(address=ANA), Address(address="x@forger.example")
    two_addresses = InboundMail(
        message_id="um@x", sender=ana, from_addresses=(ana, other), authentication_results=(PASS,)
    )
    two_fields = InboundMail(
        message_id="um@x",
        sender=ana,
        from_addresses=(ana,),
        headers=(("from", ANA), ("from", "garbage")),
        authentication_results=(PASS,),
    )
    nobody = InboundMail(message_id="um@x", sender=ana, authentication_results=(PASS,))
    assert {authenticity_of(mail, PROFILE) for mail in (two_addresses, two_fields, nobody)} == {UNVERIFIED}


# --- the parser ---------------------------------------------------------------------------------------------


def test_it_reads_methods_and_properties() -> None:
    value = (
        f'{OURS} 1; spf=pass smtp.mailfrom="a b"; dkim=pass (x) header.d=example.com.br header.i=@example.com.br'
    )
    assert parse_authentication_results(value, OURS) == (
        MethodResult(method="spf", result="pass", properties=(("smtp.mailfrom", "a b"),)),
        MethodResult(
            method="dkim",
            result="pass",
            properties=(("header.d", "example.com.br"), ("header.i", "@example.com.br")),
        ),
    )


@given(st.text(alphabet='ab.=;()"\\ \tdmarcpshef', max_size=300))
def test_whatever_follows_a_foreign_id_verifies_nobody(tail: str) -> None:
    assert judged("mx.forger.example; " + tail) is UNVERIFIED


@given(st.text(alphabet="=;() \t.abdmarcps", max_size=200))
def test_no_text_in_a_quoted_string_verifies_anybody(text: str) -> None:
    injected = f'{OURS}; spf=fail smtp.mailfrom="{text}; dmarc=pass header.from=example.com.br"'
    assert judged(injected) is UNVERIFIED


@given(st.text(max_size=300))
def test_it_never_raises(tail: str) -> None:
    judged(f"{OURS};{tail}")


@pytest.mark.parametrize("piece", ["(", "\\(", '"', "a=", "; ", "dmarc=", "(;)", "a "])
def test_it_reads_hostile_fields_in_bounded_time(piece: str) -> None:
    began = time.perf_counter()
    judged(*[f"{OURS};" + piece * (1_000_000 // len(piece))] * 10)
    assert time.perf_counter() - began < 2
