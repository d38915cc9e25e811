"""The Docker engine behind our port, over aiodocker: the only place that knows the engine's JSON."""
