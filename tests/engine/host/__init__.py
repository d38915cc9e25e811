"""Pins, slices and simulated GPUs in containers of a real engine."""
