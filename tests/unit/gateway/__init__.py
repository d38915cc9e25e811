"""Tests of the gateway without an engine."""
