"""What a mailbox's letters look like: colours that can be read, a logo that is one (issue 5, point 9)."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailbot.catalogue.brands import BrandSpec, brand_mistakes, contrast, read_logo
from mailbot.catalogue.load import load_catalogue

CONFIG = Path(__file__).parents[2] / "config"
BRANDS = CONFIG / "brands"


def mistakes(**brand: str) -> list[str]:
    return [key for key, _ in brand_mistakes(BrandSpec.model_validate(brand), BRANDS)]


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize(
    ("brand", "wrong"),
    [
        ({}, []),
        ({"colour": "#777777"}, ["colour"]),
        ({"colour_dark": "#0f5c8c"}, ["colour_dark"]),
        ({"logo": "vistorias.png"}, ["logo_alt"]),
        ({"logo": "none.png", "logo_alt": "None"}, ["logo"]),
        ({"logo": "vistorias.png", "logo_alt": "Serra Azul"}, []),
    ],
)
def test_a_brand_that_cannot_be_read_or_shown_is_refused(brand: dict[str, str], wrong: list[str]) -> None:
    assert mistakes(**brand) == wrong


@pytest.mark.parametrize("content", [b"<svg onload=alert(1)>", b"\x89PNG\r\n\x1a\n" + b"x" * 40_000])
def test_a_logo_is_a_small_picture(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "logo.png").write_bytes(content)
    brand = BrandSpec(logo="logo.png", logo_alt="Logo")

    assert [key for key, _ in brand_mistakes(brand, tmp_path)] == ["logo"]


def test_a_logo_stands_in_its_own_folder() -> None:
    with pytest.raises(ValueError, match="logo"):
        BrandSpec(logo="../mailboxes.yaml", logo_alt="x")


def test_the_sample_folder_has_five_companies_each_with_a_brand_and_services_of_its_own() -> None:
    catalogue = load_catalogue(CONFIG)
    companies = [one for one in catalogue.mailboxes if one.key != "default"]

    assert len(companies) == 5
    assert len({one.name for one in companies}) == len({one.brand.colour for one in companies}) == 5
    assert all(one.request_types != "*" for one in companies)
    assert set(catalogue.logos) == {one.key for one in companies}
    assert all(read_logo(one.brand, BRANDS) for one in companies)
