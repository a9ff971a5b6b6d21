"""The one exception that a reader of groundup is meant to see."""


class UserError(Exception):
    """Bad use or bad input.

    Its message is one clear sentence that says what is wrong and what would be right. The command line
    prints that sentence on stderr and exits with 2, so nothing above it should add a traceback.
    """
