"""Carrying out the rules of life: looking every few seconds, telling, stopping, removing."""
