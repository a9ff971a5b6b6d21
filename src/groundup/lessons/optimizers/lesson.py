# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: tags,include,show,beside,margin,measures,predict,name,alt,-all
#     notebook_metadata_filter: kernelspec,lesson,-all
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lesson:
#     title: From slopes to Adam
# ---

# %% [markdown] name="title"
# # From slopes to Adam
#
# You know how to find a gradient, from lesson `numpy_and_pytorch`. It tells you which way is down. It does not tell
# you how far to go.
#
# Here is what hangs on that. The picture shows one small network, trained on the same handwritten digits, from the
# same first weights, 400 steps each time. Every point is one training. Between the curves only the *rule* for taking
# a step differs, and that rule is a few lines of code. Along a curve only one number differs, the *rate*. A
# low point is a network that reads nearly all digits. A point at the top is a network that learned nothing at all.

# %% name="imports" tags=["shared", "tools"]
# What every cell uses.
import math

import numpy as np

# %% name="race-tools" tags=["tools"] include="groundup.data.measured:measured groundup.lessons.optimizers.figures:race_figure"
# What the experiment measured, and how the race is drawn.
from groundup.data.measured import measured
from groundup.lessons.optimizers.figures import race_figure

# %% name="race-first" alt="Left: test loss of six optimisers against the rate, six valleys side by side on logarithmic axes. Right: the loss of each at its best rate; the six lie close together."
fig = race_figure(measured("optimizers", "arrays/race")["arrays/race"])

# %% [markdown] name="nats" margin="yes"
# The loss is in *nats*, that is, with natural logarithms, and of test digits. On the right the rate of each rule was chosen
# on *other* digits, as one must. Do not read a ranking from it: each point is one training, and five draws of chance move
# Adam's from 0.20 to 0.25.

# %% [markdown] name="story"
# Which would you rather choose well, the rule or the rate? Look at how deep the valleys are and how close
# together their bottoms lie, and keep your answer for later.
#
# People have worried about this for a long time. In October 1847 Augustin-Louis Cauchy wanted the orbit of a heavenly
# body from observations: six unknowns, tangled equations, and no machine but himself. His way out fills three pages.
# Turn the equations into one quantity that can only be zero or more, and walk downhill on it, against its slope. In 1951
# Herbert Robbins and Sutton Monro asked what happens when the slope can only be seen through noise, which is the case of
# everyone who trains on mini-batches. And in 2010 people asked why deep networks that begin with random weights train so
# badly. Part of the answer was how to step. The other part was where to begin. Here are the rules for a step:
#
# ![Six optimisers as a family tree: descent remembers nothing; momentum and Nesterov remember gradients, Adagrad and RMSProp their squares; Adam and AdamW remember both.](diagram:family)

# %% [markdown] name="one-step"
# ## One step, and how far
#
# A network has numbers that can be changed, its **weights** $w$. The **loss** $L$ says how wrong it is. Its slope
# $g = \partial L/\partial w$ says how $L$ changes when you raise $w$ a little. So move it the other way, by a
# multiple $\eta$ (say "eta") of the slope. That multiple is the **learning rate**, or just the rate:
#
# $$w \leftarrow w - \eta\, g, \qquad g = \frac{\partial L}{\partial w} \tag{1}$$
#
# This is **gradient descent**, and it is all of Cauchy's idea. Now, how large may $\eta$ be? Take the simplest bowl
# there is, $L = \tfrac12 c w^2$. The number $c$ is its **curvature**: how fast the slope changes as you walk. The
# slope is $g = cw$, so a step does this:
#
# $$w \leftarrow w - \eta c w = (1 - \eta c)\, w \tag{2}$$
#
# One step multiplies $w$ by $1 - \eta c$, whatever $w$ is. Everything about the rate is in that factor. Here are four
# values of $\eta c$:
#
# ![Four bowls with the first steps of gradient descent: with a rate times curvature of 0.5 it creeps to the bottom, with 1 it lands there, with 1.6 it overshoots and returns, with 2.15 it leaves.](diagram:descent)
#
# By hand, with $c = 25$ and $w = 1$. With $\eta = 0.02$ the factor is 0.5: you halve the distance every time.
# With $\eta = 0.04$ it is 0: you land at the bottom in one step. With $\eta = 0.08$ it is −1: you jump from 1 to −1
# and back, forever. And with $\eta = 0.1$ it is −1.5, so after ten steps you are at $1.5^{10} \approx 57.7$. Nothing
# is broken then. The rate is merely above $2/c$, and **beyond $\eta = 2/c$ every step makes it worse.**

# %% name="one-step-code"
for rate in (0.02, 0.04, 0.08, 0.1):
    w = 1.0
    for _ in range(10):
        w = w - rate * 25 * w  # (1), (2)
    print(f"rate {rate}: factor {1 - rate * 25:+.1f}, after ten steps w = {w:.4g}")
assert round(w, 1) == 57.7
assert np.allclose([1 - rate * 25 for rate in (0.02, 0.04, 0.08, 0.1)], [0.5, 0, -1, -1.5])

# %% [markdown] name="ravine"
# ## A ravine
#
# One weight is easy: take $\eta = 1/c$. But a network has thousands of weights, and *one* rate for all of them. Let
# there be two, with different curvatures:
#
# $$L = \tfrac12 (c_1 w_1^2 + c_2 w_2^2), \qquad \frac{\partial L}{\partial w_i} = c_i w_i \tag{3}$$
#
# With $c = (1, 25)$ this is a long valley with steep walls, a **ravine**. Stand at $w = (10, 1)$. The bottom is ten
# away along the valley and only one away across. The gradient is $(1 \cdot 10,\; 25 \cdot 1) = (10, 25)$. It points
# mostly *across*. You want to go along. What would you do?
#
# The walls set the limit: $\eta$ must stay below $2/25 = 0.08$. Along the valley the factor is then
# $1 - 0.08 = 0.92$, and each step brings you only 8 % closer. That is the whole trouble with gradient
# descent in one sentence: *the steepest direction sets the rate, and the flattest one pays for it.*
#
# What is the best rate? The slower of the two directions decides, so you want the larger of $|1 - \eta c_1|$ and
# $|1 - \eta c_2|$ to be as small as it can be. As $\eta$ grows from 0 the first falls slowly; the second falls fast to zero and
# rises again. The best place is where they meet, $1 - \eta c_1 = \eta c_2 - 1$:
#
# $$\eta_{\text{best}} = \frac{2}{c_1 + c_2} \tag{4}$$
#
# Put it back into either factor, and write $\kappa = c_2/c_1$ for the **condition number**, how many times more
# sharply the walls are curved than the floor:
#
# $$1 - \frac{2 c_1}{c_1 + c_2} = \frac{c_2 - c_1}{c_2 + c_1} = \frac{\kappa - 1}{\kappa + 1} \tag{5}$$
#
# By hand: $\kappa = 25$, so $\eta = 2/26 = 1/13$ and the factor is $24/26 = 12/13$. The first step goes from
# $(10, 1)$ to $(10 - \tfrac{10}{13},\; 1 - \tfrac{25}{13}) = (9.23, -0.92)$: across to the other
# wall, and 0.77 along. To come a million times closer you need $(12/13)^n = 10^{-6}$, that is
# $n = \ln 10^6 / \ln\tfrac{13}{12} = 172.6$, so 173 steps. For large $\kappa$ the factor is about $1 - 2/\kappa$, and
# the number of steps grows **in proportion to** $\kappa$.

# %% name="ravine-code" tags=["tools"] include="groundup.lessons.optimizers.model:ravine groundup.lessons.optimizers.model:walk"
# `ravine` is (3) with its slope, `walk` takes an optimiser by the hand and writes down where it goes.
from groundup.lessons.optimizers.model import ravine, walk

# %% [markdown] name="tree" margin="yes"
# The parameters are a *tree*, arrays in dictionaries and lists; `map_tree` does something to each of its arrays.

# %% [markdown] name="ravine-sgd"
# In code an optimiser is a pair of functions: `init` makes what it has to remember, `update` takes a step. Here is the plain
# one, together with what comes later (`momentum`, `nesterov`, `weight_decay`). Without momentum `direction` is
# the gradient, and the last line of `step` is (1).

# %% name="sgd-code" show="sgd" include="groundup.training.optim:sgd"
from groundup.training.optim import sgd

# %% name="ravine-by-hand"
curvature, start = np.array([1.0, 25.0]), np.array([10.0, 1.0])
path = walk(sgd(), curvature, start, 2 / (1 + 25), 200)  # (4)
left = np.linalg.norm(path, axis=1) / np.linalg.norm(start)  # of the distance to the bottom
steps = int(np.argmax(left < 1e-6))  # the first place where that is true
print(f"first places {path[:3].round(2).tolist()}; a million times closer after {steps} steps")
assert np.allclose(path[1], [9.23, -0.92], atol=0.005)
assert np.allclose(left[1:] / left[:-1], (25 - 1) / (25 + 1))  # (5)
assert (steps, round(math.log(1e6) / math.log(13 / 12), 1)) == (173, 172.6)

# %% name="frames-tools" tags=["tools"] include="groundup.plots:frames groundup.lessons.optimizers.figures:contours"
# A figure with a slider, and paths on the level lines of a ravine.
from groundup.lessons.optimizers.figures import contours
from groundup.plots import frames


# %% [markdown] name="rate-slider"
# Move the rate and watch. At low rates you creep along the floor. Above $1/25 = 0.04$ every step crosses to the other wall.
# You come down fastest near 0.0769, zigzag and all. Beyond 0.08 the walls throw you out.


# %% name="rate-frames" alt="Thirty steps of gradient descent in the ravine for one rate after another: creeping along the floor, zigzagging between the walls, leaving the picture."
def at_rate(axes, rate):
    path = walk(sgd(), curvature, start, rate, 30)
    contours(
        axes, curvature, {"descent": path}, f"rate {rate}: loss {ravine(path[-1], curvature)[0]:.3g} after 30 steps"
    )


fig = frames(
    "rate",
    [0.005, 0.02, 0.04, 0.07, 0.0769, 0.081],
    at_rate,
    width=6.4,
    height=2.7,
    shown=(1, 4, 5),
    start=4,
)

# %% [markdown] name="momentum"
# ## Let it roll
#
# In 1964 Boris Polyak in Moscow looked at the walker in the ravine and thought of something heavier. A ball does not
# stop after every step to ask for directions. It has **momentum**: it keeps most of its speed and lets the slope
# change it. Let $v$ be what it remembers, and $\beta$ (beta, between 0 and 1) how well it remembers:
#
# $$v \leftarrow \beta v + g, \qquad w \leftarrow w - \eta\, v \tag{6}$$
#
# ![Left: in a ravine a walker zigzags across and is half way after ten steps; a ball swings wider at first and is there. Right: of arrows across that alternate half of one is left, arrows along that agree add up to a long one.](diagram:momentum)
#
# Why should that help? Follow the memory for a few steps, with $\beta = 0.9$. *Along* the valley the gradient always
# points the same way. Call it 1 each time. Then $v$ is 1, then $0.9 + 1 = 1.9$, then $0.9 \cdot 1.9 + 1 = 2.71$, and
# so on up to $1 + \beta + \beta^2 + \dots = 1/(1 - \beta) = 10$. *Across* the valley the
# gradient alternates: $1, -1, 1, -1$. Then $v$ is 1, $0.9 - 1 = -0.1$, then $-0.09 + 1 = 0.91$, and after wide first swings it
# settles at $\pm 1/(1 + \beta) = \pm 0.526$. What agrees adds up tenfold and what disagrees is
# halved, and you never had to say which direction is which.

# %% name="momentum-by-hand" tags=["tools"]
# The numbers above, by (6).
for gradients in ([1, 1, 1, 1], [1, -1, 1, -1]):
    v, speeds = 0.0, []
    for g in gradients * 20:
        v = 0.9 * v + g  # (6)
        speeds.append(v)
    assert np.allclose(speeds[:4], [1, 1.9, 2.71, 3.439] if g == 1 else [1, -0.1, 0.91, -0.181])
    assert math.isclose(abs(v), 10 if g == 1 else 0.526, rel_tol=1e-3)
assert round(math.log(1e6) / math.log(1.5)) == 34  # with (7)

# %% [markdown] name="momentum-gain"
# How much does the ball gain? In the ravine that can be worked out. With the best momentum and the rate that belongs to
# it, every direction shrinks in the long run by the same factor a step, however steep or flat it is:
#
# $$\sqrt\beta = \frac{\sqrt\kappa - 1}{\sqrt\kappa + 1}, \qquad \eta = \frac{4}{(\sqrt{c_1} + \sqrt{c_2})^2} \tag{7}$$
#
# Compare with (5): the same formula with $\sqrt\kappa$ for $\kappa$. By hand, again with
# $\kappa = 25$: $\sqrt\kappa = 5$, so $\sqrt\beta = 4/6 = 2/3$, $\beta = 4/9$ and $\eta = 4/6^2 = 1/9$. A factor of
# 0.667 a step and not 0.923. For a million you need about $\ln 10^6 / \ln 1.5 = 34$ steps, and some more for the wide
# swings at first, not 173. That rate, by the way, is above 0.08, where plain descent flies off. Would you have dared?

# %% name="momentum-count"
root = (math.sqrt(25) - 1) / (math.sqrt(25) + 1)  # (7)
beta, rate = root**2, (2 / (1 + math.sqrt(25))) ** 2  # (7)
assert np.allclose([beta, rate], [4 / 9, 1 / 9], rtol=1e-12)
rolled = walk(sgd(momentum=beta), curvature, start, rate, 200)
left = np.linalg.norm(rolled, axis=1) / np.linalg.norm(start)
print(f"a million times closer after {int(np.argmax(left < 1e-6))} steps, where plain descent took 173")

# %% [markdown] name="nesterov"
# In 1983 Yurii Nesterov asked: why measure the slope where you are, when you
# already know where momentum will carry you? A ball that looks ahead meets the rising slope earlier, and brakes. In `sgd` above
# that is the line with `nesterov`, where $w$ is the place ahead (*Momentum, exactly* shows it).
#
# **Your turn**: exercise `sgd` is momentum, Nesterov's variant and weight decay.

# %% [markdown] name="momentum-best" tags=["second"]
# ### Momentum, exactly
#
# Where does the root come from? Look at one direction with curvature $c$. The speed is the last step: $\eta v = w_{t-1} - w_t$. Put it into
# (6), and the new place depends on the last two: $w_{t+1} = w_t - \eta c\, w_t + \beta\,(w_t - w_{t-1})$.
# Which sequences do that? Try $w_t = z^t$ with some number $z$ and divide by $z^{t-1}$:
#
# $$z^2 - (1 + \beta - \eta c)\, z + \beta = 0 \tag{8}$$
#
# A quadratic equation with two solutions, and their product is $\beta$. If they are real, one of them is larger than
# $\sqrt\beta$ and spoils it. But if they are *complex*, the ball swings. Multiplying by a complex number $a + b\,i$ turns by
# an angle and stretches by the number's length, $\sqrt{a^2 + b^2}$. The two solutions are then mirror images, $a \pm b\,i$.
# (A weight is real: it is a sum of both sequences, in which the imaginary parts cancel.) Both have the same length, and
# since their product is $\beta$, that length is exactly $\sqrt\beta$. Now look at what is missing there: $c$. **As long as a
# direction swings, it shrinks by $\sqrt\beta$ a step, however steep or flat it is.** The walls no longer set the pace of the
# floor.
#
# When is (8) complex? When $(1 + \beta - \eta c)^2 < 4\beta$, which is the same as
# $(1 - \sqrt\beta)^2 < \eta c < (1 + \sqrt\beta)^2$. A smaller $\beta$ shrinks faster, but its range is narrower. So take the
# smallest whose range still holds all directions: the flattest at its lower end and the steepest at its upper end. Divide one
# end by the other and take the root:
# $\sqrt\kappa = (1 + \sqrt\beta)/(1 - \sqrt\beta)$. Solved for $\sqrt\beta$ that is (7). (At the very ends of the range the
# two solutions coincide, and then $t z^t$ is a solution too: those are the few steps more.)

# %% name="momentum-lengths"
for c in (1.5, 5.0, 20.0):
    solutions = np.roots([1, -(1 + beta - rate * c), beta])  # (8)
    print(f"curvature {c:4}: the solutions of (8) have lengths {np.abs(solutions).round(4)}")
    assert np.allclose(np.abs(solutions), 2 / 3)

# %% [markdown] name="kappa"
# Now count, for ravines of any steepness. On logarithmic axes a power is a straight line and its exponent is the slope: 1 for
# the walker, a half for the ball and a little more for those few steps.

# %% name="kappa-tools" tags=["tools"] include="groundup.proof.instruments:growth groundup.plots:figure groundup.plots:curves groundup.plots:describe"
# `growth` fits an exponent; drawing.
from groundup.plots import curves, describe, figure
from groundup.proof.instruments import growth


# %% name="kappa-picture" alt="Steps until a millionth of the distance is left against the condition number, on logarithmic axes: two straight lines, descent with slope one, momentum with slope one half."
def steps_needed(optimiser, rate, kappa, most=20_000):
    path = walk(optimiser, np.array([1.0, kappa]), np.array([1.0, 1.0]), rate, most)
    left = np.linalg.norm(path, axis=1) / math.sqrt(2)
    return int(np.argmax(left < 1e-6))  # the first step where that is true


kappas, counted = [10, 30, 100, 300, 1000], {"gradient descent": [], "momentum": []}
for kappa in kappas:
    root = (math.sqrt(kappa) - 1) / (math.sqrt(kappa) + 1)  # (7)
    most = 20 * kappa
    counted["gradient descent"].append(steps_needed(sgd(), 2 / (1 + kappa), kappa, most))  # (4)
    best = (2 / (1 + math.sqrt(kappa))) ** 2  # (7)
    counted["momentum"].append(steps_needed(sgd(momentum=root**2), best, kappa, most))
for name, steps in counted.items():
    print(f"{name:17} steps {steps}: they grow like κ to the {growth(kappas, steps):.2f}")
fig, axes = figure(6.4, 3.4)
curves(axes, kappas, counted, "condition number κ", "steps until a millionth is left", "What a ravine costs", log="xy")

# %% [markdown] name="momentum-slider"
# More momentum is not always better. Move $\beta$ in this figure, at the rate 0.04: with none the ball creeps, with
# too much it runs past the bottom and up the other side, like a swing that nobody stops. Where would you leave it?


# %% name="momentum-frames" alt="Forty steps in the ravine at one rate for one momentum after another: creeping, rolling straight to the bottom, swinging far past it."
def at_momentum(axes, beta):
    path = walk(sgd(momentum=beta), curvature, start, 0.04, 40)
    contours(axes, curvature, {"ball": path}, f"β = {beta}: loss {ravine(path[-1], curvature)[0]:.3g} after 40 steps")


fig = frames(
    "momentum β",
    [0.0, 0.3, 0.5, 0.64, 0.8, 0.9, 0.97],
    at_momentum,
    width=6.4,
    height=3.2,
    shown=(0, 3, 6),
)

# %% [markdown] name="nesterov-derived"
# And Nesterov's variant? Say the ball is at $x$. Momentum alone takes it to $w = x - \eta\beta v$. Measure
# $g$ there. Then the speed changes as in (6), $v \leftarrow \beta v + g$, the ball goes on to $x - \eta v$, and the next look
# ahead is $\eta\beta v$ further. Libraries keep only the place $w$ that looks ahead. From one such place to the next it is
#
# $$w \leftarrow w - \eta\,(g + \beta v) \tag{9}$$
#
# with the new $v$. In the bowl $L = \tfrac12 w^2$ from $w = 1$ with
# $\eta = \beta = 0.5$: the first gradient is 1, so $v = 1$. Momentum goes to $1 - 0.5 = 0.5$, Nesterov's variant to
# $1 - 0.5\,(1 + 0.5) = 0.25$. Two steps later momentum has swung to $-0.25$ on the other side, Nesterov's variant only to
# $-0.11$.
#
# If the loss is convex, a bowl of whatever shape, then no method that sees only gradients needs fewer steps than his, except
# by a constant factor: he proved that. For networks there is no such theorem, which is why we measure.

# %% name="nesterov-by-hand"
for name, ahead in (("momentum", False), ("Nesterov", True)):
    places = walk(sgd(momentum=0.5, nesterov=ahead), np.array([1.0]), np.array([1.0]), 0.5, 6)[:, 0]
    print(f"{name}: {places.round(2)}")
    assert np.allclose(places[[1, 3]], [0.25, -0.11] if ahead else [0.5, -0.25], atol=0.005)
    assert np.isclose(places.min(), places[3])

# %% [markdown] name="noise"
# ## When the slope is noisy
#
# Cauchy could see the whole slope. You look at 64 pictures out of thousands, so what you get is the slope plus noise:
# **stochastic gradient descent**, SGD. Does it still arrive? Take one direction with curvature $c$ and add noise of
# mean 0 and variance $\sigma^2$ (its mean square) to each gradient. A step is $w \leftarrow (1 - \eta c)\, w - \eta\,\text{noise}$. Square it and
# take the mean, written $E[\dots]$. The noise is independent of $w$, so the mixed term vanishes:
# $E[w^2] \leftarrow (1 - \eta c)^2 E[w^2] + \eta^2 \sigma^2$. It comes to rest when both sides are equal:
#
# $$E[w^2] = \frac{\eta^2\sigma^2}{1 - (1 - \eta c)^2} = \frac{\eta\,\sigma^2}{c\,(2 - \eta c)} \tag{10}$$

# %% [markdown] name="slowly" margin="yes"
# How slowly? The sum of all rates must be infinite, so that you can get anywhere from anywhere, and the sum of their squares
# finite, so that the noise dies down.

# %% [markdown] name="dance"
# It never arrives. It dances around the bottom, and **the size of the dance is set by the rate**. By hand: $c = 1$,
# $\sigma = 1$, $\eta = 0.5$ gives $0.25/(1 - 0.25) = 1/3$. With $\eta = 0.05$ it is $0.05/1.95 = 0.0256$, thirteen
# times less in the mean square. A high rate travels fast and cannot settle, a low rate settles and cannot travel. Robbins and Monro
# drew the conclusion in 1951: let the rate *fall*, but slowly enough.

# %% name="noise-run" tags=["tools"]
# 20,000 walkers, each with noise of its own, dance as widely as (10) says.
rng = np.random.default_rng(0)
for rate in (0.5, 0.05):
    w = np.zeros(20_000)
    for _ in range(200):
        w = w - rate * (1.0 * w + rng.normal(size=w.shape))
    expected = rate / (2 - rate)  # (10)
    assert abs(np.mean(w**2) / expected - 1) < 0.05
    assert math.isclose(expected, {0.5: 1 / 3, 0.05: 0.0256}[rate], abs_tol=5e-5)

# %% [markdown] name="adagrad"
# ## A rate for every weight
#
# Momentum still has one rate for everybody. Here is the other idea: give every weight its own. Think of a network
# that reads text. The weight of the word *the* gets a gradient in every batch, that of *zygote* once in a thousand.
# With one rate, either *the* is shaken to pieces or *zygote* never learns. In 2011 John Duchi, Elad Hazan and Yoram
# Singer let every weight count what it has seen. They add up the squares of its gradients, and divide by the root:
#
# $$s \leftarrow s + g^2, \qquad w \leftarrow w - \eta\,\frac{g}{\sqrt{s} + \varepsilon} \tag{11}$$
#
# All of this is done weight by weight, and $\varepsilon$ (epsilon) is a tiny number against division by zero. This is
# **Adagrad**. By hand: if the gradient is 1 every time, $s$ is $1, 2, 3, \dots$ and the steps are $\eta$ times
# $1,\; 1/\sqrt2 = 0.707,\; 1/\sqrt3 = 0.577$. If it is 1,000 every time? Then $s$ is a million times as large, the
# root a thousand times, and the steps are *the same*. In a ravine that is a wonder: walls and floor, 25 and 1, are
# walked at the same pace.
#
# The weakness is in the formula as well. $s$ never falls, so the steps shrink like $1/\sqrt t$ and never recover,
# even where the landscape has changed completely.

# %% name="adagrad-code" show="adagrad" include="groundup.training.optim:adagrad"
from groundup.training.optim import adagrad

# %% name="adagrad-by-hand" tags=["tools"]
# The steps above, for gradients of 1 and of 1,000.
for g in (1.0, 1000.0):
    w, optimiser, places = {"w": np.zeros(1)}, adagrad(), [0.0]
    state = optimiser.init(w)
    for _ in range(3):
        optimiser.update(w, {"w": np.array([g])}, state, 1.0)
        places.append(float(w["w"][0]))
    assert np.allclose(-np.diff(places), [1, 0.707, 0.577], atol=5e-4)

# %% [markdown] name="rmsprop"
# The repair is one word: *forget*. Replace the sum by a moving average, which forgets a little at every step:
#
# $$s \leftarrow \rho\, s + (1 - \rho)\, g^2, \qquad w \leftarrow w - \eta\,\frac{g}{\sqrt{s} + \varepsilon} \tag{12}$$
#
# With $\rho = 0.99$ it looks back over roughly the last hundred gradients. This is **RMSProp**: divide by the *root*
# of the *mean* *square*. Geoffrey Hinton showed it on a slide of his online course in 2012: work with Tijmen
# Tieleman, unpublished. It stayed so. For years one of the most used optimisers of the field was cited as "lecture
# 6.5". It differs from Adagrad in one line that matters. Find it.

# %% name="rmsprop-code" show="rmsprop" include="groundup.training.optim:rmsprop"
from groundup.training.optim import rmsprop

# %% [markdown] name="adagrad-turn"
# **Your turn**: exercise `adagrad`.

# %% [markdown] name="adam"
# ## Adam
#
# Two ideas lie on the table. Momentum remembers the gradient; RMSProp remembers its square. In December 2014 Diederik
# Kingma and Jimmy Ba put them together, with a moving average for each:
#
# $$m \leftarrow \beta_1 m + (1 - \beta_1)\, g, \qquad v \leftarrow \beta_2 v + (1 - \beta_2)\, g^2 \tag{13}$$

# %% [markdown] name="adam-letters" margin="yes"
# The letters are the paper's: its $v$ is our $s$, not the speed of (6). The `weight_decay` in the code belongs to a later
# section; at 0 it does nothing.

# %% [markdown] name="adam-bias"
# There is a catch. Both begin at 0. After the
# first step $m$ is only $0.1\,g$ (with the usual $\beta_1 = 0.9$), far
# too small: an average of the one gradient you have seen should be $g$. How much is missing? The factors in the
# average sum to $(1 - \beta_1)(1 + \beta_1 + \dots + \beta_1^{t-1}) = 1 - \beta_1^t$. So divide by that. That is
# **bias correction** (no kin of a layer's bias), and with it a step of **Adam** is
#
# $$\hat m = \frac{m}{1 - \beta_1^t}, \qquad \hat v = \frac{v}{1 - \beta_2^t}, \qquad
#   w \leftarrow w - \eta\,\frac{\hat m}{\sqrt{\hat v} + \varepsilon} \tag{14}$$
#
# By hand, with $\beta_1 = 0.9$, $\beta_2 = 0.999$ and gradients 4, then −2. First step: $m = 0.4$ and
# $v = 0.001 \cdot 16 = 0.016$. Corrected, $\hat m = 0.4/0.1 = 4$ and $\hat v = 0.016/0.001 = 16$. The step is
# $\eta \cdot 4/4 = \eta$. Second step: $m = 0.36 - 0.2 = 0.16$ and $v = 0.015984 + 0.004 = 0.019984$; corrected,
# $\hat m = 0.16/0.19 = 0.842$ and $\hat v = 0.019984/0.001999 = 9.997$. The step is
# $\eta \cdot 0.842/3.162 = 0.266\,\eta$. The gradients disagreed, so it became careful.
#
# Did you notice the first step? Any first gradient, 4 or 0.004 or four million, gives a step of length $\eta$. The
# rate of Adam is not a multiple of the slope. It is, roughly, **the distance that each weight moves in one step**. Multiply the
# loss by a thousand and, but for $\varepsilon$, nothing changes. So the same rate is a fair first try for very different networks.
#
# And without the correction? The first step would be $0.4/\sqrt{0.016} = 3.16$ times $\eta$, in every weight at once,
# when Adam knows least: $m$ is short by a factor of 10, but $\sqrt v$ by $\sqrt{1000}$.

# %% name="adam-code" show="adam" beside="adam" include="groundup.training.optim:adam"
from groundup.training.optim import adam

# %% name="adam-by-hand" tags=["tools"]
# The two steps above; and the path is the same, to the last bit, when the loss is 1,024 times as large.
w, optimiser = {"w": np.zeros(1)}, adam()
state, places = optimiser.init(w), [0.0]
for g in (4.0, -2.0):
    optimiser.update(w, {"w": np.array([g])}, state, 1.0)
    places.append(float(w["w"][0]))
assert np.allclose(-np.diff(places), [1, 0.266], atol=5e-4)
assert np.allclose([state["mean"]["w"], state["square"]["w"]], [[0.16], [0.019984]])
assert np.allclose([0.16 / 0.19, 0.019984 / 0.001999, 0.4 / math.sqrt(0.016)], [0.842, 9.997, 3.162], atol=5e-4)
once, louder = (walk(adam(epsilon=0.0), curvature, start, 0.1, 50, scale) for scale in (1.0, 1024.0))
assert np.array_equal(once, louder)

# %% [markdown] name="adam-turn"
# **Your turn**: exercise `adam`, with everything. It is six lines, and there are four ways to get them wrong.

# %% [markdown] name="paths" tags=["second"]
# ### Six rules in one ravine, straight and turned
#
# Here are forty steps of each in the ravine. (Behind the name stands the rate, chosen so that the path is easy to see; do not
# compare where they end.) Look at the *first* step. Descent, momentum and Nesterov's variant go 2.5 times as far across as
# along, for that is how the gradient $(10, 25)$ points. The three that divide set out diagonally: every weight moves by the
# same amount, however steep it is. And look at the end of RMSProp. Its steps do not get shorter as the gradient does, so it
# jitters around the bottom.

# %% name="paths-picture" alt="Paths of six optimisers on the level lines of the ravine in three panels: the first steps of descent, momentum and Nesterov go mostly across, those of Adagrad, RMSProp and Adam are diagonal."
RULES = {
    "gradient descent": (sgd(), 0.07),
    "momentum": (sgd(momentum=0.64), 0.04),
    "Nesterov": (sgd(momentum=0.64, nesterov=True), 0.04),
    "Adagrad": (adagrad(), 1.5),
    "RMSProp": (rmsprop(0.9), 0.35),
    "Adam": (adam(), 0.35),
}
GROUPS = {
    "One rate for all": ("gradient descent", "momentum", "Nesterov"),
    "A rate for each": ("Adagrad", "RMSProp"),
    "Both: Adam, 0.35": ("Adam",),
}
fig, panels = figure(10.8, 3.2, columns=3)
for axes, (title, names) in zip(panels, GROUPS.items(), strict=True):
    found = {f"{name}, {RULES[name][1]}": walk(RULES[name][0], curvature, start, RULES[name][1], 40) for name in names}
    contours(axes, curvature, found, title)
    for path in found.values():
        along, across = path[0] - path[1]
        assert math.isclose(across / along, 2.5 if title == "One rate for all" else 1.0, rel_tol=1e-6)

# %% [markdown] name="turned"
# Are the ones that divide simply better in ravines, then? Their rates belong to the *weights*, that is, to the axes of the picture. Our
# ravine lies along an axis, which is very kind of it. Turn it by 45 degrees. Nothing about the landscape has changed,
# and descent and momentum do not even notice: they see only slopes. What will the others do?

# %% name="turned-tools" tags=["tools"]
# `steps_in` counts the steps until the loss of a turned ravine is a thousandth.


def steps_in(optimiser, rates, turn, most=400):
    """The fewest steps, over some rates, until the loss is a thousandth, in a ravine turned by an angle."""
    spin = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    steep, first, needed = np.array([1.0, 100.0]), 100.0, []
    for rate in rates:
        w, steps, loss = {"w": spin @ [10.0, 1.0]}, 0, first
        state = optimiser.init(w)
        while loss > first / 1000 and steps < most:
            loss, backward = ravine(spin.T @ w["w"], steep)
            optimiser.update(w, {"w": spin @ backward()}, state, rate)
            steps += 1
        needed.append(steps)
    return min(needed)


# %% name="turned-run" predict="The same ravine, turned by 45 degrees: who needs more steps than before?"
TRIED = {
    "gradient descent": (sgd(), 2 / 101),  # (4)
    "momentum": (sgd(momentum=0.67), 0.03),
    "Adagrad": (adagrad(), 10),
    "Adam": (adam(), 10),
}
for name, (optimiser, highest) in TRIED.items():
    rates = highest * 0.6 ** np.arange(10)  # each with the best of ten rates
    straight, turned = (steps_in(optimiser, rates, angle) for angle in (0.0, math.pi / 4))
    print(f"{name:17} {straight:4} steps in the straight ravine, {turned:4} in the turned one")

# %% [markdown] name="turned-text"
# Descent and momentum take exactly as many steps as before. Adagrad, which looked like a miracle with five, falls
# back to hundreds; Adam, whose memory also rolls, loses less. Dividing by the root of the squares helps when the steep
# directions are single weights. In the turned ravine both weights feel the same mixture of wall and floor, both get the same
# divisor, and what is left is descent. Which of the two is a network? We cannot see its ravines, so we shall measure what
# dividing is worth there.
#
# And the proof that came with Adam? It had a gap. In 2018 Sashank Reddi, Satyen Kale and Sanjiv Kumar gave a
# one-dimensional convex problem on which Adam walks to the *worst* point: a large gradient that comes rarely is divided by
# its own size and then forgotten. Everybody read the paper, and everybody kept on using Adam.

# %% [markdown] name="decay"
# ## Weight decay, and a bug that everyone had
#
# Large weights make wild functions, which fit the examples and miss what is new. An old remedy is to add a **penalty**
# $\tfrac12\lambda\|w\|^2$ to the loss ("L2"; $\|w\|^2$ is the sum of all squares). Its gradient is $\lambda w$, so the gradient that an optimiser sees becomes
#
# $$g \leftarrow g + \lambda w \tag{15}$$
#
# For plain descent that means $w \leftarrow (1 - \eta\lambda)\,w - \eta g$. Every step shrinks all weights by a
# little, and so the penalty is also called **weight decay**. For decades the two names meant one thing, and libraries
# put it where (15) says.
#
# Now feed (15) to Adam. Take two weights, both $w = 1$. One lives in a noisy place, with gradients of size 10; the
# other in a quiet one, with gradients of size 0.1. Let $\lambda = 0.05$. The pull $\lambda w = 0.05$ is divided by
# $\sqrt{\hat v}$ like everything else. So the noisy weight is pulled by $0.05/10 = 0.005$ times the rate in each step, and the
# quiet one by $0.05/0.1 = 0.5$ times the rate, a hundred times as hard. Nobody had asked for that. In 2017 Ilya Loshchilov and Frank
# Hutter noticed, and moved the decay out of the gradient, behind the division:
#
# $$w \leftarrow w - \eta\,\frac{\hat m}{\sqrt{\hat v} + \varepsilon} - \eta\lambda w \tag{16}$$
#
# That is **AdamW**, as libraries write it: both weights lose 0.05 times the rate in each step. In `adam` above it is the
# `weight_decay` in the last line of `step`. In the paper the last term has *no* rate, and libraries still disagree. When
# somebody tells you "weight decay 0.1", ask: times what?
#
# What does the penalty do to a weight whose loss is flat, with gradient exactly 0? Then $g = \lambda w$ is all there is. Put it into (14)
# before you open the output.

# %% name="decay-by-hand" predict="A weight of 1 with gradient 0, rate 0.1. Where is it after one step of Adam with an L2 penalty of a ten-thousandth?"
tried = []
for penalty in (1e-4, 1e-2, 1.0):
    w, optimiser = {"w": np.ones(1)}, adam()
    optimiser.update(w, {"w": 0 + penalty * w["w"]}, optimiser.init(w), 0.1)  # (15), (14)
    decoupled = walk(adam(weight_decay=penalty), np.zeros(1), np.ones(1), 0.1, 1)[-1, 0]
    print(f"λ = {penalty:6}: with the penalty in the gradient w = {w['w'][0]:.4f}, AdamW {decoupled:.5f}")
    tried.append((penalty, w["w"][0], decoupled))

# %% name="decay-check" tags=["tools"]
# The numbers of this section.
for penalty, coupled, decoupled in tried:
    assert math.isclose(decoupled, 1 - 0.1 * penalty)
    assert math.isclose(coupled, 0.9, abs_tol=2e-5)
assert np.allclose(0.05 / np.array([10, 0.1]), [0.005, 0.5])  # the pulls on the noisy and on the quiet weight

# %% [markdown] name="decay-result"
# With the penalty in the gradient the weight runs a full step to 0.9, *however small the penalty is*. The strength
# that you set has cancelled out.
#
# And yet, on our digits this bug did no harm that we could measure. `AdamW` is the
# usual choice because its strength means the same for every weight, not because it must win.

# %% [markdown] name="decay-apart" tags=["second"]
# ### Can rate and decay be tuned apart?
#
# The authors of AdamW promise it: the best decay should
# not change when you change the rate. For the penalty an optimiser is wrapped, and sees (15):

# %% name="decay-code" include="groundup.lessons.optimizers.model:with_l2"
from groundup.lessons.optimizers.model import with_l2

# %% [markdown] name="decay-grid"
# Here are all combinations on our digits, with only 1,000 to train on, few enough to
# be learned by heart. Each square is a network: the fainter, the better; point at one to read its loss.
# The frame marks the best decay for each rate. If the frames stand in one column, rate and decay can be chosen apart.

# %% name="decay-tools" tags=["tools"] include="groundup.lessons.optimizers.figures:decay_figure"
# How the grid is drawn.
from groundup.lessons.optimizers.figures import decay_figure

# %% name="decay-picture" alt="Three heat maps of validation loss by rate and strength of decay: for the penalty and for PyTorch's AdamW the best squares stand nearly in a column; where decay is apart from the rate they move to the right as the rate grows."
grids = measured("optimizers", "arrays/decay", "metrics/regret of one decay", "metrics/test loss with the best decay")
fig = decay_figure(grids["arrays/decay"])
for rule, regret in grids["metrics/regret of one decay"].items():
    best = grids["metrics/test loss with the best decay"][rule]
    print(f"{rule:27}one strength for all rates costs {regret:.4f} nats, best test loss {best:.4f}")

# %% [markdown] name="decay-reading"
# (The cost is the mean over the five rates: the test loss with the one strength that is best on average, less that with the
# best strength for each rate.) The first two maps look alike. At the lowest rates the network has not yet learned enough to
# overfit, and any decay will do; from there on the frames stand in one column or two. Look at the third map. There is *no rate*
# in front of $\lambda w$, only the schedule, as in the paper's own formula. So the second map is what PyTorch calls AdamW, and
# the third is what the paper calls AdamW. In the third the frames wander to the right as the rate grows, and in the corner the
# grid ends before they do. (Its best loss is the lowest of the three, by a little.) On this network the decay *in units of the
# rate* comes nearer to having a best value of its own: one strength for all rates costs several times less there.
#
# And the penalty is as easy to tune as AdamW and ends as low. The authors of AdamW saw the difference on pictures of CIFAR-10,
# with a large network and 100 epochs. We see 16 epochs of 1,000 digits.

# %% [markdown] name="schedule"
# ## Schedules: fast first, calm later
#
# Equation (10) left us with a wish: travel at a high rate, settle at a low one. So let the rate fall while you train.
# The most common shape today is half a **cosine**. With $T$ steps in all and $W$ steps of **warm-up**, in which the
# rate grows from almost nothing to its peak,
#
# $$\eta_t = \eta_{\max}\,\frac{t + 1}{W} \quad (t < W), \qquad
#   \eta_t = \tfrac12\,\eta_{\max}\,(1 + \cos \pi p), \quad p = \frac{t - W}{T - W} \quad (t \ge W) \tag{17}$$
#
# Here $p$ is the part of the fall that lies behind you, from 0 to 1. By hand, with peak 0.1, $T = 100$ and $W = 10$:
# step 0 has rate $0.1 \cdot \tfrac{1}{10} = 0.01$, and step 9 the full 0.1. Step 55 is half way through the fall,
# $\cos\tfrac{\pi}{2} = 0$, so 0.05. At step 100 it is 0.
#
# Why warm up at all? Recall Adam's first step: a full rate in every weight, on the word of a single mini-batch. A few hundred
# gradients later the averages mean something, for most of the noise in them has averaged out.
#
# **Your turn**: exercise `cosine` is the schedule. A question before you write it: why $t + 1$ and not $t$?

# %% name="schedule-code" include="groundup.training.optim:cosine"
from groundup.training.optim import cosine

# %% name="schedule-by-hand" tags=["tools"]
# The four rates above. With t for t + 1 the first step would have rate 0 and be lost.
rate = cosine(0.1, 100, warmup=10)
assert np.allclose([rate(0), rate(9), rate(55), rate(100)], [0.01, 0.1, 0.05, 0])

# %% [markdown] name="belt"
# One more tool, for the day when a gradient is suddenly a thousand times too long. Recurrent networks do that, and
# lesson `char_rnn` shows why; large training runs do it once in a while. **Gradient clipping** is a seat belt: where the
# length of all gradients, taken as one long vector, exceeds a limit, all of them are scaled down to it.

# %% [markdown] name="warmup-question" tags=["second"]
# ### Does a warm-up help, or does it only forgive?
#
# Here is Adam on the digits at five rates, with the first tenth of 250 steps as a warm-up and without.

# %% name="warmup-tools" tags=["tools"] include="groundup.lessons.optimizers.figures:warmup_figure"
# How warm-up is drawn.
from groundup.lessons.optimizers.figures import warmup_figure

# %% name="warmup-picture" alt="Adam's test loss against its rate with and without a warm-up: alike at the low rates, and far apart at the highest."
warmed = measured("optimizers", "arrays/warm-up")["arrays/warm-up"]
fig = warmup_figure(warmed)
for name, pick in (("lowest rate", lambda row: row[0]), ("best rate", min), ("highest rate", lambda row: row[-1])):
    print(f"{name}: {pick(warmed['without']):.3f} without, {pick(warmed['with']):.3f} with a warm-up")

# %% [markdown] name="warmup-reading"
# It forgives: at the lowest rate it changes little, and at rates that are too high it saves part of the training. It lowers the
# best point as well, but by 0.01, where chance alone moves Adam by several times that.

# %% [markdown] name="clipping" tags=["second"]
# ### A seat belt: clipping, step by step
#
# Take *all* gradients as one long vector, and if its length exceeds a limit $M$, shorten it:
#
# $$g \leftarrow g \cdot \min(1,\; M/\|g\|) \tag{18}$$
#
# By hand: two weights with gradients 3 and 4 have length 5. With $M = 1$ they become 0.6 and 0.8. The direction
# stays, only the length changes. Clipping each number by itself would give 1 and 1, another direction.

# %% name="clip-code" show="clip_by_global_norm" include="groundup.training.optim:clip_by_global_norm groundup.training.optim:global_norm"
from groundup.training.optim import clip_by_global_norm, global_norm

# %% name="clip-by-hand" tags=["tools"]
# The gradients 3 and 4, clipped.
clipped, norm = clip_by_global_norm({"a": np.array([3.0]), "b": np.array([4.0])}, 1.0)
assert np.allclose([norm, clipped["a"][0], clipped["b"][0]], [5, 0.6, 0.8])

# %% [markdown] name="clip-adam"
# **Your turn**: exercise `clip_by_global_norm`.
#
# Does Adam need it? Ask yourself what a single huge gradient $G$ does to $m$ and to $v$, and for how long each remembers. At
# once, $m$ gets $0.1\,G$ and $v$ gets $0.001\,G^2$: the step is $0.1/\sqrt{0.001} = 3.2$ times the rate, however large $G$ is. So
# nothing explodes. But $m$ forgets $G$ in some tens of steps, and $v$ only in thousands. If $G$ was a thousand times too large,
# the weight moves at a thirtieth of its pace a hundred steps later. With clipping it would not have noticed.

# %% [markdown] name="begin"
# ## Where to begin
#
# What should the weights be before the first step? All equal will not do. All units of a layer would
# compute the same, get the same gradient and stay the same forever. So draw the weights at random. But how large?
#
# Follow the size of a signal. A unit adds up $n$ inputs, $z = w_1 x_1 + \dots + w_n x_n$. Let the weights be
# independent, with mean 0 and variance $\operatorname{Var}(w)$, which is then the mean of $w^2$. In the mean of $z^2$
# all mixed terms $E[w_i w_j]$ vanish, and $n$ equal ones are left:
#
# $$E[z^2] = E[w_1^2]\,E[x_1^2] + \dots + E[w_n^2]\,E[x_n^2] = n \operatorname{Var}(w)\; E[x^2] \tag{19}$$
#
# Every layer multiplies the mean square by $n\operatorname{Var}(w)$. By hand: with $n = 100$ inputs and weights of
# standard deviation 0.01, as in the network of lesson `alexnet`, that is $100 \cdot 0.0001 = 0.01$. The size, the root of the mean square,
# falls to a tenth in every layer. Twenty layers later nothing is left but $10^{-20}$ of it. With a standard deviation
# of 1 it *grows* tenfold a layer instead.
#
# To keep the signal you need $n_{\text{in}}\operatorname{Var}(w) = 1$. Now walk backwards. The gradient of an input
# is a sum over the *outputs*, so by the same argument it keeps its size if $n_{\text{out}}\operatorname{Var}(w) = 1$.
# Both cannot hold unless the layer is square. In 2010 Xavier Glorot and Yoshua Bengio took the middle, now called
# **Xavier** or Glorot initialisation:
#
# $$\operatorname{Var}(w) = \frac{2}{n_{\text{in}} + n_{\text{out}}} \tag{20}$$
#
# They had tanh in mind, which near 0 leaves a signal alone. A ReLU does not. It silences everything negative, and if
# $z$ is as often $-a$ as $a$, half of its mean square is gone:
# $E[\operatorname{ReLU}(z)^2] = \tfrac12 E[z^2]$. Twenty layers of that are $1/2^{20}$, about a millionth, and in
# size $1/2^{10}$, a thousandth. In 2015 Kaiming He and colleagues put the lost factor back:
#
# $$\operatorname{Var}(w) = \frac{2}{n_{\text{in}}} \tag{21}$$
#
# For a layer with 64 inputs and 64 outputs the standard deviations are $\sqrt{2/128} = 0.125$ and
# $\sqrt{2/64} = 0.177$. That is 41 % more. Can it matter much?
#
# **Your turn**: exercise `xavier_he` asks for both.

# %% name="begin-code" tags=["shared"] show="xavier he" include="groundup.lessons.optimizers.model:xavier groundup.lessons.optimizers.model:he groundup.lessons.optimizers.model:init"
from groundup.lessons.optimizers.model import he, init, xavier

# %% name="begin-by-hand" tags=["tools"]
# The numbers above; and a layer of 100 inputs does to a mean square what (19) says, a ReLU what (21) needs.
assert math.isclose(xavier(64, 64), 0.125)
assert round(he(64, 64), 3) == 0.177
assert round(he(64, 64) / xavier(64, 64) - 1, 2) == 0.41
rng = np.random.default_rng(0)
x = rng.normal(size=(2000, 100))
z = x @ rng.normal(0, 0.01, size=(300, 100)).T
assert math.isclose(np.mean(z**2), 100 * 0.01**2 * np.mean(x**2), rel_tol=0.05)  # (19)
assert math.isclose(np.mean(np.maximum(z, 0) ** 2), np.mean(z**2) / 2, rel_tol=0.05)

# %% [markdown] name="writers" margin="yes" tags=["shared"]
# The data do not say who wrote which digit, so one writer's digits may be on both sides. That flatters all methods alike.

# %% [markdown] name="network" tags=["shared"]
# Try it. `mlp` is the network of lesson `numpy_and_pytorch`, of any depth; the digits are 10,000 of MNIST. We train on 6,000,
# choose on 1,000 and measure on 3,000.

# %% name="network-code" tags=["shared", "tools"] include="groundup.lessons.optimizers.model:mlp groundup.ops.activations:relu groundup.ops.activations:tanh groundup.ops.losses:cross_entropy"
# `mlp` is the network, with a loop over its layers: the closures go on a list on the way forward and are read from its end.
from groundup.lessons.optimizers.model import mlp
from groundup.ops.activations import relu, tanh
from groundup.ops.losses import cross_entropy

# %% name="digits-load" tags=["shared", "tools"] include="groundup.data.mnist:load_mnist groundup.data.mnist:split_mnist groundup.training.streams:random_stream"
# `load_mnist` reads the digits, `split_mnist` cuts them into three parts; random numbers by name.
from groundup.data.mnist import load_mnist, split_mnist
from groundup.training.streams import random_stream

# %% name="digits-parts" tags=["shared", "tools"]
# The three parts.
train, validation, test = split_mnist(load_mnist())

# %% name="spreads-code" tags=["tools"] include="groundup.lessons.optimizers.experiment:spreads groundup.lessons.optimizers.figures:spreads_figure"
# `spreads` walks through the layers and back, and writes down the size of activations and gradients in each.
from groundup.lessons.optimizers.experiment import spreads
from groundup.lessons.optimizers.figures import spreads_figure

# %% name="spreads-picture" alt="Root mean squares by layer on logarithmic axes for twenty layers. Forward: the small start falls in a straight line to ten to the minus 25, ReLU with Xavier's start by a thousand, the others stay. Backward: the same from the other end."
sizes = (784, *(64,) * 20, 10)
images, labels = train.images[:256].astype(np.float64), train.labels[:256]
found = {
    f"{name} {start}": spreads(init(random_stream(0, "parameters"), sizes, start, np.float64), images, labels, one)
    for name, one in (("relu", relu), ("tanh", tanh))
    for start in ("small", "xavier", "he")
}
fig = spreads_figure(found)

# %% [markdown] name="spreads-reading"
# Read the left panel from the left and the right one from the right: that is the way each signal travels. With ReLU the small
# start is the straight line that (19) promises. ReLU with Xavier loses its factor of a thousand. He's line stays up, though not
# quite level: (21) keeps the size *on average over all networks*, and yours is one, with 64 units a layer.
#
# And the consequence? Here is the training loss of twenty layers after 250 steps, one training each, with momentum and with
# Adam at the best of three rates. Saying nothing costs $\ln 10 = 2.303$:

# %% name="deep-table" tags=["tools"]
# What the experiment found for every start.
deep = measured("optimizers", "metrics/deep network")["metrics/deep network"]
for activation in ("relu", "tanh"):
    for begin in ("small", "xavier", "he"):
        losses = {how: deep[f"{activation} {begin} {how}"] for how in ("momentum", "Adam")}
        print(f"{activation:5} {begin:7}", ", ".join(f"{how} {loss:.3f}" for how, loss in losses.items()))

# %% [markdown] name="deep-reading"
# The small start learns nothing with either optimiser. In all but the last layers the gradients are far below
# $\varepsilon = 10^{-8}$, so Adam divides by that, and its steps are next to nothing. With ReLU and Xavier's start momentum has hardly moved after 250 steps and
# *Adam has*: it divides by the size of the gradients. So a good optimiser can half hide a bad start.
#
# And with tanh, where Xavier's formula is at home, He's start did better here. A tanh squeezes a little in every
# layer. A rule derived for one layer is a good guess for twenty, not a law.

# %% [markdown] name="check-tanh" margin="yes"
# Here with tanh: a nudge across the corner of a ReLU would mix the slopes of both sides. And the optimisers? They are held
# against `torch.optim`: `groundup check optimizers` compares thirty steps of each of the six.

# %% [markdown] name="check"
# ## Is it right?
#
# Compare the gradient of the whole network with slopes that are measured by nudging, as in lesson `numpy_and_pytorch`. Replace
# `activation_backward(dx)` by `dx` in `mlp` (it is in the fold above) and run this again: not one digit is right then.

# %% name="check-code" tags=["tools"] include="groundup.proof.slopes:show_slopes"
# `show_slopes` measures slopes in random directions and compares them with the gradient.
from groundup.proof.slopes import show_slopes


# %% name="check-run"
images, labels, rng = train.images[:32].astype(np.float64), train.labels[:32], np.random.default_rng(1)


def small_loss(params):
    logits, backward = mlp(params, images, tanh)
    loss, loss_backward = cross_entropy(logits, labels)
    return loss, backward(loss_backward())


assert show_slopes(small_loss, init(rng, (784, 12, 12, 10), "he", np.float64), rng) < 1e-5

# %% [markdown] name="train-others" margin="yes"
# The curves of the other rules come from the experiment, with $\beta = 0.9$ and $\rho = 0.99$. Each point of a curve is the
# mean of 16 steps.

# %% [markdown] name="train-it"
# ## Train it
#
# Now train: He's start, mini-batches of 64, Adam, half a cosine. The rate is the one that won on the
# validation digits among ten. Where will it land, beside the other five at theirs?

# %% name="train"
STEPS = 400
best_rates = measured("optimizers", "metrics/best rates")["metrics/best rates"]  # chosen on validation digits
params, draws = init(random_stream(0, "parameters"), (784, 64, 10)), random_stream(0, "training", "network")
optimiser, rate = adam(), cosine(best_rates["Adam"], STEPS)
state = optimiser.init(params)
for step in range(STEPS):
    rows = draws.integers(len(train.labels), size=64)
    logits, backward = mlp(params, train.images[rows])
    loss, loss_backward = cross_entropy(logits, train.labels[rows])
    optimiser.update(params, backward(loss_backward()), state, rate(step))  # (14), (17)

# %% name="train-result" measures="adam=loss" alt="Training loss of six optimisers at their best rates against the step: all fall quickly at first and end close together."
logits, _ = mlp(params, test.images)
loss, right = float(cross_entropy(logits, test.labels)[0]), logits.argmax(axis=1) == test.labels
print(
    f"Adam at rate {best_rates['Adam']:.4f}: test loss {loss:.4f}, {100 * right.mean():.1f} % of {len(right)} digits read"
)
raced = measured("optimizers", "curves/race *")
fig, axes = figure(7.2, 2.5)
steps = raced["curves/race Adam"]["step"][1:]
lines = {name.removeprefix("curves/race "): curve["training"][1:] for name, curve in raced.items()}
curves(axes, steps, lines, "step", "training loss, nats", "Each at its best rate", log="y")

# %% [markdown] name="findings" tags=["findings"]
# ## What the papers said, what we found
#
# The measured table stands here in the built notebook. To measure it yourself: `groundup run optimizers`.

# %% [markdown] name="third" margin="yes"
# The third finding in plain words: choose one strength of decay for all five rates. How much higher is the test loss on average
# than with the best strength for each? (With 1,000 digits to train on, hence 0.36 and not 0.22.)

# %% [markdown] name="surprises"
# Did you bet on Adam? Most people do. But the best of the other five, mostly one of the two kinds of momentum, needs but a
# rate of its own, and five seeds cannot tell it from Adam. What Adam buys you lies along the other axis of the first picture:
# a mistake in the rate costs it least. Here is what it costs there to be four times too low or four times too high, the mean
# of both:

# %% name="price" tags=["tools"]
# The price of a rate four times off, for each optimiser, and that of the worst rule.
found = measured("optimizers", "metrics/price of a rate four times off", "metrics/test loss")
prices, losses = found["metrics/price of a rate four times off"], found["metrics/test loss"].values()
for name in sorted(prices, key=prices.get):
    print(f"{name:17} {prices[name]:.3f} nats")
print(f"the middle of these six: {np.median(list(prices.values())):.3f}")
print(f"the worst rule instead of the best, each at its best rate: {max(losses) - min(losses):.3f}")

# %% [markdown] name="others" margin="yes"
# Others found the same. Fifteen optimisers on eight problems had no general winner (Schmidt and colleagues, 2021). And the
# winner hangs on *what* one tunes: with its $\varepsilon$ and both $\beta$ tuned as well, Adam never lost (Choi and
# colleagues, 2019), for with a huge $\varepsilon$ it imitates momentum.

# %% [markdown] name="twice" margin="yes"
# A rate twice off costs the middle rule only 0.02, half of what the worst rule costs. But who guesses a rate to within a
# factor of two?

# %% [markdown] name="rule-or-rate"
# And your answer from the beginning, rule or rate? For the middle one of six rules a rate that is four times off costs more than
# twice as much as the worst choice of rule (in the middle of five seeds nearly three times). Only with Adam it is a
# draw. So when you have time for ten runs, do not try ten optimisers. Try one with ten rates.
#
# What this toy cannot show: a network of 50,000 weights and 400 steps is not a language model. There, momentum alone
# is clearly behind Adam, and why that is so is still being worked out; the rare words of text, which we met with
# Adagrad, are one suspect.

# %% [markdown] name="break-it"
# ## Break it
#
# **Three misconceptions.**
#
# - *"Adam adapts the rate, so I need not choose one."* It adapts the rate of each weight *relative to the others*.
#   The overall $\eta$ is still yours, and in the first picture Adam's valley has walls like everybody's.
# - *"Momentum smooths the noise away."* Its steps add up to $1/(1 - \beta)$ times as much, so at the same $\eta$ it
#   dances more. Compare it with plain descent at ten times the rate.
# - *"Weight decay is an L2 penalty."* For plain descent it is. Where a rule divides by $\sqrt{\hat v}$ you saw a weight run
#   a full step under a penalty of a ten-thousandth.
#
# **Try.** Set $\beta_2 = 0.9$ in `adam` and walk the ravine. Leave out the bias correction and look at the first ten
# steps. Take a ravine with $c = (1, 1000)$ and find by hand the best $\beta$ before you measure it. Begin with
# all weights 0.01 and print the rows of the first layer after training: how many are different?

# %% [markdown] name="torch" tags=["torch"]
# ## In PyTorch
#
# An optimiser in PyTorch is an object that holds on to your parameters. `loss.backward()` fills `.grad`, `step()`
# uses it, `zero_grad()` empties it. The network is an ordinary `nn.Module`. The one thing worth writing out is the
# start: PyTorch's own for `nn.Linear` is uniform in $\pm 1/\sqrt{n_{\text{in}}}$, whose variance is
# $1/(3 n_{\text{in}})$, a sixth of what (21) asks for. With one hidden layer nobody notices. With twenty you now know
# what happens.

# %% name="torch-imports" tags=["torch"]
import torch
from torch import Tensor, nn
from torch.nn import functional as F

# %% name="twin" tags=["torch"] show="begin MLP" include="groundup.lessons.optimizers.twin:begin groundup.lessons.optimizers.twin:MLP"
from groundup.lessons.optimizers.twin import MLP, begin

# %% [markdown] name="torch-loop-text" tags=["torch"]
# The loop, as you would write it at work, with warm-up, decay and clipping; the rate, twice the one above, was not tuned. `AdamW` is the usual choice. Biases only shift sums and make nothing wild, so they are left out of the decay, by giving the
# optimiser two **parameter groups**, each with settings of its own. The schedule is an object too: `LambdaLR`
# multiplies the rate by what your function says, and so our own (17) fits in. Mind the order: `optimizer.step()`,
# then `scheduler.step()`.

# %% name="torch-train" tags=["torch"]
torch.manual_seed(0)
model = MLP((784, 64, 10))
weights = [p for p in model.parameters() if p.ndim > 1]
others = [p for p in model.parameters() if p.ndim <= 1]
groups = [{"params": weights, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
optimizer = torch.optim.AdamW(groups, lr=2**-6)
steps, warmup = 400, 40


def share(t):
    if t < warmup:
        return (t + 1) / warmup  # (17)
    return 0.5 * (1 + math.cos(math.pi * (t - warmup) / (steps - warmup)))  # (17)


scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, share)
images, labels, seen = torch.from_numpy(train.images), torch.from_numpy(train.labels), []
for step in range(steps):
    rows = torch.randint(len(labels), (64,))
    loss = F.cross_entropy(model(images[rows]), labels[rows])
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)  # (18)
    optimizer.step()
    scheduler.step()
    seen.append(loss.item())
with torch.no_grad():
    logits = model(torch.from_numpy(test.images))
right = (logits.argmax(dim=1) == torch.from_numpy(test.labels)).double().mean()
print(f"test loss {F.cross_entropy(logits, torch.from_numpy(test.labels)):.4f}, {100 * right:.1f} % of the digits read")

# %% name="torch-tools" tags=["torch", "tools"] include="groundup.plots:figure groundup.plots:curves"
# Drawing.
from groundup.plots import curves, figure

# %% name="torch-curve" tags=["torch"] alt="Training loss of the PyTorch network against the step: it falls quickly, then slowly, and is calm in the end."
fig, axes = figure(6.8, 3.2)
calmer = np.reshape(seen, (-1, 10)).mean(axis=1)
curves(
    axes,
    range(10, steps + 1, 10),
    {"mean of ten batches": calmer},
    "step",
    "training loss, nats",
    "AdamW in PyTorch",
    log="y",
)

# %% [markdown] name="torch-luck" tags=["torch"]
# That is lower than the 0.2205 above. Is it the warm-up, the decay, the rate? One run cannot say: chance alone moves Adam from
# 0.20 to 0.25.

# %% [markdown] name="torch-hides" tags=["torch"]
# ### What it hides
#
# Two settings are both called `weight_decay`, and they do different things. In `torch.optim.Adam` it is (15), the
# penalty in the gradient. In `torch.optim.AdamW` it is (16), times the rate.
#
# Other things that happen behind your back. The state of Adam is two numbers for every weight, so with the gradient
# it needs *four times* the memory of the weights before a single activation is stored. If you load a saved model without the
# state of its optimiser, the first steps have no memory. And `foreach=True`,
# the default on GPUs, updates all parameters in a few large calls, and so rounds a little differently. `SGD` has
# `momentum` as in (6) with *no* factor $1 - \beta$ before the gradient, so a rate from a library that
# has this factor does not fit.
#
# **Your turn**: exercise `adamw_step_torch` is one step of AdamW on tensors, by hand.

# %% [markdown] name="take-away"
# ## What to take away
#
# - A step multiplies each direction by $1 - \eta c$. The steepest direction limits the rate, $\eta < 2/c$; the
#   flattest sets the time, in proportion to $\kappa$.
# - Momentum adds up what agrees and halves what alternates. At its best its time is in proportion to $\sqrt\kappa$.
# - Adagrad, RMSProp and Adam divide by the size of past gradients: a rate for every weight, and no care for the scale
#   of the loss.
# - With noise a constant rate never arrives. Start high, after a warm-up, and end low.
# - Begin with $\operatorname{Var}(w) = 2/n_{\text{in}}$ for ReLUs, so that signals neither die nor explode.
# - Tune the rate first. It matters more than the optimiser.
#
# **Asked in interviews**
#
# - *Why does gradient descent zigzag, and what does momentum do about it?* One rate serves all directions; near the
#   limit of the steep ones it overshoots there and crawls along the flat ones. Momentum halves the alternating
#   parts and adds the others up, to $1/(1-\beta)$ times.
# - *Why does Adam correct its averages for bias?* They begin at 0, so after $t$ steps their weights sum to
#   $1 - \beta^t$ and not to 1. Without it the first step is $(1-\beta_1)/\sqrt{1-\beta_2}$, about 3, times too long.
# - *Adam or SGD with momentum?* Tuned, they are close on many vision problems. Adam is less sensitive to the rate and
#   to the scale of the loss, and clearly better for Transformers. Say how you would tune both before you say which is
#   better.
# - *What is the difference between L2 and weight decay?* For SGD none. In Adam the penalty's gradient is divided by
#   $\sqrt{\hat v}$, so noisy weights are hardly decayed; AdamW decays all weights alike.
# - *Your loss is NaN after 200 steps. What do you do?* Look at the length of the gradient over time. Lower the rate,
#   add a warm-up, clip by the global norm; look for a start that is too large, and for $\log 0$ or division by 0 in
#   float16.
# - *Why not begin with all weights 0?* All units of a layer would be equal and get equal gradients, forever.
# - *Can you derive He's initialisation?* $E[z^2] = n\operatorname{Var}(w)E[x^2]$, a ReLU halves the mean square, so
#   $n\operatorname{Var}(w)/2 = 1$.
# - *How much memory does Adam need?* Two more numbers for each weight, so with the gradient four times the weights in
#   all.
#
# **Where it leads**: every lesson from here on trains with what you built. Gradients that fade or explode are in lesson
# `char_rnn`, the Transformer's schedule is in lesson `attention_is_all_you_need`.
