"""Tests, sorted by what they need: unit, contract, api, engine, e2e."""
