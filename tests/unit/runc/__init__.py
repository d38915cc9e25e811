"""Tests of the second layer."""
