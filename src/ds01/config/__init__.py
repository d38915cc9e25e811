"""limits.yaml to domain values, with file, line and column in every error."""
