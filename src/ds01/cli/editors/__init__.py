"""Programs in a container for the laptop's browser: started there, reached through a socket of one's own.

A port that Docker publishes is fixed when a container is made, and every user of the server can reach it. So nothing is
published: the program listens on the container's own loopback, and a small relay beside it on a unix socket in the
workspace, which its owner alone may open. ``ssh -L`` leads from the laptop straight to that socket.
"""
