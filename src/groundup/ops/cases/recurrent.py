"""Gradient cases of the recurrent networks: single steps and whole sequences."""

from collections.abc import Callable
from typing import Any

from groundup.ops.cases.dense import normal
from groundup.ops.recurrent import gru, gru_step, lstm, lstm_step, rnn, rnn_step
from groundup.ops.types import Case

WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def torch_step(kind: str) -> Callable[..., Any]:
    """The oracle of a step: torch.nn.RNNCell, LSTMCell or GRUCell with the weights of the case."""

    def oracle(torch: Any, x: Any, hidden: Any, cell: Any = None, **weights: Any) -> Any:
        module = getattr(torch.nn, kind)(x.shape[-1], hidden.shape[-1])
        state = hidden if cell is None else (hidden, cell)
        return torch.func.functional_call(module, weights, (x, state))

    return oracle


def torch_sequence(kind: str) -> Callable[..., Any]:
    """The oracle of a sequence: torch.nn.RNN, LSTM or GRU, batch first, with the weights of the case."""

    def oracle(torch: Any, x: Any, hidden: Any, cell: Any = None, **weights: Any) -> Any:
        module = getattr(torch.nn, kind)(x.shape[-1], hidden.shape[-1], batch_first=True)
        state = hidden[None] if cell is None else (hidden[None], cell[None])  # a leading axis of layers
        named = {f"{name}_l0": weight for name, weight in weights.items()}
        outputs, last = torch.func.functional_call(module, named, (x, state))
        return (outputs, last[0]) if cell is None else (outputs, last[0][0], last[1][0])

    return oracle


def recurrent_case(
    name: str, function: Callable[..., Any], oracle: Callable[..., Any], x: tuple[int, ...], width: int
) -> Case:
    """x is (B, in) for a step and (B, T, in) for a sequence."""
    gates = {"rnn": 1, "lstm": 4, "gru": 3}[function.__name__.removesuffix("_step")]
    states = ("hidden", "cell") if gates == 4 else ("hidden",)
    shapes = {
        "x": x,
        **dict.fromkeys(states, (x[0], width)),
        "weight_ih": (gates * width, x[-1]),
        "weight_hh": (gates * width, width),
        "bias_ih": (gates * width,),
        "bias_hh": (gates * width,),
    }
    return Case(
        name=name,
        function=function,
        arguments=normal(**shapes),
        differentiable=("x", *states, *WEIGHTS),
        oracle=oracle,
    )


STEPS = (
    (rnn_step, torch_step("RNNCell")),
    (lstm_step, torch_step("LSTMCell")),
    (gru_step, torch_step("GRUCell")),
)
SEQUENCES = ((rnn, torch_sequence("RNN")), (lstm, torch_sequence("LSTM")), (gru, torch_sequence("GRU")))

CASES = [
    *(recurrent_case(step.__name__, step, oracle, (3, 2), 4) for step, oracle in STEPS),
    *(recurrent_case(f"{step.__name__}, batch 1", step, oracle, (1, 3), 2) for step, oracle in STEPS),
    *(recurrent_case(f"{step.__name__}, width 1", step, oracle, (2, 1), 1) for step, oracle in STEPS),
    *(recurrent_case(run.__name__, run, oracle, (2, 4, 3), 5) for run, oracle in SEQUENCES),
    *(recurrent_case(f"{run.__name__}, batch 1", run, oracle, (1, 3, 2), 3) for run, oracle in SEQUENCES),
    *(recurrent_case(f"{run.__name__}, length 1", run, oracle, (3, 1, 2), 3) for run, oracle in SEQUENCES),
    *(recurrent_case(f"{run.__name__}, all 1", run, oracle, (1, 1, 1), 1) for run, oracle in SEQUENCES),
]
