"""Checkers of the exercises, one module per chapter; `medtut.checks.chapter` imports the one it opens."""
