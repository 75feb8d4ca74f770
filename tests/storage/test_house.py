"""Folders, leases and troubled servers."""

from __future__ import annotations

from mailbot.adapters.storage.unit_of_work import SqlStorage
from mailbot.domain.ledger import LEASE_TIME, FolderMemory
from mailbot.domain.troubles import TroubleKey
from tests.storage.rows import DAY, ME, NOW, OTHER, SECOND

MEMORY = FolderMemory(mailbox="default", folder="INBOX", uid_validity=2**32 - 1, first_uid=2**32 - 1, floor_at=NOW)


def test_a_folder_is_remembered_and_changed(storage: SqlStorage) -> None:
    with storage.write() as work:
        assert work.house.folder("default", "INBOX") is None
        work.house.remember_folder(MEMORY)
        assert work.house.folder("default", "INBOX") == MEMORY
        changed = FolderMemory(
            mailbox="default",
            folder="INBOX",
            uid_validity=9,
            first_uid=1,
            floor_at=None,
            newest_received_at=NOW,
            last_collect_at=NOW + DAY,
            suspect_until=NOW,
        )
        work.house.remember_folder(changed)
        assert work.house.folders() == [changed]


def test_one_owner_at_a_time_has_a_lease(storage: SqlStorage) -> None:
    with storage.write() as work:
        house = work.house
        assert house.take_lease("collect", ME, real_now=NOW) == 1
        assert house.take_lease("collect", ME, real_now=NOW + SECOND) == 1
        assert house.take_lease("collect", OTHER, real_now=NOW + LEASE_TIME) is None
        assert house.take_lease("upkeep", OTHER, real_now=NOW) == 1
        assert house.take_lease("collect", OTHER, real_now=NOW + LEASE_TIME + 2 * SECOND) == 2
        assert house.take_lease("collect", ME, real_now=NOW + LEASE_TIME + 2 * SECOND) is None
        assert house.lease_owners() == {OTHER}


def test_a_lease_that_was_lost_is_not_renewed(storage: SqlStorage) -> None:
    with storage.write() as work:
        house = work.house
        assert not house.renew_lease("collect", ME, real_now=NOW)
        house.take_lease("collect", ME, real_now=NOW)
        assert house.renew_lease("collect", ME, real_now=NOW + LEASE_TIME)
        assert house.take_lease("collect", OTHER, real_now=NOW + LEASE_TIME + SECOND) is None
        house.drop_lease("collect", OTHER)
        assert house.lease_owners() == {ME}
        house.drop_lease("collect", ME)
        assert not house.renew_lease("collect", ME, real_now=NOW)
        assert house.take_lease("collect", OTHER, real_now=NOW) == 2


def test_the_leases_of_a_dead_owner_are_free(storage: SqlStorage) -> None:
    with storage.write() as work:
        work.house.take_lease("collect", ME, real_now=NOW)
        work.house.take_lease("upkeep", ME, real_now=NOW)
        work.house.release_leases(ME)
        assert work.house.lease_owners() == set()
        assert work.house.take_lease("collect", OTHER, real_now=NOW) == 2


def test_a_trouble_has_begun_when_it_was_first_noted(storage: SqlStorage) -> None:
    with storage.write() as work:
        house = work.house
        house.note_trouble(TroubleKey.parse("imap:default"), "refused", now=NOW)
        house.note_trouble(TroubleKey.parse("imap:default"), "timed out", now=NOW + DAY)
        house.mark_trouble_told(TroubleKey.parse("imap:default"), now=NOW + DAY)
        [trouble] = house.troubles()
        assert (trouble.since, trouble.error, trouble.told_at) == (NOW, "timed out", NOW + DAY)
        house.clear_trouble(TroubleKey.parse("imap:default"))
        assert house.troubles() == []


def test_troubles_of_the_same_moment_come_by_name_whichever_was_noted_again(storage: SqlStorage) -> None:
    names = ["imap:a", "imap:b", "smtp:a"]
    with storage.write() as work:
        for name in reversed(names):
            work.house.note_trouble(TroubleKey.parse(name), "refused", now=NOW)
        work.house.note_trouble(TroubleKey.parse(names[0]), "timed out", now=NOW + DAY)
        assert [str(one.key) for one in work.house.troubles()] == names
