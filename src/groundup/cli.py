"""The command line: parses, calls, prints. Exit codes: 0 fine, 1 a check failed, 2 bad use or input."""

import io
import json
import math
import os
import re
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from groundup import __version__, show
from groundup.errors import UserError
from groundup.files import write_whole
from groundup.lesson import Budget, Lesson, Track
from groundup.lessons import all_lessons, find_lesson, find_lessons
from groundup.practice.commands import practice
from groundup.reader.commands import learn, site

# typer carries click inside it in newer versions, beside it in older ones; its own classes lead to either.
ClickException: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")

app = typer.Typer(
    name="groundup",
    help="Learn deep learning by building it: papers and the modern LLM stack, by hand in NumPy and in PyTorch.\n\n"
    "Begin with `groundup learn` to read in the browser, or `groundup run 02` to train.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)

COLDEST, HOTTEST = 1e-6, 1e6  # temperatures below are 0: the likeliest token alone; above, all are as likely
LessonName = Annotated[
    str, typer.Argument(metavar="LESSON", help="Number, name or unique beginning: 02, char_rnn, char.")
]
LessonNames = Annotated[
    list[str] | None,
    typer.Argument(metavar="[LESSON]...", help="Lessons by number or name; all of them if none."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of a table.")]
OnTrack = Annotated[Track, typer.Option(help="By hand in NumPy, or its PyTorch twin.")]
Jobs = Annotated[int, typer.Option(min=1, help="Runs at a time, one thread each.")]


app.command()(learn)  # first of all, for it is what most want


@app.command("list")
def list_command(as_json: AsJson = False) -> None:
    """List the lessons: tracks, level, minutes and what they need."""
    if as_json:
        show.print_json([show.lesson_record(lesson) for lesson in all_lessons()])
    else:
        show.lessons_table(all_lessons())


@app.command()
def run(
    lesson: LessonName,
    track: OnTrack = "numpy",
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same numbers.")] = 0,
    budget: Annotated[
        Budget, typer.Option(help="smoke: seconds, to see it work; default: about a minute; long: better.")
    ] = "default",
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for metrics.json, curves.csv, figures and checkpoints. [default: runs/LESSON, and"
            " runs/LESSON_smoke or runs/LESSON_long for these budgets]"
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the checkpoints in the folder, exactly.")
    ] = False,
    text: Annotated[Path | None, typer.Option(help="Your own UTF-8 text file, where a lesson trains on text.")] = None,
    images: Annotated[
        Path | None,
        typer.Option(help="Your own folder of images (a folder a class), where a lesson trains on images."),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="For matrix products; small models are fastest with one.")] = 1,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
) -> None:
    """Train a lesson's models and measure its findings with one seed.

    Leaves metrics.json, curves.csv, figures and checkpoints in the folder. Ctrl-C keeps a checkpoint;
    the same command with `--resume` goes on exactly where it stopped.

    Examples: `groundup run 02`, `groundup run char --text book.txt --budget long`, `groundup run 13 --track torch`
    """
    from groundup.training.run import Run, describe, run_lesson

    chosen = find_lesson(lesson)
    demand_track(chosen, track)
    options = {"text": text, "images": images}
    for name, value in options.items():
        if value is not None and name not in chosen.options:
            raise UserError(f"Lesson {chosen.name} has no --{name}.")
    if text is not None:
        from groundup.data.text import read_text

        read_text(text, minimum=2000)  # what lessons need; refused now, not after whatever a lesson trains first
    folder = out or default_folder(chosen, track, budget)
    this = Run(chosen, track, seed, budget, folder, resume, options, quiet or as_json, threads)
    result = run_lesson(this)
    record = describe(this, result)
    if as_json:
        show.print_json(record)
    else:
        written = folder / f"{next(iter(result.curves), '')}.safetensors"  # the first is the lesson's own model
        able = chosen.sample is not None and written.is_file()
        show.run_findings(record, folder, written if able else None)


@app.command()
def sample(
    lesson: LessonName,
    checkpoint: Annotated[Path, typer.Option(help="A .safetensors file that `groundup run` left.")],
    temperature: Annotated[
        float,
        typer.Option(min=0.0, help="Below 1 more likely text, above 1 more surprising, 0 the likeliest."),
    ] = 0.8,
    length: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many tokens to write.")] = 500,
    prompt: Annotated[str, typer.Option(help="Text to go on from.")] = "",
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Write with a trained model. Example: `groundup sample 02 --checkpoint runs/p02_char_rnn/adam.safetensors`"""
    from groundup.training.loop import load_model
    from groundup.training.streams import random_stream

    chosen = find_lesson(lesson)
    if chosen.sample is None:
        able = ", ".join(other.name for other in all_lessons() if other.sample)
        raise UserError(f"Lesson {chosen.name} has nothing to sample from; these have: {able}.")
    if not math.isfinite(temperature):
        raise UserError(f"--temperature is {temperature}, but a number such as 0.8 is needed.")
    params, about = load_model(checkpoint, chosen.slug)
    warmth = min(temperature, HOTTEST) if temperature > COLDEST else 0.0
    try:
        text = chosen.sample(params, about, warmth, length, random_stream(seed, "sample"), prompt)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise UserError(
            f"{checkpoint} is no model that lesson {chosen.name} can write with ({type(error).__name__}: {error})."
        ) from error
    print(text)


@app.command()
def check(lessons: LessonNames = None, as_json: AsJson = False) -> None:
    """Prove the code: gradients, agreement with PyTorch's own functions, and parity with the twins.

    With lessons named only their models are checked, otherwise the building blocks too.
    """
    from groundup.proof.check_all import check_everything

    proofs = check_everything(find_lessons(lessons or []), building_blocks=not lessons, torch=show.has("torch"))
    if as_json:
        show.print_json([{**vars(proof), "passed": proof.passed} for proof in proofs])
    else:
        show.proofs_table(proofs)
    if not show.has("torch"):
        show.stderr(
            "PyTorch is not installed: oracles and parity were left out. To have them: pip install 'groundup[torch]'"
        )
    if not all(proof.passed for proof in proofs):
        raise typer.Exit(1)


@app.command()
def claims(
    lessons: LessonNames = None,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds 0 … N−1 for every lesson.")] = 5,
    track: OnTrack = "numpy",
    jobs: Jobs = 1,
    write: Annotated[bool, typer.Option("--write", help="Keep the results in results/ of this checkout.")] = False,
    stale: Annotated[
        bool, typer.Option("--stale", help="Only lessons whose kept results are missing or out of date.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Measure every finding over several seeds, at the default budget: median, spread, interval and verdict.

    *holds*: with every seed, or the 95 % interval clears bar and rival; *mostly*: the median does; else *not seen*.
    Ends with 1 if something is not seen and the lesson gives no reason.
    """
    from groundup.data.measured import results_folder
    from groundup.proof import results, tables

    folder = results_folder()
    if (write or stale) and folder is None:
        raise UserError("There is no results/ folder here: --write and --stale work in a checkout of groundup.")
    chosen = [lesson for lesson in find_lessons(lessons or []) if track in lesson.tracks]
    for lesson in chosen:
        demand_track(lesson, track)
    if stale and folder is not None:
        chosen = [lesson for lesson in chosen if results.is_stale(lesson, folder, track)]
        show.stderr(results.to_measure(chosen, seeds, folder, track))
    failed = False
    with show.progress(len(chosen) * seeds, quiet=as_json) as report:
        for lesson in chosen:
            runs = results.measure(lesson, seeds, track, jobs, report)
            record = results.summarise(lesson, runs, track)
            failed |= any(found["verdict"] == "not seen" and not found["miss"] for found in record["findings"])
            if write and folder is not None:
                results.keep(lesson, folder, track, record, runs[0]["drawn"] | {"seeds": results.every_seed(runs)})
                tables.write_overview(all_lessons(), folder)
            show.print_json(record) if as_json else show.markdown(
                f"### {lesson.name}\n\n{tables.findings_table(record)}"
            )
    if failed:
        raise typer.Exit(1)


@app.command()
def bench(
    lessons: LessonNames = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads for both.")] = 1,
    pairs: Annotated[
        int,
        typer.Option(min=20, help="Timed steps of each, alternating; at the larger size a third."),
    ] = 30,
    memory: Annotated[bool, typer.Option(help="Measure peak memory too.")] = True,
    write: Annotated[bool, typer.Option("--write", help="Keep the results in results/ of this checkout.")] = False,
    as_json: AsJson = False,
) -> None:
    """Time one training step of every model, NumPy against PyTorch, side by side.

    Every model is timed at its lesson's size and at a larger one (four times the width). A ratio of 0.8 means that
    NumPy needs 0.8 of PyTorch's time: *as run* with the forms that `groundup run` uses, *readable* with
    those that the lesson prints. Without names, all lessons: some minutes; `--no-memory` takes about half of that.

    Example: `groundup bench 02 13 --no-memory`
    """
    from groundup.data.measured import results_folder
    from groundup.proof import tables

    show.demand("torch", "The benchmark compares with PyTorch")
    from groundup.proof.bench import bench as run_bench
    from groundup.proof.bench import bench_table

    folder = results_folder()
    if write and (folder is None or lessons):
        raise UserError("--write keeps the whole benchmark: run it in a checkout of groundup, without naming lessons.")
    chosen = find_lessons(lessons or [])
    steps = sum(1 + bool(model.larger) for lesson in chosen for model in lesson.models)
    with show.progress(steps, quiet=as_json) as report:
        record = run_bench(chosen, pairs, threads, memory, report)
    if write and folder is not None:
        write_whole(folder / "bench.json", json.dumps(record, indent=1) + "\n")
        tables.write_overview(all_lessons(), folder)
    show.print_json(record) if as_json else show.markdown(bench_table(record))


@app.command()
def notebook(
    lesson: LessonName,
    out: Annotated[Path, typer.Option(help="Folder for the notebooks.")] = Path("notebooks"),
    execute: Annotated[bool, typer.Option("--execute", help="Run them too, so that they hold their outputs.")] = False,
) -> None:
    """Build a lesson's stand-alone notebooks: the functions' source is written into their cells.

    What you edited in the folder is never overwritten.
    """
    show.demand("jupytext", "Notebooks")
    if execute:
        show.demand("nbclient", "Executed notebooks")
    from groundup.notebooks import run as notebook_runs
    from groundup.proof.tables import findings_text

    paths = notebook_runs.bring([find_lesson(lesson)], out, show.stderr, findings_text)
    if execute:
        notebook_runs.execute_files(paths, show.has("torch"), show.stderr)
    for path in paths:
        print(path)


@app.command()
def new(
    names: Annotated[list[str], typer.Argument(metavar="[NUMBER] NAME", help="03 lstm; or a name that stands alone.")],
    title: Annotated[str | None, typer.Option(help="As the page has it. [default: the name]")] = None,
) -> None:
    """Begin a new lesson in this checkout: a folder in the right form that works at once.

    Examples: `groundup new 03 lstm --title "Long short-term memory"`, `groundup new optimizers`
    """
    from groundup.lessons.new import new_lesson

    for path in new_lesson(names, title):
        print(path)


@app.command()
def export(
    lesson: LessonName,
    single_file: Annotated[
        bool, typer.Option("--single-file", help="One readable script that needs NumPy and nothing else.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="The file. [default: LESSON.py]")] = None,
) -> None:
    """Write a lesson's model, its training and its sampling into one script.

    Example: `groundup export 02 --single-file --out char_rnn.py`, then `python char_rnn.py`
    """
    from groundup.notebooks.single_file import single_file as text_of

    if not single_file:
        raise UserError("Say in which form: groundup export LESSON --single-file.")
    chosen = find_lesson(lesson)
    text, path = text_of(chosen), out or Path(f"{chosen.slug}.py")
    if os.path.lexists(path) and not (path.is_file() and path.read_bytes() == text.encode()):
        raise UserError(f"{path} is there already: name another file with --out, or remove it first.")
    write_whole(path, text)
    print(path)


app.add_typer(site, name="site")
app.add_typer(practice, name="practice")


@app.command()
def lab(
    lesson: Annotated[
        str | None, typer.Argument(metavar="[LESSON]", help="The lesson to open. [default: the first]")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the notebooks; yours to edit.")] = Path("notebooks"),
    fresh: Annotated[bool, typer.Option("--fresh", help="New notebooks; edited ones are kept beside them.")] = False,
    browser: Annotated[bool, typer.Option(help="Open the browser.")] = True,
    port: Annotated[int, typer.Option(min=1, max=65535, help="If it is busy, JupyterLab takes the next.")] = 8888,
) -> None:
    """Open the lessons as notebooks in JupyterLab. What you edited is never overwritten."""
    show.demand("jupyterlab", "JupyterLab")
    show.demand("jupytext", "JupyterLab")
    from groundup.notebooks import run as notebook_runs
    from groundup.proof.tables import findings_text

    chosen = find_lesson(lesson) if lesson else all_lessons()[0]
    notebook_runs.bring(all_lessons(), out, show.stderr, findings_text, fresh)
    command = notebook_runs.lab_command(out, out / f"{chosen.folder.name}.ipynb")
    command += [f"--port={port}", *([] if browser else ["--no-browser"])]
    raise typer.Exit(notebook_runs.run_lab(command))


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Show versions, threads and optional parts, and the command that brings what is missing."""
    record = show.doctor_record()
    show.print_json(record) if as_json else show.doctor_table(record)


@app.callback(invoke_without_command=True)
def version_callback(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        print(f"groundup {__version__}")
        raise typer.Exit


def default_folder(lesson: Lesson, track: Track, budget: Budget) -> Path:
    """Where a run goes: a folder for each track and budget, so that no run replaces one that trained for longer."""
    parts = [lesson.folder.name, *([] if track == "numpy" else [track]), *([] if budget == "default" else [budget])]
    return Path("runs") / "_".join(parts)


def demand_track(lesson: Lesson, track: str) -> None:
    """Raise UserError unless the lesson has the track and it can run here."""
    if track not in lesson.tracks:
        raise UserError(f"Lesson {lesson.name} has no {track} track.")
    if track == "torch":
        show.demand("torch", "The torch track")


def told(message: str) -> str:
    """What typer says of a wrong value, without its inner words, and with the nearest right one."""
    message = message.replace("Value error, ", "").replace("Input should be", "it should be")
    message = re.sub(r", unable to parse string.*$", ".", message)
    wrong = re.search(r"'([^']*)' is not one of (.+)\.$", message)
    near = get_close_matches(wrong[1], re.findall(r"'([^']*)'", wrong[2]), 1) if wrong else []
    return f"{message} Did you mean {near[0]}?" if near else message


def command_line() -> Any:
    """The tree of commands. A switch takes no value, so its help names no type of one (typer would write <bool>)."""

    def walk(command: Any) -> None:
        for option in command.get_params(typer.Context(command)):
            if getattr(option, "is_flag", False):
                option.metavar = ""
        for one in getattr(command, "commands", {}).values():
            walk(one)

    whole = typer.main.get_command(app)
    walk(whole)
    return whole


def cut_short(error: BaseException | None) -> bool:
    """Whether Ctrl-C came while a C extension was being imported: it says that it failed, and Ctrl-C is the cause."""
    chain = []
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__ or error.__context__
    return all(any(isinstance(one, kind) for one in chain) for kind in (ImportError, KeyboardInterrupt))


def main() -> NoReturn:
    """Run the command line: what the user got wrong is one sentence on stderr and exit code 2, never a traceback."""
    from groundup.training.loop import Stopped

    for stream in (sys.stdout, sys.stderr):  # a terminal without UTF-8 gets ? for what it cannot show
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        try:
            code = command_line()(standalone_mode=False)
        except Exception as error:
            if cut_short(error):
                raise KeyboardInterrupt from error
            raise
        if code == 130:  # typer has turned Ctrl-C into this
            show.stderr("Stopped.")
    except Stopped as stopped:
        where = (
            f" Go on with the same command and --resume ({stopped.checkpoint} is kept)." if stopped.checkpoint else ""
        )
        show.stderr(f"Stopped after step {stopped.step} of {stopped.steps}.{where}")
        code = 130
    except (KeyboardInterrupt, typer.Abort):
        show.stderr("Stopped.")
        code = 130
    except UserError as error:
        show.stderr(str(error))
        code = 2
    except ClickException as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # `groundup` alone: the help is printed, nothing was wrong
            sys.exit(0)
        show.stderr(told(error.format_message()))
        code = 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except OSError as error:  # a folder that may not be searched, a name of 300 letters, a full disk
        if error.filename is None:
            raise
        show.stderr(f"Cannot use {error.filename}: {(error.strerror or str(error)).lower()}.")
        code = 2
    sys.exit(code)
