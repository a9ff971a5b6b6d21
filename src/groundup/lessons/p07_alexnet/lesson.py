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
#     title: "AlexNet: convolutional networks for pictures"
# ---

# %% [markdown] name="title"
# # AlexNet: convolutional networks for pictures
#
# *Alex Krizhevsky, Ilya Sutskever and Geoffrey Hinton, [ImageNet Classification with Deep Convolutional Neural
# Networks](https://papers.nips.cc/paper/4824), 2012*
#
# A network looks at a picture and says what is on it. In 2012 this one won the ImageNet contest by a wide margin.
# Its parts were not all new: convolution, pooling and momentum are older. What was new was how they were put
# together, and that it was trained on two graphics cards.
#
# You will build every part and its derivative, train a small version on handwritten digits, and measure what each
# of the paper's ideas does at this size. Not all of them help here, and the lesson says so where they do not.

# %% [markdown] name="intuition"
# ## Why not a plain network?
#
# A fully connected layer gives every pixel its own weight for every unit. It has to learn a stroke in the upper left
# and the same stroke in the lower right from separate examples. A **convolution** slides one small filter over the
# picture and asks the same question everywhere: "is there a stroke like this, here?" That has two effects:
#
# - few weights: a 5×5 filter has 25, whatever the size of the picture;
# - a picture that moves by a pixel gives answers that move by a pixel.
#
# A layer has many filters, so its answer is a stack of maps, one a filter. **Pooling** then keeps only the largest
# value in each neighbourhood: the map gets smaller, and small movements matter less. After two such blocks, fully
# connected layers decide.

# %% name="imports" tags=["shared"]
import math

import numpy as np

# %% [markdown] name="definition"
# ## Convolution by hand
#
# Take a picture $x$ of 3×3 pixels and a filter $w$ of 2×2. At row $p$ and column $q$ the answer is
#
# $$y_{pq} = b + \sum_{i}\sum_{j} x_{p+i,\,q+j}\; w_{ij} \tag{1}$$
#
# where $b$ is the filter's bias, here 0. With
#
# $$x = \begin{pmatrix}1&2&0\\0&1&3\\2&0&1\end{pmatrix},\qquad w = \begin{pmatrix}1&0\\-1&2\end{pmatrix}$$
#
# the first answer is $1\cdot 1 + 2\cdot 0 + 0\cdot(-1) + 1\cdot 2 = 3$. There are 2×2 places for the filter, so $y$
# is 2×2. (Mathematicians flip the filter first and call (1) a cross-correlation. Networks learn the filter, so it
# does not matter. An interviewer may ask.)
#
# ![The filter on two places of the picture: its four products with the pixels below it add up to one answer each.](diagram:window)
#
# With several input channels $c$ and several filters $o$, equation (1) gets one more sum and one more index. Written
# down as loops:

# %% name="loops" include="groundup.lessons.p07_alexnet.model:conv2d_loops"
from groundup.lessons.p07_alexnet.model import conv2d_loops

# %% name="by-hand"
picture = np.array([[1.0, 2, 0], [0, 1, 3], [2, 0, 1]])
kernel = np.array([[1.0, 0], [-1, 2]])
x, weight, bias = picture[None, :, :, None], kernel[None, None], np.zeros(1)  # (N, H, W, C), (O, C, kh, kw), (O,)
by_loops = conv2d_loops(x, weight, bias)[0, :, :, 0]
assert np.array_equal(by_loops, [[3, 7], [-2, 3]])
print(by_loops)

# %% [markdown] name="im2col-text"
# ## The same as one matrix product
#
# Seven loops in Python are slow. The trick is called **im2col**: copy the four pixels that the filter sees at each
# place into a row. The rows make a matrix $X_\text{col}$ (places × 4). The filter becomes a column $k$ of 4 numbers.
# Then all sums of (1) are one product:
#
# $$y = X_\text{col}\, k + b \tag{2}$$
#
# ![Every window of the picture becomes a row of four numbers; the matrix times the filter gives all four answers at once.](diagram:columns)
#
# Pixels are copied several times (the middle one four times here). That costs memory and buys a matrix product,
# which processors do extremely well. With $O$ filters, $K$ has a row a filter and $Y = X_\text{col} K^\top$.

# %% name="conv2d" beside="conv2d" include="groundup.ops.conv:conv2d groundup.ops.conv:im2col groundup.ops.conv:col2im"
from groundup.ops.conv import col2im, conv2d, im2col

# %% name="im2col-shown"
columns = im2col(x, 2)  # (1, 2, 2, 2, 2, 1): picture, two axes of places, two axes of the window, channel
matrix = columns.reshape(4, 4)
print("im2col, a row a place:\n", matrix)
print("times", kernel.ravel(), "=", matrix @ kernel.ravel())  # (2)
assert np.array_equal(matrix @ kernel.ravel(), by_loops.ravel())

# %% [markdown] name="conv-backward"
# ### Backward
#
# Let $L$ be the loss, and $dY$ stand for $\partial L/\partial Y$: how the loss changes with each answer. From
# $Y_{ro} = \sum_m X_{rm} K_{om}$ (place $r$, filter $o$, position in the window $m$) the chain rule gives
#
# $$dK_{om} = \sum_r dY_{ro}\, X_{rm} \;\Rightarrow\; dK = dY^\top X_\text{col} \tag{3}$$
#
# $$dX_{rm} = \sum_o dY_{ro}\, K_{om} \;\Rightarrow\; dX_\text{col} = dY\, K, \qquad dx = \operatorname{col2im}(dX_\text{col}) \tag{4}$$
#
# A pixel was copied into several rows, so its gradient is the **sum** over its copies. That is all that col2im does:
# it adds every window back where im2col took it from. The bias was added at every place: $db_o = \sum_r dY_{ro}$.
#
# By hand, with $dY = (1, -1, 0, 2)$ for the four places. Equation (3): once the first row, minus the second, plus twice the
# fourth: $(1,2,0,1) - (2,0,1,3) + 2\,(1,3,0,1) = (1, 8, -1, 0)$. Equation (4): put $1\cdot w$ at the first place, $-1\cdot w$ at the
# second, $2\cdot w$ at the fourth, and add. The middle pixel gets $2 + 1 + 2 = 5$.

# %% name="conv-backward-numbers"
dy = np.array([1.0, -1, 0, 2])
dkernel = dy @ matrix  # (3)
dpicture = col2im((dy[:, None] * kernel.ravel()).reshape(columns.shape), (3, 3))[0, :, :, 0]  # (4)
assert np.array_equal(dkernel, [1, 8, -1, 0])
assert np.array_equal(dpicture, [[1, -1, 0], [-1, 5, -2], [0, -2, 4]])
_, conv_backward = conv2d(x, weight, bias)
dx, dweight, dbias = conv_backward(dy.reshape(1, 2, 2, 1))
assert np.allclose(dx[0, :, :, 0], dpicture)
assert np.allclose(dweight.ravel(), dkernel)
assert dbias == dy.sum()
print("gradient of the filter ", dkernel)
print("gradient of the picture\n", dpicture)

# %% name="clock" tags=["tools"] include="groundup.proof.instruments:side_by_side"
# `side_by_side` times functions in turn.
from groundup.proof.instruments import side_by_side

# %% name="loops-against-im2col"
rng = np.random.default_rng(0)
x, weight, bias = rng.normal(size=(2, 8, 8, 1)), rng.normal(size=(16, 1, 5, 5)), rng.normal(size=16)
slow, (fast, _) = conv2d_loops(x, weight, bias, 2), conv2d(x, weight, bias, 1, 2)
print(f"largest difference {np.abs(slow - fast).max():.1e}")
# Twenty products at once: a browser's clock ticks only ten times a millisecond.
ways = [lambda: conv2d_loops(x, weight, bias, 2), lambda: [conv2d(x, weight, bias, 1, 2) for _ in range(20)]]
loops, twenty = 1000 * side_by_side(ways, 3)  # milliseconds
print(
    f"loops {np.median(loops):.1f} ms, one product {np.median(twenty) / 20:.3f} ms:"
    f" {np.median(20 * loops / twenty):.0f} times as fast"
)

# %% [markdown] name="pooling-text"
# ## Overlapping max pooling (section 3.4)
#
# Windows of 3 pixels at every second pixel: neighbours share a pixel. The largest value of each window goes on. The
# derivative of a maximum is 1 for the winner and 0 for all others, so the gradient is **routed** to the winner. A pixel
# that wins two windows gets both gradients. In the row $(1, 2, 5, 3, 4)$ the windows are $(1,2,5)$ and $(5,3,4)$, and 5 wins
# both; with the gradients 10 and 1 it gets 11.

# %% name="pooling" include="groundup.ops.pooling:max_pool2d"
from groundup.ops.pooling import max_pool2d

# %% name="pooling-numbers" predict="Both windows choose the same pixel: what is its gradient?"
row = np.array([1.0, 2, 5, 3, 4]).reshape(1, 1, 5, 1)
pooled, pool_backward = max_pool2d(row, (1, 3), (1, 2))
routed = pool_backward(np.array([10.0, 1]).reshape(pooled.shape)).ravel()
assert np.array_equal(pooled.ravel(), [5, 5])
assert np.array_equal(routed, [0, 0, 11, 0, 0])
print("largest", pooled.ravel(), "  gradient of the row", routed)

# %% [markdown] name="lrn-text"
# ## Local response norm (section 3.3)
#
# Each activation is divided by a power of the energy of its neighbours in the stack of maps. With $a_i$ the activation of
# map $i$ at some place, and the sum over the (at most) $n = 5$ maps around $i$:
#
# $$b_i = a_i\, s_i^{-\beta}, \qquad s_i = k + \alpha \sum_{j \in \mathcal N(i)} a_j^2 \tag{5}$$
#
# A loud unit quietens its neighbours. For the derivative, $a_i$ appears twice: in front, and inside every $s_j$ whose
# neighbourhood holds $i$. From $\partial s_j/\partial a_i = 2\alpha a_i$ and $\partial b_j / \partial s_j = -\beta\, a_j s_j^{-\beta-1}$:
#
# $$\frac{\partial L}{\partial a_i} = \frac{\partial L}{\partial b_i}\, s_i^{-\beta} \;-\; 2\alpha\beta\, a_i \sum_{j:\, i \in \mathcal N(j)} \frac{\partial L}{\partial b_j}\, a_j\, s_j^{-\beta-1} \tag{6}$$
#
# Two traps. The paper's $\alpha$ multiplies the *sum*; PyTorch's multiplies the *mean*, so PyTorch needs $5\alpha$. And the
# paper's $\alpha = 10^{-4}$ belongs to pixels of 0 to 255: with pixels of 0 to 1 it would leave $s_i \approx k$, a constant. Later
# networks (VGG, ResNet) dropped this layer; batch norm took its place.

# %% name="lrn" show="neighbour_sum local_response_norm" include="groundup.ops.norms:local_response_norm"
from groundup.ops.norms import local_response_norm

# %% name="lrn-numbers"
a, db = np.array([1.0, 2.0, 0.5]), np.array([0.3, -1.0, 2.0])
alpha, beta, k = 0.1, 0.75, 2.0
s = k + alpha * np.sum(a**2)  # (5) with n = 5 all three maps are neighbours of each other: one s for all
by_hand = db * s**-beta - 2 * alpha * beta * a * np.sum(db * a * s ** (-beta - 1))  # (6)
_, lrn_backward = local_response_norm(a[None], 5, alpha, beta, k)
assert np.allclose(lrn_backward(db[None])[0], by_hand)
print("equation (6) by hand:", by_hand.round(4))

# %% [markdown] name="model-text"
# ## The network
#
# Two blocks of convolution → ReLU → local response norm → overlapping pooling, then two hidden fully connected layers
# with **dropout**, then ten scores, one a digit. Dropout (section 4.2) switches each hidden unit off with some probability
# $r$ in training, so that no unit can rely on another one. The survivors are divided by $1-r$, which keeps the
# expectation; at test time nothing is dropped. (The paper multiplied at test time instead: the same on average.)
#
# ![A picture becomes stacks of smaller maps by convolution and pooling, then dense layers with dropout give ten scores.](diagram:network)
#
# The feature maps are stored as (N, H, W, C). Before the fully connected layers they are flattened in the order (C, H, W),
# because PyTorch does so: then both have the same weight matrix. Mixing up these two orders is a classic bug when
# weights are loaded: nothing fails, and the network guesses.

# %% name="model" show="conv_block dense_block alexnet" include="groundup.lessons.p07_alexnet.model:init groundup.lessons.p07_alexnet.model:conv_block groundup.lessons.p07_alexnet.model:dense_block groundup.lessons.p07_alexnet.model:alexnet groundup.ops.losses:cross_entropy"
from groundup.lessons.p07_alexnet.model import alexnet, conv_block, dense_block, init
from groundup.ops.losses import cross_entropy

# %% [markdown] name="check"
# ### Is the gradient right?
#
# Draw a random direction in the space of all parameters, and compare the slope along it, from two forward passes in float64,
# with what the gradient predicts. The dropout mask must be the same in all passes, hence the fixed seed.

# %% name="gradient-check" tags=["tools"] include="groundup.proof.slopes:compare_slopes groundup.proof.slopes:show_slopes groundup.training.params:map_tree"
# `show_slopes` measures slopes in random directions and compares them with the gradient.
from groundup.training.params import map_tree
from groundup.proof.slopes import compare_slopes, show_slopes

# %% name="gradient-check-run"
rng = np.random.default_rng(0)
small = init(rng, size=8, channels=2, classes=3, filters=(4, 6), hidden=12, dtype=np.float64)
some_images, some_labels = rng.normal(size=(4, 8, 8, 2)), np.array([0, 1, 2, 1])


def small_loss(params):
    scores, backward = alexnet(params, some_images, 0.3, np.random.default_rng(5))
    loss, loss_backward = cross_entropy(scores, some_labels)
    return loss, backward(loss_backward())


assert show_slopes(small_loss, small, rng, width=1e-6) < 1e-5

# %% [markdown] name="data-text" tags=["shared"]
# ## Pictures
#
# 1,797 digits of 8×8 pixels, written by people, dealt out at random: to train on, to choose settings with (validation), and to
# measure once (test). As in the paper, the only preparation is to subtract the mean.

# %% name="data" tags=["shared", "tools"] include="groundup.data.digits:load_digits groundup.data.digits:split_digits"
# The digits, dealt out to training, validation and test.
from groundup.data.digits import load_digits, split_digits

# %% name="data-parts" tags=["shared"]
parts = split_digits(load_digits())
train_images, validation_images, test_images = (part.images[..., None] for part in parts)
train_labels, validation_labels, test_labels = (part.labels for part in parts)
mean = train_images.mean()
print(f"{len(train_labels)} digits to train on, {len(validation_labels)} to choose with, {len(test_labels)} to test")

# %% [markdown] name="augmentation-text"
# ## More pictures from the same pictures (section 4.1)
#
# A digit moved by half a pixel is still that digit. So show the network a slightly different picture each time. The paper
# crops 224 pixels out of 256 at random, a move of up to 16 pixels either way: of our 8 pixels that is half a pixel, so `shift`
# works with fractions.
#
# **Mirroring** doubles the data for photographs, where a cat seen in a mirror is a cat. Not for digits: a mirrored 3 is no
# digit, and a mirrored 2 or 5 comes close to another one. An augmentation must not change the label.
#
# **PCA colour**: compute the covariance of the three colours over all training pixels, with eigenvalues $\lambda_i$ and
# eigenvectors $p_i$, and add to every pixel of a picture
#
# $$\sum_i \alpha_i \lambda_i\, p_i, \qquad \alpha_i \sim \mathcal N(0, 0.1^2) \tag{7}$$
#
# with $\alpha_i$ drawn once a picture. It changes the colour and strength of the light along the directions in which colours do
# vary. A grey picture has one channel and $p = \pm 1$: (7) makes it lighter or darker.

# %% name="augmentation" show="random_crop random_flip random_colour" include="groundup.lessons.p07_alexnet.model:shift groundup.lessons.p07_alexnet.model:random_crop groundup.lessons.p07_alexnet.model:random_flip groundup.lessons.p07_alexnet.model:colour_components groundup.lessons.p07_alexnet.model:random_colour"
from groundup.lessons.p07_alexnet.model import colour_components, random_colour, random_crop, random_flip, shift

# %% name="plots" tags=["tools"] include="groundup.plots:figure groundup.plots:heatmap groundup.plots:curves groundup.plots:band"
# Figures, curves, bands and heat maps in one style.
from groundup.plots import band, curves, figure, heatmap

# %% name="augmented" alt="A digit 8 times: as it is, and after seven random shifts by up to half a pixel with small changes of brightness."
components = colour_components(train_images)


def augmented(images, rng):
    moved = shift(images, rng.uniform(-0.5, 0.5, size=(len(images), 2)))
    return random_colour(moved, components, rng)


copies = augmented(np.repeat(train_images[:1], 7, axis=0), np.random.default_rng(0))
fig, axes = figure(10, 1.6, columns=8)
for place, shown in zip(axes, [train_images[0], *copies], strict=True):
    heatmap(place, shown[..., 0], low=0, high=1)
    place.set(xticks=[], yticks=[])

# %% [markdown] name="training-text"
# ## Training
#
# Stochastic gradient descent with momentum 0.9 and weight decay 0.0005, the paper's values (section 5). With velocity $v$,
# gradient $g$, rate $\epsilon$ and decay $\lambda$:
#
# $$v \leftarrow 0.9\,v + g + \lambda w, \qquad w \leftarrow w - \epsilon\, v \tag{8}$$
#
# Why a velocity helps is derived in lesson `optimizers`. The decay pulls every weight towards 0 a little at each step.
# The paper divided the rate by ten three times; here it falls along half a cosine.

# %% name="tools" show="sgd" include="groundup.data.measured:measured groundup.training.optim:sgd groundup.training.optim:cosine groundup.training.streams:random_stream"
from groundup.data.measured import measured
from groundup.training.optim import cosine, sgd
from groundup.training.streams import random_stream


# %% name="loop"
def error_rate(params, images, labels):
    scores, _ = alexnet(params, images - mean)
    return float(np.mean(scores.argmax(axis=1) != labels))


# %% name="train"
STEPS = 1500
params, rng = init(random_stream(0, "parameters"), size=8, channels=1, classes=10), random_stream(0, "training", "main")
untrained = map_tree(np.copy, params)
optimiser, rate = sgd(momentum=0.9, weight_decay=5e-4), cosine(0.1, STEPS)  # (8)
state, seen = optimiser.init(params), {"step": [], "training": [], "validation": []}
for step in range(1, STEPS + 1):
    rows = rng.choice(len(train_labels), size=64, replace=False)
    scores, backward = alexnet(params, augmented(train_images[rows], rng) - mean, 0.3, rng)
    _, loss_backward = cross_entropy(scores, train_labels[rows])
    optimiser.update(params, backward(loss_backward()), state, rate(step - 1))  # (8)
    if step % 75 == 0:
        seen["step"].append(step)
        seen["training"].append(100 * error_rate(params, train_images[:400], train_labels[:400]))
        seen["validation"].append(100 * error_rate(params, validation_images, validation_labels))

# %% name="neighbour" measures="accuracy=1-test_error"
test_error = error_rate(params, test_images, test_labels)
flat_train, flat_test = (images.reshape(len(images), -1) for images in (train_images, test_images))
distances = ((flat_test[:, None] - flat_train[None]) ** 2).sum(axis=2)
neighbour_error = float(np.mean(train_labels[distances.argmin(axis=1)] != test_labels))
print(
    f"test accuracy {1 - test_error:.2%}; the nearest training digit, by pixels, {1 - neighbour_error:.2%}; chance 10 %"
)
# The two differ on at most as many digits as both miss together; if neither is better, these fall like tosses of a coin.
sure = abs(test_error - neighbour_error) > 2 * ((test_error + neighbour_error) / len(test_labels)) ** 0.5
print(f"nearest neighbour: {'a clear difference' if sure else 'too close to tell'} on {len(test_labels)} digits")

# %% name="learning-curve" alt="Error on training and validation digits in percent, falling over the steps of training."
fig, axes = figure(6.8, 3.4)
lines = {side: seen[side] for side in ("training", "validation")}
curves(axes, seen["step"], lines, "step", "error (%)", "Learning digits")

# %% [markdown] name="averaging-text"
# ### Averaging over views, and mirrored digits
#
# The paper averages the predictions for ten crops of each test picture. Here: the picture, and shifts of a quarter pixel towards
# the four corners. And a warning by numbers: mirror the test digits, and see how many the same network still reads.

# %% name="averaging" include="groundup.ops.activations:softmax"
from groundup.ops.activations import softmax

# %% name="averaging-numbers"
total = 0
for down, right in ((0, 0), (0.25, 0.25), (0.25, -0.25), (-0.25, 0.25), (-0.25, -0.25)):
    view = shift(test_images, np.tile([down, right], (len(test_images), 1)))
    total = total + softmax(alexnet(params, view - mean)[0])[0]
averaged_error = float(np.mean(total.argmax(axis=1) != test_labels))
sure = abs(averaged_error - test_error) > 2 * ((averaged_error + test_error) / len(test_labels)) ** 0.5
verdict = ("averaging helped" if averaged_error < test_error else "averaging hurt") if sure else "too close to tell"
print(f"test accuracy: one view {1 - test_error:.2%}, five views {1 - averaged_error:.2%}: {verdict}")
print(f"mirrored test digits: {1 - error_rate(params, test_images[:, :, ::-1], test_labels):.2%}")

# %% [markdown] name="filters-text"
# ## Filters, trained and untrained
#
# The paper's figure 3 shows the first layer's filters after training. Random filters look interesting too, and some published
# copies of this figure are just that. So put the untrained ones beside the trained ones, and use a number: the correlation $r$
# of neighbouring weights. In noise it is about 0; a filter that looks for strokes or edges has runs of similar weights.

# %% name="filters" tags=["tools"] include="groundup.lessons.p07_alexnet.figures:draw_filters groundup.lessons.p07_alexnet.experiment:smoothness"
# `draw_filters` draws them, `smoothness` is the correlation of neighbouring weights.
from groundup.lessons.p07_alexnet.experiment import smoothness
from groundup.lessons.p07_alexnet.figures import draw_filters

# %% name="filters-figure" alt="The sixteen 5 by 5 filters of the first layer before training, which look like noise, and after training, on the same scale."
before, after = untrained["conv1"]["weight"], params["conv1"]["weight"]
largest = float(max(np.abs(before).max(), np.abs(after).max()))
fig, axes = figure(9.6, 2.0, columns=2)
draw_filters(axes[0], before, f"Untrained: r = {smoothness(before):.2f}", largest)
draw_filters(axes[1], after, f"Trained: r = {smoothness(after):.2f}", largest, bar="weight")

# %% name="frames-tool" tags=["tools"] include="groundup.plots:frames"
# A figure with a slider: one picture for each value of a number.
from groundup.plots import frames

# %% name="filter-frames" alt="A handwritten digit, one of the trained filters, and the map of the filter's answers over the digit: large where the digit has the stroke that the filter asks for."
answers, _ = conv2d(test_images[:1], after, np.zeros(len(after), after.dtype), 1, 2)  # (1, 8, 8, filters)


def one_filter(axes, number):
    board = np.zeros((8, 27))  # digit, filter and answers side by side, each as bright as it gets
    board[:, :8] = test_images[0, :, :, 0] / test_images[0].max()
    board[1:6, 11:16] = after[number - 1, 0] / np.abs(after[number - 1]).max()
    board[:, 19:] = answers[0, :, :, number - 1] / np.abs(answers).max()
    heatmap(axes, board, title=f"Digit, filter {number}, its answers", low=-1, high=1)
    for left, top, side in ((-0.5, -0.5, 8), (10.5, 0.5, 5), (18.5, -0.5, 8)):
        right, bottom = left + side, top + side
        axes.plot([left, right, right, left, left], [top, top, bottom, bottom, top], color="#8b939e", linewidth=0.8)
    axes.set(xticks=[], yticks=[])


fig = frames("filter", list(range(1, 13)), one_filter, width=6.6, height=2.5, shown=(0, 5))

# %% [markdown] name="race-text"
# ## ReLU against tanh (the paper's figure 1)
#
# The slope of tanh goes to 0 for large inputs: it **saturates**, and then hardly any gradient passes. ReLU, $\max(x, 0)$, has
# slope 1 wherever it is on. In the paper a network of four layers reached 25 % training error on CIFAR-10 six times faster
# with ReLU. Here is the same race: no dropout, no augmentation, and for each activation the rate that is fastest on
# validation digits. Then five fresh starts each. The curves are those of the experiment (`groundup run 07`).

# %% name="race" tags=["tools"] predict="The paper found ReLU faster than tanh. Is it, on these small pictures?"
# The race as the experiment ran it, and who won.
found = measured(
    "p07_alexnet", "curves/race-*", "metrics/rates chosen*", "metrics/epochs to*", "metrics/share of saturated*"
)
rates, finish = found["metrics/rates chosen on validation"], found["metrics/epochs to 25 % training error"]
lines = {}
for label, activation in (("ReLU", "relu"), ("tanh", "tanh")):
    races = [curve for name, curve in found.items() if name.startswith(f"curves/race-{activation}")]
    errors, epochs = 100 * np.array([curve["error"] for curve in races]), races[0]["epoch"]
    lines[f"{label}, rate {rates[activation]}"] = (np.median(errors, axis=0), errors.min(axis=0), errors.max(axis=0))
    print(f"{label}: {np.median(finish[activation]):.2f} epochs to 25 % training error, at rate {rates[activation]}")
print(
    "ReLU was faster, as in the paper"
    if np.median(finish["relu"]) < np.median(finish["tanh"])
    else "ReLU was not faster here: the paper's result is not reproduced"
)

# %% name="race-figure" alt="Training error of ReLU and tanh networks against epochs: median and range of three starts, with a line at 25 percent."
fig, axes = figure(6.8, 3.6)
axes.axhline(25, color="#8b939e", linewidth=1, linestyle=":")
band(axes, epochs, lines, "epochs", "training error (%)", "The race to 25 % training error")

# %% name="race-why"
maps, _ = conv2d(test_images - mean, untrained["conv1"]["weight"], untrained["conv1"]["bias"], 1, 2)
saturated = float(np.mean(np.abs(np.tanh(maps)) > 0.95))
print(f"share of first-layer tanh units beyond ±0.95: {saturated:.1%} at the start,", end=" ")
print(f"{found['metrics/share of saturated tanh units after the race']:.1%} after the race")

# %% [markdown] name="race-meaning"
# If few units start saturated, the paper's reason for the speed of ReLU is missing: near 0 the slope of tanh is 1, and its
# outputs are centred, which helps the next layer. The paper's task was harder, its pixels were raw and its weights came from
# $\mathcal N(0, 0.01^2)$. Read a result together with the conditions under which it was measured.

# %% [markdown] name="ablation-text"
# ## Dropout and augmentation, on and off
#
# With all training digits little is left to improve. Take away most of them: 20 digits a class, 200 in all. Now the network
# overfits, and its error on the digits that it has not seen shows what each measure against overfitting is worth.

# %% name="ablation" tags=["tools"]
# The four trainings as the experiment ran them.
kept = measured("p07_alexnet", "curves/neither-*", "curves/dropout-*", "curves/augmentation-*", "curves/both-*")
held_out = {}
for arm in ("neither", "dropout", "augmentation", "both"):
    draws = [curve["held-out error"] for name, curve in kept.items() if name.startswith(f"curves/{arm}-")]
    held_out[arm] = 100 * np.mean(draws, axis=0)
    change = held_out[arm][-1] - held_out["neither"][-1]
    print(f"{arm:13} {held_out[arm][-1]:5.2f} % of the unseen digits wrong ({change:+.2f} against neither)")

# %% name="ablation-figure" alt="Error on unseen digits over training from 200 digits, for four networks: with neither, with dropout, with augmentation, with both."
fig, axes = figure(6.8, 3.6)
steps = kept["curves/neither-0"]["step"]
lines = {arm: errors[1:] for arm, errors in held_out.items()}
curves(axes, steps[1:], lines, "step", "error on unseen digits (%)", "Trained on 20 digits a class")

# %% [markdown] name="ablation-meaning"
# One draw of 200 digits is one draw: another one moves these numbers by as much as the measures do. The experiment takes
# three draws, shared by the four networks; the curves are their means (with seed 0, as everywhere on this page).

# %% [markdown] name="findings" tags=["findings"]
# ## Measured
#
# The findings of this lesson, measured at full size over several seeds, stand here in the built notebook. To measure
# them yourself: `groundup run 07`. With your own pictures, a folder a class: `groundup run 07 --images FOLDER`.

# %% [markdown] name="take-away"
# ## What to take away
#
# - Convolution is a matrix product after im2col; its gradients are (3) and (4): $dY^\top X_\text{col}$, and col2im of $dY K$.
# - Max pooling routes the gradient to the winner. Where windows overlap, gradients add up.
# - Augment only in ways that keep the label. Dropout belongs to training; forgetting to switch it off at test time is a common bug.
# - Interviewers ask for the output size: $\lfloor (H + 2\,\text{padding} - k)/\text{stride} \rfloor + 1$; for the number of weights of a
#   convolution: $O\,(C\,k^2 + 1)$; and where most weights of AlexNet are: in the fully connected layers.
# - Show trained filters beside untrained ones, and compare with a simple rival such as the nearest neighbour.
#
# **Try**: set LRN's $\alpha$ to 0 in the model cell and train again; mirror the training digits with `random_flip` and watch the test
# accuracy; drop the `+=` in `col2im` (write `=`) and let the gradient check find it.

# %% [markdown] name="torch" tags=["torch"]
# ## The same in PyTorch
#
# `nn.Conv2d` wants (N, C, H, W), so `forward` begins with a permutation. Note $5\alpha$ in `LocalResponseNorm`. Remember
# `model.train()` and `model.eval()`: they switch dropout. The tests compare both tracks: outputs, gradients, and twenty steps
# of training agree to 1e-8.

# %% name="twin" tags=["torch"] show="AlexNet classification_loss" include="groundup.lessons.p07_alexnet.twin:AlexNet groundup.lessons.p07_alexnet.twin:classification_loss groundup.plots:figure groundup.plots:curves"
from groundup.lessons.p07_alexnet.twin import AlexNet, classification_loss
from groundup.plots import curves, figure

# %% name="twin-train" tags=["torch"]
import torch
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(1)
dataset = TensorDataset(torch.from_numpy(train_images - mean), torch.from_numpy(train_labels))
loader = DataLoader(dataset, batch_size=64, shuffle=True)
model = AlexNet(size=8, channels=1, classes=10, dropout=0.3)
epochs = 20
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)  # (8)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * len(loader))


@torch.no_grad()
def wrong(images, labels):
    model.eval()
    return (model(torch.from_numpy(images - mean)).argmax(1).numpy() != labels).mean()


history = []
for epoch in range(epochs):
    model.train()
    for images, labels in loader:
        loss = classification_loss(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()  # (8)
        scheduler.step()
    history.append(100 * wrong(validation_images, validation_labels))

# %% name="twin-curve" tags=["torch"] alt="Validation error of the PyTorch network in percent against the epoch."
fig, axes = figure(6.8, 3.4)
curves(axes, range(1, epochs + 1), {"validation": history}, "epoch", "error (%)", "The twin learns as well")
print(f"test accuracy, without augmentation: {1 - wrong(test_images, test_labels):.2%}")
