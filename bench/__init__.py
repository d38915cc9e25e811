"""What ``make bench`` measures: every module here with a ``measure() -> Iterable[Row]`` is one benchmark.

Figures are ratios to a named peer, taken interleaved in one run, medians of at least twenty.
"""
