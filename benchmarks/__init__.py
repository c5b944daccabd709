"""What takes longer than a test: quality and speed, measured into results/ by `python -m benchmarks`."""
