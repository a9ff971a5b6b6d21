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
#     title: Understanding LSTM networks
# ---

# %% [markdown] name="title"
# # Understanding LSTM networks
#
# *Christopher Olah, [Understanding LSTM Networks](https://colah.github.io/posts/2015-08-Understanding-LSTMs/), 2015*
#
# Somebody reads fifty numbers to you. Two of them he reads in a loud voice, one in the first half and one in the second.
# Afterwards you are to say the sum of these two. You can do that: keep the first in mind, let the others pass, add the second.
#
# Two networks have practised it, for 600 steps each and with equally many parameters. Here are five lists that neither has seen:

# %% name="imports" tags=["shared", "tools"]
# NumPy.
import math

import numpy as np

# %% name="tools-figures" tags=["shared", "tools"] include="groundup.plots:figure groundup.plots:curves groundup.plots:describe groundup.plots:frames groundup.data.measured:measured"
# Figures, curves and sliders in one style; `measured` gives what the experiment of this lesson found.
from groundup.data.measured import measured
from groundup.plots import curves, describe, figure, frames

# %% name="opening" tags=["tools"]
# The two marked numbers, their sum, and what each network says.
print("marked             sum    plain network     LSTM")
for row in measured("p03_lstm", "metrics/answers")["metrics/answers"]:
    first, second, total, plain, gated = row
    print(f"{first:.3f} and {second:.3f}    {total:.3f}   {plain:13.3f}   {gated:6.3f}")

# %% [markdown] name="question"
# The plain network says about 1, whatever was read. That is not stupid. Numbers between 0 and 1 are ½ on average, so 1 is the best
# answer of somebody who has heard nothing. It is the network of lesson `char_rnn`, and it *has* heard: everything it was told is
# in its state, for a few steps. Then it is gone.
#
# In 1991 a student in Munich, Sepp Hochreiter, found out why. It is in his diploma thesis, which is in German, and hardly
# anyone noticed. In 1997 he and his adviser Jürgen Schmidhuber published a network built against that one fault, the ancestor of
# the one in the last column, and gave it a name that sounds like a mistake: **long short-term memory**, LSTM for short. Another eighteen years later,
# when everyone used it and few could say what the boxes did, Christopher Olah drew it in the post that this lesson is named
# after.
#
# **Why does a network forget, and what does it take to keep a number in mind for fifty steps?**

# %% [markdown] name="fading"
# ## What forgetting is made of
#
# The first of the two numbers comes, on average, 37 steps before the end. The error is known at the end only. So the gradient has
# to travel back 37 steps before it can say: *this you should have kept.* In lesson `char_rnn` you saw what each step does to it:
# it multiplies by a slope of $\tanh$ and by the matrix, here called $U$, through which the state meets itself. With single numbers in place of vectors that was a factor $u(1 - h^2)$, and in
# the example there it was 0.63. After 37 steps $0.63^{37}$ is left, four parts in a hundred million. Not
# even the second number, 12 steps before the end on average, is well within reach. And what no gradient asks for, no network keeps.
#
# Could one choose $u$ such that the factor is just 1? The slope $1 - h^2$ depends on $h$, and $h$ on what is read. A factor that is
# 1 for one list is 0.9 for the next one, and $0.9^{37}$ is 0.02. Above 1 it explodes. There is no number to choose.
#
# Hochreiter's way out is so simple that one can miss it. Let the state be a *sum*: $c_t = c_{t-1} + \text{something new}$. Then along
# the sum $\partial c_t / \partial c_{t-1} = 1$, whatever is new. What is in the sum stays in the sum, and a gradient that goes back
# through it comes out as it went in. He and Schmidhuber called it the *constant error carousel*.
#
# ![Going back: in the plain network each step multiplies by a matrix and a slope of tanh, in the sum by 1.](diagram:carousel)

# %% [markdown] name="gates"
# ## A sum with doors
#
# But a sum that takes in everything is no memory. Forty-eight of the fifty numbers should stay outside. So there is a door: a
# number $i$ between 0 and 1 that multiplies what wants to come in. A second door $f$ multiplies what is already there, and so can
# let it go; a third, $o$, decides what is seen from outside. The doors are called **gates**, and the network opens and shuts them
# itself, by what it reads and by its own hidden state. $\sigma$, the logistic function, makes any sum a number between 0 and 1.
# And $g$, between $-1$ and 1, is what is proposed for writing, so that a memory can be counted down as well as up. (Each of the
# four has a $W$, a $U$ and a $b$ of its own, and there is one $i$, $f$, $o$ and $g$ for every number that is remembered.)
#
# $$i,\ f,\ o = \sigma(W x_t + U h_{t-1} + b), \qquad g = \tanh(W x_t + U h_{t-1} + b) \tag{1}$$
#
# $$c_t = f \odot c_{t-1} + i \odot g \tag{2}$$
#
# $$h_t = o \odot \tanh(c_t) \tag{3}$$
#
# The state has two parts now. The **cell state** $c$ remembers; each of its numbers is a **cell**. The **hidden state** $h$ is what
# the cells show to the rest of the network, and to their own gates a step later.
#
# ![One step of the LSTM. The cell runs along the top, multiplied by the forget gate f; the input gate i times the candidate g is added; the output gate o lets a tanh of it out as the hidden state h.](diagram:cell)

# %% [markdown] name="history" margin="yes"
# The LSTM of 1997 had no $f$: what was in a cell stayed there. And its gradient was cut off everywhere but along the sum, so that
# the 1 was exact. On streams without end its cells ran full, and in 2000 Felix Gers, Schmidhuber and Fred Cummins added the third
# gate, to let it *learn to forget*.

# %% [markdown] name="by-hand"
# ### On paper
#
# One cell, four steps, and the gates nearly as one would wish. First a marked 0.8 is read: the input gate is 1, and
# $g = \tanh 0.8 = 0.664$. Then two numbers that do not matter: the input gate is 0, and the forget gate is 0.9. Then a marked 0.3,
# with $g = \tanh 0.3 = 0.291$ and both gates 1:
#
# $$c_1 = 0.664, \qquad c_2 = 0.9 \cdot 0.664 = 0.598, \qquad c_3 = 0.538, \qquad c_4 = 0.538 + 0.291 = 0.829$$
#
# (The sum of the marked numbers is 1.1. That $\tanh$ squeezes, and that a fifth of the first has leaked out, is for the readout to
# put right.)
# And back: $\partial c_4/\partial c_1$ is the product of the forget gates, $1 \cdot 0.9 \cdot 0.9 = 0.81$. No matrix, no slope of
# $\tanh$. There is a second way back, through $h$ and the gates, and on it the matrices wait as ever; but there is one without.
# Whoever wants to remember for 37 steps has to keep the forget gate near 1. How near? A gate is $\sigma$ of a sum, and
# at first the sum is about as large as its bias. What is left after 37 steps if the bias is 0, 1 or 3?


# %% name="by-hand-code" predict="σ(0), σ(1) and σ(3), to the 37th power: which of them leave more than a thousandth?"
def four_steps(c1):
    c3 = 0.9 * (0.9 * c1 + 0) + 0  # (2)
    return c3, 1 * c3 + 1 * math.tanh(0.3)  # (2)


c1 = math.tanh(0.8)
assert np.allclose([c1, 0.9 * c1, *four_steps(c1)], [0.664, 0.598, 0.538, 0.829], atol=5e-4)
assert math.isclose((four_steps(c1 + 1e-6)[1] - four_steps(c1)[1]) / 1e-6, 0.81, rel_tol=1e-6)
for bias in (0, 1, 3):
    f = 1 / (1 + math.exp(-bias))
    print(f"forget bias {bias}: f = {f:.3f}, and after 37 steps {f**37:.1e} is left")

# %% [markdown] name="by-hand-words"
# Only the third. Now look at the other door. An input gate with bias 0 is half open, so at first half of *every* number gets in,
# all forty-eight that nobody asked for. With bias $-3$ it is $\sigma(-3) = 0.047$, and the cell stays quiet. Remember these two
# numbers, 3 and $-3$. Which of the two doors do you think matters more for learning?

# %% [markdown] name="step"
# ## One step, and back
#
# Here is (1) to (3) for a batch of $B$ sequences. The four $W$ stand one below the other in one matrix, so do the four $U$, and the
# sums are cut into four afterwards. (The one $b$ is two in the code, because PyTorch's layer has two.) Then back. Let
# the loss pull at $h_t$ with $\partial L/\partial h_t$, and at $c_t$ with what comes from the step after. By (3) the cell has two
# ways to the loss, its own and the one through $h_t$. With $\tanh' = 1 - \tanh^2$:
#
# $$\frac{\partial L}{\partial c_t} \mathrel{+}= \frac{\partial L}{\partial h_t} \odot o \odot (1 - \tanh^2 c_t) \tag{4}$$
#
# Once that is complete, (2) is nothing but products and a sum. In a product each factor's gradient is the other factor times what
# came in. Write $\delta$ for $\partial L/\partial c_t$:
#
# $$\frac{\partial L}{\partial i} = \delta \odot g, \qquad \frac{\partial L}{\partial f} = \delta \odot c_{t-1}, \qquad
#   \frac{\partial L}{\partial g} = \delta \odot i, \qquad \frac{\partial L}{\partial c_{t-1}} = \delta \odot f \tag{5}$$
#
# and $o$ gets $\partial L/\partial h_t \odot \tanh c_t$ from (3). What is left is old: through $\sigma$ with
# $\sigma' = \sigma(1 - \sigma)$, through $\tanh$, and through two linear maps.

# %% name="lstm-step" show="lstm_step" include="groundup.ops.recurrent:lstm_step"
from groundup.ops.recurrent import lstm_step

# %% [markdown] name="step-turn"
# Find the line that the whole lesson is about. It is the last one of `backward`: the old cell gets `d_cell * f`.
#
# **Your turn**: exercise `lstm_step` is the way forward, exercise `lstm_step_backward` the way back.

# %% [markdown] name="sequence"
# ## Fifty steps, and an answer
#
# A sequence is the step in a loop, forward and then backward, as in lesson `char_rnn` (`lstm`, in the helpers below, does that; the
# products of all inputs are one matrix product before the loop). $x_t$ is a pair: the number, and 1 if it is marked or else 0. Of
# all hidden states only the last one is asked for its opinion:
#
# $$y = w \cdot h_T + b \tag{6}$$
#
# The loss is the squared error $(y - \text{sum})^2$, averaged over a batch.

# %% name="adder" show="adder" include="groundup.lessons.p03_lstm.model:init groundup.lessons.p03_lstm.model:adder groundup.ops.losses:mse"
from groundup.lessons.p03_lstm.model import adder, init
from groundup.ops.losses import mse

# %% [markdown] name="check"
# ### Is the gradient right?
#
# In float64, along random directions of all parameters: the slope by nudging, and the one that the gradient predicts. To see it
# fail, open the helpers of `adder`, take `* f` out of the last line of the backward loop in `lstm`, and run this again. (The test of
# this lesson, `groundup check 03`, holds `lstm` and `lstm_step` against PyTorch's layers, too.)

# %% name="gradient-check" tags=["tools"] include="groundup.proof.slopes:compare_slopes groundup.proof.slopes:show_slopes groundup.training.params:map_tree"
# `show_slopes` measures slopes in random directions and compares them with the gradient.
from groundup.training.params import map_tree
from groundup.proof.slopes import compare_slopes, show_slopes

# %% name="gradient-check-run"
rng = np.random.default_rng(0)
small = init(rng, "lstm", hidden=4, start=(-3.0, 3.0), dtype=np.float64)
few, sums = rng.random((3, 6, 2)), rng.random((3, 1))  # any numbers will do for this


def small_loss(params):
    y, backward = adder(params, few)
    loss, loss_backward = mse(y, sums)
    return loss, backward(loss_backward())


assert show_slopes(small_loss, small, rng) < 1e-5

# %% [markdown] name="training"
# ## Train it
#
# New lists for every batch, so nothing can be learned by heart. What is the error of always saying 1? The sum of two numbers,
# each evenly spread from 0 to 1, has the variance $\tfrac1{12} + \tfrac1{12} = \tfrac16$: always saying 1 costs $0.167$ on
# average. We call the problem solved below 0.02.
#
# Our LSTM has 32 cells, 4,641 parameters in all, and the plain networks have 66 hidden numbers, which makes 4,687. The biases begin
# at $-3$ for the input gates and at 3 for the forget gates. Adam, the falling rate and clipping are from lesson `optimizers`.

# %% name="tools" tags=["tools"] include="groundup.lessons.p03_lstm.experiment:adding groundup.training.optim:adam groundup.training.optim:cosine groundup.training.optim:clip_by_global_norm groundup.training.streams:random_stream"
# `adding` draws lists with two marks; Adam with a schedule and clipping, and random numbers by name.
from groundup.lessons.p03_lstm.experiment import adding
from groundup.training.optim import adam, clip_by_global_norm, cosine
from groundup.training.streams import random_stream

# %% name="train-start" tags=["tools"]
# The start, 500 lists to watch and 2,000 to judge by, and `error` on some of them.
params = init(random_stream(0, "parameters", "LSTM"), "lstm", hidden=32, start=(-3.0, 3.0))
untrained = map_tree(np.copy, params)
watched, test = adding(random_stream(0, "watched"), 500, 50), adding(random_stream(0, "test"), 2000, 50)
history = {"step": [0], "LSTM": [float(mse(adder(params, watched["x"])[0], watched["wanted"])[0])]}


def error(params, examples):
    return float(mse(adder(params, examples["x"])[0], examples["wanted"])[0])


# %% name="train"
lists = random_stream(0, "training", "LSTM")
optimiser, rate = adam(), cosine(0.02, 600, warmup=20)
averages = optimiser.init(params)
for step in range(600):
    batch = adding(lists, batch=32, length=50)
    y, backward = adder(params, batch["x"])
    loss, loss_backward = mse(y, batch["wanted"])
    gradients, _ = clip_by_global_norm(backward(loss_backward()), 1.0)
    optimiser.update(params, gradients, averages, rate(step))
    if (step + 1) % 25 == 0:
        history["step"].append(step + 1)
        history["LSTM"].append(error(params, watched))

# %% name="train-result" measures="adding=error(params, test)"
guess = float(mse(np.ones_like(test["wanted"]), test["wanted"])[0])
print(f"on 2,000 new lists: LSTM {error(params, test):.4f}, always 1: {guess:.4f}")

# %% name="learning-picture" predict="Four networks with equally many numbers: which of them learn it in 600 steps?" alt="Squared error on held-out lists against the step, on a logarithmic scale, for the LSTM, the plain tanh network, a ReLU network that begins as the identity, and the GRU."
others = measured("p03_lstm", "curves/tanh", "curves/ReLU, identity", "curves/GRU")
errors = {"LSTM": history["LSTM"], **{name.removeprefix("curves/"): one["held out"] for name, one in others.items()}}
fig, axes = figure(6.8, 3.4)
curves(axes, history["step"], errors, "step", "squared error", "Learning to add two numbers out of fifty")
axes.axhline(1 / 6, color="#8b939e", linewidth=1, linestyle=":")
axes.set_yscale("log")

# %% [markdown] name="learning-words"
# Only the tanh network learns nothing; its line stays at that of always saying 1. But look at the ReLU network: it has no gate at
# all. It begins with $U$ equal to the identity, a trick of Quoc Le, Navdeep Jaitly and Geoffrey Hinton
# ([2015](https://arxiv.org/abs/1504.00941)): then $h_t = h_{t-1}$ plus something new, a sum again, and its slope is 1 wherever the
# ReLU is open. So it is not the gates that let the gradient through; it is the sum. What the gates add is a choice of what goes
# in. (The fourth network, the GRU, comes below.)

# %% [markdown] name="watching"
# ## Watch the doors
#
# What has it learned to do? Follow one list through the trained network. Of its 32 cells the picture takes the one whose value,
# half-way, follows the first marked number most closely, and draws two of its gates and that value.

# %% name="gates-tools" tags=["tools"] include="groundup.lessons.p03_lstm.experiment:gates"
# `gates` gives i, f, g, o and c at every step of one list.
from groundup.lessons.p03_lstm.experiment import gates

# %% name="keeper" tags=["tools"]
# `keeper` is the cell that follows the first marked number most closely, half-way through 200 lists.
seen = [gates(params, test["x"][row : row + 1]) for row in range(200)]
halfway = np.stack([one["cell"][24] for one in seen])
first = (test["x"][:200, :25, 0] * test["x"][:200, :25, 1]).sum(axis=1)
keeper = int(np.argmax(np.abs(np.corrcoef(halfway.T, first)[-1, :-1])))


# %% name="gates-picture" alt="Over the fifty steps of one list: the marked places, the input gate, which opens there, the forget gate, which stays near 1, and the value of the cell, which jumps at the marks and is kept between; a slider over lists."
def watch(axes, row):
    x, one = test["x"][row], seen[row]
    shown = {"input gate": one["i"], "forget gate": one["f"], "cell": one["cell"]}
    lines = {name: values[:, keeper] for name, values in shown.items()}
    said = adder(params, x[None])[0][0, 0]
    title = f"List {row}: the sum is {test['wanted'][row, 0]:.2f}, it says {said:.2f}"
    curves(axes, range(50), lines, "step", "value", title)
    axes.legend(loc="center right")
    for place in np.flatnonzero(x[:, 1]):
        axes.axvline(place, color="#8b939e", linewidth=1, linestyle=":")


fig = frames("list", list(range(8)), watch, shown=(0, 1))

# %% [markdown] name="watching-words"
# The dotted lines are the marks. Before the first one nothing happens; at a mark the cell takes a step, and between the marks it
# stands nearly still while the numbers rush past. That is short-term memory that is long.

# %% [markdown] name="gradient"
# ## How far does the gradient get?
#
# Everything above rests on gradients that arrive. Do they? For each list, take the gradient of its error with respect to the
# whole state ($h$ and $c$ together) at the end, and then 1, 2, … 49 steps earlier. How many times longer or shorter is it there
# than at the end (where it is that of $h$ alone, for nothing asks for the last $c$)? Such curves are often drawn by multiplying a
# number with itself. This one is measured: on the network
# above before and after training, on the ReLU network, and on two tanh networks. (The second of them begins with an orthogonal
# matrix, which makes no vector longer or shorter; the slopes of $\tanh$ do.)

# %% name="gradient-tools" tags=["tools"] include="groundup.lessons.p03_lstm.experiment:gradient_by_lag"
# `gradient_by_lag`: the median over lists.
from groundup.lessons.p03_lstm.experiment import gradient_by_lag

# %% name="gradient-picture" predict="The LSTM before training: does more or less of its gradient arrive than after training?" alt="The share of the gradient that is left so many steps back, on a logarithmic scale, for the LSTM trained and untrained, the ReLU network and two tanh networks."
reach = {"LSTM": gradient_by_lag(params, test), "LSTM, untrained": gradient_by_lag(untrained, test)}
kept = measured("p03_lstm", "arrays/reach")["arrays/reach"]
reach |= {name: np.array(kept[name]) for name in ("ReLU, identity", "tanh, orthogonal", "tanh")}
fig, axes = figure(6.8, 3.6)
curves(axes, range(50), reach, "steps back", "share of the gradient", "What is left of a gradient")
axes.set_yscale("log")
axes.set_ylim(1e-10, 10)

# %% [markdown] name="gradient-words"
# After training, as much arrives at the beginning of the list as has left its end. Before training it fades, in the long run by
# about the forget gates' $\sigma(3) = 0.953$ a step. The ReLU network's grows by half. Of the tanh networks' gradients little more than a hundredth is left after a dozen steps at
# best, and less than a thousandth half-way. That is Hochreiter's finding of 1991. (It is no law: with
# an optimiser that divides by curvature James Martens and Ilya Sutskever taught tanh networks such tasks
# in 2011. With Adam and 600 steps they do not learn ours.)

# %% [markdown] name="break-it"
# ## Break it: exchange memories
#
# The state has two parts. Which of them keeps the number? Let the network read two lists up to the middle, when each has had its
# first marked number. Now exchange the two cell states, leave the hidden states where they are, and read on. If the number is in the
# cells, each list's answer will now be its second number and the *other* list's first. Then do the same with the hidden states.
#
# We do it with 2,000 lists and look at a slope: by how much does the answer change for each 1 by which the exchanged numbers differ?

# %% name="break-it-tools" tags=["tools"] include="groundup.lessons.p03_lstm.experiment:moved_memory"
# `moved_memory` exchanges a part of the state and gives the slope.
from groundup.lessons.p03_lstm.experiment import moved_memory

# %% name="break-it-code" measures="memory=moved_memory(params, test, 'cell')" predict="Two slopes between 0 and 1: which one belongs to the cell state, and how near to 1 is it?"
for part in ("cell", "hidden"):
    print(f"exchange the {part:6}: {moved_memory(params, test, part):.2f} of the first number moves with it")

# %% [markdown] name="break-it-cells"
# The whole number moves with the cell state, and none of it with the hidden state. And how many of the 32 cells does it take? Exchange
# one cell at a time.

# %% name="break-it-single" predict="Exchange one cell of the 32: what is the most that a single one can carry?" alt="What each of the 32 cells carries alone: a bar for each."
alone = [moved_memory(params, test, "cell", np.array([cell])) for cell in range(32)]
fig, axes = figure(6.8, 2.6)
axes.bar(range(32), alone, color="#135bae")
describe(axes, "cell", "share that moves with it", "What each cell carries alone")
best = int(np.argmax(alone))
print(f"cell {best} carries {alone[best]:.2f} of the number, the next best {sorted(alone)[-2]:.2f}")
print(f"the picture of the doors shows cell {keeper}")
assert best == keeper

# %% [markdown] name="break-it-words"
# One cell. It carries the whole number, the 31 others nothing, and it is the one in the picture of the doors. In three of the
# experiment's five trainings it is one cell; in the two others it is two that share the number. Nobody told the network to keep one
# thing in one place. In lesson `char_rnn`, on real text, it was not so tidy.
#
# **Three things that people believe.** *"The hidden state is the memory."* Here it carries nothing over; it is made anew
# from the cells at every step, and only the gates of one step read it. *"Gates are what keeps a gradient alive."* The ReLU network has none, and its gradient arrives. *"An LSTM's gradient
# cannot vanish."* With forget gates that begin half open it does: $0.5^{37}$.

# %% [markdown] name="start"
# ## How should a cell begin?
#
# You were asked which door matters more for learning. Here are six LSTMs that begin in different ways. The last one has forget gates
# that are 1 and stay 1, as in 1997. All get 600 steps:

# %% name="start-table" tags=["tools"] predict="Input gates nearly shut, forget gates nearly open, both, or neither: which of these LSTMs learn it?"
# How each start ends, and how many steps it takes to come below 0.02.
names = {
    "LSTM": "input gates −3, forget gates 3",
    "forget bias 3": "forget gates 3",
    "forget bias 1": "forget gates 1",
    "input bias -3": "input gates −3",
    "as PyTorch begins": "all near 0, drawn at random",
    "never forgets": "input gates −3, no forgetting",
}
table = measured("p03_lstm", "metrics/squared error", "metrics/steps until solved")
for name, words in names.items():
    solved = table["metrics/steps until solved"].get(name)
    when = f"solved after {solved:.0f} steps" if solved else "not solved in 600"
    print(f"{words:31} error {table['metrics/squared error'][name]:.4f}, {when}")

# %% [markdown] name="start-words"
# Neither door alone will do. With open forget gates and input gates at half, the cell keeps everything, the forty-eight numbers too,
# and drowns in them. With shut input gates and forget gates at half it is left in peace, and forgets. One door alone fails in all five
# trainings that the experiment makes, and both together never do. PyTorch's own start, all biases near 0, comes through in one of
# the five. The authors of
# 1997 knew the first door well: they begin with input gates that are nearly shut, against what they call drift.
#
# And the last line? The cell that cannot forget is *quicker* than ours, in every one of the five. Nothing in our lists ever has to be
# forgotten, and a gate that need not be learned cannot be got wrong. A text is another matter.

# %% [markdown] name="gru"
# ## Two doors instead of three: the GRU
#
# In 2014 Kyunghyun Cho and colleagues made do with less. Their **gated recurrent unit** has one state. An *update
# gate* $z$ is both doors at once: what it does not keep of the old, it takes from a proposal $n$. A *reset gate* $r$ says how much of
# the old state the proposal gets to see:
#
# $$r,\ z = \sigma(W x_t + U h_{t-1} + b), \qquad n = \tanh\big(W x_t + b + r \odot (U h_{t-1} + b')\big), \qquad
#   h_t = (1 - z) \odot n + z \odot h_{t-1} \tag{7}$$
#
# (Each with a $W$, a $U$ and a $b$ of its own, again.) On paper: with $h_{t-1} = 0.6$, $n = -0.4$ and $z = 0.75$ the new state is $0.25 \cdot (-0.4) + 0.75 \cdot 0.6 = 0.35$, and of
# the gradient $0.75$ goes straight to the old state, with no matrix in between. Can you see the sum? (This is PyTorch's form, with
# two biases for $n$. In the paper $r$ multiplies the state *before* the matrix, $U(r \odot h_{t-1})$.)

# %% name="gru-code" beside="gru_step" show="gru_step" include="groundup.ops.recurrent:gru_step"
from groundup.ops.recurrent import gru_step

# %% name="gru-by-hand"
zeros, open_at = np.zeros((3, 1)), np.log(0.75 / 0.25)  # σ of this is 0.75
bias = np.array([0.0, open_at, np.arctanh(-0.4)])  # r, z, n
new, backward = gru_step(np.zeros((1, 1)), np.array([[0.6]]), zeros, zeros, bias, np.zeros(3))  # (7)
print(f"new state {new[0, 0]:.2f}, and the old one's gradient {backward(np.ones((1, 1)))[1][0, 0]:.2f}")
assert np.isclose(new[0, 0], 0.35)
assert np.isclose(backward(np.ones((1, 1)))[1][0, 0], 0.75)

# %% [markdown] name="gru-turn"
# Go back to the picture of the learning curves: with as many parameters as the LSTM, the GRU was the quickest of all, and nobody set
# its biases; they begin near 0, as PyTorch draws them. We think that this is because $z$ shuts one door as it opens the other.
#
# **Your turn**: exercise `gru_step`, forward and backward.

# %% [markdown] name="peepholes" tags=["second"]
# ## Peepholes
#
# The gates of (1) see the hidden state, and so of the cell only what the output gate lets out. While it is shut, they are blind to
# the very thing they guard. Gers and Schmidhuber gave them *peepholes* in 2000, a weight for each cell: the input and the forget
# gate see the old cell, the output gate the new one,
#
# $$i = \sigma(\dots + p_i \odot c_{t-1}), \qquad f = \sigma(\dots + p_f \odot c_{t-1}), \qquad
#   o = \sigma(\dots + p_o \odot c_t) \tag{8}$$
#
# Backward the cell has a third way to the loss, through the output gate, and it has to be walked first. Their networks learned to
# tell apart spikes that come every 49 or every 50 steps. When Klaus Greff and colleagues compared eight variants of the LSTM in
# 5,400 trainings ([2015](https://arxiv.org/abs/1503.04069)), peepholes made no difference that they could see; PyTorch has none.

# %% name="peephole-code" show="peephole_step" include="groundup.lessons.p03_lstm.model:peephole_step"
from groundup.lessons.p03_lstm.model import peephole_step

# %% [markdown] name="peephole-turn"
# **Your turn**: exercise `peephole_step_backward`, for those who like a hard one.

# %% [markdown] name="findings" tags=["findings"]
# ## Measured
#
# The findings of this lesson, measured at full size over several seeds, stand here in the built notebook. To measure
# them yourself: `groundup run 03`.

# %% [markdown] name="findings-words"
# The adding problem is from the paper of 1997 (its numbers lie between $-1$ and 1, and an answer counts as right if it is off by
# less than 0.04 after scaling the sum to a range of 1). There the lists had up to a thousand numbers. Ours has fifty, so that
# it can be trained while you read. What this toy cannot show: language. There nobody marks what will matter, and much has to be
# forgotten again, which nothing in our lists ever has.

# %% [markdown] name="take-away"
# ## What to take away
#
# - A sum keeps what is in it, and its gradient. That is the whole idea; the cell is a sum.
# - Gates decide what goes in, what stays and what is shown. They are $\sigma$ of what is read and of $h$.
# - Backward the old cell gets $\delta \odot f$: no matrix, no slope of $\tanh$. (The way through $h$ has them still.)
# - How gates begin decides how soon anything is learned: forget gates nearly open, input gates nearly shut. (Here a forget gate fixed
#   at 1 was quicker still.)
# - The memory is in $c$. Exchange it, and the memory moves with it.
# - Whether this task takes gates at all our five trainings cannot tell: a ReLU network that begins as the identity comes close. Name
#   it before you praise gates.
#
# **Asked in interviews**
#
# - *Why does an LSTM's gradient not vanish?* The cell is updated by a sum, so going back one step along it multiplies by the forget
#   gate, element by element, and that can stay near 1. In a plain network it is a matrix and a slope of $\tanh$. The LSTM has that
#   way too, through $h$ and the gates; but it does not depend on it.
# - *What are the three gates for?* Input: how much of the candidate is written. Forget: how much of the old cell is kept.
#   Output: how much of the cell is shown as $h$.
# - *How many parameters does an LSTM layer have?* With inputs of width $D$ and $H$ cells $4(DH + H^2 + H)$, and $4H$ more in PyTorch, which
#   has two biases.
# - *How does a GRU differ?* One state, two gates; keeping and taking are one gate $z$ and $1 - z$. Three quarters of the parameters.
# - *Which initialisation matters for an LSTM?* The biases of the gates: forget gates open, so that gradients get through from the
#   start, and input gates shut where most of the input does not matter.
#
# **Try**: set `start=(0.0, 0.0)` (input gates, forget gates) in the cell behind *The start, 500 lists to watch*, train, and look at the gradient again. Let it read lists of a hundred: does what it
# learned at fifty still work? Mark three numbers instead of two, without training again.
#
# **Where it leads**: lesson `tiny_decoder` and lesson `attention_is_all_you_need` keep everything and look it up, instead of
# carrying it along; both have an LSTM as their rival.

# %% [markdown] name="torch" tags=["torch"]
# ## In PyTorch
#
# `nn.LSTM` is the loop, in C++, and autograd its backward. What does it hide? The four blocks of rows, in the order $i$, $f$, $g$,
# $o$; that there are two biases, which are added, so that a forget bias of 3 in each would make 6; and that both begin at random
# near 0. There is no option for another start: one writes into the parameters, as here.

# %% name="torch-imports" tags=["torch"]
import torch
from torch import Tensor, nn
from torch.nn import functional as F

# %% name="twin" tags=["torch"] show="Adder" include="groundup.lessons.p03_lstm.twin:Adder groundup.lessons.p03_lstm.twin:squared_error groundup.lessons.p03_lstm.experiment:adding groundup.training.optim:cosine groundup.training.streams:random_stream"
from groundup.lessons.p03_lstm.experiment import adding
from groundup.lessons.p03_lstm.twin import Adder, squared_error
from groundup.training.optim import cosine
from groundup.training.streams import random_stream

# %% [markdown] name="twin-words" tags=["torch"]
# The same training as above: the same lists in the same order, Adam, the falling rate, the same clipping. (The weights begin
# elsewhere, for PyTorch draws its own.)

# %% name="twin-train" tags=["torch"]
torch.manual_seed(0)
model = Adder("lstm", hidden=32, start=(-3.0, 3.0))
optimizer = torch.optim.Adam(model.parameters(), lr=1.0)
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, cosine(0.02, 600, warmup=20))
lists, seen = random_stream(0, "training", "LSTM"), []
for step in range(600):
    batch = {name: torch.from_numpy(part) for name, part in adding(lists, batch=32, length=50).items()}
    loss = squared_error(model(batch["x"]), batch["wanted"])
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    scheduler.step()
    seen.append(loss.item())

# %% name="twin-curve" tags=["torch"] alt="Squared error of the PyTorch network on its batches against the step, on a logarithmic scale."
fig, axes = figure(6.8, 2.8)
curves(axes, range(1, 601), {"batch": seen}, "step", "squared error", "The PyTorch network in training")
axes.axhline(1 / 6, color="#8b939e", linewidth=1, linestyle=":")
axes.set_yscale("log")

# %% [markdown] name="packed" tags=["torch"]
# ### Lists of different lengths
#
# In a batch all sequences are equally long, so short ones are filled up at the end. But the last hidden state of a short one is
# then that *after* the filling. `pack_padded_sequence` takes a sequence out of the batch when it has ended, and gives the state at
# its own last step; a mask does the same by hand. Look what is at stake:

# %% name="packed-code" tags=["torch"]
lengths = torch.tensor([50, 20])
x = torch.from_numpy(adding(np.random.default_rng(0), 2, 50)["x"])
layer = model.get_submodule("lstm")
packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True)
with torch.no_grad():
    _, (right, _) = layer(packed)
    outputs, (wrong, _) = layer(x)
assert torch.allclose(right[0], outputs[torch.arange(2), lengths - 1], atol=1e-6)
print(
    "after the filling instead of at its end, the short one's h is off by", f"{(wrong - right)[0, 1].abs().max():.2f}"
)

# %% [markdown] name="packed-turn" tags=["torch"]
# **Your turn**: exercise `lstm_padded_torch` writes the mask.
