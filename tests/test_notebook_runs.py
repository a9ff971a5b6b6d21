"""Running notebooks: blocked modules, failing cells, unwanted outputs; and the JupyterLab command."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from groundup.notebooks.run import NotebookError, execute, lab_command, problems

pytest.importorskip("nbclient")


def test_blocked_modules_are_missing_and_the_failing_cell_is_named(
    tmp_path: Path,
) -> None:
    import nbformat

    cells = [
        nbformat.v4.new_code_cell("import numpy", id="one"),
        nbformat.v4.new_code_cell("import groundup.training.params", id="two", metadata={"name": "uses the library"}),
    ]
    path = tmp_path / "toy.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    message = r"toy\.ipynb, cell \"uses the library\": ModuleNotFoundError: No module named 'groundup'\nCell In"
    with pytest.raises(NotebookError, match=message):
        execute(path, tmp_path, blocked=("groundup", "torch"))
    assert problems(execute(path, tmp_path)) == ["no cell shows a figure"]  # it was the blocking that made it fail


def test_a_cell_that_takes_too_long_is_named(tmp_path: Path) -> None:
    import nbformat

    cells = [nbformat.v4.new_code_cell("import time\ntime.sleep(60)", id="slow")]
    with pytest.raises(NotebookError, match=r'cell "slow": .*timed out'):
        execute(nbformat.v4.new_notebook(cells=cells), tmp_path, timeout=1)


def test_problems_sees_what_a_reader_should_not_see() -> None:
    from nbformat.v4 import new_code_cell, new_notebook, new_output

    outputs = [
        new_output("stream", name="stderr", text="oh"),
        new_output("stream", name="stdout", text="a\nx.py:1: RuntimeWarning: overflow\n"),
        new_output("error", ename="ValueError", evalue="bad", traceback=[]),
        new_output("execute_result", data={"text/plain": "[<matplotlib.lines.Line2D at 0x7f12>]"}),
        new_output("execute_result", data={"text/plain": "[Text(0.5, 0, 'step')]"}),
        new_output("stream", name="stdout", text="fine"),
    ]
    picture = [new_output("display_data", data={"image/png": ""})]
    cells = [
        new_code_cell("1", id="x", outputs=outputs),
        new_code_cell("2", id="y", metadata={"alt": "a curve"}),
    ]
    notebook = new_notebook(cells=cells)
    assert problems(notebook) == [
        'cell "x" writes to stderr: oh',
        'cell "x" shows a warning: x.py:1: RuntimeWarning: overflow',
        'cell "x" fails: ValueError: bad',
        'cell "x" shows an object by its address: <matplotlib.lines.Line2D at 0x7f12>',
        "cell \"x\" shows what a plotting call returned: [Text(0.5, 0, 'step')]",
        'cell "y" has alt but no figure',
        "no cell shows a figure",
    ]
    notebook.cells[1].outputs = picture
    assert problems(notebook)[-1] != "no cell shows a figure"
    del notebook.cells[1].metadata["alt"]
    assert problems(notebook)[-1] == 'cell "y" has a figure but no alt'


def test_what_a_cell_measures_is_kept_and_shows_nowhere(tmp_path: Path) -> None:
    from nbformat.v4 import new_code_cell, new_notebook

    first = new_code_cell("x = 2\nx", id="first", metadata={"measures": "bits=x / 4; share=x"})
    heard: list[str] = []
    notebook = new_notebook(cells=[first, new_code_cell("x = 3\nx", id="second")])
    done = execute(notebook, tmp_path, after=lambda name, seconds: heard.append(name))
    assert done.cells[0].metadata.measured == {"bits": 0.5, "share": 2.0}
    assert [cell.execution_count for cell in done.cells] == [1, 2]
    assert [[output.execution_count for output in cell.outputs] for cell in done.cells] == [[1], [2]]
    assert heard == ["first", "second"]
    assert [cell.id for cell in notebook.cells] == ["first", "second"]


def test_every_figure_of_the_house_style_is_shown(tmp_path: Path) -> None:
    from nbformat.v4 import new_code_cell, new_notebook

    first = "from groundup.plots import figure\nfig, axes = figure(1, 1)"
    cells = [new_code_cell(first, id="first"), new_code_cell("fig, axes = figure(1, 1)", id="second")]
    done = execute(new_notebook(cells=cells), tmp_path)
    assert [len(cell.outputs) for cell in done.cells] == [1, 1]


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_lab_ends_at_any_time_without_a_traceback(sign: signal.Signals) -> None:
    slow = "import signal, time; print('up', flush=True); time.sleep(60)"
    code = f"import sys; from groundup.notebooks.run import run_lab; run_lab([sys.executable, '-c', {slow!r}])"
    code = f"try:\n    {code}\nexcept KeyboardInterrupt:\n    print('stopped')"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as lab:
        assert lab.stdout is not None
        assert lab.stdout.readline() == "up\n"
        lab.send_signal(sign)
        out, err = lab.communicate(timeout=10)
    assert (out, err) == ("stopped\n" if sign == signal.SIGINT else "", "")


def test_lab_command(tmp_path: Path) -> None:
    command = lab_command(tmp_path, tmp_path / "p01_toy.ipynb")
    assert command[:3] == [sys.executable, "-m", "jupyterlab"]
    assert command[-1] == "--LabApp.default_url=/lab/tree/p01_toy.ipynb"
    assert "--ServerApp.ip=127.0.0.1" in command
    assert "--LabApp.news_url=None" in command


def test_importing_the_modules_needs_no_notebook_package() -> None:
    code = (
        "import sys; import groundup.notebooks.build, groundup.notebooks.run; "
        "sys.exit(bool({'jupytext', 'nbformat', 'nbclient', 'jupyter_client'} & sys.modules.keys()))"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    assert subprocess.run([sys.executable, "-c", code], env=env).returncode == 0
