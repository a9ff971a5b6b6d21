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
    minutes=100,
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
            miss="Adam reads {accuracy of Adam} of the test digits and the rival, mostly one of the two kinds of "
            "momentum, {accuracy of the rival}: with a rate of its own momentum is as good here.",
        ),
        Finding(
            "rate",
            "What matters more, the optimiser or its rate?",
            "A rate that is four times too low or too high costs more than the worst choice among six optimisers",
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
            "Does the start decide whether twenty layers of ReLUs learn?",
            "Begun as He et al. say they reach a lower training loss than begun as Glorot and Bengio say",
            "<",
            rival="Xavier's start, with the better of momentum and Adam at the best of their rates",
            unit="nats",
            paper="He et al. 2015, figures 2 and 3: 22 layers learn from either start, 30 only from theirs",
        ),
        Finding(
            "warmup",
            "Does a warm-up rescue a rate that is too high?",
            "At eight times its best rate Adam ends lower when the rate grows over the first tenth of the steps",
            "<",
            rival="the same without a warm-up",
            unit="nats",
            paper="Vaswani et al. 2017, section 5.3, use one and give no comparison",
        ),
    ),
    equations={
        "6": ("sgd.step",),
        "9": ("sgd.step",),
        "11": ("adagrad.step",),
        "12": ("rmsprop.step",),
        "13": ("adam.update.step",),
        "14": ("adam.update.step",),
        "16": ("adam.update.step",),
        "17": ("cosine.rate",),
        "18": ("clip_by_global_norm",),
    },
    twins={"mlp": "MLP.forward", "init": "MLP.__init__"},
)
