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
# A network with 49,824 numbers in it was given 2,000 dates as people write them, and asked for each in the form
# `1999-03-03`. It had never seen any of these days. One wrong character makes the whole date wrong.

# %% name="measured-tool" tags=["tools"] include="groundup.data.measured:measured"
# `measured` gives what the experiment of this lesson found.
from groundup.data.measured import measured

# %% name="opening" tags=["tools"]
# How many it got right, and those that it got wrong.
opening = measured("p13_attention_is_all_you_need", "metrics/exact match", "metrics/wrong")
asked_for, right_share = 2000, opening["metrics/exact match"]["transformer"]
print(f"{round(right_share * asked_for):,} of {asked_for:,} dates without a mistake. The rest:")
for row in opening["metrics/wrong"]:
    print(f"  {row['read']!r}, and {row['wanted']} was wanted")

# %% [markdown] name="question"
# A weekday that does not matter, a month in letters, spaces typed twice: all of this it has learned to read, nearly
# always. It has no loop that runs along the text that it reads, and hands no state on. Between places it takes weighted
# averages, and nothing else. **How do you convert a date with weighted averages? And is that better than what was there
# before?** The model is the Transformer, and since 2017 nearly every large language model has been made of its parts.
#
# You will build it whole, train it, take it apart, train it again with one thing changed, and set it against the
# network that it replaced. (You need queries, keys and values from lesson `self_attention`; lesson `tiny_decoder` has
# one half of this model.)

# %% [markdown] name="history"
# ## What everybody had already
#
# The paper did not invent attention. In 2014 two recurrent networks learned to translate: one reads the sentence and
# keeps a single vector, the other writes the translation from it ([Sutskever, Vinyals &
# Le](https://arxiv.org/abs/1409.3215)). One vector for four words or for forty? In the same year Dzmitry Bahdanau, an
# intern in Montreal, with Kyunghyun Cho and Yoshua Bengio, let the writing network look back at *all* states of the
# reading one, as a weighted average, anew for each word ([2014](https://arxiv.org/abs/1409.0473)). That was attention.
# From English to French it scored 26.8, and the network without it 17.8. (The score is BLEU: how many word sequences of
# a translation also occur in a human one, from 0 to 100.)
#
# Soon everybody had it. Google's translator of 2016 was an LSTM eight layers deep on either side, with attention
# between them ([Wu et al.](https://arxiv.org/abs/1609.08144)). Attention was everywhere, *always together with
# something else*. The title, a bow to the Beatles, says what the eight authors at Google tried in 2017: leave out the
# something else.
#
# Why would one want to? A recurrent network computes state $t$ from state $t - 1$. It has to wait, and a graphics card
# with thousands of arithmetic units works through a sentence one word at a time. Attention waits for nobody: all places
# of the text are computed at once, in a few large matrix products. The surprise was the bill. From the paper's table 2:
#
# | system | English to German, BLEU | operations of its training |
# |---|---|---|
# | Google 2016, LSTM with attention | 24.6 | $2.3 \cdot 10^{19}$ |
# | Transformer, base (65 million parameters) | 27.3 | $3.3 \cdot 10^{18}$ |
# | Transformer, big (213 million) | 28.4 | $2.3 \cdot 10^{19}$ |
#
# Where do such numbers come from? Nobody counted. The authors multiplied hours, GPUs, and $9.5 \cdot 10^{12}$
# operations a second for each. The base model took twelve hours on eight GPUs: $12 \cdot 3600 \cdot 8 \cdot 9.5 \cdot
# 10^{12} = 3.3 \cdot 10^{18}$.

# %% name="imports" tags=["shared", "tools"]
# NumPy.
import math

import numpy as np

# %% [markdown] name="data" tags=["shared"]
# ## Dates in, dates out
#
# We do not have eight GPUs, so we translate something smaller: 27 ways to write a date, in varying case and with
# careless spaces, for every day of 1900 to 2099. A month given as a number comes after the day, except where the year
# comes first; then it comes after the year. So each text has one answer. Guessing a day without reading is right once
# in 73,049 tries. No day is in two of the three parts. One character is one **token**, the unit that the model reads
# and writes.

# %% name="dates-code" tags=["shared", "tools"] include="groundup.data.dates:CHARACTERS groundup.data.dates:DAYS groundup.data.dates:END groundup.data.dates:LONGEST groundup.data.dates:START groundup.data.dates:decode_date groundup.data.dates:encode_source groundup.data.dates:split_date_pairs groundup.lessons.p13_attention_is_all_you_need.measure:Encoded groundup.lessons.p13_attention_is_all_you_need.measure:encoded groundup.lessons.p13_attention_is_all_you_need.measure:exact groundup.lessons.p13_attention_is_all_you_need.measure:like_length_batch groundup.training.streams:random_stream"
# The dates: drawn, split and written as numbers; and the measure, whole answers without a mistake.
from groundup.data.dates import CHARACTERS, DAYS, END, LONGEST, START, decode_date, encode_source, split_date_pairs
from groundup.lessons.p13_attention_is_all_you_need.measure import Encoded, encoded, exact, like_length_batch
from groundup.training.streams import random_stream

# %% name="dates" tags=["shared", "tools"]
# The dates for training, validation and test; the first six.
parts = split_date_pairs(random_stream(0, "data"), 50_000, 1000, 2000)
training_data, validation_data, test_data = (encoded(part) for part in parts)
assert DAYS == 73_049
print(f"{len(CHARACTERS)} characters; the longest text has at most {LONGEST}")
for written_date, iso in parts.train[:6]:
    print(f"{written_date!r:45} {iso}")

# %% [markdown] name="forcing"
# **Teacher forcing.** The decoder writes one character at a time, and each depends on those before it. Does training
# have to wait, too? No, for there the right answer is known. So give the decoder the *right* beginning at every place,
# and ask for the next character at all places at once:
#
# ![The decoder is given the start mark and the right date; at every place the character one further on is wanted, and the end mark last.](diagram:forcing)
#
# A dashed line joins two places of the same character: what is wanted at one place is given at the next. One example is
# eleven exercises, done in parallel. In use the decoder reads what it has written itself, its mistakes included. What
# would go wrong if place 3 could see place 4 in the upper row?

# %% [markdown] name="intuition"
# ## Three questions, one mechanism
#
# A **query** vector asks, **key** vectors are compared with it, and the **values** that belong to the best keys are
# averaged. With all queries as rows of $Q$, keys as rows of $K$ and values as rows of $V$, and $d_k$ for the width of a
# key,
#
# $$\operatorname{Attention}(Q, K, V) = \operatorname{softmax}\!\Big(\frac{QK^\top}{\sqrt{d_k}}\Big)\,V \tag{1}$$
#
# where softmax turns each row of scores into weights that add up to 1. The Transformer uses it three times. In the
# encoder the characters that are read ask one another; in the decoder those that are written ask one another; and
# between them, in the **cross-attention**, what is written asks what is read:
#
# ![Three grids of who may look at whom: in the encoder all but padding, in the decoder no later place, between them all but padding.](diagram:uses)
#
# The third is Bahdanau's. The first two are **self-attention**: they stand where the recurrent networks stood. In the
# decoder a **causal mask** forbids a place to look ahead, or teacher forcing would hand the model the very character
# that it is asked for. **Padding** fills short texts of a batch up to the length of the longest; a mask keeps everyone
# from looking at it (exercise `padding_mask`).

# %% [markdown] name="by-hand"
# ## By hand: three places, one number each
#
# Let every vector be a single number, and let query, key and value all equal the input: $x = (1, 2, 0)$, $d_k = 1$.
# With the causal mask:
#
# - Place 1 sees only itself. Its output is $1$.
# - Place 2 asks with 2. The scores are $2\cdot1 = 2$ and $2\cdot2 = 4$. The softmax gives
#   $p = e^2/(e^2 + e^4) \approx 0.119$ to the first place and $0.881$ to the second. Output:
#   $0.119\cdot1 + 0.881\cdot2 = 1.881$.
# - Place 3 asks with 0. All scores are 0, so it takes the mean: $(1 + 2 + 0)/3 = 1$.
#
# Now backward, through the softmax of place 2. Let the loss be its output, $y = \sum_j p_j v_j$. Raise the score
# $s_k$: its own weight grows, and all weights are divided by a larger sum. That is softmax's derivative,
# $\partial p_j/\partial s_k = p_j\,([j = k] - p_k)$, where $[j = k]$ is 1 if $j = k$ and else 0. Summed with
# $\partial y/\partial p_j = v_j$,
#
# $$\frac{\partial y}{\partial s_k} = p_k\Big(v_k - \sum_j p_j v_j\Big) = p_k\,(v_k - y) \tag{2}$$
#
# That is $0.119\,(1 - 1.881) = -0.105$ and $0.881\,(2 - 1.881) = +0.105$. Together 0, as it must be: adding the same
# number to all scores changes nothing.

# %% name="by-hand-numbers" tags=["tools"]
# The same in code; and one slope by a nudge, without the rule.
x_hand = np.array([1.0, 2.0, 0.0])
scores_hand = np.where(np.tri(3, dtype=bool), np.outer(x_hand, x_hand), -np.inf)
p_hand = np.exp(scores_hand) / np.exp(scores_hand).sum(axis=1, keepdims=True)
y_hand = p_hand @ x_hand
by_rule = p_hand[1, :2] * (x_hand[:2] - y_hand[1])
e = np.exp([2 + 1e-6, 4])  # and without the rule: nudge the first score
by_nudge = (e @ x_hand[:2] / e.sum() - y_hand[1]) / 1e-6
print("outputs", y_hand.round(3), " slopes by (2)", by_rule.round(3), f" the first by a nudge {by_nudge:.3f}")
assert np.allclose(y_hand, [1, 1.881, 1], atol=5e-4)
assert np.allclose([*by_rule, by_nudge], [-0.105, 0.105, -0.105], atol=5e-4)

# %% [markdown] name="heads-idea"
# ## Many heads
#
# One softmax makes one average. A date needs more: the first digit of the year *and* the fact that it is a year. So the
# vectors of width $d$ are cut into $h$ thin slices, and each slice attends by itself. Such a slice is a **head**, of
# width $d_k = d/h$:
#
# $$\operatorname{MultiHead}(X, M) = [\,\text{head}_1; \dots; \text{head}_h\,]\,W_O, \qquad
#   \text{head}_i = \operatorname{Attention}(XW_Q^i,\; MW_K^i,\; MW_V^i) \tag{3}$$
#
# $X$ asks and $M$ answers; $W_Q$, $W_K$, $W_V$ and $W_O$ are learned matrices. In self-attention $X$ and $M$ are the
# same array. Then its gradient $dX$ (in all lessons $dX$ is short for $\partial L/\partial X$, with $L$ for the loss)
# is the **sum** of two, one for each role, and forgetting one of them is a classic mistake. Lesson `self_attention`
# derives all this.

# %% [markdown] name="attention" tags=["second"]
# ## Attention and its heads, backwards
#
# Once more, with the masks, and for matrices. Let $S = QK^\top/\sqrt{d_k}$ be the scores, $P$ the weights and $Y = PV$ the output, and let
# $dY$ be given. Walk back through the three steps.
#
# *Values.* $Y_{tj} = \sum_k P_{tk} V_{kj}$. Who hears of $V_{kj}$? Place $t$ does, with weight $P_{tk}$, and so
# does every other place. Their effects add up: $dV_{kj} = \sum_t P_{tk}\, dY_{tj}$, and that is $P^\top dY$.
#
# *Weights.* $P_{tk}$ occurs in row $t$ of $Y$, once in each column: $dP_{tk} = \sum_j dY_{tj} V_{kj}$, and that
# is $dY\,V^\top$.
#
# *Softmax.* Each row on its own, as in (2), with $dP$ in the role of the values:
# $dS_{tk} = \sum_j dP_{tj}\,P_{tj}\,([j = k] - P_{tk}) = P_{tk}\,(dP_{tk} - \sum_j P_{tj}\,dP_{tj})$.
#
# *Scores.* $S_{tk} = \sum_i Q_{ti} K_{ki} / \sqrt{d_k}$, so $Q_{ti}$ meets $K_{ki}$ for every $k$, and $K_{ki}$
# meets $Q_{ti}$ for every $t$. Together:
#
# $$dV = P^\top dY,\quad dP = dY\,V^\top,\quad dS = P \odot \big(dP - \operatorname{rowsum}(P \odot dP)\big),\quad
#   dQ = \tfrac{1}{\sqrt{d_k}}\,dS\,K,\quad dK = \tfrac{1}{\sqrt{d_k}}\,dS^\top Q \tag{4}$$
#
# with $\odot$ for element by element. Where a mask forbids a look, $P = 0$, so by (4) $dS = 0$: no gradient leaks
# either. And the row sum has a shorter form: $\sum_k P_{tk}\,dP_{tk} = \sum_k P_{tk} \sum_j dY_{tj} V_{kj} =
# \sum_j dY_{tj} Y_{tj}$, which needs no second large array.

# %% name="attention-code" show="scaled_dot_product_attention" include="groundup.ops.attention:causal_mask groundup.ops.attention:scaled_dot_product_attention"
from groundup.ops.attention import causal_mask, scaled_dot_product_attention

# %% name="attention-by-hand"
column = x_hand[:, None]
outputs, pull_back = scaled_dot_product_attention(column, column, column, causal_mask(3))
d_query, d_key, d_value = pull_back(np.array([[0.0], [1.0], [0.0]]))  # the loss is the output of place 2
assert np.allclose(outputs[:, 0], y_hand)
assert np.allclose(d_value[:2, 0], p_hand[1, :2])  # (4)
assert np.allclose(d_key[:2, 0], by_rule * 2)  # (4): the query of place 2 is 2
print("by (4): dQ", d_query[:, 0].round(3), " dK", d_key[:, 0].round(3), " dV", d_value[:, 0].round(3))

# %% [markdown] name="attention-turn"
# Place 3 gets nothing, in any of the three: place 2 may not see it. And with heads, (3): the slices are one more axis
# of the arrays, so that (1) and (4) do all heads at once.

# %% name="heads-code" tags=["tools"] include="groundup.ops.attention:padding_mask groundup.ops.attention:multi_head_attention"
# `multi_head_attention` is (3), forwards and backwards, line for line that of lesson `self_attention`.
from groundup.ops.attention import multi_head_attention, padding_mask

# %% [markdown] name="add-norm"
# ## Around every sub-layer: add, then normalise
#
# Each sub-layer $F$ is wrapped in the same way (sections 3.1 and 5.4 of the paper):
#
# $$z = \operatorname{LayerNorm}\big(x + \operatorname{Dropout}(F(x))\big) \tag{5}$$
#
# The sum lets what comes back pass $F$ by. **Layer norm** brings each place's vector to mean 0 and variance 1.
# **Dropout** sets numbers to 0 at random while training, against overfitting. Normalising after the sum is called
# **post-LN**: the way past $F$ still leads through every norm. Most later models normalise inside the branch, $x +
# F(\operatorname{LayerNorm}(x))$: **pre-LN**, as in lesson `tiny_decoder`. Going backwards, what arrives at the sum
# takes two ways: past $F$ into $x$ as it is, and through dropout into $F$.

# %% name="norm-code" show="add_and_norm" include="groundup.ops.norms:layer_norm groundup.lessons.p13_attention_is_all_you_need.model:drop groundup.lessons.p13_attention_is_all_you_need.model:add_and_norm"
from groundup.lessons.p13_attention_is_all_you_need.model import add_and_norm, drop
from groundup.ops.norms import layer_norm

# %% [markdown] name="norm-backwards" tags=["second"]
# ## Layer norm, backwards
#
# Layer norm takes one place's vector $u$ of $d$ numbers, with mean $\mu$ and variance $\sigma^2$ (divided by $d$, not
# $d-1$), and returns $z = g \odot \hat u + b$, where $g$ and $b$ are learned, $\odot$ multiplies number by number, and
# $\hat u_i = (u_i - \mu)/s$ with $s = \sqrt{\sigma^2 + \epsilon}$. The small $\epsilon$ prevents a division by 0.
#
# What does a change of $u_j$ do? It moves the mean: $\partial\mu/\partial u_j = 1/d$. It moves $s$: from $s^2 =
# \frac1d \sum_i (u_i - \mu)^2 + \epsilon$ follows $2s\,\partial s/\partial u_j = \frac2d \sum_i (u_i - \mu)\,([i
# = j] - \frac1d) = \frac2d (u_j - \mu)$, because the $u_i - \mu$ add up to 0; so $\partial s/\partial u_j = \hat
# u_j/d$. And by the quotient rule
#
# $$\frac{\partial \hat u_i}{\partial u_j} = \frac{[i = j] - 1/d}{s} - \frac{u_i - \mu}{s^2}\cdot\frac{\hat u_j}{d}
#   = \frac1s\Big([i = j] - \frac1d - \frac{\hat u_i\,\hat u_j}{d}\Big)$$
#
# Write $\gamma_i = dz_i\,g_i$ for the gradient of $\hat u_i$, multiply by it and sum over $i$. The three terms
# become $\gamma_j$, a mean, and a mean times $\hat u_j$:
#
# $$du = \frac{1}{s}\Big(\gamma - \operatorname{mean}(\gamma) - \hat u \,\operatorname{mean}(\gamma \odot \hat u)\Big) \tag{6}$$
#
# The learned vectors served all places, so $dg = \sum dz \odot \hat u$ and $db = \sum dz$ over all of them. Lesson
# `tiny_decoder` prints the code.
#
# On paper: $u = (1, 1, 3, 3)$ has $\mu = 2$, $s = 1$ (take $\epsilon = 0$) and $\hat u = (-1, -1, 1, 1)$. Let
# $\gamma = (4, 0, 0, 0)$. Its mean is 1, the mean of $\gamma \odot \hat u$ is $-1$, and (6) gives $(4 - 1 - 1,\;
# 0 - 1 - 1,\; 0 - 1 + 1,\; 0 - 1 + 1) = (2, -2, 0, 0)$. It adds up to 0, and so does its product with $\hat u$.
# Why must it? (Shifting $u$, or stretching it, changes nothing in $\hat u$.)

# %% name="norm-by-hand"
_, pull_back = layer_norm(np.array([1.0, 1, 3, 3]), np.ones(4), np.zeros(4), 0.0)
assert np.allclose(pull_back(np.array([4.0, 0, 0, 0]))[0], [2, -2, 0, 0])  # (6)

# %% [markdown] name="embedding-text"
# ## Tokens, positions, and one table for three uses
#
# A character is an index. Row $k$ of the **embedding** table $E$ is the vector of character $k$. Without a mask
# attention does not see order: shuffle the places and every average is the same. So a vector for the place is added,
# made of sines and cosines of falling frequency (lesson `tiny_decoder` draws these waves). For place $p$, the character
# $t_p$ there, and column pair $i$:
#
# $$x_p = \sqrt d\,E_{t_p} + \text{PE}_p, \qquad
#   \text{PE}_{p,2i} = \sin\frac{p}{10000^{2i/d}},\quad \text{PE}_{p,2i+1} = \cos\frac{p}{10000^{2i/d}} \tag{7}$$
#
# The same table serves source, target and **readout**: with $y_q$ for what the decoder has at place $q$ in the end, the
# scores of all characters, the **logits**, are $z_q = E\,y_q$. That explains the factor $\sqrt d$. As a readout $E$
# wants entries of about $1/\sqrt d$, or the logits are too large at first; as an embedding it should be about as large
# as the positions.
#
# What is the gradient of a table that is used three times? Take each use alone. Read in the source, $x_p$ contains
# $\sqrt d\,E_k$ if $t_p = k$, so $E_k$ receives $\sqrt d\,dx_p$ from every such place; read in the target, the same. In
# the readout $z_{qk} = \sum_j E_{kj}\,y_{qj}$, so $E_k$ receives $dz_{qk}\,y_q$ from every place that is written. And
# what is used several times gets the sum:
#
# $$dE_k = \sqrt d \sum_{p\,\in\,\text{source}} [t_p = k]\,dx_p + \sqrt d \sum_{p\,\in\,\text{target}} [t_p = k]\,dx_p
#        + \sum_{q} dz_{qk}\,y_q \tag{8}$$
#
# With numbers, and $d = 1$: the character is read once, with $dx = 0.5$, was given once to the decoder, with $dx = -1$,
# and as a candidate at one place, where $y = 2$, it has $dz = 0.25$. Then $dE = 0.5 - 1 + 0.25 \cdot 2 = 0$: the three
# uses pull in different directions, and here they cancel.

# %% [markdown] name="embedding-words" tags=["second"]
# ### The embedding in code
#
# Dropout, too, falls on the sum; and where positions are learned, their table gets a gradient of its own.

# %% name="embedding-code" show="embed" include="groundup.ops.positions:sinusoidal_positions groundup.lessons.p13_attention_is_all_you_need.model:embed"
from groundup.lessons.p13_attention_is_all_you_need.model import embed
from groundup.ops.positions import sinusoidal_positions

# %% [markdown] name="layers-text"
# ## Layers
#
# The second kind of sub-layer works on each place by itself:
#
# $$\operatorname{FFN}(x) = \max(0, xW_1 + b_1)\,W_2 + b_2 \tag{9}$$
#
# An encoder layer is self-attention and this **feed-forward** network, each wrapped in (5). A decoder layer has
# cross-attention between the two. Read each `backward` from top to bottom: it is its forward pass from bottom to top.
# Where an array was used twice, its gradients are added. Can you find all the places?

# %% name="layers-code" show="feed_forward encoder_layer" beside="encoder_layer" include="groundup.lessons.p13_attention_is_all_you_need.model:feed_forward groundup.lessons.p13_attention_is_all_you_need.model:encoder_layer"
from groundup.lessons.p13_attention_is_all_you_need.model import encoder_layer, feed_forward

# %% [markdown] name="decoder-layer-text"
# **Your turn**: exercise `encoder_layer_backward`. Then the decoder's layer. It has one thing more: the `memory`,
# which is what the encoder made of the source. Every decoder layer reads the same memory, so their gradients add
# up before they enter the encoder.

# %% name="decoder-layer-code" tags=["tools"] include="groundup.lessons.p13_attention_is_all_you_need.model:decoder_layer"
# `decoder_layer` is the encoder's with the cross-attention between; its backward returns a third gradient, `dmemory`.
from groundup.lessons.p13_attention_is_all_you_need.model import decoder_layer

# %% [markdown] name="model-text"
# ## The whole model
#
# The paper's figure 1, with our functions' names. Gradients run against the arrows; the thick one brings them from the
# decoder back into the encoder.
#
# ![The encoder, embed and encoder_layer, reads the source; the decoder, embed and decoder_layer with causal self-attention, cross-attention to the encoder's memory and feed-forward, gives logits by the transposed embedding.](diagram:whole)

# %% [markdown] name="decode-text" tags=["second"]
# ### The decoder in code, and one date's way
#
# `decode` is the decoder; where its last line computes the logits, the embedding's table comes in for the third time.

# %% name="model-code" show="decode" include="groundup.lessons.p13_attention_is_all_you_need.model:init groundup.lessons.p13_attention_is_all_you_need.model:encode groundup.lessons.p13_attention_is_all_you_need.model:decode groundup.lessons.p13_attention_is_all_you_need.model:transformer"
from groundup.lessons.p13_attention_is_all_you_need.model import decode, encode, init, transformer

# %% [markdown] name="trace-text"
# Now send `3rd of March 1999` through an untrained model of the lesson's size: width $d = 48$, four heads, one layer
# on either side. (The paper's base model has width 512, eight heads and six layers.) There are 17 characters to
# read and 11 places to write: the start mark and ten characters are given, ten characters and the end mark are
# wanted. Say the shape of each array before you look. Which one grows with the *square* of the text?

# %% name="trace-tools" tags=["tools"] include="groundup.lessons.p13_attention_is_all_you_need.decoding:attention_maps groundup.lessons.p13_attention_is_all_you_need.measure:one"
# `attention_maps` gives the weights of every head, `one` takes one example without its padding.
from groundup.lessons.p13_attention_is_all_you_need.decoding import attention_maps
from groundup.lessons.p13_attention_is_all_you_need.measure import one

# %% name="trace" tags=["tools"] predict="Attention of four heads, 11 places that write, 17 that are read: what shape has the cross-attention?"
# The shape of every array on the way.
fresh = init(np.random.default_rng(0), len(CHARACTERS), width=48, hidden=96, layers=1)
source, given = one(encoded([("3rd of March 1999", "1999-03-03")]), 0)
memory, _ = encode(fresh, source, 4)
logits, _ = decode(fresh, given, memory, source, 4)
shapes = {
    "source, indices": source,
    "embedded, with positions": embed(fresh, source, 0.0, None)[0],
    **{f"{name} attention": array[0] for name, array in attention_maps(fresh, source, given, 4).items()},
    "memory": memory,
    "given, indices": given,
    "logits": logits,
}
for name, array in shapes.items():
    print(f"{name:25} {array.shape}")
assert logits.shape == (1, 11, len(CHARACTERS))

# %% [markdown] name="smoothing"
# ## Label smoothing
#
# With the logits a softmax gives each character a probability $p_k$. Cross-entropy wants probability 1 for the right
# character, and pushes logits apart without end. **Label smoothing** asks for a little less (section 5.4). With $V$ for
# the number of characters to choose from and $\varepsilon = 0.1$ the wanted distribution is
#
# $$q_k = (1 - \varepsilon)\,[k = \text{right}] + \frac{\varepsilon}{V}, \qquad
#   L = -\sum_k q_k \log p_k, \qquad \frac{\partial L}{\partial z_k} = p_k - q_k \tag{10}$$
#
# The derivative: $\log p_k = z_k - \log\sum_j e^{z_j}$, so $\partial L/\partial z_k = -q_k + p_k \sum_j q_j$, and the
# $q_j$ sum to 1. The loss no longer goes to 0: its floor, at $p = q$, is the entropy of $q$. A loss curve that flattens
# there has not failed: it has finished.

# %% name="smoothing-code" show="smoothed_loss" include="groundup.lessons.p13_attention_is_all_you_need.model:smoothed_loss"
from groundup.lessons.p13_attention_is_all_you_need.model import smoothed_loss


# %% name="smoothing-numbers" tags=["tools"]
# At the floor: four characters to choose from, of which the third is right.
def loss_floor(classes, epsilon=0.1):
    right, other = 1 - epsilon + epsilon / classes, epsilon / classes
    return -right * math.log(right) - (classes - 1) * other * math.log(other)


wanted_distribution = np.array([[0.025, 0.025, 0.925, 0.025]])  # of four, the third is right
loss_at_floor, floor_backward = smoothed_loss(np.log(wanted_distribution), np.array([2]))
print(f"loss at p = q: {loss_at_floor:.6f}; entropy of q: {loss_floor(4):.6f}")
print(f"largest gradient there: {np.abs(floor_backward()).max():.1e}")
assert math.isclose(loss_at_floor, loss_floor(4))

# %% [markdown] name="smoothing-turn"
# **Your turn**: exercise `smoothed_loss`; the padding must not count.

# %% [markdown] name="check"
# ### Is the gradient right?
#
# In float64, draw a random direction in the space of all parameters. Two forward passes measure the slope along it; the
# gradient predicts it. There is padding on both sides, and dropout draws the same mask every time. Remove one of the
# three terms of (8), the line with `+= d_table` in `decode` (folded above), and run this again.

# %% name="check-code" tags=["tools"] include="groundup.proof.slopes:compare_slopes groundup.proof.slopes:show_slopes groundup.training.params:map_tree"
# `show_slopes` measures slopes in random directions and compares them with the gradient.
from groundup.training.params import map_tree
from groundup.proof.slopes import compare_slopes, show_slopes

# %% name="check-run" tags=["tools"]
# A small model, the slopes of its loss along three random directions, and what the gradient predicts.
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
# Change one character of what the decoder is given. Which logits may move, and which must not, not by one bit? This
# test is short, and it catches the mistake that makes a training loss look wonderful and the model useless.

# %% name="causal-run" predict="One token of the output is changed: at which places may the logits move?"
small_memory, _ = encode(small, small_source, 2)
before_change, _ = decode(small, small_target[:, :-1], small_memory, small_source, 2)
changed_target = small_target[:, :-1].copy()
changed_target[0, 2] = 6
after_change, _ = decode(small, changed_target, small_memory, small_source, 2)
moved = np.abs(after_change - before_change)[0].max(axis=-1)
print("change of the logits at each place:", moved.round(4))
print("causal" if moved[:2].max() == 0 and moved[2:].min() > 0 else "NOT causal")

# %% [markdown] name="schedule-text"
# ## The learning rate
#
# The paper starts small. Why that helps was explained later: in the first steps Adam's estimate of the gradient's size
# (lesson `optimizers`) rests on few samples, and with post-LN the gradients near the output are large at first ([Xiong
# et al. 2020](https://arxiv.org/abs/2002.04745)). With $n$ for the step, counted from 1, and $w$ for the warm-up (the
# paper's equation 3):
#
# $$\eta_n = d^{-1/2}\,\min\!\big(n^{-1/2},\; n\,w^{-3/2}\big) \tag{11}$$
#
# It rises in a straight line, and from step $w$ on falls like $1/\sqrt n$. Where do the two branches meet? At $n = w$:
# $w \cdot w^{-3/2} = w^{-1/2}$.

# %% name="schedule-code" show="inverse_root" include="groundup.training.optim:adam groundup.training.optim:inverse_root groundup.plots:figure groundup.plots:describe groundup.plots:curves groundup.plots:line_style"
from groundup.training.optim import adam, inverse_root
from groundup.plots import curves, describe, figure, line_style

# %% [markdown] name="training-text"
# **Your turn**: exercise `warmup_schedule`.
#
# ## Training
#
# Our model has width 48, four heads and one layer on either side (the paper's base: 512, eight and six). It gets $1500
# \cdot 64 = 96000$ examples, with 200 steps of warm-up and no dropout. The rate is still high at the end, and single
# checkpoints, copies of the parameters at some step, jump about. The paper's last trick is meant for this: the
# parameters of the **last five checkpoints are averaged** (section 6.1); ours are 50 steps apart. Averaging the weights
# of five networks, number by number: would you have thought of it?
#
# Training does all places at once. Writing cannot, for the next character depends on the last one: **greedy** decoding
# takes the likeliest character, feeds it back, and goes on until the end mark.

# %% name="decoding-code" tags=["tools"] include="groundup.lessons.p13_attention_is_all_you_need.decoding:transformer_scorer groundup.lessons.p13_attention_is_all_you_need.decoding:generate groundup.training.params:count"
# `generate` writes, by default greedily; `transformer_scorer` gives it the logits of the next character.
from groundup.lessons.p13_attention_is_all_you_need.decoding import generate, transformer_scorer
from groundup.training.params import count

# %% name="train-start" tags=["tools"]
# The start: sizes, parameters, Adam with (11); and `share_right`, the share of dates without a mistake.
HEADS, BATCH, ENDS = 4, 64, (1300, 1350, 1400, 1450, 1500)
params = init(random_stream(0, "parameters", "transformer"), len(CHARACTERS), width=48, hidden=96, layers=1)
optimiser, rate = adam(0.9, 0.98, 1e-9), inverse_root(48, 200)
assert math.isclose(rate(199), 48**-0.5 * 200**-0.5)  # where the branches of (11) meet: 199 counts from 0
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
            if step % 300 == 0:
                print(f"step {step}: loss {history['training loss'][-1]:.3f}, right {history['exact match'][-1]:.3f}")
    checkpoints.append(map_tree(np.copy, params))

# %% name="learning-picture" measures="exact_match=averaged_right" alt="Left: training loss falls to just above the floor set by label smoothing. Right: share of held-out dates that are right, rising with the step, and the share of the averaged model."
averaged = map_tree(lambda *each: sum(each[1:], each[0]) / len(each), *checkpoints)
each_right = [share_right(one_checkpoint, test_data) for one_checkpoint in checkpoints]
last_right, averaged_right = each_right[-1], share_right(averaged, test_data)
fig, (left, right) = figure(10, 2.8, columns=2)
curves(left, history["step"], {"training": history["training loss"]}, "step", "smoothed cross-entropy (nats)", "Loss")
left.axhline(loss_floor(len(CHARACTERS)), color="#8b939e", linestyle=":")
left.annotate("floor", (1, loss_floor(len(CHARACTERS))), xycoords=("axes fraction", "data"), ha="right", va="bottom")
curves(right, history["step"], {"one checkpoint": history["exact match"]}, "step", "share right", "Held-out dates")
right.plot([step], [averaged_right], "*", markersize=13, color="#740f3c", label="average of five, test")
describe(right, "step", "share right", "Held-out dates")
print("test, the five checkpoints:", *(f"{right_one:.4f}" for right_one in each_right))
print(f"test, their average:        {averaged_right:.4f}")
# If neither is better, the dates that only one of them gets right fall like tosses of a coin.
sure = abs(averaged_right - last_right) > 2 * ((2 - averaged_right - last_right) / len(test_data.lengths)) ** 0.5
print(("averaging helped" if averaged_right > last_right else "averaging hurt") if sure else "too close to tell")

# %% [markdown] name="averaging-words"
# A large effect for one line of code and no training at all. See how far the five lie apart, only 50 steps from one to
# the next: which of them comes last is luck, the average is not. In the five trainings of *Measured*, below, the last
# checkpoint alone is right on 96.7 to 98.1 % of the dates, and the average on 99.3 to 99.95 %, each time more. (The run
# on this page starts like the first of them, but its checkpoints can lie lower than all of those.) We picture the five
# around the bottom of one valley, each thrown off by its last few steps, and their mean nearer to the bottom.
#
# **Your turn**: exercise `greedy_decoding` and exercise `average_checkpoints`.
#
# Does it still get a date wrong? (Those at the top are from the first of the five trainings.)

# %% name="still-wrong" tags=["tools"]
# What is wrong, and three dates of our own.
hits = exact(test_data, lambda source: generate(transformer_scorer(averaged, source, HEADS), len(source), 11))
print(f"{(~hits).sum() or 'none'} of {len(hits):,} dates wrong in this run")
for row in np.flatnonzero(~hits)[:5]:
    written = generate(transformer_scorer(averaged, one(test_data, row)[0], HEADS), 1, 11)[0]
    print(f"{parts.test[row][0]!r} -> {decode_date(written)}, wanted {parts.test[row][1]}")
for prompt in ("3rd of March 1999", "thu 29 FEB 2024", "12/11/2010"):
    asked = encode_source([prompt])
    print(f"{prompt!r:22} -> {decode_date(generate(transformer_scorer(averaged, asked, HEADS), 1, 11)[0])}")

# %% [markdown] name="decoding-text" tags=["second"]
# ## Beam search
#
# Greedy decoding never looks back. Might it regret a character? **Beam search** keeps the $b$ best beginnings. A
# longer text has more factors below 1, so plain probability favours short ones. The paper divides the
# log-probability by a penalty for the length $|Y|$ (Wu et al. 2016,
# [arXiv:1609.08144](https://arxiv.org/abs/1609.08144)):
#
# $$\text{score}(Y) = \frac{\log P(Y \mid X)}{\text{lp}(Y)}, \qquad \text{lp}(Y) = \Big(\frac{5 + |Y|}{6}\Big)^{\alpha},
#   \qquad \alpha = 0.6,\; b = 4 \tag{12}$$
#
# All dates in the output are equally long, so here the penalty changes little. Beam search can only repair what
# greedy decoding loses by deciding too early. How often does that happen?

# %% name="beam-code" show="length_penalty beam_search" include="groundup.lessons.p13_attention_is_all_you_need.decoding:beam_search"
from groundup.lessons.p13_attention_is_all_you_need.decoding import beam_search

# %% name="beam-run"


def beam_of_four(source):
    return beam_search(transformer_scorer(params, source, HEADS), len(source), 11)[0]


thousand = Encoded(*(array[:1000] for array in test_data))
greedy_right, beam_right = share_right(params, thousand), float(exact(thousand, beam_of_four).mean())
print(f"last checkpoint, a thousand dates: greedy {greedy_right:.3f}, beam of four {beam_right:.3f}")
sure = abs(beam_right - greedy_right) > 2 * ((2 - beam_right - greedy_right) / len(thousand.lengths)) ** 0.5
print("beam search against greedy decoding: " + ("a clear difference" if sure else "too close to tell"))

# %% [markdown] name="beam-words"
# A date has one right answer, and where the model is sure of it, the likeliest character is right each time. In the
# five trainings of the table, with a thousand dates each, the two differ on three dates of the five thousand. A sentence has many translations, and there the paper uses a beam of four; it does not say what greedy decoding
# gets.
#
# **Your turn**: exercise `beam_search`, the hardest of this lesson.

# %% [markdown] name="heads-text"
# ## What the heads look at
#
# Every row asks, every column is looked at; rows sum to 1. In the encoder a row is a character that is read, elsewhere
# one that is about to be written; `^` is the start mark and `$` the end mark. The slider stands at the first of the
# four heads called *cross*. Go through all four: where are year, month and day fetched from, while the output is
# written in another order?

# %% name="maps-code" tags=["tools"] include="groundup.lessons.p13_attention_is_all_you_need.measure:year_head groundup.plots:heatmap"
# `year_head` finds the head that looks at the year; a heat map in the style of all figures.
from groundup.lessons.p13_attention_is_all_you_need.measure import year_head
from groundup.plots import heatmap

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
fig = frames("head", names, one_head, width=5.6, height=3.9, shown=(8, 9), start=8)

# %% [markdown] name="year-text"
# One picture can be luck. So count: while the year is written, how much of its attention does a head give to the four
# characters where the year stands? The head is chosen on validation dates and measured on test dates.

# %% name="year-run" tags=["tools"] measures="heads=on_the_year"
# The head that looks at the year most, trained and untrained.
chosen, on_the_year = year_head(averaged, validation_data, test_data, HEADS)
_, on_the_year_untrained = year_head(
    init(random_stream(0, "parameters", "transformer"), len(CHARACTERS), 48, 96, 1), validation_data, test_data, HEADS
)
print(
    f"cross head {chosen + 1}: {on_the_year:.2f} of its attention on the year; best untrained head {on_the_year_untrained:.2f}"
)

# %% [markdown] name="break-it"
# ## Break it
#
# A head that looks at the year: is it *needed* for the year? A map cannot say. Take the head away and count. A head
# speaks through its own twelve columns of $W_O$, so set them to 0, for each of the twelve heads in turn. Nothing is
# trained again. Will all twelve be missed?

# %% name="silence" tags=["tools"]
# `changed` sets columns of one matrix to zero, in a copy. Below, each head is silenced in turn.
some = Encoded(*(array[:500] for array in test_data))


def changed(*path, times=0.0, columns=slice(None)):
    tree = map_tree(np.copy, averaged)
    place = tree
    for name in path:
        place = place[name]
    place["weight"][:, columns] *= times
    return tree


kinds = {"encoder": ("encoder", 0, "attention"), "decoder": ("decoder", 0, "attention")}
kinds["cross"] = ("decoder", 0, "cross_attention")
print(f"as trained: {share_right(averaged, some):.3f} of the dates right; without head")
for kind, path in kinds.items():
    slices = [slice(12 * head, 12 * head + 12) for head in range(HEADS)]
    silent = [share_right(changed(*path, "out", columns=columns), some) for columns in slices]
    print(f"{kind:8}" + "".join(f"  {head}: {share:.3f}" for head, share in enumerate(silent, start=1)))

# %% [markdown] name="silence-words"
# Without some heads hardly a date is lost, without others most, and in our run the one that looks hardest at the year
# is hardly missed at all: what a head looks at is one thing, and whether the rest can do without it another. The
# greatest losses, in our run, are in the decoder's own attention.
#
# Now larger pieces. The scale $1/\sqrt{d_k}$ can be taken out without touching the code: multiply $W_Q$ by $\sqrt{12}$,
# and all scores grow by as much. The positions go by a table of zeros.

# %% name="remove" tags=["tools"] predict="Cut the cross-attention, and the decoder is blind to the text. What will it write?"
# Larger pieces taken out, in a copy again: the share of dates that survive, and what is written.
placeless = {**averaged, "positions": {"weight": np.zeros((LONGEST, 48), np.float32)}}
trials = {
    "cross-attention, no scale": changed("decoder", 0, "cross_attention", "query", times=math.sqrt(12)),
    "encoder without attention": changed("encoder", 0, "attention", "out"),
    "decoder without its own": changed("decoder", 0, "attention", "out"),
    "cross-attention cut": changed("decoder", 0, "cross_attention", "out"),
    "decoder without FFN": changed("decoder", 0, "feed_forward", "down"),
    "without positions": placeless,
}
asked = encode_source(["3rd of March 1999"])
for name, tree in {"as trained": averaged, **trials}.items():
    example = decode_date(generate(transformer_scorer(tree, asked, HEADS), 1, 11)[0])
    print(f"{name:26}{share_right(tree, some):6.3f} right; '3rd of March 1999' -> {example}")

# %% [markdown] name="remove-words"
# A blind decoder writes the same for every text, and in our run it still has the form of a date: right grammar, wrong
# day. Without its own attention the decoder seems to lose count, and repeats digits and dashes. Without positions, or
# without its feed-forward network, nothing is left at all.
#
# And the scale? Dropping it from the *trained* cross-attention changes next to nothing. So is it superfluous? Hold that
# thought.

# %% [markdown] name="table-text"
# ## Change one thing, and train again
#
# Cutting a part out shows what this model leans on, not what a model *needs*: trained without the part, it might have
# found another way. So the paper's table 3 trains anew with one thing changed, an **ablation**. Its base model has 25.8
# BLEU; with one head instead of eight, for the same operations, 24.9 (row A); with learned positions 25.7 (row E). One
# training for each number.
#
# Ours is smaller, but has five trainings a row: one head or twelve; learned positions, a vector for each of the 41
# places; and three changes that the paper's table lacks: no $1/\sqrt{d_k}$; no warm-up, so that the rate is at its peak
# from the first step to step 200, and falls from there as ever; and pre-LN. Every variant starts from the same random
# numbers and sees the same 600 batches of 32 dates, less than the model above had. So the table asks who is *ahead
# early*. Which of the six will hurt most? Decide before you read on.

# %% name="interval-tool" tags=["tools"] include="groundup.proof.measure:interval"
# `interval` gives the 95 % interval of a mean, from a few values.
from groundup.proof.measure import interval

# %% name="table" tags=["tools"]
# Test dates without a mistake, over five trainings; and the difference from the model as it is.
seeds = measured("p13_attention_is_all_you_need", "seeds/*, right")
shares = {name.removeprefix("seeds/").removesuffix(", right"): 100 * np.array(kept) for name, kept in seeds.items()}
print(f"{'% of dates right':20}{'median':>8}   lowest, highest   difference, 95 % interval")
for name, share in shares.items():
    text = f"{name:20}{np.median(share):8.1f}{share.min():9.1f}, {share.max():5.1f}"
    if name != "as it is":
        low, high = interval(share - shares["as it is"])
        verdict = "more" if low > 0 else "fewer" if high < 0 else "cannot tell"
        text += f"   {low:+12.1f} to {high:+5.1f}  {verdict}"
    print(text)

# %% [markdown] name="table-words"
# **The scale** is missed after all. Without it, in all three attentions, the five trainings have got 1 to 23 % of the
# dates right by step 600, and with it 59 to 80 %. The trained cross-attention could do without; a model in training
# falls far behind. (The paper suspects that softmax then begins where it has hardly any gradient.) **Warm-up**, too:
# without it 14 to 48 %.
#
# **Learned positions** are ahead by 14 to 31 points (the 95 % interval); in the paper's row (E) the two end up level,
# but ours says who is ahead early. And **heads** and **pre-LN**? The intervals reach to both sides of zero: cannot
# tell. Look at one head: 45 % in one training and 75 % in another. With a single training a row, like the paper's, you
# would have believed either. What does that make of a difference of 0.1 BLEU?

# %% [markdown] name="rival-text"
# ## The rival that had attention
#
# Now for the title. A fair test needs a network that has attention *and* the thing that the title leaves out,
# recurrence. An **LSTM** is a recurrent network: at each place it makes a new state from the character there and the
# state before, with gates that let it keep things for long.
#
# One LSTM reads forwards, another backwards. At place $j$ their two states side by side are the memory $m_j$. A third
# LSTM writes; let $r$ be its state. Before each character it asks all $m_j$, and the mean $c$ that it gets goes into
# its next state, with the last character:
#
# $$e_j = v^\top \tanh(W r + U m_j), \qquad \alpha = \operatorname{softmax}(e), \qquad c = \sum_j \alpha_j\, m_j
# \tag{13}$$
#
# This is Bahdanau's **additive attention** of 2014: in (1) query and key are multiplied, here they are added and pass
# through a small network.
#
# ![Two chains of LSTM states read the text, one from the left and one from the right, and are the memory. A third chain writes: before each step its last state asks, and a weighted mean c of the memory goes into the next.](diagram:rival)

# %% [markdown] name="rival-backwards" tags=["second"]
# ### Additive attention, on paper and in code
#
# With one number each: $Wr = 0$, the keys $U m_j$ are $0$ and $\tfrac12 \ln 3$, $v = 2 \ln 3$, and $m = (0, 4)$. As
# $\tanh x = (e^{2x} - 1)/(e^{2x} + 1)$, the second is $\frac{3 - 1}{3 + 1} = \frac12$. So $e = (0, \ln 3)$, the weights
# are $\frac14$ and $\frac34$, and $c = 3$. Backwards, with $dc = 1$: each weight gets $d\alpha_j = m_j$. By (2), with
# $\alpha$ for its $p$, $m$ for its $v$ and $c$ for its $y$, the scores get $de = \big(\frac14 (0 - 3), \frac34 (4 -
# 3)\big) = (-\frac34, \frac34)$. On through $v$ and $\tanh' = 1 - \tanh^2$: the keys get $-\frac34 \cdot 2 \ln 3 =
# -1.648$ and $\frac34 \cdot 2 \ln 3 \cdot \frac34 = 1.236$. And $Wr$ was added to both, so it gets their sum, $-0.412$.

# %% name="rival-code" show="additive_attention" beside="additive_attention" include="groundup.lessons.p13_attention_is_all_you_need.bahdanau:additive_attention"
from groundup.lessons.p13_attention_is_all_you_need.bahdanau import additive_attention

# %% name="rival-by-hand"
half = math.log(3) / 2
two_keys, two_memories = np.array([[[0.0], [half]]]), np.array([[[0.0], [4.0]]])
asked_with, both = np.zeros((1, 1)), np.ones((1, 2), bool)
(context, weights), pull_back = additive_attention(asked_with, two_keys, two_memories, np.array([[4 * half]]), both)
d_asked, d_keys, _, _ = pull_back(np.ones((1, 1)))
assert np.allclose([*weights[0], context.item()], [1 / 4, 3 / 4, 3])
assert np.allclose([*d_keys.ravel(), d_asked.item()], [-1.648, 1.236, -0.412], atol=5e-4)

# %% [markdown] name="race-text"
# ### The race
#
# The rival has 50,022 parameters, as many as the Transformer's 49,824 to within half a percent, and the same number of
# batches, the same loss, and the same average of five checkpoints. Its learning rate was tried on validation dates; the
# Transformer's is (11). A third runs along: an LSTM *without* attention, whose decoder gets the encoder's last state
# and what it has written itself, and nothing else. It has 65,374 numbers. Who learns to read dates first? (Curves:
# single checkpoints. Numbers: the averages.)

# %% name="race" tags=["tools"] alt="Share of 200 held-out dates that are right against the step, for the Transformer, the LSTM with attention and the LSTM without: the LSTM with attention rises first and stays at the top, the Transformer follows, the LSTM without attention is last."
# The three in training, and what they get right in the end.
trained = measured("p13_attention_is_all_you_need", "curves/*", "seeds/transformer", "seeds/lstm*")
called = {"transformer": "Transformer", "lstm_attention": "LSTM with attention", "lstm": "LSTM without attention"}
fig, axes = figure(6.8, 2.6)
for position, (name, label) in enumerate(called.items()):
    line = trained[f"curves/{name}"]
    axes.plot(line["step"], line["exact match"], label=label, **line_style(position, 100))
describe(axes, "step", "share right", "200 held-out dates")
for name, label in called.items():
    five = 100 * np.array(trained[f"seeds/{name}"])
    print(f"{label:24} {np.median(five):6.2f} % of 2,000 test dates; five trainings: {five.round(2)}")

# %% [markdown] name="race-words"
# The older network is ahead from the start. In the picture it reads 98 % of the watched dates after 325 steps, and the
# Transformer 43 %. In the end it makes no mistake on the 2,000 test dates, in any of the five trainings, and the
# Transformer makes between 1 and 14. That is close: in one training the dates that only one of the two gets right are
# 14 to none, which tossing a coin hardly ever gives ($p = 0.0001$); in the other four nobody can tell. The LSTM without
# attention is 2.6 to 6.5 points behind the one with it, in every training, though it has more parameters.
#
# So, is attention all you need? For these dates it helps: look at the two LSTMs. But the recurrence does no harm here;
# if anything, it helps. And the trained Transformer leans on more than attention: cut its positions or its feed-forward
# networks, and hardly a date is right. The title means: *you can leave out the recurrence*. It does not mean that
# leaving it out reads better.
#
# Why did everyone leave it out, then? Count what has to wait. For `3rd of March 1999` the LSTM goes through 17 states
# to read and 11 to write, one after another; the Transformer in training goes through two layers, for a date as for a
# novel. In table 2 it needs a seventh of the operations of Google's LSTM with attention ($23/3.3 \approx 7$), at 2.7
# BLEU more. What one saves buys a larger model and more text.

# %% [markdown] name="cost-text" tags=["second"]
# ## What attention costs
#
# For a sequence of length $n$ and width $d$, self-attention needs of the order of $n^2 d$ operations, and memory
# for $n^2$ weights a head. A recurrent layer needs $n d^2$ operations and memory of order $n d$, but its $n$
# steps have to wait for one another (Table 1 of the paper). Set the two equal, $n^2 d = n d^2$: by counting,
# attention is cheaper up to $n = d$, and recurrence from there on. Is it? Here $d = 64$, one sequence, four heads,
# forward
# and backward, in NumPy. The two are timed in turns, and the least of seven times counts: other work on the machine can
# only make a call slower.

# %% name="cost-code" tags=["tools"] include="groundup.lessons.p13_attention_is_all_you_need.costs:attention_step groundup.lessons.p13_attention_is_all_you_need.costs:lstm_step_of groundup.proof.instruments:side_by_side groundup.proof.instruments:growth groundup.lessons.p13_attention_is_all_you_need.figures:cost_figure"
# One step of either layer, the two timed in turns, and the picture.
from groundup.lessons.p13_attention_is_all_you_need.costs import attention_step, lstm_step_of
from groundup.lessons.p13_attention_is_all_you_need.figures import cost_figure
from groundup.proof.instruments import growth, side_by_side

# %% name="cost-picture" alt="Time and peak memory of a self-attention layer and an LSTM layer against length, both axes logarithmic; attention's lines are steeper."
kept = measured("p13_attention_is_all_you_need", "arrays/lengths", "arrays/cost")
lengths, cost = kept["arrays/lengths"], kept["arrays/cost"]  # memory is kept; time is taken here and now
cost_rng, least = np.random.default_rng(0), []
for n in lengths:
    layers = [attention_step(cost_rng, n, 64, 4), lstm_step_of(cost_rng, n, 64)]
    least.append(side_by_side(layers, 8)[:, 1:].min(axis=1))  # the first call only warms up
cost["attention"]["seconds"], cost["lstm"]["seconds"] = np.transpose(least)
slopes = {name: {what: growth(lengths[-3:], row[what][-3:]) for what in row} for name, row in cost.items()}
fig = cost_figure(lengths, cost, slopes)
for n, (attention_time, lstm_time) in zip(lengths, least, strict=True):
    faster = "attention" if attention_time < lstm_time else "the LSTM"
    print(f"n = {n:4}: attention takes {attention_time / lstm_time:.2f} of the LSTM's time; {faster} is faster")

# %% [markdown] name="cost-words"
# By counting, the two should be level at $n = 64$. Are they, in the list above? In our five runs on a machine with two
# cores, which had other work, too, they came close at 1,024, at sixteen times the width: there attention took 0.79 to
# 1.09 of the LSTM's time. But counting operations leaves out how fast they run: attention does its work in a few large
# products, the LSTM in $n$ small ones, each called by Python in turn. We think that this is the reason; we have not
# separated the two.

# %% name="bill" tags=["tools"]
# What our training cost: 6 operations (2 forward, 4 backward) for each parameter and each token that meets it. The
# encoder's parameters meet the characters read, the decoder's and the table's the 11 that are written.
tokens_read = test_data.lengths.mean()
encoder_cost = 6 * count(params["encoder"]) * tokens_read
decoder_cost = 6 * (count(params["decoder"]) + count(params["embedding"])) * 11
ours = (encoder_cost + decoder_cost) * step * BATCH
print(f"ours: about {ours:.1e} operations; the paper's base model: 3.3e18, {3.3e18 / ours:.0e} times as many")

# %% [markdown] name="findings" tags=["findings"]
# ## Measured
#
# The findings of this lesson, measured at full size over several seeds, stand here in the built notebook. To measure
# them yourself: `groundup run 13`; to convert a date of your own, `groundup sample 13 --checkpoint FILE --prompt "3rd
# of March 1999"`.

# %% [markdown] name="findings-words"
# The paper's base model beat an LSTM with attention by 2.7 BLEU; ours does not beat its own. **The bottleneck** of one
# vector does not show where one would look for it: in the first training the LSTM without attention gets 105 of the
# 2,000 dates wrong, and only one of these is among the 92 longest texts. **The head of the year** gives the four digits
# between 87 % and nearly all of its attention; untrained, the best head gives them at most 37 %.
#
# The paper had 4.5 million pairs of sentences; we have 27 forms and one right answer to each. So this toy can show how
# the parts work together. It cannot show what happens when model and text are made a thousand times larger, and it is
# there that the Transformer has won.

# %% [markdown] name="believed"
# **Four things that people believe.** *"The Transformer invented attention."* Bahdanau did, three years before; new was
# to use nothing else between places. *"It works in parallel."* It is trained in parallel, thanks to teacher forcing. It
# writes one character after the other, like any LSTM. *"The attention map shows why."* It shows where a layer looks;
# compare the maps with what silencing did. *"Attention does everything."* It carries contents; in the paper the
# feed-forward networks have twice its weights.

# %% [markdown] name="take-away"
# ## What to take away
#
# - One mechanism, three uses. They differ in who asks, who answers, and what the mask forbids.
# - Attention was there before, with recurrent networks. What the paper removed is the waiting: with teacher forcing all
#   places are trained at once.
# - Gradients of whatever is used more than once add up: the residual path, the memory, self-attention's input, the
#   shared table.
# - Label smoothing moves the floor of the loss. Averaging the last checkpoints costs nothing, and here it helped.
# - Without the $1/\sqrt{d_k}$, or without warm-up, our trainings fall far behind.
#
# **Asked in interviews**
#
# - *What was new in "Attention is all you need"?* Not attention, which came with recurrent networks in 2014. New was a
#   model without
#   recurrence and convolution, so that training is parallel over the places of a text.
# - *How does Bahdanau's attention differ from the Transformer's?* It adds query and key and sends the sum through a
#   small network; the Transformer
#   multiplies them. The weights are a softmax in both.
# - *Why divide by $\sqrt{d_k}$?* The product of two random vectors with $d_k$ entries of variance 1 has variance $d_k$.
#   Without the division softmax
#   begins near 0 and 1, where its gradient (2) is almost 0.
# - *Is the paper post-LN or pre-LN?* Post-LN, equation (5). Pre-LN is the usual choice since, because deep stacks then
#   train more easily.
# - *Why is the mask applied before the softmax?* Weights set to 0 after it no longer add up to 1, and the future is
#   still in the denominator.
# - *What is teacher forcing, and what is its weakness?* The decoder is given the right beginning in training. In use it
#   reads its own mistakes, which it has never
#   seen.
# - *Where do queries, keys and values of the cross-attention come from?* Queries from the decoder, keys and values from
#   the encoder's memory.
# - *Why several heads?* One softmax gives one average a place. Several, on thin slices, look at several things for the
#   same number of multiplications.
#
# **Mistakes to look for** in your own code: masking padded queries instead of padded keys; the target not shifted by
# one place; $\sqrt d$ forgotten at the embedding; scores divided by $\sqrt d$ where it should be $\sqrt{d_k}$;
# averaging the loss over padding.
#
# **Try**: replace `causal_mask(...)` in `decode` by all True, train, and compare loss and exact match.
#
# **Where it leads**: keep the decoder alone, without cross-attention, and stack it, and you have GPT; keep the encoder
# alone, and you have BERT.

# %% [markdown] name="torch" tags=["torch"]
# ## In PyTorch
#
# `F.scaled_dot_product_attention` holds equation (1), autograd the derivatives. Names and shapes of the
# parameters are those of the tree above; the tests compare outputs, gradients and twenty steps of training, to
# 1e-8. One table, used three times, is one `Parameter`: the three terms of (8) add up in its `.grad` by
# themselves. There is also a ready `nn.Transformer`; it has biases in its projections, no embedding, no positions
# and no readout, and its Boolean masks are the other way round: True *forbids*.

# %% name="twin" tags=["torch"] show="Attention EncoderLayer" include="groundup.lessons.p13_attention_is_all_you_need.twin:EncoderLayer"
from groundup.lessons.p13_attention_is_all_you_need.twin import EncoderLayer

# %% name="twin-rest" tags=["torch", "tools"] include="groundup.lessons.p13_attention_is_all_you_need.twin:Transformer groundup.lessons.p13_attention_is_all_you_need.twin:smoothed_loss groundup.lessons.p13_attention_is_all_you_need.twin:greedy"
# The decoder's layer and the whole model in the same manner, the loss, and greedy decoding.
from groundup.lessons.p13_attention_is_all_you_need.twin import Transformer, greedy, smoothed_loss

# %% [markdown] name="twin-train-words" tags=["torch"]
# The same training as in NumPy: the same batches, optimiser, schedule (11) and checkpoints. The start is another draw
# from the same distribution, and for that two lines are needed: left alone, `nn.Linear` begins with the projections of
# attention at $1/\sqrt3$ of the size that `init` gives them. `LambdaLR` multiplies the optimiser's `lr`, so that is 1,
# and counts from 0, so (11) needs a
# `step + 1`. `AveragedModel` is the paper's last trick. What does the framework hide? That `model.eval()` must
# switch dropout off before you write, and that `ignore_index` in the loss is all that keeps the padding from
# counting.

# %% name="twin-train" tags=["torch"]
import torch

torch.manual_seed(1)
ENDS = (1300, 1350, 1400, 1450, 1500)
model = Transformer(len(CHARACTERS), width=48, hidden=96, layers=1, heads=4, dropout=0.0)
for name, weight in model.named_parameters():
    if "attention" in name and weight.ndim == 2:  # the projections, as `init` draws them
        torch.nn.init.normal_(weight, std=48**-0.5)
average = torch.optim.swa_utils.AveragedModel(model)
optimizer = torch.optim.Adam(model.parameters(), lr=1.0, betas=(0.9, 0.98), eps=1e-9)
scheduler = torch.optim.lr_scheduler.LambdaLR(
    optimizer,
    lambda step: 48**-0.5 * min((step + 1) ** -0.5, (step + 1) * 200**-1.5),  # (11)
)
history = []
for stretch, end in enumerate(ENDS, start=1):
    draws = random_stream(0, "training", f"transformer_{stretch}")
    while len(history) < end:
        examples = like_length_batch(draws, training_data, 64)
        source, given, wanted = (torch.from_numpy(examples[name]) for name in ("source", "given", "wanted"))
        loss = smoothed_loss(model(source, given), wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        history.append(loss.item())
    average.update_parameters(model)  # the mean of all models that it has seen

# %% name="twin-curve-tool" tags=["torch", "tools"] include="groundup.plots:figure groundup.plots:curves"
# Figures in one style.
from groundup.plots import curves, figure

# %% name="twin-curve" tags=["torch"] alt="Training loss of the PyTorch twin, averaged over 50 steps, against the step."
fig, axes = figure(6.8, 2.6)
means = np.reshape(history, (-1, 50)).mean(axis=1)
curves(axes, range(50, 1501, 50), {"training": means}, "step", "smoothed loss (nats)", "The twin in training")

# %% name="twin-test" tags=["torch"]
for name, trained in {"last checkpoint": model, "average of five": average.module}.items():
    right = exact(test_data, lambda source, trained=trained: greedy(trained, torch.from_numpy(source), 11).numpy())
    print(f"{name}: {right.mean():.4f} of {len(right)} held-out dates without a mistake")
for prompt in ("3rd of March 1999", "12/11/2010"):
    asked = torch.from_numpy(encode_source([prompt]))
    print(f"{prompt!r:22} -> {decode_date(greedy(average.module, asked, 11)[0].numpy())}")
