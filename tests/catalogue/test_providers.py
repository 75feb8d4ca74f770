"""Which provider a mailbox is at, and that the table and the configuration speak of the same ones."""

from __future__ import annotations

from typing import get_args

import pytest

from mailbot.catalogue.mailboxes import MailboxSpec
from mailbot.catalogue.providers import GENERIC, PROVIDERS, provider_of


@pytest.mark.parametrize(
    ("hosts", "key"),
    [
        (["outlook.office365.com", "smtp.office365.com"], "microsoft365"),
        (["OUTLOOK.office365.com.", "smtp-mail.outlook.com"], "microsoft365"),
        (["imap.gmail.com", "smtp.gmail.com"], "gmail"),
        (["imappro.zoho.com", "smtppro.zoho.eu"], "zoho"),
        (["email-ssl.com.br", "email-ssl.com.br"], "locaweb"),
        (["imap.uhserver.com", "smtps.uhserver.com"], "uol_host"),
        (["mail.example.com.br"], "generic"),
        # Read here, sent there: neither's limits are sure to hold.
        (["outlook.office365.com", "smtp.gmail.com"], "generic"),
        (["imap.gmail.com", "mail.example.com.br"], "generic"),
        # A name that only looks like one.
        (["imap.notgmail.com", "gmail.com.example.com.br"], "generic"),
        ([], "generic"),
    ],
)
def test_it_knows_a_provider_by_its_servers(hosts: list[str], key: str) -> None:
    assert provider_of("auto", hosts).key == key


def test_what_the_administrator_says_comes_first() -> None:
    assert provider_of("cpanel", ["imap.gmail.com"]).key == "cpanel"
    assert provider_of("generic", ["imap.gmail.com"]) is GENERIC


def test_mailboxes_yaml_takes_exactly_the_providers_of_the_table() -> None:
    stated = set(get_args(MailboxSpec.model_fields["provider"].annotation))
    assert stated == {"auto", *(provider.key for provider in PROVIDERS)}


def test_no_host_belongs_to_two_providers() -> None:
    hosts = [host for provider in PROVIDERS for host in provider.hosts]
    assert len(hosts) == len(set(hosts))
    assert all(
        provider_of("auto", [host]).key == provider.key for provider in PROVIDERS for host in provider.hosts
    )
