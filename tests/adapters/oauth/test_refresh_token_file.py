"""A rotated refresh token is never lost, never used twice, and read by nobody else."""

from __future__ import annotations

import multiprocessing
import os
import stat
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from mailbot.adapters.oauth.refresh_token_file import RefreshToken, RefreshTokenFile
from mailbot.domain.errors import LoginExpired, ServerAway, StorageUnavailable
from mailbot.domain.logins import LoginProvider
from tests.adapters.oauth.logins import USER, refresh_login, tokens_at
from tests.peers.process import PATIENCE_SECONDS
from tests.peers.token_server import FIRST_REFRESH_TOKEN, TokenServer

PROVIDERS = [LoginProvider.GOOGLE, LoginProvider.GENERIC]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[TokenServer]:
    with TokenServer(tmp_path, tls=False) as made:
        made.subject = USER
        made.rotates = True
        yield made


@pytest.fixture
def file(tmp_path: Path) -> RefreshTokenFile:
    return RefreshTokenFile(tmp_path / "oauth" / "default.json", "primeiro", lock_seconds=0.2)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_rotated_token_is_kept_over_a_restart(
    server: TokenServer, tmp_path: Path, provider: LoginProvider
) -> None:
    folder = tmp_path / "oauth"
    for _ in range(3):
        # Each is a process of its own: it begins with what the file holds.
        tokens_at(server, refresh_login(server, provider), folder).token()
    used = [asked.form["refresh_token"] for asked in server.asked]
    assert used[0] == FIRST_REFRESH_TOKEN
    assert len(set(used)) == 3
    assert (mode_of(folder), mode_of(folder / "default.json"), mode_of(folder / "default.lock")) == (
        0o700,
        0o600,
        0o600,
    )
    assert sorted(path.name for path in folder.iterdir()) == ["default.json", "default.lock"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_without_rotation_nothing_is_written(server: TokenServer, tmp_path: Path, provider: LoginProvider) -> None:
    server.rotates = False
    tokens_at(server, refresh_login(server, provider), tmp_path / "oauth").token()
    assert [path.name for path in (tmp_path / "oauth").iterdir()] == ["default.lock"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_refresh_tokens_end_is_remembered_where_it_is_told(
    server: TokenServer, tmp_path: Path, provider: LoginProvider
) -> None:
    server.rotates = False
    # What Google answers for an app in testing.
    server.extra = {"refresh_token_expires_in": 604799}
    login = refresh_login(server, provider)
    tokens_at(server, login, tmp_path / "oauth").token()
    end = tokens_at(server, login, tmp_path / "oauth").expiry().expires_at
    assert end is not None
    assert abs(end - datetime.now(UTC) - timedelta(days=7)) < timedelta(minutes=1)


def test_a_new_token_in_the_settings_begins_a_new_chain(server: TokenServer, tmp_path: Path) -> None:
    folder = tmp_path / "oauth"
    tokens_at(server, refresh_login(server), folder).token()
    server.refresh_token = "1//consentido-de-novo"
    with pytest.raises(ServerAway):
        # Nothing but the old chain's token is known.
        tokens_at(server, refresh_login(server), folder).token()
    tokens_at(server, refresh_login(server, secret="1//consentido-de-novo"), folder).token()
    tokens_at(server, refresh_login(server, secret="1//consentido-de-novo"), folder).token()


def _renew_often(authority: str, folder: Path, times: int, failures: multiprocessing.Queue[str]) -> None:
    server = TokenServer(folder, tls=False, port=int(authority.rpartition(":")[2]))
    for _ in range(times):
        try:
            tokens_at(server, refresh_login(server), folder / "oauth").token()
        except ServerAway as error:
            failures.put(str(error))


def test_processes_take_turns_and_none_uses_a_token_twice(server: TokenServer, tmp_path: Path) -> None:
    server.thinks_seconds = 0.01
    context = multiprocessing.get_context("spawn")
    failures: multiprocessing.Queue[str] = context.Queue()
    arguments = (server.authority, tmp_path, 8, failures)
    processes = [context.Process(target=_renew_often, args=arguments) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(PATIENCE_SECONDS)
        assert process.exitcode == 0
    assert failures.empty()
    used = [asked.form["refresh_token"] for asked in server.asked]
    assert len(used) == len(set(used)) == 32


def test_a_lock_that_is_held_for_too_long_is_a_server_that_is_away(file: RefreshTokenFile, tmp_path: Path) -> None:
    other = RefreshTokenFile(tmp_path / "oauth" / "default.json", "primeiro")
    with other.locked(), pytest.raises(ServerAway, match="too long"), file.locked():
        raise AssertionError
    with file.locked() as kept:
        assert kept.value == "primeiro"


def test_a_lock_ends_with_the_process_that_held_it(file: RefreshTokenFile, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    holds = context.Event()
    process = context.Process(target=_hold_for_ever, args=(tmp_path / "oauth" / "default.json", holds))
    process.start()
    assert holds.wait(PATIENCE_SECONDS)
    with pytest.raises(ServerAway), file.locked():
        raise AssertionError
    process.kill()
    process.join(PATIENCE_SECONDS)
    with file.locked() as kept:
        assert kept.value == "primeiro"


def _hold_for_ever(path: Path, holds: threading.Event) -> None:
    with RefreshTokenFile(path, "primeiro").locked():
        holds.set()
        threading.Event().wait(600)


def test_a_folder_that_cannot_be_written_is_told_before_the_token_is_spent(
    server: TokenServer, tmp_path: Path
) -> None:
    (tmp_path / "oauth").write_text("a file in the folder's place", encoding="utf-8")
    with pytest.raises(StorageUnavailable, match="cannot be written"):
        tokens_at(server, refresh_login(server), tmp_path / "oauth").token()
    assert server.asked == []


def test_a_token_that_cannot_be_saved_is_used_and_saved_later(
    server: TokenServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = refresh_login(server)
    server.extra = {"expires_in": 0.001}
    tokens = tokens_at(server, login, tmp_path / "oauth")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched, capture_logs() as logs:
        patched.setattr(os, "fsync", full)
        tokens.token()
        tokens.token()
    assert [log["action"] for log in logs].count("oauth.not_saved") == 2
    assert "1//" not in str(logs)
    server.rotates = False
    tokens.token()
    # A new process goes on with it.
    tokens_at(server, login, tmp_path / "oauth").token()
    used = [asked.form["refresh_token"] for asked in server.asked]
    assert len(set(used[:3])) == 3
    assert used[3] == used[2]


def test_a_half_written_file_cannot_be_seen(file: RefreshTokenFile, tmp_path: Path) -> None:
    path = tmp_path / "oauth" / "default.json"
    path.parent.mkdir()
    stop = threading.Event()
    seen: set[int] = set()

    def read() -> None:
        while not stop.is_set():
            seen.add(len(RefreshTokenFile(path, "primeiro").current().value))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(200):
        file.save(RefreshToken(value=("x" if number % 2 else "y") * (5000 + number % 2)))
    stop.set()
    reader.join()
    assert seen <= {len("primeiro"), 5000, 5001}


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff\xfe", b'{"refresh_token": ""}', b'{"began_with": 1}']
)
def test_a_spoilt_file_falls_back_to_the_settings(file: RefreshTokenFile, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "oauth" / "default.json"
    path.parent.mkdir()
    path.write_bytes(content)
    assert file.current() == RefreshToken(value="primeiro")


def test_an_open_file_of_an_older_time_is_closed_by_the_next_save(file: RefreshTokenFile, tmp_path: Path) -> None:
    path = tmp_path / "oauth" / "default.json"
    path.parent.mkdir()
    for name in ("default.json", "default.new"):
        (path.parent / name).write_text("{}", encoding="utf-8")
        (path.parent / name).chmod(0o644)
    file.save(RefreshToken(value="novo"))
    assert mode_of(path) == 0o600
    assert not (path.parent / "default.new").exists()


def test_a_used_up_chain_is_an_end_for_a_person(server: TokenServer, tmp_path: Path) -> None:
    with pytest.raises(LoginExpired, match="expired or revoked"):
        tokens_at(server, refresh_login(server, secret="1//alheio"), tmp_path / "oauth").token()
