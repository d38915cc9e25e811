"""Real builds of project images on a real engine."""
