"""Log-in by token at scripted IMAP and SMTP servers: refusals, tokens that end, providers that are away."""

from __future__ import annotations

import asyncio
import base64
import threading
import time
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from mailbot.adapters import smtp_connection
from mailbot.adapters.imap import ImapSource
from mailbot.adapters.smtp import SmtpTransport
from mailbot.domain.errors import CredentialsRefused, LoginExpired, ServerAway
from mailbot.domain.exchange import Delivered, NotReached, SendOutcome
from mailbot.domain.mailbox import Security, ServerAddress, Settle
from tests.adapters.imap_folder import LONG_SECONDS, PATIENT
from tests.adapters.scripted_imap import ScriptedImap, Session
from tests.adapters.scripted_smtp import Say, ScriptedSmtp, Step
from tests.adapters.scripted_tokens import ScriptedTokens
from tests.adapters.test_smtp import an_envelope, nothing, with_transport

USER = "atendimento@example.com.br"
_MAILS = [b"Subject: um\r\n\r\num\r\n", b"Subject: dois\r\n\r\ndois\r\n"]
# What Gmail says, as a challenge, before its NO.
_CHALLENGE = b'{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}'
_NO = "[AUTHENTICATIONFAILED] Invalid credentials (Failure)"


class TokenImap(ScriptedImap):
    """Lets in whoever shows one of the ``good`` tokens; the others get a challenge and a NO."""

    def __init__(self, *good: str, mechanism: str = "XOAUTH2") -> None:
        super().__init__(_MAILS, capabilities=f"IMAP4rev1 UIDPLUS MOVE IDLE AUTH={mechanism}")
        self.good = set(good)
        self.takes_any = False
        self.shown: list[bytes] = []
        self.farewells: list[bytes] = []
        self.challenge: bytes | None = _CHALLENGE
        self.refusal = f"NO {_NO}"
        self.answers["AUTHENTICATE"] = self._check

    def _check(self, session: Session, tag: str, _: str) -> None:
        session.send("+ \r\n")
        shown = base64.b64decode(session.file.readline())
        self.shown.append(shown)
        if self.takes_any or any(f"auth=Bearer {token}\x01\x01".encode() in shown for token in self.good):
            session.ok(tag)
            return
        if self.challenge is not None:
            session.send(b"+ " + base64.b64encode(self.challenge) + b"\r\n")
            self.farewells.append(session.file.readline())
        session.send(f"{tag} {self.refusal}\r\n")

    @property
    def log_ins(self) -> int:
        """How often somebody tried."""
        return len(self.shown)


@pytest.fixture
def imap() -> Iterator[TokenImap]:
    with TokenImap("bom", "novo") as running:
        yield running


def source_of(server: ScriptedImap, tokens: ScriptedTokens) -> ImapSource:
    address = ServerAddress(security=Security.PLAIN, host="127.0.0.1", port=server.port, username=USER)
    return ImapSource(
        mailbox="default", server=address, folder="INBOX", settle=Settle.MOVE, tokens=tokens, timing=PATIENT
    )


# --- IMAP: refusals ---


def test_imap_is_shown_user_and_token(imap: TokenImap) -> None:
    source = source_of(imap, ScriptedTokens("bom"))
    source.open()
    assert imap.shown == [f"user={USER}\x01auth=Bearer bom\x01\x01".encode()]
    source.close()


def test_imap_is_shown_the_token_by_oauthbearer_where_it_offers_only_that() -> None:
    with TokenImap("bom", mechanism="OAUTHBEARER") as server:
        source = source_of(server, ScriptedTokens("bom"))
        source.open()
        assert server.shown == [f"n,a={USER},\x01auth=Bearer bom\x01\x01".encode()]
        source.close()


@pytest.mark.parametrize(("mechanism", "farewell"), [("XOAUTH2", b"\r\n"), ("OAUTHBEARER", b"AQ==\r\n")])
def test_a_refusing_challenge_is_answered_and_its_reason_told(mechanism: str, farewell: bytes) -> None:
    tokens = ScriptedTokens("ruim", first_is_new=True)
    with TokenImap(mechanism=mechanism) as server:
        with pytest.raises(CredentialsRefused) as caught:
            source_of(server, tokens).open()
        # The token itself is said once.
        assert server.farewells == [farewell]
        assert server.log_ins == 1
    assert str(caught.value) == (
        f"IMAP server 127.0.0.1:{server.port}: log-in refused: {_NO} (status 400, scope https://mail.google.com/)"
    )
    assert "ruim" not in str(caught.value)


@pytest.mark.parametrize("challenge", [None, b"", b"no JSON", b"[]", b'{"status": 400}', b"\xff"])
def test_any_other_challenge_is_a_refusal_all_the_same(imap: TokenImap, challenge: bytes | None) -> None:
    imap.challenge = challenge
    with pytest.raises(CredentialsRefused, match=r"log-in refused: \[AUTHENTICATIONFAILED\][^{]*$"):
        source_of(imap, ScriptedTokens("ruim", first_is_new=True)).open()


def test_imap_gets_another_token_where_the_kept_one_is_refused(imap: TokenImap) -> None:
    tokens = ScriptedTokens("revogado", "novo")
    source = source_of(imap, tokens)
    source.open()
    assert tokens.refused == ["revogado"]
    assert imap.log_ins == 2
    source.close()


def test_imap_tries_two_tokens_and_no_third(imap: TokenImap) -> None:
    with pytest.raises(CredentialsRefused):
        source_of(imap, ScriptedTokens("a", "b", "c")).open()
    assert imap.log_ins == 2


def test_imap_that_wants_us_later_is_shown_no_other_token(imap: TokenImap) -> None:
    imap.refusal = "NO [UNAVAILABLE] Temporary authentication failure."
    tokens = ScriptedTokens("ruim", "novo")
    with pytest.raises(ServerAway) as caught:
        source_of(imap, tokens).open()
    assert not isinstance(caught.value, CredentialsRefused)
    assert tokens.refused == []


def test_a_provider_that_is_away_is_told_apart_from_the_mail_server(imap: TokenImap) -> None:
    tokens = ScriptedTokens()
    tokens.error = ServerAway("authorization server login.example: no answer in time")
    with pytest.raises(ServerAway, match=r"^authorization server login\.example: no answer in time$"):
        source_of(imap, tokens).open()
    assert imap.log_ins == 0


def test_a_mailbox_that_is_not_ours_is_told_in_the_servers_words(imap: TokenImap) -> None:
    imap.answers["SELECT"] = lambda session, tag, _: session.send(
        f"{tag} BAD User is authenticated but not connected.\r\n"
    )
    imap.answers["LIST"] = imap.answers["SELECT"]
    with pytest.raises(ServerAway, match="User is authenticated but not connected"):
        source_of(imap, ScriptedTokens("bom")).open()


# --- IMAP: tokens that end ---


def test_while_idle_waits_the_connection_is_renewed_and_no_mail_is_lost(imap: TokenImap) -> None:
    tokens = ScriptedTokens("bom", "novo", lifetime_seconds=0.5)
    source = source_of(imap, tokens)
    source.open()
    assert [entry.uid for entry in source.list_mails(1)] == ["1", "2"]
    tokens.lifetime_seconds = 3600
    began = time.monotonic()
    assert source.wait(LONG_SECONDS) is False
    assert time.monotonic() - began < LONG_SECONDS / 5
    # What comes in the moment between the two connections.
    imap.folders["INBOX"].add(b"Subject: entre\r\n\r\nentre\r\n")
    source.open()
    assert [entry.uid for entry in source.list_mails(3)] == ["3"]
    assert [b"novo" in shown for shown in imap.shown] == [False, True]
    assert "LOGOUT" in imap.log
    # The new one is waited on for as long as it is good.
    threading.Timer(0.3, source.interrupt).start()
    source.wait(LONG_SECONDS)
    source.open()
    assert imap.log_ins == 2
    source.close()


def test_a_connection_outlasts_a_provider_that_is_away(imap: TokenImap) -> None:
    tokens = ScriptedTokens("bom", "novo", lifetime_seconds=0.2)
    source = source_of(imap, tokens)
    source.open()
    source.wait(LONG_SECONDS)
    tokens.error = ServerAway("authorization server: away")
    with capture_logs() as logs:
        source.open()
        assert len(source.list_mails(1)) == 2
    assert [log["action"] for log in logs] == ["imap.login_not_renewed"]
    # Not again at once, and not a busy loop either.
    began = time.monotonic()
    threading.Timer(0.3, source.interrupt).start()
    source.wait(LONG_SECONDS)
    assert time.monotonic() - began > 0.2
    assert imap.log_ins == 1
    source.close()


def test_a_server_that_hangs_up_for_the_tokens_end_is_met_again_with_a_new_one(imap: TokenImap) -> None:
    tokens = ScriptedTokens("bom", "novo")
    source = source_of(imap, tokens)
    source.open()
    # As Exchange Online says it, in answer to anything.

    def end(session: Session, _tag: str, _: str) -> None:
        session.send("* BYE Session invalidated - AccessTokenExpired\r\n")
        session.hang_up()

    imap.answers["NOOP"] = end
    with pytest.raises(ServerAway, match="says goodbye: Session invalidated - AccessTokenExpired"):
        source.list_mails(1)
    del imap.answers["NOOP"]
    imap.good = {"novo"}
    source.open()
    assert len(source.list_mails(1)) == 2
    assert tokens.refused == ["bom"]
    source.close()


# --- SMTP ---


def smtp_address(server: ScriptedSmtp) -> ServerAddress:
    return ServerAddress(security=Security.PLAIN, host=server.host, port=server.port, username=USER)


def send(server: ScriptedSmtp, tokens: ScriptedTokens, letters: int = 1, pause: float = 0.0) -> list[SendOutcome]:
    async def act(transport: SmtpTransport) -> list[SendOutcome]:
        outcomes = []
        for _ in range(letters):
            outcomes.append(await transport.send(an_envelope(), nothing))
            await asyncio.sleep(pause)
        return outcomes

    return with_transport(smtp_address(server), act, tokens=tokens)


def xoauth2(token: str) -> str:
    said = f"user={USER}\x01auth=Bearer {token}\x01\x01"
    return f"AUTH XOAUTH2 {base64.b64encode(said.encode()).decode()}"


def token_smtp(*script: Say, mail: tuple[Say, ...] = ()) -> ScriptedSmtp:
    return ScriptedSmtp({Step.AUTH: script, Step.MAIL: mail}, extensions=["AUTH PLAIN XOAUTH2"])


def test_smtp_is_shown_user_and_token() -> None:
    with token_smtp() as server:
        (outcome,) = send(server, ScriptedTokens("um-token"))
    assert isinstance(outcome, Delivered)
    assert server.log.commands[1] == xoauth2("um-token")


def test_smtps_refusing_challenge_is_answered_with_an_empty_line() -> None:
    challenge = base64.b64encode(_CHALLENGE).decode()
    # The answer to the empty line is what the server says to a command that it does not know.
    with ScriptedSmtp({Step.AUTH: [Say(f"334 {challenge}")]}, extensions=["AUTH XOAUTH2"]) as server:
        (outcome,) = send(server, ScriptedTokens("ruim", first_is_new=True))
    assert server.log.commands[1:3] == [xoauth2("ruim"), ""]
    assert isinstance(outcome, NotReached) and outcome.credentials_refused


def test_smtp_gets_another_token_where_the_kept_one_is_refused() -> None:
    tokens = ScriptedTokens("revogado", "novo")
    with token_smtp(Say("535 5.7.3 Authentication unsuccessful")) as server:
        (outcome,) = send(server, tokens)
    assert isinstance(outcome, Delivered)
    assert tokens.refused == ["revogado"]
    assert server.log.commands[1:3] == [xoauth2("revogado"), xoauth2("novo")]


def test_smtp_tries_two_tokens_and_no_third() -> None:
    refusal = Say("535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox.")
    with token_smtp(refusal, refusal, refusal) as server:
        (outcome,) = send(server, ScriptedTokens("a", "b", "c"))
    assert isinstance(outcome, NotReached) and outcome.credentials_refused
    assert "SmtpClientAuthentication is disabled" in outcome.reason
    assert server.log.count("AUTH") == 2


def test_smtp_that_wants_us_later_is_shown_no_other_token() -> None:
    tokens = ScriptedTokens("a", "b")
    with token_smtp(Say("454 4.7.0 Temporary authentication failure")) as server:
        (outcome,) = send(server, tokens)
    assert outcome == NotReached(reason="log-in: 454 4.7.0 Temporary authentication failure")
    assert tokens.refused == []


@pytest.mark.parametrize(
    ("error", "refused", "expired"),
    [
        (ServerAway("authorization server: away"), False, False),
        (CredentialsRefused("authorization server: no token"), True, False),
        (LoginExpired("authorization server: no token"), True, True),
    ],
)
def test_a_letter_waits_for_a_provider_that_gives_no_token(
    error: ServerAway, refused: bool, expired: bool
) -> None:
    tokens = ScriptedTokens()
    tokens.error = error
    with token_smtp() as server:
        (outcome,) = send(server, tokens)
    assert outcome == NotReached(reason=str(error), credentials_refused=refused, login_expired=expired)
    assert server.log.count("AUTH") == 0


def test_a_kept_smtp_connection_is_not_used_beyond_its_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp_connection, "_QUIT_SECONDS", 60)
    tokens = ScriptedTokens("bom", "novo", lifetime_seconds=0.3)
    with token_smtp() as server:
        outcomes = send(server, tokens, letters=4, pause=0.2)
    assert all(isinstance(outcome, Delivered) for outcome in outcomes)
    log_ins = [command for command in server.log.commands if command.startswith("AUTH")]
    assert len(log_ins) >= 2
    assert set(log_ins) == {xoauth2("bom"), xoauth2("novo")}
    assert server.log.most_open == 1


@pytest.mark.parametrize("answer", ["530 5.7.57 Client not authenticated to send mail", "535 5.7.3 token expired"])
def test_a_session_whose_token_ends_in_the_middle_is_begun_anew(answer: str) -> None:
    # The first letter is taken; the second finds the session over.
    with token_smtp(mail=(Say("250 sender ok"), Say(answer))) as server:
        outcomes = send(server, ScriptedTokens("bom"), letters=2)
    assert all(isinstance(outcome, Delivered) for outcome in outcomes)
    assert server.log.connections == 2
