"""What takes longer than a test: quality and speed, measured into results/. `python -m benchmarks [NAME ...]`."""
