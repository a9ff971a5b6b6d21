"""07 alexnet: a convolutional network for pictures."""

from pathlib import Path

import numpy as np

from groundup.lesson import Finding, Lesson, Model, Paper
from groundup.lessons.p07_alexnet import experiment, figures
from groundup.lessons.p07_alexnet.facts import FACTS
from groundup.lessons.p07_alexnet.model import alexnet, conv_block, dense_block
from groundup.ops.activations import tanh
from groundup.ops.types import Case


def block_arguments(rng: np.random.Generator) -> dict[str, object]:
    """A block with a stride, as on larger images, which the tiny model does not have."""
    params = {"weight": rng.normal(size=(3, 2, 5, 5)) * 0.3, "bias": rng.normal(size=3)}
    return {"params": params, "x": rng.normal(size=(2, 7, 7, 2)), "stride": 2, "activation": tanh}


def block_oracle(torch, params, x, stride, activation):
    functional = torch.nn.functional
    maps = functional.conv2d(x.permute(0, 3, 1, 2), params["weight"], params["bias"], stride, 2)
    normal = functional.local_response_norm(torch.tanh(maps), 5, alpha=5 * 0.1, beta=0.75, k=2.0)
    return functional.max_pool2d(normal, 3, 2, 1).permute(0, 2, 3, 1)


LESSON = Lesson(
    number="07",
    slug="alexnet",
    title="AlexNet: convolutional networks for pictures",
    summary="A convolutional network with local response norm, overlapping pooling, dropout and augmentation",
    part="Architectures and mechanisms",
    level="intermediate",
    minutes=75,
    folder=Path(__file__).parent,
    paper=Paper(
        "Alex Krizhevsky, Ilya Sutskever and Geoffrey Hinton",
        "ImageNet Classification with Deep Convolutional Neural Networks",
        2012,
        "https://papers.nips.cc/paper/4824",
    ),
    needs=("numpy_and_pytorch", "optimizers"),
    experiment=experiment.run,
    figures=figures.draw,
    options=("images",),
    models=(
        Model(
            "alexnet",
            experiment.learner,
            experiment.batch,
            experiment.TINY,
            experiment.SIZE,
            proves=(alexnet, conv_block, dense_block),
            larger={"filters": (64, 128), "hidden": 512},
        ),
    ),
    cases=(Case("conv_block, stride 2, tanh", conv_block, block_arguments, ("x", "params"), block_oracle),),
    facts=FACTS,
    findings=(
        Finding(
            "accuracy",
            "Does the network read 98 % of new digits?",
            "With the paper's augmentation and mean over views it reads at least 98 %, and more than the best rival",
            ">=",
            bar=0.98,
            rival="the best of nearest training digit and a plain network with as many weights, augmented or not",
            unit="test accuracy",
            paper="Table 1: 37.5 % top-1 and 17.0 % top-5 error on ILSVRC-2010, the best before it 45.7 % and 25.7 %",
            miss="The budget ends before the learning does: after 1,500 steps it reads a share of "
            "{accuracy on training pictures, augmented} of its own training pictures, moved anew.",
        ),
        Finding(
            "shift",
            "Does convolution make it robust against a move of two pixels?",
            "Never shown a moved digit, it reads more of those moved by two pixels than the best rival does",
            ">",
            rival="the better of nearest training digit and a plain network with as many weights",
            unit="accuracy on moved digits",
        ),
        Finding(
            "race",
            "Does ReLU learn faster than tanh?",
            "With ReLU the network needs fewer epochs to 25 % training error, each at its best rate",
            "<",
            rival="tanh",
            unit="epochs",
            paper="Figure 1: ReLU is six times as fast, in a four-layer convolutional network on CIFAR-10",
            miss="The paper's reason is that saturated units hardly learn, and here they are rare: after the race a "
            "share of {share of saturated tanh units after the race} of the first layer's tanh units is saturated.",
        ),
        Finding(
            "dropout",
            "Does dropout help where data is scarce?",
            "Trained on 20 digits a class, dropout alone lowers the held-out error",
            "<",
            rival="neither dropout nor augmentation",
            unit="held-out error",
            paper="Section 4.2: without dropout “substantial overfitting”, no number; it doubles the iterations needed",
        ),
        Finding(
            "augmentation",
            "Does augmentation add to dropout?",
            "On the same few digits, augmentation and dropout together err less than dropout alone",
            "<",
            rival="dropout alone",
            unit="held-out error",
            paper="Section 4.1: without it “substantial overfitting”; changing colours is worth over 1 % of top-1 "
            "error",
        ),
    ),
    equations={
        "2": ("conv2d: columns @ kernel.T",),
        "3": ("conv2d.backward: rows.T @ columns",),
        "4": ("conv2d.backward: rows @ kernel", "col2im: seen +="),
        "5": ("local_response_norm: s = k + alpha", "local_response_norm: y = x"),
        "6": ("local_response_norm.backward: return dy * scale",),
    },
    twins={"init": "AlexNet.__init__", "alexnet": "AlexNet.forward", "cross_entropy": "classification_loss"},
)
