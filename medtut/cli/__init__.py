"""What the command line does, one module per command; `medtut.__main__` reads the arguments."""
