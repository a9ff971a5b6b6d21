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
#     title: Attention is all you need
# ---

# %% [markdown] name="title"
# # Attention is all you need
#
# *Vaswani et al., [Attention Is All You Need](https://arxiv.org/abs/1706.03762), 2017*
#
# Someone writes `the 3rd of March, 1999`. Someone else writes `wed 03.03.1999`. A program wants `1999-03-03`. To
# convert one into the other a network has to read a sequence and write another, of another length and in another
# order. In 2017 this was work for recurrent networks, which read one symbol after the other. The Transformer reads
# all of them at once.
#
# You will build it whole: encoder and decoder, three kinds of attention and their masks, dropout, label smoothing,
# the learning rate with warm-up, greedy and beam search. Every gradient is derived by hand. Then you train it and
# look at what its heads look at.

# %% [markdown] name="intuition"
# ## Three questions, one mechanism
#
# A **query** vector asks, **key** vectors are compared with it, and the **values** that belong to the best keys are
# averaged (lesson *self_attention*). With all queries as rows of $Q$, keys as rows of $K$ and values as rows of $V$,
# and $d_k$ for the width of a key,
#
# $$\operatorname{Attention}(Q, K, V) = \operatorname{softmax}\!\Big(\frac{QK^\top}{\sqrt{d_k}}\Big)\,V \tag{1}$$
#
# The Transformer uses it three times. Only who asks whom differs, and what the mask forbids:
#
# | where | who asks | who answers | what is masked |
# |---|---|---|---|
# | encoder | every character read | every character read | padding |
# | decoder | every character written | the characters written so far | the future, and padding |
# | between them | every character written | every character read | padding |
#
# ![Three grids of who may look at whom: in the encoder all but padding, in the decoder no later place, between them all but padding.](diagram:uses)
#
# A recurrent encoder has to squeeze the whole text into one state. Here the decoder may look at any character at
# any time. No distance is longer than one step.
#
# **Masks.** In training the right answer is known, so all places of the output are predicted at once: place $t$ gets
# the answer up to $t$ and must predict the next character. Without the **causal mask** it would look one place
# ahead and copy. **Padding** fills short rows of a batch up; a mask keeps everyone from looking at it.

# %% name="imports" tags=["shared"]
import math

import numpy as np

# %% [markdown] name="by-hand"
# ## By hand: three places, one number each
#
# Let every vector be a single number and let query, key and value all equal the input: $x = (1, 2, 0)$, $d_k = 1$.
# With the causal mask:
#
# - Place 1 sees only itself. Its output is $1$.
# - Place 2 asks with 2. The scores are $2\cdot1 = 2$ and $2\cdot2 = 4$. The softmax gives
#   $p = e^2/(e^2 + e^4) \approx 0.119$ to the first place and $0.881$ to the second. Output:
#   $0.119\cdot1 + 0.881\cdot2 = 1.881$.
# - Place 3 asks with 0. All scores are 0, so it takes the mean: $(1 + 2 + 0)/3 = 1$.
#
# Backward through the softmax of place 2. Let the loss be its output $y$. Then $\partial y/\partial p_k = v_k$, and for
# the scores $s$
#
# $$\frac{\partial y}{\partial s_k} = p_k\Big(v_k - \sum_j p_j v_j\Big) = p_k\,(v_k - y) \tag{2}$$
#
# That is $0.119\,(1 - 1.881) = -0.105$ and $0.881\,(2 - 1.881) = +0.105$. They add up to zero, as they must: adding
# the same number to all scores changes nothing.

# %% name="by-hand-numbers"
x_hand = np.array([1.0, 2.0, 0.0])
scores_hand = np.where(np.tri(3, dtype=bool), np.outer(x_hand, x_hand), -np.inf)  # (1)
p_hand = np.exp(scores_hand - scores_hand.max(axis=1, keepdims=True))  # (1)
p_hand /= p_hand.sum(axis=1, keepdims=True)  # (1)
y_hand = p_hand @ x_hand  # (1)
by_rule = p_hand[1, :2] * (x_hand[:2] - y_hand[1])  # (2)


def second_output(scores):
    e = np.exp(scores)
    return e @ x_hand[:2] / e.sum()


nudge = 1e-6
by_nudge = [
    (second_output(np.array([2, 4]) + s) - second_output(np.array([2, 4]) - s)) / (2 * nudge) for s in nudge * np.eye(2)
]
print("weights\n", p_hand.round(3))
print("outputs  ", y_hand.round(3))
print("by (2)   ", by_rule.round(6))
print("by nudges", np.round(by_nudge, 6))
assert np.allclose(y_hand, [1, 1.881, 1], atol=5e-4)
assert np.allclose(by_rule, [-0.105, 0.105], atol=5e-4)
assert np.allclose(by_rule, by_nudge, atol=1e-8)

# %% [markdown] name="attention"
# ## Attention, with many heads
#
# A **head** is equation (1) on a thin slice of the vectors. With $h$ heads and width $d$ each has $d_k = d/h$:
#
# $$\operatorname{MultiHead}(X, M) = [\,\text{head}_1; \dots; \text{head}_h\,]\,W_O, \qquad
#   \text{head}_i = \operatorname{Attention}(XW_Q^i,\; MW_K^i,\; MW_V^i) \tag{3}$$
#
# $X$ asks and $M$ answers. In self-attention both are the same array. Its gradient is then the **sum** of two, one
# for each role: forgetting one of them is a classic mistake. The backward pass needs only matrix products and (2).
# With $P$ the weights, $Y = PV$, $S = QK^\top/\sqrt{d_k}$ and $dA$ for the gradient of the loss with respect to $A$:
#
# $$dV = P^\top dY,\quad dP = dY\,V^\top,\quad dS = P \odot \big(dP - \operatorname{rowsum}(P \odot dP)\big),\quad
#   dQ = \tfrac{1}{\sqrt{d_k}}\,dS\,K,\quad dK = \tfrac{1}{\sqrt{d_k}}\,dS^\top Q \tag{4}$$
#
# The row sum need not be formed from two large arrays: $\sum_k P_{tk}\,dP_{tk} = \sum_j Y_{tj}\,dY_{tj}$.
# Where a mask forbids a look, $P = 0$, so by (4) $dS = 0$: no gradient leaks through either.

# %% name="attention-code" show="attention_weights scaled_dot_product_attention multi_head_attention" include="groundup.ops.attention:causal_mask groundup.ops.attention:padding_mask groundup.ops.attention:multi_head_attention"
from groundup.ops.attention import causal_mask, multi_head_attention, padding_mask

# %% [markdown] name="add-norm"
# ## Around every sub-layer: add, then normalise
#
# Each sub-layer $F$ is wrapped in the same way (sections 3.1 and 5.4 of the paper):
#
# $$z = \operatorname{LayerNorm}\big(x + \operatorname{Dropout}(F(x))\big) \tag{5}$$
#
# This order is called **post-LN**. Most later models normalise inside the branch instead, $x + F(\operatorname{LN}(x))$,
# **pre-LN**, which trains well without warm-up. Interviewers like to ask which of the two the paper has.
#
# Layer norm takes one position's vector $u$ of $d$ numbers, with mean $\mu$ and variance $\sigma^2$ (divided by $d$, not
# $d-1$; $\epsilon$ inside the root), and returns $z = g \odot \hat u + b$ with $\hat u = (u - \mu)/\sqrt{\sigma^2 + \epsilon}$.
# Write $\gamma = dz \odot g$. A change of $u_j$ moves $\hat u_j$ directly, all $\hat u$ through $\mu$, and all through $\sigma$.
# From $\partial\mu/\partial u_j = 1/d$ and $\partial\sigma^2/\partial u_j = \tfrac{2}{d}(u_j - \mu)$ the three parts are
#
# $$du = \frac{1}{\sqrt{\sigma^2 + \epsilon}}\Big(\gamma - \operatorname{mean}(\gamma)
#        - \hat u \,\operatorname{mean}(\gamma \odot \hat u)\Big) \tag{6}$$
#
# and $dg = \sum dz \odot \hat u$, $db = \sum dz$ over all positions. In (5) the gradient $du$ then goes two ways: along the
# residual path into $x$ as it is, and through dropout into $F$.

# %% name="norm-code" show="layer_norm add_and_norm" beside="layer_norm" include="groundup.ops.norms:layer_norm groundup.lessons.p13_attention_is_all_you_need.model:drop groundup.lessons.p13_attention_is_all_you_need.model:add_and_norm"
from groundup.lessons.p13_attention_is_all_you_need.model import add_and_norm, drop
from groundup.ops.norms import layer_norm

# %% [markdown] name="embedding-text"
# ## Tokens, positions, and one table for three uses
#
# A character is an index. Row $i$ of the table $E$ is its vector. Attention does not see order, so a vector for the
# position is added. The paper's has sines and cosines of falling frequency, for position $p$ and column pair $i$:
#
# $$x_p = \sqrt d\,E_{\text{token}} + \text{PE}_p, \qquad
#   \text{PE}_{p,2i} = \sin\frac{p}{10000^{2i/d}},\quad \text{PE}_{p,2i+1} = \cos\frac{p}{10000^{2i/d}} \tag{7}$$
#
# The same table serves source, target and readout: the logits are $z = xE^\top$ (section 3.4). The factor $\sqrt d$ is
# there because of this. As a readout $E$ wants entries of about $1/\sqrt d$, or the logits are too large at first;
# as an embedding it should be about as large as the positions.
#
# A table with three uses has a gradient with three terms. With $[t = k]$ for 1 where the token is $k$ and 0
# elsewhere,
#
# $$dE_k = \sqrt d \sum_{\text{source}} [t = k]\,dx + \sqrt d \sum_{\text{target}} [t = k]\,dx
#        + \sum_{\text{places}} dz_k\,x \tag{8}$$

# %% name="embedding-code" show="embedding sinusoidal_positions embed" include="groundup.ops.positions:sinusoidal_positions groundup.lessons.p13_attention_is_all_you_need.model:embed"
from groundup.lessons.p13_attention_is_all_you_need.model import embed
from groundup.ops.positions import sinusoidal_positions

# %% name="positions-figure" tags=["tools"] include="groundup.plots:figure groundup.plots:heatmap groundup.plots:describe"
# Figures and heat maps in one style.
from groundup.plots import describe, figure, heatmap

# %% name="positions-picture" alt="Left: sinusoidal position vectors, 41 positions by 48 columns; the first columns change fast, the last hardly. Right: the dot product of every two positions, largest on the diagonal."
table_of_positions = sinusoidal_positions(41, 48)
fig, (left, right) = figure(10, 3.8, columns=2)
heatmap(left, table_of_positions, title="Position vectors", low=-1, high=1, bar="value")
heatmap(right, table_of_positions @ table_of_positions.T, title="Dot products of positions", bar="dot product")
for axes, columns in ((left, "column"), (right, "position")):
    axes.set(xlabel=columns, ylabel="position", aspect="auto" if axes is left else "equal")

# %% [markdown] name="layers-text"
# ## Layers
#
# The second kind of sub-layer works on each position by itself:
#
# $$\operatorname{FFN}(x) = \max(0, xW_1 + b_1)\,W_2 + b_2 \tag{9}$$
#
# An encoder layer is self-attention and FFN, each wrapped in (5). A decoder layer has cross-attention between the
# two. Read each `backward` from top to bottom: it is its forward pass read from bottom to top. Where an array was
# used twice, its gradients are added. In the decoder, every layer reads the same `memory`, so their gradients add up
# before they enter the encoder.

# %% name="layers-code" show="feed_forward encoder_layer decoder_layer" beside="encoder_layer" include="groundup.lessons.p13_attention_is_all_you_need.model:feed_forward groundup.lessons.p13_attention_is_all_you_need.model:encoder_layer groundup.lessons.p13_attention_is_all_you_need.model:decoder_layer"
from groundup.lessons.p13_attention_is_all_you_need.model import decoder_layer, encoder_layer, feed_forward

# %% [markdown] name="model-text"
# ## The whole model
#
# ![The encoder reads the source through self-attention and feed-forward; the decoder has causal self-attention, cross-attention to the memory of the encoder, and feed-forward, then logits.](diagram:whole)

# %% name="model-code" show="encode decode transformer" include="groundup.lessons.p13_attention_is_all_you_need.model:init groundup.lessons.p13_attention_is_all_you_need.model:encode groundup.lessons.p13_attention_is_all_you_need.model:decode groundup.lessons.p13_attention_is_all_you_need.model:transformer"
from groundup.lessons.p13_attention_is_all_you_need.model import decode, encode, init, transformer

# %% [markdown] name="smoothing"
# ## Label smoothing
#
# Cross-entropy wants probability 1 for the right character, and pushes logits apart without end. **Label smoothing**
# asks for a little less (section 5.4). With $K$ characters and $\varepsilon = 0.1$ the wanted distribution is
#
# $$q_k = (1 - \varepsilon)\,[k = \text{right}] + \frac{\varepsilon}{K}, \qquad
#   L = -\sum_k q_k \log p_k, \qquad \frac{\partial L}{\partial z_k} = p_k - q_k \tag{10}$$
#
# The derivative: $\log p_k = z_k - \log\sum_j e^{z_j}$, so $\partial L/\partial z_k = -q_k + p_k \sum_j q_j$, and the $q_j$ sum to 1.
# The loss no longer goes to 0. Its floor is reached at $p = q$ and is the entropy of $q$. A loss curve that flattens
# there has not failed: it has finished.

# %% name="smoothing-code" show="cross_entropy smoothed_loss" include="groundup.lessons.p13_attention_is_all_you_need.model:smoothed_loss"
from groundup.lessons.p13_attention_is_all_you_need.model import smoothed_loss

# %% name="smoothing-numbers"


def loss_floor(classes, epsilon=0.1):
    right, other = 1 - epsilon + epsilon / classes, epsilon / classes
    return -right * math.log(right) - (classes - 1) * other * math.log(other)


wanted_distribution = np.full((1, 4), 0.1 / 4)  # (10)
wanted_distribution[0, 2] += 0.9  # (10)
loss_at_floor, floor_backward = smoothed_loss(np.log(wanted_distribution), np.array([2]))
print("wanted, 4 classes:", wanted_distribution[0])
print(f"loss at p = q: {loss_at_floor:.6f}; entropy of q: {loss_floor(4):.6f}")
print(f"largest gradient there: {np.abs(floor_backward()).max():.1e}")
assert np.allclose(wanted_distribution, [[0.025, 0.025, 0.925, 0.025]])
assert math.isclose(loss_at_floor, loss_floor(4))

# %% [markdown] name="check"
# ### Is the gradient right?
#
# In float64, draw a random direction in the space of all parameters. Two forward passes measure the slope along it;
# the gradient predicts it. The batch has padding on both sides, and dropout is on: the same generator seed draws the
# same mask every time. Remove one of the three terms of (8) and run this again.

# %% name="check-code" tags=["tools"] include="groundup.proof.slopes:compare_slopes groundup.proof.slopes:show_slopes groundup.training.params:map_tree"
# `show_slopes` measures slopes in random directions and compares them with the gradient.
from groundup.training.params import map_tree
from groundup.proof.slopes import compare_slopes, show_slopes

# %% name="check-run"
check_rng = np.random.default_rng(0)
small = init(check_rng, vocabulary=7, width=8, hidden=12, layers=2, dtype=np.float64)
small_source = np.array([[3, 4, 5, 6, 1], [2, 6, 3, 0, 0]])
small_target = np.array([[1, 3, 4, 5, 2], [1, 6, 2, 0, 0]])


def small_loss(params):
    logits, backward = transformer(params, small_source, small_target[:, :-1], 2, 0.2, np.random.default_rng(7))
    loss, loss_backward = smoothed_loss(logits, small_target[:, 1:])
    return loss, backward(loss_backward())


assert show_slopes(small_loss, small, check_rng, width=1e-6) < 1e-5

# %% [markdown] name="causal"
# ### Is it causal?
#
# Change one character of the target. The logits before it must not move, not by one bit. This test is short, and
# it catches the mistake that makes a training loss look wonderful and the model useless.

# %% name="causal-run" predict="One token of the output is changed: at which places may the logits move?"
small_memory, _ = encode(small, small_source, 2)
before_change, _ = decode(small, small_target[:, :-1], small_memory, small_source, 2)
changed_target = small_target[:, :-1].copy()
changed_target[0, 2] = 6
after_change, _ = decode(small, changed_target, small_memory, small_source, 2)
moved = np.abs(after_change - before_change)[0].max(axis=-1)
print("change of the logits at each place:", moved.round(4))
print("causal" if moved[:2].max() == 0 and moved[2:].min() > 0 else "NOT causal")

# %% [markdown] name="data" tags=["shared"]
# ## Dates
#
# The pairs come from a generator: 27 ways to write a date, in varying case and with careless spaces, for every day
# of 1900 to 2099. A day before a month, four digits for the year: each text has one answer, so the best possible
# score is 1. Guessing without reading is right once in 73,049 tries. No day is in two of the parts below.

# %% name="dates-code" tags=["shared", "tools"] include="groundup.data.dates:CHARACTERS groundup.data.dates:DAYS groundup.data.dates:END groundup.data.dates:LONGEST groundup.data.dates:START groundup.data.dates:decode_date groundup.data.dates:encode_source groundup.data.dates:split_date_pairs groundup.lessons.p13_attention_is_all_you_need.measure:Encoded groundup.lessons.p13_attention_is_all_you_need.measure:encoded groundup.lessons.p13_attention_is_all_you_need.measure:exact groundup.lessons.p13_attention_is_all_you_need.measure:like_length_batch groundup.training.streams:random_stream"
# The dates: drawn, split and written as numbers; and the measure, whole answers without a mistake.
from groundup.data.dates import CHARACTERS, DAYS, END, LONGEST, START, decode_date, encode_source, split_date_pairs
from groundup.lessons.p13_attention_is_all_you_need.measure import Encoded, encoded, exact, like_length_batch
from groundup.training.streams import random_stream

# %% name="dates" tags=["shared"]
parts = split_date_pairs(random_stream(0, "data"), 50_000, 1000, 2000)
training_data, validation_data, test_data = (encoded(part) for part in parts)
assert DAYS == 73_049
print(f"{len(CHARACTERS)} characters; the longest text has at most {LONGEST}")
for written_date, iso in parts.train[:6]:
    print(f"{written_date!r:45} {iso}")

# %% [markdown] name="schedule-text"
# ## The learning rate
#
# Adam (lesson `optimizers`) divides by a running estimate of the gradient's size. In the first steps it rests on few samples, and with
# post-LN the gradients near the output are large at first. So the paper starts small. With $n$ for the step, counted
# from 1, and $w$ for the warm-up (its equation 3):
#
# $$\eta_n = d^{-1/2}\,\min\!\big(n^{-1/2},\; n\,w^{-3/2}\big) \tag{11}$$
#
# It rises in a straight line, and from step $w$ on falls like $1/\sqrt n$. Both branches meet at $n = w$:
# $w \cdot w^{-3/2} = w^{-1/2}$.

# %% name="schedule-code" show="inverse_root" include="groundup.training.optim:adam groundup.training.optim:inverse_root groundup.plots:curves"
from groundup.training.optim import adam, inverse_root
from groundup.plots import curves

# %% name="schedule-picture" alt="Learning rate of equation 11 against the step for warm-ups of 100, 200 and 400 steps: a straight rise, then a fall along one common curve."
fig, axes = figure(6.8, 3.2)
shown_steps = np.arange(1000)
rates = {f"warm-up {w}": [inverse_root(48, w)(int(n)) for n in shown_steps] for w in (100, 200, 400)}
curves(axes, shown_steps + 1, rates, "step", "learning rate", "Equation 11 at width 48")
assert math.isclose(inverse_root(48, 200)(199), 48**-0.5 * 200**-0.5)

# %% [markdown] name="training-text"
# ## Training
#
# Batches hold texts of about the same length, as in the paper, so that little is padding. With the rate still high at
# the end, single checkpoints jump about. The paper's last trick is meant for this: the parameters of the **last five
# checkpoints are averaged** (section 6.1). We take ours 50 steps apart; between two of them training goes on in a stretch
# with random numbers of its own. (The first five, up to step 1,000, are there for a comparison with learned positions.)
#
# Dropout is off here. It is a remedy for overfitting, and the training below passes over its data only a few times.

# %% name="decoding-code" show="transformer_scorer generate" include="groundup.lessons.p13_attention_is_all_you_need.decoding:transformer_scorer groundup.lessons.p13_attention_is_all_you_need.decoding:generate groundup.training.params:count"
from groundup.lessons.p13_attention_is_all_you_need.decoding import generate, transformer_scorer
from groundup.training.params import count

# %% name="train-start"
HEADS, BATCH, ENDS = 4, 64, (800, 850, 900, 950, 1000, 1450, 1500, 1550, 1600, 1650)
params = init(random_stream(0, "parameters", "transformer"), len(CHARACTERS), width=48, hidden=96, layers=1)
optimiser, rate = adam(0.9, 0.98, 1e-9), inverse_root(48, 200)
optimiser_state = optimiser.init(params)
watched = Encoded(*(array[:200] for array in validation_data))
history = {"step": [], "training loss": [], "exact match": []}
checkpoints, recent, step = [], [], 0


def share_right(params, data):
    def write_greedily(source):
        return generate(transformer_scorer(params, source, HEADS), len(source), 11)

    return float(exact(data, write_greedily).mean())


# %% name="train"
print(f"{count(params):,} parameters")
for stretch, end in enumerate(ENDS, start=1):
    draws = random_stream(0, "training", f"transformer_{stretch}")
    while step < end:
        examples = like_length_batch(draws, training_data, BATCH)
        logits, backward = transformer(params, examples["source"], examples["given"], HEADS, 0.0, draws)
        loss, loss_backward = smoothed_loss(logits, examples["wanted"])
        optimiser.update(params, backward(loss_backward()), optimiser_state, rate(step))
        recent.append(float(loss))
        step += 1
        if step % 150 == 0:
            history["step"].append(step)
            history["training loss"].append(np.mean(recent))
            history["exact match"].append(share_right(params, watched))
            recent.clear()
            print(f"step {step}: loss {history['training loss'][-1]:.3f}, exact match {history['exact match'][-1]:.3f}")
    checkpoints.append(map_tree(np.copy, params))

# %% name="learning-picture" measures="exact_match=averaged_right" alt="Left: training loss falls to just above the floor set by label smoothing. Right: share of held-out dates that are right, rising with the step, and the share of the averaged model."
averaged = map_tree(lambda *each: sum(each[1:], each[0]) / len(each), *checkpoints[-5:])
last_right, averaged_right = share_right(params, test_data), share_right(averaged, test_data)
fig, (left, right) = figure(10, 3.6, columns=2)
curves(left, history["step"], {"training": history["training loss"]}, "step", "smoothed cross-entropy (nats)", "Loss")
left.axhline(loss_floor(len(CHARACTERS)), color="#8b939e", linestyle=":")
left.annotate("floor", (1, loss_floor(len(CHARACTERS))), xycoords=("axes fraction", "data"), ha="right", va="bottom")
curves(right, history["step"], {"one checkpoint": history["exact match"]}, "step", "share right", "Held-out dates")
right.plot([step], [averaged_right], "*", markersize=13, color="#740f3c", label="average of five, test")
describe(right, "step", "share right", "Held-out dates")
print(f"test, last checkpoint {last_right:.3f}, average of five {averaged_right:.3f}")
# If neither is better, the dates that only one of them gets right fall like tosses of a coin.
sure = abs(averaged_right - last_right) > 2 * ((2 - averaged_right - last_right) / len(test_data.lengths)) ** 0.5
print(("averaging helped" if averaged_right > last_right else "averaging hurt") if sure else "too close to tell")

# %% [markdown] name="decoding-text"
# ## Writing: greedy and beam search
#
# **Greedy** decoding takes the likeliest character, feeds it back, and never looks back. **Beam search** keeps the $b$
# best beginnings. A longer text has more factors below 1, so plain probability favours short ones. The paper divides
# the log-probability by a penalty for the length $|Y|$ (Wu et al. 2016, [arXiv:1609.08144](https://arxiv.org/abs/1609.08144)):
#
# $$\text{score}(Y) = \frac{\log P(Y \mid X)}{\text{lp}(Y)}, \qquad \text{lp}(Y) = \Big(\frac{5 + |Y|}{6}\Big)^{\alpha},
#   \qquad \alpha = 0.6,\; b = 4 \tag{12}$$
#
# All ISO dates are equally long, so here the penalty changes little. Beam search can only repair what greedy decoding
# loses by deciding too early. How often that happens, the numbers say.

# %% name="beam-code" show="length_penalty beam_search" include="groundup.lessons.p13_attention_is_all_you_need.decoding:beam_search"
from groundup.lessons.p13_attention_is_all_you_need.decoding import beam_search

# %% name="beam-run" predict="Four beams or the best guess each time: who writes more dates right?" measures="beam=beam_right"


def beam_of_four(source):
    return beam_search(transformer_scorer(params, source, HEADS), len(source), 11)[0]


thousand = Encoded(*(array[:1000] for array in test_data))
greedy_right, beam_right = share_right(params, thousand), float(exact(thousand, beam_of_four).mean())
print(f"last checkpoint, a thousand dates: greedy {greedy_right:.3f}, beam of four {beam_right:.3f}")
sure = abs(beam_right - greedy_right) > 2 * ((2 - beam_right - greedy_right) / len(thousand.lengths)) ** 0.5
print("beam search against greedy decoding: " + ("a clear difference" if sure else "too close to tell"))
for prompt in ("3rd of March 1999", "thu 29 FEB 2024", "12/11/2010"):
    asked = encode_source([prompt])
    print(f"{prompt!r:22} -> {decode_date(generate(transformer_scorer(averaged, asked, HEADS), 1, 11)[0])}")

# %% [markdown] name="heads-text"
# ## What the heads look at
#
# Every row is a character that asks, every column one that is looked at; rows sum to 1. Look in the last line for the
# year, month and day being fetched from where they stand in the text, while the output is written in another order.
# Attention says where a layer looks. It does not prove what the model uses.

# %% name="maps-code" tags=["tools"] include="groundup.lessons.p13_attention_is_all_you_need.decoding:attention_maps groundup.lessons.p13_attention_is_all_you_need.measure:one groundup.lessons.p13_attention_is_all_you_need.measure:year_head"
# `attention_maps` gives the weights of every head; the others find the head that looks at the year.
from groundup.lessons.p13_attention_is_all_you_need.decoding import attention_maps
from groundup.lessons.p13_attention_is_all_you_need.measure import one, year_head

# %% name="frames-tool" tags=["tools"] include="groundup.plots:frames"
# A figure with a slider: one picture for each value of a number.
from groundup.plots import frames

# %% name="heads-picture" alt="One attention head at a time: who looks at whom in a held-out date, character by character, for the encoder, the decoder's own attention (nothing above the diagonal) and the decoder's attention to the source."
example = int(np.argmax(test_data.lengths == 22))
maps = attention_maps(averaged, *one(test_data, example), HEADS)
read, written = parts.test[example]
sides = {
    "encoder": (read, read),
    "decoder": (f"{written}$", f"^{written}"),
    "cross": (f"{written}$", read),
}


def one_head(axes, name):
    part, head = name.rsplit(" ", 1)
    asks, answers = sides[part]
    heatmap(axes, maps[part][-1, 0, int(head) - 1], list(asks), list(answers), low=0, high=1)
    describe(axes, "looked at", "asks", f"{part.capitalize()}, head {head}")


names = [f"{part} {head + 1}" for part in sides for head in range(HEADS)]
fig = frames("head", names, one_head, width=5.6, height=4.4, shown=(8, 9), start=8)

# %% [markdown] name="year-text"
# One picture can be luck. So count: while the four digits of the year are written, how much of its attention does a
# head give to the four characters where the year stands? The head is chosen on validation dates and measured on test
# dates. The untrained network, given the same choice, is the baseline.

# %% name="year-run" measures="heads=on_the_year"
chosen, on_the_year = year_head(averaged, validation_data, test_data, HEADS)
_, on_the_year_untrained = year_head(
    init(random_stream(0, "parameters", "transformer"), len(CHARACTERS), 48, 96, 1), validation_data, test_data, HEADS
)
print(f"head {chosen}: {on_the_year:.2f} of its attention on the year; best untrained head {on_the_year_untrained:.2f}")

# %% [markdown] name="cost-text"
# ## What attention costs
#
# For a sequence of length $n$ and width $d$, self-attention needs of the order of $n^2 d$ operations, and memory for
# $n^2$ weights a head. A recurrent layer needs $n d^2$ operations and memory of order $n d$, but its $n$ steps have to wait for one another
# (Table 1 of the paper). So attention should win while $n$ is small, and lose when it is large. Measured by the
# experiment, forward and backward, in NumPy on one processor; the LSTM also pays Python's price for every step of its loop.

# %% name="cost-code" tags=["tools"] include="groundup.data.measured:measured groundup.lessons.p13_attention_is_all_you_need.figures:cost_figure"
# What the experiment measured, and its picture.
from groundup.data.measured import measured
from groundup.lessons.p13_attention_is_all_you_need.figures import cost_figure

# %% name="cost-picture" alt="Time and peak memory of a self-attention layer and an LSTM layer against length, both axes logarithmic; attention's lines are steeper."
kept = measured("p13_attention_is_all_you_need", "arrays/lengths", "arrays/cost", "arrays/slopes")
lengths, cost, slopes = kept["arrays/lengths"], kept["arrays/cost"], kept["arrays/slopes"]
fig = cost_figure(lengths, cost, slopes)
for n, attention_time, lstm_time in zip(lengths, cost["attention"]["seconds"], cost["lstm"]["seconds"], strict=True):
    faster = "attention" if attention_time < lstm_time else "the LSTM"
    print(f"n = {n:4}: attention takes {attention_time / lstm_time:.2f} of the LSTM's time; {faster} is faster")

# %% [markdown] name="findings" tags=["findings"]
# ## Measured
#
# The findings of this lesson, measured at full size over several seeds, stand here in the built notebook. Beside the
# Transformer an LSTM encoder–decoder is trained on as many examples and with the same loss, with the settings that
# served it best, and a Transformer with learned positions for a part of the steps. To measure them yourself:
# `groundup run 13`; to convert a date of your own, `groundup sample 13 --checkpoint FILE --prompt "3rd of March 1999"`.

# %% [markdown] name="take-away"
# ## What to take away
#
# - One mechanism, three uses. They differ in who asks, who answers, and what the mask forbids.
# - Gradients of whatever is used more than once add up: the residual path, the memory, self-attention's input, the
#   shared table.
# - Post-LN wants warm-up. Label smoothing moves the floor of the loss. Averaging checkpoints is cheap.
# - The price is $n^2$. Whether that is much depends on $n$ against $d$.
#
# **Mistakes to look for**, in an interview or in your own code: a mask added after the softmax; masking padded queries
# in place of padded keys; the target not shifted by one place; $\sqrt d$ forgotten at the embedding; scores divided by
# $\sqrt d$ where it should be $\sqrt{d_k}$; averaging the loss over padding; a scheduler whose first step is 0, so that
# equation (11) divides by zero.
#
# **Try**: replace `causal_mask(...)` in `decode` by all True, train, and compare loss and exact match; set the warm-up to
# 1; give `init` `learned=41`; train with two layers; use one head.

# %% [markdown] name="torch" tags=["torch"]
# ## The same in PyTorch
#
# `F.scaled_dot_product_attention` holds equation (1), autograd the derivatives. Names and shapes of the parameters are
# those of the tree above; the tests compare outputs, gradients and twenty steps of training, to 1e-8. One table, used
# three times, is one `Parameter`: its gradient adds up by itself.

# %% name="twin" tags=["torch"] show="Attention FeedForward EncoderLayer DecoderLayer sinusoids Transformer smoothed_loss greedy" include="groundup.lessons.p13_attention_is_all_you_need.twin:Transformer groundup.lessons.p13_attention_is_all_you_need.twin:smoothed_loss groundup.lessons.p13_attention_is_all_you_need.twin:greedy groundup.plots:figure groundup.plots:curves"
from groundup.lessons.p13_attention_is_all_you_need.twin import Transformer, greedy, smoothed_loss
from groundup.plots import curves, figure

# %% name="twin-train" tags=["torch"]
import torch

torch.manual_seed(1)
STEPS = 600
model = Transformer(len(CHARACTERS), width=48, hidden=96, layers=1, heads=4, dropout=0.0)
optimizer = torch.optim.Adam(model.parameters(), lr=1.0, betas=(0.9, 0.98), eps=1e-9)
scheduler = torch.optim.lr_scheduler.LambdaLR(
    optimizer,
    lambda step: 48**-0.5 * min((step + 1) ** -0.5, (step + 1) * 200**-1.5),  # (11)
)
training_rng = np.random.default_rng(3)
history = {"step": [], "training": []}
recent = []
for step in range(1, STEPS + 1):
    examples = like_length_batch(training_rng, training_data, 64)
    source, given, wanted = (torch.from_numpy(examples[name]) for name in ("source", "given", "wanted"))
    loss = smoothed_loss(model(source, given), wanted)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    scheduler.step()
    recent.append(loss.item())
    if step % 50 == 0:
        history["step"].append(step)
        history["training"].append(np.mean(recent))
        recent.clear()

# %% name="twin-curve" tags=["torch"] alt="Training loss of the PyTorch twin against the step."
fig, axes = figure(6.8, 3.4)
curves(
    axes,
    history["step"],
    {"training": history["training"]},
    "step",
    "smoothed cross-entropy (nats)",
    "The twin learns as well",
)

# %% name="twin-test" tags=["torch"]
right = exact(test_data, lambda source: greedy(model, torch.from_numpy(source), 11).numpy())
print(f"exact match on {len(right)} held-out dates after {STEPS} steps: {right.mean():.3f}")
for prompt in ("3rd of March 1999", "12/11/2010"):
    asked = torch.from_numpy(encode_source([prompt]))
    print(f"{prompt!r:22} -> {decode_date(greedy(model, asked, 11)[0].numpy())}")
