"""Programs in a container for the laptop's browser, without the container: the relay, the ports, the forwarder."""
