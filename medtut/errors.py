"""The one exception for input that cannot be used."""


class BadInput(ValueError):
    """One sentence: what was got, what is needed, what to use instead. The command line prints it alone."""
