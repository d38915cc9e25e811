"""What DS01 does, one verb per file: load, decide with the rules, write, act."""
