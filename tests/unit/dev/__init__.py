"""The development stack's own small parts."""
