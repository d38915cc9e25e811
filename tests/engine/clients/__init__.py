"""What Docker clients see through the gateway, compared with the engine itself."""
