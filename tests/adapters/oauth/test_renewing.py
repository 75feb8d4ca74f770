"""A token is renewed in time, by one thread at a time, and outlasts a provider that is away."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from mailbot.adapters.oauth.answers import granted
from mailbot.adapters.oauth.refusals import readable
from mailbot.adapters.oauth.renewing import Granted, RenewingTokens
from mailbot.domain.errors import CredentialsRefused, LoginExpired, ServerAway
from mailbot.domain.logins import LoginCredential, LoginProvider, TokenLogin
from tests.peers.process import wait_until

LOGIN = TokenLogin(
    mailbox="default",
    provider=LoginProvider.GENERIC,
    credential=LoginCredential.CLIENT_SECRET,
    username="atendimento@example.com.br",
    secret="s3gredo",
)


class ScriptedGrant:
    """Gives ``t1``, ``t2`` …, or raises what it is told."""

    def __init__(self, lifetime_seconds: float = 3600) -> None:
        self.lifetime_seconds = lifetime_seconds
        self.asked = 0
        self.error: ServerAway | None = None
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.end: datetime | None = None

    def ask(self) -> Granted:
        self.asked += 1
        number = self.asked
        assert self.may_answer.wait(60)
        if self.error is not None:
            raise self.error
        return Granted(access_token=f"t{number}", lifetime_seconds=self.lifetime_seconds)

    def ends_at(self) -> datetime | None:
        return self.end


class HandClock:
    """A monotonic clock that moves when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class CountedLock:
    """A lock that knows who came to it, whether they have it or wait."""

    def __init__(self) -> None:
        self.came: list[int] = []
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self.came.append(threading.get_ident())
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def test_it_renews_before_the_end_and_not_earlier() -> None:
    grant, clock = ScriptedGrant(), HandClock()
    tokens = RenewingTokens(LOGIN, grant, monotonic=clock)
    assert tokens.token().value == "t1"
    clock.now += 3299
    assert tokens.token().value == "t1"
    clock.now += 1
    assert tokens.token().value == "t2"
    assert grant.asked == 2


def test_a_short_token_is_kept_for_three_quarters_of_its_life() -> None:
    grant, clock = ScriptedGrant(lifetime_seconds=40), HandClock()
    token = RenewingTokens(LOGIN, grant, monotonic=clock).token()
    assert (token.renew_at, token.expires_at) == (1030, 1040)


def test_many_threads_make_one_renewal() -> None:
    grant = ScriptedGrant()
    grant.may_answer.clear()
    tokens = RenewingTokens(LOGIN, grant)
    with ThreadPoolExecutor(8) as threads:
        futures = [threads.submit(tokens.token) for _ in range(8)]
        grant.may_answer.set()
        assert {future.result().value for future in futures} == {"t1"}
    assert grant.asked == 1


def test_who_waited_for_a_renewal_that_failed_does_not_knock_again(monkeypatch: pytest.MonkeyPatch) -> None:
    grant = ScriptedGrant()
    grant.error = LoginExpired("authorization server: no token")
    grant.may_answer.clear()
    tokens = RenewingTokens(LOGIN, grant)
    lock = CountedLock()
    monkeypatch.setattr(tokens, "_lock", lock)
    with ThreadPoolExecutor(4) as threads:
        futures = [threads.submit(tokens.token) for _ in range(4)]
        wait_until(lambda: len(lock.came) == 4 and grant.asked == 1, "all of them as far as they can come")
        grant.may_answer.set()
        for future in futures:
            with pytest.raises(LoginExpired, match="no token"):
                future.result()
    assert grant.asked == 1
    # Who comes later asks anew.
    grant.error = None
    assert tokens.token().value == "t2"


@pytest.mark.parametrize("error", [ServerAway("away"), CredentialsRefused("refused")])
def test_a_valid_token_outlasts_a_provider_that_fails(error: ServerAway) -> None:
    grant, clock = ScriptedGrant(), HandClock()
    tokens = RenewingTokens(LOGIN, grant, monotonic=clock)
    tokens.token()
    grant.error = error
    clock.now += 3300
    with capture_logs() as logs:
        assert tokens.token().value == "t1"
    assert [log["action"] for log in logs] == ["oauth.not_renewed"]
    clock.now += 29
    assert tokens.token().value == "t1"
    assert grant.asked == 2
    clock.now += 1
    assert tokens.token().value == "t1"
    assert grant.asked == 3
    clock.now += 270
    with pytest.raises(type(error)):
        tokens.token()
    grant.error = None
    assert tokens.token().value == "t5"


def test_a_refused_token_is_replaced_unless_it_was_only_just_given() -> None:
    grant, clock = ScriptedGrant(), HandClock()
    tokens = RenewingTokens(LOGIN, grant, monotonic=clock)
    first = tokens.token()
    assert tokens.replace(first) is None
    assert grant.asked == 1
    clock.now += 31
    second = tokens.replace(first)
    assert second is not None and second.value == "t2"
    # Another connection was refused with the same old token: the new one is there already.
    assert tokens.replace(first) == second
    assert grant.asked == 2


def test_logs_hold_no_token() -> None:
    grant = ScriptedGrant()
    with capture_logs() as logs:
        token = RenewingTokens(LOGIN, grant).token()
    assert [log["action"] for log in logs] == ["oauth.renewed"]
    assert "t1" not in str(logs) + repr(token) + repr(Granted(access_token="t1", lifetime_seconds=1))
    assert "s3gredo" not in repr(LOGIN)


def test_the_nearest_known_end_counts() -> None:
    grant = ScriptedGrant()
    assert RenewingTokens(LOGIN, grant).expiry().expires_at is None
    grant.end = datetime(2026, 12, 24, tzinfo=UTC)
    assert RenewingTokens(LOGIN, grant).expiry().expires_at == grant.end
    stated = TokenLogin(
        mailbox="default",
        provider=LoginProvider.GENERIC,
        credential=LoginCredential.CLIENT_SECRET,
        username="a@example.com.br",
        secret="s",
        expires_on=date(2026, 12, 20),
    )
    assert RenewingTokens(stated, grant).expiry().expires_at == datetime(2026, 12, 20, 12, tzinfo=UTC)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


@given(
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("access_token", "expires_in", "error", "error_description"), _JSON)
    )
)
def test_whatever_a_provider_answers_is_a_token_or_an_error_of_ours(answer: dict[str, object]) -> None:
    try:
        given_token = granted("authorization server x", LoginCredential.REFRESH_TOKEN, answer)
    except ServerAway as error:
        assert len(str(error)) < 500
    else:
        assert given_token.access_token
        assert 0 < given_token.lifetime_seconds <= 86_400


@given(st.text(max_size=3000))
def test_a_providers_words_are_one_short_line_without_addresses(text: str) -> None:
    said = readable(f"{text} ana@example.com.br eyJ{'a' * 100}")
    assert len(said) <= 300
    assert said.isprintable()
    assert "@" not in said.replace("…", "") or "@example" not in said
    assert "a" * 60 not in said
