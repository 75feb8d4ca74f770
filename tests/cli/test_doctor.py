"""`mailbot doctor` on embedded and scripted servers."""

from __future__ import annotations

import imaplib
import re
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailbot.bootstrap import build_app
from mailbot.cli.checkup import check_readers
from mailbot.cli.server_checkup import (
    AuthservIds,
    _common_domain,
    check_authserv_id,
    check_clock,
    check_sent_folder,
)
from mailbot.demo.daemon_process import sample_folder, settings_for
from mailbot.demo.servers import AUTHSERV_ID, EmbeddedServers
from mailbot.evidence.frames import Abilities
from mailbot.isolation.asking import ChildFailed
from mailbot.settings import load_settings
from tests.adapters.scripted_imap import ScriptedImap
from tests.adapters.scripted_smtp import Say, ScriptedSmtp, Step
from tests.cli.command import REPOSITORY, Ran, run_mailbot, sample_settings
from tests.flows.sent import FakeSentFolder
from tests.storage.rows import NOW, add_letters, claim_letter, letter

ADDRESS = "atendimento@example.com.br"
PASSWORD = "secret"


@pytest.fixture(scope="module")
def servers() -> Iterator[EmbeddedServers]:
    with EmbeddedServers() as made:
        made.add_account(ADDRESS, PASSWORD)
        yield made


@pytest.fixture
def settings(servers: EmbeddedServers, tmp_path: Path) -> dict[str, str]:
    """All as it should be."""
    data_folder = tmp_path / "var"
    data_folder.mkdir(mode=0o700)
    return settings_for(
        servers,
        address=ADDRESS,
        password=PASSWORD,
        admin_address="admin@example.com.br",
        config_folder=sample_folder() / "config",
        data_folder=data_folder,
    )


def doctor(tmp_path: Path, settings: dict[str, str], *options: str) -> Ran:
    return run_mailbot("doctor", "--json", *options, cwd=tmp_path, settings=settings)


def found(ran: Ran, check: str) -> list[dict[str, Any]]:
    return [one for one in ran.json["findings"] if one["check"].startswith(check)]


def state(ran: Ran, check: str) -> set[str]:
    return {one["state"] for one in found(ran, check)}


def deliver(servers: EmbeddedServers, number: int) -> None:
    raw = f"From: maria@example.com.br\r\nSubject: oi\r\nMessage-ID: <d{number}@example.com.br>\r\n\r\noi\r\n"
    servers.deliver(raw.encode(), to=ADDRESS, dmarc="pass")


def test_a_house_in_order_ends_with_0(servers: EmbeddedServers, settings: dict[str, str], tmp_path: Path) -> None:
    deliver(servers, 1)
    before = sorted((tmp_path / "var").rglob("*"))
    ran = doctor(tmp_path, settings)
    assert ran.code == 0, ran.stdout
    for check in (
        "secret key",
        "catalogue",
        "templates",
        "files",
        "disk",
        "incoming",
        "outgoing",
        "senders",
        "clock",
    ):
        assert state(ran, check) == {"ok"}, check
    assert state(ran, "database") == {"note"}
    # Looking makes nothing and sends nothing.
    assert sorted((tmp_path / "var").rglob("*")) == before


def test_the_report_is_readable_without_json(settings: dict[str, str], tmp_path: Path) -> None:
    ran = run_mailbot("doctor", cwd=tmp_path, settings=settings)
    assert re.search(r"^ok +incoming default/INBOX +127\.0\.0\.1", ran.stdout, re.MULTILINE)


def test_it_proposes_the_authserv_id_that_is_on_the_newest_mails(
    servers: EmbeddedServers, settings: dict[str, str], tmp_path: Path
) -> None:
    deliver(servers, 2)
    del settings["MAILBOT_AUTHSERV_ID"]
    ran = doctor(tmp_path, settings)
    (ids,) = ran.json["authserv_ids"]
    assert (ids["configured"], ids["proposed"]) == (None, AUTHSERV_ID)
    (senders,) = found(ran, "senders")
    assert senders["state"] == "problem" and "nobody is verified" in senders["message"]
    assert AUTHSERV_ID in senders["advice"]
    assert ran.code == 1


def test_stored_mails_tell_the_authserv_id_once_the_mailbox_is_empty(
    servers: EmbeddedServers, settings: dict[str, str], tmp_path: Path
) -> None:
    deliver(servers, 3)
    run_mailbot("run", "--once", cwd=tmp_path, settings=settings)
    ran = doctor(tmp_path, settings)
    (ids,) = ran.json["authserv_ids"]
    assert AUTHSERV_ID in [one["id"] for one in ids["seen"]]
    assert state(ran, "database") == {"ok"}


def test_a_probe_comes_back_and_is_discarded_by_the_daemon(settings: dict[str, str], tmp_path: Path) -> None:
    ran = doctor(tmp_path, settings, "--probe", "--wait", "30")
    said = " | ".join(one["message"] for one in found(ran, "probe"))
    assert "plain: came" in said and "plus-address: came" in said and "forged results: came" in said
    assert f"a forged result of {AUTHSERV_ID} was removed" in said
    assert "unreachable" not in state(ran, "probe") and "problem" not in state(ran, "probe")
    once = run_mailbot("run", "--once", "--json", cwd=tmp_path, settings=settings)
    assert once.json["collected"] >= 3
    listed = run_mailbot("mails", "list", "--json", cwd=tmp_path, settings=settings).json
    probes = [one for one in listed if "probe" in one["subject"]]
    assert {(one["outcome"], one["reason"]) for one in probes} == {("discarded", "own_mail")}


def test_a_wrong_password_ends_with_3_and_says_where_it_stands(settings: dict[str, str], tmp_path: Path) -> None:
    settings["MAILBOT_IMAP_URL"] = settings["MAILBOT_IMAP_URL"].replace(f":{PASSWORD}@", ":not-the-word@")
    ran = doctor(tmp_path, settings, "--probe")
    assert ran.code == 3
    (incoming,) = found(ran, "incoming")
    assert incoming["state"] == "unreachable"
    assert "MAILBOT_IMAP_URL" in incoming["advice"]
    assert "not-the-word" not in ran.stdout
    assert "not tried" in found(ran, "probe")[0]["message"]


def test_servers_that_are_away_end_with_3(tmp_path: Path) -> None:
    ran = doctor(tmp_path, sample_settings(tmp_path))
    assert ran.code == 3
    assert state(ran, "incoming") == state(ran, "outgoing") == {"unreachable"}


def test_a_bad_setting_ends_with_2_and_is_named(tmp_path: Path) -> None:
    ran = doctor(tmp_path, sample_settings(tmp_path) | {"MAILBOT_SEND": "maybe"})
    assert ran.code == 2
    assert "MAILBOT_SEND" in ran.stdout


def test_bad_templates_and_a_bad_catalogue_are_told_together(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "templates").mkdir()
    settings = sample_settings(tmp_path)
    settings |= {"MAILBOT_CONFIG_DIR": "config", "MAILBOT_TEMPLATES_DIR": "templates"}
    ran = doctor(tmp_path, settings)
    assert ran.code == 2
    assert state(ran, "catalogue") == state(ran, "templates") == {"wrong"}


def test_a_missing_secret_and_switched_off_mailboxes_are_told(tmp_path: Path) -> None:
    settings = sample_settings(tmp_path)
    del settings["MAILBOT_SECRET_KEY"], settings["MAILBOT_SMTP_URL"]
    ran = doctor(tmp_path, settings)
    assert ran.code == 2
    assert state(ran, "secret key") == {"wrong"}
    assert "MAILBOT_SMTP_URL" in found(ran, "mailbox default")[0]["message"]


def test_files_that_others_may_read_are_a_problem(settings: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("")
    (tmp_path / ".env").chmod(0o644)
    (tmp_path / "var").chmod(0o755)
    (tmp_path / "key").write_text("k" * 48)
    (tmp_path / "key").chmod(0o640)
    del settings["MAILBOT_SECRET_KEY"]
    settings["MAILBOT_SECRET_KEY_FILE"] = str(tmp_path / "key")
    ran = doctor(tmp_path, settings)
    assert ran.code == 1
    advice = {one["advice"] for one in found(ran, "files")}
    assert advice == {"chmod 600 .env", f"chmod 700 {tmp_path / 'var'}", f"chmod 600 {tmp_path / 'key'}"}


@pytest.mark.parametrize("content", [b"this is no database, whatever it is called" * 100, None])
def test_a_database_that_cannot_be_read_ends_with_3(
    settings: dict[str, str], tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "var" / "mailbot.db"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    ran = doctor(tmp_path, settings)
    assert state(ran, "database") == {"unreachable"}
    assert ran.code == 3


def test_a_server_that_does_not_take_our_address_is_a_problem(settings: dict[str, str], tmp_path: Path) -> None:
    with ScriptedSmtp({Step.MAIL: [Say("553 5.7.1 not your address")]}) as smtp:
        settings["MAILBOT_SMTP_URL"] = f"smtp://{smtp.host}:{smtp.port}"
        ran = doctor(tmp_path, settings)
        assert smtp.log.kept == []
    (outgoing,) = found(ran, "outgoing")
    assert outgoing["state"] == "problem" and "553" in outgoing["message"]


def test_looking_at_a_submission_server_sends_no_mail(settings: dict[str, str], tmp_path: Path) -> None:
    with ScriptedSmtp() as smtp:
        settings["MAILBOT_SMTP_URL"] = f"smtp://{ADDRESS.replace('@', '%40')}:{PASSWORD}@{smtp.host}:{smtp.port}"
        ran = doctor(tmp_path, settings)
        assert smtp.log.count("AUTH") == 1
        assert (smtp.log.count("DATA"), smtp.log.kept) == (0, [])
    assert state(ran, "outgoing") == {"ok"}


# --- probes on servers that are not as they should be --------------------------------------------------------


@contextmanager
def careless_server(maildir: Path, change: Callable[[bytes], bytes | None]) -> Iterator[ScriptedSmtp]:
    """A submission server whose mail ends up in a Maildir, after ``change``; ``None`` loses it."""
    for name in ("new", "cur", "tmp"):
        (maildir / name).mkdir(parents=True)
    over = threading.Event()
    with ScriptedSmtp() as smtp:

        def sort() -> None:
            done = 0
            while not over.wait(0.05):
                for kept in smtp.log.kept[done:]:
                    done += 1
                    message = change(kept.message)
                    if message is not None:
                        path = maildir / "tmp" / f"{done}.probe"
                        path.write_bytes(message)
                        path.rename(maildir / "new" / path.name)

        sorter = threading.Thread(target=sort)
        sorter.start()
        try:
            yield smtp
        finally:
            over.set()
            sorter.join()


def probe_on(
    smtp: ScriptedSmtp, maildir: Path, settings: dict[str, str], tmp_path: Path, *, wait: str = "20"
) -> Ran:
    changed = settings | {
        "MAILBOT_IMAP_URL": f"maildir://{maildir}",
        "MAILBOT_SMTP_URL": f"smtp://{smtp.host}:{smtp.port}",
    }
    return doctor(tmp_path, changed, "--probe", "--wait", wait)


def test_a_forged_result_that_comes_through_is_a_problem(settings: dict[str, str], tmp_path: Path) -> None:
    maildir = tmp_path / "Maildir"
    with careless_server(maildir, lambda raw: raw) as smtp:
        ran = probe_on(smtp, maildir, settings, tmp_path)
    (problem,) = [one for one in found(ran, "probe") if one["state"] == "problem"]
    assert "came through" in problem["message"] and AUTHSERV_ID in problem["message"]
    assert ran.code == 1


def test_a_forged_result_that_is_renamed_does_no_harm(settings: dict[str, str], tmp_path: Path) -> None:
    def renamed(raw: bytes) -> bytes:
        return raw.replace(b"\r\nAuthentication-Results:", b"\r\nX-Old-Results:").replace(
            b"Authentication-Results:", b"X-Old-Results:", 1
        )

    maildir = tmp_path / "Maildir"
    with careless_server(maildir, renamed) as smtp:
        ran = probe_on(smtp, maildir, settings, tmp_path)
    assert "renamed to x-old-results" in " ".join(one["message"] for one in found(ran, "probe"))
    assert "problem" not in state(ran, "probe")


def test_probes_that_do_not_come_are_told_after_the_wait(settings: dict[str, str], tmp_path: Path) -> None:
    def without_plain(raw: bytes) -> bytes | None:
        return raw if b"(forged results)" in raw else None

    maildir = tmp_path / "Maildir"
    with careless_server(maildir, without_plain) as smtp:
        ran = probe_on(smtp, maildir, settings, tmp_path, wait="2")
    by_message = {one["message"]: one["state"] for one in found(ran, "probe")}
    assert by_message["plain: did not come within 2 s"] == "problem"
    # Only a mailbox with reply_addressing: plus needs it.
    assert by_message["plus-address: did not come within 2 s"] == "note"


def test_a_refused_plus_address_is_no_reason_to_give_up(settings: dict[str, str], tmp_path: Path) -> None:
    maildir = tmp_path / "Maildir"
    with careless_server(maildir, lambda raw: raw) as smtp:
        # The examination's own look, then the plain probe, then this.
        smtp.then(Step.RCPT, Say("250 ok"), Say("250 ok"), Say("550 5.1.1 no plus-addresses here"))
        ran = probe_on(smtp, maildir, settings, tmp_path)
    messages = [one["message"] for one in found(ran, "probe")]
    assert any(message.startswith("plus-address: refused with 550") for message in messages)
    assert any(message.startswith("plain: came") for message in messages)


# --- single rules --------------------------------------------------------------------------------------------


def ids(configured: str = "", counts: tuple[tuple[str, int], ...] = (), mails: int = 10) -> AuthservIds:
    return AuthservIds(mailbox="default", configured=configured, mails=mails, counts=counts)


def test_an_id_on_few_mails_is_not_proposed() -> None:
    assert ids(counts=(("mx.example.com.br", 6), ("other", 1))).proposed == "mx.example.com.br"
    assert ids(counts=(("mx.example.com.br", 5), ("other", 5))).proposed is None
    assert ids().proposed is None


def test_a_configured_id_that_no_mail_carries_is_a_problem() -> None:
    finding = check_authserv_id(ids("mx.old.example.com.br", (("mx.example.com.br", 9),)))
    assert finding.state == "problem" and "mx.example.com.br" in finding.advice
    assert check_authserv_id(ids("mx.example.com.br", (("mx.example.com.br", 9),))).state == "ok"
    assert check_authserv_id(ids("mx.example.com.br", mails=0)).state == "note"


def test_mail_from_the_future_shows_a_clock_that_is_behind() -> None:
    now = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    assert check_clock([now - timedelta(days=3)], now=lambda: now).state == "ok"
    assert check_clock([], now=lambda: now).state == "ok"
    finding = check_clock([now + timedelta(minutes=10)], now=lambda: now)
    assert finding.state == "problem" and "10 minutes behind" in finding.message


# --- providers' habits ---------------------------------------------------------------------------------------

EXCHANGE_MAIL = (
    b"Received: from CP5P284MB1234.BRAP284.PROD.OUTLOOK.COM (2603:10d6:103:b7::9) by\r\n"
    b" RO1P284MB4321.BRAP284.PROD.OUTLOOK.COM with HTTPS; Mon, 23 Nov 2026 13:00:00 +0000\r\n"
    b"Authentication-Results: spf=pass (sender IP is 192.0.2.45) smtp.mailfrom=example.com.br;\r\n"
    b" dkim=pass (signature was verified) header.d=example.com.br;dmarc=pass action=none\r\n"
    b" header.from=example.com.br;compauth=pass reason=100\r\n"
    b"From: ana@example.com.br\r\nSubject: oi\r\nMessage-ID: <e@example.com.br>\r\n"
    b"X-MS-Exchange-Organization-AuthSource: BL2NAM02FT033.eop-nam02.prod.protection.outlook.com\r\n"
    b"X-MS-Exchange-Organization-AuthAs: Anonymous\r\n\r\noi\r\n"
)


@contextmanager
def provider_house(
    tmp_path: Path, mails: Sequence[bytes], **entry: str
) -> Iterator[tuple[ScriptedImap, dict[str, str]]]:
    """Scripted servers, and a configuration whose entry for the mailbox has these lines."""
    folder = tmp_path / "config"
    shutil.copytree(REPOSITORY / "config", folder)
    path = folder / "mailboxes.yaml"
    text = path.read_text(encoding="utf-8")
    for key, value in entry.items():
        assert f"{key}:" in text
        text = re.sub(rf"(?m)^( +){key}: .*$", rf"\g<1>{key}: {value}", text)
    path.write_text(text, encoding="utf-8")
    with ScriptedImap(mails) as imap, ScriptedSmtp() as smtp:
        user = ADDRESS.replace("@", "%40")
        yield (
            imap,
            sample_settings(tmp_path)
            | {
                "MAILBOT_CONFIG_DIR": str(folder),
                "MAILBOT_IMAP_URL": f"imap://{user}:{PASSWORD}@127.0.0.1:{imap.port}/INBOX",
                "MAILBOT_SMTP_URL": f"smtp://{user}:{PASSWORD}@{smtp.host}:{smtp.port}",
            },
        )


def test_a_server_that_keeps_no_keywords_is_told_at_once(tmp_path: Path) -> None:
    with provider_house(tmp_path, [], settle="keyword") as (imap, settings):
        imap.permanent_flags = r"(\Seen \Answered \Flagged \Deleted \Draft $MDNSent)"
        told = found(doctor(tmp_path, settings), "incoming")
        assert [one["state"] for one in told] == ["ok", "problem"]
        assert "settle: move" in told[1]["advice"]
        imap.permanent_flags = r"(\Seen \*)"
        assert state(doctor(tmp_path, settings), "incoming") == {"ok"}


def test_more_than_a_provider_allows_is_told(tmp_path: Path) -> None:
    with provider_house(tmp_path, [], provider="microsoft365", max_connections="4") as (_, settings):
        told = found(doctor(tmp_path, settings), "provider")
    assert [one["state"] for one in told] == ["ok", "problem"]
    assert "30 letters a minute" in told[0]["message"]
    assert told[1]["message"] == "max_connections asks for 4, and Microsoft 365 allows 3"


def test_a_throttled_mailbox_is_no_wrong_password(tmp_path: Path) -> None:
    with provider_house(tmp_path, []) as (imap, settings):
        imap.answers["LOGIN"] = lambda session, tag, _: session.no(
            tag, "[ALERT] Too many simultaneous connections."
        )
        ran = doctor(tmp_path, settings)
    (told,) = found(ran, "incoming")
    assert (ran.code, told["state"]) == (3, "unreachable")
    assert "holds us back" in told["advice"] and "password" not in told["advice"]


def test_exchange_is_confirmed_by_the_mails_that_came_through_it(tmp_path: Path) -> None:
    """Without received_by nobody is verified; doctor proposes it from what it saw, and then agrees."""
    mails = [EXCHANGE_MAIL.replace(b"<e@", f"<e{n}@".encode()) for n in range(3)]
    with provider_house(tmp_path, mails, profile="microsoft365") as (_, settings):
        (told,) = found(doctor(tmp_path, settings), "senders")
        assert told["state"] == "problem" and "nobody is verified" in told["message"]
        assert "received_by: outlook.com" in told["advice"]
    shutil.rmtree(tmp_path / "config")
    confirmed = "microsoft365\\n      received_by: outlook.com"
    with provider_house(tmp_path, mails, profile=confirmed) as (_, settings):
        (told,) = found(doctor(tmp_path, settings), "senders")
        assert told["state"] == "ok"
        assert "3 of 3" in told["message"]


@pytest.mark.parametrize(
    "mail",
    [
        b"From: ana@example.com.br\r\nSubject: oi\r\n\r\noi\r\n",
        # Forged stamps on a server that is no Exchange: what was last received was not by them.
        b"Received: from x by mx.example.com.br with ESMTP; x\r\n" + EXCHANGE_MAIL,
        b"X-MS-Exchange-Organization-AuthAs: Internal\r\n" + EXCHANGE_MAIL,
    ],
)
def test_exchange_is_not_confirmed_by_mails_that_came_another_way(tmp_path: Path, mail: bytes) -> None:
    with provider_house(tmp_path, [mail, mail], profile="microsoft365") as (_, settings):
        (told,) = found(doctor(tmp_path, settings), "senders")
    assert told["state"] == "problem"
    assert "received_by" not in told["advice"]


@pytest.mark.parametrize(
    ("hosts", "domain"),
    [
        (["a.prod.outlook.com", "b.prod.protection.outlook.com"], "outlook.com"),
        (["correio.empresa.com.br"], "correio.empresa.com.br"),
        (["mx1.empresa.com.br", "mx2.empresa.com.br"], "empresa.com.br"),
        (["mx.empresa.com.br", "mx.outra.com.br"], None),
        (["mx.empresa.com", "mx.outra.com"], None),
        (["localhost"], None),
        ([], None),
    ],
)
def test_a_domain_is_proposed_only_if_it_is_somebodys(hosts: list[str], domain: str | None) -> None:
    assert _common_domain(hosts) == domain


@pytest.mark.parametrize("takes_away", [True, False])
def test_a_probe_finds_out_whether_stamps_of_exchange_can_be_forged(tmp_path: Path, takes_away: bool) -> None:
    def border(raw: bytes) -> bytes:
        return re.sub(rb"(?m)^X-MS-Exchange-Organization-[^\n]*\n", b"", raw) if takes_away else raw

    maildir = tmp_path / "Maildir"
    with (
        provider_house(tmp_path, [], profile="microsoft365") as (_, settings),
        careless_server(maildir, border) as smtp,
    ):
        ran = probe_on(smtp, maildir, settings, tmp_path)
    said = {one["message"]: one["state"] for one in found(ran, "probe")}
    if takes_away:
        assert said["a forged stamp of Exchange was removed"] == "ok"
    else:
        assert said["a forged stamp of Exchange came through: anybody could pass for anybody"] == "problem"


# --- the Sent folder -------------------------------------------------------------------------------------------


def with_sent_folder(settings: dict[str, str], tmp_path: Path, name: str) -> None:
    config = tmp_path / "config"
    shutil.copytree(settings["MAILBOT_CONFIG_DIR"], config)
    entry = config / "mailboxes.yaml"
    text = entry.read_text(encoding="utf-8")
    assert "sent_folder: auto" in text
    entry.write_text(text.replace("sent_folder: auto", f"sent_folder: {name}"), encoding="utf-8")
    settings["MAILBOT_CONFIG_DIR"] = str(config)


def test_a_server_that_names_no_sent_folder_is_noted(settings: dict[str, str], tmp_path: Path) -> None:
    ran = doctor(tmp_path, settings)
    (sent,) = found(ran, "sent folder default")
    assert (sent["state"], ran.code) == ("note", 0)
    assert r"no folder with the attribute \Sent" in sent["message"]
    assert "set sent_folder in mailboxes.yaml" in sent["advice"]


def test_a_sent_folder_that_somebody_named_must_be_there(
    servers: EmbeddedServers, settings: dict[str, str], tmp_path: Path
) -> None:
    with_sent_folder(settings, tmp_path, "Itens Enviados")
    ran = doctor(tmp_path, settings)
    (sent,) = found(ran, "sent folder default")
    assert (sent["state"], ran.code) == ("problem", 1)
    with imaplib.IMAP4(servers.host, servers.imap_port, timeout=60) as connection:
        connection.login(ADDRESS, PASSWORD)
        connection.create('"Enviadas"')
        (sent,) = found(doctor(tmp_path, settings), "sent folder default")
        assert sent["advice"].endswith("likely Enviadas")
        connection.create('"Itens Enviados"')
        (sent,) = found(doctor(tmp_path, settings), "sent folder default")
        assert sent["state"] == "ok"
        assert sent["message"] == "Itens Enviados is watched; our letters are saved there"
        connection.delete('"Itens Enviados"')
        connection.delete('"Enviadas"')


def test_letters_that_could_not_be_saved_are_told_of(settings: dict[str, str], tmp_path: Path) -> None:
    app = build_app(load_settings(settings, dotenv=tmp_path / "no.env"))
    app.open_storage()
    add_letters(app.storage, letter())
    claimed = claim_letter(app.storage)
    assert claimed is not None
    with app.storage.write() as work:
        work.sent.ask_for_copy(claimed.id, "default", due_at=NOW)
        work.sent.copy_refused(claimed.id, "mailbox is full", retry_at=None)
    app.close()
    ran = doctor(tmp_path, settings)
    problems = [one["message"] for one in found(ran, "sent folder default") if one["state"] == "problem"]
    assert problems == ["1 letters left and could not be saved there; last: mailbox is full"]
    assert ran.code == 1
    health = run_mailbot("health", "--json", cwd=tmp_path, settings=settings)
    assert [one for one in health.json["problems"] if "Sent folder of default: mailbox is full" in one]


def test_a_sent_folder_that_cannot_be_opened_is_told_of(
    settings: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = FakeSentFolder()
    folder.away = True
    monkeypatch.setattr("mailbot.connections.sent_folder_of", lambda _connection: folder)
    app = build_app(load_settings(settings, dotenv=tmp_path / "no.env"))
    [finding] = check_sent_folder(app, app.connections["default"])
    app.close()
    assert finding.state == "unreachable"
    assert "MAILBOT_IMAP_URL" in finding.advice


def test_an_alert_command_is_looked_for_and_run_by_a_probe_only(tmp_path: Path, settings: dict[str, str]) -> None:
    assert found(doctor(tmp_path, settings), "alert command") == []
    told = tmp_path / "told"
    program = tmp_path / "alert"
    program.write_text(f'#!/bin/sh\necho "$MAILBOT_ALERT_STATE" >> {told}\ncat >> {told}\n')
    settings["MAILBOT_ALERT_COMMAND"] = str(program)
    assert state(doctor(tmp_path, settings), "alert command") == {"problem"}
    program.chmod(0o700)
    assert state(doctor(tmp_path, settings), "alert command") == {"ok"}
    assert not told.exists()
    assert len(found(doctor(tmp_path, settings, "--probe", "--wait", "1"), "alert command")) == 2
    assert told.read_text().startswith("test\nmailbot on ")


# --- what can be read of attached files ------------------------------------------------------------------------


class _Reader:
    """A process that reads files, as the machine lets it be."""

    def __init__(self, able: Abilities | None) -> None:
        self._able = able

    def abilities(self) -> Abilities:
        if self._able is None:
            raise ChildFailed("ended it (1)")
        return self._able

    def close(self) -> None:
        """Nothing to end."""


@pytest.mark.parametrize(
    ("able", "check", "said"),
    [
        (
            Abilities(ocr_version="", ocr_missing="library", has_no_network=True),
            "ocr",
            "Tesseract is not installed",
        ),
        (
            Abilities(ocr_version="", ocr_missing="por", has_no_network=True),
            "ocr",
            "language 'por' is not installed",
        ),
        (Abilities(ocr_version="5.3.0", ocr_missing="", has_no_network=True), "ocr", "5.3.0 with Portuguese"),
        (Abilities(ocr_version="5.3.0", ocr_missing="", has_no_network=True), "documents", "without network"),
        (
            Abilities(ocr_version="5.3.0", ocr_missing="", has_no_network=False),
            "documents",
            "could reach the network",
        ),
        (None, "documents", "every file goes to a person"),
    ],
)
def test_it_says_what_can_be_read_and_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, able: Abilities | None, check: str, said: str
) -> None:
    monkeypatch.setattr("mailbot.bootstrap.document_reader", lambda: _Reader(able))
    findings = {finding.check: finding for finding in check_readers()}
    assert said in findings[check].message


@pytest.mark.tesseract
def test_it_tries_the_reader_of_this_machine() -> None:
    findings = {finding.check: finding for finding in check_readers()}
    assert findings["ocr"].message.startswith("Tesseract 5")
