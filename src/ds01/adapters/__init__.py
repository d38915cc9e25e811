"""One folder per outside system; its library is imported there and nowhere else."""
