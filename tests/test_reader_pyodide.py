"""Bringing Pyodide into a folder, from a registry and a wheel that are made up here: nothing reaches the network."""

import base64
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from groundup.errors import UserError
from groundup.reader import pyodide

WHEELS = {name: f"{name}-1-py3-none-any.whl" for name in ("numpy", "matplotlib", "cycler", "scipy")}
DEPENDS = {"matplotlib": ["cycler", "numpy"], "scipy": ["numpy"]}


def bytes_of(name: str) -> bytes:
    return f"the bytes of {name}".encode()


def lock() -> str:
    packages = {
        name: {
            "file_name": file,
            "depends": DEPENDS.get(name, []),
            "sha256": hashlib.sha256(bytes_of(file)).hexdigest(),
        }
        for name, file in WHEELS.items()
    }
    return json.dumps({"info": {"python": "3.14.0"}, "packages": packages})


def write_tarball(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as tar:
        for name in (*pyodide.CORE, pyodide.LOCK, "README.md"):
            data = lock().encode() if name == pyodide.LOCK else bytes_of(name)
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def write_carrier(folder: Path, changed: str = "", without: str = "") -> None:
    """The wheel of the PyPI package, whole enough for pip to download it."""
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / "open_webui-0.12.4-py3-none-any.whl", "w") as wheel:
        for file in WHEELS.values():
            if file != without:
                wheel.writestr(f"open_webui/frontend/pyodide/{file}", b"other" if file == changed else bytes_of(file))
        about = "open_webui-0.12.4.dist-info"
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: open-webui\nVersion: 0.12.4\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A registry, a pip that copies from a folder, and a cache; said holds what fetch() told."""
    tarball, wheels = tmp_path / f"registry/pyodide/-/pyodide-{pyodide.VERSION}.tgz", tmp_path / "wheels"
    write_tarball(tarball)
    write_carrier(wheels)

    def pip(command: list[str], **_options: object) -> subprocess.CompletedProcess[str]:
        for wheel in wheels.iterdir():
            shutil.copy(wheel, next(word for word in command if word.startswith("--dest=")).removeprefix("--dest="))
            return subprocess.CompletedProcess(command, 0, "", "")
        return subprocess.CompletedProcess(
            command, 1, "", "WARNING: Retrying\nERROR: No matching distribution found.\n"
        )

    monkeypatch.setattr(pyodide, "INTEGRITY", integrity(tarball))
    monkeypatch.setattr(pyodide.subprocess, "run", pip)
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", (tmp_path / "registry").as_uri() + "/")
    monkeypatch.setenv("GROUNDUP_CACHE", str(tmp_path / "cache"))
    said: list[str] = []
    return SimpleNamespace(
        tarball=tarball,
        wheels=wheels,
        cache=tmp_path / "cache" / f"pyodide-{pyodide.VERSION}",
        out=tmp_path / "site/pyodide",
        said=said,
        fetch=lambda: pyodide.fetch(tmp_path / "site/pyodide", said.append),
    )


def integrity(tarball: Path) -> str:
    return base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()


def take_network_away(place) -> None:
    place.tarball.unlink()
    for wheel in place.wheels.iterdir():
        wheel.unlink()


def test_fetch_brings_core_and_wheels_and_no_more(place):
    place.fetch()
    needed = {WHEELS[name] for name in ("numpy", "matplotlib", "cycler")}
    assert {path.name for path in place.out.iterdir()} == {*pyodide.CORE, pyodide.LOCK, "NOTICE.txt", *needed}
    assert all((place.out / name).read_bytes() == bytes_of(name) for name in (*pyodide.CORE, *needed))


def test_lock_lists_what_is_there_with_the_published_checksums(place):
    place.fetch()
    written, published = json.loads((place.out / pyodide.LOCK).read_text()), json.loads(lock())
    assert written["info"] == published["info"]
    assert written["packages"] == {name: published["packages"][name] for name in ("cycler", "matplotlib", "numpy")}


def test_second_fetch_downloads_nothing(place):
    place.fetch()
    assert len(place.said) == 2
    take_network_away(place)
    for path in place.out.iterdir():
        path.unlink()
    place.fetch()
    assert len(place.said) == 2
    assert (place.out / WHEELS["numpy"]).read_bytes() == bytes_of(WHEELS["numpy"])


@pytest.mark.parametrize("name", [f"pyodide-{pyodide.VERSION}.tgz", WHEELS["numpy"]])
@pytest.mark.parametrize("damage", [b"", b"cut sho"])
def test_damaged_cache_is_downloaded_again(place, name, damage):
    place.fetch()
    whole = (place.cache / name).read_bytes()
    (place.cache / name).write_bytes(damage)
    place.fetch()
    assert (place.cache / name).read_bytes() == whole
    assert len(place.said) == 3


def test_tarball_that_was_not_published_is_refused(place):
    place.tarball.write_bytes(place.tarball.read_bytes() + b"x")
    with pytest.raises(UserError, match=r"pyodide-.*\.tgz is not the package that was published"):
        place.fetch()
    assert not place.cache.exists()
    assert not place.out.exists()


def test_wheel_that_pyodide_did_not_publish_is_refused(place):
    write_carrier(place.wheels, changed=WHEELS["matplotlib"])
    with pytest.raises(UserError, match=r"matplotlib-1-py3-none-any\.whl in open-webui.* is not the file"):
        place.fetch()
    assert not (place.cache / WHEELS["matplotlib"]).exists()
    assert not place.out.exists()


def test_wheel_that_is_not_carried_is_named(place):
    write_carrier(place.wheels, without=WHEELS["cycler"])
    with pytest.raises(UserError, match=r"does not carry cycler-1-py3-none-any\.whl"):
        place.fetch()


def test_without_network_one_sentence_says_so(place, monkeypatch):
    take_network_away(place)
    with pytest.raises(UserError, match=r"^Cannot download Pyodide from file://.*: is this machine online\?$"):
        place.fetch()
    write_tarball(place.tarball)
    monkeypatch.setattr(pyodide, "INTEGRITY", integrity(place.tarball))
    sentence = r"^Cannot download .* from PyPI \(No matching distribution found\): is this machine online\?$"
    with pytest.raises(UserError, match=sentence):
        place.fetch()


def test_the_real_pip_understands_what_it_is_asked(place, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr(pyodide, "INTEGRITY", integrity(place.tarball))
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", place.tarball.parents[2].as_uri())
    monkeypatch.setenv("GROUNDUP_CACHE", str(place.cache.parent))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(place.wheels))
    place.fetch()
    assert (place.out / WHEELS["cycler"]).read_bytes() == bytes_of(WHEELS["cycler"])
    (place.cache / WHEELS["cycler"]).unlink()
    take_network_away(place)
    with pytest.raises(UserError, match=r"from PyPI \(No matching distribution found for open-webui==0\.12\.4\)"):
        place.fetch()


def test_leftovers_of_a_failed_download_are_removed(place):
    for wheel in place.wheels.iterdir():
        wheel.unlink()
    with pytest.raises(UserError):
        place.fetch()
    assert [path.name for path in place.cache.iterdir()] == [place.tarball.name]


@pytest.mark.parametrize(
    ("stderr", "sentence"),
    [
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n",
            "the disk is full",
        ),
        ("/usr/bin/python3: No module named pip\n", "does not have"),
    ],
)
def test_other_troubles_of_pip_are_told(place, monkeypatch, stderr, sentence):
    def fail(command, **_options):
        return subprocess.CompletedProcess(command, 1, "", stderr)

    monkeypatch.setattr(pyodide.subprocess, "run", fail)
    with pytest.raises(UserError, match=sentence):
        place.fetch()


def test_full_disk_is_told(place, monkeypatch):
    def full(_path: Path, _data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(UserError, match="the disk is full"):
        place.fetch()


def test_cache_folder_follows_the_platform(monkeypatch, tmp_path):
    monkeypatch.setenv("GROUNDUP_CACHE", str(tmp_path / "mine"))
    assert pyodide.cache_folder() == tmp_path / "mine"
    monkeypatch.delenv("GROUNDUP_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    assert pyodide.cache_folder() == tmp_path / "groundup"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert pyodide.cache_folder() == Path.home() / "Library/Caches/groundup"
