"""Authenticity, by the rows 9 to 11 of THREATS B.2."""

from __future__ import annotations

import time
from dataclasses import replace

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
        AuthenticationProfile(kind=AuthenticationKind.MICROSOFT365, received_by="outlook.com"),
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
    began = time.thread_time()
    judged(*[f"{OURS};" + piece * (1_000_000 // len(piece))] * 10)
    assert time.thread_time() - began < 2


# --- Exchange, which writes no authserv-id ------------------------------------------------------------------

EXCHANGE = AuthenticationProfile(kind=AuthenticationKind.MICROSOFT365, received_by="outlook.com")
BY_EXCHANGE = (
    "from CP5P284MB1234.BRAP284.PROD.OUTLOOK.COM (2603:10d6:103:b7::9) by "
    "RO1P284MB4321.BRAP284.PROD.OUTLOOK.COM with HTTPS; Mon, 23 Nov 2026 13:00:00 +0000"
)
BY_ANOTHER = "from mx.forger.example ([203.0.113.7]) by mx.example.com.br (Postfix) with ESMTP; x"
AUTH_SOURCE = "BL2NAM02FT033.eop-nam02.prod.protection.outlook.com"
FROM_OUTSIDE = (
    "spf=pass (sender IP is 192.0.2.45) smtp.mailfrom=example.com.br; dkim=pass (signature was verified) "
    "header.d=example.com.br;dmarc=pass action=none header.from=example.com.br;compauth=pass reason=100"
)


def stamped(
    *results: str,
    auth_as: tuple[str, ...] = ("Anonymous",),
    auth_source: tuple[str, ...] = (AUTH_SOURCE,),
    received: tuple[str, ...] = (BY_EXCHANGE,),
    from_field: str = ANA,
) -> InboundMail:
    headers = (
        *(("received", value) for value in received),
        ("from", from_field),
        *(("x-ms-exchange-organization-authas", value) for value in auth_as),
        *(("x-ms-exchange-organization-authsource", value) for value in auth_source),
    )
    return replace(a_mail(*results), headers=headers)


def by_exchange(mail: InboundMail, received_by: str = "outlook.com") -> Authenticity:
    return authenticity_of(mail, replace(EXCHANGE, received_by=received_by))


@pytest.mark.parametrize(
    ("mail", "expected"),
    [
        (stamped(auth_as=("Internal",)), VERIFIED),
        # Exchange writes such a field on what leaves an organisation; inside one it proves nothing either way.
        (stamped("dkim=none (message not signed) header.d=none;dmarc=none", auth_as=("Internal",)), VERIFIED),
        (stamped(FROM_OUTSIDE), VERIFIED),
        (stamped(FROM_OUTSIDE, "mx.google.com; dmarc=pass header.from=example.com.br"), VERIFIED),
        # The older form names the receiving domain between the results.
        (
            stamped(
                "spf=pass (sender IP is 192.0.2.45) smtp.mailfrom=example.com.br; empresa.com.br; dkim=pass "
                "(signature was verified) header.d=example.com.br;empresa.com.br; dmarc=pass action=none "
                "header.from=example.com.br;"
            ),
            VERIFIED,
        ),
        (stamped(FROM_OUTSIDE.replace("dmarc=pass", "dmarc=fail")), FAILED),
        (stamped(FROM_OUTSIDE.replace("dmarc=pass", "dmarc=bestguesspass")), UNVERIFIED),
        (stamped(FROM_OUTSIDE.replace("dmarc=pass", "dmarc=none")), UNVERIFIED),
        (stamped(FROM_OUTSIDE.replace("compauth=pass reason=100", "compauth=fail reason=001")), UNVERIFIED),
        (stamped(FROM_OUTSIDE.replace("header.from=example.com.br", "header.from=forger.example")), UNVERIFIED),
        (stamped(), UNVERIFIED),
        (stamped("dkim=pass header.d=example.com.br"), UNVERIFIED),
    ],
)
def test_threat_10_exchange_is_believed_by_its_own_stamps(mail: InboundMail, expected: Authenticity) -> None:
    assert by_exchange(mail) is expected


@pytest.mark.parametrize(
    "mail",
    [
        # Forged by an outside sender: what Exchange writes stands above, and theirs is taken away. Where it is
        # not, both are worthless.
        stamped(auth_as=("Anonymous", "Internal")),
        stamped(auth_as=("Internal", "Internal")),
        stamped(auth_as=("Internal",), auth_source=(AUTH_SOURCE, AUTH_SOURCE)),
        stamped(FROM_OUTSIDE.replace("dmarc=pass", "dmarc=none"), FROM_OUTSIDE),
        stamped(FROM_OUTSIDE, FROM_OUTSIDE.replace("dmarc=pass", "dmarc=fail")),
        # Another server was the last to judge the mail, or to receive it.
        stamped("mx.forger.example; dmarc=pass header.from=example.com.br", FROM_OUTSIDE),
        stamped(auth_as=("Internal",), received=(BY_ANOTHER, BY_EXCHANGE)),
        stamped(FROM_OUTSIDE, received=(BY_ANOTHER,)),
        stamped(auth_as=("Internal",), received=()),
        stamped(auth_as=("Internal",), received=("by by outlook.com.forger.example",)),
        stamped(auth_as=("Internal",), received=(f"from x ({BY_EXCHANGE}) by mx.forger.example with x",)),
        stamped(auth_as=("Internal",), auth_source=("mail.forger.example",)),
        stamped(auth_as=("Internal",), auth_source=("notoutlook.com",)),
        stamped(auth_as=("Internal",), auth_source=()),
        stamped(FROM_OUTSIDE, auth_as=()),
        # Seen in the wild on forged mail.
        stamped(FROM_OUTSIDE, auth_as=("Internal74",)),
        stamped(auth_as=("internal",)),
        # Who writes must be plain (THREATS 11).
        stamped(auth_as=("Internal",), from_field=f"{ANA}, eve@forger.example; <{ANA}> <x@y>"),
    ],
)
def test_threat_10_foreign_exchange_stamps_are_not_taken(mail: InboundMail) -> None:
    assert by_exchange(mail) is UNVERIFIED


def test_threat_10_exchange_is_believed_only_on_hosts_that_doctor_has_seen() -> None:
    mail = stamped(auth_as=("Internal",))
    assert by_exchange(mail, "prod.outlook.com") is UNVERIFIED
    assert by_exchange(mail, "empresa.com.br") is UNVERIFIED
    assert by_exchange(mail, "") is UNVERIFIED
    assert authenticity_of(mail, PROFILE) is UNVERIFIED
    assert authenticity_of(stamped(FROM_OUTSIDE), AuthenticationProfile()) is UNVERIFIED


@given(
    auth_as=st.lists(st.text(max_size=40), max_size=3),
    received=st.lists(st.text(max_size=200), max_size=3),
    results=st.lists(st.text(max_size=200), max_size=3),
)
def test_no_header_of_a_stranger_passes_for_exchanges(
    auth_as: list[str], received: list[str], results: list[str]
) -> None:
    mail = stamped(*results, auth_as=tuple(auth_as), received=tuple(received))
    assert by_exchange(mail) is UNVERIFIED
