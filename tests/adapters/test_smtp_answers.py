"""What servers answer, in their own words, means what their operators meant."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.adapters.smtp_answers import Stage, readable, refusal
from mailbot.domain.exchange import NotReached, Refused, Throttle


# The words are the providers' own: Microsoft's page on throttling of SMTP Authenticated Submission and reports in
# nodemailer#1613 and OfficeDocs-Support#1150, Google's page of SMTP errors (support.google.com/a/answer/3726730),
# Zoho's community, cPanel's support pages, Postfix' and Exim's sources.
@pytest.mark.parametrize(
    ("stage", "code", "text", "limit"),
    [
        (Stage.CONNECT, 421, "4.7.0 mx.example.com.br Error: too many connections from 203.0.113.7", "rate"),
        (Stage.CONNECT, 421, "Too many concurrent SMTP connections; please try again later.", "rate"),
        (Stage.LOGIN, 454, "4.7.0 Too many login attempts, please try again later", "rate"),
        (Stage.LOGIN, 432, "4.3.2 Concurrent connections limit exceeded", "rate"),
        (
            Stage.FINAL_DOT,
            432,
            (
                "4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending for more "
                "information. [Hostname=OS0PR01MB6099.jpnprd01.prod.outlook.com]"
            ),
            "rate",
        ),
        (
            Stage.MAIL,
            421,
            "4.4.2 Message submission rate for this client has exceeded the configured limit",
            "rate",
        ),
        (Stage.MAIL, 450, "4.7.1 Error: too much mail from 203.0.113.7", "rate"),
        (Stage.MAIL, 451, "4.7.500 Server busy. Please try again later", "rate"),
        (Stage.MAIL, 421, "4.4.5 Server busy, try again later.", "rate"),
        (Stage.MAIL, 421, "4.7.0 Try again later, closing connection", "rate"),
        (
            Stage.RCPT,
            421,
            "4.7.28 Gmail has detected an unusual rate of mail originating from your account",
            "rate",
        ),
        (Stage.RCPT, 450, "4.2.1 Peak SMTP relay limit exceeded for customer.", "rate"),
        (Stage.RCPT, 454, "Throttling failure: Maximum sending rate exceeded", "rate"),
        (Stage.RCPT, 452, "Sender is throttled", "rate"),
        (Stage.FINAL_DOT, 432, "4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded", "rate"),
        (Stage.RCPT, 450, "Limite de envio atingido", "rate"),
        (Stage.RCPT, 450, "4.7.1 Recipient limit exceeded for this hour", "hourly"),
        (
            Stage.RCPT,
            550,
            "Domain example.com.br has exceeded the max emails per hour (150/150) allowed",
            "hourly",
        ),
        (
            Stage.RCPT,
            550,
            (
                "Domain example.com.br has exceeded the max defers and failures per hour (5/5 (100%)) allowed. "
                "Message discarded."
            ),
            "hourly",
        ),
        (Stage.FINAL_DOT, 550, "5.4.5 Daily user sending limit exceeded", "daily"),
        (Stage.FINAL_DOT, 550, "5.4.5 Daily sending quota exceeded", "daily"),
        (Stage.RCPT, 550, "5.7.1 Daily SMTP relay limit exceeded for customer.", "daily"),
        (Stage.FINAL_DOT, 554, "5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException", "daily"),
        (Stage.FINAL_DOT, 550, "5.1.90 You have reached your daily limit for message recipients", "daily"),
        (
            Stage.FINAL_DOT,
            554,
            (
                "5.2.2 mailbox full; STOREDRV.Submission.Exception:QuotaExceededException"
                ".MapiExceptionShutoffQuotaExceeded"
            ),
            "blocked",
        ),
        (Stage.FINAL_DOT, 550, "5.1.8 Access denied, bad outbound sender AS(42004)", "blocked"),
        (Stage.FINAL_DOT, 550, "5.4.6 Unusual sending activity detected. Please try after sometime.", "blocked"),
        (Stage.LOGIN, 554, "5.1.8 Sender Address Blocked", "blocked"),
        (Stage.FINAL_DOT, 554, "5.1.8 Email Outgoing Blocked", "blocked"),
    ],
)
def test_it_knows_that_we_send_too_much(stage: Stage, code: int, text: str, limit: str) -> None:
    outcome = refusal(code, text, stage)
    assert outcome == Refused(
        code=code,
        response=text,
        permanent=False,
        throttled=Throttle(limit),
        at_recipient=stage is Stage.RCPT,
    )


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (450, "4.2.0 Greylisted, come back later"),
        (450, "4.7.1 <ana@example.com.br>: Recipient address rejected: Greylisted, see our help page"),
        (554, "5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException.MapiExceptionShutoff"),
        (450, "4.2.1 The user you are trying to contact is receiving mail at a rate that prevents delivery"),
        (452, "4.2.2 The recipient's mailbox quota is exceeded"),
        (452, "4.5.3 Too many recipients"),
        (451, "4.3.0 Temporary failure, generated by milter"),
        (452, "4.3.4 Message size limit exceeded for now"),
        (552, "5.2.2 Mailbox over quota"),
        (552, "5.3.4 Message size exceeds fixed limit"),
        (550, "5.1.1 No such user; rate your experience"),
        (554, "5.4.6 Too many hops"),
    ],
)
def test_it_does_not_slow_down_for_what_is_about_this_letter(code: int, text: str) -> None:
    outcome = refusal(code, text, Stage.RCPT)
    assert outcome == Refused(code=code, response=text, permanent=code >= 500)


@pytest.mark.parametrize(
    ("stage", "code", "text"),
    [
        (Stage.MAIL, 550, "null sender not accepted"),
        (Stage.MAIL, 553, "5.7.1 Sender refused"),
        (Stage.RCPT, 553, "5.7.1 <>: Sender address rejected: not owned by user bot"),
        (Stage.FINAL_DOT, 554, "5.2.252 SendAsDenied; bot not allowed to send as"),
        (Stage.FINAL_DOT, 550, "5.7.60 Client does not have permissions to send as this sender"),
    ],
)
def test_it_knows_that_the_sender_is_the_reason(stage: Stage, code: int, text: str) -> None:
    assert refusal(code, text, stage) == Refused(code=code, response=text, permanent=True, sender_refused=True)


@pytest.mark.parametrize(("code", "text"), [(552, "5.3.4 too big"), (555, "SIZE not known"), (421, "bye")])
def test_a_mail_from_refused_for_its_parameters_is_not_about_the_sender(code: int, text: str) -> None:
    outcome = refusal(code, text, Stage.MAIL)
    assert isinstance(outcome, Refused)
    assert not outcome.sender_refused


@pytest.mark.parametrize(
    ("stage", "code", "text", "credentials_refused"),
    [
        (Stage.CONNECT, 554, "No SMTP service here", False),
        (Stage.CONNECT, 421, "4.3.0 down for maintenance", False),
        (Stage.STARTTLS, 454, "4.7.0 TLS not available", False),
        (Stage.LOGIN, 535, "5.7.8 Authentication failed", True),
        (Stage.LOGIN, 550, "5.7.30 Basic authentication is not supported for Client Submission", True),
        (Stage.LOGIN, 454, "4.7.0 Temporary authentication failure", False),
        (Stage.MAIL, 530, "5.7.0 Authentication required", True),
        (Stage.MAIL, 530, "5.7.0 Must issue a STARTTLS command first", False),
        (Stage.MAIL, 550, "5.7.57 Client was not authenticated", True),
        (Stage.RCPT, 535, "5.7.139 Authentication unsuccessful", True),
    ],
)
def test_it_does_not_blame_the_letter_for_the_servers_state(
    stage: Stage, code: int, text: str, credentials_refused: bool
) -> None:
    outcome = refusal(code, text, stage)
    assert outcome == NotReached(
        reason=f"{stage}: {code} {text}",
        credentials_refused=credentials_refused,
        letter_offered=stage is Stage.RCPT,
    )


# Postfix', Exim's, Exchange's and Gmail's ways to name a recipient whom they do not take.
_ECHOES = (
    (550, "5.1.1 <{}>: Recipient address rejected: User unknown in virtual mailbox table"),
    (550, "<{}>: No such user here"),
    (550, "{} unknown"),
    (550, "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient {} not found by SMTP address lookup"),
    (553, "5.7.1 <{}>: Relay access denied"),
    (450, "4.2.0 <{}>: Recipient address rejected: Greylisted"),
    (450, "4.1.2 <{}>: Recipient address rejected: Domain not found"),
    (451, "Temporary local problem - please try later for {}"),
)
_TELLING = (
    *("5.4.5", "5.1.90", "5.7.57", "5.7.139", "5.1.7", "5.1.8", "5.2.252", "4.7.0", "4.3.2", "4.7.28", "4.2.1"),
    *("submissionquota", "rate", "throttled", "sendas", "sendasdenied", "starttls", "size", "said", "response"),
    *("daily.limit", "per-hour", "5.3.4", "concurrent", "remote-host"),
)
_ATOMS = st.sampled_from(_TELLING) | st.from_regex(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,12}", fullmatch=True)
_DOT_STRINGS = st.lists(_ATOMS, min_size=1, max_size=3).map(".".join)
_QUOTED_STRINGS = st.lists(
    st.sampled_from((*_TELLING, "daily quota", "too many", "max emails per hour", ">", ">: 5.4.5", "@", "said:")),
    min_size=1,
    max_size=3,
).map(lambda words: f'"{" ".join(words)}"')
_RECIPIENTS = st.builds("{}@{}.example".format, _DOT_STRINGS | _QUOTED_STRINGS, _DOT_STRINGS)


def _judgement(outcome: Refused | NotReached) -> object:
    if isinstance(outcome, NotReached):
        return outcome.credentials_refused
    return outcome.permanent, outcome.throttled, outcome.sender_refused


@pytest.mark.parametrize("stage", [Stage.RCPT, Stage.DATA, Stage.FINAL_DOT])
@pytest.mark.parametrize(("code", "echo"), _ECHOES)
@given(recipient=_RECIPIENTS)
def test_no_recipient_changes_what_an_answer_means(stage: Stage, code: int, echo: str, recipient: str) -> None:
    """The sender of a mail chose it, and one letter must not stop all the others."""
    outcome = refusal(code, echo.format(recipient), stage)
    assert isinstance(outcome, Refused)
    assert _judgement(outcome) == (code >= 500, None, False)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (
            450,
            (
                "4.1.1 <a@mx.example>: Recipient address rejected: unverified address: host mx.example[192.0.2.1] "
                "said: 450 4.7.0 Daily sending quota exceeded, too many mails (in reply to RCPT TO command)"
            ),
        ),
        (
            550,
            (
                "5.1.1 <a@mx.example>: Recipient address rejected: undeliverable address: "
                "host mx.example[192.0.2.1] said: 550 5.7.57 Domain has exceeded the max emails per hour"
            ),
        ),
        (550, "Verification failed for <a@b.example> Called: 192.0.2.1 Response: 550 5.4.5 Daily quota exceeded"),
        (451, "response to RCPT TO from mx.example [192.0.2.1] was: 451 4.7.0 Sending rate limit exceeded"),
        (550, "5.1.1 No such user; they are told of the daily sending limit"),
        (550, "5.1.2 Host daily.limit.example not found; name=5.4.5.example"),
    ],
)
def test_what_the_recipients_own_server_said_says_nothing_of_us(code: int, text: str) -> None:
    outcome = refusal(code, text, Stage.RCPT)
    assert isinstance(outcome, Refused)
    assert _judgement(outcome) == (code >= 500, None, False)


@given(code=st.integers(400, 599), text=st.text(max_size=600), stage=st.sampled_from(Stage))
def test_whatever_a_server_says_is_fit_to_be_stored(code: int, text: str, stage: Stage) -> None:
    outcome = refusal(code, text, stage)
    stored = outcome.response if isinstance(outcome, Refused) else outcome.reason
    assert len(stored) <= 540
    assert "\n" not in stored
    stored.encode("utf-8")


@pytest.mark.parametrize("text", ["sender " * 5000, "daily a a " * 4000, "message " * 5000, "a" * 32768])
def test_no_answer_takes_long_to_read(text: str) -> None:
    # Of the processor's, not of a clock on the wall: others may have it meanwhile.
    started = time.thread_time()
    refusal(550, text, Stage.RCPT)
    assert time.thread_time() - started < 0.5


def test_broken_bytes_become_blanks() -> None:
    assert readable("ol\udce1\r\n  a\x00b") == "ol a b"
