"""What the rules need from the world: one Protocol per outside thing, in our words."""
