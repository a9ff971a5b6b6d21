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
# By 2012 the best groups in computer vision had met twice at the ImageNet contest. A program is shown a
# photograph and may name five things out of a thousand. It errs if the right one is not among the five (**top-5
# error**; with a single guess it is top-1). The winner of 2010 erred on 28.2 % of the photographs, the winner of 2011
# on 25.8 %. In 2012 the best of the old school stood at 26.2 %. The field was stuck.
#
# And one entry of 2012 erred on **15.3 %**. It came from Toronto, from the student Alex Krizhevsky, with Ilya Sutskever
# and their adviser Geoffrey Hinton, and it was the mean of seven networks. One alone, which erred on 18.2 %, had been
# trained for about six days on two graphics cards made for computer games, of 3 GB each. Within a few years nearly
# everybody in the field had dropped what they were doing and trained networks like it.
#
# What is in it that a plain network lacks? Here is a small experiment that shows it. Three readers of handwritten
# digits, pictures of 28×28 pixels, are given the same 6,000 examples. A convolutional network has 88,522 numbers in it.
# A plain network, all pixels connected to all units, has a few more, 89,050. The third learns nothing: it looks up the
# training digit that resembles the new one most, pixel by pixel. The convolutional network reads nearly 98 of 100 new
# digits, the plain one about 95 and the lookup 94. Now push every new digit by two pixels, up, down, left or right.

# %% name="measured-tool" tags=["shared", "tools"] include="groundup.data.measured:measured"
# `measured` gives what the experiment of this lesson found.
from groundup.data.measured import measured

# %% name="imports" tags=["shared", "tools"]
# NumPy, and `math` for roots and binomial coefficients.
import math

import numpy as np

# %% name="opening" tags=["tools"] predict="As they are, all three read at least 93 % of the digits. How many will each read once they are pushed by two pixels?"
# The share of 3,000 new digits that each reads, as they are and pushed by two pixels.
kept = measured("p07_alexnet", "metrics/accuracy", "metrics/accuracy on moved pictures")
as_they_are, pushed = kept["metrics/accuracy"], kept["metrics/accuracy on moved pictures"]
for reader in ("network", "plain network", "nearest training picture"):
    name = "convolutional network" if reader == "network" else reader
    print(f"{name:26} as they are {as_they_are[reader]:.1%}, pushed by two pixels {pushed[reader]:.1%}")

# %% [markdown] name="question"
# To you nothing has happened to those digits. For two of the three readers about every third one has become a riddle.
# The convolutional network stumbles over one in twenty. It has no more numbers than the plain one, and it has seen the
# same pictures: nobody ever showed it a digit that had been pushed. **What does it know that the others do not, and who
# told it?**
#
# ## Why not a plain network?
#
# A plain network, as in lesson `numpy_and_pytorch`, gives each of its units a weight of its own for every pixel. For
# such a unit, a pixel and its neighbour are two different things. It may have learned a stroke in column 3, and of a
# stroke in column 4 it knows nothing.
#
# A **convolution** shares its weights. One small **filter**, say 5 by 5 numbers, slides over the picture and asks the
# same question at every place: "is there a stroke like this, *here*?" Two things follow.
#
# - A filter has few weights: 25, however large the picture.
# - If the picture moves by a pixel, so do the answers.
#
# So nobody *learned* that a stroke is a stroke wherever it stands. It was built in.
#
# A layer has many filters. Each one gives a **map** of answers, and the maps together are the layer's answer: a stack,
# as a colour picture is a stack of a red, a green and a blue one. The members of a stack are called **channels**. Then
# **pooling** keeps the largest answer of each neighbourhood, so that the maps shrink and a small move matters less.
# After a few such rounds, fully connected layers decide.
#
# Was that new in 2012? No. Kunihiko Fukushima built such a network in 1980, and Yann LeCun trained one by
# back-propagation in 1989, on the digits of postal codes. In 2011 the networks of Dan Cireşan and his colleagues,
# trained on graphics cards, won contests in traffic signs. New were the size, the 1.2 million
# labelled photographs that Fei-Fei Li and her group had collected as ImageNet, and the will to put it all together.

# %% [markdown] name="definition"
# ## Convolution by hand
#
# Take a picture $x$ of 3×3 pixels and a filter $w$ of 2×2. At row $p$ and column $q$ the answer is
#
# $$y_{pq} = b + \sum_{i}\sum_{j} x_{p+i,\,q+j}\; w_{ij} \tag{1}$$
#
# where $b$ is the filter's **bias**, one number that is added at every place, here 0. Rows and columns are counted from
# 0. With
#
# $$x = \begin{pmatrix}1&2&0\\0&1&3\\2&0&1\end{pmatrix},\qquad w = \begin{pmatrix}1&0\\-1&2\end{pmatrix}$$
#
# the first answer is $1\cdot 1 + 2\cdot 0 + 0\cdot(-1) + 1\cdot 2 = 3$. There are 2×2 places for the filter, so $y$ is
# 2×2. What are the other three answers? Work them out before you look at the cell below.
#
# ![The filter on two places of the picture: its four products with the pixels below it add up to one answer each.](diagram:window)
#
# How many places are there in general? A filter $k$ pixels wide fits into $H$ pixels $H - k + 1$ times. With a frame of
# $m$ zeros around the picture (**padding**), and moving by $s$ pixels at a time (**stride**), it is
# $\lfloor (H + 2m - k)/s \rfloor + 1$, where $\lfloor\cdot\rfloor$ means rounded down.
#
# For a whole layer, (1) gets one more sum and two more indices: a sum over the channels $c$ of the picture, and an
# answer for each filter $o$ and each picture $n$. In these lessons pictures are arrays of shape $(N, H, W, C)$: how
# many, height, width, channels (in PyTorch $(N, C, H, W)$). Filters are $(O, C, k, k)$ in both.

# %% name="by-hand"
picture = np.array([[1.0, 2, 0], [0, 1, 3], [2, 0, 1]])
kernel = np.array([[1.0, 0], [-1, 2]])
y = np.array([[np.sum(picture[p : p + 2, q : q + 2] * kernel) for q in range(2)] for p in range(2)])  # (1)
assert np.array_equal(y, [[3, 7], [-2, 3]])
print(y)

# %% [markdown] name="im2col-text"
# ## The same as one matrix product
#
# For a whole layer (1) is seven loops, and loops in Python are slow. The trick is called **im2col**, image to columns
# (ours are rows): copy the four pixels that the filter sees at each place into a row. The rows make a matrix $X$, here
# (4, 4): four places, four pixels each. The filter becomes a column $w$ of four numbers. Then all sums of (1) are one
# product:
#
# $$y = X w + b \tag{2}$$
#
# ![Every window of the picture becomes a row of four numbers; the matrix times the filter gives all four answers at once.](diagram:columns)
#
# Pixels are copied several times, the middle one four times here. That costs memory, and buys a matrix product, which
# is what processors do best. Put $O$ filters as rows into a matrix $K$; then $Y = X K^\top$ has a column for each
# filter.

# %% name="im2col" tags=["tools"] include="groundup.ops.conv:im2col groundup.ops.conv:at_offset"
# `im2col` does this copying for whole pictures; `at_offset` is a view of one pixel of every window.
from groundup.ops.conv import at_offset, im2col

# %% name="im2col-shown"
x, weight, bias = picture[None, :, :, None], kernel[None, None], np.zeros(1)  # (N, H, W, C), (O, C, k, k), (O,)
matrix = im2col(x, 2).reshape(4, 4)
print("im2col, one row for each place:\n", matrix)
print("times", kernel.ravel(), "=", matrix @ kernel.ravel())  # (2)
assert np.array_equal(matrix @ kernel.ravel(), y.ravel())

# %% [markdown] name="im2col-turn"
# **Your turn**: exercise `im2col`.

# %% [markdown] name="conv-backward"
# ## The way back
#
# Let $L$ be the loss, and suppose that we are handed $\partial L/\partial y$ for each of the four answers. Say it is
# $(1, -1, 0, 2)$, in the order of reading. What is the slope of the loss for a weight, and for a pixel?
#
# **A weight.** Take $w_{01}$, the upper right one. Which answers does it enter? *All of them*, for it is used at every
# place. In $y_{00}$ it stands times pixel $x_{01} = 2$, in $y_{01}$ times $x_{02} = 0$, in $y_{10}$ times $x_{11} = 1$,
# in $y_{11}$ times $x_{12} = 3$. Its effects on the loss add up:
#
# $$\frac{\partial L}{\partial w_{01}} = 1\cdot 2 + (-1)\cdot 0 + 0 \cdot 1 + 2 \cdot 3 = 8$$
#
# Those four pixels are a column of $X$. So each weight's slope is a column of $X$ times the slopes of the answers. For
# all weights of all filters, with $Y_{to} = \sum_\ell X_{t\ell} K_{o\ell}$ (place $t$, filter $o$, position $\ell$ in
# the window),
#
# $$\frac{\partial L}{\partial K_{o\ell}} = \sum_t \frac{\partial L}{\partial Y_{to}}\,\frac{\partial Y_{to}}{\partial K_{o\ell}}
#   = \sum_t \frac{\partial L}{\partial Y_{to}}\, X_{t\ell},
#   \qquad\text{in short}\qquad dK = dY^\top X \tag{3}$$
#
# where $dK$ is short for $\partial L/\partial K$, as in all these lessons.
#
# **A pixel.** Take the middle one, $x_{11}$. Which answers saw it? All four again, each through another weight:
# $y_{00}$ through $w_{11} = 2$, $y_{01}$ through $w_{10} = -1$, $y_{10}$ through $w_{01} = 0$, $y_{11}$ through
# $w_{00} = 1$. So
#
# $$\frac{\partial L}{\partial x_{11}} = 1 \cdot 2 + (-1)(-1) + 0 \cdot 0 + 2 \cdot 1 = 5$$
#
# In general: im2col made copies, and each copy $X_{t\ell}$ has its own slope by the same rule as above. What was copied
# on the way out is summed on the way back. The function that adds every window back where it came from is called
# **col2im**:
#
# $$\frac{\partial L}{\partial X_{t\ell}} = \sum_o \frac{\partial L}{\partial Y_{to}}\, K_{o\ell},
#   \qquad\text{in short}\qquad dX = dY\,K, \qquad dx = \operatorname{col2im}(dX) \tag{4}$$
#
# The bias was added at every place, so its slope is the sum of the answers' slopes, $1 - 1 + 0 + 2 = 2$. And now the
# same in code, for any picture, stride and padding. (`seen` is a view: what is added to it is added to `padded`.
# `dilation`, the distance of a window's pixels, is always 1 here.)

# %% name="col2im" include="groundup.ops.conv:col2im"
from groundup.ops.conv import col2im

# %% name="conv2d" beside="conv2d" include="groundup.ops.conv:conv2d"
from groundup.ops.conv import conv2d

# %% name="conv-backward-numbers"
dy = np.array([1.0, -1, 0, 2])
_, conv_backward = conv2d(x, weight, bias)
dx, dweight, dbias = conv_backward(dy.reshape(1, 2, 2, 1))
assert np.allclose(dweight.ravel(), dy @ matrix)  # (3)
assert np.array_equal(dweight.ravel(), [1, 8, -1, 0])
assert np.array_equal(dx[0, :, :, 0], [[1, -1, 0], [-1, 5, -2], [0, -2, 4]])
assert dbias == 2
print("gradient of the picture\n", dx[0, :, :, 0])

# %% [markdown] name="conv-backward-turn"
# **Your turn**: exercise `col2im`, exercise `conv2d_backward`, and exercise `conv2d`, which is all of it.

# %% [markdown] name="loops-text" tags=["second"]
# ### Seven loops against one product
#
# For a whole layer (1) is seven loops: over pictures, places (two), filters, the window (two) and channels. Both ways
# give the same. How many times as fast is the one product? Ten? A hundred?

# %% name="loops" include="groundup.lessons.p07_alexnet.model:conv2d_loops"
from groundup.lessons.p07_alexnet.model import conv2d_loops

# %% name="clock" tags=["tools"] include="groundup.proof.instruments:side_by_side"
# `side_by_side` times functions in turn.
from groundup.proof.instruments import side_by_side

# %% name="loops-against-im2col" tags=["tools"]
# Sixteen 5×5 filters on two pictures of 8×8: both ways give the same, and are timed in turn.
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
# ## Overlapping max pooling
#
# A **max pooling** keeps the largest value of each window. AlexNet's windows are 3 pixels wide and stand at every
# second pixel, so neighbours share a pixel (section 3.4 of the paper). In the row $(1, 2, 5, 3, 4)$ the windows are
# $(1,2,5)$ and $(5,3,4)$, and 5 wins both.
#
# ![A row of five numbers with two windows that share the 5: both keep it, and on the way back it gets 10 and 1.](diagram:pooling)
#
# And backwards? Nudge the 5 a little: the result of its window moves just as much, so the slope is 1. Nudge the 2 a
# little: it still loses, and nothing moves, so the slope is 0. The gradient is **routed** to the winner, and the losers
# get nothing. Suppose that the two results are handed the slopes 10 and 1. Then the 5, which won both windows, gets the
# sum, 11.

# %% name="pooling" tags=["tools"] include="groundup.ops.pooling:max_pool2d"
# `max_pool2d` does this for whole pictures, forward and backward.
from groundup.ops.pooling import max_pool2d

# %% name="pooling-numbers"
row = np.array([1.0, 2, 5, 3, 4]).reshape(1, 1, 5, 1)
pooled, pool_backward = max_pool2d(row, (1, 3), (1, 2))
routed = pool_backward(np.array([10.0, 1]).reshape(pooled.shape)).ravel()
assert np.array_equal(pooled.ravel(), [5, 5])
assert np.array_equal(routed, [0, 0, 11, 0, 0])
print("largest", pooled.ravel(), "  gradient of the row", routed)

# %% [markdown] name="pooling-turn"
# **Your turn**: exercise `max_pool2d`. Its tests have windows that overlap.

# %% [markdown] name="lrn-text" tags=["second"]
# ## Local response norm, and why you will not meet it again
#
# AlexNet has one more part, after each of its first two convolutions. It divides each answer by a power of the energy
# of its neighbours in the stack of maps, so that a loud map quietens the ones beside it. With $a_i$ the answer of map
# $i$ at some place, and the sum over the (at most) $n = 5$ maps around $i$,
#
# $$b_i = a_i\, s_i^{-\beta}, \qquad s_i = \kappa + \alpha \sum_{j \in \mathcal N(i)} a_j^2 \tag{5}$$
#
# The paper says that it lowered the top-1 error by 1.4 percentage points. Two years later the authors of VGG tried it
# in their network, found that it did not help, and left it out. Later networks normalise in another way, with batch
# norm or layer norm.
#
# For the derivative, count where $a_i$ appears: in front of $b_i$, and inside every $s_j$ whose neighbourhood holds
# $i$. The first way has the slope $s_i^{-\beta}$. For the second, $\partial s_j/\partial a_i = 2\alpha a_i$, and
# $\partial b_j / \partial s_j = -\beta\, a_j s_j^{-\beta-1}$. Multiply along each way and add up:
#
# $$\frac{\partial L}{\partial a_i} = \frac{\partial L}{\partial b_i}\, s_i^{-\beta} \;-\; 2\alpha\beta\, a_i \sum_{j:\, i \in \mathcal N(j)} \frac{\partial L}{\partial b_j}\, a_j\, s_j^{-\beta-1} \tag{6}$$
#
# Two traps. The paper's $\alpha$ multiplies the *sum*; PyTorch's multiplies the *mean*, so PyTorch needs $5\alpha$. And
# the paper's $\alpha = 10^{-4}$ belongs to pixels of 0 to 255. With pixels of 0 to 1 it leaves $s_i \approx \kappa$, a
# constant.
#
# **Your turn**: exercise `local_response_norm`.

# %% name="lrn" show="neighbour_sum local_response_norm" include="groundup.ops.norms:local_response_norm"
from groundup.ops.norms import local_response_norm

# %% name="lrn-numbers"
a, db = np.array([1.0, 2.0, 0.5]), np.array([0.3, -1.0, 2.0])
alpha, beta, kappa = 0.1, 0.75, 2.0
s = kappa + alpha * np.sum(a**2)  # (5) with n = 5 all three maps are neighbours of each other: one s for all
by_hand = db * s**-beta - 2 * alpha * beta * a * np.sum(db * a * s ** (-beta - 1))  # (6)
_, lrn_backward = local_response_norm(a[None], 5, alpha, beta, kappa)
assert np.allclose(lrn_backward(db[None])[0], by_hand)
print("equation (6) by hand:", by_hand.round(4))

# %% [markdown] name="real-text"
# ## The real AlexNet, counted
#
# Now that you know the parts, here is the network of 2012, computed from its description: five convolutions, three
# poolings, three fully connected layers. Its pictures are 224 pixels wide, its first filters 11, with a stride of 4. (A
# frame of 2, which the paper does not mention, makes that 55 places in a row.) A layer's **parameters** are its weights
# and biases. In a convolution each weight is used once at every place of the map, so the multiplications are the
# weights times the places. (Three of the convolutions are cut in two halves, one on each graphics card, which halves
# their weights.) The column *sees* tells how wide the patch of the photograph is that one answer depends on, its
# **receptive field**. A window $k$ wide adds $k - 1$ steps to it, and a step is as long as all the strides so far,
# multiplied.

# %% name="real-network" tags=["tools"] predict="Which layers hold most of AlexNet's parameters, and which do most of the multiplications?"
# The layers of the paper, what each of them sees, holds and computes, and the share of the fully connected ones.
LAYERS = [  # name, filters (0: pooling), window, stride, padding, halves
    ("conv1", 96, 11, 4, 2, 1), ("pool1", 0, 3, 2, 0, 1), ("conv2", 256, 5, 1, 2, 2), ("pool2", 0, 3, 2, 0, 1),
    ("conv3", 384, 3, 1, 1, 1), ("conv4", 384, 3, 1, 1, 2), ("conv5", 256, 3, 1, 1, 2), ("pool5", 0, 3, 2, 0, 1),
]  # fmt: skip
side, channels, sees, step, table = 224, 3, 1, 1, []
for name, filters, window, stride, padding, halves in LAYERS:
    side = (side + 2 * padding - window) // stride + 1
    sees, step = sees + (window - 1) * step, step * stride
    weights = filters * (channels // halves) * window**2
    channels = filters or channels
    table.append((name, f"{side} x {side} x {channels}", sees, weights + filters, weights * side**2))
inputs = side * side * channels
for name, units in (("fc6", 4096), ("fc7", 4096), ("fc8", 1000)):
    table.append((name, str(units), 224, units * (inputs + 1), units * inputs))
    inputs = units

print(f"{'':6}{'answers':>16}{'sees':>6}{'parameters':>13}{'multiplications':>18}")
for name, shape, patch, numbers, products in table:
    print(f"{name:6}{shape:>16}{patch:>6}{numbers:>13,}{products:>18,}")
numbers, products = (sum(line[column] for line in table) for column in (3, 4))
dense_numbers, dense_products = (sum(line[column] for line in table[-3:]) for column in (3, 4))
print(f"{'all':6}{'':>16}{'':>6}{numbers:>13,}{products:>18,}")
print(f"fully connected: {dense_numbers / numbers:.0%} of the parameters, {dense_products / products:.0%} of the work")
assert numbers == 60_965_224

# %% [markdown] name="real-meaning"
# The paper's "60 million parameters" come out, and nearly all of them sit in the three layers that are *not*
# convolutions. The convolutions do the work with the few that are left. Sharing is what makes the difference: each of
# conv1's weights is used at $55 \cdot 55 = 3025$ places, each of fc6's only once.

# %% [markdown] name="model-text"
# ## Our small network
#
# Ours has two blocks of convolution → ReLU → local response norm → overlapping pooling, then two hidden fully connected
# layers, then ten scores, one for each digit. The first convolution has 16 filters of 5×5 pixels, the second 32 of 3×3.
# (**Local response norm** divides each answer by a measure of how strongly the neighbouring maps answer at the same
# place. You can do without its formula.)
#
# As in the real one, the first convolution does not stop at every place: it moves by two pixels at a time (there by
# four; on pictures below 16 pixels, by one), so that 28 pixels become $\lfloor (28 + 2\cdot 2 - 5)/2 \rfloor + 1 = 14$.
# How wide are the maps after the first pooling (windows of 3 at every second place, in a frame of 1)? And after the
# second? Follow the drawing, and you arrive at $4 \cdot 4 \cdot 32 = 512$ numbers for each picture.
#
# ![A picture becomes stacks of smaller maps by convolution and pooling, then dense layers with dropout give ten scores.](diagram:network)
#
# The hidden layers have **dropout** (section 4.2). In training, each unit is switched off with probability $r$, by a
# fresh toss for every unit and every picture, so that no unit can rely on one particular other. The survivors are
# divided by $1 - r$. Why? A unit of value $x$ is then worth $\frac{x}{1-r}$ with probability $1 - r$ and 0 with
# probability $r$: on average $x$, just what it is at test time, when nothing is dropped. With $r = \tfrac12$, units
# $(2, 4)$ of which the first survives become $(4, 0)$. And the way back: what was multiplied by $\frac{1}{1-r}$ has
# that slope, what was switched off has slope 0. Handed $(3, 3)$, the two units get $(6, 0)$.
#
# **Your turn**: exercise `dropout`.
#
# `dense_block` is a fully connected layer with its ReLU and its dropout.

# %% name="model" show="conv_block alexnet" include="groundup.lessons.p07_alexnet.model:init groundup.lessons.p07_alexnet.model:conv_block groundup.lessons.p07_alexnet.model:dense_block groundup.lessons.p07_alexnet.model:alexnet groundup.ops.losses:cross_entropy"
from groundup.lessons.p07_alexnet.model import alexnet, conv_block, dense_block, init
from groundup.ops.losses import cross_entropy

# %% [markdown] name="check"
# ### Is the gradient right?
#
# Draw a random direction in the space of all parameters, and compare the slope along it, from two forward passes in
# float64, with what the gradient predicts: a **gradient check**. The same units must be dropped in both passes, hence
# the fixed seed. To see it fail, make `seen[...] = columns[:, :, :, i, j]` of the line with `+=` in `col2im` above, so
# that the last window wins and nothing is summed, and run the cells again.

# %% name="gradient-check" tags=["tools"] include="groundup.proof.slopes:compare_slopes groundup.proof.slopes:show_slopes groundup.training.params:map_tree"
# `show_slopes` measures slopes in random directions and compares them with the gradient.
from groundup.training.params import map_tree
from groundup.proof.slopes import compare_slopes, show_slopes

# %% name="gradient-check-run" tags=["tools"]
# The loss of a small network and its gradient, compared along random directions.
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
# 10,000 digits of 28×28 pixels from MNIST, the collection that Yann LeCun and Corinna Cortes put together in the 1990s:
# 6,000 to train on, 1,000 to choose settings with (validation), and 3,000 to measure with (test). Every digit stands in
# the middle of its picture, for MNIST's makers put the centre of mass there. Which hand wrote which digit is not known,
# so one writer may be on both sides. The mean of all training pixels, one number, is taken away from every pixel.

# %% name="data" tags=["shared", "tools"] include="groundup.data.mnist:load_mnist groundup.data.mnist:split_mnist"
# The digits, cut into training, validation and test.
from groundup.data.mnist import load_mnist, split_mnist

# %% name="data-parts" tags=["shared", "tools"]
# Pictures (count, 28, 28, 1) from 0, paper, to 1, ink; labels; and the mean of all training pixels.
parts = split_mnist(load_mnist())
train_images, validation_images, test_images = (part.images[..., None] for part in parts)
train_labels, validation_labels, test_labels = (part.labels for part in parts)
mean = train_images.mean()

# %% [markdown] name="training-text"
# ## Training
#
# Stochastic gradient descent with momentum 0.9 and weight decay 0.0005, the paper's values (section 5). With velocity
# $v$, gradient $g$, rate $\epsilon$ and decay $\lambda$:
#
# $$v \leftarrow 0.9\,v + g + \lambda w, \qquad w \leftarrow w - \epsilon\, v \tag{8}$$
#
# Why a velocity helps is derived in lesson `optimizers`. The decay pulls every weight towards 0 a little at each step.
# The paper divided $\epsilon$ by ten three times, when the validation error stopped falling; here it falls along half a
# cosine. Each of the 1,500 steps takes 32 digits, just as they stand in their pictures, and dropout is $r = 0.3$ (the
# paper's is 0.5).

# %% name="tools" tags=["tools"] include="groundup.training.optim:sgd groundup.training.optim:cosine groundup.training.streams:random_stream"
# `sgd` takes the steps of (8), `cosine` is the rate; `random_stream` gives random numbers by name.
from groundup.training.optim import cosine, sgd
from groundup.training.streams import random_stream

# %% name="plots" tags=["tools"] include="groundup.plots:figure groundup.plots:heatmap groundup.plots:curves groundup.plots:band"
# Figures, curves, bands and heat maps in one style.
from groundup.plots import band, curves, figure, heatmap

# %% name="pushed" tags=["tools"] include="groundup.lessons.p07_alexnet.model:shift groundup.lessons.p07_alexnet.pictures:moved"
# `shift` moves pictures, a fraction of a pixel averages two neighbours; `moved` by one distance, each its own way.
from groundup.lessons.p07_alexnet.model import shift
from groundup.lessons.p07_alexnet.pictures import moved

# %% name="frames-tool" tags=["tools"] include="groundup.plots:frames"
# A figure with a slider: one picture for each value of a number.
from groundup.plots import frames


# %% name="watch" tags=["tools"]
# `watch` notes the errors on training and validation digits every 150 steps.
def error_rate(params, images, labels):
    scores, _ = alexnet(params, images - mean)
    return float(np.mean(scores.argmax(axis=1) != labels))


seen = {"step": [], "training": [], "validation": []}


def watch(step):
    if step % 150 == 0:
        seen["step"].append(step)
        seen["training"].append(100 * error_rate(params, train_images[:1000], train_labels[:1000]))
        seen["validation"].append(100 * error_rate(params, validation_images, validation_labels))


# %% name="loop"
def train(params, forward, rng, pictures=lambda images: images, top=0.05, watch=lambda step: None, steps=1500):
    optimiser, rate = sgd(momentum=0.9, weight_decay=5e-4), cosine(top, steps)  # (8)
    state = optimiser.init(params)
    for step in range(1, steps + 1):
        rows = rng.choice(len(train_labels), size=32, replace=False)
        scores, backward = forward(params, pictures(train_images[rows]) - mean, rng)
        _, loss_backward = cross_entropy(scores, train_labels[rows])
        optimiser.update(params, backward(loss_backward()), state, rate(step - 1))  # (8)
        watch(step)


def with_dropout(params, images, rng):
    return alexnet(params, images, rate=0.3, rng=rng)


# %% name="train"
params = init(random_stream(0, "parameters"), size=28, channels=1, classes=10)
untrained = map_tree(np.copy, params)
train(params, with_dropout, random_stream(0, "training", "main"), watch=watch)

# %% name="learning-curve" margin="yes" alt="Error on training and validation digits in percent, falling over the steps of training."
fig, axes = figure(3.3, 2.4)
lines = {side: seen[side] for side in ("training", "validation")}
assert seen["training"][-1] < 1 < seen["validation"][-1] < 3
curves(axes, seen["step"], lines, "step", "error (%)", "Learning digits")

# %% [markdown] name="rivals-text"
# Of the digits that it trains on it misreads fewer than one in a hundred at the end, of the validation digits about
# two.
#
# ### Who reads better?
#
# Train the plain network in the same way, with one hidden layer of 112 units, without dropout, beginning at $\epsilon =
# 0.1$. (The opening shows that of the experiment, which tries two more rates.) And look up the nearest training digit.
#
# All three read *the same* 3,000 digits, so look at those on which two readers disagree. If neither were better, each
# of these would be a toss of a coin. How likely is it that coins fall as unevenly as this, or more so? That is the $p$
# of the **sign test**, in this use also called McNemar's test. By custom we say "cannot tell" unless it is below 0.05.
#
# By hand: of 7 digits that only one of the two reads, 4 go to the first. No split of 7 coins can be more even, so $p =
# 1$. And 6 to 2? $2 \cdot (1 + 8 + 28)/256 = 0.289$: there are 256 ways in which 8 coins can
# fall; in 1 none, in 8 one and in 28 two are heads, and the same for tails. Not even three times as many is enough, if
# there are only eight.


# %% name="sign-test"
def chance(first, second):
    a, b = int((first & ~second).sum()), int((second & ~first).sum())
    return min(1.0, 2 * sum(math.comb(a + b, k) for k in range(min(a, b) + 1)) / 2 ** (a + b))


eight = np.arange(8)
assert round(chance(eight < 6, eight >= 6), 3) == 0.289


# %% name="rivals" tags=["tools"] include="groundup.lessons.p00_numpy_and_pytorch.model:mlp groundup.ops.init:linear_params"
# `mlp` is the plain network of lesson 00, `linear_params` its beginning.
from groundup.lessons.p00_numpy_and_pytorch.model import mlp
from groundup.ops.init import linear_params

# %% name="plain-train" tags=["tools"]
# The plain network, trained like the other, and the lookup: |x|² is the same for all digits t, so |t|² − 2 x·t decides.
start = random_stream(0, "plain")
plain = {"hidden": linear_params(start, 784, 112), "readout": linear_params(start, 112, 10)}
train(plain, lambda params, images, rng: mlp(params, images), start, top=0.1)
flat_train = train_images.reshape(len(train_images), -1)


def nearest(images):
    flat = images.reshape(len(images), -1)
    return train_labels[((flat_train**2).sum(axis=1) - 2 * flat @ flat_train.T).argmin(axis=1)]


# %% name="who-reads-better" tags=["tools"]
# What each of the three reads of the test digits, and the sign test against the convolutional network.
readers = {
    "convolutional": lambda images: alexnet(params, images - mean)[0].argmax(axis=1),
    "plain": lambda images: mlp(plain, images - mean)[0].argmax(axis=1),
    "nearest neighbour": nearest,
}
hits = {name: read(test_images) == test_labels for name, read in readers.items()}
for name, right in hits.items():
    first, p = hits["convolutional"], chance(hits["convolutional"], right)
    only = f"  only the first {np.sum(first & ~right)}, only this one {np.sum(right & ~first)}, p = {p:.1g}"
    verdict = "" if right is first else f"{only}: {'a difference' if p < 0.05 else 'cannot tell'}"
    print(f"{name:18} {right.mean():.2%} of {len(right)} digits{verdict}")

# %% [markdown] name="rivals-meaning"
# On digits as they are the convolutional network is ahead. Yet two to four points are not what turned a field upside
# down.
#
# ## Push the digits
#
# Now the question of the opening, pixel by pixel. Each of the first 1,000 test digits is pushed up, down, left or
# right, whichever a die says. Will the convolutional network stay on top, or will it fall as well, only later?


# %% name="pushed-figure" measures="shift=by_two" predict="Pushed by four pixels of 28: does the convolutional network still read them?" alt="Share of test digits read, in percent, against the push in pixels, for the convolutional network, the plain network and the nearest neighbour."
def read_pushed(read, distance, count=1000):
    images = moved(test_images[:count], distance, random_stream(0, "moves"))
    return 100 * np.mean(read(images) == test_labels[:count])


distances = np.arange(0, 7)
found = {name: [read_pushed(read, distance) for distance in distances] for name, read in readers.items()}
by_two = read_pushed(readers["convolutional"], 2, len(test_images)) / 100
fig, axes = figure(6.8, 3.6)
axes.set_ylim(0, 102)
curves(axes, distances, found, "push (pixels of 28)", "digits read (%)", "Pushing digits")
for name, shares in found.items():
    print(f"{name:18} by 2 pixels {shares[2]:.0f} %, by 4 pixels {shares[4]:.0f} %, by 6 pixels {shares[6]:.0f} %")


# %% [markdown] name="pushed-meaning"
# The network withstands a push by two pixels far better than its rivals, and all five runs of the experiment agree on
# that. But it is not blind to pushes: the farther they go, the more it falls, too. Why? The maps move along with the
# picture, but strides of 2 make steps. After three of them, one place of the last map stands for eight pixels, and a
# push by fewer than eight changes which numbers meet in a window. And the fully connected layers behind see every place
# of the maps as something different again.
#
# A convolution is **equivariant**: move the picture, and the maps move. It is not **invariant**, which would mean that
# nothing changes.

# %% [markdown] name="shown-text"
# ## Or tell it by example
#
# The plain network does not know that a digit is the same digit elsewhere. Could we not simply *show* it? Move the
# training digits at random, a little differently each time that they come; this is called **data augmentation**
# (section 4.1). The paper cuts windows of 224 pixels out of 256 at random: a push of up to 16 pixels either way. Of our
# 28 pixels the same share is $16/256 \cdot 28 = 1.75$; we take 2, and fractions of a pixel in between.
#
# The paper also **mirrors** its photographs. A cat seen in a mirror is a cat. And a digit? A mirrored 3 is no digit at
# all. An augmentation must not change the label, so we leave this one out.


# %% name="augmented-figure" alt="A digit 6 times: as it is, and after five random pushes by up to two pixels."
def augmented(images, rng):
    return shift(images, rng.uniform(-2, 2, size=(len(images), 2)))


copies = augmented(np.repeat(train_images[:1], 5, axis=0), np.random.default_rng(0))
fig, axes = figure(9, 1.8, columns=6)
for place, shown in zip(axes, [train_images[0], *copies], strict=True):
    heatmap(place, shown[..., 0], low=0, high=1)
    place.set(xticks=[], yticks=[])


# %% [markdown] name="augmentation-turn"
# **Your turn**: exercise `shift`, and exercise `random_crop`, the paper's way.
#
# The experiment has trained both networks again, from the same starting weights and for as many steps, on digits that
# are moved like this (and made a little lighter or darker). How do they read pushed digits now, inside the two
# pixels that they were shown, and beyond?

# %% name="shown" tags=["tools"] predict="Both networks have now been shown pushes of up to two pixels. Is the advantage of the convolutional one gone?" alt="Share of digits read against the push in pixels for two networks, each trained on digits as they are and on pushed digits."
# Both networks, trained on digits as they are and on pushed ones, as the experiment measured them.
kept = measured("p07_alexnet", "metrics/accuracy", "metrics/accuracy on moved*", "metrics/accuracy by distance")
still, pushed, by_distance = (kept[f"metrics/accuracy{rest}"] for rest in ("", " on moved pictures", " by distance"))
names = {"network": "convolutional", "plain network": "plain"}
names |= {f"{name} shown moves": f"{short}, shown pushes" for name, short in names.items()}
for name, short in names.items():
    print(f"{short:29} as they are {still[name]:.1%}, pushed by two pixels {pushed[name]:.1%}")

fig, axes = figure(6.8, 3.2)
axes.set_ylim(0, 102)
lines = {short: [100 * share for share in by_distance[name]] for name, short in names.items()}
curves(axes, list(range(7)), lines, "push (pixels of 28)", "digits read (%)", "Built in, shown, or both")

# %% [markdown] name="shown-meaning"
# What the one was told, the other has learned from examples. At two pixels the plain network now reads 93 % instead of
# 67 %, nearly as much as the convolutional network that was *never* shown a pushed digit (95 %). But where the examples
# end, what it has learned ends, too: at four pixels it reads 61 %, and the convolutional network, still without having
# been shown any, 80 %.
#
# So examples can stand in for what is not built in, as far as they reach. And what is built in does not make examples
# useless: shown pushes, the convolutional network reads 92 % at four pixels. On digits *as they are*, which all stand
# in the middle, we cannot tell whether the changed copies help it: 18 digits only the network reads that was shown
# them, and 25 only the other.
#
# When it is tested, the paper's network takes the mean over ten **views** of each photograph. Ours can do so, too: with
# the digit as it stands, and pushed by a pixel along each diagonal.

# %% [markdown] name="light" tags=["second"]
# ### The paper changes the light, too
#
# The covariance of red, green and blue over all training pixels has three eigenvalues $\lambda_i$ and eigenvectors
# $p_i$ (the directions in which the colours vary, and how much). To all pixels of a photograph the paper adds the same
#
# $$\sum_i \alpha_i \lambda_i\, p_i, \qquad \alpha_i \text{ normal, with mean 0 and standard deviation } 0.1 \tag{7}$$
#
# which makes it a little warmer, colder, brighter or darker. By the paper this lowered the top-1 error by more than one
# percentage point. Our digits have one channel, and there (7) only makes them brighter or darker.

# %% name="light-code" show="random_colour" include="groundup.lessons.p07_alexnet.model:colour_components groundup.lessons.p07_alexnet.model:random_colour"
from groundup.lessons.p07_alexnet.model import colour_components, random_colour

# %% name="light-run"
lit = random_colour(train_images[:5], colour_components(train_images), np.random.default_rng(0))
print("brightness added to five digits:", (lit - train_images[:5]).mean(axis=(1, 2, 3)).round(4))

# %% [markdown] name="shuffle-text"
# ## Take the neighbours away
#
# A convolution has it built in that pixels which stand together belong together. What if they do not? Put the 784
# pixels of every digit into a new order, the same for all, in training and in testing. Nothing is lost: who knows the
# order can undo it. For the lookup nothing changes at all, and for the plain network nothing but its random start: to
# them the pixels are 784 numbers in no particular order. And for the convolutional network? Push the digits as well, by
# two pixels, before they are shuffled.

# %% name="shuffle-train"
order = np.random.default_rng(0).permutation(784)


def shuffle(images):
    return images.reshape(-1, 784)[:, order].reshape(images.shape)


scrambled = init(random_stream(0, "parameters"), size=28, channels=1, classes=10)
train(scrambled, with_dropout, random_stream(0, "training", "main"), shuffle)


# %% name="shuffle-run" tags=["tools"] predict="Trained on shuffled pixels: will it read more than the plain network, as much, or less? And pushed digits?"
# Both networks on the same test digits, the plain one beside them, and a sign test between shuffled and plain.
def read_shuffled(images):
    return alexnet(scrambled, shuffle(images) - mean)[0].argmax(axis=1)


by_all = {"pixels in order": readers["convolutional"], "pixels shuffled": read_shuffled, "plain": readers["plain"]}
reads = {name: read(test_images) == test_labels for name, read in by_all.items()}
for name, read in by_all.items():
    print(f"{name:16} {reads[name].mean():.1%}, pushed by two pixels {read_pushed(read, 2):.1f} %")
p = chance(reads["pixels shuffled"], reads["plain"])
print(f"pixels shuffled against plain: p = {p:.1g}, {'a difference' if p < 0.05 else 'cannot tell'}")
assert reads["pixels shuffled"].mean() < reads["plain"].mean()
assert p < 0.05
assert read_pushed(read_shuffled, 2) < read_pushed(readers["plain"], 2)


# %% [markdown] name="shuffle-meaning"
# And that answers the question of the opening. With its neighbours torn apart, the convolutional network is not merely
# as good as a plain one: it is worse, on digits as they are and on pushed ones. Its filters go on asking whether there
# is a stroke *here*, and *here* are 25 pixels from all over the picture. What the convolution knew, and what nobody had
# told it by example, is which pixels are neighbours, and that a stroke is the same stroke one place further. Where that
# is true it is a gift. Where it is not, it stands in the way.

# %% [markdown] name="filters-text"
# ## What has it learned to look for?
#
# The paper's figure 3 shows the first layer's filters after training: edges in all directions, and spots of colour.
# Random filters look interesting too, and a picture of filters alone proves nothing. So put the untrained ones beside
# the trained ones. Blue weights are above 0, orange ones below: a filter answers loudly where there is ink under the
# blue and none under the orange. The number is the correlation of neighbouring weights. In noise it is about 0; a
# filter that looks for strokes or edges has runs of similar weights.

# %% name="filters" tags=["tools"] include="groundup.lessons.p07_alexnet.figures:draw_filters groundup.lessons.p07_alexnet.experiment:smoothness"
# `draw_filters` draws them, `smoothness` is the correlation of neighbouring weights.
from groundup.lessons.p07_alexnet.experiment import smoothness
from groundup.lessons.p07_alexnet.figures import draw_filters

# %% name="filters-figure" alt="The sixteen 5 by 5 filters of the first layer before training, which look like noise, and after training, on the same scale: orange below 0, blue above."
before, after = untrained["conv1"]["weight"], params["conv1"]["weight"]
largest = float(max(np.abs(before).max(), np.abs(after).max()))
fig, axes = figure(9.6, 2.0, columns=2)
draw_filters(axes[0], before, f"Untrained: correlation {smoothness(before):.2f}", largest)
draw_filters(axes[1], after, f"Trained: correlation {smoothness(after):.2f}", largest, bar="weight")

# %% [markdown] name="maps-text"
# Some of the trained filters have a blue side and an orange one: edges, each in its own direction, as in the paper.
# Most are hard to read, and answers say more than weights. Move the slider: left a test digit, in the middle a
# filter, right its answers at its $14 \cdot 14$ places, before the ReLU. Filter 1 is blue on the left and orange on the
# right. At which side of a stroke will it answer loudest? Guess, then look.

# %% name="filter-frames" alt="A handwritten digit, one of the trained filters, enlarged, and the map of the filter's answers over the digit: blue where the digit has what the filter asks for, orange where it has the opposite."
answers, _ = conv2d(test_images[:1], after, np.zeros(len(after), after.dtype), 2, 2)  # (1, 14, 14, filters)


def one_filter(axes, number):
    board = np.zeros((28, 84))  # digit, filter (4 times as large) and answers (twice), each as bright as it gets
    board[:, :28] = test_images[0, :, :, 0]
    board[4:24, 32:52] = np.kron(after[number - 1, 0] / np.abs(after[number - 1]).max(), np.ones((4, 4)))
    board[:, 56:] = np.kron(answers[0, :, :, number - 1] / np.abs(answers).max(), np.ones((2, 2)))
    heatmap(axes, board, title=f"Digit, filter {number}, its answers", low=-1, high=1)
    for left, top, side in ((-0.5, -0.5, 28), (31.5, 3.5, 20), (55.5, -0.5, 28)):
        right, bottom = left + side, top + side
        axes.plot(
            [left, right, right, left, left], [top, top, bottom, bottom, top], "-", color="#8b939e", clip_on=False
        )
    axes.set(xticks=[], yticks=[])


fig = frames("filter", list(range(1, 9)), one_filter, width=6.6, height=2.6, shown=(0, 5))


# %% [markdown] name="deeper-text" tags=["second"]
# ### What the layers behind make of it
#
# This is what the network makes of that digit. Left, the 16 maps of the first block after the ReLU; right, the 32
# of the second, which start from the pooled first ones and are only 7×7. Most squares are empty, partly because most of
# the picture is, and partly because a ReLU shows where a filter found what it asks for, and never where it found the
# opposite.

# %% name="deeper" alt="The sixteen 14 by 14 maps of the first convolution and the thirty-two 7 by 7 maps of the second for one digit, after the ReLU."
first_maps = np.maximum(conv2d(test_images[:1] - mean, after, params["conv1"]["bias"], 2, 2)[0], 0)
first_block, _ = conv_block(params["conv1"], test_images[:1] - mean, 2)
second_maps = np.maximum(conv2d(first_block, params["conv2"]["weight"], params["conv2"]["bias"], 1, 1)[0], 0)
fig, axes = figure(9.6, 2.6, columns=2)
for place, maps, title in ((axes[0], first_maps, "First block"), (axes[1], second_maps, "Second block")):
    silent = np.mean(maps == 0)
    draw_filters(place, maps.transpose(3, 0, 1, 2), f"{title}: {silent:.0%} of the answers are 0", float(maps.max()))

# %% [markdown] name="race-text" tags=["second"]
# ## ReLU against tanh (the paper's figure 1)
#
# The slope of tanh goes to 0 for large inputs: the unit **saturates**, and then hardly any gradient passes. ReLU,
# $\max(x, 0)$, has slope 1 wherever it is on. In the paper, a convolutional network of four layers reached 25 %
# training error on the small photographs of CIFAR-10 six times faster with ReLU. Here is the same race on our digits:
# no dropout, no augmentation, and for each activation the rate that is fastest on validation digits. Then five fresh
# starts each, as the experiment ran them.

# %% name="race" tags=["tools"] alt="Training error of ReLU and tanh networks against epochs: median and range of five starts, with a line at 25 percent."
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
share = found["metrics/share of saturated tanh units after the race"]
print(f"tanh units of the first layer beyond ±0.95, after the race: {share:.1%}")

fig, axes = figure(6.8, 3.6)
axes.axhline(25, color="#8b939e", linewidth=1, linestyle=":")
band(axes, epochs, lines, "epochs (once through all training digits)", "training error (%)", "The race to 25 %")

# %% [markdown] name="race-meaning"
# A miss, and a clear one: tanh wins in all five runs of the experiment. What we measured of the reason is only this:
# the paper explains the speed of ReLU by saturation, and here saturated units are rare even at the end, so there is
# little for ReLU to save us from. Why tanh is even *faster* we did not test. The paper's race was another one: more
# layers, harder pictures, other starting weights. A result belongs to the conditions under which it was measured.

# %% [markdown] name="ablation-text" tags=["second"]
# ## Dropout and augmentation, on and off
#
# With all 6,000 digits little is left to improve. So take away most of them and keep 20 of each digit, 200 in all. Now
# the network **overfits**: it gets all 200 right and others wrong. Its error on *held-out* digits, those that it was
# not trained on, shows what dropout and augmentation are worth. The curves are means over two draws of 200 digits,
# shared by all four networks.

# %% name="ablation" tags=["tools"] alt="Error on held-out digits over training from 200 digits, for four networks: with neither, with dropout, with augmentation, with both."
# The four trainings as the experiment ran them.
few = measured("p07_alexnet", "curves/neither-*", "curves/dropout-*", "curves/augmentation-*", "curves/both-*")
held_out = {}
for arm in ("neither", "dropout", "augmentation", "both"):
    draws = [few[f"curves/{arm}-{draw}"]["held-out error"] for draw in (0, 1)]
    held_out[arm] = 100 * np.mean(draws, axis=0)
    print(f"{arm:13} {held_out[arm][-1]:5.2f} % of the held-out digits wrong")

fig, axes = figure(6.8, 3.6)
steps = few["curves/neither-0"]["step"]
lines = {arm: errors[1:] for arm, errors in held_out.items()}
curves(axes, steps[1:], lines, "step", "error on held-out digits (%)", "Trained on 20 of each digit")

# %% [markdown] name="ablation-meaning"
# Over five runs: augmentation on top of dropout lowers the error every time. Dropout alone does so in four of the five,
# but by so little that we cannot tell it from nothing. And in the run above the network with augmentation *alone* is
# ahead of the one with both. The paper calls both measures necessary, and its network has 60 million parameters to keep
# in check, not 89 thousand.
#
# How far should one push? Perhaps half a pixel tells the network nothing. That can be tried.

# %% name="sizes" tags=["tools"]
# The same training, all with dropout and augmentation, by how far the digits are pushed at most.
kept = measured("p07_alexnet", "metrics/held-out error of the ablation")["metrics/held-out error of the ablation"]
for pixels in ("0.5", "1", "2", "4"):
    errors = kept["both" if pixels == "2" else f"both, moves of {pixels}"]
    print(f"pushed by up to {pixels:3} pixels: {100 * np.mean(errors):5.2f} % of the held-out digits wrong")

# %% [markdown] name="sizes-meaning"
# The smallest pushes, a fifty-sixth of the width, help as much as those by two pixels: even half a pixel tells the
# network something. Too large ones do harm: at four pixels it errs more than without any augmentation. (One run, with
# two draws of digits.)

# %% [markdown] name="break-it"
# ## Break it
#
# The trained network stands there, so take things away from it. Remove every ReLU: what is left is nearly a chain of
# sums of products (only the norm and the pooling still bend it). Silence filters of the first layer, by setting weights
# and bias to 0: each one alone, and then eight of the sixteen. Mirror the digits.


# %% name="break-it-run" tags=["tools"] predict="No ReLU; one filter silenced; eight silenced; mirrored. Which hurts most, and which least?"
# What is left of the trained network, on the first 1,000 test digits.
def silenced(filters):
    changed = map_tree(np.copy, params)
    for leaf in changed["conv1"].values():
        leaf[filters] = 0
    return changed


def share_read(tree, images, **options):
    return np.mean(alexnet(tree, images - mean, **options)[0].argmax(axis=1) == test_labels[: len(images)])


some = test_images[:1000]
one_by_one = [share_read(silenced([each]), some) for each in range(16)]
without = share_read(params, some, activation=lambda x: (x, None))
half, mirrored = share_read(silenced(np.arange(8)), some), share_read(params, some[:, :, ::-1])
print(f"as trained              {share_read(params, some):.1%}")
print(f"without any ReLU        {without:.1%}")
print(f"one filter silenced     from {min(one_by_one):.1%} to {max(one_by_one):.1%}")
print(f"filters 1 to 8 silenced {half:.1%}")
print(f"mirrored digits         {mirrored:.1%}")
assert mirrored < without < 0.82
assert min(half, *one_by_one) > 0.9


# %% [markdown] name="break-it-words"
# Did you expect that any one filter, and even eight of the sixteen, can be spared? The ReLUs cannot: without them every
# fifth digit is lost. (In this trained network. One might still have *trained* it without.) And a mirror is worse than
# all of that.
#
# **Four things that people believe.** *"AlexNet invented the convolutional network."* Such networks are older; see the
# history above. *"A convolution makes a network blind to moves."* Its maps move along, and what comes behind sees the
# difference: look at the curve at six pixels. *"The filters have become edge detectors, so the network needs each
# of them."* See how little is lost when you silence one. *"The parameters are where the work
# is."* In AlexNet it is the other way round: look at the table.

# %% [markdown] name="findings" tags=["findings"]
# ## Measured
#
# The findings of this lesson, measured at full size over several seeds, stand here in the built notebook. To measure
# them yourself: `groundup run 07`. With your own pictures, a folder for each class: `groundup run 07 --images FOLDER`.

# %% [markdown] name="findings-words"
# The text above tells of the first of five runs, the table of all five. Its first row is about the network that was
# *shown* pushes, with the mean over views: it aims at 98 %, and in three of five runs falls a few digits short.
#
#
# And the paper's own numbers? On the photographs of 2010, whose test labels are known, one network erred on 17.0 % (top
# 5) and 37.5 % (top 1), where the best published after that contest had 25.7 % and 45.7 %. On those of
# 2012, one network had 18.2 % (top 5, on the validation photographs), the mean of five networks 16.4 % on the test, and
# seven, two of which had first been trained on all of ImageNet, 15.3 %.
#
# What can these small digits not show? Depth: an answer of our second pooling sees 25 of the 28 pixels, and more layers
# would have little left to put together. Colour, a thousand classes, and photographs in which the thing can be anywhere
# and of any size. There a lookup by pixels is hopeless, and a few points are a triumph.

# %% [markdown] name="take-away"
# ## What to take away
#
# - A convolution shares its weights over all places: few parameters, and a picture that moves gives maps that move.
# - It is a matrix product after im2col. Its gradients are (3) and (4): $dY^\top X$, and col2im of $dY K$.
# - Max pooling routes the gradient to the winner. Where windows overlap, gradients add up.
# - In AlexNet the fully connected layers hold the parameters, and the convolutions do the work.
# - Augment only in ways that keep the label. Dropout belongs to training; forgetting to switch it off at test time is a
#   common bug.
# - Compare readers on the same examples, by those on which they disagree. Often the answer is "cannot tell".
#
# **Asked in interviews**
#
# - *How large is the output of a convolution?* $\lfloor (H + 2m - k)/s \rfloor + 1$ along each axis, with padding $m$
#   and stride $s$. AlexNet's first: $\lfloor (224 + 4 - 11)/4 \rfloor + 1 = 55$.
# - *How many parameters has it?* $O\,(C k^2 + 1)$, whatever the size of the picture. How many multiplications? The
#   weights times the places.
# - *What is the backward of a convolution?* For the input it is again a convolution, of $dY$ with the flipped filter,
#   over a frame of zeros; col2im does just that. For the weights: every place's window times its slope, added up.
# - *What is a receptive field, and how does it grow?* The patch of the input that one answer depends on. A window $k$
#   wide adds $k - 1$ steps, a step being the product of the strides so far. AlexNet's last pooling sees 195 of 224 pixels.
# - *Equivariant or invariant?* Convolution is equivariant to moves (up to borders and strides). Pooling gives a little
#   invariance; global pooling would give much.
# - *Why two 3×3 convolutions in place of a 5×5?* They see the same patch, with $18$ weights for each pair of channels
#   against $25$, and a bend between them. That was VGG's idea in 2014.
# - *Where does dropout go, and what changes at test time?* On the hidden fully connected layers here; nothing is
#   dropped at test time, and with division by $1-r$ in training nothing is rescaled either.
# - *Convolution or cross-correlation?* Mathematicians flip the filter first. Formula (1) does not, and as the filter is
#   learned it makes no difference.
#
# **Common bugs**: flattening in another order than the weights were trained for. `model.eval()` forgotten. A mean taken
# over test pictures. Mirrored digits. An `=` in `col2im`.
#
# **Where it leads**: VGG made it deeper, ResNet deeper still with the residual sums of lesson `tiny_decoder`, and the
# vision transformer (lesson `attention_is_all_you_need`) did without convolutions.

# %% [markdown] name="torch" tags=["torch"]
# ## In PyTorch
#
# At work you would write the network as an `nn.Module` and let autograd find every backward of this lesson. What does
# the framework do for you? It picks a fast convolution for your machine, keeps the tape and carries the parameters.
# What does it hide? `nn.Conv2d` wants $(N, C, H, W)$, so `forward` begins with a permutation; `LocalResponseNorm`
# divides the sum over its five maps by 5, so its `alpha` is five times ours; and `model.train()` and `model.eval()`
# switch dropout: forget the second, and your test error is that of a network with holes. The tests compare both tracks:
# outputs, gradients, and twenty steps of training agree to 1e-8.

# %% name="twin" tags=["torch"] show="AlexNet classification_loss" include="groundup.lessons.p07_alexnet.twin:AlexNet groundup.lessons.p07_alexnet.twin:classification_loss groundup.plots:figure groundup.plots:curves"
from groundup.lessons.p07_alexnet.twin import AlexNet, classification_loss
from groundup.plots import curves, figure

# %% [markdown] name="twin-words" tags=["torch"]
# The same recipe as above: 1,500 steps of 32 digits, dropout 0.3, momentum 0.9, weight decay 0.0005, and a rate that
# falls from 0.05 to 0 along half a cosine. PyTorch's `CosineAnnealingLR` is that very curve. Only the random numbers
# are others.

# %% name="twin-train" tags=["torch"]
import torch

torch.manual_seed(1)
rng, steps = np.random.default_rng(1), 1500
model = AlexNet(size=28, channels=1, classes=10, dropout=0.3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)  # (8)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)


@torch.no_grad()
def wrong(images, labels):
    model.eval()
    return (model(torch.from_numpy(images - mean)).argmax(1).numpy() != labels).mean()


history = {"step": [], "validation": []}
for step in range(1, steps + 1):
    model.train()
    rows = rng.choice(len(train_labels), size=32, replace=False)
    images = torch.from_numpy(train_images[rows] - mean)
    loss = classification_loss(model(images), torch.from_numpy(train_labels[rows]))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()  # (8)
    scheduler.step()
    if step % 150 == 0:
        history["step"].append(step)
        history["validation"].append(100 * wrong(validation_images, validation_labels))


# %% name="twin-curve" tags=["torch"] alt="Validation error of the PyTorch network in percent against the step."
fig, axes = figure(6.8, 3.4)
curves(axes, history["step"], {"validation": history["validation"]}, "step", "error (%)", "The twin in training")
print(f"test accuracy {1 - wrong(test_images, test_labels):.2%}")
