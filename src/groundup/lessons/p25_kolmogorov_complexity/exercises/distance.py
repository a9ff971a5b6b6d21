"""Exercises on distances by compression: the distance, the nearest neighbours, and a tree."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from groundup.lessons.p25_kolmogorov_complexity.ncd import (
    Merge,
    average_linkage,
    neighbour_share,
    normalised_compression_distance,
)
from groundup.practice.exercise import Exercise, Right, Wrong
from groundup.practice.properties import Code, special

# Compressors of one line, which cannot be undone: only the sizes matter.
RUNS = 'lambda data: b"#" + bytes(b for i, b in enumerate(data) if i == 0 or data[i - 1] != b)'  # repeats left out
PAIRS = "lambda data: bytes(2 + len(set(zip(data, data[1:]))))"  # as long as there are different pairs
SQUARE = "lambda data: bytes(1 + len(data) ** 2)"  # a bad one, to which two texts are more than both


def distance_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    runs, pairs = Code(RUNS), Code(PAIRS)
    yield {"x": b"a", "y": b"b", "compress": runs}
    yield {"x": b"ab", "y": b"b", "compress": runs}
    yield {"x": b"ab", "y": b"bc", "compress": runs}
    yield {"x": b"abc", "y": b"", "compress": runs}
    yield {"x": b"a", "y": b"abcab", "compress": pairs}
    yield {"x": b"abcabd", "y": b"ab", "compress": pairs}
    yield {"x": b"abracadabra", "y": b"abracadabra", "compress": pairs}
    for letters in (2, 4, 20):
        x, y = (bytes(97 + rng.integers(letters, size=rng.integers(4, 30)).astype(np.uint8)) for _ in range(2))
        yield {"x": x, "y": y, "compress": runs}
        yield {"x": x, "y": y, "compress": pairs}


def bad_compressor(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """One with which the distance is above 1."""
    yield {"x": b"abc", "y": b"de", "compress": Code(SQUARE)}


RETURN = "return (both - min(size_x, size_y)) / max(size_x, size_y)"

DISTANCE = Exercise(
    title="Normalised compression distance",
    functions=(normalised_compression_distance,),
    floats32=False,
    task=r"""
$$\mathrm{NCD}(x, y) = \frac{C(xy) - \min\{C(x), C(y)\}}{\max\{C(x), C(y)\}}$$

`x` and `y` are `bytes`, $xy$ is $y$ behind $x$, and $C(\cdot)$ is the number of bytes that `compress` returns: any
function from `bytes` to `bytes`. Return a float. It is not cut off at 1: with a bad compressor it can be larger.""",
    hints=(
        "How much longer does a compressed text become when another one is put behind it? If the first helps, only a "
        "little. Divide by what it could become at most.",
        r"$K(x \mid y) \approx K(xy) - K(y)$; the larger of $C(xy) - C(y)$ and $C(xy) - C(x)$ over the larger of "
        "$C(x)$ and $C(y)$ (Cilibrasi and Vitányi 2005; lesson, eq. 7).",
        "`a, b, both = len(compress(x)), len(compress(y)), len(compress(x + y))`, then "
        "`(both - min(a, b)) / max(a, b)`.",
    ),
    why=r"""Both texts are at distance 0 only if *each* is easy to get from the other: hence the larger of the two
differences, which is the one with the smaller size taken off. Dividing by the larger size makes long and short
pairs comparable. $\min$ and $\max$ exchanged agree on texts of equal size, where one would try it out first.""",
    difficulty=1,
    minutes=10,
    cases=distance_cases,
    loops="None are needed.",
    checks=(special("above 1", bad_compressor),),
    wrong=(
        Wrong(
            "min and max exchanged",
            {RETURN: "return (both - max(size_x, size_y)) / min(size_x, size_y)"},
            "that exchanges the minimum and the maximum",
        ),
        Wrong(
            "divided by the smaller",
            {RETURN: "return (both - min(size_x, size_y)) / min(size_x, size_y)"},
            "that divides by the smaller size",
        ),
        Wrong(
            "the larger taken off",
            {RETURN: "return (both - max(size_x, size_y)) / max(size_x, size_y)"},
            "that takes the larger size off: near 0 as soon as the larger tells all about the smaller",
        ),
        Wrong("y first", {"x + y": "y + x"}, "that puts x behind y"),
        Wrong(
            "ratio of sizes",
            {RETURN: "return both / (size_x + size_y)"},
            "that divides the size of both together by the sum of their sizes: 1/2 for equal texts, not 0",
        ),
        Wrong(
            "divided by the sum",
            {RETURN: "return (both - min(size_x, size_y)) / (size_x + size_y)"},
            "that divides by the sum of the sizes",
        ),
        Wrong(
            "sizes as they are",
            {
                "(len(compress(data)) for data in (x, y, x + y))": "len(x), len(y), len(compress(x + y))",
                RETURN: "return (both - min(size_x, size_y)) / max(size_x, size_y, 1)",
            },
            "that takes the sizes of x and y before they are compressed",
        ),
        Wrong(
            "x for the smaller",
            {RETURN: "return (both - size_x) / size_y"},
            "that takes x for the smaller one",
        ),
        Wrong(
            "a compressor of its own",
            """
            import zlib

            def normalised_compression_distance(x, y, compress):
                a, b, both = (len(zlib.compress(data, 9)) for data in (x, y, x + y))
                return (both - min(a, b)) / max(a, b)
            """,
            "that uses zlib, whatever `compress` is",
        ),
        Wrong(
            "compressed apart",
            {
                "size_x, size_y, both = (len(compress(data)) for data in (x, y, x + y))": "size_x, size_y = "
                "len(compress(x)), len(compress(y))\n    both = len(compress(x) + compress(y))"
            },
            "that compresses x and y apart and joins the results: the compressor never sees both",
        ),
        Wrong(
            "cut off at 1",
            {RETURN: RETURN.replace("return ", "return min(1.0, ") + ")"},
            "that cuts the distance off at 1",
        ),
        Wrong(
            "whole numbers",
            {RETURN: RETURN.replace(") / max", ") // max")},
            "that divides whole numbers without the rest",
        ),
    ),
    right=(
        Right(
            "the larger of two differences",
            """
            def normalised_compression_distance(x, y, compress):
                size = lambda *texts: len(compress(b"".join(texts)))
                a, b, ab = size(x), size(y), size(x, y)
                return max(ab - a, ab - b) / (a if a > b else b)
            """,
        ),
    ),
)


def random_distances(rng: np.random.Generator, count: int) -> np.ndarray:
    """Symmetric, all different, 0 on the diagonal."""
    half = np.triu(rng.random((count, count)) + 0.05, 1)
    return half + half.T


def tree_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for count in (1, 2, 3, 3, 4, 5, 5, 6, 8, 12):
        yield {"distances": random_distances(rng, count)}
    # Points on a line: big clusters meet small ones, so that it matters how the mean is weighted.
    for count in (4, 6, 9):
        points = np.cumsum(rng.random(count) * 1.4 ** np.arange(count))
        yield {"distances": np.abs(points[:, None] - points)}


MEAN = "(sizes[a] * to_a + sizes[b] * to_b) / (sizes[a] + sizes[b])"

LINKAGE = Exercise(
    title="A tree by average linkage",
    functions=(average_linkage,),
    given=(Merge,),
    floats32=False,
    task=r"""
Every one of $N$ things begins as a cluster of its own, with the numbers $0 \dots N - 1$. Join the two nearest
clusters, $N - 1$ times; the cluster that the $i$-th merge makes ($i = 0, 1, \dots$) has the number $N + i$. The
distance of two clusters is the mean over all pairs of their members:

$$d(A, B) = \frac{1}{|A|\,|B|} \sum_{i \in A} \sum_{j \in B} d_{ij}$$

`distances` is $(N, N)$, symmetric; you may take it that no two are equal. Return a list of
`Merge(left, right, height)`, in the order of merging: the smaller number, the larger number, and their distance.
Loops are allowed.""",
    hints=(
        "Keep the distances of all pairs of clusters that are there now. After a merge only those to the new cluster "
        "are unknown. Can they be computed from the old ones, without going back to the members?",
        r"$d(ab, c) = \dfrac{n_a\, d(a, c) + n_b\, d(b, c)}{n_a + n_b}$ "
        "(lesson, eq. 8; UPGMA: Sokal and Michener 1958).",
        "A dict from pairs (i, j), i < j, to distances, and a dict of sizes. `(a, b), height = min(between.items(), "
        "key=lambda item: item[1])`; for every other cluster pop its distances to a and b, and put their weighted mean "
        "under (other, new); at last `sizes[new] = sizes.pop(a) + sizes.pop(b)`.",
    ),
    why=r"""The sum over the pairs of $(A \cup B) \times C$ is the sum over $A \times C$ plus that over
$B \times C$, that is $n_a n_c\, d(a, c) + n_b n_c\, d(b, c)$; divided by $(n_a + n_b)\, n_c$ it is the weighted
mean. The plain mean of the two is another method (WPGMA), and the minimum and the maximum are two more (single and
complete linkage). The first merges agree: the weights differ only when clusters of different sizes meet a third.""",
    difficulty=3,
    minutes=30,
    cases=tree_cases,
    whole=False,  # equal means of whole numbers differ by their rounding
    loops="Over merges and clusters.",
    equivalent={
        "average_linkage: (i, j) → (j, i)": "Distances are symmetric.",
        "average_linkage: range(count) → range(count + 1)": "The last thing has no later one to be paired with.",
        "average_linkage: range(count) → range(count - 1)": "The last thing has no later one to be paired with.",
        "average_linkage: 1 → 2 (2)": "Sizes are used as shares alone: all twice as large are the same shares.",
        "average_linkage: 0 → 1": "It orders equal distances, and the task says that there are none.",
    },
    wrong=(
        Wrong("plain mean", {MEAN: "(to_a + to_b) / 2"}, "that does not weight by size: that is WPGMA"),
        Wrong("single linkage", {MEAN: "min(to_a, to_b)"}, "that takes the nearest pair of members: single linkage"),
        Wrong(
            "complete linkage", {MEAN: "max(to_a, to_b)"}, "that takes the farthest pair of members: complete linkage"
        ),
        Wrong(
            "weights exchanged",
            {MEAN: "(sizes[b] * to_a + sizes[a] * to_b) / (sizes[a] + sizes[b])"},
            "that exchanges the weights of the two clusters",
        ),
        Wrong("half the height", {"Merge(a, b, height)": "Merge(a, b, height / 2)"}, "whose heights are halved"),
        Wrong(
            "farthest first",
            {"min(between.items()": "max(between.items()"},
            "that joins the farthest clusters first",
        ),
        Wrong(
            "numbers of rows",
            """
            import numpy as np

            def average_linkage(distances):
                d = distances + np.diag(np.full(len(distances), np.inf))
                sizes, merges = [1] * len(d), []
                while len(d) > 1:
                    a, b = sorted(int(i) for i in np.unravel_index(d.argmin(), d.shape))
                    merges.append((a, b, float(d[a, b])))
                    d[a] = d[:, a] = (sizes[a] * d[a] + sizes[b] * d[b]) / (sizes[a] + sizes[b])
                    d = np.delete(np.delete(d, b, 0), b, 1)
                    sizes[a] += sizes.pop(b)
                return merges
            """,
            "whose numbers are rows of the shrinking matrix, not clusters",
        ),
    ),
    right=(
        Right(
            "the mean over all pairs of members",
            """
            import itertools

            import numpy as np

            def average_linkage(distances):
                alive = {i: [i] for i in range(len(distances))}
                merges = []
                while len(alive) > 1:
                    apart = {
                        (a, b): distances[np.ix_(alive[a], alive[b])].mean()
                        for a, b in itertools.combinations(sorted(alive), 2)
                    }
                    a, b = pair = min(apart, key=apart.get)
                    alive[len(distances) + len(merges)] = alive.pop(a) + alive.pop(b)
                    merges.append((*pair, apart[pair]))
                return merges
            """,
        ),
        Right(
            "a matrix of sums",
            """
            import numpy as np

            class Clusters:
                def __init__(self, distances):
                    n = len(distances)
                    self.sums = np.zeros((2 * n - 1, 2 * n - 1))
                    self.sums[:n, :n] = distances
                    self.sizes = np.zeros(2 * n - 1)
                    self.sizes[:n] = 1

                def nearest(self):
                    pairs = np.outer(self.sizes, self.sizes)
                    means = np.divide(self.sums, pairs, out=np.full(pairs.shape, np.inf), where=np.triu(pairs, 1) > 0)
                    a, b = divmod(int(means.argmin()), len(means))
                    return a, b, means[a, b]

                def join(self, a, b, new):
                    self.sums[new] = self.sums[a] + self.sums[b]
                    self.sums[:, new] = self.sums[new]
                    self.sizes[new] = self.sizes[a] + self.sizes[b]
                    self.sizes[[a, b]] = 0

            def average_linkage(distances):
                clusters, result = Clusters(distances), []
                for new in range(len(distances), 2 * len(distances) - 1):
                    result.append(clusters.nearest())
                    clusters.join(*result[-1][:2], new)
                return result
            """,
        ),
    ),
)


NEAREST = "np.argmin(distances + np.diag(np.full(len(distances), np.inf)), axis=1)"


def neighbour_cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    yield {"distances": random_distances(rng, 2), "labels": ["a", "a"]}
    yield {"distances": random_distances(rng, 2), "labels": ["a", "b"]}
    for count in (3, 4, 5, 7, 10, 20):
        labels = [("a", "b", "cd")[i] for i in rng.integers(3, size=count)]
        yield {"distances": random_distances(rng, count), "labels": labels}
        yield {"distances": random_distances(rng, count) + np.diag(rng.random(count)), "labels": labels}


NEIGHBOURS = Exercise(
    title="The share of right nearest neighbours",
    functions=(neighbour_share,),
    floats32=False,
    task=r"""
Each of $N$ things has a label (a string). Return the share of the things whose nearest *other* thing has the same
label, as a float:

$$\frac{1}{N}\, \#\Bigl\{ i : \text{label}_{j(i)} = \text{label}_i \Bigr\}, \qquad j(i) = \arg\min_{j \ne i} d_{ij}$$

`distances` is $(N, N)$ and symmetric, with $N \ge 2$. Nothing is said about its diagonal: the compression distance
of a text from itself is not quite 0. No two distances of a row are equal. No loops.""",
    hints=(
        "The smallest number of each row gives its neighbour, if only the thing itself could not win. Which number "
        "never wins?",
        r"$j(i) = \arg\min_j (d_{ij} + \infty \cdot [i = j])$ (leave-one-out classification by the nearest neighbour).",
        "`away = distances + np.diag(np.full(N, np.inf))`, `nearest = away.argmin(axis=1)`, "
        "`names = np.array(labels)`, `np.mean(names[nearest] == names)`.",
    ),
    why=r"""With $\infty$ on the diagonal the minimum of a row is always another thing's. To sort and take the
second smallest is right only where the smallest of every row is on the diagonal, which compressors do not promise.
`np.fill_diagonal(distances, np.inf)` would do it in the caller's array: copy first.""",
    difficulty=2,
    minutes=10,
    cases=neighbour_cases,
    speed=lambda rng: {"distances": random_distances(rng, 1000), "labels": ["a", "b"] * 500},
    equivalent={
        "nearest: np.argmin(distances + np.diag(np.full(len(distances), np.inf)), axis=1) → np.argmin(distances "
        "+ np.diag(np.full(len(distances), np.inf)), axis=0)": ("Distances are symmetric."),
    },
    wrong=(
        Wrong(
            "itself",
            {NEAREST: "np.argmin(distances, axis=1)"},
            "that lets a thing be its own neighbour",
        ),
        Wrong(
            "the second smallest",
            {NEAREST: "np.argsort(distances, axis=1)[:, 1]"},
            "that takes the second smallest of each row: the smallest need not be on the diagonal",
        ),
        Wrong(
            "the smallest but 0",
            {NEAREST: "np.argmin(np.where(distances == 0, np.inf, distances), axis=1)"},
            "that leaves out what is at distance 0, not the thing itself",
        ),
        Wrong(
            "the farthest",
            {NEAREST: "np.argmax(distances - np.diag(np.full(len(distances), np.inf)), axis=1)"},
            "that takes the farthest thing",
        ),
        Wrong(
            "changes the distances",
            {NEAREST: "np.argmin(np.fill_diagonal(distances, np.inf) or distances, axis=1)"},
            "that writes into `distances`",
        ),
        Wrong("a count", {"np.mean(": "np.sum("}, "that counts the things and does not divide by their number"),
    ),
    right=(
        Right(
            "the diagonal left out of the matrix",
            """
            import numpy as np

            def neighbour_share(distances, labels):
                n = len(labels)
                others = distances[~np.eye(n, dtype=bool)].reshape(n, n - 1)
                nearest = others.argmin(axis=-1)
                nearest = nearest + (nearest >= np.arange(n))
                same = np.equal.outer(*[np.unique(labels, return_inverse=True)[1]] * 2)
                return np.take_along_axis(same, nearest[:, None], axis=1).mean()
            """,
        ),
    ),
)
