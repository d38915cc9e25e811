"""The gateway between real users and a real engine."""
