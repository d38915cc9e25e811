"""ds01-runc: the second layer. The engine's default runtime: it reads the final configuration of every container,
refuses what DS01 did not grant, makes the rest safe, and becomes runc.

It stands behind the engine, so that a mistake in the gateway, or a door nobody thought of, still gives away neither
the host nor a GPU. It knows nothing of the Docker API, only of what runc is about to do.

Everything here but ``launcher`` runs at the start of every container and every exec, as root and without the rest of
DS01: it imports ``json``, ``os``, ``re`` and nothing heavier, but for ``kernel``. The argument why its rules are
enough is in ``docs/explanation/guard.md``.
"""
