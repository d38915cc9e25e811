"""ds01-runc: the second layer. Reads the final config.json of every container and refuses what DS01 did not grant.

It stands behind the engine, so that a mistake in the gateway, or a door nobody thought of, still does not give away the
host or a GPU. It knows nothing of the Docker API, only of what runc is about to do.
"""
