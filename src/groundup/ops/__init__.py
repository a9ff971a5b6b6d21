"""Building blocks of deep learning by hand: each function returns its value and its backward closure."""
