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
#     title: Self-attention, from vectors to matrices
# ---

# %% [markdown] name="title"
# # Self-attention, from vectors to matrices
#
# *Vaswani et al., [Attention Is All You Need](https://arxiv.org/abs/1706.03762), 2017*
#
# Here is a riddle. A box holds 32 cards. Each card bears a name, a content, and two questions, each of them the name of
# some card in the box. A small network reads the whole box at once and says, for every card, what the two cards it asks
# for contain. It was trained on thousands of boxes; these are new ones. Two versions of it have exactly the same number
# of parameters. Only, in one the layer works as a single *head*, in the other as two.

# %% name="imports" tags=["shared", "tools"]
# What every cell uses.
import math

import numpy as np

# %% name="measured-tool" tags=["tools"] include="groundup.data.measured:measured"
# `measured` gives what the experiment of this lesson found.
from groundup.data.measured import measured

# %% name="opening" tags=["tools"]
# How many of the first and of the second questions each of them answers in boxes it has not seen.
answers = measured("self_attention", "metrics/accuracy by question")["metrics/accuracy by question"]
for name, key in {"two heads": "two_heads", "one head": "one_head"}.items():
    first, second = answers[key]
    print(
        f"{name}: {first:6.1%} of the first questions right, {second:6.1%} of the second; guessing gives {1 / 16:.2%}"
    )

# %% [markdown] name="by-chance" margin="yes"
# Guessing is right in 6.25 % of cases, and this head in 9. Once in 32 both questions of a card ask for the same card. That
# answer it knows, and guessing all others makes $\frac1{32} + \frac{31}{32} \cdot \frac1{16} = 9.2\,\%$.

# %% [markdown] name="question"
# Two heads answer nearly everything. The single head answers one of the two questions perfectly, and the other no better than
# by guessing, although it was trained on both alike. It has not failed to learn. It has given one of them up. And measured by
# the loss that it was trained to make small, that is a bad bargain. Why would it do that?
#
# You will know at the end, because you will have invented the whole thing yourself: a weighted average of words; who asks
# whom; why there is a $\sqrt d$; why several heads; and what is still missing. In 2014 attention was a small aid
# for translation programs that read a sentence word after word. In 2017 eight people at Google threw that reading out
# and kept the aid. It is the heart of nearly every large language model.

# %% [markdown] name="average"
# ## A word is known by its company
#
# What does *chases* mean in "cat chases mouse"? Its own vector, from a table, is the same in every sentence. To
# mean something here it has to take in its neighbours. The simplest way is an average: replace word $i$ by a
# mixture of all words of the sentence,
#
# $$y_i = \sum_j a_{ij}\, x_j, \qquad a_{ij} \ge 0, \quad \sum_j a_{ij} = 1. \tag{1}$$
#
# ![Three words, four numbers each, flow with weights of different size into one new word.](diagram:average)
#
# Here $a_{ij}$ says how much word $i$ takes from word $j$. Related words should
# count more. A dot product measures how much two vectors point the same way, so let it be the **score**:
#
# $$s_{ij} = x_i \cdot x_j = \sum_{u=1}^{d} x_{iu}\, x_{ju}. \tag{2}$$
#
# Scores can be negative and do not add up to 1. The **softmax** makes weights of them. It keeps their order, and
# all weights stay positive, so that every word can still learn from every other:
#
# $$a_{ij} = \frac{e^{s_{ij}}}{\sum_l e^{s_{il}}}. \tag{3}$$
#
# Equations (1)–(3) are attention. The sum in (3) runs over the words that are looked at, not over those that look:
# each row of $a$ adds up to 1.

# %% [markdown] name="by-hand"
# ### By hand: three words
#
# Three words with four numbers each:
#
# $$X = \begin{pmatrix} 1 & 0 & 0.5 & 0.2 \\ 0 & 1 & 0 & 0.3 \\ 0.5 & 0 & 1 & 0.1 \end{pmatrix}$$
#
# The scores of the first word, term by term:
#
# - with itself $1\cdot1 + 0\cdot0 + 0.5\cdot0.5 + 0.2\cdot0.2 = 1.29$,
# - with the second $1\cdot0 + 0\cdot1 + 0.5\cdot0 + 0.2\cdot0.3 = 0.06$,
# - with the third $1\cdot0.5 + 0\cdot0 + 0.5\cdot1 + 0.2\cdot0.1 = 1.02$.
#
# Exponentials: $e^{1.29} = 3.633$, $e^{0.06} = 1.062$, $e^{1.02} = 2.773$; their sum is $7.468$. Weights: $0.486$,
# $0.142$, $0.371$. The new first word is
# $0.486\,x_1 + 0.142\,x_2 + 0.371\,x_3 = (0.672,\ 0.142,\ 0.615,\ 0.177)$.
# (Multiply it out yourself before you trust a number, here too. The code behind the next line does, and stops if it is wrong.)

# %% name="by-hand-numbers" tags=["tools"]
# The three words, and the numbers above.
words = ["cat", "chases", "mouse"]
X = np.array([[1, 0, 0.5, 0.2], [0, 1, 0, 0.3], [0.5, 0, 1, 0.1]])

by_hand = []
for other in X:
    by_hand.append(sum(X[0, u] * other[u] for u in range(4)))
powers = [math.exp(score) for score in by_hand]
shares = [power / sum(powers) for power in powers]
first = sum(share * x for share, x in zip(shares, X, strict=True))
print("scores", np.round(by_hand, 3), " exponentials", np.round(powers, 3))
print("weights", np.round(shares, 3), " new word", np.round(first, 3))

assert np.allclose(by_hand, [1.29, 0.06, 1.02])
assert np.allclose(powers, [3.633, 1.062, 2.773], atol=5e-4)
assert np.allclose(shares, [0.486, 0.142, 0.371], atol=5e-4)
assert np.allclose(first, [0.672, 0.142, 0.615, 0.177], atol=5e-4)

# %% [markdown] name="loops"
# ## The way back
#
# In (1) and (2) a word's vector $x$ appears in three places: on the left of a score, on the
# right of a score, and in the average. Give the three places names: **query** $q_i$, **key** $k_j$, **value** $v_j$. For now
# all three are $x$.
#
# Let $L$ be a loss and $g_{ic} = \partial L/\partial y_{ic}$ what comes back to us. From
# $y_{ic} = \sum_j a_{ij} v_{jc}$, every $v_{jc}$ was used once for each $i$, every $a_{ij}$ once for each $c$:
#
# $$\frac{\partial L}{\partial v_{jc}} = \sum_i a_{ij}\, g_{ic}, \qquad
#   \frac{\partial L}{\partial a_{ij}} = \sum_c g_{ic}\, v_{jc}. \tag{4}$$
#
# Now the softmax. By the quotient rule, with $Z_i = \sum_l e^{s_{il}}$,
#
# $$\frac{\partial a_{il}}{\partial s_{ij}}
#   = \frac{[l = j]\, e^{s_{il}}}{Z_i} - \frac{e^{s_{il}}\, e^{s_{ij}}}{Z_i^2}
#   = a_{il}\big([l = j] - a_{ij}\big), \tag{5}$$
#
# where $[l = j]$ is 1 if $l = j$ and 0 otherwise. Each score moves all weights of its row, so we sum over them:
#
# $$\frac{\partial L}{\partial s_{ij}} = \sum_l \frac{\partial L}{\partial a_{il}} \frac{\partial a_{il}}{\partial s_{ij}}
#   = a_{ij}\Big(\frac{\partial L}{\partial a_{ij}} - \sum_l a_{il} \frac{\partial L}{\partial a_{il}}\Big). \tag{6}$$
#
# Read the bracket. A weight's gradient is compared with the average over its row, in which every weight counts as much
# as it weighs. Where $\partial L/\partial a$ is above the average, descent lowers the score; below it, descent raises
# it; and the scores of a row always move against one another. On paper, with the weights $(0.5, 0.3, 0.2)$ and
# $\partial L/\partial a = (1, 0, -1)$: the average is $0.5 - 0.2 = 0.3$, and the gradients of the scores are
# $0.5 \cdot 0.7 = 0.35$, $0.3 \cdot (-0.3) = -0.09$ and $0.2 \cdot (-1.3) = -0.26$. They add up to 0. Must they? (Sum (6) over $j$.)
#
# Last, from $s_{ij} = \sum_u q_{iu} k_{ju}$:
#
# $$\frac{\partial L}{\partial q_{iu}} = \sum_j \frac{\partial L}{\partial s_{ij}}\, k_{ju}, \qquad
#   \frac{\partial L}{\partial k_{ju}} = \sum_i \frac{\partial L}{\partial s_{ij}}\, q_{iu}. \tag{7}$$

# %% [markdown] name="two-lengths" margin="yes"
# Two letters, $n$ and $m$: those who ask need not be those who are read.

# %% [markdown] name="matrices"
# ## Two matrix products
#
# Look at the indices. In $s_{ij} = \sum_u q_{iu} k_{ju}$ the summed index $u$ stands last in both: this is
# $S = QK^\top$, with the words as rows of $Q$ $(n \times d)$ and $K$ $(m \times d)$. In $y_{ic} = \sum_j a_{ij} v_{jc}$
# the summed index stands last, then first: $Y = AV$. All loops of the forward pass are
#
# $$Y = \operatorname{softmax}(QK^\top)\, V, \tag{8}$$
#
# the softmax being taken row by row. The gradients translate in the same way. With $dY$ for the table of all $g_{ic}$,
# and $dA$, $dS$ and so on for the other gradients,
#
# $$\begin{aligned}
#   dV &= A^\top dY, \qquad dA = dY\, V^\top, \\
#   dS &= A \odot \big(dA - \operatorname{rowsum}(A \odot dA)\big), \\
#   dQ &= dS\, K, \qquad dK = dS^\top Q.
# \end{aligned} \tag{9}$$

# %% [markdown] name="softmax-note" margin="yes"
# `subtract_maximum` takes the largest score of each row away, which changes nothing in (3). Further down you will see why it
# must be done. The `np.where` is for rows in which nothing may be looked at; they come with masks.

# %% [markdown] name="shapes"
# ($\odot$ multiplies element by element; rowsum adds up every row.) You need not remember the products: if $n$, $m$,
# $d$ and the length of a value differ, the shapes leave only one way to write them.

# %% name="way-back-by-hand" tags=["tools"]
# 0.35, −0.09 and −0.26, by (6).
a, da = np.array([0.5, 0.3, 0.2]), np.array([1.0, 0.0, -1.0])
assert np.allclose(a * (da - a @ da), [0.35, -0.09, -0.26])  # (6)

# %% name="attend" show="softmax attend" beside="attend" include="groundup.ops.activations:softmax groundup.lessons.self_attention.model:attend"
from groundup.lessons.self_attention.model import attend
from groundup.ops.activations import softmax

# %% [markdown] name="attend-turn"
# **Your turn**: exercise `attend`. Cover the code above and write it again from (8) and (9).

# %% [markdown] name="in-loops" tags=["second"]
# ### The same in loops, and how much slower
#
# Here is the same function with a loop for every index. Find (4), (6) and (7) in `backward`.

# %% name="attend-with-loops" include="groundup.lessons.self_attention.model:attend_with_loops"
from groundup.lessons.self_attention.model import attend_with_loops

# %% name="attend-with-loops-run"
Y, _ = attend_with_loops(X, X, X)
print(np.round(Y, 3))

# %% [markdown] name="same-text"
# Are the two the same function? Compare outputs and all gradients, for random numbers, and the time that each takes. By
# which factor will the matrices win? It is more than most people guess.

# %% name="same" tags=["tools"] include="groundup.proof.instruments:seconds groundup.lessons.self_attention.experiment:forward_and_backward"
# `forward_and_backward` calls one of them with its gradients, `seconds` times a call.
from groundup.lessons.self_attention.experiment import forward_and_backward
from groundup.proof.instruments import seconds

# %% name="speed-up" predict="A hundred and twenty-eight words: how many times faster are two matrix products than the loops?"
rng = np.random.default_rng(0)
speed_up = {}
for n in (8, 16, 32, 64, 128):
    numbers = list(rng.normal(size=(4, n, 32)))  # query, key, value and an upstream gradient
    slow, fast = (forward_and_backward(function, numbers) for function in (attend_with_loops, attend))
    apart = max(np.abs(a - b).max() for a, b in zip(slow, fast, strict=True))
    loops = seconds(lambda xs=numbers: attend_with_loops(*xs[:3]), 2)
    # Twenty calls at once: a browser's clock ticks only ten times a millisecond.
    matrices = seconds(lambda xs=numbers: [attend(*xs[:3]) for _ in range(20)], 5) / 20
    speed_up[n] = loops / matrices
    print(
        f"n = {n:4}: largest difference {apart:.0e}, loops {1e3 * loops:7.2f} ms, matrices {speed_up[n]:.0f} times faster"
    )

# %% [markdown] name="library"
# ## A library: question cards, index cards, books
#
# Here are the scores of our three words, and the weights that they give:

# %% name="plots" tags=["tools"] include="groundup.plots:figure groundup.plots:curves groundup.plots:describe groundup.plots:heatmap"
# Figures, curves and heat maps in one style.
from groundup.plots import curves, describe, figure, heatmap

# %% name="words-figure" alt="Two heat maps of three words by three words: their scores, symmetric with the largest on the diagonal, and the softmax weights of each row."
fig, axes = figure(8.2, 2.3, columns=2)
_ = heatmap(axes[0], X @ X.T, words, words, "Scores X Xᵀ", low=0, values=".2f")
_ = heatmap(axes[1], softmax(X @ X.T)[0], words, words, "Weights, a row for each word", low=0, high=1, values=".2f")

# %% [markdown] name="cards-and-books"
# Two things are wrong with the left picture. It is symmetric: the score of *chases* for *cat* is that of *cat*
# for *chases*. And the diagonal is large: $x_i \cdot x_i$ is the squared length of $x_i$, and only a longer vector can have a
# larger product with $x_i$. So all take much of themselves. A verb cannot say "I look for whoever does the chasing".
#
# Think of a library. You write a **question card**. The librarian compares it with the **index cards** of all books.
# Where the index card fits, you get the **book**. Question, index card and book are three different things:
#
# - the **query** $q_i = W_q x_i$: what word $i$ is looking for,
# - the **key** $k_j = W_k x_j$: what word $j$ can be found under,
# - the **value** $v_j = W_v x_j$: what word $j$ hands over when it is found.
#
# (With words as the rows of $X$: $Q = X W_q^\top$, and so on.) The matrices $W_q, W_k, W_v$ are learned. Now
# $s_{ij} = q_i \cdot k_j$ need not equal $s_{ji}$, and a word need not find itself. An ordinary look-up table gives one
# value for an exact match. This one mixes all values by how well their keys match, and so
# the questions and the index can both be improved by gradient descent.
#
# ![A query is compared with three keys; the softmax of the scores gives weights, and the values are mixed by them.](diagram:library)
#
# "**Self**-attention" only says where the three come from: all are made from the same
# words $X$. Every word asks, can be found and can be read. In *cross*-attention the queries come from one
# sequence, keys and values from another; `attend` does not care.

# %% [markdown] name="who-left-out" margin="yes"
# We leave out $W_v$, because only the weights matter here. *Noun* and *hunted* are there for other questions, such as yours at
# the end.

# %% [markdown] name="who"
# ### Hand-made matrices
#
# Before anything is learned, set the matrices yourself. Give every word four numbers: is it a noun, is it a verb, does
# it hunt, is it hunted? So *cat* is $(1, 0, 1, 0)$, *chases* $(0, 1, 0, 0)$ and *mouse* $(1, 0, 0, 1)$. We want
# *chases* to find out who does it. What must it ask, and under what must *cat* be found? One number is enough for each.
# A verb asks with strength 4, everybody else with 0: $W_q = (0, 4, 0, 0)$. Hunters can be found: $W_k = (0, 0, 1, 0)$.
#
# Then the query of *chases* is 4, the keys of the three words are $1, 0, 0$, and its scores $4, 0, 0$. With
# $e^4 = 54.6$ the weight on *cat* is $54.6/(54.6 + 1 + 1) = 0.965$. And *cat*? Its query is 0, all its scores are 0,
# and it takes a third of each word. Now *chases* scores 4 for *cat*, and *cat* scores 0 for *chases*.

# %% name="who-numbers" tags=["tools"]
# The two rows of weights above.
features = np.array([[1.0, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 1]])  # of cat, chases, mouse: noun, verb, hunts, hunted
W_q, W_k = np.array([[0.0, 4, 0, 0]]), np.array([[0.0, 0, 1, 0]])
looks = softmax(features @ W_q.T @ (features @ W_k.T).T)[0]
for word, row in zip(words, looks, strict=True):
    print(f"{word:7} looks at cat, chases and mouse with {row.round(3)}")
assert np.allclose(looks[1], [0.965, 0.018, 0.018], atol=5e-4)
assert np.allclose(looks[0], 1 / 3)

# %% [markdown] name="variance-words" margin="yes"
# $E[\cdot]$ is a mean. The variance, Var, is the mean squared distance from the mean; its root is the standard deviation.

# %% [markdown] name="scale"
# ## Why divide by √d
#
# Let the entries of a query and a key be independent, with mean 0 and variance 1. A single product
# $q_u k_u$ has mean $E[q_u]\,E[k_u] = 0$ and variance $E[q_u^2]\,E[k_u^2] = 1$. Variances of independent terms add:
#
# $$\operatorname{Var}(q \cdot k) = \sum_{u=1}^{d} \operatorname{Var}(q_u k_u) = d. \tag{10}$$
#
# Scores spread like $\sqrt d$. With $d = 64$ their standard deviation is 8. The gap between two of them, $q \cdot (k_1 - k_2)$,
# is a sum of 64 terms of variance 2, so its standard deviation is $\sqrt{128} \approx 11$, and $e^{11}$ is about 60,000. The
# softmax hands nearly everything to one word or two before anything was learned. And by (6), the nearer one weight is
# to 1 and the others to 0, the less gradient comes back to the scores. So divide them by their standard deviation:
#
# $$Y = \operatorname{softmax}\!\Big(\frac{QK^\top}{\sqrt d}\Big) V. \tag{11}$$
#
# Why $\sqrt d$ and not $d$? Because it is the standard deviation that has to be 1. Dividing by $d$ would make all
# scores nearly equal for large $d$. Move $d$, and see what becomes of one random query among sixteen random keys:

# %% name="frames-tool" tags=["tools"] include="groundup.plots:frames"
# A figure with a slider: one picture for each value of a number.
from groundup.plots import frames


# %% name="scale-frames" alt="The softmax weights of one random query over sixteen random keys, largest first, with and without division by the root of d: without it one key takes nearly all as d grows."
widths = [4, 8, 16, 32, 64, 128, 256, 512, 1024]


def one_query(axes, d):
    rng = np.random.default_rng(5)
    scores = rng.normal(size=(16, d)) @ rng.normal(size=d)
    for shift, (name, scale, colour) in zip(
        (-0.2, 0.2), (("without 1/√d", 1.0, "#135bae"), ("with 1/√d", 1 / math.sqrt(d), "#ee8627")), strict=True
    ):
        weights = np.sort(softmax(scale * scores[None])[0][0])[::-1]
        axes.bar(np.arange(1, 17) + shift, weights, 0.4, color=colour, label=f"{name}: largest {weights[0]:.2f}")
    axes.set_ylim(0, 1.02)
    axes.set_xticks(range(1, 17))
    describe(axes, "key, by weight", "weight", f"d = {d}")


fig = frames("width d", widths, one_query, start=4, height=2.8)

# %% [markdown] name="scale-trained"
# But does a network that *learns* need the root? We have trained the small network of the
# riddle three times from the same start: scores divided by $\sqrt d$, by $d$, and not at all. (You will build it below;
# its queries and keys have $d = 32$ numbers.) The paper gives the argument that you have just read, says "we suspect",
# and shows no such experiment. What do you expect?

# %% name="scale-trained-table" tags=["tools"] predict="Divided by √d, by d, by nothing: which of the three readers learn to answer both questions?"
# Right answers in new boxes, and how far the scores spread at the end of training.
spread = measured("self_attention", "metrics/spread of the scores*")
for name, key, scale in (
    ("√d", "two_heads", "1/√d"),
    ("d", "divided_by_d", "1/d"),
    ("nothing", "undivided", "undivided"),
):
    first, second = answers[key]
    scores = spread[f"metrics/spread of the scores, {scale}"]
    print(
        f"divided by {name:8} first {first:6.1%}, second {second:6.1%}; standard deviation of the scores {scores:5.1f}"
    )

# %% [markdown] name="scale-lesson"
# Division helps, and it need not be the root. Without any, this seed learns one of the two questions hardly at all. Of
# the four other seeds one ends with 58 % of all answers right and three with about 90 %, where division brings every seed
# above 99.7 %. And $d$ does as well as $\sqrt d$ here: the test cannot tell the two
# apart. All three readers end with scores that spread well beyond 1. So the argument for the root is one about the
# *beginning*. It makes the root a good choice, and not the only one.

# %% [markdown] name="scale-code" tags=["second"]
# ### The argument for the root, measured
#
# In code the scale goes onto the query, and on the way back $dQ$ and $dK$ get the same factor:

# %% name="attend-scaled" include="groundup.lessons.self_attention.model:attend_scaled"
from groundup.lessons.self_attention.model import attend_scaled

# %% [markdown] name="variance-text"
# Is (10) true? We measure the variance together with its *standard error*, which says how far off such a measurement
# usually is. So "equals $d$" means something:

# %% name="product-variance" tags=["tools"] include="groundup.lessons.self_attention.experiment:product_variance groundup.lessons.self_attention.experiment:softmax_at_width"
# `product_variance` measures (10) on random pairs, `softmax_at_width` what a softmax makes of their scores.
from groundup.lessons.self_attention.experiment import product_variance, softmax_at_width

# %% name="product-variance-run"
rng = np.random.default_rng(2)
variances = np.array([product_variance(rng, d, 20_000) for d in widths])
off = np.abs(variances[:, 0] - widths) / variances[:, 1]  # (10)
for d, (variance, error), standard_errors in zip(widths, variances, off, strict=True):
    print(f"d = {d:5}: variance {variance:8.2f} ± {error:.2f}, off by {standard_errors:.1f} standard errors")
print("equal to d" if off.max() < 4 else "not equal to d", "as far as 20,000 pairs can tell")

# %% [markdown] name="softmax-width"
# Then the softmax. Each random query meets 64 random keys. The **entropy** $-\sum_j a_j \ln a_j$ of the weights is
# $\ln 64 = 4.16$ if all 64 keys count equally and 0 if one key takes all; $e^{\text{entropy}}$ is the number of keys
# that effectively count. (Natural logarithms give *nats*; with base 2 they would be bits.) And send a random gradient
# back through the softmax: how long is what arrives at the scores? We take its norm, the root of the sum of squares,
# and of all queries the median. In the left panel the bars reach 3.29 standard errors both ways: 999 of 1,000
# such bars contain the true value.

# %% name="scale-figure" tags=["tools"] include="groundup.lessons.self_attention.figures:doubling_ticks groundup.training.streams:random_stream"
# Ticks at powers of two, and random numbers by name.
from groundup.lessons.self_attention.figures import doubling_ticks
from groundup.training.streams import random_stream

# %% name="scale-picture" measures="gradient=softmaxes['without 1/√d'][-1]['median gradient']" alt="Three panels against d: the ratio of the variance of q·k to d, about 1 with 99.9 % intervals; the entropy of the weights, and the median gradient behind the softmax, each with and without 1/√d."
softmaxes = {"without 1/√d": [], "with 1/√d": []}
for d in widths:
    for name, scale in zip(softmaxes, (1.0, 1 / math.sqrt(d)), strict=True):
        softmaxes[name].append(softmax_at_width(random_stream(0, "softmax", str(d)), d, scale))

fig, axes = figure(12, 3.6, columns=3)
axes[0].errorbar(widths, variances[:, 0] / widths, 3.29 * variances[:, 1] / widths, fmt="o", capsize=3)
describe(axes[0], "d", "variance of q·k, divided by d", "The variance is d")
doubling_ticks(axes[0], widths)
for panel, quantity, label, title in (
    (axes[1], "entropy", "entropy of 64 weights (nats)", "How even the weights are"),
    (axes[2], "median gradient", "median norm at the scores", "What the softmax passes back"),
):
    lines = {name: [row[quantity] for row in rows] for name, rows in softmaxes.items()}
    curves(panel, widths, lines, "d", label, title, log="xy" if "gradient" in quantity else "x")
    doubling_ticks(panel, widths)

for place in (3, 8):
    for name, rows in softmaxes.items():
        row = rows[place]
        print(
            f"d = {widths[place]:4}, {name:13} {math.exp(row['entropy']):4.1f} keys count;",
            f"gradient: median {row['median gradient']:.1e}, mean {row['mean gradient']:.1e}",
        )

# %% [markdown] name="scale-honest"
# Without the scale the weights get less even with every doubling: at $d = 32$ only two or three of the 64 keys count.
# The gradient holds out longer. Up to 16 it is longer than with the scale. Then it falls, and at 1024 its median is
# about a thousandth of the other. Its mean is far above its median: a few queries still get a gradient, those for which
# two keys happen to be close rivals, and most get next to none.
# (With the riddle's $d = 32$ the gradient of random keys looks healthy, and yet the reader suffered. Queries and keys grow in
# training: look again how far its undivided scores spread at the end.)

# %% [markdown] name="stability"
# ## A softmax that does not overflow
#
# float32 ends at $3.4 \cdot 10^{38} = e^{88.7}$. One score above 88.7, and (3) is $\infty/\infty$, not a number. But
# numerator and denominator may be multiplied by the same $e^{-c}$:
#
# $$\frac{e^{s_j}}{\sum_l e^{s_l}} = \frac{e^{s_j - c}}{\sum_l e^{s_l - c}} \qquad \text{for every } c. \tag{12}$$
#
# Take $c = \max_l s_l$, for each row its own: `subtract_maximum` in `softmax` above. Then every exponent is at most 0,
# nothing overflows, and the sum is at least $e^0 = 1$, so nothing is divided by 0. There is no need for a small
# $\epsilon$ in the denominator: it would only make the weights add up to something else than 1.

# %% name="stability-run" predict="Scores of 1000, 999 and 0: what does the naive softmax print?"
large = np.array([[1000.0, 999.0, 0.0]], np.float32)
with np.errstate(over="ignore", invalid="ignore"):
    naive = np.exp(large) / np.exp(large).sum()
print("naive        ", naive)
print("less maximum ", softmax(large)[0])
print("by hand      ", np.round([1 / (1 + math.exp(-1)), 1 / (1 + math.e), 0], 8))

# %% [markdown] name="heads"
# ## Several heads
#
# One softmax gives one mixture. A word that needs two things at once, who chases *and* who is chased, can only get
# one blend of the two. So split the $D$ numbers of queries, keys and values into $h$ **heads** of $d = D/h$ numbers
# each, let every head attend by itself with (11), put the results side by side, and mix them with one more matrix:
#
# $$\operatorname{MultiHead}(X) = \operatorname{concat}(Y_1, \dots, Y_h)\, W_o^\top, \qquad
#   Y_r = \operatorname{softmax}\!\Big(\frac{Q_r K_r^\top}{\sqrt{D/h}}\Big) V_r. \tag{13}$$
#
# ![Queries, keys and values are cut into two halves; each head attends with its own, and the results stand side by side before a last matrix mixes them.](diagram:heads)
#
# The number of parameters, $4D^2$ and biases, does not depend on $h$. Note the scale: the root of a head's width $D/h$,
# not of $D$.
#
# The functions below are groundup's own, and later lessons use them, too. Queries and keys may come from different
# sequences, of $T_q$ and $T_k$ words (our $n$ and $m$), and a **mask**, a table of True and False, may say which pairs are
# looked at: the others get the score $-\infty$. (11) comes first. One line of its backward is new: in (9) the row sum of
# $A \odot dA$ is, because $dA = dY\,V^\top$ and $AV = Y$, also that of $Y \odot dY$.

# %% name="scaled-dot-product" show="scaled_dot_product_attention" beside="scaled_dot_product_attention" include="groundup.ops.attention:attention_weights groundup.ops.attention:scaled_dot_product_attention"
from groundup.ops.attention import attention_weights, scaled_dot_product_attention

# %% [markdown] name="split-text"
# **Your turn**: exercise `scaled_dot_product_attention`, with the scale and a mask.
#
# Then the cut. For $B$ sequences of $T$ words, heads become the second axis, so that (11) runs for all of them at once. It
# takes a reshape *and* a change of axes; a reshape alone would mix words with features.

# %% name="split" include="groundup.ops.attention:split_heads groundup.ops.attention:merge_heads"
from groundup.ops.attention import merge_heads, split_heads

# %% [markdown] name="paper-letters" margin="yes"
# The paper writes $W^O$ for our $W_o^\top$. And `self_attention` hands the same `x` to `multi_head_attention` twice, so it adds
# two gradients. The second is itself a sum: `x` was used for keys and for values.

# %% [markdown] name="multi-head-text"
# And (13): three linear maps, all heads at once, one more linear map. In self-attention everybody who asks can be read, so
# one `x` plays both parts.

# %% name="multi-head" show="multi_head_attention self_attention" beside="multi_head_attention" include="groundup.lessons.self_attention.model:self_attention"
from groundup.lessons.self_attention.model import self_attention

# %% [markdown] name="heads-turn"
# **Your turn**: exercise `split_heads`; exercise `multi_head_attention`; exercise `multi_head_attention_torch` is the
# same with tensors.

# %% [markdown] name="cards"
# ## The riddle of the boxes
#
# Now let a layer learn. A **box** holds 32 cards. Each bears a name (one of 48, no two alike in a box), a content (one
# of 16), and two questions, which are names of cards in the box. For each card, say what the two cards that it asks for
# contain. Every card asks, can be found, and can be read: it is question card, index card and book at once.
#
# A card's vector is the sum of four learned vectors: one for its name, one for its content, one for each question. One
# attention layer and a linear readout follow:

# %% name="deal" tags=["shared", "tools"] include="groundup.lessons.self_attention.experiment:deal groundup.lessons.self_attention.experiment:asked_places groundup.lessons.self_attention.experiment:counting_score"
# `deal` deals boxes of cards, `asked_places` says where the answers are, `counting_score` is what counting gets right.
from groundup.lessons.self_attention.experiment import asked_places, counting_score, deal

# %% name="card-reader" show="card_reader" include="groundup.lessons.self_attention.model:init groundup.lessons.self_attention.model:card_reader groundup.ops.losses:cross_entropy"
from groundup.lessons.self_attention.model import card_reader, init
from groundup.ops.losses import cross_entropy

# %% [markdown] name="own-mean" margin="yes"
# Without the mean in `softmax` only the first line is wrong: the other function has a mean of its own.

# %% [markdown] name="check"
# ### Are the gradients right?
#
# Never believe a derivative. Multiply the outputs by random numbers, `upstream`, and add up: that is a loss. Move all
# inputs a little along a random direction, there and back: that gives its slope. `backward` predicts the same slope, as
# the sum of gradient times direction. Leave the mean out of (6) in `softmax`, and run this again.

# %% name="gradient-check-attend"
rng = np.random.default_rng(3)
query, key, value, move_query, move_key, move_value, upstream = rng.normal(
    size=(7, 9, 5)
)  # inputs, a direction for each
for function in (attend, scaled_dot_product_attention):
    above, _ = function(query + 1e-5 * move_query, key + 1e-5 * move_key, value + 1e-5 * move_value)
    below, _ = function(query - 1e-5 * move_query, key - 1e-5 * move_key, value - 1e-5 * move_value)
    slope = np.vdot(upstream, above - below) / 2e-5
    _, backward = function(query, key, value)
    predicted = sum(np.vdot(g, d) for g, d in zip(backward(upstream), (move_query, move_key, move_value), strict=True))
    error = abs(predicted / slope - 1)
    print(f"{function.__name__:28} slope {slope:+.8f}, predicted {predicted:+.8f}, relative error {error:.0e}")

# %% name="gradient-check" tags=["tools"] include="groundup.training.params:map_tree groundup.training.params:leaves"
# `map_tree` and `leaves` walk over trees of parameters.
from groundup.training.params import leaves, map_tree

# %% name="gradient-check-run" tags=["tools"]
# The same for the whole reader: its parameters are a tree, and every leaf moves along a direction of its own.
box = deal(rng, boxes=2, cards=3, names=4, contents=3)["cards"]
tree = init(rng, 4, 3, 6, dtype=np.float64)
direction = map_tree(lambda leaf: rng.normal(size=leaf.shape), tree)
logits, backward = card_reader(tree, box, heads=2)
upstream = rng.normal(size=logits.shape)
above, _ = card_reader(map_tree(lambda leaf, way: leaf + 1e-5 * way, tree, direction), box, heads=2)
below, _ = card_reader(map_tree(lambda leaf, way: leaf - 1e-5 * way, tree, direction), box, heads=2)
slope = np.vdot(upstream, above - below) / 2e-5
predicted = sum(np.vdot(g, way) for g, way in zip(leaves(backward(upstream)), leaves(direction), strict=True))
assert abs(predicted / slope - 1) < 1e-7

# %% [markdown] name="rivals"
# ### What must be beaten
#
# - **Guessing** is right once in 16. **Counting** is guessing by someone who knows all contents of the box, but not which
#   card has which, and always says the commonest one.
# - **Mean pooling**: a network with exactly as many parameters, in which every card gets the plain mean of all cards
#   and then a hidden layer. A mean of sums is the sum of the means: which content stood beside which name is gone.
# - **One head** instead of two: the same parameters, one softmax.
#
# Here the reader with two heads is trained; its rivals were trained in the same way, with the same seed. Training sees neither
# the 64 `validation` boxes, by which we draw the learning curve, nor the 64 `test` boxes, by which nothing is chosen. Adam
# and its schedule are those of lesson `optimizers`.

# %% name="tools" tags=["tools"] include="groundup.training.optim:adam groundup.training.optim:cosine groundup.training.params:count"
# Adam and its schedule.
from groundup.training.optim import adam, cosine
from groundup.training.params import count

# %% name="train" measures="lookup=accuracy.mean()"
STEPS, NAMES, CONTENTS, WIDTH = 600, 48, 16, 64
params = init(random_stream(0, "parameters"), NAMES, CONTENTS, WIDTH)
validation, test = (deal(random_stream(0, part), 64, 32, NAMES, CONTENTS) for part in ("validation", "test"))
rng, optimiser, rate = random_stream(0, "training", "two_heads"), adam(), cosine(5e-3, STEPS, warmup=20)
state, history = optimiser.init(params), {"step": [], "two heads": []}


def right_answers(params, boxes):
    logits, _ = card_reader(params, boxes["cards"], heads=2)
    return (logits.argmax(axis=-1) == boxes["answers"]).mean(axis=(0, 1))  # for first and second questions


for step in range(STEPS + 1):
    if step % 30 == 0:
        history["step"].append(step)
        history["two heads"].append(right_answers(params, validation).mean())
    if step < STEPS:
        dealt = deal(rng, 32, 32, NAMES, CONTENTS)
        logits, backward = card_reader(params, dealt["cards"], heads=2)
        loss, loss_backward = cross_entropy(logits, dealt["answers"])
        optimiser.update(params, backward(loss_backward()), state, rate(step))
accuracy = right_answers(params, test)

# %% name="rivals-compare" tags=["tools"]
# The three readers on the same boxes, and what guessing and counting get right.
rivals = measured("self_attention", "curves/one_head", "curves/mean_pooling")
found = {"two heads": accuracy, "one head": answers["one_head"], "mean pooling": answers["mean_pooling"]}
counted = counting_score(test, NAMES, CONTENTS)
print(f"{count(params):,} parameters; guessing {1 / CONTENTS:.2%}, counting {counted:.1%}")
for name, (first, second) in found.items():
    print(f"{name:13} right answers to first questions {first:6.1%}, to second questions {second:6.1%}")

# %% name="learning-figure" tags=["tools"] include="groundup.lessons.self_attention.figures:score_lines groundup.lessons.self_attention.figures:head_map"
# Lines at fixed scores, and maps of heads.
from groundup.lessons.self_attention.figures import head_map, score_lines

# %% name="learning-picture" alt="Share of right answers in unseen boxes against the training step, for two heads, one head and mean pooling, with dotted lines at guessing and counting."
fig, axes = figure(6.8, 2.8)
lines = {"two heads": history["two heads"]}
lines |= {
    name: rivals[f"curves/{key}"]["held-out accuracy"]
    for name, key in (("one head", "one_head"), ("mean pooling", "mean_pooling"))
}
curves(axes, history["step"], lines, "step", "right answers, unseen boxes", "Looking up the answer")
score_lines(axes, {"guessing": 1 / CONTENTS, "counting": counted})
_ = axes.legend(loc="right", bbox_to_anchor=(1, 0.75))

# %% [markdown] name="not-counting" margin="yes"
# All on one card, it cannot even say the commonest content, as counting does: it has looked at one card only.

# %% [markdown] name="one-head"
# ### The riddle
#
# The readout is linear, and a value does not say which question asked for it. If the single head's output is a blend $\alpha v_j + \beta v_l$ of the two cards asked for,
# then for *each* question the logits are $\alpha R v_j + \beta R v_l$ with that question's readout $R$, and the card
# with the larger weight tends to win for *both* questions. It cannot have both answers certain. Two bargains are open
# to it:
#
# - Half and half: each answer is a toss between two, a loss of $\ln 2 = 0.69$.
# - All on one card: that answer costs nothing, the other is a guess among 16, a loss of $(0 + \ln 16)/2 = 1.39$ on
#   average.
#
# They bring about as many right answers. But in the loss the second is twice as
# bad, and the second is what it does. Why? Because training does not compare bargains. It walks downhill from where it
# stands. Whichever question is a little ahead gets more weight, so its readout has more to learn from, so more weight
# pays for it. The other one sees mostly the wrong card and learns to ignore it. By the time the two could be compared,
# the choice has been made. At least, that is what we think. How would you test it?
#
# If it is so, then a head in which neither question can get ahead should find half and half, and should *stay* there
# when all is as usual again. So: for the first 400 steps hand over the two answers in random order, and then train on
# as usual.

# %% name="half-and-half" tags=["tools"] predict="Which of the two single heads ends with the smaller loss?"
# Two single heads: one trained as usual, one that gets its two answers in random order for 400 steps.
mixing = random_stream(0, "mixing")


def single_head(steps, mixed):
    params, rng = init(random_stream(0, "parameters"), NAMES, CONTENTS, WIDTH), random_stream(0, "training", "one_head")
    optimiser, rate = adam(), cosine(5e-3, steps, warmup=20)
    state = optimiser.init(params)
    for step in range(steps):
        dealt = deal(rng, 32, 32, NAMES, CONTENTS)
        wanted = dealt["answers"]
        if step < mixed:
            wanted = np.where(mixing.random((32, 32, 1)) < 0.5, wanted[..., ::-1], wanted)
        logits, backward = card_reader(params, dealt["cards"], heads=1)
        _, loss_backward = cross_entropy(logits, wanted)
        optimiser.update(params, backward(loss_backward()), state, rate(step))
    logits, _ = card_reader(params, test["cards"], heads=1)
    losses = [float(cross_entropy(logits[:, :, q], test["answers"][:, :, q])[0]) for q in (0, 1)]
    return losses, (logits.argmax(axis=-1) == test["answers"]).mean(axis=(0, 1))


for name, (steps, mixed) in {"as usual": (300, 0), "mixed at first": (600, 400)}.items():
    (one, other), (first, second) = single_head(steps, mixed)
    print(f"{name:15} loss {one:.2f} and {other:.2f}, mean {(one + other) / 2:.2f}; right {first:.0%} and {second:.0%}")

# %% [markdown] name="half-rate" margin="yes"
# When the mixing stops, a quarter of the rate's peak is left, and it falls.

# %% [markdown] name="half-words"
# The mixed head stays at half and half for 200 steps after the mixing has stopped, at a loss well below the other's, if not as low as 0.69. So a better place exists, and the usual training
# does not find it. With two heads and the scale none of our five seeds fell into such a trap. Keep this in mind when you read
# that a network "prefers" something: it may only have got there first.

# %% [markdown] name="same-card" margin="yes"
# What a head puts on the other question's card, 0.03, is the one time in 32 when the two are the same card.

# %% [markdown] name="heads-look"
# ### Where the heads look
#
# The weights below belong to the first 14 of the 32 cards in the first test box, a row for each. Circles mark the card
# that was asked for first, squares the second. Nobody told a head which question is its own.

# %% name="reader-weights" tags=["tools"] include="groundup.lessons.self_attention.experiment:reader_weights groundup.lessons.self_attention.experiment:weight_on_asked"
# The weights of a trained reader, and how much of them lies on the cards asked for.
from groundup.lessons.self_attention.experiment import reader_weights, weight_on_asked

# %% name="heads-picture" alt="A heat map of attention, 14 asking cards by 32 cards read, one head at a time, first of two, second of two and the single one, with circles at the cards asked first and squares at the cards asked second."
places = asked_places(test["cards"], NAMES, CONTENTS)
two = reader_weights(params, test["cards"], 2)
one = measured("self_attention", "arrays/weights", "metrics/weight on the card asked for")
shares = {
    "two heads": weight_on_asked(two, places),
    "one head": one["metrics/weight on the card asked for"]["one_head"],
}
for label, heads in shares.items():
    for head, (on_first, on_second) in enumerate(heads):
        print(
            f"{label}, head {head + 1}: mean weight on the card asked first {on_first:.2f}, on the card asked second {on_second:.2f}"
        )
single = np.array(one["arrays/weights"]["one_head"][0])
shown = {"1 of two": two[0, 0], "2 of two": two[0, 1], "the only one": single}


def one_head(axes, name):
    head_map(axes, f"Head: {name}", shown[name], places[0])


fig = frames("head", list(shown), one_head, width=7.4, height=3.1, shown=(0, 1, 2))

# %% [markdown] name="break-it"
# ## Break it
#
# Does each head really do one half of the work? Silence them one at a time: set to zero the columns of $W_o$ through
# which a head speaks. Then take the trained reader's scale away. And deal it boxes of 48 cards, where it has only ever
# seen 32.


# %% name="break-it-code" tags=["tools"] predict="Which of the four changes hurt, and which question does each head take with it?"
# The trained reader without a head, without its scale, and in larger boxes.
def silenced(head):
    changed = map_tree(np.copy, params)
    changed["attention"]["out"]["weight"][:, 32 * head : 32 * (head + 1)] = 0
    return changed


changed = map_tree(np.copy, params)
changed["attention"]["query"] = map_tree(lambda leaf: leaf * math.sqrt(32), params["attention"]["query"])  # undoes 1/√d
crowded = deal(random_stream(0, "crowded"), 64, 48, NAMES, CONTENTS)
for name, (tree, boxes) in {
    "as trained": (params, test),
    "without head 1": (silenced(0), test),
    "without head 2": (silenced(1), test),
    "without the scale": (changed, test),
    "48 cards": (params, crowded),
}.items():
    first, second = right_answers(tree, boxes)
    print(f"{name:18} first questions {first:6.1%}, second {second:6.1%}")

# %% [markdown] name="break-it-words"
# Each head carries one question and nothing of the other. Nobody assigned them; the two could have changed places. Where a
# head looks *and* what is missed when it is gone: that is more than a heat map can say. Larger boxes are no trouble, for a
# softmax takes any number of keys. And the scale? Taken from the trained reader, it is not missed. Its scores are far apart by
# now, and making them $\sqrt{32}$ times as large only makes sure what is sure already. The scale helped it to learn, not to
# answer.
#
# **Three things that people believe**
#
# - *"Attention weights explain what a model does."* They say where it looks, and not what it does with what it sees.
#   Silence a head before you believe its picture.
# - *"More heads are more parameters."* They are the same $4D^2$, cut into more pieces.
# - *"The scale is needed so that nothing overflows."* Taking away the maximum sees to that. The scale is about
#   gradients at the start.

# %% [markdown] name="order"
# ## What is still missing: order
#
# "Cat chases mouse" and "mouse chases cat" are not the same story. Can attention tell? Let $\Pi$ be the matrix that
# puts the rows of $X$ into another order, so that $\Pi^\top \Pi = I$. Then $Q$, $K$, $V$ become $\Pi Q$, $\Pi K$,
# $\Pi V$, the scores $\Pi S \Pi^\top$, and because the softmax treats every row and every place in a row alike,
#
# $$\operatorname{softmax}(\Pi S \Pi^\top)\, \Pi V = \Pi\, A\, \Pi^\top \Pi\, V = \Pi\, Y. \tag{14}$$
#
# The outputs come in the new order and are otherwise the same. *Cat* gets the same vector whether it chases or is
# chased. The cure is to add to each word a vector that depends on its place, for instance sines and cosines of
# several frequencies (Vaswani et al., section 3.5).

# %% name="positions" tags=["tools"] include="groundup.ops.positions:sinusoidal_positions groundup.ops.init:linear_params groundup.ops.linear:linear"
# `sinusoidal_positions` makes the sines and cosines.
from groundup.ops.init import linear_params
from groundup.ops.linear import linear
from groundup.ops.positions import sinusoidal_positions

# %% name="order-picture" predict="‘Chases’ stands in the middle of both sentences. With positions added, does its new vector change?" alt="Four heat maps of attention, three words by three: both sentences without positions, where each word keeps its weights, and with positions, where it does not."
rng = np.random.default_rng(9)
layer = {part: linear_params(rng, 8, 8, std=0.4, dtype=np.float64) for part in ("query", "key", "value", "out")}
vectors = rng.normal(size=(3, 8))  # of cat, chases, mouse; like the layer, not trained
offsets = {"without positions": np.zeros((3, 8)), "with positions": sinusoidal_positions(3, 8, np.float64)}
changes = {}
fig, axes = figure(7.6, 7, rows=2, columns=2)
for row, (name, place) in zip(axes, offsets.items(), strict=True):
    outputs = []
    for panel, order in zip(row, ([0, 1, 2], [2, 1, 0]), strict=True):
        x = vectors[order] + place
        y, _ = self_attention(x[None], layer, heads=1)
        outputs.append(y[0, order])  # (14) rows back in the order cat, chases, mouse
        query, key = (linear(x, layer[part]["weight"], layer[part]["bias"])[0] for part in ("query", "key"))
        labels = [words[index] for index in order]
        _ = heatmap(panel, attention_weights(query, key), labels, labels, f"{' '.join(labels)}, {name}", 0, 1, ".2f")
        panel.title.set_fontsize(9.5)
    changes[name] = np.abs(outputs[0] - outputs[1]).max(axis=-1)  # (14)
    print(f"{name:18} change of", {word: f"{change:.1e}" for word, change in zip(words, changes[name], strict=True)})
print(
    "attention alone",
    "cannot" if changes["without positions"].max() <= 1e-12 else "can",
    "tell the two sentences apart",
)

# %% [markdown] name="blocks" tags=["second"]
# ## Tiles on four small devices
#
# The matrix version has one flaw: $A$ has $n \cdot m$ numbers. For $n = m = 100{,}000$ words in float32 that is 40 GB
# for one head, while $Q$, $K$, $V$ and $Y$ with $d = 64$ take 26 MB each. Could four small devices share the work, each
# holding a quarter of the keys and values, and each looking at one small **tile** of keys at a time?
#
# The average (1) splits easily: a sum over all keys is a sum of sums over tiles. The trouble is the softmax. It wants
# the largest score and the sum of *all* exponentials before it gives out a single weight. The way out is to put off
# the division. For a set $T$ of keys and one query, keep three things:
#
# $$m_T = \max_{j \in T} s_j, \qquad \ell_T = \sum_{j \in T} e^{s_j - m_T}, \qquad w_T = \sum_{j \in T} e^{s_j - m_T}\, v_j. \tag{15}$$
#
# If $T$ is all keys, then $y = w_T / \ell_T$. And two disjoint sets $A$, $B$ can be **merged** without looking at
# their keys again. Let $m = \max(m_A, m_B)$. Then, because $e^{s_j - m} = e^{s_j - m_A}\, e^{m_A - m}$,
#
# $$\ell_{A \cup B} = \ell_A\, e^{m_A - m} + \ell_B\, e^{m_B - m}, \qquad
#   w_{A \cup B} = w_A\, e^{m_A - m} + w_B\, e^{m_B - m}. \tag{16}$$
#
# Both factors are at most 1: merging is as stable as (12). And it does not matter who is merged with whom, or when,
# so the devices need not wait for one another.

# %% name="merge" include="groundup.lessons.self_attention.model:partial_attention groundup.lessons.self_attention.model:merge"
from groundup.lessons.self_attention.model import merge, partial_attention

# %% [markdown] name="merge-by-hand"
# **By hand**, with the first of our three words. Its scores are 1.29, 0.06 and 1.02. Let device A hold words 1 and 2,
# device B word 3. A reports $m_A = 1.29$ and $\ell_A = 1 + e^{0.06 - 1.29} = 1.292$. B reports $m_B = 1.02$ and
# $\ell_B = 1$. Merged: $m = 1.29$ and $\ell = 1.292 + 1 \cdot e^{1.02 - 1.29} = 2.056$. And
# $2.056 \cdot e^{1.29} = 7.468$, the sum that we had by hand at the beginning.

# %% name="merge-by-hand-numbers"
A = partial_attention(X[:1], X[:2], X[:2])
B = partial_attention(X[:1], X[2:], X[2:])
both = merge(A, B)
for device, (maximum, total, weighted) in {"A": A, "B": B, "A and B": both, "B and A": merge(B, A)}.items():
    print(f"{device:8} m = {maximum.item():.2f}, l = {total.item():.3f}, w = {np.round(weighted[0], 3)}")
print("w / l =", np.round(both[2] / both[1], 3), "and by the matrix product", np.round(attend(X, X, X)[0][:1], 3))
assert np.allclose([A[1].item(), B[1].item(), both[1].item()], [1.292, 1.0, 2.056], atol=5e-4)
assert np.allclose(both[1] * np.exp(both[0]), 7.468, atol=5e-4)

# %% [markdown] name="devices"
# Now four devices and 16 words. Each device owns the keys and values of four words and reports three things for every
# query. The reports may be merged in any order:
#
# ![Four devices hold a quarter of the keys each; their reports are merged in pairs, and the last merge gives the answer.](diagram:tiles)

# %% name="devices-run"
rng = np.random.default_rng(7)
Q, K, V = rng.normal(size=(3, 16, 4))
reports = [partial_attention(Q, K[start : start + 4], V[start : start + 4]) for start in (0, 4, 8, 12)]
in_order = merge(merge(merge(reports[0], reports[1]), reports[2]), reports[3])
pairwise_backwards = merge(merge(reports[3], reports[2]), merge(reports[1], reports[0]))
whole, _ = attend(Q, K, V)
for name, (_, total, weighted) in {"in order": in_order, "in pairs, backwards": pairwise_backwards}.items():
    print(f"merged {name}: differs from the matrix product by {np.abs(weighted / total - whole).max():.0e}")

# %% [markdown] name="blocks-backward"
# ### Going back without the weights
#
# Equations (9) need $A$, which we did not keep. But any tile of it can be computed again, if only we keep for each
# query the **log-sum-exp** $\lambda_i = m_i + \ln \ell_i = \ln \sum_j e^{s_{ij}}$, one number a query:
#
# $$a_{ij} = e^{s_{ij} - \lambda_i}. \tag{17}$$
#
# One thing in (6) is still a sum over all keys: $D_i = \sum_l a_{il}\, dA_{il}$. Put in
# $dA_{il} = \sum_c g_{ic} v_{lc}$ and swap the sums:
#
# $$D_i = \sum_l a_{il} \sum_c g_{ic} v_{lc} = \sum_c g_{ic} \sum_l a_{il} v_{lc} = \sum_c g_{ic}\, y_{ic}. \tag{18}$$
#
# So $D_i$ is a dot product of two rows that we have. Now each tile can do its part of (9) alone: $dV$ and $dK$ of its
# own keys, and a contribution to $dQ$ that is added up. The price is that $QK^\top$ is computed twice; the prize is
# that no array is larger than $n \cdot \text{block}$ or $n \cdot d$.
#
# Who thought of it? The running maximum and sum of (16) are Milakov and Gimelshein's (2018). Rabe and Staats (2021) put
# the division off and merged chunks, so that memory no longer grows with $n^2$. FlashAttention (Dao et al. 2022) made
# it fast: it also tiles the queries so that a tile fits into the fast memory of a GPU, computes the weights again on
# the way back, and brought (18). That one log-sum-exp a query is enough to keep is from FlashAttention-2 (Dao 2023);
# the first version kept the maximum and the sum. Our four workers take their turns in one process.

# %% name="attend-in-blocks" include="groundup.lessons.self_attention.model:attend_in_blocks"
from groundup.lessons.self_attention.model import attend_in_blocks

# %% name="blocks-memory" tags=["tools"] include="groundup.lessons.self_attention.experiment:blocks_against_full groundup.proof.instruments:growth"
# `blocks_against_full` measures peak memory, `growth` fits an exponent.
from groundup.lessons.self_attention.experiment import blocks_against_full
from groundup.proof.instruments import growth

# %% name="memory-figure" alt="Peak memory in MiB of forward and backward against the number of words, on logarithmic axes: full attention rises with slope two, attention in blocks with slope one."
sequence_lengths = [256, 512, 1024, 2048]
found = [blocks_against_full(np.random.default_rng(n), n, block=64) for n in sequence_lengths]
for n, row in zip(sequence_lengths, found, strict=True):
    print(
        f"n = {n:5}: full {row['full']:6.1f} MiB, in blocks {row['blocks']:5.1f} MiB; outputs differ by {row['output']:.0e},"
        f" gradients by {row['gradient']:.0e} of their largest (float32)"
    )
lines = {"full": [row["full"] for row in found], "in blocks of 64": [row["blocks"] for row in found]}
fig, axes = figure(6.4, 3.6)
curves(axes, sequence_lengths, lines, "words n", "peak memory (MiB)", "Forward and backward", log="xy")
doubling_ticks(axes, sequence_lengths)
for name, amounts in lines.items():
    print(f"{name}: memory grows as n^{growth(sequence_lengths, amounts):.2f}")

# %% [markdown] name="blocks-turn"
# **Your turn**: exercise `merge` is (16), exercise `attend_in_blocks` all of it.
#
# **Asked in interviews**
#
# - *What does FlashAttention change?* Memory and traffic, not the result: tiles with a running maximum and sum, and
#   weights computed again on the way back. It does more arithmetic and is faster.

# %% [markdown] name="findings" tags=["findings"]
# ## Measured
#
# The findings of this lesson, measured at full size over several seeds, stand here in the built notebook. To measure
# them yourself: `groundup run self_attention`.

# %% [markdown] name="bleu" margin="yes"
# With eight heads of 64 numbers each, the paper's base model reached 27.3 BLEU from English to German and 38.1 to French; the
# big one, with sixteen, 28.4 and 41.8.

# %% [markdown] name="findings-words"
# The paper's own numbers: on the development set a single head was 0.9 BLEU below
# the best number of heads, and 32 were below it, too. Our boxes are made so that one can see what a head is for, and
# they exaggerate: here the second head is worth nearly half of all answers.
#
# Why is the interval of the second finding so wide that it contains 0? Because the seeds differ: without the division
# two of them learn little more than one question, and three learn nearly both. Seed by seed, division won all five
# times.

# %% [markdown] name="take-away"
# ## What to take away
#
# - Attention is a weighted average whose weights are a softmax of dot products:
#   $\operatorname{softmax}(QK^\top/\sqrt d)\,V$.
# - Three roles, three matrices: what I look for, where I can be found, what I hand over.
# - $\sqrt d$ is the standard deviation of a dot product of $d$ independent terms of variance 1. It matters at the
#   start.
# - One softmax is one mixture. Whoever needs two things can use two heads.
# - Attention is blind to order.
# - Gradient descent need not find the better bargain, only the nearer one.
#
# **Asked in interviews**
#
# - *Why divide by $\sqrt d$, and why not by $d$?* A dot product of $d$ independent terms has standard deviation
#   $\sqrt d$; divided by it, the softmax starts out soft and passes gradients. Dividing by $d$ starts it nearly even;
#   in training both can work.
# - *What do time and memory of attention cost?* $O(n^2 d)$ time. $O(n^2)$ memory if the weights are kept, $O(n d)$ in
#   tiles.
# - *Why are $W_q$ and $W_k$ two matrices?* With one, scores are symmetric, and whoever asks for something would have to
#   be found under it.
# - *Do more heads mean more parameters?* No. Each head is narrower; the matrices stay $D \times D$.
# - *What is the gradient of a softmax?* $ds = a \odot (da - \sum a\, da)$: what counts is the difference from the
#   average.
#
# **Common bugs**: the softmax over the wrong axis; scaling by $\sqrt D$ with several
# heads, where $\sqrt{D/h}$ is meant; `reshape(B, h, T, D/h)` where a transpose is needed, which mixes words with
# features; an $\epsilon$ in the denominator; forgetting that in self-attention `x` is used three times, for queries,
# keys and values, and that the three gradients add.
#
# **Try**: give the single head a hidden layer behind it: can it answer both then? Set `W_q` so that *mouse* finds out who hunts
# it. Ask three questions of two heads.
#
# **Where it leads**: to a mask that keeps words from looking ahead, in lesson `tiny_decoder`, and to lesson
# `attention_is_all_you_need`.

# %% [markdown] name="torch" tags=["torch"]
# ## In PyTorch
#
# `F.scaled_dot_product_attention` is (11), scale included, in one compiled function (people say *fused*). On most
# hardware it runs in tiles, and you cannot see the weights any more: that is what it hides. The parameters have the
# names and shapes of `init`, and the tests compare the two: outputs, every gradient and twenty steps of training agree
# to 1e-8 in float64 (the cells below compute in float32, where the last digits differ). `nn` is `torch.nn`, and
# `Tensor` is `torch.Tensor`.

# %% name="torch-imports" tags=["torch"]
import torch
from torch.nn import functional as F

# %% name="twin" tags=["torch"] show="SelfAttention CardReader answer_loss" include="groundup.lessons.self_attention.twin:SelfAttention groundup.lessons.self_attention.twin:CardReader groundup.lessons.self_attention.twin:answer_loss groundup.lessons.self_attention.twin:share_right groundup.training.optim:cosine groundup.plots:figure groundup.plots:curves"
from groundup.lessons.self_attention.twin import CardReader, SelfAttention, answer_loss, share_right
from groundup.plots import curves, figure
from groundup.training.optim import cosine

# %% name="twin-formula" tags=["torch"]
torch.manual_seed(0)
query, key, value = torch.randn(3, 2, 6, 8).unbind(0)
by_formula = torch.softmax(query @ key.mT / math.sqrt(8), dim=-1) @ value  # (11)
fused = F.scaled_dot_product_attention(query, key, value)  # (11)
print(f"formula and fused function differ by {(by_formula - fused).abs().max().item():.0e}")

layer = SelfAttention(8, heads=2)
x = torch.randn(1, 5, 8)
order = torch.tensor([3, 1, 4, 0, 2])
moved = (layer(x[:, order]) - layer(x)[:, order]).abs().max().item()  # (14)
print(f"another order of the words, the same vectors in that order: they differ by {moved:.0e}")

# %% name="twin-train" tags=["torch"]
rng = np.random.default_rng(100)
test = {name: torch.from_numpy(array) for name, array in deal(rng, 64, 32, 48, 16).items()}
model = CardReader(48, 16, 64, heads=2)
steps, history = 500, []
optimizer = torch.optim.Adam(model.parameters(), lr=1.0)  # times what the schedule says: at most 5e-3
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, cosine(5e-3, steps, warmup=20))
for step in range(steps + 1):
    if step % 50 == 0:
        history.append(share_right(model, test["cards"], test["answers"]))
    if step < steps:
        cards, answers = (torch.from_numpy(array) for array in deal(rng, 32, 32, 48, 16).values())
        loss = answer_loss(model(cards), answers)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
print(f"{sum(p.numel() for p in model.parameters()):,} parameters, {history[-1]:.1%} right in new boxes")

# %% name="twin-curve" tags=["torch"] alt="Share of right answers in unseen boxes against the training step, for the PyTorch reader with two heads."
fig, axes = figure(5.4, 2.6)
curves(
    axes, range(0, steps + 1, 50), {"two heads": history}, "step", "right answers, unseen boxes", "The twin in training"
)
