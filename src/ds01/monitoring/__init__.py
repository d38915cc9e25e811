"""What a monitoring system needs to watch DS01: rules and alerts for Prometheus, dashboards for Grafana.

All of it is described once, in ``rules``, ``alerts`` and ``boards``, by the names that ds01d's metrics have; a test
holds every name and label against what ds01d says. ``prometheus`` and ``grafana`` write the description down in the
languages of those two programs.
"""
