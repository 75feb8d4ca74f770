"""Settings and catalogue become log-ins by token, or every problem at once before anything starts."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailbot.bootstrap import App, build_app
from mailbot.catalogue.mailboxes import MailServerName
from mailbot.domain.errors import ConfigurationError, Problem
from mailbot.domain.logins import LoginCredential
from mailbot.settings import load_settings
from tests.cli.command import REPOSITORY, log_in_by_token, sample_settings
from tests.peers.token_server import certificate_of, pem_pair, private_key

MICROSOFT = "{provider: microsoft, tenant_id: tenant.example.com.br, client_id: app}"


def opened(tmp_path: Path, oauth2: str, **variables: str) -> App:
    """An app whose sample mailbox logs in as stated; servers without a password in their URLs."""
    config = tmp_path / "config"
    shutil.copytree(REPOSITORY / "config", config)
    log_in_by_token(config, oauth2)
    environment = sample_settings(tmp_path) | {
        "MAILBOT_IMAP_URL": "imaps://outlook.office365.com/INBOX",
        "MAILBOT_SMTP_URL": "smtp+starttls://smtp.office365.com",
        "MAILBOT_CONFIG_DIR": str(config),
        **{f"MAILBOT_{name}": value for name, value in variables.items()},
    }
    return build_app(load_settings(environment, dotenv=tmp_path / "none"))


def problems(tmp_path: Path, oauth2: str, **variables: str) -> dict[str | None, str]:
    with pytest.raises(ConfigurationError) as caught:
        opened(tmp_path, oauth2, **variables)
    return {problem.key: problem.message for problem in caught.value.problems}


def test_the_mailbox_itself_logs_in_where_the_urls_name_nobody(tmp_path: Path) -> None:
    app = opened(tmp_path, MICROSOFT, OAUTH2_CLIENT_SECRET="s3gredo")
    connection = app.connections["default"]
    assert connection.tokens is not None and connection.imap is not None
    assert connection.imap.username == connection.smtp.username == "atendimento@example.com.br"
    # One provider for both servers: one renewal serves them.
    assert connection.tokens_at(MailServerName.IMAP) is connection.tokens_at(MailServerName.SMTP)
    assert connection.tokens.login.username == "atendimento@example.com.br"
    assert "s3gredo" not in repr(connection.tokens.login) + repr(connection)
    app.close()


def test_a_user_in_the_urls_is_kept(tmp_path: Path) -> None:
    urls = {"IMAP_URL": "imaps://joao%40example.com.br@h/", "SMTP_URL": "smtps://joao%40example.com.br@h"}
    app = opened(tmp_path, MICROSOFT, OAUTH2_CLIENT_SECRET="s", **urls)
    tokens = app.connections["default"].tokens
    assert tokens is not None and tokens.login.username == "joao@example.com.br"
    app.close()


def test_what_is_stated_by_variables_counts_too(tmp_path: Path) -> None:
    variables = {"OAUTH2_TENANT_ID": "t", "OAUTH2_CLIENT_ID": "c", "OAUTH2_CLIENT_SECRET": "s"}
    app = opened(tmp_path, "{provider: microsoft}", **variables)
    tokens = app.connections["default"].tokens
    assert tokens is not None
    assert (tokens.login.tenant_id, tokens.login.client_id, tokens.login.secret) == ("t", "c", "s")
    app.close()


def test_a_secret_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("do arquivo\n".replace(" ", "-"), encoding="utf-8")
    app = opened(tmp_path, MICROSOFT, OAUTH2_CLIENT_SECRET_FILE=str(tmp_path / "secret"))
    tokens = app.connections["default"].tokens
    assert tokens is not None and tokens.login.secret == "do-arquivo"
    app.close()


def test_a_server_that_keeps_its_password_gets_no_token(tmp_path: Path) -> None:
    oauth2 = MICROSOFT.replace("}", ", servers: [imap]}")
    app = opened(tmp_path, oauth2, OAUTH2_CLIENT_SECRET="s", SMTP_URL="smtps://user:senha@smtp.example.com.br")
    connection = app.connections["default"]
    assert connection.tokens_at(MailServerName.IMAP) is not None
    assert connection.tokens_at(MailServerName.SMTP) is None
    assert (connection.smtp.username, connection.smtp.password) == ("user", "senha")
    app.close()


def test_every_missing_variable_is_told_at_once(tmp_path: Path) -> None:
    found = problems(tmp_path, "{provider: microsoft}")
    assert set(found) == {
        "MAILBOT_OAUTH2_TENANT_ID",
        "MAILBOT_OAUTH2_CLIENT_ID",
        "MAILBOT_OAUTH2_CLIENT_SECRET",
    }
    assert found["MAILBOT_OAUTH2_TENANT_ID"] == (
        "is not set, nor is tenant_id stated in mailboxes.yaml; microsoft log-in needs it"
    )
    assert found["MAILBOT_OAUTH2_CLIENT_SECRET"] == "is not set; microsoft log-in needs it"


@pytest.mark.parametrize("tenant", ["common", "Organizations", "consumers", "a/b"])
def test_an_app_cannot_ask_a_tenant_of_everybody(tmp_path: Path, tenant: str) -> None:
    found = problems(
        tmp_path,
        "{provider: microsoft, client_id: app}",
        OAUTH2_TENANT_ID=tenant,
        OAUTH2_CLIENT_SECRET="s",
    )
    assert "the directory's own id" in found["MAILBOT_OAUTH2_TENANT_ID"]


def test_a_password_beside_a_token_is_a_contradiction(tmp_path: Path) -> None:
    found = problems(tmp_path, MICROSOFT, OAUTH2_CLIENT_SECRET="s", SMTP_URL="smtps://u:senha@h")
    assert list(found) == ["MAILBOT_SMTP_URL"]
    assert "take smtp out of oauth2.servers" in found["MAILBOT_SMTP_URL"]
    assert "senha" not in found["MAILBOT_SMTP_URL"]


@pytest.mark.parametrize(
    ("oauth2", "variable", "value", "message"),
    [
        (MICROSOFT, "CLIENT_SECRET", "with space", "contains a space or a line break"),
        (MICROSOFT.replace("}", ", credential: certificate}"), "CERTIFICATE", "x", "no private key"),
        ("{provider: google}", "SERVICE_ACCOUNT", '{"client_id": "x"}', "no JSON key of a service account"),
    ],
)
def test_a_secret_that_cannot_be_right_is_told_and_not_quoted(
    tmp_path: Path, oauth2: str, variable: str, value: str, message: str
) -> None:
    found = problems(tmp_path, oauth2, **{f"OAUTH2_{variable}": value})
    assert message in found[f"MAILBOT_OAUTH2_{variable}"]
    assert "with space" not in str(found)


def test_a_refresh_token_at_google_needs_the_clients_secret(tmp_path: Path) -> None:
    oauth2 = "{provider: google, credential: refresh_token, client_id: c}"
    found = problems(tmp_path, oauth2, OAUTH2_REFRESH_TOKEN="1//x")
    assert set(found) == {"MAILBOT_OAUTH2_CLIENT_SECRET"}


@pytest.mark.parametrize(
    ("oauth2", "variable", "extra"),
    [
        (MICROSOFT, "CLIENT_SECRET", "mailbot[microsoft]"),
        ("{provider: google}", "SERVICE_ACCOUNT", "mailbot[google]"),
    ],
)
def test_a_missing_library_is_told_with_the_extra_that_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, oauth2: str, variable: str, extra: str
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(ConfigurationError) as caught:
        opened(tmp_path, oauth2, **{f"OAUTH2_{variable}": '{"type": "x"}'})
    assert (
        Problem(
            source="mailboxes.yaml",
            key="default.oauth2.provider",
            message=f"needs a library that is not installed: pip install '{extra}'",
        )
        in caught.value.problems
    )


def test_a_certificates_end_is_known_to_the_alarms(tmp_path: Path) -> None:
    key = private_key()
    certificate = certificate_of(key, days=9)
    oauth2 = MICROSOFT.replace("}", ", credential: certificate}")
    app = opened(tmp_path, oauth2, OAUTH2_CERTIFICATE=pem_pair(key, certificate))
    (login,) = app.logins()
    assert (login.mailbox, login.credential) == ("default", LoginCredential.CERTIFICATE)
    assert login.expires_at == certificate.not_valid_after_utc
    assert login.expires_at is not None and login.expires_at > datetime.now(UTC)
    app.close()


def test_nothing_of_the_vendors_is_imported_before_the_first_token(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from tests.test_logins import opened, MICROSOFT; "
        f"app = opened(pathlib.Path({str(tmp_path)!r}), MICROSOFT, OAUTH2_CLIENT_SECRET='s'); "
        "app.open_storage(); app.collectors(); "
        "print(sorted({'msal', 'google.auth', 'requests'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    assert done.stdout.strip() == "[]"
