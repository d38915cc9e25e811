"""Fetch it."""

from dev import dockerode

if dockerode.available():
    print(dockerode.modules())
