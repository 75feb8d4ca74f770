"""Files in Outlook's ``winmail.dat`` are files of the mail (issue 4, 1); broken ones do no harm (THREATS 27)."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.mime.parse import parse_mail
from mailbot.mime.winmail import BrokenWinmail, files_in_winmail
from tests.mime.test_parse import JPEG, PDF, multipart, part, text_part
from tests.winmail import winmail

TYPE = "application/ms-tnef; name=winmail.dat"
LONG = "comprovante de pagamento do João.pdf"


@pytest.mark.parametrize("bytes_in_properties", [False, True])
def test_its_files_stand_in_its_place_by_their_long_names(bytes_in_properties: bool) -> None:
    packed = winmail([("boleto.pdf", PDF), (LONG, PDF + b"2")], bytes_in_properties=bytes_in_properties)
    read = parse_mail(multipart(text_part("segue"), part(packed, TYPE), part(JPEG, "image/jpeg; name=foto.jpg")))
    assert [(one.filename, one.media_type, one.content) for one in read.attachments] == [
        ("boleto.pdf", "application/pdf", PDF),
        (LONG, "application/pdf", PDF + b"2"),
        ("foto.jpg", "image/jpeg", JPEG),
    ]
    assert (read.new_text, read.defects) == ("segue", ())


def test_by_its_bytes_it_is_known_whatever_it_is_called() -> None:
    packed = part(winmail([("boleto.pdf", PDF)]), "application/octet-stream; name=ATT00001.bin")
    assert [one.filename for one in parse_mail(multipart(text_part("segue"), packed)).attachments] == [
        "boleto.pdf"
    ]


def test_without_files_it_is_nothing() -> None:
    assert parse_mail(multipart(text_part("segue"), part(winmail(), TYPE))).attachments == ()


def test_the_files_of_a_message_that_is_attached_in_it_are_those_of_a_forwarded_mail() -> None:
    packed = winmail([("boleto.pdf", PDF)], messages=[winmail([("cnh.jpg", JPEG)])])
    read = parse_mail(multipart(text_part("segue"), part(packed, TYPE)))
    assert [(one.filename, one.in_forwarded_mail) for one in read.attachments] == [
        ("boleto.pdf", False),
        ("cnh.jpg", True),
    ]


def test_a_picture_of_its_text_is_told_from_an_attached_one() -> None:
    packed = winmail([("image001.jpg", JPEG), ("cnh.jpg", JPEG + b"2")], content_ids=["image001.jpg@01DA"])
    read = parse_mail(multipart(text_part("segue"), part(packed, TYPE)))
    assert [(one.filename, one.inline) for one in read.attachments] == [("image001.jpg", True), ("cnh.jpg", False)]


def test_names_in_it_are_cleaned_like_all_others() -> None:
    packed = winmail([("..\\..\\win\u202efdp.exe\0\n.pdf", PDF)])
    (file,) = parse_mail(multipart(text_part("segue"), part(packed, TYPE))).attachments
    assert not set("\\/\0\n\u202e") & set(file.filename)


def test_one_that_ends_early_stays_as_it_came_so_that_it_is_asked_for_again() -> None:
    packed = winmail([("boleto.pdf", PDF)])
    for length in range(8, len(packed) - 1, 5):
        read = parse_mail(multipart(text_part("segue"), part(packed[:length], TYPE)))
        names = [one.filename for one in read.attachments]
        # Where it ends between two attributes nobody can tell that there was more.
        assert names == ["winmail.dat"] or all(one.content in (b"", PDF) for one in read.attachments), length


def test_messages_in_messages_end_somewhere() -> None:
    packed = winmail([("boleto.pdf", PDF)])
    for _ in range(30):
        packed = winmail(messages=[packed])
    with pytest.raises(BrokenWinmail):
        files_in_winmail(packed)


def test_so_many_files_are_too_many() -> None:
    packed = winmail([("a", b"")] * 300)
    with pytest.raises(BrokenWinmail):
        files_in_winmail(packed)


@given(place=st.integers(0, 900), noise=st.binary(max_size=12), cut=st.integers(0, 900))
@settings(max_examples=300)
def test_no_damage_raises_anything_else(place: int, noise: bytes, cut: int) -> None:
    packed = winmail([("boleto.pdf", PDF), ("cnh.jpg", JPEG)], messages=[winmail([("b.pdf", PDF)])])
    for damaged in (packed[:place] + noise + packed[place + len(noise) :], packed[:cut] + noise):
        try:
            assert sum(len(one.content) for one in files_in_winmail(damaged)) <= 2 * len(damaged)
        except BrokenWinmail:
            continue


def test_twenty_megabytes_of_tiny_attributes_are_read_in_time() -> None:
    packed = winmail() + (b"\1" + bytes(8) + bytes(2)) * 1_800_000
    begun = time.thread_time()
    assert files_in_winmail(packed) == ()
    assert time.thread_time() - begun < 20
