"""What people and CI run on a machine of their own: an engine, a whole stack, a base image, the demo."""
