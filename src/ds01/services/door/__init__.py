"""What ds01d does for the gateway: facts, grants and records. The gateway polices a request; here it is granted.

A grant is a *ticket*: what was reserved for a create (a name, a GPU, pinned folders) until the engine has made the
container or refused. A ticket nobody redeems expires and takes everything back.
"""
