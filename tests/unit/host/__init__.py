"""Tests of the Linux host adapter: with real users, real mounts, real cgroups."""
