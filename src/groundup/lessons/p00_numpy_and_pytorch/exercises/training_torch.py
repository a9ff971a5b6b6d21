"""Exercise of the primer in PyTorch: the loop that trains a network, and its evaluation."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.ops.activations import relu
from groundup.ops.linear import linear
from groundup.ops.losses import cross_entropy
from groundup.ops.norms import batch_norm
from groundup.practice.exercise import Exercise, Right, Wrong
from groundup.practice.properties import special


def train(
    inputs: np.ndarray, labels: np.ndarray, sizes: list[int], state: dict[str, np.ndarray], rate: float
) -> tuple[Any, ...]:
    """The same training in NumPy: gradient descent with momentum on linear, batch norm, ReLU, linear."""
    parameters = {name: array.copy() for name, array in state.items() if "running" not in name}
    running_mean, running_var = state["1.running_mean"], state["1.running_var"]
    speeds = {name: np.zeros_like(array) for name, array in parameters.items()}
    losses, start = [], 0

    def forward(x: np.ndarray, t: np.ndarray, training: bool) -> tuple[float, dict[str, np.ndarray]]:
        nonlocal running_mean, running_var
        p = parameters
        h, back_first = linear(x, p["0.weight"], p["0.bias"])
        statistics = running_mean, running_var
        (n, running_mean, running_var), back_norm = batch_norm(h, p["1.weight"], p["1.bias"], *statistics, training)
        active, back_relu = relu(n)
        logits, back_last = linear(active, p["3.weight"], p["3.bias"])
        loss, back_loss = cross_entropy(logits, t)
        gradients: dict[str, np.ndarray] = {}
        d_active, gradients["3.weight"], gradients["3.bias"] = back_last(back_loss())
        d_h, gradients["1.weight"], gradients["1.bias"] = back_norm(back_relu(d_active))
        _, gradients["0.weight"], gradients["0.bias"] = back_first(d_h)
        return float(loss), gradients

    for size in sizes[:-1]:
        loss, gradients = forward(inputs[start : start + size], labels[start : start + size], True)
        losses.append(loss)
        for name, array in parameters.items():
            speeds[name] = 0.9 * speeds[name] + gradients[name]
            array -= rate * speeds[name]
        start += size
    held_out, _ = forward(inputs[start:], labels[start:], False)
    after = tuple({**parameters, "1.running_mean": running_mean, "1.running_var": running_var}[name] for name in state)
    return losses, held_out, after, "losses as plain numbers", "evaluation without a graph"


def run_training(train: Any, inputs: Any, labels: Any, sizes: Any, state: Any, rate: Any) -> Any:
    """Builds model, optimiser and batches, and shows what became of them: the last batch is the one held out."""
    if isinstance(inputs, np.ndarray):  # the reference
        return train(inputs, labels, sizes, state, rate)
    import torch

    width, hidden, classes = inputs.shape[1], len(state["0.bias"]), len(state["3.bias"])
    layers = torch.nn.Sequential(
        torch.nn.Linear(width, hidden),
        torch.nn.BatchNorm1d(hidden),
        torch.nn.ReLU(),
        torch.nn.Linear(hidden, classes),
    )
    model = torch.nn.Sequential(layers).to(inputs.dtype)  # one level deeper than one might look
    layers.load_state_dict({name: torch.as_tensor(array) for name, array in state.items()}, strict=False)
    model.eval()

    class Momentum:  # torch.optim.SGD would take a second to import what it never uses here
        def __init__(self):
            self.parameters = list(model.parameters())
            self.speeds = [torch.zeros_like(parameter) for parameter in self.parameters]

        def zero_grad(self, set_to_none=True):
            for parameter in self.parameters:
                parameter.grad = None

        def step(self):
            with torch.no_grad():
                for parameter, speed in zip(self.parameters, self.speeds, strict=True):
                    if parameter.grad is not None:
                        speed.mul_(0.9).add_(parameter.grad)
                        parameter.sub_(rate * speed)

    graphs = []
    model.register_forward_hook(lambda module, given, logits: graphs.append(logits.requires_grad))
    pieces = list(zip(torch.split(inputs, sizes), torch.split(labels, sizes), strict=True))
    losses, held_out = train(model, Momentum(), pieces[:-1], pieces[-1])
    plain = all(isinstance(number, float) for number in [*losses, held_out])
    after = layers.state_dict()
    return (
        [float(torch.as_tensor(loss, dtype=torch.float64).detach()) for loss in losses],
        float(torch.as_tensor(held_out, dtype=torch.float64).detach()),
        tuple(after[name] for name in state),
        "losses as plain numbers" if plain else "losses as tensors, each with its graph",
        "evaluation with a graph" if graphs and graphs[-1] else "evaluation without a graph",
    )


def training_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    kinds: list[tuple[list[int], int, int, int, float]] = [
        ([2, 2], 1, 2, 2, 0.1),
        ([3, 3, 2], 2, 3, 2, 0.1),
        ([4, 2, 3], 3, 4, 3, 0.3),
        ([3, 4, 2, 5, 3], 2, 4, 3, 0.05),
        ([5, 5, 5, 3, 6, 4], 4, 3, 2, 0.2),
        ([2, 3, 3, 3], 3, 2, 4, 0.5),
    ]
    for sizes, width, hidden, classes, rate in [*kinds, ([3, 4, 3, 2], 2, 3, 2, 0.002)]:
        scale = 1.0 if rate > 0.01 else 300.0  # the last with gradients in the hundreds
        yield training(rng, sizes, width, hidden, classes, rate, scale)


def many_classes(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """More classes than two bytes count."""
    yield training(rng, [2, 2], 1, 1, 40_000, 0.1) | {"labels": np.array([39_999, 300, 32_768, 2])}


def training(
    rng: np.random.Generator, sizes: list[int], width: int, hidden: int, classes: int, rate: float, scale: float = 1.0
) -> dict[str, Any]:
    """Batches of these sizes, the last to be held out, and a network for them."""
    state = {
        "0.weight": rng.normal(size=(hidden, width)),
        "0.bias": rng.normal(size=hidden),
        "1.weight": rng.uniform(0.5, 1.5, size=hidden),
        "1.bias": rng.normal(size=hidden),
        "1.running_mean": rng.normal(size=hidden),
        "1.running_var": rng.uniform(0.5, 2, size=hidden),
        "3.weight": scale * rng.normal(size=(classes, hidden)),
        "3.bias": rng.normal(size=classes),
    }
    inputs, labels = rng.normal(size=(sum(sizes), width)), rng.integers(classes, size=sum(sizes))
    return {"inputs": inputs, "labels": labels, "sizes": sizes, "state": state, "rate": rate}


STEPS = """        optimizer.zero_grad()
        loss = functional.cross_entropy(model(inputs), labels)
        loss.backward()
        optimizer.step()
"""

TRAINING_LOOP_TORCH = Exercise(
    name="training_loop_torch",
    title="A training loop in PyTorch",
    functions=(train,),
    use=run_training,
    track="torch",
    floats32=False,
    task=r"""
Write `train(model, optimizer, batches, held_out)`. `batches` is a list of pairs `(inputs, labels)`, `held_out` one such
pair; the model gives logits. For every batch, in order, do one update of the parameters $\theta$ with the gradient of
the mean cross-entropy of the batch,

$$L(\theta) = -\frac1N \sum_{n=1}^N \log \text{softmax}(f_\theta(x_n))_{t_n}, \qquad
\theta \leftarrow \text{step}(\theta, \nabla L(\theta)),$$

in training mode: the model may hold batch norm or dropout, and comes in either mode. `optimizer` has the methods of
those in `torch.optim`. Afterwards compute the same loss on `held_out`, in evaluation mode and without recording a
graph. Return `(losses, held_out_loss)`: the loss of every batch before its update, in a list, and that of `held_out`,
all as Python floats.

The check builds a model (linear, batch norm, ReLU, linear) from `state` and an optimiser with momentum and step size
`rate`, and cuts `inputs` and `labels` into pieces of `sizes`, the last of which is held out. It compares both results
and the parameters and running statistics afterwards, in this order.""",
    hints=(
        "Five steps for each batch. Which of them leaves something behind that the next batch must not find? And which "
        "layers behave differently when the model is only used?",
        r"`backward` adds to `parameter.grad`: after $k$ batches it holds $\sum_{i \le k} \nabla L_i$ unless it is "
        r"cleared. Batch norm takes the batch's mean and variance in training and the running ones otherwise (Ioffe & "
        r"Szegedy 2015, algorithm 2).",
        "`model.train()`; for each batch `optimizer.zero_grad()`, `loss = cross_entropy(model(inputs), labels)`, "
        "`loss.backward()`, `optimizer.step()`, `losses.append(loss.item())`; then `model.eval()`, and "
        "`with torch.no_grad():` the loss of `held_out`.",
    ),
    why=r"""`backward` computes $\nabla L$ and adds it to `grad`; `step` reads `grad`; `zero_grad` clears it. So
clearing must come before `backward` and `step` after it; whether one clears at the beginning of the round or at its end
is a matter of taste. `cross_entropy` takes logits and applies the softmax itself: a softmax before it flattens the loss
and still trains, slowly, which is why nobody notices. A loss kept as a tensor keeps the graph of its batch, and memory
grows; `.item()` lets it go. Without `eval()` the held-out examples are normalised by their own statistics, and change
the running ones.""",
    difficulty=2,
    minutes=15,
    cases=training_cases,
    checks=(special("many classes", many_classes),),
    solution="""
import torch
from torch import Tensor, nn
from torch.nn import functional


def train(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    batches: list[tuple[Tensor, Tensor]],
    held_out: tuple[Tensor, Tensor],
) -> tuple[list[float], float]:
    \"\"\"One update for each batch (inputs, labels); the losses, and the loss on ``held_out`` afterwards.\"\"\"
    losses = []
    model.train()
    for inputs, labels in batches:
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(inputs), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    with torch.no_grad():
        inputs, labels = held_out
        held_out_loss = functional.cross_entropy(model(inputs), labels).item()
    return losses, held_out_loss
""",
    wrong=(
        Wrong(
            "gradients not cleared",
            {"        optimizer.zero_grad()\n": ""},
            "that does not clear the gradients before every batch: they add up",
        ),
        Wrong(
            "a batch late",
            {
                STEPS: """        loss = functional.cross_entropy(model(inputs), labels)
        optimizer.step()
        optimizer.zero_grad()
        loss.backward()
"""
            },
            "that steps before `backward`: every update uses the gradient of the batch before",
        ),
        Wrong(
            "no update at all",
            {
                STEPS: """        loss = functional.cross_entropy(model(inputs), labels)
        loss.backward()
        optimizer.zero_grad()
        optimizer.step()
"""
            },
            "whose parameters stay as they were: `step` is missing, or finds no gradient because it comes before "
            "`backward`, or because `zero_grad` stands between the two",
        ),
        Wrong(
            "evaluated in training mode",
            {"    model.eval()\n": ""},
            "that evaluates in training mode: batch norm takes the statistics of the held-out examples",
        ),
        Wrong(
            "trained in evaluation mode",
            {"    model.train()\n": ""},
            "that does not switch to training mode: the model came in evaluation mode",
        ),
        Wrong(
            "softmax before the loss",
            {
                "cross_entropy(model(inputs), labels)\n        loss": "cross_entropy("
                "model(inputs).softmax(-1), labels)\n        loss"
            },
            "that hands probabilities to `cross_entropy`, which takes logits: the softmax is applied twice",
        ),
        Wrong(
            "sum over the batch",
            {"model(inputs), labels)\n        loss": "model(inputs), labels, reduction='sum')\n        loss"},
            "whose loss is the sum over the batch, not the mean: the step grows with the batch",
        ),
        Wrong(
            "evaluated before the training",
            """
            import torch
            from torch.nn import functional

            def train(model, optimizer, batches, held_out):
                model.eval()
                with torch.no_grad():
                    before = functional.cross_entropy(model(held_out[0]), held_out[1]).item()
                losses = []
                model.train()
                for x, t in batches:
                    optimizer.zero_grad()
                    loss = functional.cross_entropy(model(x), t)
                    loss.backward()
                    optimizer.step()
                    losses.append(loss.item())
                return losses, before
            """,
            "that evaluates before the training, not after it",
        ),
        Wrong(
            "trained on the held-out batch",
            {"in batches:": "in [*batches, held_out]:", "return losses, ": "return losses[:-1], "},
            "that trains on the held-out examples too",
        ),
        Wrong(
            "loss after the update",
            {"losses.append(loss.item())": "losses.append(functional.cross_entropy(model(inputs), labels).item())"},
            "that reports the loss of each batch after its update",
        ),
        Wrong(
            "losses kept with their graphs",
            {"losses.append(loss.item())": "losses.append(loss)"},
            "that keeps the losses as tensors: each holds the graph of its batch in memory",
        ),
        Wrong(
            "evaluated with a graph",
            {"with torch.no_grad():": "if True:"},
            "that records a graph in the evaluation, which nobody needs",
        ),
    ),
    right=(
        Right(
            "cleared at the end, log_softmax by hand",
            """
            import torch

            def nll(model, pair):
                x, t = pair
                return -model(x).log_softmax(dim=1)[torch.arange(len(t)), t].mean()

            def train(model, optimizer, batches, held_out):
                history = torch.zeros(len(batches), dtype=torch.float64)
                for step, pair in enumerate(batches):
                    value = nll(model.train(), pair)
                    value.backward()
                    optimizer.step()
                    optimizer.zero_grad()
                    history[step] = value.detach()
                with torch.inference_mode():
                    return history.tolist(), float(nll(model.eval(), held_out))
            """,
        ),
        Right(
            "a class, and autograd.grad",
            """
            import torch
            from torch import nn

            class Trainer:
                def __init__(self, model, optimizer):
                    self.model, self.optimizer = model, optimizer
                    self.criterion = nn.CrossEntropyLoss()

                def update(self, x, t):
                    self.model.train(True)
                    weights = [p for p in self.model.parameters() if p.requires_grad]
                    loss = self.criterion(self.model(x), t)
                    for p, g in zip(weights, torch.autograd.grad(loss, weights)):
                        p.grad = g
                    self.optimizer.step()
                    return loss.item()

                @torch.no_grad()
                def evaluate(self, x, t):
                    self.model.train(False)
                    return self.criterion(self.model(x), t).item()

            def train(model, optimizer, batches, held_out):
                trainer = Trainer(model, optimizer)
                return [trainer.update(*pair) for pair in batches], trainer.evaluate(*held_out)
            """,
        ),
    ),
)
