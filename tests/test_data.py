import datetime
import gzip
import hashlib
import os
import re
import struct
import sys
import time
import tracemalloc
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from groundup.data import files as data_files
from groundup.data.dates import (
    CHARACTERS,
    DAYS,
    END,
    FIRST_DAY,
    FORMATS,
    LONGEST,
    MONTHS,
    PAD,
    START,
    WEEKDAYS,
    date_pairs,
    decode_date,
    encode_pairs,
    encode_source,
    split_date_pairs,
    write_date,
)
from groundup.data.digits import hold_out_writers, load_digits, split_digits
from groundup.data.images import load_idx, load_image_folder
from groundup.data.languages import FAMILIES, language_texts
from groundup.data.mnist import load_mnist, split_mnist
from groundup.data.text import (
    UNKNOWN,
    build_vocabulary,
    decode,
    default_text,
    encode,
    read_text,
    split_text,
)
from groundup.errors import UserError


def refusal(call, *arguments, **options) -> str:
    """The message of the UserError that a call must raise: one sentence on one line."""
    with pytest.raises(UserError) as caught:
        call(*arguments, **options)
    message = str(caught.value)
    assert message.endswith(".")
    assert "\n" not in message
    return message


# ---------------------------------------------------------------- text files


def test_text_is_read_with_byte_order_mark_and_line_ends_normalised(tmp_path: Path) -> None:
    path = tmp_path / "book.txt"
    path.write_bytes(b"\xef\xbb\xbf" + "one\r\ntwo\rthree\n漢字 😀\n".encode() * 100)
    assert read_text(path) == "one\ntwo\nthree\n漢字 😀\n" * 100


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf", "nothing but white space"),
        (b" \n\t" * 1000, "nothing but white space"),
        (b"x", "it has 1 characters, and 1,000 are needed"),
        ("漢".encode() * 999, "it has 999 characters"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" * 100, "byte 8 is zero"),
        (bytes(range(1, 9)) * 1000, "control characters"),
        ("naïve ".encode("latin-1") * 500, "not UTF-8: byte 2 is 0xef"),
        (b"\xef\xbb\xbfabc\xff" * 500, "not UTF-8: byte 6 is 0xff"),
        (b"fine " * 500 + "é".encode()[:1], "not UTF-8: byte 2,500 is 0xc3"),
        ("plain text".encode("utf-16") * 500, "UTF-16"),
    ],
)
def test_unusable_text_is_refused(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "input.txt"
    path.write_bytes(content)
    message = refusal(read_text, path)
    assert expected in message
    assert str(path) in message


def test_code_with_a_few_control_characters_is_text(tmp_path: Path) -> None:
    path = tmp_path / "listing.txt"
    path.write_text("def f():\n\treturn 1\n\f" * 100 + "\x1b")
    assert read_text(path).endswith("\x1b")


def test_missing_folder_and_odd_paths_are_refused(tmp_path: Path) -> None:
    assert "no file" in refusal(read_text, tmp_path / "missing.txt")
    assert "is a folder" in refusal(read_text, tmp_path)
    assert "cannot be read" in refusal(read_text, tmp_path / ("x" * 5000))
    refusal(read_text, "zero\0byte")
    os.mkfifo(tmp_path / "pipe")
    assert "not a regular file" in refusal(read_text, tmp_path / "pipe")


def test_unreadable_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret.txt"
    path.write_text("a" * 2000)

    def forbidden(*_: object, **__: object) -> None:  # chmod would not stop root, who runs tests in containers
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)
    assert "Permission denied" in refusal(read_text, path)


def test_a_200_mb_file_is_refused_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.txt"
    with path.open("wb") as file:
        file.truncate(200_000_000)
    tracemalloc.start()
    started = time.perf_counter()
    message = refusal(read_text, path)
    seconds = time.perf_counter() - started
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "200.0 MB" in message
    assert "50.0 MB" in message
    assert seconds < 1
    assert peak < 1_000_000


# ---------------------------------------------------------------- characters


@pytest.mark.parametrize("text", ["plain", "漢字かな交じり文", "👩‍🔬 and 🇳🇴", "a\tb\nc\0d", "\U0010ffff", ""])
def test_encoding_is_undone_by_decoding(text: str) -> None:
    vocabulary = build_vocabulary(text)
    indices = encode(text, vocabulary)
    assert indices.dtype == np.int64
    assert len(indices) == len(text)
    assert (indices > 0).all()
    assert decode(indices, vocabulary) == text


def test_characters_outside_the_vocabulary_become_unknown() -> None:
    vocabulary = build_vocabulary("hello")
    assert vocabulary == UNKNOWN + "ehlo"
    np.testing.assert_array_equal(encode("h😀l\0z", vocabulary), [2, 0, 3, 0, 0])
    assert decode(encode("h😀l", vocabulary), vocabulary) == f"h{UNKNOWN}l"
    assert encode(UNKNOWN, build_vocabulary(f"a{UNKNOWN}")) == [0]


def test_vocabulary_keeps_the_most_frequent_characters() -> None:
    chinese = "".join(chr(0x4E00 + i) * (1 + i % 7) for i in range(5000))
    vocabulary = build_vocabulary(chinese, most=1000)
    assert len(vocabulary) == 1000
    kept = min(chinese.count(character) for character in vocabulary[1:])
    assert kept == 6  # 714 characters occur seven times, so the last places go to those that occur six times
    assert build_vocabulary("cab", most=10) == UNKNOWN + "abc"
    with pytest.raises(ValueError, match="room"):
        build_vocabulary("abc", most=1)


def test_encoding_matches_one_character_at_a_time_and_is_fast() -> None:
    text = default_text()
    vocabulary = build_vocabulary(text[:100_000])
    slow = [max(vocabulary.find(character), 0) for character in text]
    np.testing.assert_array_equal(encode(text, vocabulary), slow)
    long = text * 10  # crosses the pieces in which it is encoded
    started = time.perf_counter()
    indices = encode(long, vocabulary)
    assert time.perf_counter() - started < 2
    np.testing.assert_array_equal(indices.reshape(10, -1), np.tile(slow, (10, 1)))


def test_decoding_refuses_indices_outside_the_vocabulary() -> None:
    for wrong in ([5], [-1]):
        with pytest.raises(ValueError, match=r"0\.\.2"):
            decode(np.array(wrong), UNKNOWN + "ab")


def test_split_is_contiguous_and_complete() -> None:
    text = "".join(chr(0x100 + i) for i in range(1000))  # no character twice
    train, validation, test = split_text(text, validation=0.05, test=0.1)
    assert train + validation + test == text
    assert (len(train), len(validation), len(test)) == (850, 50, 100)
    assert split_text("ab", validation=0, test=0) == ("ab", "", "")
    assert "too short" in refusal(split_text, "abc", validation=0.1, test=0.1)
    with pytest.raises(ValueError, match="shares"):
        split_text(text, validation=0.5, test=0.5)


# ---------------------------------------------------------------- the default text


def test_default_text_is_fixed_and_plain() -> None:
    text = default_text()
    assert text == default_text()
    assert len(text) > 300_000
    assert not re.search(r"[\r\t\0]", text)
    assert len(build_vocabulary(text)) < 128


def test_held_out_text_does_not_repeat_training_text() -> None:
    train, validation, test = split_text(default_text(), validation=0.05, test=0.1)
    for seen, held_out in ((train, validation), (train + validation, test)):
        runs = {seen[i : i + 100] for i in range(len(seen) - 99)}
        assert not any(held_out[i : i + 100] in runs for i in range(len(held_out) - 99))
        shorter = {seen[i : i + 50] for i in range(len(seen) - 49)}
        repeated = sum(held_out[i : i + 50] in shorter for i in range(len(held_out) - 49))
        assert repeated < 0.01 * len(held_out)


def test_every_tenth_of_the_default_text_is_of_the_same_kind() -> None:
    text = default_text()
    vocabulary = build_vocabulary(text)
    tenths = np.array_split(encode(text, vocabulary), 10)
    shares = np.stack([np.bincount(tenth, minlength=len(vocabulary)) / len(tenth) for tenth in tenths])
    overall = shares.mean(axis=0)
    distance = np.abs(shares - overall).sum(axis=1) / 2  # total variation between character frequencies
    assert distance.max() < 0.08


def test_languages_are_long_latin_and_different() -> None:
    texts = language_texts()
    assert texts.keys() == FAMILIES.keys()
    families = list(FAMILIES.values())
    assert len(set(families)) >= 4
    assert min(map(families.count, families)) >= 2  # a family of one could not cluster
    assert len(set(texts.values())) == len(texts)
    for language, text in texts.items():
        assert len(text) >= 5000, language
        assert not re.search(r"[<>&]", text), language
        letters = [c for c in text if c.isalpha()]
        assert all(unicodedata.name(c).startswith("LATIN") or c in "ªº" for c in letters), language


# ---------------------------------------------------------------- digits


def test_mnist_is_complete() -> None:
    images, labels = load_mnist()
    assert images.shape == (10_000, 28, 28)
    assert images.dtype == np.float32
    assert (images.min(), images.max()) == (0, 1)
    np.testing.assert_array_equal(images * 255, np.round(images * 255))
    np.testing.assert_array_equal(np.bincount(labels), [1001, 1127, 991, 1032, 980, 863, 1014, 1070, 944, 978])
    assert len(np.unique(images.reshape(10_000, 784), axis=0)) == 10_000  # no picture twice: none can leak
    folder = Path(data_files.__file__).parent
    said = re.findall(r"`(\w[\w.]*\.gz)` \|.*`([0-9a-f]{64})`", (folder / "LICENSES.md").read_text(encoding="utf-8"))
    assert {name for name, _ in said} == {path.name for path in folder.glob("*.gz")}
    for name, digest in said:
        assert hashlib.sha256(data_files.package_data(name)).hexdigest() == digest, name


def test_mnist_is_cut_in_three() -> None:
    digits = load_mnist()
    parts = split_mnist(digits)
    assert [len(part.labels) for part in parts] == [6000, 1000, 3000]
    np.testing.assert_array_equal(np.concatenate([part.labels for part in parts]), digits.labels)
    for part in parts:  # shuffled: each part has about as many of each label
        assert np.abs(np.bincount(part.labels) / len(part.labels) - np.bincount(digits.labels) / 10_000).max() < 0.02
    with pytest.raises(ValueError, match="nothing to train on"):
        split_mnist(digits, 5000, 5000)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_digits_are_complete(dtype: type) -> None:
    images, labels = load_digits(dtype)
    assert images.shape == (1797, 8, 8)
    assert images.dtype == dtype
    assert labels.shape == (1797,)
    assert (images.min(), images.max()) == (0, 1)
    np.testing.assert_array_equal(images * 16, np.round(images * 16))
    np.testing.assert_array_equal(np.bincount(labels), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
    assert len(np.unique(images.reshape(1797, 64), axis=0)) == 1797  # no picture twice: none can leak
    # The first picture of the source, a zero, written out.
    np.testing.assert_array_equal(images[0, :2] * 16, [[0, 0, 5, 13, 9, 1, 0, 0], [0, 0, 13, 15, 10, 15, 5, 0]])
    np.testing.assert_array_equal(labels[:10], range(10))


def test_digit_split_is_stratified_disjoint_and_repeatable() -> None:
    digits = load_digits()
    parts = split_digits(digits, validation=0.1, test=0.2)
    assert sum(len(part.labels) for part in parts) == 1797
    together = np.concatenate([part.images for part in parts]).reshape(-1, 64)
    assert len(np.unique(together, axis=0)) == 1797
    counts = np.bincount(digits.labels)
    for part, share in zip(parts, (0.7, 0.1, 0.2), strict=True):
        assert np.abs(np.bincount(part.labels) - share * counts).max() <= 1
    again = split_digits(digits, validation=0.1, test=0.2)
    np.testing.assert_array_equal(parts.test.images, again.test.images)
    other = split_digits(digits, seed=np.random.default_rng(1))
    assert not np.array_equal(parts.test.labels, other.test.labels)
    # Drawn from the whole file, not from one stretch of it: each tenth gives to the test part.
    position = {image.tobytes(): row for row, image in enumerate(digits.images)}
    tenths = np.bincount([position[image.tobytes()] // 180 for image in parts.test.images], minlength=10)
    assert tenths.min() > 15


# ---------------------------------------------------------------- dates


def parse_date(text: str) -> str:
    """The exact converter, written apart from the generator: patterns and strptime."""
    words = re.sub(r"[,\s]+", " ", text).strip().title()
    words = re.sub(r"^(The|[A-Z][a-z]+day The|([A-Z][a-z]+day|Mon|Tue|Wed|Thu|Fri|Sat|Sun)) (?=.)", "", words)
    words = re.sub(r"(\d)(St|Nd|Rd|Th)\b", r"\1", words).replace(" Of ", " ").replace(". ", " ")
    for form in (
        *("%d %B %Y", "%d %b %Y", "%B %d %Y", "%b %d %Y", "%Y %B %d", "%Y %b %d", "%d-%b-%Y"),
        *("%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y", "%Y/%m/%d", "%Y.%m.%d", "%Y-%m-%d"),
    ):
        try:
            return datetime.datetime.strptime(words, form).date().isoformat()
        except ValueError:
            continue
    assert re.fullmatch(r"\d{8}", words), text
    return f"{words[:4]}-{words[4:6]}-{words[6:]}"


def test_every_format_writes_every_kind_of_day() -> None:
    days = [FIRST_DAY + datetime.timedelta(days=day) for day in range(0, DAYS, 97)]
    days += [datetime.date(year, 2, 29) for year in (1904, 2000, 2096)]
    for form in FORMATS:
        for day in days:
            assert parse_date(write_date(day, form)) == day.isoformat()


def test_ordinals() -> None:
    written = [write_date(datetime.date(2000, 1, day), "{th}") for day in (1, 2, 3, 4, 11, 12, 13, 21, 22, 23, 30, 31)]
    assert written == [
        "1st",
        "2nd",
        "3rd",
        "4th",
        "11th",
        "12th",
        "13th",
        "21st",
        "22nd",
        "23rd",
        "30th",
        "31st",
    ]


def test_pairs_are_right_whatever_their_capitals_and_spaces() -> None:
    pairs = date_pairs(np.random.default_rng(0), 20_000)
    for text, iso in pairs:
        assert parse_date(text) == iso
        weekday = next((name for name in WEEKDAYS if text.lower().startswith(name[:3].lower())), None)
        if weekday:
            assert WEEKDAYS[datetime.date.fromisoformat(iso).weekday()] == weekday
    texts = [text for text, _ in pairs]
    assert any("  " in text for text in texts)
    assert any(re.search(r",\S", text) for text in texts)
    assert any(text.isupper() for text in texts)
    assert max(map(len, texts)) <= LONGEST
    years = {int(iso[:4]) for _, iso in pairs}
    assert (min(years), max(years)) == (1900, 2099)
    assert len({iso[5:] for _, iso in pairs}) == 366


def test_longest_form_fits() -> None:
    days = [FIRST_DAY + datetime.timedelta(days=day) for day in range(3 * 365)]
    texts = [write_date(day, form) for form in FORMATS for day in days]
    assert max(len(text) + text.count(" ") for text in texts) == LONGEST


def test_one_written_form_never_stands_for_two_dates() -> None:
    seen: dict[str, str] = {}
    for day in range(0, DAYS, 7):
        date = FIRST_DAY + datetime.timedelta(days=day)
        for form in FORMATS:
            assert seen.setdefault(write_date(date, form).lower(), date.isoformat()) == date.isoformat()


def test_date_parts_share_no_date() -> None:
    parts = split_date_pairs(np.random.default_rng(3), train=5000, validation=1000, test=1000)
    assert [len(part) for part in parts] == [5000, 1000, 1000]
    dates = [{iso for _, iso in part} for part in parts]
    assert len(set.union(*dates)) == sum(map(len, dates))
    assert parts == split_date_pairs(np.random.default_rng(3), train=5000, validation=1000, test=1000)
    assert parts != split_date_pairs(np.random.default_rng(4), train=5000, validation=1000, test=1000)


def test_date_encoding() -> None:
    pairs = [("3 May 1999", "1999-05-03"), ("the 3rd of May, 1999", "1999-05-03")]
    source, target = encode_pairs(pairs)
    assert source.shape == (2, 20)
    assert target.shape == (2, 12)
    assert (source[0, 10:] == PAD).all()
    assert (source[:, 0] != PAD).all()
    assert (target[:, 0] == START).all()
    assert (target[:, -1] == END).all()
    assert [decode_date(row) for row in target] == ["1999-05-03"] * 2
    assert decode_date(source[1]) == "the 3rd of May, 1999"
    assert decode_date(np.array([START, END, 7, 7])) == ""
    assert encode_pairs(pairs, length=LONGEST)[0].shape == (2, LONGEST)
    assert len(set(CHARACTERS)) == len(CHARACTERS)
    assert all(set(month) <= set(CHARACTERS) for month in MONTHS)
    with pytest.raises(ValueError, match="'ä'"):
        encode_source(["3 Mäy 1999"])
    with pytest.raises(ValueError, match="more than 5"):
        encode_source(["3 May 1999"], length=5)


# ---------------------------------------------------------------- pictures

pillow = pytest.importorskip("PIL.Image")


def write_pictures(root: Path, classes: dict[str, list]) -> Path:
    for name, pictures in classes.items():
        (root / name).mkdir(parents=True)
        for number, picture in enumerate(pictures):
            picture.save(root / name / f"{number}.png")
    return root


def plain(colour: object, mode: str = "RGB", size: tuple[int, int] = (40, 40)):
    return pillow.new(mode, size, colour)


def test_pictures_of_mixed_sizes_and_modes(tmp_path: Path) -> None:
    palette = plain((0, 0, 255)).convert("P", palette=pillow.Palette.ADAPTIVE)
    deep = pillow.fromarray(np.full((9, 9), 0x8000, dtype=np.uint16))
    stripes = np.zeros((30, 90, 3), dtype=np.uint8)
    stripes[:, 30:60] = 255  # its middle square is white
    write_pictures(
        tmp_path,
        {
            "b-odd": [
                plain(128, "L", (7, 31)),
                plain((255, 0, 0, 0), "RGBA", (50, 20)),
                palette,
                deep,
                pillow.fromarray(stripes),
            ],
            "a-red": [plain((255, 0, 0), size=(n, 2 * n)) for n in (1, 8, 33, 64, 100)],
            ".hidden": [plain(0, "L")],
            "empty": [],
        },
    )
    (tmp_path / "a-red" / "notes.txt").write_text("not a picture")
    (tmp_path / "a-red" / "._0.png").write_bytes(b"left by another system")
    images, labels, names = load_image_folder(tmp_path, size=16)
    assert names == ("a-red", "b-odd")
    assert images.shape == (10, 16, 16, 3)
    assert images.dtype == np.float32
    np.testing.assert_array_equal(labels, [0] * 5 + [1] * 5)
    red, grey, clear, blue, half, white = images[0], *images[5:]
    for picture, colour in (
        (red, (1, 0, 0)),
        (grey, (128 / 255,) * 3),
        (clear, (1, 1, 1)),  # what is transparent lies on white
        (blue, (0, 0, 1)),
        (half, (128 / 255,) * 3),
        (white, (1, 1, 1)),
    ):
        np.testing.assert_allclose(picture, np.broadcast_to(colour, (16, 16, 3)), atol=1e-6)


def test_pictures_come_upright(tmp_path: Path) -> None:
    picture = np.zeros((40, 40, 3), dtype=np.uint8)
    picture[:20] = 255
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number in range(5):
            exif = pillow.Exif()
            exif[0x0112] = 6 if name == "a" else 1  # 6: the top of the scene is at the right of the pixels
            pillow.fromarray(picture).save(tmp_path / name / f"{number}.jpg", exif=exif, quality=95)
    images = load_image_folder(tmp_path, size=8).images
    assert images[0][:, -1].mean() > 0.9
    assert images[0][:, 0].mean() < 0.1
    assert images[5][0].mean() > 0.9


def test_unusable_folders_are_refused(tmp_path: Path) -> None:
    five = [plain(0, "L")] * 5
    (tmp_path / "file").write_text("x")
    assert "no folder" in refusal(load_image_folder, tmp_path / "missing")
    assert "not a folder" in refusal(load_image_folder, tmp_path / "file")
    (tmp_path / "bare").mkdir()
    plain(0, "L").save(tmp_path / "bare" / "a.png")
    assert "no class folders" in refusal(load_image_folder, tmp_path / "bare")
    assert "no pictures" in refusal(load_image_folder, write_pictures(tmp_path / "none", {"a": [], "b": []}))
    assert "one class only, 'a'" in refusal(load_image_folder, write_pictures(tmp_path / "one", {"a": five}))
    few = write_pictures(tmp_path / "few", {"a": five, "b": five[:3]})
    assert "'b'" in refusal(load_image_folder, few)
    assert "3 pictures, and 5 are needed" in refusal(load_image_folder, few)
    write_pictures(tmp_path / "fits", {"a": five, "b": five})
    assert "10 x 9000 x 9000 x 3" in refusal(load_image_folder, tmp_path / "fits", size=9000)


@pytest.mark.parametrize("damage", ["truncated", "not a picture", "empty", "too many pixels"])
def test_broken_picture_is_named(tmp_path: Path, damage: str) -> None:
    rng = np.random.default_rng(0)
    noise = [pillow.fromarray(rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)) for _ in range(5)]
    write_pictures(tmp_path, {"a": noise, "b": noise})
    broken = tmp_path / "b" / "3.png"
    if damage == "too many pixels":
        pillow.new("1", (20_000, 10_000)).save(broken)
    else:
        content = broken.read_bytes()
        broken.write_bytes({"truncated": content[:1000], "not a picture": b"hello", "empty": b""}[damage])
    message = refusal(load_image_folder, tmp_path)
    assert str(broken) in message
    assert ("million pixels" if damage == "too many pixels" else "cannot be read as a picture") in message


def test_missing_pillow_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_pictures(tmp_path, {"a": [plain(0, "L")] * 5, "b": [plain(9, "L")] * 5})
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert "pip install 'groundup[images]'" in refusal(load_image_folder, tmp_path)


def idx(array: np.ndarray) -> bytes:
    return bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture
def fashion(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for part, count, suffix in (("train", 50, ".gz"), ("t10k", 10, "")):
        pack = gzip.compress if suffix else bytes
        pixels = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        (tmp_path / f"{part}-images-idx3-ubyte{suffix}").write_bytes(pack(idx(pixels)))
        labels = np.arange(count, dtype=np.uint8) % 10
        (tmp_path / f"{part}-labels-idx1-ubyte{suffix}").write_bytes(pack(idx(labels)))
    return tmp_path


def test_idx_files_are_read_packed_or_not(fashion: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (50, 28, 28), dtype=np.uint8)
    images, labels, names = load_image_folder(fashion)
    assert images.shape == (50, 28, 28, 1)
    assert images.dtype == np.float32
    np.testing.assert_array_equal(np.rint(images[..., 0] * 255), pixels)
    np.testing.assert_array_equal(labels, np.arange(50) % 10)
    assert names == tuple("0123456789")
    assert load_idx(fashion, "t10k").images.shape == (10, 28, 28, 1)


def write_idx(folder: Path, pixels: np.ndarray, labels: np.ndarray) -> None:
    (folder / "train-images.idx3-ubyte").write_bytes(idx(pixels))
    (folder / "train-labels.idx1-ubyte").write_bytes(idx(labels))


def test_idx_files_that_are_not_square_lie_in_squares_and_have_either_name(tmp_path: Path) -> None:
    labels = np.arange(40, dtype=np.uint8) // 20  # sorted: the first ten are of one class
    pixels = np.random.default_rng(0).integers(1, 256, (40, 6, 3), dtype=np.uint8)
    write_idx(tmp_path, pixels, labels)
    found = load_image_folder(tmp_path)
    assert found.images.shape == (40, 6, 6, 1)
    np.testing.assert_array_equal(np.rint(found.images[:, :, 1:4, 0] * 255), pixels)
    assert not found.images[:, :, [0, 4, 5]].any()
    assert np.bincount(load_image_folder(tmp_path, most=12).labels).tolist() == [6, 6]
    write_idx(tmp_path, pixels[:8], labels[16:24])
    assert "4 pictures, and 5" in refusal(load_image_folder, tmp_path)


def test_only_the_pictures_that_are_used_are_read_and_what_is_left_out_is_said(tmp_path: Path) -> None:
    for name, count in (("cats", 60), ("dogs", 20), ("_drafts", 1)):
        (tmp_path / name).mkdir()
        for index in range(count):
            pillow.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / name / f"{index:02}.png")
    for name in ("photo.HEIC", "scan.tiff", "notes"):
        (tmp_path / "cats" / name).write_bytes(b"x")
    (tmp_path / "cats" / "01.png").write_bytes(b"broken, and not looked at")
    said: list[str] = []
    found = load_image_folder(tmp_path, 4, most=20, say=said.append)
    assert np.bincount(found.labels).tolist() == [15, 5]
    assert "_drafts" in said[0]
    for kind in ("1 .heic", "1 .tiff", "1 without a suffix"):
        assert kind in said[1]


def test_damaged_idx_files_are_refused(fashion: Path) -> None:
    images, labels = (fashion / f"t10k-{name}-ubyte" for name in ("images-idx3", "labels-idx1"))
    packed, good = fashion / "train-images-idx3-ubyte.gz", images.read_bytes()
    images.write_bytes(good[:-1])
    assert "cut off" in refusal(load_idx, fashion, "t10k")
    images.write_bytes(good[:10])
    assert "not an IDX file" in refusal(load_idx, fashion, "t10k")
    images.write_bytes(good[:4] + struct.pack(">3I", 4_000_000, 4000, 4000))
    assert "MB can be used" in refusal(load_idx, fashion, "t10k")
    images.write_bytes(good)
    labels.write_bytes(idx(np.zeros(10, dtype=np.uint8)))
    assert "one class" in refusal(load_idx, fashion, "t10k")
    labels.write_bytes(idx(np.zeros(9, dtype=np.uint8)))
    assert "10 pictures, but" in refusal(load_idx, fashion, "t10k")
    labels.unlink()
    assert "no file" in refusal(load_idx, fashion, "t10k")
    packed.write_bytes(packed.read_bytes()[:200])
    assert str(packed) in refusal(load_idx, fashion)
    packed.write_bytes(b"not gzip at all")
    assert str(packed) in refusal(load_idx, fashion)


def test_other_writers_are_the_end_of_the_file():
    digits = load_digits()
    train, test = hold_out_writers(digits)
    assert (len(train.labels), len(test.labels)) == (1438, 359)
    np.testing.assert_array_equal(np.concatenate([train.images, test.images]), digits.images)
    for share in (0, 1, 1.5):
        with pytest.raises(ValueError, match="both sides"):
            hold_out_writers(digits, share)
