"""The reader's own pictures: a folder of class folders, or the IDX files of MNIST and its relatives."""

import gzip
import math
import warnings
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from groundup.errors import UserError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")
FEWEST = 5  # pictures a class needs to be trained on and tested with
LIMIT_BYTES = 600_000_000  # of the finished array
LIMIT_PIXELS = 50_000_000  # of one picture before it is made small


T = TypeVar("T")


class Images(NamedTuple):
    images: NDArray[np.float32]  # (count, height, width, channels), 0..1
    labels: NDArray[np.int64]  # (count,)
    class_names: tuple[str, ...]  # the name of label i


def load_image_folder(
    path: str | Path, size: int = 32, most: int | None = None, say: Callable[[str], None] = lambda text: None
) -> Images:
    """Load FOLDER/CLASS/picture.png (or jpg, bmp, gif, webp), classes and files in the order of their names.

    Of more than ``most`` pictures as many as that are taken, evenly from each class, and only they are read.
    ``say`` hears in one sentence what is left out.

    Every picture is turned upright, laid on white where it is transparent, cut to its middle square, scaled
    to size x size and made RGB. A folder with MNIST-style IDX files is loaded with load_idx instead, at its
    own size. Raises UserError for anything that cannot be used, and reads no picture before the whole is
    known to fit.
    """
    root = Path(path)
    if not root.exists():
        raise UserError(f"There is no folder {root}.")
    if not root.is_dir():
        raise UserError(f"{root} is not a folder, but a folder with one folder of pictures a class is needed.")
    try:
        if any("idx3-ubyte" in entry.name for entry in root.iterdir()):
            return _enough(load_idx(root, most=most), root)
        every = sorted(entry for entry in root.iterdir() if entry.is_dir())
        folders = [entry for entry in every if entry.name[0] not in "._"]
        classes = {folder.name: _pictures(folder) for folder in folders}
        _tell_what_is_left_out(every, folders, say)
    except OSError as error:
        raise UserError(f"{root} cannot be read: {error.strerror or error}.") from None
    classes = {name: files for name, files in classes.items() if files}
    if not folders:
        raise UserError(f"{root} has no class folders: put the pictures into one folder a class inside it.")
    if not classes:
        raise UserError(f"{root} has no pictures in its class folders; {', '.join(SUFFIXES)} are read.")
    if len(classes) == 1:
        raise UserError(f"{root} has pictures of one class only, {next(iter(classes))!r}, and two are needed.")
    for name, files in classes.items():
        if len(files) < FEWEST:
            raise UserError(f"Class {name!r} in {root} has {len(files)} pictures, and {FEWEST} are needed.")
    classes = {name: _evenly(files, most, sum(map(len, classes.values()))) for name, files in classes.items()}
    paths = [file for files in classes.values() for file in files]
    _check_fits(root, (len(paths), size, size, 3))

    images = np.empty((len(paths), size, size, 3), dtype=np.float32)
    for row, file in enumerate(paths):
        images[row] = _read_picture(file, size)
    labels = np.repeat(np.arange(len(classes)), [len(files) for files in classes.values()])
    return Images(images, labels.astype(np.int64), tuple(classes))


def _enough(found: Images, root: Path) -> Images:
    """The same pictures. Raises UserError if a class has too few to be trained on and tested with."""
    counts = np.bincount(found.labels)
    fewest = int(counts[counts > 0].min())
    if fewest < FEWEST:
        name = found.class_names[int(np.flatnonzero(counts == fewest)[0])]
        raise UserError(f"Class {name!r} in {root} has {fewest} pictures, and {FEWEST} are needed.")
    return found


def _evenly(files: list[T], most: int | None, count: int) -> list[T]:
    """So many of a class's files, or rows, that all classes together have about ``most`` of the ``count`` in all."""
    if most is None or count <= most:
        return files
    wanted = max(FEWEST, len(files) * most // count)
    return [files[i * len(files) // wanted] for i in range(min(wanted, len(files)))]


def _tell_what_is_left_out(every: list[Path], used: list[Path], say: Callable[[str], None]) -> None:
    """Folders whose names begin with a dot or a dash below, and files of kinds that are not read."""
    hidden = [folder.name for folder in every if folder not in used]
    kinds = Counter(entry.suffix.lower() for folder in used for entry in folder.iterdir() if entry.is_file())
    others = [f"{number} {kind or 'without a suffix'}" for kind, number in kinds.items() if kind not in SUFFIXES]
    if hidden:
        say(f"Left out: folders whose names begin with . or _ ({', '.join(hidden[:5])}).")
    if others:
        say(f"Left out: {', '.join(sorted(others)[:8])} (read are {', '.join(SUFFIXES)}).")


def load_idx(path: str | Path, part: str = "train", most: int | None = None) -> Images:
    """Load `<part>-images-idx3-ubyte` and `<part>-labels-idx1-ubyte` (or .gz) from a folder: one channel.

    part: "train" or "t10k", as the files of MNIST and Fashion-MNIST are called; "train-images.idx3-ubyte", as some
    programs unpack them, is found too. Pictures that are not square lie in the middle of black ones that are.
    Of more than ``most`` pictures as many as that are taken, evenly from each label. Raises UserError.
    """
    root = Path(path)
    images_path, labels_path = (_find_idx(root, f"{part}-{kind}-ubyte") for kind in ("images-idx3", "labels-idx1"))
    pixels, labels = _read_idx(images_path, 3), _read_idx(labels_path, 1).astype(np.int64)
    if len(pixels) != len(labels):
        raise UserError(f"{images_path} has {len(pixels)} pictures, but {labels_path.name} {len(labels)} labels.")
    if len(np.unique(labels)) < 2:
        raise UserError(f"{labels_path} has labels of one class only, and two are needed.")
    rows = [_evenly(np.flatnonzero(labels == label).tolist(), most, len(labels)) for label in np.unique(labels)]
    chosen = np.sort(np.concatenate(rows))
    pixels, labels = _square(pixels[chosen]), labels[chosen]
    names = tuple(str(label) for label in range(int(labels.max()) + 1))
    images = pixels[..., None].astype(np.float32)
    images /= 255
    return Images(images, labels, names)


def _square(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(N, H, W) in the middle of (N, S, S), black around."""
    count, height, width = pixels.shape
    side = max(height, width)
    if height == width:
        return pixels
    square = np.zeros((count, side, side), np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[:, top : top + height, left : left + width] = pixels
    return square


def _check_fits(path: Path, shape: tuple[int, ...]) -> None:
    needed = 4 * math.prod(shape)
    if needed > LIMIT_BYTES:
        raise UserError(
            f"{path} would take {needed / 1e6:,.0f} MB as an array of {' x '.join(map(str, shape))} numbers, "
            f"but at most {LIMIT_BYTES / 1e6:,.0f} MB can be used: take fewer or smaller pictures."
        )


def _pictures(folder: Path) -> list[Path]:
    files = (entry for entry in folder.iterdir() if entry.suffix.lower() in SUFFIXES and entry.name[0] not in "._")
    return sorted(entry for entry in files if entry.is_file())


def _read_picture(path: Path, size: int) -> NDArray[Any]:
    """One picture as (size, size, 3) in 0..1."""
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise UserError("Pictures need Pillow, which is missing: pip install 'groundup[images]'.") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's about size: the check below is stricter
            picture: Any = Image.open(path)
            with picture:
                if picture.width * picture.height > LIMIT_PIXELS:
                    raise Image.DecompressionBombError
                picture.draft("RGB", (2 * size, 2 * size))  # lets JPEG decode at a fraction of its size
                picture = ImageOps.exif_transpose(picture)
                if picture.mode.startswith("I"):  # 16-bit grey: convert() would cut it off at 255
                    picture = Image.fromarray((np.asarray(picture) // 256).astype(np.uint8))
                side = min(picture.size)
                left, top = (picture.width - side) // 2, (picture.height - side) // 2
                picture = picture.crop((left, top, left + side, top + side))
                picture = picture.convert("RGBA").resize((size, size))  # an average where it shrinks
                picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
                return np.asarray(picture.convert("RGB"), dtype=np.float32) / 255
    except Image.DecompressionBombError:
        limit = LIMIT_PIXELS / 1e6
        raise UserError(f"{path} has more than {limit:.0f} million pixels: make it smaller.") from None
    except Exception as error:  # a damaged file can make a decoder fail in any way
        raise UserError(f"{path} cannot be read as a picture ({type(error).__name__}): remove or repair it.") from None


def _find_idx(root: Path, name: str) -> Path:
    dotted = name.replace("-idx", ".idx")
    for candidate in (root / name, root / f"{name}.gz", root / dotted, root / f"{dotted}.gz"):
        if candidate.is_file():
            return candidate
    raise UserError(f"{root} has no file {name} or {name}.gz.")


def _read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """The array of an IDX file: two zeros, type 8 (unsigned byte), the number of axes, each as >u4."""
    header = 4 + 4 * dimensions
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            start = file.read(header)
            if len(start) < header or start[:4] != bytes((0, 0, 8, dimensions)):
                raise UserError(f"{path} is not an IDX file of {dimensions} axes of bytes.")
            shape = tuple(np.frombuffer(start[4:], dtype=">u4").astype(int).tolist())
            _check_fits(path, shape)
            count = math.prod(shape)
            content = file.read(count + 1)  # what the header promises, however far a bad file would unpack
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    if len(content) != count or count == 0:
        raise UserError(f"{path} is cut off or damaged: its header promises {count:,} bytes of data.")
    return np.frombuffer(content, dtype=np.uint8).reshape(shape)
