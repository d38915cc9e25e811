"""The adapter of the Docker engine, without one."""
