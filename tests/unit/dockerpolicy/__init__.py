"""Tests of the rules about Docker requests."""
