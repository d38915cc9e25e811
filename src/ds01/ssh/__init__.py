"""SSH into a container without an SSH server in it: the protocol is spoken by the user's own process on the server.

A laptop's ``ssh`` reaches this process by ``ProxyCommand ssh server ds01 ssh --stdio NAME``. Who is at the other end
was decided by the server's sshd, which started it as that user; so nothing is asked here again, and nothing listens.
What is wanted becomes a program in the container, through the gateway, which lets a user reach her own containers only.
This package is the one door to asyncssh.
"""
