"""What would have happened: a trace of jobs, replayed through the very rules that ds01d shares GPUs by.

It imports the domain and the words of the wire, no server code, so the command line runs it in its own process.
"""
