"""HTTP/2 of the gateway: calls, flow, and whatever bytes somebody sends."""
