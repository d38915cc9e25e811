"""The ways the guard says no."""

from __future__ import annotations


class RefusedError(Exception):
    """Why runc is not started: what the container asks for, in words that follow "it asks for"."""


class StepRefusedError(Exception):
    """Why a step of a BuildKit build does not run, as half a sentence."""


class BeforeError(Exception):
    """The container was started before the guard stood behind the engine, so nobody knows what it may."""
