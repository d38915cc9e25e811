"""Tests of the simulator of the queue."""
