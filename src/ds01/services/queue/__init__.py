"""Waiting for GPUs: joining, turns, claims, giving up, and what is said to those who wait.

Every grant of every door goes through ``grant``: whoever comes now is judged together with all who wait already.
``turns`` is the pass that runs whenever something may have come free.
"""
