"""Running notebooks: a proof that they stand alone, and JupyterLab for the reader."""

import copy
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from groundup.errors import UserError
from groundup.files import write_whole
from groundup.lesson import Lesson
from groundup.notebooks.build import LANGUAGE, Notebook, dumps, sync
from groundup.notebooks.kernels import kernel_manager, scratch_folder

#: Lies on the kernel's path, where Python imports it at start: makes modules look as if not installed.
SITECUSTOMIZE = """import sys


class Blocked:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)


sys.meta_path.insert(0, Blocked)
"""


ASKING = "asks-"  # begins the id of a cell that prints what the cell before it measured


class NotebookError(Exception):
    """A notebook failed to run; the message names the cell and shows the lines that led to the error."""


#: What IPython's settings say so that a figure comes as SVG too, the same bytes for the same figure.
VECTOR = """c.InlineBackend.figure_formats = {"png", "svg"}
c.InlineBackend.rc = {"svg.hashsalt": "groundup"}
c.InlineBackend.print_figure_kwargs = {"bbox_inches": "tight", "metadata": {"Date": None}}
"""


def execute(
    notebook: Path | Notebook,
    folder: Path,
    timeout: float = 600,
    blocked: Sequence[str] = (),
    vector: bool = False,
    after: Callable[[str, float], None] = lambda cell_id, seconds: None,
) -> Notebook:
    """Run a notebook with ``folder`` as working directory and return it with its outputs.

    ``timeout`` is in seconds for each cell. The modules named in ``blocked`` cannot be imported, as if they
    were not installed. With ``vector`` figures come as SVG beside PNG. ``after`` hears of every code cell
    that has run, and how many seconds of a processor it took. A cell that says ``measures="bits=result"`` gets
    ``measured`` in its metadata: the number that ``result`` was when it ended, as the finding ``bits``. Leaves
    nothing behind but what the cells themselves write. Equal runs give equal bytes. Raises NotebookError.
    """
    import nbformat
    import psutil
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    name = notebook.name if isinstance(notebook, Path) else "notebook"
    notebook = nbformat.read(notebook, as_version=4) if isinstance(notebook, Path) else copy.deepcopy(notebook)
    notebook.cells = [one for cell in notebook.cells for one in (cell, *_asking(cell))]
    started: list[str] = []
    clock = [0.0]

    def worked() -> float:
        used = psutil.Process(manager.provisioner.pid).cpu_times()
        return float(used.user + used.system)

    def begun(cell: Notebook, cell_index: int) -> None:
        started.append(cell_name(cell))
        clock[0] = worked()

    def ended(cell: Notebook, cell_index: int, execute_reply: Any) -> None:
        if not cell.id.startswith(ASKING):
            after(cell.id, worked() - clock[0])

    with scratch_folder() as scratch:
        client = NotebookClient(
            notebook,
            timeout=timeout,
            record_timing=False,
            resources={"metadata": {"path": str(folder)}},
            on_cell_execute=begun,
            on_cell_executed=ended,
        )
        client.km = manager = kernel_manager(Path(scratch))
        try:
            client.execute(env=_environment(Path(scratch), blocked, VECTOR if vector else ""))
        except CellExecutionError as error:
            trace = re.sub(r"\x1b\[[0-9;]*m", "", error.traceback)
            # Of each frame the place and the line that failed; the cell's own frame comes first.
            lines = re.findall(r"^(?:Cell In|File |-+> ).*$", trace, re.MULTILINE)[:12]
            message = "\n".join([f"{error.ename}: {error.evalue}", *lines])
            raise NotebookError(f'{name}, cell "{started[-1]}": {message}') from None
        except (CellTimeoutError, DeadKernelError) as error:
            raise NotebookError(f'{name}, cell "{started[-1]}": {str(error).strip()}') from None
    notebook.metadata["language_info"] = dict(LANGUAGE)  # nbclient notes the version of Python
    _take_answers(notebook)
    return notebook


def _asking(cell: Notebook) -> list[Notebook]:
    """The cell that prints the numbers which ``cell`` measures, if it measures any."""
    import nbformat

    wanted = dict(pair.strip().split("=", 1) for pair in cell.metadata.get("measures", "").split(";") if pair)
    if not wanted:
        return []
    numbers = ", ".join(f'"{name}": float({value})' for name, value in wanted.items())
    source = f"import json as _json\nprint(_json.dumps({{{numbers}}}))"
    return [nbformat.v4.new_code_cell(source, id=f"{ASKING}{cell.id}"[:64], metadata={"name": cell_name(cell)})]


def _take_answers(notebook: Notebook) -> None:
    """Move what the asking cells printed into the metadata of the cells that they ask, and count these alone."""
    for cell, asking in zip(notebook.cells, notebook.cells[1:], strict=False):
        if asking.id.startswith(ASKING):
            cell.metadata["measured"] = json.loads(asking.outputs[0].text)
    notebook.cells = [cell for cell in notebook.cells if not cell.id.startswith(ASKING)]
    for count, cell in enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), start=1):
        cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count


def _environment(scratch: Path, blocked: Sequence[str], settings: str) -> dict[str, str]:
    """The kernel's environment: ours, less what would change outputs from one machine to the next."""
    env = {key: value for key, value in os.environ.items() if key not in ("PYTHONWARNINGS", "MPLBACKEND")}
    env = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"} | env  # small models are fastest with one thread
    env["IPYTHONDIR"] = str(scratch / "ipython")  # no start-up files and no history of the user's
    if settings:
        env["GROUNDUP_FRAMES"] = "1"  # pages want every picture behind a slider
        profile = scratch / "ipython" / "profile_default"
        profile.mkdir(parents=True)
        (profile / "ipython_kernel_config.py").write_text(settings)
    if blocked:
        path = scratch / "path"
        path.mkdir()
        (path / "sitecustomize.py").write_text(SITECUSTOMIZE.format(blocked=tuple(blocked)))
        env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(path), env.get("PYTHONPATH")]))
    return env


def cell_name(cell: Notebook) -> str:
    """How messages call a cell: by its name in the lesson, or by its id."""
    return str(cell.metadata.get("name", cell.id))


def figures(notebook: Notebook) -> int:
    """How many images the outputs of an executed notebook hold."""
    return sum("image/png" in output.get("data", {}) for _, output in _outputs(notebook))


def problems(notebook: Notebook) -> list[str]:
    """What a reader should not see in an executed notebook: errors, warnings, stderr, objects' addresses.

    Nor may a figure lack its ``alt`` text, or a cell that has one its figure.
    """
    found = []
    for name, output in _outputs(notebook):
        text = "".join(output.get("text", output.get("data", {}).get("text/plain", "")))
        if output["output_type"] == "error":
            found.append(f'cell "{name}" fails: {output["ename"]}: {output["evalue"]}')
        elif output.get("name") == "stderr":
            found.append(f'cell "{name}" writes to stderr: {text.strip()[:200]}')
        elif warning := re.search(r"^.*\b\w*Warning\b.*$", text, re.MULTILINE):
            found.append(f'cell "{name}" shows a warning: {warning[0].strip()[:200]}')
        elif address := re.search(r"<[^<>]* at 0x[0-9a-f]+>", text):
            found.append(f'cell "{name}" shows an object by its address: {address[0]}')
        elif output["output_type"] == "execute_result" and re.match(r"[\[(]*(Text|Line2D|BarContainer)\(", text):
            found.append(f'cell "{name}" shows what a plotting call returned: {text[:80]}')
    for cell in notebook.cells:
        drawn = any("image/png" in output.get("data", {}) for output in cell.get("outputs", []))
        if drawn != ("alt" in cell.metadata):
            found.append(
                f'cell "{cell_name(cell)}" ' + ("has a figure but no alt" if drawn else "has alt but no figure")
            )
    if not figures(notebook):
        found.append("no cell shows a figure")
    return found


def _outputs(notebook: Notebook) -> list[tuple[str, Notebook]]:
    return [(cell_name(cell), output) for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def bring(
    lessons: Sequence[Lesson],
    folder: Path,
    say: Callable[[str], None],
    measured: Callable[[Lesson], str | None],
    fresh: bool = False,
) -> list[Path]:
    """Bring the lessons' notebooks to the reader's folder; says what needs saying.

    ``measured`` gives what has been measured of a lesson, as Markdown, or None.
    """
    texts = {lesson.folder.name: measured(lesson) for lesson in lessons}
    known = {name: text for name, text in texts.items() if text is not None}
    done = sync([lesson.text for lesson in lessons], folder, known, fresh)
    for path in done.outdated:
        say(f"{path} holds your edits and was left alone; the lesson has changed since (--fresh brings the new one).")
    for old, new in done.moved.items():
        say(f"{old} held your edits: they are in {new} now.")
    say(f"{len(done.written) + len(done.replaced)} notebooks written to {folder}/, {len(done.kept)} kept as they were.")
    return sorted([*done.written, *done.replaced, *done.kept, *done.outdated, *done.moved])


def execute_files(paths: Sequence[Path], torch: bool, say: Callable[[str], None]) -> None:
    """Run notebooks in place. Raises UserError if a cell fails; leaves out the PyTorch ones without torch."""
    for path in paths:
        if path.stem.endswith("_torch") and not torch:
            say(f"{path} was not run: PyTorch is not installed.")
            continue
        say(f"running {path}")
        try:
            write_whole(path, dumps(execute(path, path.parent)))
        except NotebookError as error:
            raise UserError(str(error)) from error


def lab_command(folder: Path, notebook: Path | None = None) -> list[str]:
    """The command that opens JupyterLab in ``folder``: this machine only, no request to any other."""
    settings = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.root_dir": str(folder.resolve()),
        "ServerApp.answer_yes": "True",  # Ctrl-C ends it, here as in `groundup learn`
        "LabApp.news_url": "None",
        "LabApp.check_for_updates_class": "jupyterlab.handlers.announcements.NeverCheckForUpdate",
        "LabApp.extension_manager": "readonly",  # the other one asks PyPI for its catalogue
    }
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # in a container everyone is root
        settings["ServerApp.allow_root"] = "True"
    options = [f"--{key}={value}" for key, value in settings.items()]
    if notebook:
        options.append(f"--LabApp.default_url=/lab/tree/{quote(notebook.name)}")
    return [sys.executable, "-m", "jupyterlab", *options]


def run_lab(command: list[str]) -> int:
    """Run JupyterLab until it ends, or until Ctrl-C, which ends it without a traceback at any time."""

    def end(*_: object) -> None:
        child.terminate()

    # JupyterLab is deaf to Ctrl-C while it starts, and answers itself once it runs.
    heard = signal.signal(signal.SIGINT, signal.SIG_IGN)
    child = subprocess.Popen(command, env=lab_environment())
    signal.signal(signal.SIGINT, heard)
    signal.signal(signal.SIGTERM, end)
    try:
        return child.wait()
    except KeyboardInterrupt:
        end()
        child.wait()
        raise


def lab_environment() -> dict[str, str]:
    """The environment for JupyterLab: its own settings of ours (no question about news) before the user's."""
    ours = str(Path(__file__).parent / "jupyter")
    return os.environ | {
        "JUPYTER_CONFIG_PATH": os.pathsep.join(filter(None, [ours, os.environ.get("JUPYTER_CONFIG_PATH")]))
    }
