"""Measurement operators of imaging physics, one module per modality."""
