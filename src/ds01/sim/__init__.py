"""A simulated host: the same ports in memory, for anyone without a GPU, for faults and for speed."""
