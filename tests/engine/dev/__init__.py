"""The development stack against a real engine."""
