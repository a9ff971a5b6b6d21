"""What the generic tests cannot say about the small AlexNet and its augmentation."""

import numpy as np
import pytest

from groundup.lessons.p07_alexnet import experiment, model, readers
from groundup.lessons.p07_alexnet.pictures import FARTHEST, Data, Part, augment, moved, views
from groundup.ops.conv import conv2d, output_size
from groundup.ops.dropout import dropout
from groundup.ops.types import Case
from groundup.proof.checks import check_case
from groundup.proof.measure import mcnemar
from groundup.training.params import leaves
from kept import kept_record


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def test_the_tiny_model_is_alive() -> None:
    # With dead units both tracks give zeros, and parity would prove nothing.
    learner = experiment.learner("numpy", np.random.default_rng(0), np.float64, **experiment.TINY)
    batch = experiment.batch(np.random.default_rng(1), **experiment.TINY)
    _, gradients = learner.gradients({"images": batch["images"].astype(np.float64), "labels": batch["labels"]})
    assert min(float(np.abs(leaf).max()) for leaf in leaves(gradients)) > 1e-3


def test_convolution_of_the_lesson_by_loops_and_by_product() -> None:
    x = np.array([[1.0, 2, 0], [0, 1, 3], [2, 0, 1]])[None, :, :, None]
    weight, bias = np.array([[1.0, 0], [-1, 2]])[None, None], np.zeros(1)
    assert model.conv2d_loops(x, weight, bias)[0, :, :, 0].tolist() == [[3, 7], [-2, 3]]
    dx, dweight, _ = conv2d(x, weight, bias)[1](np.array([1.0, -1, 0, 2]).reshape(1, 2, 2, 1))
    assert dweight.ravel().tolist() == [1, 8, -1, 0]
    assert dx[0, :, :, 0].tolist() == [[1, -1, 0], [-1, 5, -2], [0, -2, 4]]


def test_loops_agree_with_the_product_on_channels_filters_and_frames(rng: np.random.Generator) -> None:
    x, weight, bias = rng.normal(size=(2, 4, 5, 3)), rng.normal(size=(4, 3, 3, 2)), rng.normal(size=4)
    np.testing.assert_allclose(model.conv2d_loops(x, weight, bias, 1), conv2d(x, weight, bias, 1, 1)[0], atol=1e-12)


@pytest.mark.parametrize(("size", "channels"), [(8, 1), (28, 1), (28, 3), (32, 3), (9, 2)])
def test_any_square_image_gives_scores(rng: np.random.Generator, size: int, channels: int) -> None:
    params = model.init(rng, size, channels, 4, (3, 5), 6)
    logits, _ = model.alexnet(params, rng.normal(size=(2, size, size, channels)).astype(np.float32))
    assert logits.shape == (2, 4)
    assert logits.dtype == np.float32


def test_dropout_acts_in_training_only(rng: np.random.Generator) -> None:
    params = model.init(rng, 8, 1, 10)
    x = rng.normal(size=(3, 8, 8, 1)).astype(np.float32)
    still = [model.alexnet(params, x, 0.5)[0] for _ in range(2)]
    drawn = [model.alexnet(params, x, 0.5, np.random.default_rng(seed))[0] for seed in range(2)]
    assert np.array_equal(still[0], still[1])
    assert not np.allclose(drawn[0], drawn[1])


def test_shift_by_whole_pixels_moves_and_by_half_averages(rng: np.random.Generator) -> None:
    x = rng.normal(size=(3, 6, 6, 2))
    moved = model.shift(x, np.array([[1, 0], [0, -2], [0, 0]]))
    assert np.allclose(moved[0, 1:], x[0, :-1])
    assert not moved[0, 0].any()
    assert np.allclose(moved[1, :, :-2], x[1, :, 2:])
    assert not moved[1, :, -2:].any()
    assert np.array_equal(moved[2], x[2])
    half = model.shift(x[:1], np.array([[0.5, 0.0]]))
    assert np.allclose(half[0, 1:], (x[0, 1:] + x[0, :-1]) / 2)
    assert np.allclose(half[0, 0], x[0, 0] / 2)


def test_random_crops_reach_every_place_and_are_windows(rng: np.random.Generator) -> None:
    x = np.arange(25.0).reshape(1, 5, 5, 1).repeat(400, axis=0)
    crops = model.random_crop(x, 3, rng)
    assert set(crops[:, 0, 0, 0]) == {row * 5 + column for row in range(3) for column in range(3)}
    assert np.array_equal(crops - crops[:, :1, :1], np.broadcast_to(x[:1, :3, :3], crops.shape))


def test_flip_mirrors_about_half_left_to_right(rng: np.random.Generator) -> None:
    x = rng.normal(size=(1, 4, 4, 3)).repeat(1000, axis=0)
    flipped = model.random_flip(x, rng)
    mirrored = np.array([np.array_equal(image, x[0, :, ::-1]) for image in flipped])
    same = np.array([np.array_equal(image, x[0]) for image in flipped])
    assert (mirrored ^ same).all()
    assert 420 < mirrored.sum() < 580


def test_colour_components_diagonalise_and_noise_has_their_covariance(rng: np.random.Generator) -> None:
    mixing = rng.normal(size=(3, 3))
    x = rng.normal(size=(50, 6, 6, 3)) @ mixing
    values, vectors = model.colour_components(x)
    np.testing.assert_allclose(vectors @ np.diag(values) @ vectors.T, np.cov(x.reshape(-1, 3).T, bias=True), atol=1e-10)
    added = model.random_colour(np.zeros((20_000, 2, 2, 3)), (values, vectors), rng)
    assert np.array_equal(added[:, 0, 0], added[:, 1, 1])  # the same for all pixels of an image
    expected = 0.01 * vectors @ np.diag(values**2) @ vectors.T  # (0.1 λ)² along each p
    np.testing.assert_allclose(np.cov(added[:, 0, 0].T), expected, atol=0.05 * np.abs(expected).max())


def test_one_channel_colour_is_brightness(rng: np.random.Generator) -> None:
    x = rng.random((200, 4, 4, 1))
    values, vectors = model.colour_components(x)
    assert np.allclose(values, x.var())
    assert abs(vectors).tolist() == [[1.0]]


def make_data(rng: np.random.Generator, channels: int, size: int) -> Data:
    part = Part(rng.random((4, size, size, channels)).astype(np.float32), np.arange(4))
    colours = model.colour_components(part.images)
    photos = channels == 3
    return Data(part, part, part, np.zeros(channels, np.float32), colours, photos, size * 7 // 8 if photos else size)


def test_digits_are_never_mirrored_and_photos_are(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def spy(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        calls.append(1)
        return images

    monkeypatch.setattr("groundup.lessons.p07_alexnet.pictures.random_flip", spy)
    for channels, size, expected, count in ((1, 28, 0, 5), (3, 32, 1, 10)):
        calls.clear()
        data = make_data(rng, channels, size)
        images = augment(data.train.images, data, rng)
        assert len(calls) == expected
        assert images.shape == (4, data.size, data.size, channels)
        assert images.dtype == np.float32
        assert len(views(data.train.images, data)) == count


def test_crossing_lies_between_the_measurements() -> None:
    curve = {"epoch": [0.0, 1.0, 2.0, 3.0], "error": [0.9, 0.5, 0.1, 0.3]}
    assert experiment.crossing(curve, "error") == pytest.approx(1.625)
    assert experiment.crossing({"epoch": [0.0, 1.0], "error": [0.9, 0.8]}, "error") == 1.0


def test_smoothness_of_noise_and_of_waves(rng: np.random.Generator) -> None:
    assert abs(experiment.smoothness(rng.normal(size=(400, 1, 5, 5)))) < 0.05
    wave = np.sin(np.arange(5) + rng.uniform(0, 6, size=(400, 1, 1, 1))) * np.ones((1, 1, 5, 1))
    assert experiment.smoothness(wave) > 0.5


def test_a_flatten_in_the_wrong_order_is_caught(rng: np.random.Generator) -> None:
    params = model.init(rng, 8, 1, 3, (4, 6), 8, np.float64)

    def planted(params, images):
        logits, backward = model.alexnet(params, images)

        def wrong(dlogits):
            gradients = backward(dlogits)
            columns = gradients["fc1"]["weight"].reshape(8, 6, 2, 2).transpose(0, 2, 3, 1)
            return {**gradients, "fc1": {**gradients["fc1"], "weight": columns.reshape(8, -1)}}

        return logits, wrong

    images = rng.normal(size=(2, 8, 8, 1))

    def errors(function):
        case = Case("alexnet", function, lambda _: {"params": params, "images": images}, ("params",))
        return {found.check: found.passed for found in check_case(case, oracle=False)}

    assert errors(model.alexnet)["gradient"]
    assert not errors(planted)["gradient"]


def test_a_move_is_up_down_left_or_right(rng: np.random.Generator) -> None:
    picture = rng.uniform(1, 2, size=(1, 5, 5, 1))
    found = moved(np.repeat(picture, 40, axis=0), 1, rng)[..., 0]
    there = picture[0, :, :, 0]
    steps = {(0, 1): 0, (0, -1): 0, (1, 0): 0, (-1, 0): 0}
    for image in found:
        for down, right in steps:
            expected = np.zeros((7, 7))
            expected[1 + down : 6 + down, 1 + right : 6 + right] = there
            steps[down, right] += int(np.allclose(image, expected[1:6, 1:6]))
    assert sum(steps.values()) == 40
    assert min(steps.values()) > 0


def test_the_strongest_rival_stands_beside_the_network() -> None:
    right = {
        "net": np.array([1, 1, 1, 0], bool),
        "plain": np.array([1, 1, 0, 0], bool),
        "nearest": np.zeros(4, bool),
    }
    measured = readers.beside_the_best("net", right)
    assert (measured.value, measured.rival) == (0.75, 0.5)
    assert measured.pairs is not None
    assert measured.pairs[1] is right["plain"]


def test_what_the_text_says_of_the_measurements() -> None:
    record = kept_record("alexnet")
    found, metrics = {one["name"]: one for one in record["findings"]}, record["drawn"]["metrics"]
    assert metrics["weights"] == {"network": 88_522, "plain network": 89_050}
    assert metrics["pictures"] == {"train": 6000, "validation": 1000, "test": 3000}
    still, pushed = metrics["accuracy"], metrics["accuracy on moved pictures"]
    assert 0.97 < still["network"] < 0.98  # "nearly 98 of 100"
    rivals = ("plain network", "nearest training picture")
    assert [f"{still[name]:.0%}" for name in rivals] == ["95%", "94%"]
    assert all(0.62 < pushed[name] < 0.72 for name in rivals)  # "about every third one has become a riddle"
    assert pushed["network"] > 0.93  # "hardly notices"
    assert found["accuracy"]["seeds_for"] == 2  # "in three of five runs it falls a few digits short"
    assert min(found["accuracy"]["values"]) > 0.975
    assert all(pair["p"] < 1e-10 for pair in found["shift"]["pairs"])  # "all five runs agree"
    # Shown pushed digits, or not.
    percent = {name: f"{share:.0%}" for name, share in pushed.items()}
    names = ("plain network shown moves", "plain network", "network")
    assert [percent[name] for name in names] == ["93%", "67%", "95%"]
    far = {name: f"{shares[4]:.0%}" for name, shares in metrics["accuracy by distance"].items()}
    names = ("plain network shown moves", "network", "network shown moves")
    assert [far[name] for name in names] == ["61%", "80%", "92%"]
    assert metrics["only one of two reads it"] == {"network shown moves": 18, "network": 25}
    assert mcnemar(np.arange(43) < 18, np.arange(43) >= 18).p > 0.05  # "we cannot tell whether the pushes help it"
    # The race, and few digits.
    assert all(relu > tanh for relu, tanh in zip(found["race"]["values"], found["race"]["rivals"], strict=True))
    assert metrics["share of saturated tanh units after the race"] < 0.1  # "rare"
    assert (found["augmentation"]["verdict"], found["augmentation"]["seeds_for"]) == ("holds", 5)
    assert (found["dropout"]["verdict"], found["dropout"]["seeds_for"]) == ("mostly", 4)
    low, high = found["dropout"]["difference"]
    assert low < 0 < high  # "we cannot tell it from nothing"
    errors = {arm: np.mean(draws) for arm, draws in metrics["held-out error of the ablation"].items()}
    assert errors["augmentation"] < errors["both"] < errors["dropout"] < errors["both, moves of 4"]
    assert abs(errors["both, moves of 0.5"] - errors["both"]) < 0.002  # "help as much"
    assert record["drawn"]["curves"]["neither-0"]["training"][-1] < 0.01  # "gets all 200 right"
    assert record["drawn"]["curves"]["main"]["validation error"][-1] == 0.02  # "of the validation digits about two"


def test_numbers_worked_in_the_text() -> None:
    first, second = np.arange(8) < 6, np.arange(8) >= 6
    assert mcnemar(first, second).p == pytest.approx(0.289, abs=5e-4)
    assert mcnemar(np.arange(7) < 4, np.arange(7) >= 4).p == 1
    assert output_size((224, 224), 11, 4, 2) == (55, 55)
    widths, size, sees, step = [], 28, 1, 1
    for kernel, stride in ((5, 2), (3, 2), (3, 1), (3, 2)):  # of the small network
        size, _ = output_size((size, size), kernel, stride, kernel // 2)
        sees, step = sees + (kernel - 1) * step, step * stride
        widths.append(size)
    assert (widths, sees, step) == ([14, 7, 7, 4], 25, 8)
    assert model.feature_size(28) == 4
    assert 16 / 256 * 28 == 1.75
    assert FARTHEST * 28 == 2  # "pushed by a pixel along each diagonal" is half of that
    y, backward = dropout(np.array([2.0, 4.0]), 0.5, np.random.default_rng(2))  # the first survives
    assert y.tolist() == [4, 0]
    assert backward(np.array([3.0, 3.0])).tolist() == [6, 0]
