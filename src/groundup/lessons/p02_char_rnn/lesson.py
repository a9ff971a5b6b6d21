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
#     title: The unreasonable effectiveness of recurrent networks
# ---

# %% [markdown] name="title"
# # The unreasonable effectiveness of recurrent networks
#
# *Andrej Karpathy, [The Unreasonable Effectiveness of Recurrent Neural Networks](https://karpathy.github.io/2015/05/21/rnn-effectiveness/), 2015*
#
# A network reads Jane Austen, one character at a time, and guesses the next one. That is all it is trained for; nobody
# tells it that there are words. Now and then we let it write.

# %% name="imports" tags=["shared"]
import math
import textwrap

import numpy as np

# %% name="tools-figures" tags=["shared", "tools"] include="groundup.plots:figure groundup.plots:curves groundup.plots:describe groundup.plots:frames groundup.plots:printable groundup.data.measured:measured"
# Figures, curves and sliders in one style; `measured` gives what the experiment of this lesson found.
from groundup.data.measured import measured
from groundup.plots import curves, describe, figure, frames, printable

# %% name="opening" tags=["tools"]
# What it writes after 0, 100, 300 and 1,200 steps.
written = measured("p02_char_rnn", "metrics/samples while learning")["metrics/samples while learning"]
for step in ("0", "100", "300", "1200"):
    print(f"after {step} steps:\n{written[step]}\n")

# %% [markdown] name="question"
# First noise. After a hundred steps there are words, or things as long as words, and some are real. Then a Mr., then a whole
# Mr. Knight and a bride. It took less than a minute of one processor core.
#
# In May 2015 Andrej Karpathy, then a student at Stanford, wrote a post about this. He trained such networks on
# Shakespeare, on LaTeX and on the source of Linux, printed what they wrote, and admitted that it still amused him. The post
# became famous, and it gives hardly any numbers. So let us ask for some:
#
# **How well does the network know English, what does it keep in mind, and from how far back can it learn?**
#
# The answers will not all be flattering. You will build the network, derive how a gradient travels back through time, and
# train it on six novels. Then you will put it beside a rival that only counts.

# %% [markdown] name="guessing"
# ## How good is a guess?
#
# After `handsome, clever, and ric` you would bet on `h`. A model of language puts a probability on every character that
# could come next. If it gave the character that did come the probability $p$, it needed $-\log_2 p$ **bits** for it. For a
# certainty that is 0 bits, for a fair coin 1 bit; with 80 characters that all seem equally likely it is
# $\log_2 80 = 6.32$ bits. The average over a text that the model has never seen is its score. It is more than a score: with
# a good code, a text of $N$ characters can be stored in about $N$ times its score in bits, for what is likely gets a short
# code and what is unlikely a long one. Whoever predicts well compresses well.

# %% [markdown] name="people" margin="yes"
# And people? Claude Shannon let them guess English letter by letter, and put what they need between 0.6 and 1.3 bits a
# letter ([1951](https://doi.org/10.1002/j.1538-7305.1951.tb01366.x)). His text had 26 letters and the space; capitals and
# punctuation, as in ours, need more.

# %% [markdown] name="on-paper"
# On paper: a model gives the three letters of `the` the probabilities $\tfrac12$, $\tfrac14$ and $\tfrac12$. It needs
# $1 + 2 + 1 = 4$ bits for the word, $1.33$ bits per character. What would it need if it had been sure of a wrong letter,
# with $p = 0$ for the right one? Infinitely many. A model of language must never be certain.

# %% name="guessing-numbers"
bits = -np.log2([1 / 2, 1 / 4, 1 / 2])
print(f"{bits} bits, {bits.sum()} in all, {bits.mean():.2f} per character; an even guess among 80: {math.log2(80):.2f}")
assert bits.sum() == 4
assert round(bits.mean(), 2) == 1.33
assert round(math.log2(80), 2) == 6.32

# %% [markdown] name="memory"
# ## A network with a memory
#
# To bet on the last letter of *rich* you must remember `ric`, and that you are in a list of good things. A **recurrent network**
# keeps a vector of numbers for what it remembers, its **hidden state** $h$; each of the numbers is called a **cell**. At every
# character it makes a new state, out of the old one and of the character:
#
# $$h_t = \tanh(W_{ih}\,x_t + b_{ih} + W_{hh}\,h_{t-1} + b_{hh}) \tag{1}$$
#
# Here $t$ counts characters. $x_t$ is a vector that stands for character $t$: each of the 80 characters has one, a row of a
# table that is learned like any other parameter (and one more row serves all characters that training did not have). Such a
# row is called an **embedding**. $W_{ih}$ (*input to hidden*) and
# $W_{hh}$ (*hidden to hidden*) are matrices. The two biases could be one; there are two because PyTorch's layer has two. And
# $\tanh$ bends every sum into the range from $-1$ to 1, so that memory cannot grow without limit. From the state a linear layer makes logits $z_t$, and softmax makes
# probabilities of them (lesson `numpy_and_pytorch` has both):
#
# $$z_t = W_{o}\,h_t + b_{o}, \qquad p_t = \operatorname{softmax}(z_t) \tag{2}$$
#
# ![Four steps of the network: each reads a letter, makes its hidden state from it and from the state before, and bets on the next letter; gradients run back from every bet and from step to step.](diagram:unrolled)
#
# It is *one* network, drawn four times: the same three matrices serve at every step. So it can read a text of any length.
# And so every matrix was used many times, and its gradient is a sum over all those uses.

# %% [markdown] name="by-hand"
# ## Two steps on paper
#
# Let everything be a single number. The inputs are $x_1 = 1$ and $x_2 = 0.5$, the weights $w = 0.5$ (for the input) and
# $u = 0.8$ (for the memory), there are no biases, and $h_0 = 0$. At the end we want 1: the loss is
# $L = \tfrac12 (h_2 - 1)^2$. Write $a_t$ for what stands inside the $\tanh$. Forward:
#
# $$a_1 = 0.5 \cdot 1 = 0.5, \quad h_1 = \tanh 0.5 = 0.46212, \qquad
#   a_2 = 0.5 \cdot 0.5 + 0.8 \cdot 0.46212 = 0.6197, \quad h_2 = \tanh 0.6197 = 0.5509$$
#
# Backward we need the slope of $\tanh$. It is $1 - \tanh^2$: at $a_2$ it is $1 - 0.5509^2 = 0.6965$, and at $a_1$ it
# is $1 - 0.46212^2 = 0.7864$. Now walk back, one factor at a time. The loss pulls at $h_2$ with $h_2 - 1 = -0.4491$. Through the
# $\tanh$ that becomes the gradient of $a_2$. From $a_2$ to $h_1$ there is a factor $u$, and then another slope of $\tanh$:
#
# $$\frac{\partial L}{\partial a_2} = (h_2 - 1)(1 - h_2^2) = -0.3128, \qquad
#   \frac{\partial L}{\partial a_1} = \frac{\partial L}{\partial a_2}\, u\,(1 - h_1^2) = -0.3128 \cdot 0.8 \cdot 0.7864 = -0.1968 \tag{3}$$
#
# The weight $w$ was used twice, once with each input, so its gradient is a sum of two terms:
# $\partial L/\partial w = -0.3128 \cdot 0.5 - 0.1968 \cdot 1 = -0.3532$. The memory's weight met $h_1$ and $h_0 = 0$:
# $\partial L/\partial u = -0.31278 \cdot 0.46212 = -0.1445$.
#
# Look at (3) once more, for it holds the fate of these networks. Each step back multiplies the gradient by $u(1 - h^2)$,
# here by $0.8 \cdot 0.7864 = 0.63$. What is left of it after ten steps? After fifty?


# %% name="by-hand-numbers" predict="0.63 to the tenth power: is it nearer to a tenth or to a hundredth?"
def two_steps(w, u):
    h1 = math.tanh(w * 1.0)  # (1)
    h2 = math.tanh(w * 0.5 + u * h1)  # (1)
    return h1, h2, 0.5 * (h2 - 1) ** 2


h1, h2, loss = two_steps(0.5, 0.8)
da2 = (h2 - 1) * (1 - h2**2)  # (3)
da1 = da2 * 0.8 * (1 - h1**2)  # (3)
dw, du = da2 * 0.5 + da1 * 1.0, da2 * h1
assert np.allclose([h1, h2, da2, da1, dw, du], [0.46212, 0.5509, -0.3128, -0.1968, -0.3532, -0.1445], atol=5e-5)

nudge = 1e-6
slope_w = (two_steps(0.5 + nudge, 0.8)[2] - two_steps(0.5 - nudge, 0.8)[2]) / (2 * nudge)
slope_u = (two_steps(0.5, 0.8 + nudge)[2] - two_steps(0.5, 0.8 - nudge)[2]) / (2 * nudge)
print(f"by nudges: dL/dw = {slope_w:.4f}, dL/du = {slope_u:.4f}")
print(f"0.63 to the 10th is {0.63**10:.4f}, to the 50th {0.63**50:.0e}")

# %% [markdown] name="step"
# ## One step, with vectors
#
# The same with $B$ readers at once, each somewhere else in the text. `x` is $(B, \text{in})$, where "in" is the length of an
# embedding, and `hidden` is $(B, H)$. In a formula a vector is a column; in code it is a row, one for each reader, so
# that $W h$ is written `h @ W.T`, and $W^\top \delta$ on the way back `d @ W`.
#
# As everywhere in these lessons, the function returns its value and a closure `backward`. The two factors of (3) are in
# it: the slope of $\tanh$, and then, in `_linear_gradients` below it, the matrices.

# %% name="rnn-step" show="_linear_gradients rnn_step" include="groundup.ops.recurrent:rnn_step"
from groundup.ops.recurrent import rnn_step

# %% [markdown] name="step-turn"
# **Your turn**: exercise `rnn_step` is this step; exercise `embedding` is the table from which `x` comes.

# %% [markdown] name="bptt"
# ## Back-propagation through time
#
# A text is the step, again and again. Call $\delta_t$ the whole gradient that reaches $h_t$. It comes from two sides. The
# bet at $t$ has its own loss $L_t$ and pulls directly. And $h_t$ also lives on in $h_{t+1}$, so everything that later bets
# have to say comes back through that step, by the two factors of (3):
#
# $$\delta_t = \frac{\partial L_t}{\partial h_t} + W_{hh}^\top\big(\delta_{t+1} \odot (1 - h_{t+1}^2)\big) \tag{4}$$
#
# ($\odot$ multiplies element by element.) Once all $\delta_t$ are known, the matrices get their gradients as sums over the
# steps:
#
# $$\frac{\partial L}{\partial W_{hh}} = \sum_t \big(\delta_t \odot (1 - h_t^2)\big)\,h_{t-1}^\top$$
#
# Only (4) has to go step by step; the sums are one large matrix product at the end. This is *back-propagation through time*,
# as Paul Werbos called it in [1990](https://doi.org/10.1109/5.58337).
#
# A novel has hundreds of thousands of characters, and going back needs the state after each of them. So we cut the text into
# segments of $T$ characters. The state is carried over a cut; the gradient stops there. This is *truncated* back-propagation through
# time. What does it limit, what the network can remember, or what it can be *taught* to remember?
#
# ![Two segments of four steps: the hidden state is carried over the cut between them, the gradient stops there.](diagram:truncated)

# %% name="rnn" beside="rnn" include="groundup.ops.recurrent:rnn"
from groundup.ops.recurrent import rnn

# %% [markdown] name="bptt-turn"
# Truncation limits what can be taught. The state itself goes on over every cut.
#
# **Your turn**: exercise `rnn_backward` asks for (4) alone. Many know it by name, and few have ever written it.

# %% [markdown] name="model"
# ## The model
#
# Characters come in as whole numbers, the table gives each its vector, the network reads, and a linear layer makes the
# logits of (2). With cross-entropy behind it that is all. Half the lines are `backward`, which calls the closures in reverse
# order. (`_l0` means layer number 0: PyTorch counts layers, and we have one.)
#
# Ours will be small: 256 cells, and 81 rows of 64 numbers in the table. How many parameters is that? Count them; the training
# will tell.

# %% name="char-rnn" show="char_rnn" include="groundup.lessons.p02_char_rnn.model:init groundup.lessons.p02_char_rnn.model:char_rnn groundup.lessons.p02_char_rnn.model:next_character_loss"
from groundup.lessons.p02_char_rnn.model import char_rnn, init, next_character_loss

# %% [markdown] name="check"
# ### Is the gradient right?
#
# Never believe a derivative. In float64, go a tiny bit both ways along a random direction in the space of all parameters,
# and compare the slope with the one that the gradient predicts. Then take `d_hidden +` out of (4) in `rnn` above, so that
# only the direct pull is left, and run this again.

# %% name="gradient-check" tags=["tools"] include="groundup.proof.slopes:compare_slopes groundup.proof.slopes:show_slopes groundup.training.params:map_tree"
# `show_slopes` measures slopes in random directions and compares them with the gradient.
from groundup.training.params import map_tree
from groundup.proof.slopes import compare_slopes, show_slopes

# %% name="gradient-check-run"
rng = np.random.default_rng(0)
small = init(rng, vocabulary=7, width=3, hidden=5, dtype=np.float64)
tokens, state = rng.integers(7, size=(2, 6)), rng.normal(size=(2, 5)) * 0.5


def small_loss(params):
    (logits, last), backward = char_rnn(params, tokens[:, :-1], state)
    loss, loss_backward = next_character_loss(logits, tokens[:, 1:])
    return loss, backward(loss_backward(), np.zeros_like(last))


assert show_slopes(small_loss, small, rng) < 1e-5

# %% [markdown] name="text-words"
# ## Six novels, and a rival that counts
#
# The text is Jane Austen's six novels, four million characters. From each novel the last tenth is held out. To save time we
# read only some of that: 10,000 characters of each novel to watch while we work, and 10,000 others to judge at the end. Any
# text will do, yours too: `groundup run 02 --text FILE`.

# %% name="text" tags=["shared", "tools"] include="groundup.data.text:novels groundup.data.text:parts groundup.data.text:words groundup.data.text:build_vocabulary groundup.data.text:encode groundup.data.text:decode"
# The novels, cut into training and held-out parts, their characters as numbers, and the words of a text.
from groundup.data.text import build_vocabulary, decode, encode, novels, parts, words

# %% name="text-parts" tags=["shared"]
train_text, validation_text, test_text = parts(novels())
vocabulary = build_vocabulary(train_text)
train, validation, test = (encode(part, vocabulary) for part in (train_text, validation_text, test_text))
print(f"{len(train):,} characters to train on, {len(test):,} to test")
print(f"{len(vocabulary) - 1} different characters, and one number more for all others")
print(train_text[49:].split("\n\n")[0])

# %% [markdown] name="counting"
# What would you do without a network? In 1948 Claude Shannon did it with a book and a pencil: look where the last two
# letters occurred before, and see what followed. A table of how often each character followed each $n - 1$ others is called
# an **$n$-gram** model: a 3-gram sees two characters and bets on the third.
#
# What if it has met these two only a few times? Then the shorter table has a say. Suppose that `ri` was followed ten times,
# by three different characters, and six times by `c`. The rule of Witten and Bell (1991) adds as many votes as there were
# different characters, here three, and the 2-gram casts them. If that gives `c` after `i` the probability 0.1, the 3-gram
# gives it $\frac{6 + 3 \cdot 0.1}{10 + 3} = 0.48$. The 2-gram has got help from the 1-gram in the same way; and where `ri` never
# occurred, the 2-gram decides alone.
#
# The longer the context, the better the bet, and the larger the table; until the contexts get so long that hardly any has
# been seen before. Where is the best place to stop? Write down your bet, and one for the network: how many bits per
# character will the best table need, and how many the network?

# %% name="counting-table" tags=["tools"] predict="Which n is best, and how many bits per character does it need?"
# The tables of counts: how much each needs for a character of the test text, and how many numbers it keeps.
ngrams = measured("p02_char_rnn", "metrics/n-grams")["metrics/n-grams"]
tables = {order: ngrams[f"Witten-Bell {order}"] for order in range(1, 8)}
for order, row in tables.items():
    print(f"{order}-gram: {row['bits']:.3f} bits per character, {row['numbers']:9,} numbers")

# %% [markdown] name="training"
# ## Training
#
# Thirty-two readers start at different places of the text. In one step of training each of them reads a segment of 64
# characters, and the state in which it ends is where it begins the next one.
#
# Can (4) also go wrong the other way? If its factors are above 1, the gradient grows from character to character and
# *explodes*. The usual guard is **clipping**: a gradient that is longer than some limit, here 0.25, is shortened to it. Will
# ours explode? We note in `lengths` how long it is before it is clipped.
#
# Clipping, Adam and the falling rate are from lesson `optimizers`. The loss is in nats, which means with natural logarithms;
# divided by $\ln 2$ it is in bits.

# %% name="tools" tags=["tools"] include="groundup.lessons.p02_char_rnn.experiment:streams groundup.training.optim:adam groundup.training.optim:cosine groundup.training.optim:clip_by_global_norm groundup.training.streams:random_stream"
# Streams of characters, Adam with a schedule and clipping, and random numbers by name.
from groundup.lessons.p02_char_rnn.experiment import streams
from groundup.training.optim import adam, clip_by_global_norm, cosine
from groundup.training.streams import random_stream

# %% name="train-start" tags=["tools"]
# The start, and `bits_per_character` of a held-out text.
STEPS, READERS, SEGMENT, HIDDEN, LIMIT = 1200, 32, 64, 256, 0.25
params = init(random_stream(0, "parameters"), len(vocabulary), 64, HIDDEN)
untrained = map_tree(np.copy, params)
history = {"step": [], "training": [], "held out": []}


def bits_per_character(params, tokens):
    length = (len(tokens) - 1) // 16
    windows = tokens[np.arange(16)[:, None] * length + np.arange(length + 1)]  # sixteen readers, a stretch for each
    (logits, _), _ = char_rnn(params, windows[:, :-1], np.zeros((16, HIDDEN), np.float32))
    return float(next_character_loss(logits, windows[:, 1:])[0]) / math.log(2)


# %% name="train"
optimiser, rate = adam(), cosine(4e-3, STEPS, warmup=20)
averages = optimiser.init(params)
hidden, recent, lengths = np.zeros((READERS, HIDDEN), np.float32), [], []
for step in range(1, STEPS + 1):
    batch, restart = streams(train, READERS, SEGMENT, step - 1)
    if restart:  # the readers go back to their beginnings
        hidden = np.zeros_like(hidden)
    (logits, hidden), backward = char_rnn(params, batch["tokens"], hidden)
    loss, loss_backward = next_character_loss(logits, batch["targets"])
    gradients = backward(loss_backward(), np.zeros_like(hidden))  # nothing comes back from the next segment
    gradients, length = clip_by_global_norm(gradients, LIMIT)
    lengths.append(length)
    optimiser.update(params, gradients, averages, rate(step - 1))
    recent.append(float(loss) / math.log(2))
    if step % 100 == 0:
        history["step"].append(step)
        history["training"].append(np.mean(recent))
        history["held out"].append(bits_per_character(params, validation))
        recent.clear()

# %% name="learning-curve" measures="bits=result" alt="Bits per character of training and held-out text against the step, with lines for the tables of counts; the curves end between those of the 4-gram and the 5-gram."
fig, axes = figure(6.8, 3.6)
lines = {"training": history["training"], "held out": history["held out"]}
curves(axes, history["step"], lines, "step", "bits per character", "Learning to write")
axes.set_ylim(1.65, None)
for order in (3, 4, 5, 6):
    axes.axhline(tables[order]["bits"], color="#8b939e", linewidth=1, linestyle=":")
    place, side = (1, tables[order]["bits"]), "top" if order == 6 else "bottom"
    axes.annotate(f"{order}-gram", place, xycoords=("axes fraction", "data"), ha="right", va=side)
result = bits_per_character(params, test)
beaten = [order for order in tables if result < tables[order]["bits"]]
numbers = sum(leaf.size for part in params.values() for leaf in part.values())
print(f"test: {result:.3f} bits per character, with {numbers:,} numbers; it beats the n-grams for n = {beaten}")
longest, clipped = int(np.argmax(lengths)), sum(length > LIMIT for length in lengths)
print(f"gradient: longest in step {longest + 1}, {lengths[longest]:.2f}; in the last step {lengths[-1]:.2f}; ", end="")
print(f"shortened in {clipped:,} of {STEPS:,} steps")

# %% [markdown] name="counting-wins"
# (The training curve is a mean over the hundred steps before, so it lags a little.) The network passes the $n$-grams up to
# $n = 4$ and loses to those that see four characters or more. Counting wins. Is that a defeat? The winning table, the 6-gram,
# keeps 650,903 numbers and the network 108,433: $81 \cdot 64$ in the table of embeddings, $256 \cdot (64 + 256 + 2)$ in (1) and
# $81 \cdot (256 + 1)$ in (2). And the 6-gram has counted the whole text, while the network has read two thirds of it, once.
# (`groundup run 02 --budget long` lets it read five times as long.) But let no one tell you that a network beats counting
# because it is a network. Put the best table beside it, and see.
#
# And the gradient? It never explodes, though clipping shortens it in every single step. So here the guard does something else: it
# makes all gradients equally long. That does little harm, for Adam divides by the size of past gradients, and its step is the same
# when all of them are multiplied by one number.
#
# One thing such a table can never do: a 6-gram knows nothing of what stands six characters back. From how far back can the
# network learn?

# %% [markdown] name="reach"
# ## How far back does it learn?
#
# Take a bet at some place $t$, and follow its gradient back by (4), with no other pulls: $\partial L_t/\partial h_{t-k}$ for
# $k = 0, 1, 2, \dots$ How much of its length is left after $k$ characters? On paper it was a factor of 0.63 a step. Before
# training the matrix is random and small. Will training make the gradient fade faster, or more slowly?

# %% name="reach-tools" tags=["tools"] include="groundup.lessons.p02_char_rnn.experiment:gradient_by_lag groundup.lessons.p02_char_rnn.experiment:lag_left groundup.lessons.p02_char_rnn.experiment:hidden_states"
# `gradient_by_lag` follows gradients back from 200 places; `lag_left` says where less than a hundredth is left.
from groundup.lessons.p02_char_rnn.experiment import gradient_by_lag, hidden_states, lag_left

# %% name="reach-picture" measures="lag=lag_left(faded['trained'])" alt="Length of the gradient against the number of characters back, on a logarithmic scale: straight lines downwards, for the untrained network steeper than for the trained one, and one that rises where the recurrent matrix was tripled."
tripled = map_tree(np.copy, untrained)
tripled["rnn"]["weight_hh_l0"] = 3 * tripled["rnn"]["weight_hh_l0"]
networks = {"trained": params, "untrained": untrained, "untrained, W_hh times 3": tripled}
faded = {name: gradient_by_lag(tree, test, random_stream(0, "lags"), 200) for name, tree in networks.items()}
fig, axes = figure(6.8, 3.6)
rows, title = {name: row[:31] for name, row in faded.items()}, "How much of a gradient is left"
curves(axes, range(31), rows, "characters back", "share of its length", title, log="y")
for name, tree in networks.items():
    factor, slope = faded[name][30] ** (1 / 30), np.mean(1 - hidden_states(tree, test[:10_000]) ** 2)
    print(f"{name + ':':26}times {factor:.2f} for each character; slope of tanh {slope:.2f} on average")
for name in ("trained", "untrained"):
    print(f"{name}: less than a hundredth is left {lag_left(faded[name]):.0f} characters back")

# %% [markdown] name="reach-words"
# On a logarithmic scale, a product of equal factors is a straight line, and straight lines are what you see. This is the
# **vanishing gradient**. Sepp Hochreiter found it in his diploma thesis in Munich in 1991, in German, and few read it;
# Bengio, Simard and Frasconi found it again in 1994. Training pushes the line up, from 0.52 for each
# character to 0.63 (by chance the factor that we had on paper), but it stays a line: from more than a dozen characters back
# hardly anything comes.
#
# With a matrix three times as large the gradient grows. Why by so little, and not by $3 \cdot 0.52 = 1.56$ for each
# character? Larger sums push $\tanh$ to where it is flat, and flatter slopes take back most of what the larger matrix gives. (The
# average slope alone does not tell how much: the gradient lives in those cells whose slope is large.) Training did the
# same: it enlarged the matrix and flattened the slopes. Between fading and exploding lies a narrow ridge, and nothing in (1) keeps the
# network on it. In 1997 Hochreiter and Schmidhuber put a second state into the network, along which the factor is 1
# by construction: that is the LSTM, lesson `lstm`.

# %% [markdown] name="sampling"
# ## Writing
#
# Draw a character from the probabilities, feed it back in, and so on. The **temperature** $\tau$ divides the logits before
# the softmax: $p = \operatorname{softmax}(z/\tau)$. Below 1 the likely gets likelier, and as $\tau \to 0$ only the likeliest is
# left; above 1 the model takes more risks. Which temperature will look most like Austen?
#
# (The code draws with Gumbel's trick: add a certain noise to every logit and take the largest. That picks each character with
# just its softmax probability, and needs no sums. `banned` is the row for characters that training did not have: it is
# never drawn.)

# %% name="generate" show="generate draw" include="groundup.lessons.p02_char_rnn.model:generate"
from groundup.lessons.p02_char_rnn.model import generate

# %% name="temperature-frames" alt="The probabilities of the twelve likeliest characters after a prompt, with a sample of the writing above them, from low temperature, where one character takes all, to high, where all become alike."
prompt = encode("She had a ", vocabulary)
(prompt_logits, _), _ = char_rnn(params, prompt[None], np.zeros((1, HIDDEN), np.float32))
next_logits = prompt_logits[0, -1]
likeliest = np.argsort(-next_logits, kind="stable")[:12]


def at_temperature(axes, temperature):
    powers = np.exp((next_logits - next_logits.max()) / temperature)
    shares = powers / powers.sum()
    sample = decode(generate(params, prompt, 180, temperature, np.random.default_rng(2)), vocabulary)
    lines = [part for line in sample.split("\n") for part in textwrap.wrap(line, 44) or [""]]
    axes.bar(np.arange(12), shares[likeliest], color="#135bae")
    axes.set_xticks(range(12), [printable(decode(likeliest[place : place + 1], vocabulary)) for place in range(12)])
    text = "\n".join(lines[:6]).replace("$", r"\$")
    axes.text(0.98, 0.97, text, transform=axes.transAxes, ha="right", va="top", ma="left", family="monospace")
    axes.set_ylim(0, 1)
    axes.grid(False)
    describe(axes, "next character after “She had a ”", "probability", f"Temperature {temperature}")


fig = frames("temperature", [0.1, 0.3, 0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0, 4.0], at_temperature, shown=(1, 9), start=3)

# %% [markdown] name="sampling-turn"
# At 0.1 it says the safest thing for ever, at 4 anything at all. How much is like Austen? Two things can be counted: how many
# of the words occur in her novels, and by how many bits a character the text surprises the network. Her own held-out text is
# the measure. Does one temperature fit both?

# %% name="known-words" tags=["tools"] predict="Is there a temperature at which words and surprises are both like Austen's?"
# Known words and surprise, in 4,000 characters written at each temperature and in Austen's own held-out text.
known = set(words(train_text))
start = encode("\n", vocabulary)
texts = {
    f"temperature {t}": generate(params, start, 4000, t, np.random.default_rng(0)) for t in (0.3, 0.5, 0.8, 0.9, 1.2)
}
for name, written in {**texts, "Austen herself": test}.items():
    found = [word in known for word in words(decode(written, vocabulary))]
    surprise = bits_per_character(params, written)
    print(f"{name:16}{np.mean(found):5.0%} known words, {surprise:.2f} bits per character")

# %% [markdown] name="draw-turn"
# To spell like her the network has to be cold, and to surprise like her it has to be warm. No temperature gives both; that
# takes a better model.
#
# **Your turn**: exercise `draw` is the temperature; exercise `bits_per_character` is the score.

# %% [markdown] name="cells"
# ## What does a cell keep in mind?
#
# The most famous picture of the post shows single cells at work: one that is on inside of quotation marks, one that counts
# along the line. It is a beautiful picture. Two things are easily overlooked. Those cells belong to an LSTM. And among
# hundreds of cells some will follow anything, by luck.
#
# So be strict. How well a cell follows something is told by their correlation $r$: 1 or $-1$ if one goes exactly with the other,
# 0 if it does not. For each thing that a cell might follow, choose the cell with the largest $|r|$ on one half of
# the test text, and measure it on the *other* half. And do the same with the network before training: random cells
# remember a little, too. Only what rises above that was learned. Quotation marks, the place in the line, the letters since
# the last space, the letters since the last full stop: which of them will our network have found?

# %% name="tracking" tags=["tools"] include="groundup.lessons.p02_char_rnn.experiment:features groundup.lessons.p02_char_rnn.experiment:tracking groundup.lessons.p02_char_rnn.experiment:overwriting"
# `tracking` finds the cell that follows a thing best; `overwriting` sees what comes of changing a cell.
from groundup.lessons.p02_char_rnn.experiment import features, overwriting, tracking

# %% name="tracking-table" measures="quotes=after['inside quotes'][1]" predict="Quotes, place in line, letters since space, letters since full stop: which does a single cell follow?"
before = tracking(hidden_states(untrained, test), test_text)
states = hidden_states(params, test)
after = tracking(states, test_text)
print(f"{'what':26}{'untrained':>10}{'trained':>9}   cell")
for what, (cell, r) in after.items():
    print(f"{what:26}{before[what][1]:10.2f}{r:9.2f}   {cell}")

# %% name="cells-picture" alt="Mean activation of the cell that follows the letters since the last space, against their number, in the trained and in the untrained network."
half = len(test_text) // 2
depth = np.rint(np.expm1(features(test_text)["letters since space"])).astype(int)[half:]
at_random = hidden_states(untrained, test)
means = {
    f"{name}, cell {found['letters since space'][0]}": [
        table[half:, found["letters since space"][0]][depth == place].mean() for place in range(11)
    ]
    for name, table, found in (("trained", states, after), ("untrained", at_random, before))
}
fig, axes = figure(6.8, 3.4)
curves(axes, range(11), means, "letters since the last space", "mean activation", "A cell that counts letters")

# %% [markdown] name="cells-words"
# One cell knows how long the word has been going on, and for a bet on a space that is worth knowing. The trained cell goes on
# moving for six letters or so; the untrained one notices the space too, for a space is a large and regular kick, but has
# forgotten it two letters later. No cell of ours follows the quotation marks.
#
# Why not? Less than a hundredth of a gradient is left 11 characters back, and 93 of 100 quotations in the novels are longer
# than that; half are longer than 75 characters, so that even the cut of a segment often parts their end from their beginning.
# At the end of a quotation the network is hardly ever told what it should have kept. That is what we think; the proof would be
# an LSTM of the same size that does follow them.

# %% [markdown] name="break-it"
# ## Break it: overwrite the cell
#
# That a cell goes along with something does not mean that the network uses it. A clock that is always right need not drive
# the trains. So take hold of the cell. Three letters into a word, set it to the value that it has on average where a word
# begins, let the network read on, and see by how many bits its bet on a space moves over the next five characters, up or
# down (the mean change of $\log_2 p$ of a space, without its sign). Do the same to thirty other cells, drawn at random: each gets the
# average that it has itself where a word begins. The cell that counts is pushed far, because it differs so much between the two
# places; that is what makes it a counter. If the network counts with this one cell, the bet must move more than for any other.

# %% name="break-it-code" measures="overwriting=moved[0]" predict="Of 31 cells that are overwritten, will the one that counts letters matter most?"
moved = overwriting(params, test, test_text, after, vocabulary, random_stream(0, "overwriting"))
others = moved[1:]
print(f"the cell that counts: {moved[0]:.3f} bits; the others: median {np.median(others):.3f}, most {max(others):.3f}")
print(f"of {len(others)} other cells {sum(other > moved[0] for other in others)} move the bet on a space more")

# %% [markdown] name="break-it-words"
# The experiment below did this five times, with five trainings. Three times the cell that counts mattered most of all 31, and
# twice some other cell mattered more: so the best follower is not always the one that the network leans on. It moves the bet far
# more than the median cell does, but it is not alone. A picture of a cell that goes along with something is the beginning of
# an explanation, and not its end.
#
# **Three things that people believe.** *"It writes like that, so it has learned grammar."* The score does not ask for grammar: a table
# that sees five characters bets better, and it has none. *"Truncation limits the memory."*
# It limits teaching; the state itself goes on from segment to segment. *"A lower training loss shows that it learns."* Only
# the held-out curve does, and only beside what counting needs.

# %% [markdown] name="findings" tags=["findings"]
# ## Measured
#
# The findings of this lesson, measured at full size over several seeds, stand here in the built notebook. To measure
# them yourself: `groundup run 02`.

# %% [markdown] name="findings-words"
# These questions are ours, asked of our small network; the post did not claim that such a one would do. Karpathy's networks were
# LSTMs with two or three layers and hundreds of cells in each, trained for hours on a GPU, and his texts looked far better than
# ours. How much of that is the LSTM, how much its size and how much the hours, this lesson cannot say. What it shows at full
# strength is the mathematics, and why one would want a network whose gradient does not fade.

# %% [markdown] name="take-away"
# ## What to take away
#
# - A recurrent network is one step with shared weights. Its gradient is a sum over steps, and (4) carries it back.
# - Each step back multiplies by $W_{hh}^\top$ and by a slope of $\tanh$: the gradient fades, or explodes.
# - Truncation limits how far gradients travel, not how far the state remembers.
# - Score a model of language in bits per character, on text it has not seen, beside the best table of counts.
# - Choose a cell on one text and measure it on another, beside the untrained network; then overwrite it.
#
# **Asked in interviews**
#
# - *How does back-propagation through time work?* The gradient at $h_t$ is what its own output asks for, plus what comes back from
#   $h_{t+1}$, multiplied by the slope of $\tanh$ and by $W_{hh}^\top$. Weights are shared, so their gradients add up over the steps.
# - *Why do gradients vanish in a recurrent network?* Going back $k$ steps multiplies by $k$ matrices
#   $\operatorname{diag}(1 - h^2)\,W_{hh}$; if these shrink vectors, the product falls like a power. Clipping does not help, for it only shortens.
# - *What does truncation change?* Gradients stop at the segment's edge, the state does not. Memory and computing are bounded
#   by the segment, and nothing is learned about what lies further back.
# - *What does a temperature of 0.5 do to the probabilities?* It squares them and normalises again: the likely gets likelier.
# - *What do 2 bits per character mean?* As uncertain, on average, as an even choice among four; and a text compressed to a
#   quarter of its 8 bits a character.
#
# **Try**: set `SEGMENT = 8` (behind *The start*) and look at the gap to the tables. Take the clipping out: does the score leave the
# range of the five seeds, 2.00 to 2.08? Start $W_{hh}$ as an identity
# matrix and look at the reach again. Train on a book of your own: `groundup run 02 --text book.txt`.
#
# **Where it leads**: to the LSTM, lesson `lstm`, whose second state keeps the gradient from fading, and to its smaller relative, the
# GRU.

# %% [markdown] name="torch" tags=["torch"]
# ## In PyTorch
#
# `nn.RNN` holds the loop over time, autograd derives (4). What do you still have to think of? The state: the module hands it back
# and forgets it, so the loop carries it. The cut: `hidden.detach()` is the truncation; without it the second `backward` would
# walk into the tape of the first, which is gone by then, and stop with an error. And the axes: with `batch_first=True` the input
# is $(B, T, \text{in})$, and without it $(T, B, \text{in})$; the state always has an axis for layers in front, which `unsqueeze(0)`
# puts there and `squeeze(0)` takes away.

# %% name="torch-imports" tags=["torch"]
import torch
from torch import Tensor, nn
from torch.nn import functional as F

# %% name="twin" tags=["torch"] show="CharRNN next_character_loss generate" include="groundup.lessons.p02_char_rnn.twin:CharRNN groundup.lessons.p02_char_rnn.twin:next_character_loss groundup.lessons.p02_char_rnn.twin:generate groundup.lessons.p02_char_rnn.experiment:streams groundup.training.optim:cosine"
from groundup.lessons.p02_char_rnn.experiment import streams
from groundup.lessons.p02_char_rnn.twin import CharRNN, generate, next_character_loss
from groundup.training.optim import cosine

# %% [markdown] name="twin-words" tags=["torch"]
# The same training as above, with the same clipping and readers, but only 300 steps. The rate falls to 0 in these 300, four
# times as fast, so the curve ends higher than the one above stood after 300. For a fair comparison set `STEPS = 300` there.
# (`lr=1.0` is multiplied by what the schedule says.) That both tracks compute the same, from the same parameters, is what
# `groundup check 02` shows.

# %% name="twin-train" tags=["torch"]
torch.manual_seed(1)
model, steps = CharRNN(len(vocabulary), 64, 256), 300
optimizer = torch.optim.Adam(model.parameters(), lr=1.0)
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, cosine(4e-3, steps, warmup=20))
hidden, seen = torch.zeros(32, 256), []
for step in range(steps):
    batch, restart = streams(train, 32, 64, step)
    if restart:
        hidden = torch.zeros_like(hidden)
    logits, hidden = model(torch.from_numpy(batch["tokens"]), hidden.detach())  # detach: the truncation
    loss = next_character_loss(logits, torch.from_numpy(batch["targets"]))
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 0.25)
    optimizer.step()
    scheduler.step()
    seen.append(loss.item() / math.log(2))

# %% name="twin-curve" tags=["torch"] alt="Bits per character of the PyTorch network in training against the step, falling quickly and then slowly."
fig, axes = figure(6.8, 3.0)
curves(axes, range(1, steps + 1), {"batch": seen}, "step", "bits per character", "The PyTorch network in training")
with torch.no_grad():
    logits, _ = model(torch.from_numpy(validation[None, :-1]), torch.zeros(1, 256))
loss = next_character_loss(logits, torch.from_numpy(validation[None, 1:])).item()
print(f"held out: {loss / math.log(2):.2f} bits per character")

# %% name="twin-sample" tags=["torch"]
torch.manual_seed(1)
print(decode(np.array(generate(model, torch.from_numpy(encode("\n", vocabulary)), 300, 0.8)), vocabulary))
