"""A project's files, read and written as the user: ds01.toml, the generated Dockerfile, the starter files."""
