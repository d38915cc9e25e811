"""Installing DS01 and taking it off, decided without a server."""
