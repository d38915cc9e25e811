"""The client against a real engine: shells, pipes, files."""
