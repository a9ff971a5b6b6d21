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
#     title: A tiny decoder
# ---

# %% [markdown] name="title"
# # A tiny decoder
#
# *After Vaswani et al., [Attention Is All You Need](https://arxiv.org/abs/1706.03762), 2017; decoder-only as in
# [GPT](https://cdn.openai.com/research-covers/language-unsupervised/language_understanding_paper.pdf), 2018; norms
# first as in [Xiong et al.](https://arxiv.org/abs/2002.04745), 2020*
#
# Two models learn to write words backwards. They have the same 53,853 parameters, the same start and the same words to
# learn from. They differ in one table of yes and no, the *mask*.

# %% name="measured-tool" tags=["tools"] include="groundup.data.measured:measured"
# `measured` gives what the experiment of this lesson found.
from groundup.data.measured import measured

# %% name="opening" tags=["tools"] predict="Model A ends with a training loss of 0.0069, and model B, to four decimals, with the same. Which writes more new words right?"
# The loss at the end of training, and the share of 1,000 new words that each writes backwards without a mistake.
ends = measured("tiny_decoder", "curves/decoder", "curves/no_mask", "metrics/exact match")
for name, key in {"model A": "decoder", "model B": "no_mask"}.items():
    loss = ends[f"curves/{key}"]["training"][-1]
    print(f"{name}: training loss {loss:.4f}; new words without a mistake: {ends['metrics/exact match'][key]:.1%}")

# %% [markdown] name="question"
# By their losses at the end of training nobody can tell the two apart. The **mask** of model B lets every place see the answer that it
# is about to give, so model B has learned to copy. When it writes, there is nothing to copy from. What must the mask
# forbid, and how do you prove that yours does?
#
# Large language models are stacks of dozens of blocks, all built alike. Here is one block, whole. You will derive every
# part, write down by hand a query that finds the right letter and see what training finds, test that the model cannot
# see the future, and generate with a **KV cache**. In the end the same block gets half a minute with Jane Austen's
# novels. Will it write words?

# %% [markdown] name="intuition"
# ## The task, and why attention is needed
#
# The model reads a random word and a `>`, and has to write the word backwards, letter by letter: `hello>` → `olleh.`
# There are 29 tokens: 26 letters, `>`, `.`, and one that fills the places in front of short words. The model is a
# decoder: at every place it gives a probability to each token that may come next. The likeliest is written down, the
# text is one token longer, and the model is asked again.
#
# To write a letter it must *fetch* one particular letter from what it has read. Attention is the fetching: the last
# token asks a question (**query**), every token so far shows a card (**key**) and holds a content (**value**), and the
# answer is an average of the contents, weighted by how well cards fit the question. And here the question is about a
# *place*, so tokens must carry their place with them.
#
# We write the word at the right end of a field of 16 places, so `>` is always at place 16 (counted from 0). The token
# at place $p \ge 16$ needs the letter at place
#
# $$r = 31 - p \tag{1}$$
#
# At $p = 16$, that is place 15, the last letter. When place $r$ is empty, or there is none left, the model writes `.`.
#
# The whole model is four lines. For tokens $t_p$ with embedding rows $E_t$, and a vector $\operatorname{pos}_p$ for
# each place,
#
# $$x_p = E_{t_p} + \operatorname{pos}_p, \qquad m = x + \operatorname{Attention}(\operatorname{Norm}(x)), \tag{2}$$
#
# $$y = m + \operatorname{MLP}(\operatorname{Norm}(m)), \qquad z = W_o \operatorname{Norm}(y) + b_o. \tag{3}$$
#
# ![The residual stream runs from the embedding to the readout; attention and then the MLP read from it through a norm and add their results to it.](diagram:block)
#
# $z_p$ are the **logits** of the token at place $p + 1$; softmax turns them into probabilities. Here vectors are $D =
# 64$ numbers wide, cut into 4 heads; the MLP has 256.

# %% name="imports" tags=["shared", "tools"]
# Tools of Python, and NumPy.
import math
import textwrap
from functools import partial

import numpy as np

# %% [markdown] name="by-hand"
# ## By hand: causal attention over three tokens
#
# Let queries, keys and values be single numbers ($d = 1$, so $\sqrt d = 1$). All queries are 1, the keys are
# $0, \ln 2, \ln 3$, the values are $6, 0, 3$. The scores are query times key, so every row of scores is
# $0, \ln 2, \ln 3$, and $e^{\text{score}}$ is $1, 2, 3$.
#
# **Causal** means that token $t$ may look at tokens $1 \dots t$ only. Before the softmax, the mask replaces the scores of later
# tokens by $-\infty$, and $e^{-\infty} = 0$. Here for five letters, then for our three tokens:
#
# ![Two squares of five letters by five: the scores that are allowed, on and below the diagonal, and the weights that the softmax makes of each row.](diagram:mask)
#
# | token | weights | output |
# |---|---|---|
# | 1 | $1, 0, 0$ | $6$ |
# | 2 | $\tfrac13, \tfrac23, 0$ | $\tfrac13 \cdot 6 + \tfrac23 \cdot 0 = 2$ |
# | 3 | $\tfrac16, \tfrac26, \tfrac36$ | $\tfrac16 \cdot 6 + \tfrac26 \cdot 0 + \tfrac36 \cdot 3 = 2.5$ |
#
# Without the mask every row would be the third one. Token 1 would be told 2.5, a number made from tokens that it
# is supposed to predict.
#
# **And the gradients?** Let the loss depend on the third output alone, with slope 1. Value $j$ entered with weight $P_j$, so its
# gradient is $P_j$. For the scores, softmax has $\partial P_j / \partial S_k = P_j(\delta_{jk} - P_k)$ (where $\delta_{jk}$ is 1 if $j = k$,
# else 0). Multiply by $\partial L/\partial P_j$ and add up over $j$:
#
# $$\frac{\partial L}{\partial S_k} = P_k \Big(\frac{\partial L}{\partial P_k} - \sum_j P_j \frac{\partial L}{\partial P_j}\Big). \tag{4}$$
#
# Here $\partial L/\partial P_j$ is the value $v_j$, and the sum is the output 2.5. The three slopes are
# $\tfrac16 (6 - 2.5) = \tfrac{7}{12}$, $\tfrac26(0 - 2.5) = -\tfrac{10}{12}$ and $\tfrac36(3 - 2.5) = \tfrac{3}{12}$. They sum to 0: shifting all
# scores changes nothing. Where the mask stands, $P_k = 0$, and so is the slope.

# %% name="attention" show="scaled_dot_product_attention" beside="scaled_dot_product_attention" include="groundup.ops.attention:causal_mask groundup.ops.attention:attention_weights groundup.ops.attention:scaled_dot_product_attention"
from groundup.ops.attention import attention_weights, causal_mask, scaled_dot_product_attention

# %% name="by-hand-numbers"
query = np.ones((3, 1))
key = np.log([[1.0], [2.0], [3.0]])
value = np.array([[6.0], [0.0], [3.0]])
output, pull_back = scaled_dot_product_attention(query, key, value, causal_mask(3))
d_query, d_key, d_value = pull_back(np.array([[0.0], [0.0], [1.0]]))
print("weights\n", attention_weights(query, key, causal_mask(3)).round(4))
print("outputs", output[:, 0], " without the mask", scaled_dot_product_attention(query, key, value)[0][:, 0])
print("slopes of the scores of token 3, in twelfths:", (12 * d_key[:, 0]).round(6))  # queries are 1: the keys' slopes
assert np.allclose(output[:, 0], [6, 2, 2.5])
assert np.allclose(12 * d_key[:, 0], [7, -10, 3])

# %% [markdown] name="positions"
# ## Positions
#
# Without a mask attention is blind to order: shuffle keys and values together and the average is the same. So each
# place gets a vector of its own, added to the token's. With width $D$ and frequencies $\omega_i = 10000^{-2i/D}$,
#
# $$\operatorname{pos}_{p,\,2i} = \sin(\omega_i\, p), \qquad \operatorname{pos}_{p,\,2i+1} = \cos(\omega_i\, p). \tag{5}$$
#
# Each pair is a point on a circle. Why circles? Because $\sin a \sin b + \cos a \cos b = \cos(a - b)$, so that
#
# $$\operatorname{pos}_p \cdot \operatorname{pos}_{p+k} = \sum_i \cos(\omega_i\, k): \tag{6}$$
#
# the dot product depends on the distance $k$ alone, not on the place.

# %% name="sinusoids" show="sinusoidal_positions" include="groundup.ops.positions:sinusoidal_positions groundup.plots:figure groundup.plots:curves groundup.plots:heatmap groundup.plots:describe"
from groundup.ops.positions import sinusoidal_positions
from groundup.plots import curves, describe, figure, heatmap

# %% [markdown] name="slip" tags=["second"]
# ### A cosine one position late
#
# Even dimension $j$ is $\sin(p / 10000^{j/D})$, and odd dimension $j$ is the cosine *of the same angle as the even one
# before*, $\cos(p / 10000^{(j-1)/D})$. **Beware.** The $-1$ belongs to the exponent. Put it at the position by mistake,
# $\cos(\omega_i (p - 1))$, and the pair is no longer a point on a circle; nothing breaks, but (6) is lost:

# %% name="positions-picture" alt="Left: the sinusoids of 64 positions, one column each. Right: the dot product of positions four apart is constant, but wavy for the version with the slip."
table = sinusoidal_positions(64, 64)
slip = table.copy()
slip[1:, 1::2] = table[:-1, 1::2]  # cos(p - 1): one position late
slip[0, 1::2] = table[1, 1::2]  # cos(-1) = cos(1)
print("position 1, width 4:", sinusoidal_positions(2, 4, np.float64)[1].round(4), "= sin 1, cos 1, sin 0.01, cos 0.01")

fig, axes = figure(9.6, 3.0, columns=2)
heatmap(axes[0], table.T, title="Positions", low=-1, high=1, bar="value")
axes[0].set(xlabel="position", ylabel="dimension")
axes[0].set_aspect("auto")
products = {
    "same angle": (table[:-4] * table[4:]).sum(axis=1),  # (6)
    "cosine one position late": (slip[:-4] * slip[4:]).sum(axis=1),
}
curves(axes[1], range(60), products, "position p", "pos(p) · pos(p + 4)", "Two positions, four apart")
axes[1].set_ylim(top=max(map(np.max, products.values())) + 2)
for label, product in products.items():
    print(f"{label}: from {product.min():.4f} to {product.max():.4f}")

# %% [markdown] name="mirror"
# ### A head that looks in the mirror
#
# Can attention do what (1) asks? Yes, and we can write the query down. It needs its largest score just where $r = 31 -
# p$, and
#
# $$\sum_i \cos\big(\omega_i (31 - p - r)\big) \tag{7}$$
#
# is such a score: every cosine is 1 there, and elsewhere some are less. (Next door not by much: the sum falls from 32
# to 30.9. So the query must also be *long*, or the softmax spreads its weight over the neighbours.) By the same
# addition formula (7) is the dot product of the key $\operatorname{pos}_r$ with the query whose pairs are
# $\sin(\omega_i(31 - p))$ and $\cos(\omega_i (31 - p))$. And that query is a *linear* map of $\operatorname{pos}_p$, as
# a query projection is:
#
# $$\begin{pmatrix} \sin\omega(31-p) \\ \cos\omega(31-p) \end{pmatrix} =
#   \begin{pmatrix} -\cos 31\omega & \sin 31\omega \\ \sin 31\omega & \cos 31\omega \end{pmatrix}
#   \begin{pmatrix} \sin\omega p \\ \cos\omega p \end{pmatrix}. \tag{8}$$
#
# So there is a solution, with a head that is 64 numbers wide and sees positions alone. Our heads have 16 numbers each,
# and positions and letters come to them added together. Will they find something like it?

# %% name="mirror-by-hand"
place_of = sinusoidal_positions(33, 64, np.float64)
frequencies = 10000.0 ** (-np.arange(0, 64, 2) / 64)
projection = np.zeros((64, 64))
for pair, omega in enumerate(frequencies):
    sine, cosine = math.sin(31 * omega), math.cos(31 * omega)  # (8)
    projection[2 * pair : 2 * pair + 2, 2 * pair : 2 * pair + 2] = [[-cosine, sine], [sine, cosine]]  # (8)
asking = np.arange(16, 32)
scores = (place_of[asking] @ projection.T) @ place_of[:32].T  # (7)
fits = (scores.argmax(axis=1) == 31 - asking).all()  # (1)
print(
    f"the largest score is at the mirrored place for {'all' if fits else 'not all'} of the places {asking[0]} to {asking[-1]}"
)

# %% [markdown] name="mirror-turn"
# **Your turn**: exercise `sinusoidal_positions`, and exercise `causal_mask`, easily wrong by one.

# %% [markdown] name="norm"
# ## Layer norm
#
# Numbers that are added up again and again grow. So before attention and before the MLP, each place's vector $x$ of $D$
# numbers is brought to mean 0 and variance 1, then scaled and shifted by learned vectors $g$ and $b$:
#
# $$\mu = \frac1D \sum_i x_i, \qquad \sigma = \sqrt{\frac1D \sum_i (x_i - \mu)^2 + \varepsilon}, \qquad
#   \hat x_i = \frac{x_i - \mu}{\sigma}, \qquad \operatorname{Norm}(x)_i = g_i \hat x_i + b_i. \tag{9}$$
#
# On paper, with $\varepsilon$ left out: of $(1, 3, 5, 7)$ the mean is 4 and the variance $\tfrac14(9 + 1 + 1 + 9) = 5$,
# so $\hat x = (-3, -1, 1, 3)/\sqrt5$. And of $(10, 30, 50, 70)$? The same: layer norm forgets how large a vector was.
# What it never does is look at another place.

# %% [markdown] name="slopes" tags=["second"]
# ## Two slopes in full: layer norm and GELU
#
# For the backward pass of (9) we need $\partial \hat x_i/\partial x_j$. First $\partial\mu/\partial x_j = 1/D$. Then, as $\sum_i (x_i - \mu) = 0$,
# $\partial \sigma/\partial x_j = \frac{1}{2\sigma}\cdot\frac{2}{D}(x_j - \mu) = \hat x_j / D$. The quotient rule gives
#
# $$\frac{\partial \hat x_i}{\partial x_j} = \frac{1}{\sigma}\Big(\delta_{ij} - \frac1D - \frac{\hat x_i \hat x_j}{D}\Big). \tag{10}$$
#
# Let $u_i$ be what reaches $\hat x_i$: $g_i$ times the slope of the loss in output $i$. Multiplying (10) by $u_i$ and summing over $i$,
#
# $$\frac{\partial L}{\partial x_j} = \frac1\sigma\big(u_j - \operatorname{mean}(u) - \hat x_j \operatorname{mean}(u\,\hat x)\big). \tag{11}$$
#
# Two things are subtracted: what would move the mean, and what would only make the vector longer. To both of them (9) is blind.

# %% name="layer-norm" include="groundup.ops.norms:layer_norm"
from groundup.ops.norms import layer_norm

# %% [markdown] name="norm-turn"
# **Your turn**: exercise `layer_norm`, with (11); exercise `layer_norm_torch` is the same with tensors.

# %% [markdown] name="eps-words"
# **Beware.** $\varepsilon$ stands *inside* the root. Some write it outside, as $\sqrt{\text{variance}} + \varepsilon$: it keeps the division
# just as safe. Does it keep the derivative safe, too? Try a row of equal numbers, both ways.

# %% name="eps" predict="A constant row, and ε outside the root: what comes out?"
row, upstream, small = np.full((1, 4), 2.0), np.array([[1.0, 0.0, 0.0, 0.0]]), 1e-5
_, pull_back = layer_norm(row, np.ones(4), np.zeros(4), small)
print("inside: ", pull_back(upstream)[0][0].round(3))

centred = row - row.mean()
root = np.sqrt((centred**2).mean())
with np.errstate(invalid="ignore"):
    d_root = centred / (4 * root)  # the derivative of √variance: 0/0
    outside = (upstream - upstream.mean()) / (root + small) - d_root * (upstream * centred).sum() / (root + small) ** 2
print("outside:", outside[0])

# %% [markdown] name="softmax-eps"
# Outside, $\sqrt{0}$ stands in the derivative, which is infinite, and times $x - \mu = 0$ that is not a number. One padded row
# is enough to spoil all weights.
#
# **No epsilon in the softmax.** Softmax is $P_j = e^{S_j} / \sum_k e^{S_k}$. It is tempting to write $\sum_k e^{S_k} + \varepsilon$ "against division by zero". **Beware**: subtract
# the largest score first, and one exponential is $e^0 = 1$, so the sum is at least 1 and cannot be zero. An
# $\varepsilon$ then does only harm: probabilities no longer sum to 1. Without subtracting it does not help either: look what
# happens to scores that are equal, so that both weights should be one half.

# %% name="softmax-eps-numbers"
equal = np.array([-40.0, -40.0])
with_epsilon = np.exp(equal) / (np.exp(equal).sum() + 1e-9)
shifted = np.exp(equal - equal.max())
print("with + eps:          ", with_epsilon, "sum", with_epsilon.sum())
print("largest subtracted:  ", shifted / shifted.sum(), "sum", (shifted / shifted.sum()).sum())

# %% [markdown] name="gelu-slope"
# **GELU's slope.** The MLP of the next section bends with GELU: $x$ times the probability that a standard normal random number is
# smaller than $x$.
# GPT's approximation is $\operatorname{gelu}(x) = \tfrac12 x (1 + t)$ with $t = \tanh u$ and $u = \sqrt{2/\pi}\,(x + 0.044715\,x^3)$ (in
# PyTorch it is called `approximate="tanh"`, and is not the default). The product rule, with $\tanh' = 1 - \tanh^2$, gives
# $\operatorname{gelu}'(x) = \tfrac12(1 + t) + \tfrac12 x (1 - t^2)\, u'$, where $u' = \sqrt{2/\pi}\,(1 + 3 \cdot 0.044715\,x^2)$. At $x = 0$ that is
# $\tfrac12$. What is it far to the right, and far to the left?
#
# **Your turn**: exercise `gelu`, with this slope.

# %% [markdown] name="block"
# ## The block
#
# ### Heads and MLP
#
# One linear map makes queries, keys and values at once. They are cut into $h$ heads of $D/h$ numbers each, every head
# attends by itself with scores $S = QK^\top\!/\sqrt{D/h}$, and a last linear map mixes what they bring (lesson
# `self_attention` builds this step by step). With $Y = PV$, the gradients are $dV = P^\top dY$ and $dP = dY\,V^\top$,
# then (4) row by row for $dS$, then $dQ = dS\,K/\sqrt{D/h}$ and $dK = dS^\top Q/\sqrt{D/h}$.
#
# Attention moves things between places. Something must also be *done* with them, and that is the MLP: at each place by
# itself, up to four times the width, a bend, and down again. The bend is GELU, a ReLU with its corner rounded off: $x$
# times the probability that a standard normal random number is smaller than $x$. What does it make of a large $x$, and
# of a large negative one? Almost $x$ itself, and almost nothing.
#
# ### The residual stream
#
# In $m = x + f(x)$ the input goes two ways, so two gradients come back:
#
# $$\tfrac{\partial L}{\partial x} = \tfrac{\partial L}{\partial m} + \big(\tfrac{\partial f}{\partial x}\big)^{\!\top} \tfrac{\partial L}{\partial m}. \tag{12}$$
#
# The first term arrives untouched, however deep the stack. The norm stands *inside* $f$ (**Pre-LN**). The original
# transformer had $\operatorname{Norm}(x + f(x))$ (Post-LN): then every block's norm is in the gradient's way, and deep
# stacks need a careful warm-up. Below, `decoder` reads like (2) and (3); its `backward` is the same list upside down.

# %% name="parts" show="self_attention mlp decoder" beside="decoder" include="groundup.lessons.tiny_decoder.model:init groundup.lessons.tiny_decoder.model:decoder"
from groundup.lessons.tiny_decoder.model import decoder, init

# %% [markdown] name="one-token" tags=["second"]
# ### One token's way
#
# Follow the place where `>` stands in `hello>`, the 17th of the line. It begins as a row of 64 numbers, the embedding of `>` plus
# the position 16. The norm brings the row to mean 0 and variance 1. One map makes 192 numbers of it: a query, a key and a value of 64
# each, cut into four heads of 16. Each head compares its query with the keys of all 17 places (the eleven fillers in front of `hello`
# are not masked; it has to learn that they say nothing) and mixes the 17 values. The four results, side by side 64 numbers, go
# through one more map and are *added* to the row. The MLP takes the row to 256 numbers and back to 64, and adds again. After the last norm the
# readout makes 29 logits. After training the largest is that of `o`. The cell below only follows the shapes.

# %% name="one-token-code" tags=["tools"] include="groundup.ops.linear:linear groundup.lessons.tiny_decoder.model:norm groundup.lessons.tiny_decoder.model:self_attention groundup.lessons.tiny_decoder.model:mlp"
# The parts of the block, one by one.
from groundup.lessons.tiny_decoder.model import mlp, norm, self_attention
from groundup.ops.linear import linear

# %% name="one-token-run" tags=["tools"]
# The shapes on the way, in a decoder that has not learned anything yet.
untrained = init(np.random.default_rng(0), 29, 64)
x = untrained["embedding"]["weight"][[0] * 11 + [8, 5, 12, 12, 15, 27]][None] + sinusoidal_positions(17, 64)
normed, _ = norm(x, untrained["attention_norm"])
packed, _ = linear(normed, **untrained["attention"]["qkv"])
middle = x + self_attention(normed, untrained["attention"], 4, causal_mask(17))[0]
last = middle + mlp(norm(middle, untrained["mlp_norm"])[0], untrained["mlp"])[0]
for what, array in {
    "embedding + position": x,
    "queries, keys, values": packed,
    "after attention": middle,
    "after the MLP": last,
}.items():
    print(f"{what:24}{array.shape}")

# %% [markdown] name="check"
# ### Is the gradient right?
#
# In float64, go a small step along a random direction in the space of all parameters. The slope that two forward passes
# measure must be the one that the gradient predicts. In the function `decoder` above let `d_middle = d_inside`, so that
# the untouched term of (12) is lost, and run both cells again.

# %% name="gradient-check" tags=["tools"] include="groundup.proof.slopes:compare_slopes groundup.proof.slopes:show_slopes groundup.training.params:map_tree groundup.training.params:count groundup.ops.losses:cross_entropy"
# `show_slopes` measures slopes in random directions and compares them with the gradient; and the loss.
from groundup.ops.losses import cross_entropy
from groundup.training.params import count, map_tree
from groundup.proof.slopes import compare_slopes, show_slopes

# %% name="gradient-check-run"
rng = np.random.default_rng(0)
tiny = init(rng, vocabulary=7, width=8, dtype=np.float64)
tokens = rng.integers(7, size=(2, 6))


def tiny_loss(params):
    logits, backward = decoder(params, tokens[:, :-1], heads=2)
    loss, loss_backward = cross_entropy(logits, tokens[:, 1:])
    return loss, backward(loss_backward())


assert show_slopes(tiny_loss, tiny, rng) < 1e-5

# %% [markdown] name="mask"
# ## The mask, put to the test
#
# A causal model must not know the future. That can be tested without looking at the code: change token $t$ and compare
# all outputs before $t$. They must be the same bit for bit: a masked token has weight $e^{-\infty} = 0$ exactly, and
# adding exact zeros changes no sum.
#
# Does the test have teeth? We plant the classic off-by-one, a mask with one diagonal too many. With it each token sees
# the one it has to predict. In training that looks wonderful: it is model B, a little milder.

# %% name="leaks" tags=["tools"] include="groundup.proof.instruments:leaks"
# `leaks` changes every token in turn and looks which outputs before it move.
from groundup.proof.instruments import leaks

# %% name="leaks-run" predict="The mask is one diagonal too generous: at how many of 32 places does the future leak?"
random_tokens = np.random.default_rng(1).integers(29, size=(8, 33))
fresh = init(np.random.default_rng(2), 29, 64)
one_ahead = np.tri(33, k=1, dtype=bool)
sound = leaks(lambda tokens: decoder(fresh, tokens, 4)[0], random_tokens)
planted = leaks(lambda tokens: decoder(fresh, tokens, 4, mask=one_ahead)[0], random_tokens)
print(
    f"causal mask: largest change of an earlier output {sound.max():.1g}, over all t: {'nothing leaks' if sound.max() == 0 else 'LEAKS'}"
)
print(
    f"one diagonal too many: found at {np.count_nonzero(planted)} of {len(planted)} places, largest change {planted.max():.2g}"
)

# %% name="frames-tool" tags=["tools"] include="groundup.plots:frames"
# A figure with a slider: one picture for each value of a number.
from groundup.plots import frames

# %% [markdown] name="mask-frames-words"
# Back to the three tokens of the beginning. Move the slider and see what each of the three masks lets them see, and what comes out
# (after the arrow).

# %% name="mask-frames" alt="Attention weights of the three tokens of the example and their outputs under three masks: causal, with one diagonal too many, and none."
allowed = {
    "causal": causal_mask(3),
    "one diagonal too many": np.tri(3, k=1, dtype=bool),
    "no mask": np.ones((3, 3), bool),
}


def masked(axes, name):
    weights = attention_weights(query, key, allowed[name])
    outputs = [f"token {place} → {answer:.4g}" for place, (answer,) in enumerate(weights @ value, start=1)]
    heatmap(axes, weights, outputs, ["1", "2", "3"], name.capitalize(), low=0, high=1, values=".2f")
    axes.set(xlabel="token that is looked at", ylabel="output")


fig = frames("mask", list(allowed), masked, width=4.4, height=2.7, shown=(0, 1, 2))

# %% [markdown] name="data" tags=["shared"]
# ## Data
#
# Words of 4 to 16 random letters. The words to test with are drawn first, and training draws again whenever it hits one
# of them. The loss counts the answer only. How well can one do without understanding? Guessing $n$ letters is right
# once in $26^n$. A model that knows *which* letters occur, but not their order, can do no better than pick one of the
# $n!/\prod_c (\text{count of letter } c)!$ orders, all equally likely.

# %% name="task" tags=["shared", "tools"] include="groundup.lessons.tiny_decoder.words:SYMBOLS groundup.lessons.tiny_decoder.words:LONGEST groundup.lessons.tiny_decoder.words:draw_words groundup.lessons.tiny_decoder.words:reversal groundup.lessons.tiny_decoder.words:right groundup.lessons.tiny_decoder.words:tokens_of groundup.lessons.tiny_decoder.words:text_of groundup.lessons.tiny_decoder.words:best_without_order groundup.training.streams:random_stream"
# `draw_words` draws words, `reversal` makes tokens and targets of them, `right` tells whether whole answers are.
from groundup.lessons.tiny_decoder.words import (
    LONGEST,
    SYMBOLS,
    best_without_order,
    draw_words,
    reversal,
    right,
    text_of,
    tokens_of,
)
from groundup.training.streams import random_stream

# %% name="task-run" tags=["shared", "tools"]
# A thousand words to test with, a few to watch while training, and two of them as tokens and targets.
test_words = draw_words(random_stream(0, "test"), 1000)
validation_words = draw_words(random_stream(0, "validation"), 256)
held_out = np.concatenate([test_words, validation_words])
test, validation = reversal(test_words), reversal(validation_words)
for shown in range(2):
    print("tokens ", "".join(SYMBOLS[token] for token in test["tokens"][shown]))
    print("targets", "".join("_" if token < 0 else SYMBOLS[token] for token in test["targets"][shown]))
word_lengths = (test_words > 0).sum(axis=1)
print(
    f"guessing: {np.mean(26.0**-word_lengths):.1e} of the answers right; knowing the letters but no order: at most {best_without_order(test_words):.4f}"
)

# %% [markdown] name="training"
# ## Training
#
# Four models start from the same parameters and are trained in the same way. Each of three is denied one thing:
#
# - *without attention*: the mask is the identity, every token sees itself alone;
# - *without positions*: zeros instead of the vectors $\operatorname{pos}_p$;
# - *trained without mask*: it sees the whole line, answer and all, as long as it is trained.
#
# Beside them stands a rival that is no transformer: an LSTM with as many parameters, the recurrent network that
# everybody used before. Its learning rate is the best of several that we tried, and it gets as many steps as the
# decoder; its curve still rises when they end. You train the decoder here; the curves of the others are kept, with the
# same seed.
#
# What counts is the share of held-out words whose whole answer is right. With the causal mask we need not write to know
# it: if at every place of the right answer the likeliest token is the right one, then greedy writing gives just that
# answer. (The model without the mask sees that answer, so it has to write. AdamW, warm-up, cosine and clipping are
# built in lesson `optimizers`.)

# %% name="tools" tags=["tools"] include="groundup.training.optim:adam groundup.training.optim:cosine groundup.training.optim:clip_by_global_norm groundup.lessons.tiny_decoder.learners:answer_loss"
# Adam with a schedule and clipping, and the loss of the answer.
from groundup.lessons.tiny_decoder.learners import answer_loss
from groundup.training.optim import adam, clip_by_global_norm, cosine

# %% name="train-start" tags=["tools"]
# The start; `match` is the share of words whose whole answer is right.
STEPS, BATCH, WIDTH, HEADS = 500, 32, 64, 4
params = init(random_stream(0, "parameters"), len(SYMBOLS), WIDTH)
history, recent = {"step": [], "training": [], "exact match": []}, []


def match(params, lines):
    return float(right(decoder(params, lines["tokens"], HEADS)[0], lines["targets"]).mean())


# %% name="train"
optimiser, rate = adam(weight_decay=0.3), cosine(8e-3, STEPS, warmup=20)
optimiser_state, draws = optimiser.init(params), random_stream(0, "training", "decoder")
for step in range(1, STEPS + 1):
    task = reversal(draw_words(draws, BATCH, held_out))
    logits, backward = decoder(params, task["tokens"], HEADS)
    loss, loss_backward = answer_loss(logits, task["targets"])
    gradients, _ = clip_by_global_norm(backward(loss_backward()), 1.0)
    optimiser.update(params, gradients, optimiser_state, rate(step - 1))
    recent.append(float(loss))
    if step % 25 == 0:
        for name, value in zip(history, (step, np.mean(recent), match(params, validation)), strict=True):
            history[name].append(value)
        recent.clear()
    if step % 100 == 0:
        print(f"step {step}: loss {history['training'][-1]:.4f}, {history['exact match'][-1]:.3f} of the words right")

# %% name="learning-curve" measures="exact=whole" alt="Training loss and share of faultless answers on held-out words against the step, for the decoder, three crippled versions and an LSTM."
rivals = measured(
    "tiny_decoder", "curves/no_attention", "curves/no_positions", "curves/no_mask", "curves/lstm", "metrics/exact match"
)
others = {
    "without attention": "no_attention",
    "without positions": "no_positions",
    "trained without mask": "no_mask",
    "LSTM": "lstm",
}
found = {"decoder": history} | {name: rivals[f"curves/{key}"] for name, key in others.items()}
fig, axes = figure(9.6, 3.1, columns=2)
for panel, column, label, title in (
    (axes[0], "training", "loss in nats per token", "What training sees"),
    (axes[1], "exact match", "faultless answers", "What it writes, on held-out words"),
):
    lines = {name: rows[column][-len(history["step"]) :] for name, rows in found.items()}  # others began at step 0
    curves(panel, history["step"], lines, "step", label, title, log="y" if column == "training" else "")
axes[1].legend_.remove()
whole, matches = match(params, test), rivals["metrics/exact match"]
print(f"decoder: {whole:.3f} of the held-out words without a mistake")
for name, key in others.items():
    print(f"{name}: {matches[key]:.3f}, {'beaten' if whole > matches[key] else 'not beaten'}")
print(f"trained without mask, while it still sees the answer: {matches['no_mask, while it sees the answer']:.3f}")

# %% [markdown] name="reading-curves"
# Look at both panels for the model that was trained without the mask: model B again. A training loss cannot find this
# bug. The test with one changed token finds it in a second.

# %% [markdown] name="heads"
# ## What the heads look at
#
# Rows are the places that write, each named by the letter it has to write, columns what they read. Equation (1)
# promises a diagonal that falls to the left. The number is the mean weight, over all held-out words, on just that
# letter.

# %% name="maps" tags=["tools"] include="groundup.lessons.tiny_decoder.experiment:attention_of_heads groundup.lessons.tiny_decoder.experiment:on_the_letter"
# `attention_of_heads` gives the weights of all heads, `on_the_letter` their mean on the letter that is to be written.
from groundup.lessons.tiny_decoder.experiment import attention_of_heads, on_the_letter

# %% name="maps-picture" alt="Attention of the four heads over one held-out word, a picture for each head: rows write the answer, columns are the tokens read; weight lies along the mirrored diagonal."
maps = attention_of_heads(params, test["tokens"], HEADS)
shares = on_the_letter(maps, test["targets"])
first = int(np.argmax(word_lengths == 10))
writing = np.flatnonzero(test["targets"][first] >= 0)
reading = np.arange(LONGEST - 10, writing[-1] + 1)
written, read = (
    [SYMBOLS[token] for token in line] for line in (test["targets"][first, writing], test["tokens"][first, reading])
)


def looking(axes, head):
    title = f"Head {head}: {shares[head - 1]:.2f} on the letter to be written"
    heatmap(axes, maps[first, head - 1][np.ix_(writing, reading)], written, read, title, low=0, high=1)
    axes.set(ylabel="writes", xlabel="reads")


fig = frames("head", [1, 2, 3, 4], looking, width=6.4, height=3.4, shown=(0, 1, 2, 3), start=2)

# %% [markdown] name="cache"
# ## The KV cache
#
# To write the next token, the model needs the output at the last place only. Without a cache it still reads the whole
# text again for every token: for $T$ tokens that is $1 + 2 + \dots + T = T(T + 1)/2$ places.
#
# Nearly all of it is known already. In our one layer, keys and values are made of a token and its place alone; in a
# stack it is the mask that keeps those of earlier tokens what they were. So keep them. For a new token compute its own
# query, key and value, append key and value to the cache, and let the query attend to all of them. Queries are not
# kept: an earlier query has had its answer. Each token is read once, $T$ places in all.
#
# ![Keys and values of six earlier tokens are kept; a new token appends its own, and its query meets all of the keys.](diagram:cache)
#
# In the three-token example: when token 3 comes, the cache holds keys $0, \ln 2$ and values $6, 0$. Append $\ln 3$ and
# $3$, and the one row $\tfrac16, \tfrac26, \tfrac36$ gives 2.5.
#
# The price is memory: two vectors of width $D$ for each token, layer and sequence. A model of seven billion parameters,
# with 32 layers of width 4096, keeps $2 \cdot 32 \cdot 4096$ numbers for a token: in 16 bits half a megabyte, and 2 GB
# for 4096 tokens.

# %% name="one-step" show="decode_step" include="groundup.lessons.tiny_decoder.model:decode_step groundup.lessons.tiny_decoder.model:generate"
from groundup.lessons.tiny_decoder.model import decode_step, generate

# %% name="cache-equal" tags=["tools"]
# The logits with the cache beside those without it, in two precisions, and what the model writes.
prompts = test["tokens"][:64, : LONGEST + 1]
with_cache, cached_logits = generate(params, prompts, LONGEST + 1, HEADS)
without, plain_logits = generate(params, prompts, LONGEST + 1, HEADS, cached=False)
agree = np.cumprod(with_cache == without, axis=1) > 0  # up to the first token that differs: from there on the texts do
compared = np.concatenate([np.ones((len(agree), 1), bool), agree[:, :-1]], axis=1)  # that one's own logits count
difference = np.abs(cached_logits - plain_logits)[compared].max()
print(
    f"float32: {compared.mean():.0%} of what is written is the same with and without the cache; there the logits differ by "
    f"{difference:.1e} at most (the largest logit is {np.abs(plain_logits).max():.1f})"
)
double = map_tree(lambda leaf: leaf.astype(np.float64), params)
exactly = np.abs(generate(double, prompts, 17, HEADS)[1] - generate(double, prompts, 17, HEADS, cached=False)[1]).max()
print(
    f"float64: {exactly:.1e}. So the formulas are {'the same, and only rounding differs' if exactly < 1e-10 else 'NOT the same'}."
)
for word in ("hello", "decoder", "attention"):
    print(f"{word}> {text_of(generate(params, tokens_of(word)[None], 17, HEADS)[0][0])}")

# %% [markdown] name="cache-turn"
# **Your turn**: exercise `decode_step` is one token with the cache, exercise `generate_with_cache` the loop around it.

# %% [markdown] name="cache-timing" tags=["second"]
# ## How much faster, and how much memory?
#
# Count places read and the cache should win by $(T + 1)/2$, 128 times at 256 tokens. What will the clock say? (Reading many places
# at once is what matrix products are good at; for one place at a time the overhead of each call dominates. And never mind that our model
# knows 33 places only: its clock is all we ask.)

# %% name="clock" tags=["tools"] include="groundup.proof.instruments:side_by_side"
# `side_by_side` times functions in turn.
from groundup.proof.instruments import side_by_side

# %% name="cache-times" alt="Milliseconds to generate against the number of tokens, without and with the cache, on logarithmic axes, and their quotient."
lengths, taken = (16, 32, 64, 128, 256), []
for length in lengths:
    ways = [partial(generate, params, prompts[:1], length, HEADS, cached) for cached in (False, True)]
    taken.append(1000 * side_by_side(ways, 3))  # milliseconds, (2, 3)
plain, cached = np.median(taken, axis=2).T
quotient = plain / cached
fig, axes = figure(9.6, 2.9, columns=2)
curves(
    axes[0],
    lengths,
    {"without cache": plain, "with cache": cached},
    "tokens generated",
    "milliseconds",
    "Time to generate",
    log="xy",
)
curves(axes[1], lengths, {"measured": quotient}, "tokens generated", "times as fast", "What the cache saves", log="x")
axes[1].set_ylim(bottom=0)
for axis in axes:
    axis.set_xticks(lengths, [str(length) for length in lengths])
    axis.minorticks_off()
for length, times in zip(lengths, quotient, strict=True):
    print(f"{length:4} tokens: {times:5.1f} times as fast; places read {length * (length + 1) // 2:,} against {length}")

# %% name="cache-memory" tags=["tools"]
# How much memory the cache takes: here, and in a model of about seven billion parameters in 16 bits.
layers, width, context, bytes_each = 32, 4096, 4096, 2
print(
    f"this model: {2 * 256 * WIDTH * 4 / 2**10:.0f} KiB for 256 tokens, beside {count(params) * 4 / 2**10:.0f} KiB of parameters"
)
print(
    f"{layers} layers of width {width}: {2 * layers * context * width * bytes_each / 2**30:.0f} GiB for one sequence of {context} tokens"
)

# %% [markdown] name="break-it"
# ## Break it
#
# Silence one head at a time, by setting the columns of the output map through which it speaks to zero; then the MLP;
# then take the positions away. All four heads look at the letter to be written or next to it, the best of them with
# more than half of its weight. Can the model do without one of them?


# %% name="break-it-code" tags=["tools"] predict="Four heads all look at the letter: how many words stay right without one of them?"
# The share of words that stays right without each of the parts.
def without(*path, columns=slice(None)):
    changed = map_tree(np.copy, params)
    changed[path[0]][path[1]]["weight"][:, columns] = 0  # a bias stays, the same at every place
    return changed


trials = {"as trained": params}
trials |= {
    f"without head {head + 1}": without("attention", "out", columns=slice(16 * head, 16 * head + 16))
    for head in range(4)
}
trials["without the MLP"] = without("mlp", "down")
for name, tree in trials.items():
    print(f"{name:18}{match(tree, test):6.3f} of the words right")
placeless = decoder(params, test["tokens"], HEADS, positions=np.zeros((33, WIDTH), np.float32))[0]
print(f"{'without positions':18}{right(placeless, test['targets']).mean():6.3f} of the words right")

# %% [markdown] name="break-it-words"
# In the maps the heads look much alike. What happens without them is not alike at all: in this training one of them can
# go almost without a trace, and another takes nearly every word with it. What a head looks at is one thing, and whether
# the rest can do without it another. Without the MLP a part of the words survives, for fetching alone brings the
# letter, and often that is enough. Without positions nothing does.
#
# **Three things that people believe.** *"The mask is only for training."* In a stack of layers it is also what makes
# the cache exact. *"A cache changes the answers a little."* The formulas are the same; only rounding differs, as the
# check in float64 shows. *"Attention does the thinking."* It fetches. What is done with the letter, once fetched, is
# done by the rest of the block.

# %% [markdown] name="text-words"
# ## Half a minute with Jane Austen
#
# To write a word backwards is a task made for attention: one letter is right, and one place has it. Real text is less
# kind. So take the same block and change its alphabet alone, from 29 tokens to the 80 characters of six novels, and one
# token for all others. That makes 60,561 parameters. Let it read for about half a minute. What will it write?
#
# Now 32 characters go in, and at each of them the next one is asked for: a window is 32 questions at once, and the mask
# is what keeps them honest. We count in **bits per character**: the mean of $-\log_2 p$ of the character that did come,
# over parts of the novels that training never sees. An even guess among 81 needs 6.34. And there is a rival that does
# not learn at all. An **$n$-gram** table has counted how often each character followed each run of $n - 1$ others, and
# bets accordingly.

# %% name="text-data" tags=["tools"] include="groundup.data.text:novels groundup.data.text:parts groundup.data.text:build_vocabulary groundup.data.text:encode groundup.data.text:decode"
# Six novels, and characters as numbers.
from groundup.data.text import build_vocabulary, decode, encode, novels, parts

# %% name="text-parts" tags=["tools"]
# The novels, cut into parts to train on, to watch and to test with.
train_text, validation_text, test_text = parts(novels())
alphabet = build_vocabulary(train_text)
novel, watched, unseen = (encode(part, alphabet) for part in (train_text, validation_text, test_text))

# %% name="text-tools" show="windows" include="groundup.lessons.tiny_decoder.prose:windows groundup.lessons.tiny_decoder.prose:TIME groundup.lessons.tiny_decoder.prose:write groundup.lessons.tiny_decoder.prose:bits_by_place groundup.lessons.tiny_decoder.prose:bits_per_character"
from groundup.lessons.tiny_decoder.prose import TIME, bits_by_place, bits_per_character, windows, write

# %% [markdown] name="text-train-words"
# The loop is the one from above, with another rate and decay and three times as many steps. Now and then we stop, take
# the score, and let the block write 150 characters, drawn from its probabilities (at a temperature of 0.8, which makes
# the likely a little likelier).

# %% name="text-train"
READING_STEPS = 1500
reader = init(random_stream(0, "text parameters"), len(alphabet), WIDTH)
optimiser, rate = adam(weight_decay=0.01), cosine(2e-2, READING_STEPS, warmup=20)
optimiser_state, draws = optimiser.init(reader), random_stream(0, "training", "text")
diary = {}
for step in range(READING_STEPS + 1):
    if step in (0, 100, 250, 500, 1000, READING_STEPS):
        sample = write(reader, encode("\n", alphabet), 150, HEADS, 0.8, random_stream(0, "sample"))
        diary[step] = bits_per_character(reader, watched, HEADS), decode(sample, alphabet)
    if step < READING_STEPS:
        window = windows(novel, draws.integers(len(novel) - TIME, size=BATCH))
        logits, backward = decoder(reader, window["tokens"], HEADS)
        _, loss_backward = cross_entropy(logits, window["targets"])
        gradients, _ = clip_by_global_norm(backward(loss_backward()), 1.0)
        optimiser.update(reader, gradients, optimiser_state, rate(step))


# %% name="text-frames" alt="Bits per character on held-out text against the step, falling from 6.6, with a mark at the step of the slider and what the block writes there: noise at first, then ever more words."
def page(axes, step):
    curves(
        axes,
        list(diary),
        {"held out": [bits for bits, _ in diary.values()]},
        "step",
        "bits per character",
        f"After {step} steps",
    )
    axes.plot(step, diary[step][0], "o", color="#c2410c", markersize=9)
    lines = [part for line in diary[step][1].split("\n") for part in textwrap.wrap(line, 40) or [""]]
    shown = "\n".join(lines[:9]).replace("$", r"\$")
    axes.text(0.98, 0.97, shown, transform=axes.transAxes, ha="right", va="top", ma="left", family="monospace")
    axes.set_ylim(1.5, 7)


fig = frames("steps", list(diary), page, width=6.8, height=3.1, shown=(1, 5), start=5)

# %% [markdown] name="text-reading"
# Move the slider back to the beginning. Noise; then letters in the right proportions, with blanks between them; then
# words, or things as long as words: of those of three letters or more, about three in four occur in the novels. No
# sentence holds together. Is that good, for half a minute? Ask the rival.

# %% name="text-score" tags=["tools"] measures="text=score" predict="Which n does a table need to beat this block: 3, 4 or 6?"
# Bits per character on the test text, and how many numbers each one keeps.
score = bits_per_character(reader, unseen, HEADS)
kept = measured("tiny_decoder", "metrics/n-grams", "metrics/numbers that the block keeps")
network = measured("p02_char_rnn", "findings/bits", "metrics/numbers that the network keeps")
row = {f"{n}-gram": kept["metrics/n-grams"][f"Witten-Bell {n}"] for n in range(2, 8)}
row |= {"this block": {"bits": score, "numbers": kept["metrics/numbers that the block keeps"]}}
row |= {
    "RNN of lesson 02": {"bits": network["findings/bits"], "numbers": network["metrics/numbers that the network keeps"]}
}
for name, one in sorted(row.items(), key=lambda item: -item[1]["bits"]):
    print(f"{name:18}{one['bits']:.3f} bits per character, {one['numbers']:9,} numbers")

# %% [markdown] name="text-places-words"
# What does the block do with all that it sees? Take its windows apart. At the first place of a window one character is in view,
# at the second two, and so on up to 32. How many bits does each place need? And what do the tables make of as many characters in view?

# %% name="text-places" alt="Bits per character against the number of characters in view: the decoder's line falls until about five and is flat from there on; the points of the n-grams lie below it from one character on and fall further."
places = bits_by_place(reader, unseen, HEADS)
fig, axes = figure(6.8, 2.9)
curves(axes, range(1, TIME + 1), {"this block": places}, "", "", "")
axes.plot(range(1, 7), [row[f"{n}-gram"]["bits"] for n in range(2, 8)], "o", color="#8b939e", label="2-gram to 7-gram")
describe(axes, "characters in view", "bits per character", "What the block makes of what it sees")
axes.set_ylim(1.5, 4)
print(f"with 1 in view {places[0]:.2f} bits, with 5 {places[4]:.2f}, with 16 to 32 {places[15:].mean():.2f}")

# %% [markdown] name="text-why"
# Counting wins: a 4-gram, which looks at three characters, does better than our block, which may look at 32, and the
# best table needs half a bit less. The recurrent network of lesson `char_rnn` beats it, too (it has nearly twice as
# many numbers, and it has read one and a half times as much). With one character in view, block and table are nearly
# level. Then the table pulls away; and from the fifth character on the block's line is flat. The mask allows more; it
# has not learned to make anything of it.
#
# Why? We think it is this. The table has a row of its own for every run of characters that it has met. The block adds
# up what its four heads fetched, and one MLP has to tell from the sum which letters stood where. In a stack the second
# layer can ask about what the first has found. That is an opinion; half a minute is another suspect, for when the rate
# ran out the curve was still falling. You can put that to the test: `groundup run tiny_decoder --budget long` reads ten
# times as long, and `--text FILE` reads a text of yours.
#
# One more thing that real text shows. What a place 33 means this block has never been told, so whenever the window is
# full, `write` begins a new one with the last 16 characters and an empty cache. That is what absolute positions cost.
# Today's models turn queries and keys by an angle that grows with the place, so that only distances count, as in (6):
# **RoPE**, rotary position embedding.

# %% [markdown] name="findings" tags=["findings"]
# ## Measured
#
# The findings of this lesson, measured at full size over several seeds, stand here in the built notebook. To measure
# them yourself: `groundup run tiny_decoder`.

# %% [markdown] name="findings-words"
# None of the papers above trains on words written backwards, so there is no number of theirs to set beside ours. What
# our single block cannot show is depth: a stack can fetch with one layer what another has found.

# %% [markdown] name="take-away"
# ## What to take away
#
# - A decoder is embedding plus positions, then blocks of "norm, attention, add; norm, MLP, add", a last norm and a readout.
# - Attention fetches, positions say from where. Take away either and this task cannot be done.
# - The causal mask makes training on all places at once honest and, in a stack of layers, the KV cache exact. Test it by
#   changing one token; a leak can hide behind a fine loss.
# - A residual sum's gradient is (12): one part arrives untouched.
# - One small block makes a poor language model: a table of counts beats it.
#
# **Asked in interviews**
#
# - *Why is the mask applied before the softmax?* Zeroing weights after it leaves rows that do not sum to 1, and future
#   scores still sit in the denominator: a leak.
# - *Why keep keys and values, but not queries?* A query is used once, by its own token.
# - *How large is the cache?* 2 × layers × tokens × key-value heads × head width × bytes, per sequence. Sharing keys
#   and values between heads (multi-query, grouped-query attention) makes the number of key-value heads smaller.
# - *What are prefill and decode?* The two halves of generation. The prompt can be read in one go, limited by arithmetic; then tokens come one by
#   one, limited by how fast weights and cache can be read from memory.
# - *Pre-LN or Post-LN?* With the norm inside the residual branch the sum passes gradients on untouched, (12), and deep stacks train
#   more easily. With the norm after the sum every gradient goes through every norm.
# - *What happens beyond the length that a model was trained on?* With absolute positions it meets vectors that it has never seen, and
#   nothing says what they mean. So one cuts the text into windows, or lets only distances count, as rotary positions do.
#
# **Common bugs**: a mask off by one; targets not shifted by one; a cached step that uses position 0 for every token.
#
# **Try**: train with one head instead of four. Test on words of 20 letters (`LONGEST = 20` in the folded cell `task`): which of the parts stops working, and
# why? Ask a trained model: `groundup sample tiny_decoder --checkpoint runs/tiny_decoder/decoder.safetensors --prompt hello`.
#
# **Where it leads**: to a whole transformer in lesson `attention_is_all_you_need`, and, stacked, to language models.

# %% [markdown] name="torch" tags=["torch"]
# ## In PyTorch
#
# `scaled_dot_product_attention` brings the mask (`is_causal`) and a fused kernel, autograd the derivative. The
# parameters have the names and shapes of the tree above. Such a second version we call a *twin*, and the tests compare the two: outputs, every gradient and
# twenty steps of training agree to 1e-8 in float64. `past` is the cache. What does the framework hide? `is_causal=True` is a promise that
# the first query belongs to the first key: with a cache that is wrong, and no error tells you.

# %% name="twin" tags=["torch"] show="SelfAttention TinyDecoder" include="groundup.lessons.tiny_decoder.twin:TinyDecoder groundup.lessons.tiny_decoder.twin:answer_loss groundup.lessons.tiny_decoder.twin:generate groundup.training.optim:cosine groundup.plots:figure groundup.plots:curves"
from groundup.lessons.tiny_decoder.twin import TinyDecoder, answer_loss, generate
from groundup.plots import curves, figure
from groundup.training.optim import cosine

# %% name="twin-train" tags=["torch"]
import torch

torch.manual_seed(1)
model = TinyDecoder(len(SYMBOLS), 64, 4)
steps, draws, history = 250, np.random.default_rng(6), {"step": [], "loss": [], "faultless answers": []}
optimizer = torch.optim.AdamW(model.parameters(), lr=1.0, weight_decay=0.3)  # times what the schedule says
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, cosine(8e-3, steps, warmup=20))
for step in range(1, steps + 1):
    task = {name: torch.from_numpy(array) for name, array in reversal(draw_words(draws, 32, held_out)).items()}
    logits, _ = model(task["tokens"])
    loss = answer_loss(logits, task["targets"])
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    scheduler.step()
    if step % 25 == 0:
        with torch.no_grad():
            logits, _ = model(torch.from_numpy(validation["tokens"]))
        faultless = right(logits.numpy(), validation["targets"]).mean()
        for name, value in zip(history, (step, loss.item(), faultless), strict=True):
            history[name].append(value)

# %% name="twin-curve" tags=["torch"] alt="Training loss and share of faultless answers of the PyTorch twin against the step."
fig, axes = figure(6.8, 2.6)
lines = {name: history[name] for name in ("loss", "faultless answers")}
curves(axes, history["step"], lines, "step", "nats, share of words", "The twin in training")
print(f"{faultless:.3f} of the held-out words without a mistake")

# %% name="twin-cache" tags=["torch"]
# What the twin writes with the cache, and without.
prompts = torch.from_numpy(test["tokens"][:64, : LONGEST + 1])
written = generate(model, prompts, LONGEST + 1)
with torch.no_grad():
    line = torch.cat([prompts, written], dim=1)
    whole, _ = model(line)  # all places at once, no cache
    again = whole[:, LONGEST:-1].argmax(dim=-1)
print(f"tokens written with the cache and without: {'the same' if torch.equal(written, again) else 'different'}")
for word in ("hello", "decoder", "attention"):
    print(f"{word}> {text_of(generate(model, torch.from_numpy(tokens_of(word)[None]), 17)[0].numpy())}")

# %% name="twin-mask" tags=["torch"]
# The test of the mask: one token is changed.
changed = line.clone()
changed[:, 20] = (changed[:, 20] + 1) % len(SYMBOLS)
with torch.no_grad():
    before, after = model(line)[0], model(changed)[0]
print(
    f"token 20 changed: largest change before it {(after - before)[:, :20].abs().max():.1g}, from it on {(after - before)[:, 20:].abs().max():.2g}"
)
