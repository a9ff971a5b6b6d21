"""``groundup practice``: write a function of a lesson yourself, and be told truthfully whether it is right."""

import contextlib
from pathlib import Path
from typing import Annotated, Any

import typer

from groundup import show
from groundup.errors import UserError
from groundup.lessons import find_lesson
from groundup.practice import answers, desk, progress, registry, render
from groundup.practice.registry import find_exercise, lesson_of
from groundup.practice.starter import solution as solution_of

practice = typer.Typer(
    help="Write the functions of the lessons yourself; each answer is graded, with the reason if it is wrong.\n\n"
    "Begin with `groundup practice next`, write in the file that it names, then `groundup practice watch`.",
    rich_markup_mode="markdown",
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="An exercise, or the unique beginning of its name.")]
Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Exercises; all of them if none.")]
Target = Annotated[str, typer.Argument(metavar="NAME|FILE", help="An exercise, or the file with your answer.")]
Folder = Annotated[Path, typer.Option("--dir", help="Folder for your answers.")]
InLesson = Annotated[str | None, typer.Option("--lesson", metavar="LESSON", help="Only this lesson's: 02, char_rnn.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


@practice.callback(invoke_without_command=True)
def overview(context: typer.Context) -> None:
    """Without a command: the list."""
    for clash in registry.clashes():
        show.stderr(clash)
    if context.invoked_subcommand is None:
        list_command()


@practice.command("list")
def list_command(lesson: InLesson = None, as_json: AsJson = False) -> None:
    """Show the exercises by lesson: difficulty, minutes, what is solved, what is next.

    Examples: `groundup practice list --lesson 13`, `groundup practice list --json`
    """
    kept = progress.load(show.stderr)
    folder = find_lesson(lesson).folder.name if lesson else None
    chosen = [one for one in desk.ordered() if folder in (None, one.folder)]
    following = desk.upcoming(kept)
    if not chosen and lesson:
        raise UserError(f"Lesson {find_lesson(lesson).name} has no exercises yet.")
    if as_json:
        about = [
            {
                "name": one.name, "title": one.title, "lesson": lesson_of(one).name, "track": one.track,
                "difficulty": one.difficulty, "minutes": one.minutes, "state": progress.state(kept, one),
                "next": one is following,
            } for one in chosen
        ]  # fmt: skip
        show.print_json(about)
        return
    render.exercises_table(desk.grouped(chosen), kept, following)
    if following:
        render.line(f"Next: groundup practice start {following.name}")


@practice.command()
def start(name: Name, folder: Folder = answers.FOLDER) -> None:
    """Show the task, write the file to fill in, and start the clock.

    A file that is there already is never overwritten.

    Examples: `groundup practice start softmax`, `groundup practice start layer_norm --dir ~/interview`
    """
    exercise = find_exercise(name)
    path = answers.path_for(exercise, folder)
    _started(exercise, path, desk.begin(exercise, path))


@practice.command("next")
def next_command(folder: Folder = answers.FOLDER) -> None:
    """Start the next exercise that is not solved, in the order of the lessons and of difficulty."""
    exercise = desk.upcoming(progress.load(show.stderr))
    if exercise is None:
        render.line("Every exercise is solved.", "bold green")
        return
    path = answers.path_for(exercise, folder)
    _started(exercise, path, desk.begin(exercise, path))


@practice.command()
def check(
    target: Target,
    folder: Folder = answers.FOLDER,
    seed: Annotated[
        int | None,
        typer.Option("--seed", min=0, help="Draw the same arguments as an earlier check that said its seed."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Grade your answer once, on arguments drawn anew. Exit code 0 if it passes, 1 if it does not.

    Examples: `groundup practice check softmax`, `groundup practice check my/softmax.py --seed 7 --json`
    """
    exercise, path = answers.find(target, folder)
    found, attempt = desk.check_file(exercise, path, seed)
    if as_json:
        took = {"attempt": attempt.number, "seconds": attempt.seconds, "minutes": exercise.minutes}
        show.print_json(found.as_dict() | {"file": str(path), "clock": took})
    else:
        render.verdict(found, exercise, attempt)
        if found.passed:
            render.line(f"Ours, and why it is right: {answers.command('solution', exercise, path)}")
        else:
            render.line(f"Stuck? {answers.command('hint', exercise, path)}", "dim")
    if not found.passed:
        raise typer.Exit(1)


@practice.command()
def watch(
    target: Annotated[
        str | None, typer.Argument(metavar="[NAME|FILE]", help="[default: the one you started last, or the next]")
    ] = None,
    folder: Folder = answers.FOLDER,
) -> None:
    """Grade your answer whenever you save it, until you quit.

    Then h and Enter show a hint, s skips, n goes on after passing, q or Ctrl-C ends. Works with every editor.

    Examples: `groundup practice watch`, `groundup practice watch softmax`
    """
    from groundup.practice import watch as watching

    kept = progress.load(show.stderr)
    if target is None:
        exercise = progress.current(kept, desk.ordered()) or desk.upcoming(kept)
        if exercise is None:
            render.line("Every exercise is solved: name one to practise it again.", "bold green")
            return
        path = answers.path_for(exercise, folder)
    else:
        exercise, path = answers.find(target, folder)
    if not path.exists() or not kept.get(exercise.name, progress.new_entry())["started"]:
        desk.begin(exercise, path)
    with contextlib.suppress(KeyboardInterrupt):
        watching.watch(exercise, path, watching.keyboard())
    render.line("Stopped watching.", "dim")


@practice.command()
def hint(name: Name) -> None:
    """Show the next of three hints: the idea, the equation, nearly the code."""
    exercise = find_exercise(name)
    shown = progress.next_hint(exercise, len(exercise.hints), show.stderr)
    for number in range(1, shown + 1):
        render.hint(exercise, number)


@practice.command()
def solution(
    name: Name,
    give_up: Annotated[bool, typer.Option("--give-up", help="See it without having passed; this is noted.")] = False,
) -> None:
    """Show our answer and why it is right, once yours has passed or you give up."""
    exercise = find_exercise(name)
    entry = progress.load(show.stderr).get(exercise.name) or progress.new_entry()
    if not entry["solved"] and not entry["gave_up"]:
        if not give_up:
            raise UserError(
                f"Your {exercise.name} has not passed yet: `groundup practice hint {exercise.name}` helps, "
                "--give-up shows the solution all the same."
            )
        progress.note(exercise, "gave_up", show.stderr)
    render.solution(exercise, solution_of(exercise))


@practice.command()
def reset(name: Name, folder: Folder = answers.FOLDER) -> None:
    """Write a fresh file and start the clock anew. Yours is kept beside it, as `softmax (1).py`."""
    exercise = find_exercise(name)
    path = answers.path_for(exercise, folder)
    aside = answers.keep_aside(path) if path.exists() and not answers.is_untouched(exercise, path) else None
    try:
        written = desk.begin(exercise, path)
    except UserError:
        if aside and not path.exists():
            aside.rename(path)
        raise
    if aside:
        render.line(f"Your answer is kept as {aside}.")
    _started(exercise, path, written)


@practice.command()
def skip(name: Name) -> None:
    """Leave an exercise for later: `next` passes over it until all others are solved."""
    exercise = find_exercise(name)
    progress.note(exercise, "skipped", show.stderr, strict=True)
    following = desk.upcoming(progress.load(show.stderr))
    render.line(f"Skipped {exercise.name}." + (f" Next: {following.name}." if following else ""))


@practice.command("progress")
def progress_command(as_json: AsJson = False) -> None:
    """Show what you have done: attempts, times, hints, what is solved, and where it is kept."""
    from groundup.practice.store import VERSION, progress_file

    kept = progress.load(show.stderr)
    rows = [progress.summary(kept, one) for one in desk.ordered()]
    others = len(set(kept) - {row["name"] for row in rows})
    if as_json:
        show.print_json({"version": VERSION, "file": str(progress_file()), "exercises": rows, "others": others})
    else:
        render.progress_table(rows, others)
        render.line(f"Kept in {progress_file()}", "dim")


@practice.command("export")
def export_command(
    names: Names = None,
    progress_to: Annotated[
        Path | None, typer.Option("--progress", metavar="FILE", help="Your progress, to `import` elsewhere.")
    ] = None,
    nbgrader: Annotated[
        Path | None, typer.Option("--nbgrader", metavar="DIR", help="Assignments for a class, as a course folder.")
    ] = None,
) -> None:
    """Write your progress to a file, or exercises as assignments for nbgrader.

    Examples: `groundup practice export --progress me.json`, `groundup practice export --nbgrader course softmax adam`
    """
    if (progress_to is None) == (nbgrader is None):
        raise UserError("Say what to export: --progress FILE or --nbgrader DIR.")
    if nbgrader is not None:
        from groundup.practice.nbgrader import export_course

        chosen = [find_exercise(name) for name in names] if names else desk.ordered()
        for path in export_course(list(dict.fromkeys(chosen)), nbgrader):
            print(path)
    elif progress_to is not None:
        if names:
            raise UserError("--progress exports everything that is kept: name no exercises with it.")
        count = progress.export(progress_to)
        render.line(f"{render.counted(count, 'exercise')} written to {progress_to}.")


@practice.command("import")
def import_command(file: Annotated[Path, typer.Argument(help="What `export --progress` wrote.")]) -> None:
    """Bring in progress from another machine; what is here already stays, and twice adds nothing."""
    count = progress.bring_in(file)
    render.line(f"{render.counted(count, 'exercise')} from {file} brought in.")


@practice.command()
def audit(
    names: Names = None,
    lesson: InLesson = None,
    as_json: AsJson = False,
    write: Annotated[bool, typer.Option("--write", help="Keep the mutants' score in results/.")] = False,
) -> None:
    """Grade the grader: every wrong answer planted must be refused, every right one accepted.

    Beside the planted ones it makes mutants of every solution: one sign, axis, operand … changed. What passes must do
    the same as the solution, by a rule or for a reason in the exercise's record.

    Examples: `groundup practice audit --lesson 13`, `groundup practice audit softmax --json`
    """
    from groundup.practice import mutants
    from groundup.practice.audit import audit as run_audit

    chosen = [find_exercise(name) for name in names] if names else desk.ordered()
    if lesson:
        chosen = [one for one in chosen if one.folder == find_lesson(lesson).folder.name]
    able = [one for one in chosen if one.track != "torch" or show.has("torch")]
    rows: list[Any] = []
    with show.progress(len(able), quiet=as_json, doing="grading") as report:
        for row in run_audit(able):
            rows.append(row)
            report(row.exercise.name)
    if as_json:
        show.print_json(render.audit_record(rows))
    else:
        render.audit_table(rows)
    if len(able) < len(chosen):
        left = render.counted(len(chosen) - len(able), "PyTorch exercise")
        show.stderr(f"{left} left out, for PyTorch is not installed: {show.command_for('torch')}")
    if write:
        path = mutants.keep([row.score for row in rows if row.score])
        show.stderr(f"{render.counted(len(rows), 'score')} kept in {path}")
    if not all(row.passed for row in rows) or registry.clashes():
        raise typer.Exit(1)


def _started(exercise: Any, path: Path, written: bool) -> None:
    """What to do with an exercise that has just begun."""
    render.task(exercise, lesson_of(exercise))
    if written:
        render.line(f"Written: {path}. Fill it in; the clock is running ({exercise.minutes} min).")
    else:
        render.line(f"{path} is there already and was left as it is; the clock starts now ({exercise.minutes} min).")
    for words, verb in (("Is it right?  ", "check"), ("On every save:", "watch"), ("Stuck?        ", "hint")):
        render.line(f"{words} {answers.command(verb, exercise, path)}", "dim")
