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
# A network reads a text one character at a time and guesses the next one. That is all it is trained for. To
# guess well it has to pick up spelling, line breaks, indentation and which bracket is still open; nobody tells
# it that such things exist.
#
# You will build the network, derive how gradients travel back through time, train it on real text, and then
# measure three things: how many bits it needs for a character it has not seen, what temperature does to its
# writing, and whether single cells keep track of something that you can name.

# %% [markdown] name="intuition"
# ## A guess, and how good it is
#
# After the letters `the quick brow` you would bet on `n`. A model of language puts a probability on every
# character that could come next. If it gave the character that did come the probability $p$, it needed
# $-\log_2 p$ **bits** for it: 0 bits if it was certain, 1 bit for a fair coin, $\log_2 V$ bits if all $V$ characters
# seemed equally likely. The average over a text that the model has never seen is its score. It is also the size,
# in bits per character, to which the model could compress that text.

# %% [markdown] name="people" margin="yes"
# And people? Shannon let them guess English letter by letter, and put what they need between 0.6 and 1.3 bits a letter
# ([1951](https://doi.org/10.1002/j.1538-7305.1951.tb01366.x)).

# %% [markdown] name="memory"
# To guess, the model needs memory. A recurrent network keeps a vector $h$, its **hidden state**, and rewrites it
# at each character:
#
# $$h_t = \tanh(W_{ih}\,x_t + b_{ih} + W_{hh}\,h_{t-1} + b_{hh}) \tag{1}$$
#
# $$z_t = W_{o}\,h_t + b_{o}, \qquad p_t = \operatorname{softmax}(z_t) \tag{2}$$
#
# ![Four steps of the network: each reads a letter, makes its hidden state from it and from the state before, and bets on the next letter; gradients run back from every bet and from step to step.](diagram:unrolled)
#
# The same weights serve at every step. That is why one small network can read a text of any length, and also
# why its gradient is a sum over all steps.

# %% name="imports" tags=["shared"]
import math

import numpy as np

# %% [markdown] name="by-hand"
# ## By hand: two steps, one number
#
# Let everything be a single number. The inputs are $x_1 = 1$ and $x_2 = 0.5$, the weights $w = 0.5$ (input) and
# $u = 0.8$ (recurrent), there are no biases, $h_0 = 0$, and the loss is $L = \tfrac12 (h_2 - 1)^2$.
#
# Forward: $h_1 = \tanh(w x_1)$ and $h_2 = \tanh(w x_2 + u h_1)$.
#
# Backward, with $a_t$ for what stands inside the tanh, and $\tanh' = 1 - \tanh^2$:
#
# $$\frac{\partial L}{\partial a_2} = (h_2 - 1)(1 - h_2^2), \qquad
#   \frac{\partial L}{\partial a_1} = \frac{\partial L}{\partial a_2}\, u\,(1 - h_1^2) \tag{3}$$
#
# The weight $w$ was used twice, so its gradient has two terms, one a step:
# $\partial L/\partial w = \frac{\partial L}{\partial a_2} x_2 + \frac{\partial L}{\partial a_1} x_1$. The recurrent
# weight met $h_1$ and $h_0$: $\partial L/\partial u = \frac{\partial L}{\partial a_2} h_1 + \frac{\partial L}{\partial a_1} h_0$.
# Follow the numbers, then let the machine check them by nudging each weight.

# %% name="by-hand-numbers"
x1, x2, w, u = 1.0, 0.5, 0.5, 0.8


def two_steps(w: float, u: float) -> tuple[float, float, float]:
    h1 = math.tanh(w * x1)  # (1)
    h2 = math.tanh(w * x2 + u * h1)  # (1)
    return h1, h2, 0.5 * (h2 - 1) ** 2


h1, h2, loss = two_steps(w, u)
da2 = (h2 - 1) * (1 - h2**2)  # (3)
da1 = da2 * u * (1 - h1**2)  # (3)
dw = da2 * x2 + da1 * x1
du = da2 * h1
print(f"h1 = {h1:.4f}, h2 = {h2:.4f}, loss = {loss:.4f}")
print(f"by hand:   dL/dw = {dw:.6f}, dL/du = {du:.6f}")

step = 1e-6
print(
    f"by nudges: dL/dw = {(two_steps(w + step, u)[2] - two_steps(w - step, u)[2]) / (2 * step):.6f},"
    f" dL/du = {(two_steps(w, u + step)[2] - two_steps(w, u - step)[2]) / (2 * step):.6f}"
)

# %% [markdown] name="step"
# ## One step, with vectors
#
# The same with a batch of $B$ readers at once: `x` is $(B, \text{in})$, `hidden` is $(B, H)$. Every function in
# these lessons returns its value and a closure `backward`, which takes the gradient of the loss with respect to
# the value and returns the gradients of the arguments. Equation (3) stands in it, once for all weights: the
# gradient of a matrix product is a matrix product.

# %% name="rnn-step" show="_linear_gradients rnn_step" include="groundup.ops.recurrent:rnn_step"
from groundup.ops.recurrent import rnn_step

# %% [markdown] name="bptt"
# ## Back-propagation through time
#
# A sequence is the step again and again. Going back, the gradient that reaches $h_t$ is what the readout asks for
# at $t$ plus what the next step passes down:
#
# $$\delta_t = \frac{\partial L}{\partial h_t} + W_{hh}^\top\big(\delta_{t+1} \odot (1 - h_{t+1}^2)\big) \tag{4}$$
#
# and the weight gradients are sums over the steps,
# $\partial L/\partial W_{hh} = \sum_t \big(\delta_t \odot (1 - h_t^2)\big)\,h_{t-1}^\top$. Only (4) has to go step by step;
# the sums are one large matrix product at the end. A book has a million steps. So we cut it into segments of
# $T$ characters: the hidden state is carried from segment to segment, the gradient is not. This is *truncated*
# back-propagation through time.
#
# ![Two segments of four steps: the hidden state is carried over the cut between them, the gradient stops there.](diagram:truncated)

# %% name="rnn" beside="rnn" include="groundup.ops.recurrent:rnn"
from groundup.ops.recurrent import rnn

# %% [markdown] name="model"
# ## The model
#
# Characters come in as integers, an embedding gives each its vector, the RNN reads, a linear layer gives the
# logits of equation (2), and cross-entropy scores them. Read `backward` from top to bottom: it calls the closures
# in the reverse order of the lines above it. That is the chain rule.

# %% name="char-rnn" show="char_rnn log_softmax next_character_loss" include="groundup.lessons.p02_char_rnn.model:init groundup.lessons.p02_char_rnn.model:char_rnn groundup.lessons.p02_char_rnn.model:next_character_loss"
from groundup.lessons.p02_char_rnn.model import char_rnn, init, next_character_loss

# %% [markdown] name="check"
# ### Is the gradient right?
#
# Never believe a derivative. In float64, draw a random direction in the space of all parameters and compare the
# slope along it, measured by two forward passes, with the slope that the gradient predicts. A dropped bias or a
# step too few in equation (4) shows at once: try it, edit `rnn` above and run this again.

# %% name="gradient-check" tags=["tools"] include="groundup.proof.slopes:compare_slopes groundup.proof.slopes:show_slopes groundup.training.params:map_tree"
# `show_slopes` measures slopes in random directions and compares them with the gradient.
from groundup.training.params import map_tree
from groundup.proof.slopes import compare_slopes, show_slopes

# %% name="gradient-check-run"
rng = np.random.default_rng(0)
small = init(rng, vocabulary=7, width=3, hidden=5, dtype=np.float64)
tokens = rng.integers(7, size=(2, 6))
state = rng.normal(size=(2, 5)) * 0.5


def small_loss(params):
    (logits, last), backward = char_rnn(params, tokens[:, :-1], state)
    loss, loss_backward = next_character_loss(logits, tokens[:, 1:])
    return loss, backward(loss_backward(), np.zeros_like(last))


assert show_slopes(small_loss, small, rng) < 1e-5

# %% [markdown] name="data" tags=["shared"]
# ## Text
#
# The text is Python's own help, some 300,000 characters of prose and code that ship with this lesson. It is cut
# into three contiguous parts: to train on, to watch while training, and to measure once at the end. No part
# repeats another. Put your own text in its place: any UTF-8 string will do. Characters that training does not know
# become index 0.

# %% name="text" tags=["shared", "tools"] include="groundup.data.text:default_text groundup.data.text:split_text groundup.data.text:build_vocabulary groundup.data.text:encode groundup.data.text:decode"
# The text, cut into training and held-out parts, and its characters as numbers.
from groundup.data.text import build_vocabulary, decode, default_text, encode, split_text

# %% name="text-parts" tags=["shared"]
text = default_text()
train_text, validation_text, test_text = split_text(text, validation=0.05, test=0.05)
vocabulary = build_vocabulary(train_text)
train, validation, test = (encode(part, vocabulary) for part in (train_text, validation_text, test_text))
print(f"{len(train):,} characters to train on, {len(test):,} to test; {len(vocabulary)} different ones")
print(train_text[:400])

# %% [markdown] name="baseline"
# ## What must be beaten
#
# Counting is a serious rival. A **trigram** model looks up how often each character followed the last two. Where
# it has no count, it falls back on shorter contexts, with weights fitted on the validation part. If our network
# cannot beat this table, it has not learned to remember anything.

# %% name="ngrams" tags=["tools"] include="groundup.data.baselines:ngram_bits"
# `ngram_bits`: the bits per character of models that count what follows each n characters.
from groundup.data.baselines import ngram_bits

# %% name="ngram-bits" predict="Of the bits that an even guess costs, how many does knowing the last two characters save?"
ngrams = {order: ngram_bits(train, validation, test, len(vocabulary), order) for order in (1, 2, 3)}
for order, bits in ngrams.items():
    print(f"{order}-gram: {bits:.3f} bits per character; guessing evenly would need {math.log2(len(vocabulary)):.3f}")

# %% [markdown] name="training"
# ## Training
#
# Thirty-two readers start at different places of the text and move on by 64 characters a step. The hidden state
# that they end with is where they begin the next step: memory is longer than the segment through which gradients
# flow. Gradients of recurrent networks sometimes explode, so the whole gradient is scaled down when its norm
# exceeds 0.25. Then Adam takes a step. The loop is all there is to it. (All that is random comes from streams that have
# a seed and a name: this training is the very one that the table below calls seed 0.)

# %% name="tools" tags=["tools"] include="groundup.lessons.p02_char_rnn.experiment:streams groundup.training.optim:adam groundup.training.optim:cosine groundup.training.optim:clip_by_global_norm groundup.training.streams:random_stream groundup.plots:figure groundup.plots:curves"
# Streams of characters, Adam with a schedule and clipping, random numbers by name, and drawing.
from groundup.lessons.p02_char_rnn.experiment import streams
from groundup.training.optim import adam, clip_by_global_norm, cosine
from groundup.training.streams import random_stream
from groundup.plots import curves, figure

# %% name="train-start"
STEPS, READERS, SEGMENT, HIDDEN = 1200, 32, 64, 256
params = init(random_stream(0, "parameters"), len(vocabulary), 64, HIDDEN)
untrained = map_tree(np.copy, params)
optimiser, rate = adam(), cosine(4e-3, STEPS, warmup=20)
optimiser_state = optimiser.init(params)
hidden = np.zeros((READERS, HIDDEN), np.float32)
history = {"step": [], "training": [], "held out": []}


def bits_per_character(params, tokens):
    length = (len(tokens) - 1) // 16
    windows = tokens[np.arange(16)[:, None] * length + np.arange(length + 1)]  # sixteen readers, a stretch for each
    (logits, _), _ = char_rnn(params, windows[:, :-1], np.zeros((16, HIDDEN), np.float32))
    return float(next_character_loss(logits, windows[:, 1:])[0]) / math.log(2)


# %% name="train"
recent = []
for step in range(1, STEPS + 1):
    batch, restart = streams(train, READERS, SEGMENT, step - 1)
    if restart:
        hidden = np.zeros_like(hidden)
    (logits, hidden), backward = char_rnn(params, batch["tokens"], hidden)
    loss, loss_backward = next_character_loss(logits, batch["targets"])
    gradients = backward(loss_backward(), np.zeros_like(hidden))  # nothing comes back from the next segment
    gradients, norm = clip_by_global_norm(gradients, 0.25)
    optimiser.update(params, gradients, optimiser_state, rate(step - 1))
    recent.append(float(loss) / math.log(2))
    if step % 100 == 0:
        history["step"].append(step)
        history["training"].append(np.mean(recent))
        history["held out"].append(bits_per_character(params, validation))
        recent.clear()
        print(f"step {step}: {history['training'][-1]:.3f} bits in training, {history['held out'][-1]:.3f} held out")

# %% name="learning-curve" measures="bits=result" alt="Bits per character of training and held-out text against the step, with lines for the n-gram models."
fig, axes = figure(6.8, 3.6)
curves(
    axes,
    history["step"],
    {"training": history["training"], "held out": history["held out"]},
    "step",
    "bits per character",
    "Learning to write",
)
for order, bits in ngrams.items():
    axes.axhline(bits, color="#8b939e", linewidth=1, linestyle=":")
    axes.annotate(f"{order}-gram", (1, bits), xycoords=("axes fraction", "data"), ha="right", va="bottom")
result = bits_per_character(params, test)
print(
    f"test: {result:.3f} bits per character, the trigram model {ngrams[3]:.3f}: {'beaten' if result < ngrams[3] else 'not beaten'}"
)

# %% [markdown] name="sampling"
# ## Writing
#
# Draw a character from the probabilities, feed it back in, and so on. The **temperature** $\tau$ divides the logits
# before the softmax: $p = \operatorname{softmax}(z/\tau)$. Below 1 the likely becomes likelier; as $\tau \to 0$ only the
# likeliest is left; above 1 the model takes more risks. (Adding Gumbel noise and taking the largest is the same as
# drawing from the softmax.)

# %% name="generate" include="groundup.lessons.p02_char_rnn.model:generate"
from groundup.lessons.p02_char_rnn.model import generate

# %% name="samples"
for temperature in (0.5, 0.8, 1.2):
    written = generate(params, encode("\n", vocabulary), 240, temperature, np.random.default_rng(2))
    print(f"--- temperature {temperature}\n{decode(written, vocabulary)}\n")

# %% name="frames-tool" tags=["tools"] include="groundup.plots:frames groundup.plots:describe groundup.plots:printable"
# A figure with a slider: one picture for each value of a number.
from groundup.plots import describe, frames, printable

# %% name="temperature-frames" alt="The probabilities of the twelve likeliest characters after a prompt, with a sample of the writing, from low temperature, where one character takes all, to high, where all become alike."
prompt = encode("    def ", vocabulary)
(prompt_logits, _), _ = char_rnn(params, prompt[None], np.zeros((1, HIDDEN), np.float32))
next_logits = prompt_logits[0, -1]
likeliest = np.argsort(-next_logits, kind="stable")[:12]


def at_temperature(axes, temperature):
    powers = np.exp((next_logits - next_logits.max()) / temperature)
    shares = powers / powers.sum()
    written = decode(generate(params, prompt, 180, temperature, np.random.default_rng(2)), vocabulary)
    lines = [line[start : start + 38] for line in written.split("\n") for start in range(0, max(len(line), 1), 38)]
    axes.bar(np.arange(12), shares[likeliest], color="#135bae")
    axes.set_xticks(range(12), [printable(decode(likeliest[place : place + 1], vocabulary)) for place in range(12)])
    sample = "\n".join(lines[:8]).replace("$", r"\$")
    axes.text(0.98, 0.97, sample, transform=axes.transAxes, ha="right", va="top", ma="left", family="monospace")
    axes.set_ylim(0, 1)
    describe(axes, "next character after “def ”", "probability", f"Temperature {temperature}")


fig = frames("temperature", [0.1, 0.3, 0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0, 4.0], at_temperature, shown=(1, 9), start=5)

# %% [markdown] name="cells"
# ## Cells that track something
#
# Karpathy found single cells that switch on inside quotes, or count along a line. A picture of one cell proves
# little: with many cells some will look right by luck. So let correlation choose. For each feature take the cell
# with the largest $|r|$ on the first half of the test text, then measure $|r|$ again on the second half, and do the
# same for the network before training: even random recurrent weights remember a little. Only what rises well above
# the untrained column was learned; expect that of some features and not of others.

# %% name="tracking" tags=["tools"] include="groundup.lessons.p02_char_rnn.experiment:hidden_states groundup.lessons.p02_char_rnn.experiment:tracking"
# `tracking` finds the cell that follows a feature of the text best.
from groundup.lessons.p02_char_rnn.experiment import hidden_states, tracking

# %% name="tracking-table" measures="quotes=after['inside quotes'][1]"
before = tracking(hidden_states(untrained, test), test_text)
states = hidden_states(params, test)
after = tracking(states, test_text)
print(f"{'feature':22}{'untrained':>12}{'trained':>10}   cell")
for feature, (cell, r) in after.items():
    print(f"{feature:22}{before[feature][1]:12.2f}{r:10.2f}   {cell}")

# %% name="cells-figure" tags=["tools"] include="groundup.plots:heatmap groundup.plots:printable"
# Heat maps.
from groundup.plots import heatmap, printable

# %% name="cells-picture" alt="Activations of the best cell of each feature over 72 characters of held-out text, from orange (-1) over white (0) to blue (+1)."
start = len(test_text) // 2
shown = test_text[start : start + 72]
fig, axes = figure(11, 0.42 * len(after) + 1.1)
rows = np.stack([states[start : start + 72, cell] for cell, _ in after.values()])
heatmap(
    axes,
    rows,
    list(after),
    None,
    "The best cell of each feature, over text that did not choose it",
    low=-1,
    high=1,
    bar="activation",
)
ticks = axes.set_xticks(range(72), [printable(character) for character in shown], fontsize=9)

# %% [markdown] name="findings" tags=["findings"]
# ## Measured
#
# The findings of this lesson, measured at full size over several seeds, stand here in the built notebook. To measure
# them yourself: `groundup run 02`.

# %% [markdown] name="take-away"
# ## What to take away
#
# - A recurrent network is one step with shared weights; its gradient is a sum over steps, and equation (4) carries
#   it back.
# - Truncation limits how far gradients travel, not how far the state remembers.
# - Compare with a baseline that counts, on text that was never trained on, in bits. A falling training loss alone
#   says nothing.
# - Look for meaning in cells with a statistic chosen on other data, beside the untrained network.
#
# **Try**: set `SEGMENT = 8` and look at the gap to the trigram; remove the clipping and print `norm`; train on a
# book of your own with `groundup run 02 --text book.txt`.
#
# **Where it leads**: to the LSTM, whose cell gives the gradient a path on which it does not fade.

# %% [markdown] name="torch" tags=["torch"]
# ## The same in PyTorch
#
# `nn.RNN` holds the time loop, autograd the derivative. The parameters have the names and shapes of the tree above,
# and the tests compare the two: outputs, every gradient, and twenty steps of training agree to 1e-8.

# %% name="twin" tags=["torch"] show="CharRNN next_character_loss generate" include="groundup.lessons.p02_char_rnn.twin:CharRNN groundup.lessons.p02_char_rnn.twin:next_character_loss groundup.lessons.p02_char_rnn.twin:generate groundup.lessons.p02_char_rnn.experiment:streams groundup.plots:figure groundup.plots:curves"
from groundup.lessons.p02_char_rnn.experiment import streams
from groundup.lessons.p02_char_rnn.twin import CharRNN, generate, next_character_loss
from groundup.plots import curves, figure

# %% name="twin-train" tags=["torch"]
import torch

torch.manual_seed(1)
model = CharRNN(len(vocabulary), 64, 192)
steps = 300
optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
hidden = torch.zeros(32, 192)
history = {"step": [], "training": []}
for step in range(1, steps + 1):
    batch, _ = streams(train, 32, 64, step - 1)
    tokens, targets = torch.from_numpy(batch["tokens"]), torch.from_numpy(batch["targets"])
    logits, hidden = model(tokens, hidden.detach())  # detach: the truncation of BPTT
    loss = next_character_loss(logits, targets)
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 0.25)
    optimizer.step()
    scheduler.step()
    if step % 25 == 0:
        history["step"].append(step)
        history["training"].append(loss.item() / math.log(2))

# %% name="twin-curve" tags=["torch"] alt="Bits per character of the PyTorch twin in training, falling with the step."
fig, axes = figure(6.8, 3.4)
curves(
    axes,
    history["step"],
    {"training": history["training"]},
    "step",
    "bits per character",
    "The twin learns as well",
)

# %% name="twin-sample" tags=["torch"]
prompt = torch.from_numpy(encode("\n", vocabulary))
print(decode(np.array(generate(model, prompt, 300, 0.8)), vocabulary))
