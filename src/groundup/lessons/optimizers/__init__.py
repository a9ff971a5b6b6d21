"""optimizers: from slopes to Adam, and how a network should begin."""

from pathlib import Path

from groundup.lesson import Finding, Lesson, Model
from groundup.lessons.optimizers import experiment, figures
from groundup.lessons.optimizers.cases import CASES
from groundup.lessons.optimizers.facts import FACTS
from groundup.lessons.optimizers.model import mlp

LESSON = Lesson(
    number="",
    slug="optimizers",
    title="From slopes to Adam",
    summary="Momentum, Adagrad, RMSProp, Adam and AdamW from a ravine on paper to digits, schedules, and how to begin",
    part="Start here",
    level="beginner",
    minutes=80,
    folder=Path(__file__).parent,
    needs=("numpy_and_pytorch",),
    experiment=experiment.run,
    figures=figures.draw,
    models=(
        Model(
            "mlp",
            experiment.learner,
            experiment.batch,
            experiment.TINY,
            experiment.SIZE,
            proves=(mlp,),
            larger={"widths": (256,)},
        ),
    ),
    cases=CASES,
    facts=FACTS,
    findings=(
        Finding(
            "adam",
            "Does Adam beat the others when each has its own best rate?",
            "After 400 steps Adam's network has a lower test loss than that of the best of five rivals",
            "<",
            rival="the best of five others on validation digits, each at its best of ten rates",
            unit="nats",
            paper="Kingma & Ba 2015, section 6.2 and figure 2: on MNIST, with two hidden layers of 1,000 and dropout, "
            "Adam's training loss falls fastest of five methods",
            miss="Five seeds cannot tell Adam, which reads {accuracy of Adam} of the test digits, from its rival, "
            "mostly one of the two kinds of momentum, which reads {accuracy of the rival}.",
        ),
        Finding(
            "rate",
            "What matters more, the optimiser or its rate?",
            "For the middle one of six optimisers a rate four times off (the mean of too low and too high) costs more "
            "than the worst choice among the six",
            ">",
            rival="the worst optimiser less the best, each at its best rate",
            unit="nats",
            paper="Schmidt, Schneider & Hennig 2021: trying several optimisers with default settings does about as "
            "well as tuning one",
        ),
        Finding(
            "decay",
            "Can rate and weight decay be chosen apart?",
            "One decay for all rates costs AdamW less than one penalty for all rates costs Adam with L2",
            "<",
            rival="Adam with the penalty in its loss",
            unit="nats",
            paper="Loshchilov & Hutter 2019, figures 1 and 2: decoupled decay does better and makes the search for "
            "rate and decay more separable, for a ResNet on CIFAR-10 after 100 epochs",
            miss="The penalty has one best strength for all rates here, too. Decay apart from the rate, as in the "
            "paper's own formula, costs {apart from the rate}: its best strength grows with the rate. At their best "
            "AdamW reaches {AdamW with its best decay} nats and the penalty {L2 with its best penalty}.",
        ),
        Finding(
            "start",
            "Does the start matter for twenty layers of ReLUs?",
            "From He's start they reach a lower training loss than from Xavier's",
            "<",
            rival="Xavier's start; for both starts the better of momentum and Adam, each at its best rate",
            unit="nats",
            paper="He et al. 2015, figures 2 and 3: 22 layers learn from either start, 30 only from theirs",
        ),
        Finding(
            "warmup",
            "Does a warm-up rescue a rate that is too high?",
            "At 1/8, many times its best rate, Adam ends lower when the rate grows over the first tenth of the steps",
            "<",
            rival="the same without a warm-up",
            unit="nats",
            paper="Vaswani et al. 2017, section 5.3, use one and give no comparison",
        ),
    ),
    equations={
        "6": ("sgd.step: momentum * velocity + direction", "sgd.step: param -="),
        "9": ("sgd.step: if nesterov",),
        "11": ("adagrad.step: squares +=", "adagrad.step: param -="),
        "12": ("rmsprop.step: squares[...]", "rmsprop.step: param -="),
        "13": ("adam.update.step: mean[...]", "adam.update.step: square[...]"),
        "14": (
            "adam.update.step: unbiased_mean =",
            "adam.update.step: unbiased_square =",
            "adam.update.step: param -=",
        ),
        "16": ("adam.update.step: weight_decay * param",),
        "17": ("cosine.rate: peak * (step + 1)", "cosine.rate: progress =", "cosine.rate: return final"),
        "18": ("clip_by_global_norm: scale = maximum", "clip_by_global_norm: gradient * scale"),
    },
    twins={"mlp": "MLP.forward", "init": "MLP.__init__"},
)
