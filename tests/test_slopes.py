"""The gradient check of the lessons agrees with a right gradient and disagrees with a wrong one."""

import numpy as np
import pytest

from groundup.proof.slopes import compare_slopes, show_slopes


def cubes(params):
    loss = sum((leaf**3).sum() for leaf in params.values())
    return loss, {name: 3 * leaf**2 for name, leaf in params.items()}


def test_right_and_wrong_gradients(capsys):
    rng = np.random.default_rng(0)
    params = {"a": rng.normal(size=(2, 3)), "b": rng.normal(size=4)}
    for measured, predicted in compare_slopes(cubes, params, rng):
        assert predicted == pytest.approx(measured, rel=1e-7)

    def wrong(params):
        loss, gradients = cubes(params)
        return loss, {**gradients, "b": np.zeros(4)}

    errors = [abs(predicted / measured - 1) for measured, predicted in compare_slopes(wrong, params, rng)]
    assert min(errors) > 1e-3
    assert show_slopes(cubes, params, rng, trials=2) < 1e-7
    assert show_slopes(wrong, params, rng, trials=2) > 1e-3
    assert capsys.readouterr().out.count("slope measured") == 4
