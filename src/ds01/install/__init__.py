"""Putting DS01 on a server and taking it off again: ``ds01 install`` and ``ds01 uninstall``.

``look`` reads the machine, ``plan`` says what would change (pure: the machine as a value in, changes out), ``act`` does
exactly that and writes down what was there before, ``undo`` goes back to it. Nothing else in DS01 writes below ``/etc``
or ``/usr/local``.
"""
