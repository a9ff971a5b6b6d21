# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: tags,include,show,beside,measures,predict,name,alt,-all
#     notebook_metadata_filter: kernelspec,lesson,-all
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lesson:
#     title: NumPy and PyTorch for deep learning
# ---

# %% [markdown] name="title"
# # NumPy and PyTorch for deep learning
#
# *Start here. You need Python, school calculus (what a derivative is) and nothing else.*
#
# A deep learning library does two things: arithmetic on arrays, and derivatives of that arithmetic. In this lesson
# you build the second on top of the first. You will
#
# 1. handle **arrays**: shapes, and broadcasting;
# 2. derive **gradients** by hand, for a sum, a product, a matrix product and a loss, each with its numbers;
# 3. put them together into a **network** that reads handwritten digits, and check its gradient by nudging;
# 4. **train** it;
# 5. write a **tape** in fewer than 100 lines that finds all gradients by itself, as PyTorch does;
# 6. look up **what PyTorch's calls compute**, line by line, in NumPy.
#
# Change any cell and run it again: the functions that you see are the ones that run. For the theory behind step 5,
# with its history, read [Baydin et al. 2018](https://arxiv.org/abs/1502.05767).

# %% name="imports" tags=["shared"]
import math

import numpy as np

# %% [markdown] name="digits" tags=["shared"]
# ## Pictures are arrays
#
# The data are 1,797 digits that people wrote by hand, scanned to 8 × 8 pixels. A pixel is a number: 0 is paper,
# 1 is ink. The digits are dealt out at random into three parts. We *train* on the first, look at *validation* while
# we work, and measure once at the end on *test*, which nothing was fitted to.

# %% name="digits-data" tags=["shared", "tools"] include="groundup.data.digits:load_digits groundup.data.digits:split_digits"
# `load_digits` reads the digits, `split_digits` deals them out to training, validation and test.
from groundup.data.digits import load_digits, split_digits

# %% name="digits-parts" tags=["shared"]
parts = split_digits(load_digits())
train, validation, test = parts
for name, part in parts._asdict().items():
    print(f"{name:12}images {part.images.shape} {part.images.dtype}, labels {part.labels.shape} {part.labels.dtype}")

# %% name="digits-style" tags=["shared", "tools"] include="groundup.plots:figure groundup.plots:curves groundup.plots:describe"
# Figures, curves and labels in one style.
from groundup.plots import curves, describe, figure

# %% name="digits-picture" alt="Ten handwritten digits of 8 by 8 pixels, each with its label above it."
fig, row_of_axes = figure(9, 1.3, columns=10)
for place, axes in enumerate(row_of_axes):
    axes.imshow(train.images[place], cmap="Greys")
    axes.set_axis_off()
    describe(axes, title=str(train.labels[place]))

# %% [markdown] name="shapes"
# ## Shapes
#
# An array is a block of numbers with a **shape**. `train.images` has three **axes**: which picture, which row, which
# column. Most mistakes in deep learning are mistakes about shapes, so say the shape of every array aloud, or write
# it beside the line, as these lessons do.
#
# - `x.reshape(...)` keeps the numbers in their order and changes the shape. A network that does not care where
#   pixels lie takes each picture as one row of 64 numbers.
# - `x.sum(axis=0)` adds up *along* axis 0, and that axis disappears.
# - `x @ y` is the matrix product: (rows, inner) @ (inner, columns) gives (rows, columns).

# %% name="shapes-code"
pixels = train.images.reshape(len(train.images), -1)  # (N, 8, 8) -> (N, 64); -1 means "whatever is left"
print("pixels", pixels.shape)
print("pixels.mean(axis=0)", pixels.mean(axis=0).shape, "the average picture")
print("pixels.mean(axis=1)", pixels.mean(axis=1).shape, "the average ink of each picture")
print("pixels @ pixels.T", (pixels @ pixels.T).shape, "every picture times every other")

# %% [markdown] name="broadcasting"
# ## Broadcasting
#
# `pixels - pixels.mean(axis=0)` subtracts a (64,) from an (N, 64). NumPy stretches the smaller array, by this rule:
#
# > Write the two shapes one below the other, aligned **at the right**. Missing axes count as 1. Two sizes fit if they
# > are equal or one of them is 1; an axis of size 1 is used again and again, as if it had been copied.
#
# ```
# pixels               N x 64          column        4 x 1
# pixels.mean(axis=0)      64          row               3
# result               N x 64          result        4 x 3
# ```
#
# The same rule has a famous trap. Predictions of shape (N, 1) minus targets of shape (N,) give (N, N): every
# prediction minus every target. No error is raised and the loss even falls, but to the wrong place.

# %% name="broadcasting-code" predict="A (3, 1) array minus a (3,) array: which shape comes out?"
column, row = np.array([[0.0], [10.0], [20.0], [30.0]]), np.array([1.0, 2.0, 3.0])
print(column + row)

prediction, target = np.array([[1.0], [2.0], [3.0]]), np.array([1.0, 2.0, 3.0])  # perfect predictions
print("(3, 1) - (3,):", (prediction - target).shape, "mean square", ((prediction - target) ** 2).mean())
print("(3,)   - (3,):", (prediction[:, 0] - target).shape, "mean square", ((prediction[:, 0] - target) ** 2).mean())

# %% [markdown] name="slope"
# ## What a gradient is
#
# Training is a search. A model has numbers that can be turned, its **parameters**. A **loss** $L$ says how wrong the
# model is: one number, the smaller the better. For every parameter we want to know: *if I turn it up a little, how
# much does the loss change?* That ratio is the derivative $\partial L/\partial w$. All of them together are the
# **gradient**. Then turn every parameter a little against its derivative, and repeat. That is gradient descent.
#
# Take the smallest model there is: $y = wx + b$ with $w = 2$, $b = 1$, input $x = 3$ and wanted answer $t = 5$. Let
# the loss be $L = (y - t)^2$. Forward:
#
# $$y = 2 \cdot 3 + 1 = 7, \qquad L = (7 - 5)^2 = 4$$
#
# Backward, from the loss to the parameters, one step at a time. This is the **chain rule**: multiply the
# derivatives along the way.
#
# $$\frac{\partial L}{\partial y} = 2(y - t) = 4, \qquad
#   \frac{\partial L}{\partial w} = \frac{\partial L}{\partial y}\,\frac{\partial y}{\partial w} = 4 \cdot x = 12, \qquad
#   \frac{\partial L}{\partial b} = \frac{\partial L}{\partial y}\,\frac{\partial y}{\partial b} = 4 \cdot 1 = 4 \tag{1}$$
#
# ![The computation of the loss as a graph: values 6, 7, 2 and 4 go forward, gradients 4 and 12 come back to b and w.](diagram:chain)
#
# You need not believe it. Nudge $w$ and $b$ by a tiny $h$ both ways, and see how much the loss moves.


# %% name="slope-code"
def tiny_loss(w, b):
    return (w * 3 + b - 5) ** 2


h = 1e-5
by_nudge = (
    (tiny_loss(2 + h, 1) - tiny_loss(2 - h, 1)) / (2 * h),
    (tiny_loss(2, 1 + h) - tiny_loss(2, 1 - h)) / (2 * h),
)
print(f"dL/dw = {by_nudge[0]:.6f}, dL/db = {by_nudge[1]:.6f}")
assert np.allclose(by_nudge, (12, 4))

# %% [markdown] name="convention"
# ## The one convention: value and backward
#
# Look at how (1) was made. Every operation did two things. Going forward it computed its value. Going backward it
# took $\partial L/\partial(\text{its value})$, which came from above, and turned it into
# $\partial L/\partial(\text{its argument})$. It did not need to know what comes later or what came before.
#
# So write every operation as a function that returns **two things**: its value, and a function `backward` that turns
# one gradient into the other. In all these lessons:
#
# ```python
# y, backward = operation(x, ...)
# dx = backward(dy)                  # dy stands for ∂L/∂y, and dx for ∂L/∂x
# ```
#
# `backward` remembers what it needs from the forward pass. (A function that remembers is called a *closure*.) To
# differentiate a composition, call the closures in reverse order. That is all of back-propagation.


# %% name="convention-code"
def scale(x, w):
    return x * w, lambda dy: (dy * w, dy * x)  # (1) returns dx and dw, in the order of the arguments


def shift(x, b):
    return x + b, lambda dy: (dy, dy)  # (1)


def square(x):
    return x * x, lambda dy: dy * 2 * x  # (1)


product, scale_backward = scale(3.0, 2.0)
y, shift_backward = shift(product, 1.0)
loss, square_backward = square(y - 5.0)

dy = square_backward(1.0)  # (1) dL/dL = 1: this is where every backward pass begins
d_product, db = shift_backward(dy)  # (1)
dx, dw = scale_backward(d_product)  # (1)
print(f"loss {loss}: dL/dw = {dw}, dL/db = {db}, and for free dL/dx = {dx}")
assert (dw, db) == (12, 4)

# %% [markdown] name="arrays"
# ## The same for arrays
#
# Let $y = a \cdot b$, element by element. Element $i$ of $y$ depends only on elements $i$ of $a$ and $b$, so the rule for
# numbers holds for each: $da_i = dy_i\, b_i$. An array's gradient always has **the array's own shape**, because
# every number in it has one derivative.
#
# Broadcasting needs a second thought. In `x + row` one number `row[j]` went into many results. Turn it up a
# little, and all of them move: by the chain rule for several paths, the effects **add up**. With
# $y_{ij} = x_{ij} + r_j$,
#
# $$\frac{\partial L}{\partial r_j} = \sum_i \frac{\partial L}{\partial y_{ij}}\,\frac{\partial y_{ij}}{\partial r_j}
#   = \sum_i \frac{\partial L}{\partial y_{ij}} \tag{2}$$
#
# ![A row is used for two rows of the result; going back, the gradients of the two are added to one of the shape of the row.](diagram:broadcast)
#
# What was copied on the way out is summed on the way back. `unbroadcast` does it for any two shapes. And the other
# way round: a sum sends the same gradient to all of its summands, so **the backward of a sum is a broadcast**.

# %% name="arrays-code" show="unbroadcast add multiply" include="groundup.lessons.p00_numpy_and_pytorch.model:add groundup.lessons.p00_numpy_and_pytorch.model:multiply"
from groundup.lessons.p00_numpy_and_pytorch.model import add, multiply

# %% name="arrays-example"
x, row = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), np.array([10.0, 20.0, 30.0])
_, backward = add(x, row)
dy = np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])  # a made-up gradient from above
dx, d_row = backward(dy)
print("d_row", d_row, "= the sums of dy's columns; its shape is row's:", d_row.shape)
assert np.array_equal(d_row, [11, 22, 33])

# %% [markdown] name="matmul"
# ## The gradient of a matrix product, on a 2 × 2
#
# This is the one derivation to know by heart; interviewers ask for it. Let $C = AB$:
#
# $$\begin{aligned}
#   c_{11} &= a_{11}b_{11} + a_{12}b_{21} & c_{12} &= a_{11}b_{12} + a_{12}b_{22}\\
#   c_{21} &= a_{21}b_{11} + a_{22}b_{21} & c_{22} &= a_{21}b_{12} + a_{22}b_{22}
# \end{aligned}$$
#
# Write $g_{ij}$ for $\partial L/\partial c_{ij}$. Where does $a_{12}$ appear? In $c_{11}$, times $b_{21}$, and in
# $c_{12}$, times $b_{22}$. The effects add up:
#
# $$\frac{\partial L}{\partial a_{12}} = g_{11}\,b_{21} + g_{12}\,b_{22}
#   \qquad\text{and likewise}\qquad
#   \frac{\partial L}{\partial a_{11}} = g_{11}\,b_{11} + g_{12}\,b_{12} \tag{3}$$
#
# Row 1 of $G$ times row 2 of $B$; row 1 of $G$ times row 1 of $B$. Rows times rows is a product with the transpose.
# Doing the same for the elements of $B$ gives columns times columns:
#
# $$\frac{\partial L}{\partial A} = G\,B^\top, \qquad \frac{\partial L}{\partial B} = A^\top G \tag{4}$$
#
# For any sizes it is the same count: $c_{ij} = \sum_k a_{ik} b_{kj}$, so $a_{ik}$ meets $b_{kj}$ in every $c_{ij}$ of row
# $i$, and $\partial L/\partial a_{ik} = \sum_j g_{ij} b_{kj} = (G B^\top)_{ik}$. To remember (4), look at the shapes: $A$ is
# $(n, m)$, $G$ is $(n, p)$, $B$ is $(m, p)$, and there is only one way to make an $(n, m)$ from $G$ and $B$.
#
# With numbers: $A = \begin{pmatrix}1&2\\3&4\end{pmatrix}$, $B = \begin{pmatrix}5&6\\7&8\end{pmatrix}$,
# $G = \begin{pmatrix}1&0\\0.5&-1\end{pmatrix}$. By (3), $\partial L/\partial a_{12} = 1 \cdot 7 + 0 \cdot 8 = 7$. All of (4):
#
# $$G B^\top = \begin{pmatrix}5&7\\-3.5&-4.5\end{pmatrix}, \qquad A^\top G = \begin{pmatrix}2.5&-3\\4&-4\end{pmatrix}$$

# %% name="matmul-code" include="groundup.lessons.p00_numpy_and_pytorch.model:numerical_gradient"
from groundup.lessons.p00_numpy_and_pytorch.model import numerical_gradient

# %% name="matmul-numbers"
A, B = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[5.0, 6.0], [7.0, 8.0]])
G = np.array([[1.0, 0.0], [0.5, -1.0]])
print("by hand:\n", G @ B.T, "\n", A.T @ G)  # (4)
# With L = Σ g c the gradient of L with respect to C is G: so L can be nudged.
nudged_a = numerical_gradient(lambda A: (G * (A @ B)).sum(), A)
nudged_b = numerical_gradient(lambda B: (G * (A @ B)).sum(), B)
print("by nudges:\n", nudged_a.round(6), "\n", nudged_b.round(6))
assert np.allclose(G @ B.T, [[5, 7], [-3.5, -4.5]])
assert np.allclose(A.T @ G, [[2.5, -3], [4, -4]])
assert np.allclose(nudged_a, G @ B.T)
assert np.allclose(nudged_b, A.T @ G)

# %% [markdown] name="linear"
# ## The linear layer
#
# A layer with weights $W$ (outputs × inputs) and bias $b$ computes $y = xW^\top + b$ for every row $x$ of a batch. Its
# backward is (4), with $W^\top$ for $B$, and (2) for the bias, which was broadcast over the rows. Read `linear` and
# find the three lines.

# %% name="linear-code" beside="linear" include="groundup.ops.linear:linear"
from groundup.ops.linear import linear

# %% [markdown] name="relu"
# ## ReLU
#
# Two linear layers in a row are one linear layer, because $(xA)B = x(AB)$. Something bent has to stand between them.
# The usual choice is $\operatorname{ReLU}(x) = \max(x, 0)$: its slope is 1 where $x > 0$, and 0 where $x < 0$. So its
# backward lets a gradient through where the input was positive, and stops it elsewhere.

# %% name="relu-code" include="groundup.ops.activations:relu"
from groundup.ops.activations import relu

# %% [markdown] name="cross-entropy"
# ## The loss
#
# For a picture the network gives ten numbers $z_0 \dots z_9$, the **logits**. The **softmax** makes probabilities of
# them, and the loss is minus the logarithm of the probability of the right label $t$, the **cross-entropy**:
#
# $$p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}, \qquad L = -\log p_t = -z_t + \log \sum_j e^{z_j} \tag{5}$$
#
# Certain and right costs nothing. Guessing evenly among ten costs $\log 10 \approx 2.303$: an untrained network
# should start near there, and if yours does not, something is wrong. The gradient is the nicest in the field.
# Differentiate both terms of (5):
#
# $$\frac{\partial L}{\partial z_k} = -[k = t] + \frac{e^{z_k}}{\sum_j e^{z_j}} = p_k - [k = t] \tag{6}$$
#
# where $[k = t]$ is 1 for the right label and 0 for the others. In words: *what the network said, minus what it
# should have said*. For a batch of $B$ pictures the loss is the mean, so every gradient is divided by $B$.
#
# By hand, with logits $(2, 1, 0)$ and label 0: $e^2 + e^1 + e^0 = 11.107$, so $p = (0.665, 0.245, 0.090)$, the loss is
# $-\log 0.665 = 0.408$, and the gradient is $(-0.335, 0.245, 0.090)$. It sums to 0: adding the same to all logits
# changes nothing. That is also why we may subtract the largest logit first, so that no exponential can overflow.


# %% name="cross-entropy-by-hand"
def simple_cross_entropy(logits, labels):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))  # (5)
    p = e / e.sum(axis=1, keepdims=True)  # (5) (B, K)
    rows = np.arange(len(labels))
    loss = -np.log(p[rows, labels]).mean()  # (5)

    def backward(dloss=1.0):
        d_logits = p.copy()  # (6)
        d_logits[rows, labels] -= 1  # (6)
        return d_logits * (dloss / len(labels))

    return loss, backward


loss, backward = simple_cross_entropy(np.array([[2.0, 1.0, 0.0]]), np.array([0]))
print(f"loss {loss:.3f}, gradient {backward().round(3)}")
assert round(loss, 3) == 0.408
assert np.allclose(backward(), [[-0.335, 0.245, 0.090]], atol=5e-4)

# %% [markdown] name="library-cross-entropy" tags=["shared"]
# The library's `cross_entropy`, which all later lessons use, is the same with more care for odd input and two options
# that come later. The lines that matter are those with $p - q$.

# %% name="library-cross-entropy-code" tags=["shared"] include="groundup.ops.losses:cross_entropy"
from groundup.ops.losses import cross_entropy

# %% name="cross-entropy-compare"
some_logits, some_labels = np.random.default_rng(0).normal(size=(5, 10)), np.arange(5)
mine, theirs = simple_cross_entropy(some_logits, some_labels), cross_entropy(some_logits, some_labels)
print("losses", mine[0], theirs[0], " largest difference of the gradients", np.abs(mine[1]() - theirs[1]()).max())

# %% [markdown] name="network" tags=["shared"]
# ## The network
#
# A *multi-layer perceptron*: 64 pixels, a linear layer, ReLU, a linear layer, 10 logits. Read `backward` from top to
# bottom beside the forward lines from bottom to top: the same operations in reverse order. The parameters are
# a *tree*, here a dict of dicts, and so is their gradient.

# %% name="network-code" tags=["shared"] show="init mlp" include="groundup.lessons.p00_numpy_and_pytorch.model:init groundup.lessons.p00_numpy_and_pytorch.model:mlp groundup.training.params:map_tree groundup.training.params:flatten"
from groundup.lessons.p00_numpy_and_pytorch.model import init, mlp
from groundup.training.params import flatten, map_tree

# %% name="network-shapes" predict="Ten classes and an untrained network: what is its loss, about?"
params = init(np.random.default_rng(0))
for name, leaf in flatten(params).items():
    print(f"{name:16}{leaf.shape}")
logits, _ = mlp(params, train.images)
start_loss, _ = cross_entropy(logits, train.labels)
print(
    f"{sum(leaf.size for leaf in flatten(params).values()):,} parameters; untrained loss {start_loss:.3f}, log 10 = {math.log(10):.3f}"
)

# %% [markdown] name="check"
# ## Is the gradient right?
#
# A wrong gradient raises no error. The network trains a little worse and you never learn why. So check. Nudging
# each parameter alone takes two forward passes for each of them: thousands. (Backward finds all derivatives at once,
# for about twice the arithmetic of one forward pass, because a matrix product has two in its backward. That is why
# we bother.) A cheaper test is to nudge **all parameters together**, along a random direction $d$. The loss then has
# the slope
#
# $$\frac{L(w + hd) - L(w - hd)}{2h} \;\approx\; \sum_i \frac{\partial L}{\partial w_i}\, d_i \tag{7}$$
#
# and one wrong number anywhere in the gradient shows with near certainty.

# %% name="check-code" tags=["tools"] include="groundup.training.params:leaves"
# `leaves` gives the arrays of a tree one by one.
from groundup.training.params import leaves

# %% name="check-run"
rng = np.random.default_rng(1)
precise = init(rng, dtype=np.float64)
images, labels = train.images[:64].astype(np.float64), train.labels[:64]


def digit_loss(params):
    logits, backward = mlp(params, images)
    loss, loss_backward = cross_entropy(logits, labels)
    return loss, backward(loss_backward())


_, gradients = digit_loss(precise)
for _ in range(3):
    direction = map_tree(lambda leaf: rng.normal(size=leaf.shape), precise)
    above = digit_loss(map_tree(lambda p, d: p + 1e-6 * d, precise, direction))[0]
    below = digit_loss(map_tree(lambda p, d: p - 1e-6 * d, precise, direction))[0]
    measured = (above - below) / 2e-6  # (7)
    predicted = sum(np.vdot(g, d) for g, d in zip(leaves(gradients), leaves(direction), strict=True))  # (7)
    print(
        f"slope measured {measured:+.9f}, predicted {predicted:+.9f}, relative error {abs(measured / predicted - 1):.1e}"
    )

# %% [markdown] name="v-theory"
# ## How small should the nudge be?
#
# "As small as possible" is wrong. Two errors pull in opposite directions. Let $f(h)$ be the loss after a nudge $h$.
#
# **Truncation.** Taylor's formula gives $f(\pm h) = f(0) \pm h f' + \tfrac{h^2}{2} f'' \pm \tfrac{h^3}{6} f''' + \dots$, all
# derivatives taken at 0. Subtract and divide by $2h$; the even terms cancel:
#
# $$\frac{f(h) - f(-h)}{2h} = f' + \frac{h^2}{6} f''' + \dots \tag{8}$$
#
# The error falls with $h^2$. The one-sided $\frac{f(h) - f(0)}{h} = f' + \frac{h}{2} f'' + \dots$ keeps an error that
# falls only with $h$. That is why we nudge both ways.
#
# **Rounding.** A float64 has 53 bits, so $f$ is off by about $\varepsilon |f|$ with $\varepsilon = 2^{-52} \approx 2.2 \cdot 10^{-16}$.
# Dividing by $2h$ blows that up to about $\varepsilon |f| / h$.
#
# Together the error is about $E(h) = \tfrac16 |f'''| h^2 + \varepsilon |f| / h$: on logarithmic axes a V with slopes 2 and $-1$. At
# the bottom the derivative of $E$ is zero:
#
# $$h_{\text{best}} = \left(\frac{3\,\varepsilon\,|f|}{|f'''|}\right)^{1/3} \sim \varepsilon^{1/3} \approx 6 \cdot 10^{-6} \tag{9}$$
#
# where the last step takes $f$ and $f'''$ to be of similar size. At the bottom the error is of the order of
# $\varepsilon^{2/3}$. Now measure. The loss is that of a network without hidden layer, which is smooth; a hundred random directions, the
# median error of each nudge.

# %% name="v-code" show="slope_errors" include="groundup.lessons.p00_numpy_and_pytorch.experiment:NUDGES groundup.lessons.p00_numpy_and_pytorch.experiment:linear_loss groundup.lessons.p00_numpy_and_pytorch.experiment:slope_errors groundup.lessons.p00_numpy_and_pytorch.experiment:v_slopes groundup.ops.init:linear_params"
from groundup.lessons.p00_numpy_and_pytorch.experiment import NUDGES, linear_loss, slope_errors, v_slopes
from groundup.ops.init import linear_params

# %% name="v-measure" alt="Relative error of the measured slope against the nudge: a V for central differences in float64, a shallower one for one-sided differences, and a high one for float32."
ways = {
    "float64, central": (np.float64, True),
    "float64, one-sided": (np.float64, False),
    "float32, central": (np.float32, True),
}
errors = {}
for name, (dtype, central) in ways.items():
    flat_pixels = images.reshape(64, -1).astype(dtype)
    start = linear_params(np.random.default_rng(2), 64, 10, dtype=dtype)
    errors[name] = slope_errors(
        lambda p, x=flat_pixels: linear_loss(p, x, labels), start, NUDGES, np.random.default_rng(3), 100, central
    )
fig, axes = figure(7.2, 4.2)
curves(axes, NUDGES, errors, "nudge h", "relative error of the slope", "How well a slope can be measured", log="xy")
axes.get_legend().set_loc("lower right")

# %% name="v-verdict"
exponents = v_slopes(errors["float64, central"])
as_derived = abs(exponents["truncation"] - 2) < 0.1 and abs(exponents["rounding"] + 1) < 0.1
print(f"truncation: error ~ h^{exponents['truncation']:.2f}; rounding: error ~ h^{exponents['rounding']:.2f}")
print("the exponents are", "as derived, 2 and -1" if as_derived else "not the 2 and -1 that we derived")
for name, error in errors.items():
    print(f"{name:20} best nudge {NUDGES[np.argmin(error)]:.0e}, error there {error.min():.0e}")

# %% name="frames-tool" tags=["tools"] include="groundup.plots:frames"
# A figure with a slider: one picture for each value of a number.
from groundup.plots import frames

# %% name="nudge-frames" alt="A smooth function around a point, magnified so that the nudges to both sides are always one unit long: bent for a large nudge, straight for a middling one, a staircase of rounded numbers for a tiny one."
at, true_slope = 1.0, math.exp(math.sin(1.0)) * math.cos(1.0)  # of e to the power of sin x, at x = 1


def magnified(axes, h):
    units = np.linspace(-3, 3, 241)
    change = (np.exp(np.sin(at + units * h)) - math.exp(math.sin(at))) / h
    left, right = ((math.exp(math.sin(at + sign * h)) - math.exp(math.sin(at))) / h for sign in (-1, 1))
    lines = {"true slope": true_slope * units, "f, as float64 has it": change}
    title = f"h = {h:.0e}: error {abs((right - left) / 2 - true_slope):.0e}"
    curves(axes, units, lines, "units of h", "change of f, in units of h", title)
    axes.plot([-1, 1], [left, right], "o-", color="#740f3c", markersize=6, label="measured slope")
    axes.set(xlim=(-3, 3), ylim=(-5, 5))
    axes.legend(loc="upper left")


nudges = [1.0, 0.3, 0.1, 1e-2, 1e-3, 1e-5, 1e-8, 1e-12, 1e-14, 1e-15, 3e-16]
fig = frames("nudge h", nudges, magnified, shown=(0, 5, 9))

# %% [markdown] name="v-lessons"
# Three rules follow, and all checks of these lessons keep them. Check gradients in **float64**: float32 has
# $\varepsilon \approx 1.2 \cdot 10^{-7}$, so (9) puts the bottom of its V near $h = 5 \cdot 10^{-3}$, with an error of some
# $10^{-5}$, in which a real mistake can hide; and a nudge that is too small is lost altogether ($w + hd = w$, so the measured
# slope is 0). Nudge **both ways**. Take $h$ **near the bottom**: $10^{-5}$ or so.
#
# And beware of **kinks**. Where a ReLU switches between $-h$ and $+h$, no nudge is right, because there are two slopes.

# %% name="kink"
at, h = 1e-4, 1e-3  # a point just right of the kink, and a nudge that reaches over it
measured = (max(at + h, 0) - max(at - h, 0)) / (2 * h)
print(
    f"ReLU at {at}: true slope 1, measured with h = {h}: {measured:.2f}; with h = 1e-5: {(max(at + 1e-5, 0) - max(at - 1e-5, 0)) / 2e-5:.2f}"
)

# %% [markdown] name="training"
# ## Training
#
# Draw 64 pictures at random, a *mini-batch*. Compute their loss and its gradient, take a step against it, and do it
# again: *stochastic gradient descent*. The only new number is the **learning rate** $\eta$, the length of the step:
#
# $$w \leftarrow w - \eta\, \frac{\partial L}{\partial w} \tag{10}$$
#
# All that is drawn at random comes from streams that have a seed and a name, so that this training is the very one
# that the table at the end calls seed 0.

# %% name="streams" tags=["tools"] include="groundup.training.streams:random_stream"
# `random_stream` gives random numbers by name: the same in every run.
from groundup.training.streams import random_stream

# %% name="train"
rate, steps = 0.5, 2000
params, rng = init(random_stream(0, "parameters")), random_stream(0, "training", "mlp")
history = {"step": [], "training": [], "validation": []}


def share_right(params, digits):
    return float(np.mean(mlp(params, digits.images)[0].argmax(axis=1) == digits.labels))


for step in range(1, steps + 1):
    rows = rng.integers(len(train.labels), size=64)
    logits, backward = mlp(params, train.images[rows])
    loss, loss_backward = cross_entropy(logits, train.labels[rows])
    gradients = backward(loss_backward())
    params = map_tree(lambda p, g: p - rate * g, params, gradients)  # (10)
    if step % 100 == 0:
        history["step"].append(step)
        history["training"].append(share_right(params, train))
        history["validation"].append(share_right(params, validation))
    if step in (1, 10, 100, 1000, steps):
        print(f"step {step}: loss of the batch {loss:.4f}")

# %% name="learning-curve" alt="Share of training and validation digits read correctly against the step."
fig, axes = figure(6.8, 3.6)
curves(
    axes,
    history["step"],
    {"training digits": history["training"], "validation digits": history["validation"]},
    "step",
    "share read correctly",
    "Learning to read digits",
)

# %% [markdown] name="baselines"
# ## Is that good?
#
# A number alone says nothing. Put simpler methods beside it, on the same test digits: the nearest of the ten average
# pictures; the label of the most similar training picture; and a network without hidden layer, trained in the same
# way. With $n$ test digits and a share $q$ read correctly, chance alone moves $q$ by about
# $\sqrt{q(1 - q)/n}$, its standard error. Do not celebrate a smaller difference.

# %% name="baselines-code" tags=["tools"] include="groundup.lessons.p00_numpy_and_pytorch.experiment:simple_guesses"
# `simple_guesses`: class means, a linear classifier, the nearest neighbour.
from groundup.lessons.p00_numpy_and_pytorch.experiment import simple_guesses

# %% name="baselines-compare" tags=["tools"] measures="accuracy=right['one hidden layer'].mean()"
# Which method reads more of the test digits, and whether the difference is more than chance.
right = {name: guess == test.labels for name, guess in simple_guesses(parts, random_stream(0, "linear"), steps).items()}
right["one hidden layer"] = mlp(params, test.images)[0].argmax(axis=1) == test.labels
for name, hits in right.items():
    q = hits.mean()
    print(f"{name:20}{100 * q:6.1f} % ± {100 * math.sqrt(q * (1 - q) / len(hits)):.1f}")
only_hidden = int(np.sum(right["one hidden layer"] & ~right["linear"]))
only_linear = int(np.sum(right["linear"] & ~right["one hidden layer"]))
# The digits on which two methods differ are like tosses of a coin, if neither is better: McNemar's test.
sure = abs(only_hidden - only_linear) > 2 * math.sqrt(only_hidden + only_linear)
print(f"only the hidden layer reads {only_hidden} digits, only the linear one {only_linear}:", end=" ")
print("a clear difference" if sure else "too few to tell which is better")
best = max(right, key=lambda name: right[name].mean())
print(f"highest share: {best}")

# %% [markdown] name="mistakes"
# Look at the mistakes before you call a model good or bad.

# %% name="mistakes-picture" alt="Test digits that the network reads wrongly, each with what the network said and the label."
said = mlp(params, test.images)[0].argmax(axis=1)
wrong = np.flatnonzero(said != test.labels)[:8]
fig, row_of_axes = figure(9, 1.6, columns=8)
for axes in row_of_axes:
    axes.set_axis_off()
for axes, place in zip(row_of_axes, wrong, strict=False):
    axes.imshow(test.images[place], cmap="Greys")
    describe(axes, title=f"{said[place]}, is {test.labels[place]}")

# %% [markdown] name="tape"
# ## The tape
#
# In `mlp` we wrote `backward` by calling the closures in reverse order. That is bookkeeping, and bookkeeping can be
# left to a list. While computing, write down for every operation: its closure, the values that went in, the value
# that came out. To get gradients, read the list from the end:
#
# 1. start with $\partial L/\partial L = 1$;
# 2. at each record, take the gradient of its output and let its closure turn it into gradients of its inputs;
# 3. if an input has a gradient already, because it was used twice, **add**.
#
# Why is the reverse order right? Whoever *uses* a value is recorded after whoever *made* it. So when the reading
# comes to a value's own record, everyone who used it has already paid in, and its gradient is complete. This is
# **reverse-mode automatic differentiation**. PyTorch's autograd does the same; its list is a graph, kept in the
# tensors themselves.
#
# First the other small operations, in the same convention as `add` and `multiply`. Then the tape.
#
# ![A list of four operations with what went in, what came out and the closure: written from top to bottom, called from bottom to top.](diagram:tape)

# %% name="small-operations" show="exp total matmul" include="groundup.lessons.p00_numpy_and_pytorch.model:subtract groundup.lessons.p00_numpy_and_pytorch.model:divide groundup.lessons.p00_numpy_and_pytorch.model:power groundup.lessons.p00_numpy_and_pytorch.model:exp groundup.lessons.p00_numpy_and_pytorch.model:log groundup.lessons.p00_numpy_and_pytorch.model:total groundup.lessons.p00_numpy_and_pytorch.model:transpose groundup.lessons.p00_numpy_and_pytorch.model:take groundup.ops.linear:matmul"
from groundup.lessons.p00_numpy_and_pytorch.model import divide, exp, log, power, subtract, take, total, transpose
from groundup.ops.linear import matmul

# %% name="tape-code" show="Tape" beside="Tape.gradients" include="groundup.lessons.p00_numpy_and_pytorch.tape:Tape groundup.lessons.p00_numpy_and_pytorch.tape:Variable"
from groundup.lessons.p00_numpy_and_pytorch.tape import Tape, Variable

# %% [markdown] name="tape-small"
# ### A value that is used twice
#
# Let $u = wx$ and $L = (u + b)\,u$, with $w = 2$, $x = 3$, $b = 1$. So $u = 6$ and $L = 42$. By hand:
# $\partial L/\partial u = (u + b) + u = 13$, because $u$ reaches $L$ on two paths; then $\partial L/\partial w = 13x = 39$ and
# $\partial L/\partial b = u = 6$. The picture is drawn from the tape. Each box shows the value and, behind $\partial$,
# the gradient.

# %% name="graph-code" tags=["tools"] include="groundup.lessons.p00_numpy_and_pytorch.figures:draw_graph"
# `draw_graph` draws a tape.
from groundup.lessons.p00_numpy_and_pytorch.figures import draw_graph

# %% name="tape-small-graph" alt="The computation graph of L = (wx + b) wx from left to right, with the value and the gradient of every node."
tape = Tape()
w, x, b = tape.variable(2.0, "w"), tape.variable(3.0, "x"), tape.variable(1.0, "b")
u = w * x
product = (u + b) * u
u.name, product.name = "u = w x", "L = (u + b) u"
found = tape.gradients(product)
print("L =", product.value, " dL/du =", found[u], " dL/dw =", found[w], " dL/db =", found[b])
assert (found[u], found[w], found[b]) == (13, 39, 6)
fig, axes = figure(7.5, 3.2)
draw_graph(axes, tape, found, "A tape of three operations", size=10)

# %% [markdown] name="tape-network"
# ### The network on the tape
#
# Now the whole loss of the digits network, from elementary operations only: no `linear`, no `cross_entropy`, and not
# one line of backward. Its gradients must be those that we derived by hand.

# %% name="tape-network-code" show="mlp_on_tape" include="groundup.lessons.p00_numpy_and_pytorch.experiment:mlp_on_tape"
from groundup.lessons.p00_numpy_and_pytorch.experiment import mlp_on_tape

# %% name="tape-network-graph" alt="The computation graph of the network's loss from left to right: parameters and pixels in white boxes, operations in blue ones."
tape = Tape()
precise = map_tree(lambda leaf: leaf.astype(np.float64), params)
tape_loss, tape_params = mlp_on_tape(tape, precise, images, labels)
found = tape.gradients(tape_loss)
hand_loss, by_hand = digit_loss(precise)
print(f"loss on the tape {tape_loss.value:.12f}, by hand {hand_loss:.12f}")
for name, leaf in flatten(by_hand).items():
    error = np.abs(found[tape_params[name]] - leaf).max() / np.abs(leaf).max()
    print(f"{name:16} largest relative difference of the gradients {error:.0e}")
fig, axes = figure(13, 4.6)
draw_graph(axes, tape, found, "The trained network's loss on one batch, as the tape recorded it")

# %% [markdown] name="table"
# ## What PyTorch's calls compute
#
# PyTorch's functions are short formulas with careful names. Each entry shows the call, the same in NumPy, and the
# gradients, where `g` stands for the gradient of the value. The shapes are small and fixed, so that formulas can be
# read: `x` and `u` are (4, 3), `row` (3,), `column` (4, 1), `y` (3, 5), `w` (5, 3), and `t` holds 4 labels. Nothing in
# the table is only text: the strings are run, and each gradient is checked by nudging. The PyTorch notebook of
# this lesson runs the other side and compares.

# %% name="table-code" tags=["tools"] include="groundup.lessons.p00_numpy_and_pytorch.table:ROWS groundup.lessons.p00_numpy_and_pytorch.table:table_arrays groundup.lessons.p00_numpy_and_pytorch.table:run_raw groundup.lessons.p00_numpy_and_pytorch.table:nudge_error groundup.lessons.p00_numpy_and_pytorch.table:as_text"
# `ROWS`, the table, and what runs, checks and prints a row of it.
from groundup.lessons.p00_numpy_and_pytorch.table import ROWS, as_text, nudge_error, run_raw, table_arrays

# %% name="table-run" tags=["tools"]
# The table, and how many rows pass the check.
rng = np.random.default_rng(0)
arrays = table_arrays(rng)
checked = []
for entry in ROWS:
    g = rng.normal(size=np.shape(run_raw(entry, arrays)[0]))
    checked.append(nudge_error(entry, arrays, g))
    print(as_text(entry))
print(
    f"\n{sum(error < 1e-7 for error in checked)} of {len(ROWS)} rows have the gradients that nudging measures; largest difference {max(checked):.0e}"
)

# %% [markdown] name="findings" tags=["findings"]
# ## Measured
#
# The findings of this lesson, measured at full size over several seeds, stand here in the built notebook. To measure
# them yourself: `groundup run 00`.

# %% [markdown] name="take-away"
# ## What to take away
#
# - Every operation returns its value and a closure. Back-propagation calls the closures in reverse order.
# - A gradient has the shape of its array. Copied forward means summed backward, and summed forward means copied back.
# - $C = AB$ has $dA = G B^\top$ and $dB = A^\top G$. Softmax with cross-entropy has $p - [k = t]$.
# - Check gradients in float64, both ways, with $h$ near $10^{-5}$, and not at a kink.
# - A tape is a list of closures. Gradients of a value that is used twice add up.
#
# **Interviewers ask**: derive the gradient of a matrix product. Why does `zero_grad` exist? Why do we go backward and
# not forward through the graph? (One loss, many parameters: one backward pass gives all derivatives; carrying
# derivatives forward gives them along one direction a pass.) Why subtract the maximum in a softmax? What is the loss of an untrained ten-class
# network?
#
# **Common mistakes**: subtracting (N,) from (N, 1). A softmax before a loss that takes logits. A loss that is summed
# where it should be averaged, so that the right learning rate depends on the batch. `+=` on an array that
# somebody else still uses. Tuning on the test digits.
#
# **Try**: drop the `unbroadcast` in `multiply` and see who notices. Set `rate = 5`. Give the network 8 hidden units,
# then 512. In `Tape.gradients`, replace the sum by the last gradient, and run the cell with the small graph. Put
# `tanh` in the place of `relu` on the tape (write it first: its derivative is $1 - y^2$).
#
# **Where it leads**: to networks that write, one character at a time.

# %% [markdown] name="torch" tags=["torch"]
# ## Tensors and autograd
#
# A PyTorch **tensor** is an array that can keep a tape. Most of NumPy's names work; `axis` is mostly called `dim`.
# `torch.from_numpy` and `.numpy()` share memory with the array: change one and the other changes. NumPy makes float64
# by default and PyTorch float32, and the two do not mix in a matrix product.

# %% name="torch-tensors" tags=["torch"]
import torch
from torch.nn import functional as F

array = np.arange(6.0).reshape(2, 3)
tensor = torch.from_numpy(array)
array[0, 0] = 100
print("shared memory:", tensor[0, 0].item(), "| default types:", np.zeros(1).dtype, torch.zeros(1).dtype)

# %% [markdown] name="torch-autograd" tags=["torch"]
# Ask for gradients with `requires_grad=True`, compute, and call `.backward()` on one number. The gradients arrive in
# `.grad`, and there they are **added to what is there already**. That is the rule for a value that is used twice; but
# it also adds the gradient of this step to that of the last one. So every training loop calls `zero_grad()`.

# %% name="torch-autograd-code" tags=["torch"]
w = torch.tensor(2.0, requires_grad=True)
x, b = torch.tensor(3.0), torch.tensor(1.0, requires_grad=True)
for attempt in ("first", "second, without zeroing"):
    u = w * x
    ((u + b) * u).backward()
    print(f"{attempt}: dL/dw = {w.grad.item()}, dL/db = {b.grad.item()}")
w.grad = None  # what zero_grad() does
with torch.no_grad():  # nothing in here is recorded: for evaluation, and for updates by hand
    w -= 0.1
print("an update by hand:", w.item(), "| a copy outside the graph:", (w * x).detach().requires_grad)

# %% [markdown] name="torch-tape" tags=["torch"]
# ### Our tape and autograd, side by side
#
# The operators of our `Variable` have the same names as those of a tensor. So the same function runs on both, and the
# gradients can be compared. Note `u`, which is used five times, and the broadcasting.

# %% name="torch-tape-code" tags=["torch"] show="Tape" include="groundup.lessons.p00_numpy_and_pytorch.tape:Tape"
from groundup.lessons.p00_numpy_and_pytorch.tape import Tape


# %% name="torch-tape-compare" tags=["torch"]
def expression(x, w, row):
    u = x @ w
    return ((u * u - row) / (u * u + 1.0)).sum() + (u[0] * row).sum()


rng = np.random.default_rng(0)
inputs = [rng.normal(size=shape) for shape in ((4, 3), (3, 5), (5,))]
tape = Tape()
variables = [tape.variable(array) for array in inputs]
found = tape.gradients(expression(*variables))
tensors = [torch.tensor(array, requires_grad=True) for array in inputs]
expression(*tensors).backward()
for name, variable, tensor in zip(("x", "w", "row"), variables, tensors, strict=True):
    print(f"d{name}: largest difference {np.abs(found[variable] - tensor.grad.numpy()).max():.0e}")

# %% [markdown] name="torch-network" tags=["torch"]
# ## The network in PyTorch
#
# An `nn.Module` holds parameters and says how to compute. Autograd writes the backward. The parameter names are
# those of our tree, `hidden.weight` and so on, so that one line loads ours into it.

# %% name="torch-network-code" tags=["torch"] include="groundup.lessons.p00_numpy_and_pytorch.twin:MLP"
from groundup.lessons.p00_numpy_and_pytorch.twin import MLP

# %% [markdown] name="torch-race" tags=["torch"]
# Now train both in float64: the network by hand and the module, from the same parameters, on the same batches, with
# the same learning rate. If all our derivatives are right, the two losses must agree at every step, up to rounding.

# %% name="torch-race-code" tags=["torch"]
rng = np.random.default_rng(0)
params = init(rng, dtype=np.float64)
model = MLP().double()
model.load_state_dict({name: torch.tensor(leaf) for name, leaf in flatten(params).items()})
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
losses = {"NumPy, by hand": [], "PyTorch, autograd": []}
for step in range(200):
    rows = rng.integers(len(train.labels), size=64)
    images, labels = train.images[rows].astype(np.float64), train.labels[rows]

    logits, backward = mlp(params, images)
    loss, loss_backward = cross_entropy(logits, labels)
    params = map_tree(lambda p, g: p - 0.5 * g, params, backward(loss_backward()))  # (10)
    losses["NumPy, by hand"].append(float(loss))

    loss = F.cross_entropy(model(torch.from_numpy(images)), torch.from_numpy(labels))  # (5)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()  # (10)
    losses["PyTorch, autograd"].append(loss.item())

# %% name="torch-race-picture" tags=["torch"] alt="Left: the losses of both tracks against the step, one on top of the other. Right: their difference in units of the machine precision."
apart = np.abs(np.subtract(*losses.values()))
print(
    f"largest difference of two losses in 200 steps: {apart.max():.1e} nats:",
    "equal to 1e-9" if apart.max() <= 1e-9 else "they differ",
)
fig, (left, right) = figure(10, 3.6, columns=2)
curves(left, range(1, 201), losses, "step", "loss of the batch, nats", "Both tracks from the same start")
right.plot(range(1, 201), apart / np.finfo(float).eps, ".")
describe(right, "step", "|difference| / ε,  ε = 2.2e-16", "How far apart they are")

# %% name="torch-train" tags=["torch"]
torch.manual_seed(0)
model = MLP()  # float32, with PyTorch's own start
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
images, labels = torch.from_numpy(train.images), torch.from_numpy(train.labels)
generator = torch.Generator().manual_seed(0)
for step in range(2000):
    rows = torch.randint(len(labels), (64,), generator=generator)
    loss = F.cross_entropy(model(images[rows]), labels[rows])  # (5)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()  # (10)
with torch.no_grad():
    hits = model(torch.from_numpy(test.images)).argmax(dim=1) == torch.from_numpy(test.labels)
print(f"test digits read correctly: {100 * hits.double().mean():.1f} % of {len(hits)}; guessing gives 10 %")

# %% [markdown] name="torch-table" tags=["torch"]
# ## The table of calls, both sides
#
# Every row is run: the PyTorch call with autograd's gradients, and the NumPy side with the gradients by formula (the
# NumPy notebook lists the formulas). The numbers are the largest differences of the values and of the gradients.

# %% name="torch-table-code" tags=["torch"] show="run_call" include="groundup.lessons.p00_numpy_and_pytorch.table:ROWS groundup.lessons.p00_numpy_and_pytorch.table:table_arrays groundup.lessons.p00_numpy_and_pytorch.table:run_raw groundup.lessons.p00_numpy_and_pytorch.twin:run_call"
from groundup.lessons.p00_numpy_and_pytorch.table import ROWS, run_raw, table_arrays
from groundup.lessons.p00_numpy_and_pytorch.twin import run_call

# %% name="torch-table-run" tags=["torch", "tools"]
# Every row on both sides, and how far apart they are.
rng = np.random.default_rng(0)
arrays = table_arrays(rng)
agree = 0
print(f"{'value':>7} {'grads':>7}  call, and the same in NumPy")
for entry in ROWS:
    value, backward = run_raw(entry, arrays)
    g = rng.normal(size=np.shape(value))
    expected, expected_gradients = run_call(entry, arrays, g)
    gradients = backward(g)
    value_error = np.abs(value - expected).max()
    gradient_error = max((np.abs(gradients[name] - expected_gradients[name]).max() for name in gradients), default=0.0)
    agree += value_error <= 1e-12 and gradient_error <= 1e-12
    print(f"{value_error:7.0e} {gradient_error:7.0e}  {entry.call:42} {entry.raw}")
print(f"{agree} of {len(ROWS)} rows agree to 1e-12")

# %% [markdown] name="torch-take-away" tags=["torch"]
# ## What to take away
#
# - `loss.backward()` is our tape read from the end; `.grad` adds up until you zero it.
# - `torch.no_grad()` stops recording, `.detach()` cuts one value off the tape.
# - `F.cross_entropy` takes logits and class numbers. Give it no probabilities.
# - Weights are (out, in). `x.var()` divides by n − 1 in PyTorch and by n in NumPy.
# - When you doubt a call, write its row of the table and compare, in float64, value and gradient.
