"""The face of ds01d: one router per noun over the services, one shape for every error."""
