"""What crosses a socket: frozen dataclasses, one file per noun.

Only these and the domain are shared by ds01d, the gateway, the client and the command line. Fields are only ever
added, with a default.
"""
