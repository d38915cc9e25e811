"""HTTP/2 as BuildKit speaks it: gRPC over a connection that began as HTTP/1.1 and changed protocols.

Ended here and begun anew on the other side, never passed as bytes: a call is read, judged, and made again.
"""
