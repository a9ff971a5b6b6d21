"""Exercise of the primer: the backward pass of a tape."""

import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.lessons.p00_numpy_and_pytorch.tape import Tape
from groundup.practice.exercise import Check, Exercise, Right, Wrong
from groundup.practice.properties import Code, Failed, Subject


def run_tape(Tape: Any, graph: Any, a: np.ndarray, b: np.ndarray, weighted: bool = True) -> Any:
    """The value of graph(a, b), and the gradients of a and b through a tape."""
    tape = Tape()
    x, y = tape.variable(a), tape.variable(b)
    output = graph(x, y)

    def backward(upstream: Any) -> Any:
        if weighted:
            found = tape.gradients(output, np.asarray(upstream))
            tape.gradients(output, 3 * np.asarray(upstream))  # what was found before must stay as it is
            return tuple(found.get(v, np.zeros_like(v.value)) for v in (x, y))
        found = tape.gradients(output)
        return tuple(upstream * found.get(v, np.zeros_like(v.value)) for v in (x, y))

    return output.value, backward


#: From a product to graphs in which the order of the visits matters.
GRAPHS = (
    "lambda x, y: x * y",
    "lambda x, y: x * x",  # the same variable twice in one record
    "lambda x, y: x + x",
    "lambda x, y: x * y + x",  # a variable in two records
    "lambda x, y: (x + y) * x",
    "lambda x, y: x * y + (x + y)",  # a sum gives both of its inputs the same array, and then they get more
    "lambda x, y: (x * y + y) - x * y",
    "lambda x, y: (lambda u: u * u + u)(x * y)",  # an intermediate value used three times
    "lambda x, y: (lambda u: (lambda v: v * u + v)(u * y))(x + y)",
    "lambda x, y: (lambda u: u + (u * y) * x)(x * x)",  # near and far from the output
    "lambda x, y: (lambda u: u * (u * y) * ((u * y) + x))(x - y)",
    "lambda x, y: (x * 3.0, x + y)[1]",  # a record that the output does not depend on
    "lambda x, y: (lambda u: (u, u * u)[0])(x * y)",  # used again, but not for the output
    "lambda x, y: (x + 2.0) ** 3.0 / (y * y + 1.0)",
    "lambda x, y: x[[0, 0]] + y[[1, 0]]",
)


def tape_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for graph in GRAPHS:
        yield {"graph": Code(graph), "a": rng.normal(size=2), "b": rng.normal(size=2)}
    for graph in GRAPHS[3:8]:
        yield {"graph": Code(graph), "a": rng.normal(size=(2, 3)), "b": rng.normal(size=3)}
    for rows in (1, 2):
        a, b = rng.normal(size=(rows, 3)), rng.normal(size=(3, rows))
        yield {"graph": Code("lambda x, y: x @ y + x.sum()"), "a": a, "b": b}
    for graph in ("lambda x, y: (x * y + x).sum()", "lambda x, y: (x @ y).sum() * x.sum()"):
        a, b = rng.normal(size=(2, 2)), rng.normal(size=(2, 2))
        yield {"graph": Code(graph), "a": a, "b": b, "weighted": False}


def starts_from_one_number(answer: Subject, reference: Subject, rng: np.random.Generator) -> str | None:
    """Without an upstream gradient an array is refused."""
    arguments = {"graph": Code("lambda x, y: x * y"), "a": rng.normal(size=3), "b": rng.normal(size=3)}
    called = answer(**arguments, weighted=False)
    try:
        called.pull(np.ones(3))
    except Failed as failed:
        if "raised ValueError" in failed.message:
            return None
        raise
    return "Without `upstream`, an output of more than one number should raise ValueError: of which number is it?"


#: The method as it stands in the library, and the loop in it, to be replaced.
GRADIENTS = inspect.getsource(Tape.gradients)
LOOP = GRADIENTS[GRADIENTS.index("        for record in reversed") : GRADIENTS.index("        return found")]
ADD_UP = "found[variable] = found[variable] + gradient if variable in found else gradient"
#: Another loop over the records that made what has been reached, for variants of it.
GRAPH_WALK = """        made = {part: record for record in self.records for part in record.outputs}
        waiting = [output]
        while waiting:
            part = waiting.pop(PLACE)
            if part not in made:
                continue
            pulled = made[part].backward(found[part])
            pulled = pulled if isinstance(pulled, tuple) else (pulled,)
            for variable, gradient in zip(made[part].inputs, pulled, strict=True):
                found[variable] = found[variable] + gradient if variable in found else gradient
                WAIT
"""
BREADTH_FIRST = GRAPH_WALK.replace("PLACE", "0").replace("WAIT", "if variable not in waiting: waiting.append(variable)")
ONE_VISIT = GRAPH_WALK.replace("PLACE", "0").replace(
    "        while waiting:", "        seen = {output}\n        while waiting:"
)
ONE_VISIT = ONE_VISIT.replace("WAIT", "if variable not in seen: waiting.append(variable); seen.add(variable)")

TAPE = Exercise(
    name="tape",
    title="The backward pass of a tape",
    functions=(Tape.gradients,),
    use=run_tape,
    gives=("a", "b"),
    task=r"""
Reverse-mode differentiation in a dozen lines: write the method `Tape.gradients(output, upstream)`. The rest stands
there. `tape.records` holds, in the order of computation, what was computed: a record has `inputs` and `outputs`
(tuples of Variables) and `backward`, which takes one gradient for every output and returns one for every input (one
alone need not be a tuple). Return a dict from each Variable $v$ that `output` $y$ depends on, itself included, to

$$\bar v = \sum_{i} g_i \frac{\partial y_i}{\partial v} = \sum_{r\,:\; v \text{ is an input of } r}
\bar y_r \frac{\partial y_r}{\partial v},$$

where $g$ is `upstream` and $\bar y_r$ the gradient of what record $r$ made. Without `upstream` the output must be one
number, with $g = 1$; otherwise raise ValueError. A Variable may be used several times, in one record or in many, and
records that `output` does not depend on play no part. Arrays that come from elsewhere must not be changed.""",
    hints=(
        "A gradient is complete when all records that use the variable have been visited. In which order do you have "
        "to go through the records for that to hold before a record is asked for the gradients of its inputs?",
        r"Start with $\bar y = g$. For every record from the last to the first: if one of its outputs has a gradient "
        r"so far, pull it back, and add to the gradients of the inputs (the multivariate chain rule: contributions of "
        r"all uses are summed).",
        "`for record in reversed(self.records):` skip it if none of `record.outputs` is in `found`; "
        "`pulled = record.backward(*(found.get(part, zeros) for part in record.outputs))`; for every input "
        "`found[v] = found[v] + g if v in found else g`, and not `+=`, which would change an array in place.",
    ),
    why=r"""A record can only use what was computed before it: the tape is in topological order without any sorting.
Backwards, all uses of a value come before the record that made it, so its gradient is complete when it is needed, and
each record is visited once: the cost is that of the forward pass, whatever the number of paths. Gradients of several
uses add up by the chain rule; to overwrite is the classic mistake, invisible as long as everything is used once.
`+=` is the hidden one: a sum hands the very same array to both of its inputs, and what is added in place to one of
them changes the other.""",
    difficulty=3,
    minutes=25,
    cases=tape_cases,
    checks=(Check("without upstream", starts_from_one_number),),
    loops="Over the records.",
    equivalent={
        "Tape.gradients: if found.keys().isdisjoint(record.outputs): … → if False: …": (
            "What the output does not depend on then gets gradients of 0, which are true."
        ),
        "Tape.gradients: continue → nothing": (
            "What the output does not depend on then gets gradients of 0, which are true."
        ),
        "Tape.gradients: np.zeros_like(part.value) → np.ones_like(part.value)": (
            "Only a record of several outputs needs it, and no operator of a Variable makes one."
        ),
    },
    wrong=(
        Wrong(
            "overwrites", {ADD_UP: "found[variable] = gradient"}, "that overwrites: gradients of several uses add up"
        ),
        Wrong(
            "keeps the first",
            {ADD_UP: "found.setdefault(variable, gradient)"},
            "that keeps the first gradient of a variable: gradients of several uses add up",
        ),
        Wrong(
            "in the order of computation",
            {"reversed(self.records)": "self.records"},
            "that goes through the records from the first to the last: only the last ones are reached",
        ),
        Wrong(
            "visits a record again for every use",
            {LOOP: BREADTH_FIRST.replace("if variable not in waiting: ", "")},
            "that visits the maker of a value again for every use, and passes on all that has been added up so far: "
            "early parts count twice",
        ),
        Wrong(
            "breadth first",
            {LOOP: ONE_VISIT},
            "that visits what is nearest to the output first: a value that is used near and far is passed on before "
            "its gradient is complete",
        ),
        Wrong(
            "added in place",
            {
                ADD_UP: "found[variable] = np.add(found[variable], gradient, out=found[variable]) "
                "if variable in found else gradient"
            },
            "that adds in place: an array that several variables share changes for all of them",
        ),
        Wrong(
            "upstream ignored",
            {"np.ones_like(output.value) if upstream is None else upstream": "np.ones_like(output.value)"},
            "that ignores `upstream`",
        ),
        Wrong(
            "any output",
            {
                "        if upstream is None and output.value.size != 1:\n"
                '            raise ValueError(f"a gradient starts from one number, not from an array of shape '
                '{output.value.shape}")\n': ""
            },
            "that sums the outputs where it should refuse them",
        ),
        Wrong(
            "values for gradients",
            {"found = {output: np.ones_like(output.value)": "found = {output: 1.0 * output.value"},
            "that starts from the value of the output where its derivative, 1, belongs",
        ),
        Wrong(
            "first input only",
            {"zip(record.inputs, pulled, strict=True)": "zip(record.inputs[:1], pulled)"},
            "that serves the first input of each record only",
        ),
        Wrong("zero", {ADD_UP: "found[variable] = 0 * gradient"}, "whose gradients are 0"),
    ),
    right=(
        Right(
            "sorted from the output by depth-first search",
            {
                LOOP: """        made = {id(part): record for record in self.records for part in record.outputs}
        order, seen = [], set()

        def visit(variable):
            record = made.get(id(variable))
            if record is None or id(record) in seen:
                return
            seen.add(id(record))
            for earlier in record.inputs:
                visit(earlier)
            order.append(record)

        visit(output)
        while order:
            record = order.pop()
            pulled = record.backward(*(found.get(part, 0 * part.value) for part in record.outputs))
            for place, variable in enumerate(record.inputs):
                share = pulled[place] if isinstance(pulled, (tuple, list)) else pulled
                found[variable] = share + found.get(variable, 0)
"""
            },
        ),
        Right(
            "path by path",
            {
                LOOP: """        found.clear()
        made = {variable: record for record in self.records for variable in record.outputs}

        def send(variable, gradient):
            found[variable] = gradient if variable not in found else np.add(found[variable], gradient)
            if variable in made:
                back = made[variable].backward(gradient)
                for earlier, part in zip(made[variable].inputs, back if type(back) is tuple else [back]):
                    send(earlier, part)

        send(output, np.ones_like(output.value) if upstream is None else upstream)
"""
            },
        ),
    ),
)
