"""URLs of mail servers: what they mean, and that no complaint about one tells its password."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.adapters.server_url import is_loopback_address, names_loopback, parse_server_url
from mailbot.domain.mailbox import Security, ServerAddress, ServerKind

IMAP, SMTP = ServerKind.IMAP, ServerKind.SMTP


def test_it_reads_every_part() -> None:
    address = parse_server_url("imaps://bot:s3cr3t@mail.example.com.br:1993/Junk", kind=IMAP)
    assert address == ServerAddress(
        security=Security.TLS,
        host="mail.example.com.br",
        port=1993,
        username="bot",
        password="s3cr3t",
        folder="Junk",
    )


@pytest.mark.parametrize(
    ("kind", "url", "security", "port"),
    [
        (IMAP, "imaps://h.example.com.br", Security.TLS, 993),
        (IMAP, "imap+starttls://h.example.com.br", Security.STARTTLS, 143),
        (IMAP, "imap://localhost", Security.PLAIN, 143),
        (SMTP, "smtps://h.example.com.br", Security.TLS, 465),
        (SMTP, "smtp+starttls://h.example.com.br", Security.STARTTLS, 587),
        (SMTP, "smtp://127.0.0.1/", Security.PLAIN, 25),
        (SMTP, "SMTPS://h.example.com.br:2465", Security.TLS, 2465),
    ],
)
def test_it_knows_the_default_ports(kind: ServerKind, url: str, security: Security, port: int) -> None:
    address = parse_server_url(url, kind=kind)
    assert (address.security, address.port) == (security, port)
    assert address.username is None
    assert address.password is None
    assert address.folder == "INBOX"


@pytest.mark.parametrize(
    ("credentials", "username", "password"),
    [
        ("ana@example.com.br:a@b:c/d", "ana@example.com.br", "a@b:c/d"),
        ("ana%40example.com.br:p%C3%A3o%3A", "ana@example.com.br", "pão:"),
        ("ana:100%sure", "ana", "100%sure"),
        ("ana", "ana", None),
        ("ana:", "ana", ""),
        ("", None, None),
    ],
)
def test_it_splits_at_the_last_at_sign(credentials: str, username: str | None, password: str | None) -> None:
    address = parse_server_url(f"imaps://{credentials}@h.example.com.br", kind=IMAP)
    assert (address.username, address.password) == (username, password)
    assert address.host == "h.example.com.br"


def test_it_takes_a_password_given_apart_as_it_is() -> None:
    address = parse_server_url("imaps://ana:other@h.example.com.br", kind=IMAP, password="%41@/x")
    assert address.password == "%41@/x"


def test_it_reads_ipv6_hosts_and_international_names() -> None:
    assert parse_server_url("imap://[::1]:1143/INBOX", kind=IMAP).host == "::1"
    assert parse_server_url("imaps://[2001:db8::5]", kind=IMAP).port == 993
    assert parse_server_url("imaps://correio.açaí.example", kind=IMAP).host == "correio.xn--aa-4iaz.example"


def test_it_decodes_the_folder() -> None:
    assert (
        parse_server_url("imaps://h.example.com.br/Caixa%20a%C3%A7%C3%A3o/x", kind=IMAP).folder == "Caixa ação/x"
    )


@pytest.mark.parametrize("host", ["mail.example.com.br", "10.0.0.1", "localhost.example.com.br", "[2001:db8::5]"])
def test_it_refuses_plain_text_to_other_machines(host: str) -> None:
    with pytest.raises(ValueError, match="only for this machine; write imaps:// or imap\\+starttls://"):
        parse_server_url(f"imap://bot:hunter2@{host}", kind=IMAP)
    allowed = parse_server_url(f"imap://bot:hunter2@{host}", kind=IMAP, allow_plain=True)
    assert allowed.plain_allowed


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hunter2",
        "hunter2://h.example.com.br",
        "smtps://bot:hunter2@h.example.com.br",
        "imaps://bot:hunter2",
        "imaps://bot:hunter2@",
        "imaps://bot:hunter2@h.example.com.br:port",
        "imaps://bot:hunter2@h.example.com.br:0",
        "imaps://bot:hunter2@h.example.com.br:65536",
        "imaps://bot:hunter2@h.example.com.br:١٢",
        "imaps://:hunter2@h.example.com.br",
        "imaps://bot:hunter2%0d%0aA1%20LOGOUT@h.example.com.br",
        "imaps://bot:hunter2@h.example.com.br/a%0ab",
        "imaps://bot:hunter2@h ost",
        "imaps://bot:hunter2@-h",
        "imaps://bot:hunter2@a..b",
        "imaps://bot:hunter2@[::1",
        "imaps://bot:hunter2@[hunter2]",
        "imaps://bot:hunter2@[::1]993",
        "imaps://bot:hunter2@é" + "x" * 80,
    ],
)
def test_it_explains_without_telling_the_password(url: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as caught:
        parse_server_url(url, kind=IMAP)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_it_refuses_a_line_break_in_a_password_given_apart() -> None:
    with pytest.raises(ValueError, match="the password contains a line break"):
        parse_server_url("imaps://ana@h.example.com.br", kind=IMAP, password="hunter2\n")


def test_it_refuses_a_folder_on_an_smtp_server() -> None:
    with pytest.raises(ValueError, match="no folder"):
        parse_server_url("smtps://h.example.com.br/INBOX", kind=SMTP)


def test_it_keeps_the_password_out_of_the_representation() -> None:
    assert "hunter2" not in repr(parse_server_url("imaps://a:hunter2@h.example.com.br", kind=IMAP))


@given(
    st.sampled_from(["imaps://", "imap+starttls://", "imap://", "", "x://"]),
    st.text(max_size=20),
    st.text(alphabet="@:/[]%0aé .", max_size=12),
)
def test_it_never_tells_a_password_whatever_the_url(scheme: str, before: str, after: str) -> None:
    try:
        parse_server_url(f"{scheme}{before}:Xq7hunterZ{after}", kind=IMAP)
    except ValueError as error:
        assert "Xq7hunterZ".lower() not in str(error).lower()


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_it_knows_loopback(address: str) -> None:
    assert is_loopback_address(address)
    assert names_loopback(address)


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "::ffff:10.0.0.1", "fe80::1%eth0", "localhost", "127.0.0.1.example"]
)
def test_it_knows_what_is_no_loopback_address(address: str) -> None:
    assert not is_loopback_address(address)


def test_it_knows_the_names_of_this_machine() -> None:
    assert names_loopback("LOCALHOST.")
    assert names_loopback("mail.localhost")
    assert not names_loopback("localhost.example.com.br")
