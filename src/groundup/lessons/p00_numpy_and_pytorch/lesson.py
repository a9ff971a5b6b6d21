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
#     title: NumPy and PyTorch for deep learning
# ---

# %% [markdown] name="title"
# # NumPy and PyTorch for deep learning
#
# *Start here. You need Python, with its functions and classes, and school calculus (what a derivative is). PyTorch
# comes last.*
#
# A network with 4,810 numbers in it was shown 1,259 handwritten digits. Then it read 359 others, which it had never
# seen. These are the ones that it got wrong. How many can you read? (The answers come further down.)

# %% name="imports" tags=["shared", "tools"]
# NumPy.
import math

import numpy as np

# %% name="digits-data" tags=["shared", "tools"] include="groundup.data.digits:load_digits groundup.data.digits:split_digits"
# `load_digits` reads 1,797 digits, `split_digits` deals them out to training, validation and test.
from groundup.data.digits import load_digits, split_digits

# %% name="digits-style" tags=["shared", "tools"] include="groundup.plots:figure groundup.plots:curves groundup.plots:describe groundup.plots:frames groundup.data.measured:measured"
# Figures in one style; `measured` gives what the experiment found.
from groundup.data.measured import measured
from groundup.plots import curves, describe, figure, frames

# %% name="digits-parts" tags=["shared", "tools"]
# The three parts of the digits.
parts = split_digits(load_digits())
train, validation, test = parts

# %% name="opening-picture" alt="The ten test digits that the trained network reads wrongly, without their labels."
hits = measured("p00_numpy_and_pytorch", "arrays/hits")["arrays/hits"]["one hidden layer"]
missed = np.flatnonzero(~np.array(hits))
fig, places = figure(9, 1.2, columns=len(missed))
for axes, place in zip(places, missed, strict=True):
    axes.imshow(test.images[place], cmap="Greys")
    axes.set_axis_off()

# %% [markdown] name="question" tags=["shared"]
# Nobody chose those 4,810 numbers. They began as noise, and a rule that fits on one line turned them, a little at a
# time, until the network could read. But when an answer is wrong, **which of the 4,810 numbers is to blame, and by how
# much?**
#
# A network is made of layers, each of which turns a row of numbers into another row. In 1969 Marvin Minsky and Seymour
# Papert proved how little can be done with a single layer. With two, nobody knew a good way to train the first: it never
# meets the answer, so who should tell it what it did wrong? That held the field up for seventeen years. The answer is
# called **back-propagation**, and it lay in a thesis about rounding errors, which Seppo Linnainmaa wrote in Helsinki in
# 1970 without a word on neural networks. Few listened until [Rumelhart, Hinton and
# Williams](https://doi.org/10.1038/323533a0) showed in 1986 what a first layer learns when it is told. It is the engine
# under every model you have heard of, and most people who use it have never seen it run.
#
# You will build that engine, from a product of two numbers up, and then hand the bookkeeping to a list, as PyTorch
# does. Change any cell and run it again!

# %% [markdown] name="digits"
# ## Pictures are arrays
#
# The data are digits that thirteen people wrote by hand, scanned to 8 × 8 pixels. A pixel is a number: 0 is paper, 1 is
# ink. They are dealt out at random into three parts, each with `images` and `labels`. The network learns from `train`.
# `validation` is for choices: try rates and sizes, and look at it as often as you like. `test` is for judging, after
# all choices have been made. Why three? Whatever you choose by looking at a part, that part can no longer judge you
# fairly.
#
# An array is a block of numbers with a **shape**: how many numbers lie along each of its **axes**. Mistakes about
# shapes are the most common ones, so say the shape of every array aloud, or write it beside the line.

# %% name="digits-shapes"
for name, part in {"train": train, "validation": validation, "test": test}.items():
    print(f"{name:12}images {part.images.shape}, labels {part.labels.shape}")

pixels = train.images.reshape(len(train.images), -1)  # (N, 8, 8) -> (N, 64); -1: whatever is left
print("pixels.mean(axis=0)", pixels.mean(axis=0).shape, "the average picture: axis 0 is gone")

# %% [markdown] name="broadcasting"
# Some spellings come up again and again. `a[:, 0]` is the first column of a matrix. `a > 0` is an array of True and
# False, which count as 1 and 0 in a product. `keepdims=True` leaves an axis of length 1 where a sum or a maximum went
# over it. `np.allclose(a, b)` asks whether two arrays are equal up to rounding. `np.vdot(a, b)` multiplies element by
# element and adds up everything.
#
# ### Broadcasting
#
# `pixels - pixels.mean(axis=0)` subtracts a (64,) from an (N, 64), N pictures, and it works: NumPy repeats the smaller
# array.
#
# > Write the two shapes one below the other, aligned **at the right**. Missing axes count as 1. Two sizes fit if they
# > are equal or if one of them is 1; an axis of size 1 is used again and again, as if it had been copied.
#
# ```
# pixels               N x 64          column        3 x 1
# pixels.mean(axis=0)      64          row               3
# result               N x 64          result        3 x 3
# ```
#
# The same rule sets the best known trap of the trade. You have three predictions, all of them perfect, in a column, and
# three targets in a row. What is their mean squared difference?

# %% name="broadcasting-code" predict="Perfect predictions of shape (3, 1), targets of shape (3,): what is the mean squared difference?"
prediction, target = np.array([[1.0], [2.0], [3.0]]), np.array([1.0, 2.0, 3.0])
for what, difference in {"(3, 1) - (3,)": prediction - target, "(3,)   - (3,)": prediction[:, 0] - target}.items():
    print(f"{what}: shape {difference.shape}, mean square {(difference**2).mean():.3f}")

# %% [markdown] name="broadcasting-trap"
# Every prediction was compared with every target. No error is raised, and a network trained like this even gets better,
# at the wrong thing: it learns the average.

# %% [markdown] name="slope"
# ## What a gradient is
#
# A model has numbers that can be changed, its **parameters**. A **loss** $L$ says how wrong it is, in one number.
# Learning is a search for parameters with a small loss.
#
# Take the smallest model there is: $y = wx + b$, with two parameters, $w = 2$ and $b = 1$. It is given $x = 3$ and
# should answer $t = 5$. For the loss take the squared difference, $L = (y - t)^2$:
#
# $$y = 2 \cdot 3 + 1 = 7, \qquad L = (7 - 5)^2 = 4$$
#
# Too high. Should $w$ go down, or $b$, and how far? Ask of each: *if I raise it a little and leave everything else
# alone, how fast does the loss grow?* The small change of the loss, divided by the small change of $w$ that caused it,
# is a derivative, written $\partial L/\partial w$. The curly $\partial$ means the same as the $d$ of school, and
# reminds you of the other numbers, which stand still. All these derivatives together are the **gradient**.
#
# The loss is made in steps, so take them backwards. A small change of $y$ changes the loss $2(y - t) = 4$ times as
# much. A small change of $w$ changes $y$ three times as much, because $x = 3$. So a small change of $w$ changes the loss
# $4 \cdot 3 = 12$ times as much. This is the **chain rule**: rates multiply along the way.
#
# $$\frac{\partial L}{\partial y} = 2(y - t) = 4, \qquad
#   \frac{\partial L}{\partial w} = \frac{\partial L}{\partial y}\,\frac{\partial y}{\partial w} = 4 \cdot x = 12, \qquad
#   \frac{\partial L}{\partial b} = \frac{\partial L}{\partial y}\,\frac{\partial y}{\partial b} = 4 \cdot 1 = 4 \tag{1}$$
#
# ![The computation of the loss as a graph: values 6, 7, 2 and 4 go forward, gradients 4 and 12 come back to b and w.](diagram:chain)
#
# You need not believe it: nudge $w$ and $b$ by a tiny $h$, both ways.


# %% name="slope-code"
def tiny_loss(w, b):
    return (w * 3 + b - 5) ** 2


h = 1e-5
dw = (tiny_loss(2 + h, 1) - tiny_loss(2 - h, 1)) / (2 * h)
db = (tiny_loss(2, 1 + h) - tiny_loss(2, 1 - h)) / (2 * h)
print(f"dL/dw = {dw:.6f}, dL/db = {db:.6f}")
assert np.allclose((dw, db), (12, 4))

# %% [markdown] name="step"
# ### One step
#
# Now move both numbers *against* their derivatives: down, if the loss grows with them, by $\eta$ times the derivative.
# This is **gradient descent**, the rule that fits on one line, and $\eta$ is the **learning rate**:
#
# $$w \leftarrow w - \eta\, \frac{\partial L}{\partial w} \tag{2}$$
#
# and the same for $b$. With $\eta = 0.05$: $w = 2 - 0.05 \cdot 12 = 1.4$ and $b = 1 - 0.05 \cdot 4 = 0.8$. The model
# now answers $1.4 \cdot 3 + 0.8 = 5$. The loss is 0. One step, and it is done!
#
# That was luck, and you can see how much. Write $e = y - t$ for the error, 2 at first. By (1) the derivatives are $6e$
# and $2e$, so a step takes $6\eta e$ from $w$ and $2\eta e$ from $b$, and the answer $3w + b$ falls by
# $3 \cdot 6\eta e + 2\eta e = 20\,\eta e$. So each step multiplies the error by $1 - 20\,\eta$. At 0.05 that is 0. What
# happens at 0.1? And beyond? Say it before you move the slider. (Thin lines join places of equal loss, as on a map; the
# thick one is the floor of the valley, where the loss is 0.)

# %% name="rates" alt="The loss over w and b as a valley, and eight steps of gradient descent in it: short ones for a small rate, one that reaches the floor at 0.05, jumps from side to side at 0.1, and ever wider ones beyond."
w_axis, b_axis = np.linspace(-1.5, 4.5, 81), np.linspace(-1, 3, 61)
valley = (3 * w_axis[None, :] + b_axis[:, None] - 5) ** 2


def descent(axes, rate):
    w, b, path = 2.0, 1.0, []
    for _ in range(9):
        path.append((w, b))
        slope = 2 * (3 * w + b - 5)  # (1)
        w, b = w - rate * slope * 3, b - rate * slope  # (2)
    axes.contour(w_axis, b_axis, valley, levels=[1, 4, 16, 36], colors="#9db7d1", linewidths=1)
    axes.plot((5 - b_axis) / 3, b_axis, color="#135bae", linewidth=2.5)
    axes.plot(*zip(*path, strict=True), "o-", color="#740f3c", markersize=4)
    axes.set(xlim=(-1.5, 4.5), ylim=(-1, 3))
    describe(axes, "w", "b", f"rate {rate}: the loss after 8 steps is {tiny_loss(*path[-1]):.3g}")


rates = [0.005, 0.01, 0.02, 0.04, 0.05, 0.07, 0.09, 0.1, 0.102, 0.105]
fig = frames("learning rate", rates, descent, height=3.0, shown=(1, 4, 7), start=1)

# %% [markdown] name="step-lessons" tags=["shared"]
# Much of this is true of the largest models. The step goes straight down the wall of the valley. A rate that is too
# small is slow; at some rate, here 0.1, the model jumps from wall to wall forever, and beyond it *diverges*: the loss
# grows. There are many best models, here the whole line $3w + b = 5$. What nobody can work out beforehand, for a
# network, is the best rate; lesson `optimizers` is about that.

# %% [markdown] name="convention"
# ## The one convention: value and backward
#
# Look at how (1) was made. Going forward, every operation computed its value. Going backward it was handed
# $\partial L/\partial(\text{its value})$ and turned it into $\partial L/\partial(\text{its argument})$. For that it
# needs its own arguments, and nothing of the other operations. So write every operation as a function that returns
# **two things**: its value, and a function `backward` that turns the one gradient into the other. In all these lessons:
#
# ```python
# y, backward = operation(x, ...)
# dx = backward(dy)                  # dy stands for ∂L/∂y, and dx for ∂L/∂x
# ```
#
# `backward` remembers what it needs from the forward pass. A function that remembers values from where it was made is
# called a **closure**: below, `scale_backward` knows the `x` and the `w` with which `scale` was called. (A `lambda` is
# a function without a name.) To differentiate a chain of operations, call their closures in reverse order. That is all
# of back-propagation, and here is its first complete run.


# %% name="convention-code"
def scale(x, w):
    return x * w, lambda dy: (dy * w, dy * x)  # (1) returns dx and dw, in the order of the arguments


def shift(x, b):
    return x + b, lambda dy: (dy, dy)  # (1)


def square(x):
    return x * x, lambda dy: dy * 2 * x  # (1)


product, scale_backward = scale(3.0, 2.0)
y, shift_backward = shift(product, 1.0)
loss, square_backward = square(y - 5.0)  # taking 5 away changes no derivative

dy = square_backward(1.0)  # (1) dL/dL = 1: this is where every backward pass begins
d_product, db = shift_backward(dy)  # (1)
dx, dw = scale_backward(d_product)  # (1)
print(f"loss {loss}: dL/dw = {dw}, dL/db = {db}, and for free dL/dx = {dx}")
assert (dw, db) == (12, 4)

# %% [markdown] name="arrays"
# ## The same for arrays
#
# Let $y_i = a_i\, b_i$, element by element. Element $i$ of $y$ depends on elements $i$ of $a$ and $b$ and on nothing
# else, so what held for numbers holds for each: $da_i = dy_i\, b_i$. An array's gradient always has **the array's own
# shape**, because every number in it has one derivative.
#
# Broadcasting needs a second thought. In `x + row` the one number `row[j]` went into many results. Raise it a
# little, and all of them move. Their effects on the loss **add up**: with $y_{ij} = x_{ij} + r_j$,
#
# $$\frac{\partial L}{\partial r_j} = \sum_i \frac{\partial L}{\partial y_{ij}}\,\frac{\partial y_{ij}}{\partial r_j}
#   = \sum_i \frac{\partial L}{\partial y_{ij}} \tag{3}$$
#
# ![A row is used for two rows of the result; going back, the gradients of the two are added to one of the shape of the row.](diagram:broadcast)
#
# What was copied on the way out is summed on the way back. And the other way round: a sum sends the same gradient to
# all of its summands, so **the backward of a sum is a broadcast**.

# %% [markdown] name="unbroadcast" tags=["second"]
# ### Product and sum of any two shapes
#
# `unbroadcast` sums over whatever was copied. Say the gradient is (2, 4, 3), and the array was (4, 1). Axis 0 was added,
# so `added` is 1. The array's axis of length 1 was stretched; in the gradient it is axis 2. So sum over the axes 0 and
# 2, and give the four sums that are left the shape (4, 1).

# %% name="arrays-code" show="unbroadcast add multiply" include="groundup.lessons.p00_numpy_and_pytorch.model:add groundup.lessons.p00_numpy_and_pytorch.model:multiply groundup.ops.broadcast:unbroadcast"
from groundup.lessons.p00_numpy_and_pytorch.model import add, multiply
from groundup.ops.broadcast import unbroadcast

# %% name="arrays-example"
x, row = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), np.array([10.0, 20.0, 30.0])
_, backward = add(x, row)
dx, d_row = backward(np.array([[0.1, 0.2, 0.3], [0.5, 0.5, 0.5]]))  # a made-up gradient to be handed back
print("d_row", d_row, "has the shape of row:", d_row.shape)
assert np.allclose(d_row, [0.6, 0.7, 0.8])
assert np.array_equal(unbroadcast(np.ones((2, 4, 3)), (4, 1)), np.full((4, 1), 6.0))  # each the sum of 2 · 3 ones

# %% [markdown] name="arrays-turn"
# **Your turn**: exercise `unbroadcast`, and exercise `add_multiply`, which uses it.

# %% [markdown] name="matmul"
# ## The gradient of a matrix product
#
# A layer of a network multiplies matrices, so this is the one derivation to know by heart. Entry $(i, j)$ of $C = AB$,
# `A @ B` in NumPy, is row $i$ of $A$ times column $j$ of $B$, number by number, added up. For two by two:
#
# $$\begin{aligned}
#   c_{11} &= a_{11}b_{11} + a_{12}b_{21} & c_{12} &= a_{11}b_{12} + a_{12}b_{22}\\
#   c_{21} &= a_{21}b_{11} + a_{22}b_{21} & c_{22} &= a_{21}b_{12} + a_{22}b_{22}
# \end{aligned}$$
#
# Write $g_{ij}$ for $\partial L/\partial c_{ij}$, the gradient that `backward` is handed. Where does $a_{12}$ appear?
# In $c_{11}$, times $b_{21}$, and in $c_{12}$, times $b_{22}$. Its effects add up, as in (3):
#
# $$\frac{\partial L}{\partial a_{12}} = g_{11}\,b_{21} + g_{12}\,b_{22}
#   \qquad\text{and likewise}\qquad
#   \frac{\partial L}{\partial a_{11}} = g_{11}\,b_{11} + g_{12}\,b_{12} \tag{4}$$
#
# Put all $g_{ij}$ into a matrix $G$. The first sum is row 1 of $G$ times row 2 of $B$, the second row 1 of $G$ times
# row 1 of $B$. Rows times rows is a product with the **transpose** $B^\top$ (`B.T`), the matrix whose columns are $B$'s
# rows. The same hunt for the entries of $B$ gives columns times columns:
#
# $$\frac{\partial L}{\partial A} = G\,B^\top, \qquad \frac{\partial L}{\partial B} = A^\top G \tag{5}$$
#
# It is the same for any size: $a_{ik}$ meets $b_{kj}$ in every $c_{ij}$ of row $i$, so
# $\partial L/\partial a_{ik} = \sum_j g_{ij} b_{kj} = (G B^\top)_{ik}$. Should you ever forget (5), ask the shapes:
# $A$ is $(n, m)$, $G$ is $(n, p)$, $B$ is $(m, p)$. If $n$, $m$ and $p$ differ, there is only one way to make an
# $(n, m)$ from $G$ and $B$.
#
# On paper, with $A = \begin{pmatrix}1&2\\3&4\end{pmatrix}$, $B = \begin{pmatrix}5&6\\7&8\end{pmatrix}$ and
# $G = \begin{pmatrix}1&0\\0.5&-1\end{pmatrix}$: by (4), $\partial L/\partial a_{12} = 1 \cdot 7 + 0 \cdot 8 = 7$. All
# of (5):
#
# $$G B^\top = \begin{pmatrix}5&7\\-3.5&-4.5\end{pmatrix}, \qquad A^\top G = \begin{pmatrix}2.5&-3\\4&-4\end{pmatrix}$$

# %% [markdown] name="matmul-nudges" tags=["second"]
# ### All eight entries, nudged one at a time
#
# First the same in code. Then a nudge, which needs one number to watch. Take $L = \sum_{ij} g_{ij}\, c_{ij}$, the entries
# of $C$ times fixed numbers, added up. Its gradient with respect to $C$ is $G$, so those with respect to $A$ and $B$ must
# be (5).

# %% name="matmul-numbers"
A, B = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[5.0, 6.0], [7.0, 8.0]])
G = np.array([[1.0, 0.0], [0.5, -1.0]])
assert np.allclose(G @ B.T, [[5, 7], [-3.5, -4.5]])  # (5)
assert np.allclose(A.T @ G, [[2.5, -3], [4, -4]])  # (5)

# %% name="matmul-code" include="groundup.lessons.p00_numpy_and_pytorch.model:numerical_gradient"
from groundup.lessons.p00_numpy_and_pytorch.model import numerical_gradient

# %% name="matmul-nudged"
nudged_a = numerical_gradient(lambda A: (G * (A @ B)).sum(), A)
nudged_b = numerical_gradient(lambda B: (G * (A @ B)).sum(), B)
print("by nudges:", nudged_a.round(6).tolist(), nudged_b.round(6).tolist())
assert np.allclose(nudged_a, G @ B.T)
assert np.allclose(nudged_b, A.T @ G)

# %% [markdown] name="nudge-turn"
# **Your turn**: exercise `numerical_gradient` is the nudge, for every entry of an array.

# %% [markdown] name="linear"
# ### The linear layer
#
# A layer works on a **batch**, many examples at once, each a row of $X$. It computes $Y = XW^\top + b$. By custom, in
# PyTorch too, the weights $W$ have a row for each output and a column for each input; hence the transpose. The **bias**
# $b$ is one more number for each output. The backward is (5) with $X$ for $A$ and $W^\top$ for $B$: $dX = dY\, W$, and
# $dW^\top = X^\top dY$, which transposed is $dW = dY^\top X$. The bias was broadcast over the rows, so (3) sums its
# gradient over them. Can you find the three lines? An output of such a layer is also called a **unit**; units whose
# values are neither input nor answer are *hidden*.

# %% name="linear-code" beside="linear" include="groundup.ops.linear:linear"
from groundup.ops.linear import linear

# %% [markdown] name="relu"
# ### ReLU
#
# Put two linear layers one after the other and you have gained nothing: $(xA)B = x(AB)$ is one linear layer. Something
# bent has to stand between them. The usual choice is $\operatorname{ReLU}(x) = \max(x, 0)$, the *rectified linear
# unit*. Its slope is 1 where $x > 0$ and 0 where $x < 0$: a gradient passes only where the input was positive.

# %% name="relu-code" include="groundup.ops.activations:relu"
from groundup.ops.activations import relu

# %% [markdown] name="layers-turn"
# **Your turn**: exercise `linear` is the layer with its three gradients.

# %% [markdown] name="cross-entropy"
# ## The loss
#
# For a picture the network gives ten numbers $z_0 \dots z_9$, the **logits**, one for each digit. The **softmax** makes
# probabilities of them: exponentials, so that all are positive, divided by their sum, so that together they are 1. The
# loss is minus the natural logarithm of the probability that the right label $t$ was given, the **cross-entropy**
# (counted in *nats*).
#
# $$p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}, \qquad L = -\log p_t = -z_t + \log \sum_j e^{z_j} \tag{6}$$
#
# Certain and right costs nothing, certain and wrong costs without limit. Guessing evenly among ten costs
# $\log 10 \approx 2.303$, and an untrained network should start near there. For the gradient, differentiate both terms
# of (6). The first gives $-1$ if $k$ is the right label and 0 otherwise, written
# $-[k = t]$. The second, by the chain rule for the logarithm, gives $e^{z_k}$ over the sum, which is $p_k$ again:
#
# $$\frac{\partial L}{\partial z_k} = -[k = t] + \frac{e^{z_k}}{\sum_j e^{z_j}} = p_k - [k = t] \tag{7}$$
#
# In words: *what the network said, minus what it should have said*. For a batch of $N$ pictures the loss is the mean, so
# every gradient is divided by $N$.
#
# On paper, with logits $(2, 1, 0)$ and label 0: $e^2 + e^1 + e^0 = 11.107$, so $p = (0.665, 0.245, 0.090)$, the loss is
# $-\log 0.665 = 0.408$, and the gradient is $(-0.335, 0.245, 0.090)$. It sums to 0. Why must it? The sum of its entries
# is the slope of the loss when all logits rise together, and adding the same number to all of them changes nothing. For
# the same reason we may take the largest logit away first, and then no exponential can overflow. (Every backward pass
# begins at a loss, with $\partial L/\partial L = 1$; so its `backward()` needs no argument.)


# %% name="cross-entropy-by-hand"
def simple_cross_entropy(logits, labels):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))  # (6)
    p = e / e.sum(axis=1, keepdims=True)  # (6) (N, 10)
    rows = np.arange(len(labels))
    loss = -np.log(p[rows, labels]).mean()  # (6) p[rows, labels]: from each row the one at its label

    def backward(dloss=1.0):
        d_logits = p.copy()  # (7)
        d_logits[rows, labels] -= 1  # (7)
        return d_logits * (dloss / len(labels))

    return loss, backward


loss, backward = simple_cross_entropy(np.array([[2.0, 1.0, 0.0]]), np.array([0]))
print(f"loss {loss:.3f}, gradient {backward().round(3)}")
assert round(loss, 3) == 0.408
assert np.allclose(backward(), [[-0.335, 0.245, 0.090]], atol=5e-4)

# %% name="library-cross-entropy" tags=["shared", "tools"] include="groundup.ops.losses:cross_entropy"
# The library's `cross_entropy`: the same, with two options that later lessons need.
from groundup.ops.losses import cross_entropy

# %% [markdown] name="loss-turn"
# **Your turn**: exercise `cross_entropy`; exercise `softmax`, alone, which you have to derive yourself; and a hard one,
# exercise `batch_norm_backward`, whose task says what it is.

# %% [markdown] name="network" tags=["shared"]
# ## The network
#
# The pixels, a linear layer with 64 hidden units, ReLU, and a linear layer that reads the logits out of them: a
# *multi-layer perceptron*. Its `backward` calls the closures of its forward lines in reverse order, and does nothing
# else. The parameters are a *tree*, a dict of dicts, and so is their
# gradient; `map_tree` applies a function to every array of a tree, or of two. Weights begin as random numbers between
# $-1/\sqrt n$ and $1/\sqrt n$, where $n$ counts the inputs; here that is $\pm 0.125$.

# %% name="network-code" tags=["shared"] show="mlp" include="groundup.lessons.p00_numpy_and_pytorch.model:init groundup.lessons.p00_numpy_and_pytorch.model:mlp groundup.training.params:map_tree groundup.training.params:flatten groundup.training.params:leaves groundup.training.streams:random_stream"
from groundup.lessons.p00_numpy_and_pytorch.model import init, mlp
from groundup.training.params import flatten, leaves, map_tree
from groundup.training.streams import random_stream

# %% name="network-shapes" predict="64 pixels, 64 hidden units, 10 logits: which array holds most of the 4,810 parameters?"
params = init(random_stream(0, "parameters"))
for name, leaf in flatten(params).items():
    print(f"{name:16}{leaf.size:6,}  {leaf.shape}")
print(f"{sum(leaf.size for leaf in leaves(params)):,} parameters; log 10 = {math.log(10):.3f}")
print(f"untrained loss {cross_entropy(mlp(params, train.images)[0], train.labels)[0]:.3f}")

# %% [markdown] name="check"
# ## Is the gradient right?
#
# A wrong gradient raises no error. The network trains a little worse, and you never learn why. So check.
#
# Nudging each parameter alone would take two forward passes for each of the 4,810. Backward finds all derivatives at
# once, for about twice the arithmetic of one: that is why we bother. For the check it is enough to nudge **all
# parameters together**, along a random direction $d$. With $w$ for all of them, the loss has the slope
#
# $$\frac{L(w + hd) - L(w - hd)}{2h} \;\approx\; \sum_i \frac{\partial L}{\partial w_i}\, d_i \tag{8}$$
#
# One wrong number anywhere in the gradient changes the sum, for $d$ was drawn at random. We check in float64, numbers of
# sixteen digits; in float32, which has seven and holds our pictures, rounding could cover up what we look for.

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
    measured_slope = (above - below) / 2e-6  # (8)
    predicted = sum(np.vdot(g, d) for g, d in zip(leaves(gradients), leaves(direction), strict=True))  # (8)
    print(f"slope measured {measured_slope:+.9f}, predicted {predicted:+.9f}")

# %% [markdown] name="check-break"
# Now break something. In `mlp` above, let `d_before = d_active`, as if there were no ReLU, and run both cells again:
# not even the first digits agree. And yet the training below still learns to read with it, only a little worse. (Reset,
# at an edited cell, mends it.)

# %% [markdown] name="training"
# ## Train it, and watch
#
# Draw 64 examples at random, a **mini-batch**, compute their loss and its gradient, take the step (2), and do it again:
# *stochastic gradient descent*. Why not all examples at once? The gradient of 64 examples is only a rough guess at that
# of all 1,259; as arrows the two are some 50° apart at the start. But it costs a twentieth, and the next batch errs in
# another direction. (`yield` hands each step to the loop that asks for it.)


# %% name="learn"
def learn(params, data, rng, steps=2000, rate=0.5, network=mlp):
    for step in range(1, steps + 1):
        rows = rng.integers(len(data.labels), size=64)
        logits, backward = network(params, data.images[rows])
        loss, loss_backward = cross_entropy(logits, data.labels[rows])
        gradients = backward(loss_backward())
        params = map_tree(lambda p, g: p - rate * g, params, gradients)  # (2)
        yield step, loss, params


# %% [markdown] name="corners"
# First a problem that one can see whole, and the one of 1969. A point lies in a square. It is blue if its coordinates
# $x$ and $y$ have the same sign, and red if not. No straight line parts the two colours: this is the *exclusive or*,
# which a network with one layer cannot learn. To make it less easy, every point is shown a little beside its true
# place. So even someone who knows the rule is wrong near the borders. Move the slider and watch 64 hidden units find
# what no line can.

# %% name="corners-data" tags=["tools"] include="groundup.lessons.p00_numpy_and_pytorch.experiment:draw_corners"
# `draw_corners` draws points and their classes.
from groundup.lessons.p00_numpy_and_pytorch.experiment import draw_corners

# %% name="corners-train" tags=["tools"] measures="hidden=share"
# 2,000 steps of `learn` on 1,000 points; then 1,000 new ones, beside simpler methods.
points, new = draw_corners(random_stream(0, "corners"), 1000), draw_corners(random_stream(0, "corners, test"), 1000)
start = init(random_stream(0, "corners, parameters"), inputs=2, classes=2)
snapshots = {0: start}
for step, loss, params in learn(start, points, random_stream(0, "training", "corners")):
    if step in (3, 10, 30, 100, 300, 1000, 2000):
        snapshots[step] = params
share = float(np.mean(mlp(params, new.images)[0].argmax(axis=1) == new.labels))
rule = np.mean((new.images.prod(axis=1) > 0) == new.labels)
rivals = measured("p00_numpy_and_pytorch", "metrics/accuracy on corners")["metrics/accuracy on corners"]
print(f"of 1,000 new points the network gets {share:.1%} right, someone who knows the rule {rule:.1%}")
print(f"without a hidden layer {rivals['linear']:.1%}, by the nearest known point {rivals['nearest neighbour']:.1%}")

# %% name="corners-frames" alt="The square with its two classes of points, and behind them what the network says at each place: nothing at first, then one line, then two corners against two."
side = np.linspace(-1.4, 1.4, 33)
grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)


def borders(axes, step):
    logits, _ = mlp(snapshots[step], grid)
    sure = np.tanh((logits[:, 1] - logits[:, 0]) / 2).reshape(33, 33)  # -1: surely one class, 1: surely the other
    axes.contourf(side, side, sure, levels=np.linspace(-1, 1, 9), cmap="RdBu", vmin=-1.6, vmax=1.6)
    axes.contour(side, side, sure, levels=[0], colors="black", linewidths=1)
    for label, colour in enumerate(("#c0301c", "#1b5fb8")):
        some = points.images[points.labels == label][:60]
        axes.plot(*some.T, "o", color=colour, markersize=3.5, markeredgecolor="white", markeredgewidth=0.4)
    loss, _ = cross_entropy(mlp(snapshots[step], points.images)[0], points.labels)
    axes.set(xlim=(-1.4, 1.4), ylim=(-1.4, 1.4))
    describe(axes, "x", "y", f"step {step}: loss {loss:.3f}")


fig = frames("step", list(snapshots), borders, width=4.2, height=3.1, shown=(0, 3, 4, 7), start=2)

# %% [markdown] name="corners-seen"
# Ten steps, and the idea is there: two corners against two. The other 1,990 only sharpen it. (The shades say how sure
# the network is, on the black line it cannot decide, and the dots are 120 of its 1,000 points.)
#
# What did the hidden layer buy? Without it the network is hardly better than tossing a coin. The nearest known point
# does better, but it believes every point that the blur has moved to the wrong side. Sixty-four hidden units, each of
# which bends along one line, cannot follow each of them, and here that is a virtue. (In *Measured*, below, each of five
# seeds deals other points, so the numbers differ by a point or two. Luck does the same to the rule; over millions of
# points it gets 85.3 %.)

# %% [markdown] name="digits-training"
# ### The digits
#
# The same function and rate, with pictures.

# %% name="train" tags=["tools"]
# 2,000 steps of `learn` on the digits; every hundred steps, how many digits of two parts the network reads.


def share_right(params, digits):
    return float(np.mean(mlp(params, digits.images)[0].argmax(axis=1) == digits.labels))


history = {"step": [], "training": [], "validation": []}
for step, loss, params in learn(init(random_stream(0, "parameters")), train, random_stream(0, "training", "mlp")):
    if step % 100 == 0:
        history["step"].append(step)
        history["training"].append(share_right(params, train))
        history["validation"].append(share_right(params, validation))
    if step in (1, 100, 2000):
        print(f"step {step:5}: loss of the batch {loss:.4f}")
print(f"it reads {history['training'][-1]:.1%} of the training digits, {history['validation'][-1]:.1%} of the others")

# %% [markdown] name="road" tags=["second"]
# ### The road there
#
# How the two shares grew, step by step:

# %% name="learning-curve" alt="Share of training and validation digits read correctly against the step."
fig, axes = figure(6.8, 2.3)
lines = {"training digits": history["training"], "validation digits": history["validation"]}
curves(axes, history["step"], lines, "step", "share read correctly", "Learning to read digits")

# %% [markdown] name="road-words"
# Where both curves fall together the network has been thrown off for a while, as the toy was near its edge. (Set
# `rate=2` and see the edge of this one.) From a few hundred steps on the training digits still get better and the
# validation digits no longer do (there, one digit of 179 is 0.6 %).

# %% [markdown] name="baselines"
# ## Is that good?
#
# It ends with 97 % of the validation digits. (The training digits, by now, it knows by heart.) Is that much? What would
# you try if you had no network at all? Give the label of the most similar training picture: the *nearest neighbour*,
# which learns nothing. Two more: the label of the most similar of ten average pictures (*nearest class mean*), and a
# network without a hidden layer (*linear*). Which of the four reads best?

# %% name="baselines-code" tags=["tools"] include="groundup.lessons.p00_numpy_and_pytorch.experiment:simple_guesses groundup.proof.measure:mcnemar"
# `simple_guesses`: class means, a linear classifier, the nearest neighbour. `mcnemar`: does a difference tell?
from groundup.lessons.p00_numpy_and_pytorch.experiment import simple_guesses
from groundup.proof.measure import mcnemar

# %% name="baselines-compare" measures="accuracy=right['one hidden layer'].mean()" predict="Nearest class mean, linear, one hidden layer, nearest neighbour: which one reads most?"
right = {name: guess == test.labels for name, guess in simple_guesses(parts, random_stream(0, "linear"), 2000).items()}
right["one hidden layer"] = mlp(params, test.images)[0].argmax(axis=1) == test.labels
for name, hits in right.items():
    pair = mcnemar(right["one hidden layer"], hits)
    words = f"   it alone {pair.only_second}, the network alone {pair.only_first}: by luck in {pair.p:.2%} of all cases"
    print(f"{name:20}{100 * hits.mean():6.1f} %{'' if name == 'one hidden layer' else words}")

# %% [markdown] name="neighbour-wins"
# Did you guess that? Is the neighbour better, or was it lucky? It alone reads 7 of the digits, the network alone 4; the
# others say nothing about the difference. If neither were better, each of these 11 would be like the toss of a coin,
# and 11 tosses come out at least so unevenly in 55 of 100 cases (McNemar's test, $p = 0.55$). So these 359 digits
# cannot tell, although the network is behind on them with every seed, the number that random draws start from.
#
# Why is the neighbour so strong? Thirteen people wrote these digits, and we dealt them out at random. So most test
# digits have a neighbour *in the same handwriting*. (The source's list names nobody, but it goes from one writer to the
# next: in 59 % of all cases the nearest neighbour of a digit stands at most 138 places before or after it, a thirteenth
# of the list; by chance it would be 15 %.) So train on the first four fifths of that list, and ask for the last fifth,
# which other people wrote (one writer may stand on both sides of the cut).

# %% name="writers" tags=["tools"]
# The same network and the same rule, on the handwriting of people they have not seen.
hands = measured("p00_numpy_and_pytorch", "metrics/accuracy on other hands")["metrics/accuracy on other hands"]
for name, share in hands.items():
    print(f"{name:20}{100 * right[name].mean():6.1f} % with the writers mixed,{100 * share:6.1f} % on other writers")

# %% [markdown] name="writers-lesson"
# Both fall, and the network further. No training, however long, would have told you: only another *test* can. Before
# you make a model better, look at its data. And here are the answers to the riddle at the top:

# %% name="mistakes-picture" alt="Test digits that the network reads wrongly, each with what the network said and the label."
said = mlp(params, test.images)[0].argmax(axis=1)
wrong = np.flatnonzero(said != test.labels)
fig, row_of_axes = figure(9, 1.5, columns=len(wrong))
for axes, place in zip(row_of_axes, wrong, strict=False):
    axes.imshow(test.images[place], cmap="Greys")
    describe(axes, title=f"said {said[place]},\nis a {test.labels[place]}")
for axes in row_of_axes:
    axes.set_axis_off()

# %% [markdown] name="break-it"
# ## Break it
#
# Back to the points of two colours, to see what each piece of the network was for. Three changes, each a single line:
# **without ReLU**, two linear layers, one after the other; **all parameters start at 0**, tidy and fair; **all hidden
# units start alike**, at 0.1. Guessing gets half of the points right. What will the three get?


# %% name="break-it-code" predict="Which of the three still learns something?"
def without_relu(params, points):
    return mlp(params, points, activation=lambda x: (x, lambda dy: dy))  # y = x, so dx = dy


changes = {
    "as it was": (start, mlp),
    "without ReLU": (start, without_relu),
    "all at 0": (map_tree(np.zeros_like, start), mlp),
    "all alike": (map_tree(lambda p: np.full_like(p, 0.1), start), mlp),
}
for name, (begin, network) in changes.items():
    for _, _, end in learn(begin, points, random_stream(0, "training", "corners"), network=network):
        pass  # to the last step
    share = np.mean(network(end, new.images)[0].argmax(axis=1) == new.labels)
    units = len(np.unique(end["hidden"]["weight"], axis=0))
    print(f"{name:14}{share:.1%} of the points right, {units} different hidden units")

# %% [markdown] name="break-it-why"
# Without ReLU the two layers are one, and one is not enough. With both layers at 0 no gradient gets through either of
# them, and only the bias of the readout moves. And 64 units that start alike get the same gradient, so they stay alike for ever: they are one unit, 64 times. *That* is why parameters begin as noise: it is
# what lets units become different.
#
# **Three things that people believe**
#
# - *"Back-propagation is how networks learn."* It only finds the gradient. The learning is (2), or another such rule.
# - *"97 % on new data shows that it works."* On data like those. You saw what one more question, about the writers, did.
# - *"Training finds the best parameters."* It finds some that are good enough. Another seed ends somewhere else.

# %% [markdown] name="tape"
# ## The tape
#
# In `mlp` we called the closures in reverse order, by hand. That is bookkeeping, and can be left to a list, the
# **tape**. While computing, write down for every operation its closure, what went in and what came out. To get
# gradients, read the list from the end:
#
# 1. start with $\partial L/\partial L = 1$;
# 2. at each record, let the closure turn the gradient of what came out into those of what went in;
# 3. if a value has a gradient already, because it was used twice, **add**.
#
# ![The tape of a network with the weights W and V: four operations with what went in, what came out and the closure, written from top to bottom, called from bottom to top.](diagram:tape)


# %% name="small-tape"
class TinyTape:
    def __init__(self):
        self.records = []

    def apply(self, function, *inputs):
        value, backward = function(*[one.value for one in inputs])
        output = Value(value)
        self.records.append((inputs, output, backward))
        return output

    def gradients(self, loss):
        found = {loss: 1.0}  # step 1
        for inputs, output, backward in reversed(self.records):
            if output in found:  # otherwise the loss does not depend on it
                for one, gradient in zip(inputs, backward(found[output]), strict=True):  # step 2
                    found[one] = found.get(one, 0) + gradient  # step 3
        return found


class Value:
    def __init__(self, value):
        self.value = np.asarray(value)


# %% [markdown] name="tape-why"
# Why is the reverse order right? Whoever *uses* a value is recorded after whoever *made* it. So when the reading comes
# to a value's own record, everyone who used it has already paid in, and its gradient is complete. This is
# **reverse-mode automatic differentiation**, Linnainmaa's idea of 1970, and it is what PyTorch's autograd does. It runs
# your program, whatever loops and branches it takes, and remembers how to go back.
#
# ### A value that is used twice
#
# Let $u = wx$ and $L = (u + b)\,u$, with $w = 2$, $x = 3$, $b = 1$. So $u = 6$ and $L = 42$. On paper: $\partial
# L/\partial u = (u + b) + u = 13$, because $u$ reaches $L$ on two paths; then $\partial L/\partial w = 13x = 39$ and
# $\partial L/\partial b = u = 6$. In code, `multiply` and `add` are `scale` and `shift` for arrays. Their `backward`
# returns a tuple, which this tape asks for; that of `relu` would have to be wrapped in one.

# %% name="small-tape-run"
tape = TinyTape()
w, x, b = Value(2.0), Value(3.0), Value(1.0)
u = tape.apply(multiply, w, x)
loss = tape.apply(multiply, tape.apply(add, u, b), u)
found = tape.gradients(loss)
print(f"L = {loss.value}: dL/du = {found[u]}, dL/dw = {found[w]}, dL/db = {found[b]}")
assert (loss.value, found[u], found[w], found[b]) == (42, 13, 39, 6)

# %% [markdown] name="tape-turn"
# **Your turn**: exercise `tape` asks for `gradients`, for a tape that can do a little more.

# %% [markdown] name="tape-drawn" tags=["second"]
# ## A tape can be drawn
#
# Give variables operators that call `apply` by themselves, and one can write `(w * x + b) * w * x` as usual. And what is
# on a tape can be drawn as a *graph*. Each box shows the value and, after $\partial$, the gradient.

# %% name="small-operations" tags=["tools"] include="groundup.lessons.p00_numpy_and_pytorch.model:subtract groundup.lessons.p00_numpy_and_pytorch.model:divide groundup.lessons.p00_numpy_and_pytorch.model:power groundup.lessons.p00_numpy_and_pytorch.model:exp groundup.lessons.p00_numpy_and_pytorch.model:log groundup.lessons.p00_numpy_and_pytorch.model:total groundup.lessons.p00_numpy_and_pytorch.model:transpose groundup.lessons.p00_numpy_and_pytorch.model:take groundup.ops.linear:matmul"
# The other small operations (subtract, divide, power, exp, log, total, transpose, take, matmul), in the same convention.
from groundup.lessons.p00_numpy_and_pytorch.model import divide, exp, log, power, subtract, take, total, transpose
from groundup.ops.linear import matmul

# %% name="tape-code" tags=["tools"] include="groundup.lessons.p00_numpy_and_pytorch.tape:Tape groundup.lessons.p00_numpy_and_pytorch.tape:Variable"
# `Tape` and `Variable`, a value whose operators `+`, `*`, `@` and so on call `tape.apply`: under 100 lines.
from groundup.lessons.p00_numpy_and_pytorch.tape import Tape, Variable

# %% name="graph-code" tags=["tools"] include="groundup.lessons.p00_numpy_and_pytorch.figures:draw_graph"
# `draw_graph` draws a tape.
from groundup.lessons.p00_numpy_and_pytorch.figures import draw_graph

# %% name="tape-small-graph" alt="The computation graph of L = (wx + b) wx from left to right, with the value and the gradient of every node."
tape = Tape()
w, x, b = tape.variable(2.0, "w"), tape.variable(3.0, "x"), tape.variable(1.0, "b")
u = w * x
product = (u + b) * u
found = tape.gradients(product)
assert (product.value, found[u], found[w], found[b]) == (42, 13, 39, 6)
u.name, product.name = "u = w x", "L = (u + b) u"
fig, axes = figure(7.5, 2.9)
draw_graph(axes, tape, found, "A tape of three operations", size=10)

# %% [markdown] name="tape-network"
# ### The network on the tape
#
# Now the whole loss of the digits network from elementary operations alone: no `linear`, no `cross_entropy`, and not
# one line of backward. Its gradients must be the ones that we derived by hand.

# %% name="tape-network-code" show="mlp_on_tape" include="groundup.lessons.p00_numpy_and_pytorch.experiment:mlp_on_tape"
from groundup.lessons.p00_numpy_and_pytorch.experiment import mlp_on_tape

# %% name="tape-network-graph" alt="The computation graph of the network's loss from left to right: parameters and pixels in white boxes, operations in blue ones."
tape = Tape()
precise = map_tree(lambda leaf: leaf.astype(np.float64), params)
tape_loss, tape_params = mlp_on_tape(tape, precise, images, labels)
found = tape.gradients(tape_loss)
_, by_hand = digit_loss(precise)
pairs = [(found[tape_params[name]], leaf) for name, leaf in flatten(by_hand).items()]
error = max(np.abs(ours - leaf).max() / np.abs(leaf).max() for ours, leaf in pairs)
print(f"largest relative difference of the four gradients: {error:.0e}")
fig, axes = figure(13, 4.5)
draw_graph(axes, tape, found, "The trained network's loss on one batch, as the tape recorded it", size=10)

# %% [markdown] name="tape-seen"
# Our derivations and the tape agree to the last digit or two. Where a box is an array, the number after $\partial$ is
# the length of its gradient, the root of the sum of its squares. Two boxes are constants. The one of 64 numbers holds
# the largest logit of each picture, which was taken away: its gradient is 0 but for rounding, as it must be. The other
# is $-1/64$, which turns the sum into the loss.

# %% [markdown] name="v-theory" tags=["second"]
# ## How small should a nudge be?
#
# We nudged by $10^{-5}$ or $10^{-6}$ and both ways. Why not by as little as
# possible? Let $f(h)$ be the loss after a nudge $h$. Two errors pull in opposite directions.
#
# **Truncation.** Taylor's formula gives
# $f(\pm h) = f(0) \pm h f' + \tfrac{h^2}{2} f'' \pm \tfrac{h^3}{6} f''' + \dots$, all derivatives taken at 0. Subtract
# and divide by $2h$, and the even terms cancel:
#
# $$\frac{f(h) - f(-h)}{2h} = f' + \frac{h^2}{6} f''' + \dots \tag{9}$$
#
# The error falls with $h^2$. That of the one-sided $\frac{f(h) - f(0)}{h} = f' + \frac{h}{2} f'' + \dots$ falls with
# $h$ only. That is why we nudge both ways.
#
# **Rounding.** A float64 keeps 53 binary digits, so $f$ is off by about $\varepsilon |f|$ with
# $\varepsilon = 2^{-52} \approx 2.2 \cdot 10^{-16}$. Dividing by $2h$ blows that up to about $\varepsilon |f| / h$.
#
# Together the error is about $E(h) = \tfrac16 |f'''| h^2 + \varepsilon |f| / h$. Its derivative,
# $\tfrac13 |f'''| h - \varepsilon |f|/h^2$, is zero at
#
# $$h_{\text{best}} = \left(\frac{3\,\varepsilon\,|f|}{|f'''|}\right)^{1/3} \sim \varepsilon^{1/3} \approx 6 \cdot 10^{-6} \tag{10}$$
#
# where the last step takes $f$ and $f'''$ to be of similar size. On logarithmic axes $E$ is a V, with slope 2 on the
# right and $-1$ on the left. First see it happen to one function:

# %% name="nudge-frames" alt="A smooth function around a point, magnified so that the nudges to both sides are always one unit long: bent for a large nudge, straight for a middling one, a staircase of rounded numbers for a tiny one."
at, true_slope = 1.0, math.exp(math.sin(1.0)) * math.cos(1.0)  # of e to the power of sin x, at x = 1


def magnified(axes, h):
    units = np.linspace(-3, 3, 151)
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

# %% [markdown] name="v-network"
# And now the V of a network: a hundred random directions, the median error of each nudge. The loss is that of a network
# without hidden layer, which is smooth.

# %% name="v-code" tags=["tools"] include="groundup.lessons.p00_numpy_and_pytorch.experiment:NUDGES groundup.lessons.p00_numpy_and_pytorch.experiment:linear_loss groundup.lessons.p00_numpy_and_pytorch.experiment:slope_errors groundup.lessons.p00_numpy_and_pytorch.experiment:v_slopes groundup.ops.init:linear_params"
# `slope_errors` measures how far nudged slopes are off, `v_slopes` the two exponents of the V.
from groundup.lessons.p00_numpy_and_pytorch.experiment import NUDGES, linear_loss, slope_errors, v_slopes
from groundup.ops.init import linear_params

# %% name="v-measure" tags=["tools"] alt="Relative error of the measured slope against the nudge: a V for central differences in float64, a shallower one for one-sided differences, and a high one for float32."
# The V curves of three ways to nudge.
ways = {
    "float64, central": (np.float64, True),
    "float64, one-sided": (np.float64, False),
    "float32, central": (np.float32, True),
}
errors = {}
for name, (dtype, central) in ways.items():
    flat_pixels = images.reshape(64, -1).astype(dtype)
    begin = linear_params(np.random.default_rng(2), 64, 10, dtype=dtype)
    errors[name] = slope_errors(
        lambda p, x=flat_pixels: linear_loss(p, x, labels), begin, NUDGES, np.random.default_rng(3), 100, central
    )
fig, axes = figure(7.2, 3.8)
curves(axes, NUDGES, errors, "nudge h", "relative error of the slope", "How well a slope can be measured", log="xy")
axes.get_legend().set_loc("lower right")
exponents = v_slopes(errors["float64, central"])
print(
    f"float64, central: error ~ h^{exponents['truncation']:.2f} on the right, h^{exponents['rounding']:.2f} on the left"
)
for name, error in errors.items():
    print(f"{name:20} best nudge {NUDGES[np.argmin(error)]:.0e}, error there {error.min():.0e}")

# %% [markdown] name="v-lessons"
# Four rules follow, and all checks of these lessons keep them. Check gradients in **float64**: with float32's
# $\varepsilon \approx 1.2 \cdot 10^{-7}$ the bottom of the V is so high that a real mistake can hide in it. Nudge
# **both ways**. Take $h$ **near the bottom**, $10^{-5}$ or so. And beware of **kinks**, corners like ReLU's: at $x = 10^{-4}$ the slope of
# ReLU is 1, but a nudge of $10^{-3}$ reaches over the kink, and $(\max(x + h, 0) - \max(x - h, 0))/2h$ is
# $0.0011/0.002 = 0.55$. Which side is right? Neither: there are two slopes, and the nudge has averaged them.

# %% name="kink"
x, h = 1e-4, 1e-3
print(f"nudge {h}: slope {(max(x + h, 0) - max(x - h, 0)) / (2 * h):.2f}")
assert math.isclose((max(x + h, 0) - max(x - h, 0)) / (2 * h), 0.55)

# %% [markdown] name="findings" tags=["findings"]
# ## Measured
#
# The findings of this lesson, measured at full size over several seeds, stand here in the built notebook. To measure
# them yourself: `groundup run 00`.

# %% [markdown] name="findings-words"
# Digits of 8 × 8 pixels cannot show that a network reads better than someone who looks up the most similar picture;
# lesson `alexnet` takes larger ones. What they do show is how gradients are found, in the largest models, too.

# %% [markdown] name="take-away"
# ## What to take away
#
# - Every operation returns its value and a closure. Back-propagation calls the closures in reverse order.
# - A gradient has the shape of its array. Copied forward means summed backward, and summed forward means copied back.
# - For $C = AB$, $dA = G B^\top$ and $dB = A^\top G$. The gradient of cross-entropy at the logits is $p - [k = t]$.
# - Check gradients in float64, nudging both ways by $10^{-5}$ or $10^{-6}$.
# - A tape is a list of closures. The gradients of a value that is used twice add up.
# - Put the simplest rival beside every result, and ask whose data you test on.
#
# **Asked in interviews**
#
# - *What is the gradient of a matrix product $C = AB$, and why?* $a_{ik}$ meets $b_{kj}$ in every $c_{ij}$ of row $i$;
#   add up $g_{ij} b_{kj}$ over $j$: $dA = G B^\top$, and likewise $dB = A^\top G$.
# - *Why do we go backward through the graph and not forward?* There is one loss and there are many parameters. One
#   backward pass gives all derivatives; carrying derivatives forward gives them along one direction a pass.
# - *Why is the largest logit subtracted in a softmax?* So that no exponential overflows; the result is the same, since
#   the common factor cancels.
# - *What should the loss of an untrained network with ten classes be?* About $\log 10 = 2.30$. Far from it means wrong
#   labels, a sum in the place of a mean, or parameters that start too large.
# - *Why not start with all weights at zero?* Units that start alike get the same gradient and stay alike; at zero, no
#   gradient passes at all.
#
# **Common mistakes**: subtracting (N,) from (N, 1). A softmax before a loss that takes logits. A loss that is summed
# where it should be averaged, so that the right learning rate depends on the batch. Choosing rates or sizes by the test
# digits.
#
# **Try**: set the rate to 5. Give the digits network 8 hidden units, then 512. How few can learn the two colours? In
# `TinyTape.gradients`, replace the sum by the last gradient.

# %% [markdown] name="torch" tags=["torch"]
# ## In PyTorch
#
# A PyTorch **tensor** is an array that can keep a tape. Most of NumPy's names work; `axis` is mostly called `dim`. Two
# surprises on the first day: `torch.from_numpy` and `.numpy()` share memory with the array, so that changing one
# changes the other; and NumPy makes float64 by default, PyTorch float32, and the two do not mix in a matrix product.
# (`.item()` makes a Python number of a tensor that holds one.)

# %% name="torch-tensors" tags=["torch"]
import torch
from torch.nn import functional as F

array = np.arange(6.0).reshape(2, 3)
tensor = torch.from_numpy(array)
array[0, 0] = 100
print("shared memory:", tensor[0, 0].item(), "| default types:", np.zeros(1).dtype, torch.zeros(1).dtype)

# %% [markdown] name="torch-autograd" tags=["torch"]
# Ask for gradients with `requires_grad=True`, compute, and call `.backward()` on one number. The gradients arrive in
# `.grad`, and there they are **added to what is there already**: our rule for a value that is used twice. But it also
# adds the gradient of this step to that of the last one, and so every training loop calls `zero_grad()`. What will the
# second call print? (The expression is the one that was on our tape.)

# %% name="torch-autograd-code" tags=["torch"] predict="The first backward gives dL/dw = 39. What does .grad hold after the second?"
w = torch.tensor(2.0, requires_grad=True)
x, b = torch.tensor(3.0), torch.tensor(1.0, requires_grad=True)
for attempt in ("first", "second, without zeroing"):
    u = w * x
    ((u + b) * u).backward()
    print(f"{attempt}: dL/dw = {w.grad.item()}, dL/db = {b.grad.item()}")
w.grad = None  # what zero_grad() does
with torch.no_grad():  # nothing in here is recorded: for evaluation, and for updates by hand
    w -= 0.1
print("an update by hand:", w.item(), "| cut off the tape, does it want gradients?", (w * x).detach().requires_grad)

# %% [markdown] name="torch-network" tags=["torch"]
# ### The network
#
# An `nn.Module` holds parameters and says how to compute. Autograd writes the backward, the module finds its parameters
# by itself, and their names are those of our tree, `hidden.weight` and so on. A dict of all parameters by name is
# called a `state_dict`; so one line below loads ours into it.

# %% name="torch-network-code" tags=["torch"] include="groundup.lessons.p00_numpy_and_pytorch.twin:MLP"
from groundup.lessons.p00_numpy_and_pytorch.twin import MLP

# %% [markdown] name="torch-race" tags=["torch"]
# Now train both in float64, from the same parameters, on the same batches, with the same rate. If all our derivatives
# are right, the two losses must agree at every step, up to rounding, a few times $\varepsilon$, the distance from 1 to
# the next float64.

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
    params = map_tree(lambda p, g: p - 0.5 * g, params, backward(loss_backward()))  # (2)
    losses["NumPy, by hand"].append(float(loss))

    loss = F.cross_entropy(model(torch.from_numpy(images)), torch.from_numpy(labels))  # (6)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()  # (2)
    losses["PyTorch, autograd"].append(loss.item())

# %% name="torch-race-picture" tags=["torch"] alt="Left: the losses of both tracks against the step, one on top of the other. Right: their difference in units of the machine precision."
gaps = np.abs(np.subtract(*losses.values()))
verdict = "they agree" if gaps.max() <= 1e-9 else "they differ"
print(f"largest difference of two losses in 200 steps: {gaps.max() / np.finfo(float).eps:.0f} ε, so {verdict}")
fig, (left, right) = figure(10, 2.8, columns=2)
lines = {name: line[::4] for name, line in losses.items()}
curves(left, range(1, 201, 4), lines, "step", "loss of the batch, nats", "Both tracks from the same start")
right.plot(range(1, 201, 4), gaps[::4] / np.finfo(float).eps, ".")
describe(right, "step", "|difference| / ε,  ε = 2.2e-16", "How far apart they are")

# %% [markdown] name="torch-train-words" tags=["torch"]
# At work you would write less: float32 (our pictures are float32 already), PyTorch's own start, and a loop of six
# lines. What does the framework do for you? The backward, the book-keeping of parameters, the moves to a GPU. What does
# it hide? That `loss.backward()` walks a list, that `F.cross_entropy` contains the softmax (give it logits, never
# probabilities), and that every tensor you keep from inside the loop keeps its whole tape alive: so put `loss.item()`,
# not `loss`, into your list of losses.

# %% name="torch-train" tags=["torch"]
torch.manual_seed(0)
model = MLP()
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
images, labels = torch.from_numpy(train.images), torch.from_numpy(train.labels)
for step in range(2000):
    rows = torch.randint(len(labels), (64,))
    loss = F.cross_entropy(model(images[rows]), labels[rows])  # (6)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()  # (2)
with torch.no_grad():
    hits = model(torch.from_numpy(test.images)).argmax(dim=1) == torch.from_numpy(test.labels)
print(f"test digits read correctly: {100 * hits.double().mean():.1f} % of {len(hits)}; guessing gives 10 %")

# %% [markdown] name="torch-turn" tags=["torch"]
# **Your turn**: exercise `training_loop_torch` is this loop, and what people forget in it.
#
# **Asked in interviews**
#
# - *Why does every PyTorch training loop call `zero_grad`?* Because `.grad` adds up. That is right for a value that is
#   used twice, and wrong for the gradient of the last step.

# %% [markdown] name="torch-table" tags=["torch", "second"]
# ## What PyTorch's calls compute
#
# PyTorch's functions are short formulas with careful names. Each entry shows the call, the same in NumPy, and the
# gradients, where `g` stands for the gradient of the value. The shapes are small and fixed: `x` and `u` are (4, 3),
# `row` (3,), `column` (4, 1), `y` (3, 5), `w` (5, 3), and `t` holds 4 labels. Nothing in the table is only text: the
# strings are run, and value and gradients are compared with PyTorch's.

# %% name="torch-table-code" tags=["torch", "tools"] include="groundup.lessons.p00_numpy_and_pytorch.table:ROWS groundup.lessons.p00_numpy_and_pytorch.table:table_arrays groundup.lessons.p00_numpy_and_pytorch.table:run_raw groundup.lessons.p00_numpy_and_pytorch.table:as_text groundup.lessons.p00_numpy_and_pytorch.twin:run_call"
# `ROWS`, the table, and what prints a row and runs it on either side.
from groundup.lessons.p00_numpy_and_pytorch.table import ROWS, as_text, run_raw, table_arrays
from groundup.lessons.p00_numpy_and_pytorch.twin import run_call

# %% name="torch-table-run" tags=["torch", "tools"]
# The table, and how many rows give what PyTorch gives.
rng = np.random.default_rng(0)
arrays = table_arrays(rng)
agree = 0
for entry in ROWS:
    value, backward = run_raw(entry, arrays)
    g = rng.normal(size=np.shape(value))
    expected, expected_gradients = run_call(entry, arrays, g)
    gradients = backward(g)
    value_error = np.abs(value - expected).max()
    gradient_error = max((np.abs(gradients[name] - expected_gradients[name]).max() for name in gradients), default=0.0)
    agree += value_error <= 1e-12 and gradient_error <= 1e-12
    print(as_text(entry))
print(f"\n{agree} of {len(ROWS)} rows agree with PyTorch to 1e-12")
