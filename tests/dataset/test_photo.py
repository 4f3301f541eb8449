import importlib
import struct
import subprocess

import cv2
import numpy as np
import pytest
from PIL import EpsImagePlugin, Image, ImageOps, PngImagePlugin, UnidentifiedImageError

from stages.dataset import photo

PIXELS = np.zeros((30, 40, 3), np.uint8)
PIXELS[:10, :10] = 255  # a white upper left corner
TURNED = {1: (0, 0), 2: (0, 1), 3: (1, 1), 4: (1, 0), 6: (0, 1), 8: (1, 0)}  # where viewers show it: bottom, right


def stored(tmp_path, tag, name="a.png"):
    exif = Image.Exif()
    exif[photo.ORIENTATION] = tag
    path = tmp_path / name
    Image.fromarray(PIXELS).save(path, exif=exif)
    return path


def corner(pixels):
    half = pixels.shape[0] // 2, pixels.shape[1] // 2
    quarters = [[pixels[:half[0], :half[1]], pixels[:half[0], half[1]:]], [pixels[half[0]:, :half[1]], pixels[half[0]:, half[1]:]]]  # fmt: skip  # noqa: E501
    means = np.array([[q.mean() for q in row] for row in quarters])
    return tuple(int(v) for v in np.unravel_index(means.argmax(), (2, 2)))


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
@pytest.mark.parametrize("tag", TURNED)
def test_annotated_as_viewers_show_it(tmp_path, tag, name):
    width, height = (30, 40) if tag in photo.TURNED else (40, 30)
    path = stored(tmp_path, tag, name)
    pixels = photo.load(path, width, height)
    assert pixels.shape == (height, width, 3)
    assert corner(pixels) == TURNED[tag]
    assert np.array_equal(photo.shown(path), pixels)


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
@pytest.mark.parametrize("tag", [5, 6, 7, 8])
def test_annotated_as_it_is_stored(tmp_path, tag, name):
    """The declared size is the stored one: the annotations were made without the tag."""
    assert (photo.load(stored(tmp_path, tag, name), 40, 30) == PIXELS).all()


def test_a_tag_behind_the_pixels_of_a_png_is_followed(tmp_path):
    whole = stored(tmp_path, 6).read_bytes()
    begin = whole.index(b"eXIf") - 4
    end = begin + 12 + int.from_bytes(whole[begin : begin + 4], "big")
    (tmp_path / "late.png").write_bytes(whole[:begin] + whole[end:-12] + whole[begin:end] + whole[-12:])
    assert photo.turned(tmp_path / "late.png")
    assert corner(photo.load(tmp_path / "late.png", 30, 40)) == TURNED[6]


def test_white_is_white_in_jpeg_2000_of_sixteen_bits(tmp_path):
    cv2.imwrite(str(tmp_path / "a.jp2"), np.full((64, 64, 3), 65535, np.uint16))
    assert photo.shown(tmp_path / "a.jp2").min() == 255


def test_turned_files_are_told(tmp_path):
    assert photo.turned(stored(tmp_path, 6))
    assert not photo.turned(stored(tmp_path, 1, "b.png"))


def test_missing_truncated_foreign_and_wrongly_sized_files_say_so(tmp_path):
    whole = stored(tmp_path, 1).read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.png").write_text("not a picture")
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (90, 90, 3), np.uint8)).save(tmp_path / "a.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "a.jpg").read_bytes()[:2000])
    for name, said in {
        "none.png": "missing",
        "cut.png": "not a whole picture",
        "cut.jpg": "not a whole picture",
        "text.png": "not a whole picture",
        "a.png": "declared 99×30, but the file has 40×30",
    }.items():
        with pytest.raises(photo.Unreadable, match=said) as problem:
            photo.load(tmp_path / name, 99 if name == "a.png" else 90, 30 if name == "a.png" else 90)
        assert name in str(problem.value)


def test_a_foreign_file_says_so_where_the_detector_is_loaded_too(tmp_path):
    importlib.import_module("stages.detector.predict")  # ultralytics puts its own opener in Pillow's place
    (tmp_path / "text.png").write_text("not a picture")
    with pytest.raises(photo.Unreadable, match=r"text\.png: not a whole picture"):
        photo.load(tmp_path / "text.png", 90, 90)
    assert not photo.turned(tmp_path / "text.png")


def test_grey_and_transparent_pictures_become_rgb(tmp_path):
    Image.fromarray(PIXELS).convert("L").save(tmp_path / "l.png")
    Image.fromarray(PIXELS).convert("RGBA").save(tmp_path / "a.png")
    for name in ("l.png", "a.png"):
        assert (photo.load(tmp_path / name, 40, 30) == PIXELS).all()


RAMP = np.arange(2**16, dtype=np.uint16).reshape(256, 256)


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_sixteen_bits_of_grey_are_scaled_not_cut_off(tmp_path, name):
    Image.fromarray(RAMP).save(tmp_path / name)
    pixels = photo.load(tmp_path / name, 256, 256)
    assert np.abs(pixels[..., 1] - RAMP / 257).max() <= 0.51
    assert (photo.read(tmp_path / name) == pixels).all()


def tiff(path, data, side, bits, white):
    """A grey TIFF as cameras write it and Pillow does not; white: 0, if white is the lowest value."""
    at, size = 8, len(data)
    tags = {256: side, 257: side, 258: bits, 259: 1, 262: white, 273: at, 277: 1, 278: side, 279: size}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    path.write_bytes(b"II*\0" + struct.pack("<I", at + size) + data + struct.pack("<H", len(tags)) + entries + bytes(4))


def test_twelve_bits_are_scaled_and_a_negative_is_turned(tmp_path):
    ramp = np.arange(2**12).reshape(64, 64)
    first, second = ramp.ravel()[::2], ramp.ravel()[1::2]
    packed = np.stack([first >> 4, (first & 15) << 4 | second >> 8, second & 255], 1).astype(np.uint8)
    tiff(tmp_path / "a.tif", packed.tobytes(), 64, 12, 1)
    assert np.abs(photo.load(tmp_path / "a.tif", 64, 64)[..., 0] - ramp / 4095 * 255).max() <= 0.51
    tiff(tmp_path / "b.tif", RAMP.tobytes(), 256, 16, 0)
    assert np.abs(photo.load(tmp_path / "b.tif", 256, 256)[..., 0] - (65535 - RAMP) / 257.0).max() <= 0.51


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_an_odd_value_in_exif_is_no_reason_not_to_turn_a_picture(tmp_path, name):
    """Whatever it is: a number of another sign than its type, here a height of −1."""
    picture = Image.fromarray(np.repeat(np.arange(6, dtype=np.uint8).reshape(2, 3, 1) * 40, 3, 2)).resize((48, 32), 0)
    entries = struct.pack("<HHIHH", 0x112, 3, 1, 3, 0) + struct.pack("<HHIhH", 0x101, 8, 1, -1, 0)
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2) + entries + bytes(4)
    picture.save(tmp_path / name, exif=exif)
    assert picture.getexif() is not None
    for pixels in (photo.load(tmp_path / name, 48, 32), photo.shown(tmp_path / name)):
        assert np.abs(pixels.astype(int) - np.asarray(picture)[::-1, ::-1]).max() < 12


@pytest.mark.parametrize("bits", [12, 16])
def test_a_grey_pgm_is_scaled_from_what_it_says_is_white(tmp_path, bits):
    ramp = RAMP >> (16 - bits)
    (tmp_path / "a.pgm").write_bytes(b"P5\n256 256\n%d\n" % (2**bits - 1) + ramp.astype(">u2").tobytes())
    pixels = photo.load(tmp_path / "a.pgm", 256, 256)
    assert np.abs(pixels[..., 0] - ramp * (255 / (2**bits - 1))).max() <= 0.51


def test_a_pfm_does_not_say_what_white_is(tmp_path):
    (tmp_path / "a.ppm").write_bytes(b"Pf\n4 4\n-1.0\n" + np.linspace(0, 1, 16, dtype="<f4").tobytes())
    with pytest.raises(photo.Unreadable, match="no known range"):
        photo.load(tmp_path / "a.ppm", 4, 4)


@pytest.mark.parametrize("kind", [np.float32, np.int32])
def test_a_brightness_without_a_known_range_is_refused(tmp_path, kind):
    Image.fromarray(RAMP.astype(kind)).save(tmp_path / "a.tif")
    with pytest.raises(photo.Unreadable, match=r"a\.tif: .*no known range"):
        photo.load(tmp_path / "a.tif", 256, 256)


def test_a_file_that_would_start_a_program_is_not_opened(tmp_path, monkeypatch):
    """Pillow hands EPS to Ghostscript, whatever the file is called."""
    Image.fromarray(PIXELS).save(tmp_path / "a.eps")
    (tmp_path / "a.eps").rename(tmp_path / "a.png")
    monkeypatch.setattr(subprocess, "check_call", lambda *_, **__: pytest.fail("a program was started"))
    monkeypatch.setattr(EpsImagePlugin, "gs_binary", "gs")
    with pytest.raises(photo.Unreadable, match=r"a\.png: not a whole picture"):
        photo.load(tmp_path / "a.png", 40, 30)
    with pytest.raises((UnidentifiedImageError, ImportError)):  # the latter once ultralytics is imported
        photo.read(tmp_path / "a.png")
    assert not photo.turned(tmp_path / "a.png")


def test_a_picture_of_another_size_is_not_decoded(tmp_path, monkeypatch):
    """A few kilobytes of it may be gigabytes of pixels."""
    stored(tmp_path, 1)
    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", lambda _: pytest.fail("it was decoded"))
    with pytest.raises(photo.Unreadable, match="declared 64×48, but the file has 40×30"):
        photo.load(tmp_path / "a.png", 64, 48)


def test_a_jpeg_larger_than_pillow_opens_is_not_decoded(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    Image.new("RGB", (20, 20)).save(tmp_path / "a.jpg")
    monkeypatch.setattr(cv2, "imdecode", None)
    with pytest.raises(photo.Unreadable, match="exceeds limit"):
        photo.shown(tmp_path / "a.jpg")


def test_a_broken_avif_says_so(tmp_path):
    Image.fromarray(PIXELS).save(tmp_path / "a.avif")
    whole = (tmp_path / "a.avif").read_bytes()
    (tmp_path / "a.avif").write_bytes(whole[: whole.index(b"mdat") + 4] + bytes(200))
    with pytest.raises(photo.Unreadable, match=r"a\.avif: not a whole picture"):
        photo.load(tmp_path / "a.avif", 40, 30)


def test_fit_reduces_and_never_enlarges():
    assert photo.fit(PIXELS, 20).shape == (15, 20, 3)
    assert photo.fit(PIXELS, 400) is PIXELS
    assert photo.fit(np.zeros((1, 500, 3), np.uint8), 100).shape == (1, 100, 3)


@pytest.mark.parametrize("tag", range(1, 9))
def test_a_viewers_picture_and_a_quick_one_are_turned_alike(tmp_path, tag):
    path = stored(tmp_path, tag, "a.jpg")
    with Image.open(path) as picture:
        viewed = np.array(ImageOps.exif_transpose(picture))
    assert np.abs(photo.shown(path).astype(int) - viewed).max() <= 4  # two decoders
    height, width = viewed.shape[:2]
    assert np.array_equal(photo.load(path, width, height), viewed)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp"])
def test_what_no_viewer_follows_turns_nothing(tmp_path, name):
    note = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf tiff:Orientation="3"/></x:xmpmeta>'
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", note.decode())
    Image.fromarray(PIXELS).save(tmp_path / name, quality=95, **({"pnginfo": info} if "png" in name else {"xmp": note}))
    height, width = PIXELS.shape[:2]
    assert corner(photo.load(tmp_path / name, width, height)) == corner(photo.shown(tmp_path / name)) == TURNED[1]
    assert not photo.turned(tmp_path / name)
