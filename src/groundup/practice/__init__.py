"""Practice: write a function of a lesson yourself, and be told truthfully whether it is right.

In a notebook: ``from groundup.practice import check``, then ``check("softmax")``.
"""

from groundup.practice.notebook import check

__all__ = ["check"]
