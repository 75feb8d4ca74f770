"""What banks print in white on bars of their colour is made dark on white; shadows and grey boxes stay."""

from __future__ import annotations

from PIL import Image, ImageChops, ImageDraw, ImageFont

from mailbot.evidence.coloured_grounds import turned_over

WIDTH, HEIGHT = 900, 1400


def _screen(*, bar: int | None, ink: int = 255) -> Image.Image:
    picture = Image.new("L", (WIDTH, HEIGHT), 255)
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(44)
    if bar is not None:
        pen.rectangle((0, 0, WIDTH, 330), fill=bar)
        for row, words in enumerate(("Pix enviado", "R$ 108,00")):
            pen.text((60, 90 + 100 * row), words, fill=ink, font=font)
    for row in range(8):
        pen.text((60, 420 + 90 * row), "Data do pagamento 20/11/2026", fill=20, font=font)
    return picture


def _share_of_dark(picture: Image.Image) -> float:
    counts = picture.crop((0, 0, WIDTH, 330)).histogram()
    return sum(counts[:128]) / sum(counts)


def test_white_on_a_coloured_bar_becomes_dark_on_white() -> None:
    before, after = _screen(bar=110), turned_over(_screen(bar=110))
    assert _share_of_dark(before) > 0.8
    assert _share_of_dark(after) < 0.2


def test_noise_does_not_hide_what_stands_on_a_bar() -> None:
    noise = Image.effect_noise((WIDTH, HEIGHT), 22)
    noisy = ImageChops.add(_screen(bar=135), noise, scale=1.0, offset=-128)
    assert _share_of_dark(turned_over(noisy)) < 0.4


def test_dark_writing_on_a_grey_box_stays() -> None:
    picture = _screen(bar=190, ink=20)
    assert turned_over(picture) == picture


def test_a_shadow_over_the_writing_stays() -> None:
    shadow = Image.new("L", (WIDTH, HEIGHT), 255)
    ImageDraw.Draw(shadow).rectangle((300, 350, WIDTH, HEIGHT), fill=170)
    picture = ImageChops.multiply(_screen(bar=None), shadow)
    assert turned_over(picture) == picture


def test_pictures_too_small_for_any_bar_stay() -> None:
    for size in ((1, 1), (3, 700), (700, 2)):
        picture = Image.new("L", size, 90)
        assert turned_over(picture).size == size
