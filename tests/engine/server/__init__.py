"""DS01 installed on a whole server, with systemd, and taken off again."""
