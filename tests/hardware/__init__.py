"""What only a real GPU can show. Not a part of ``make test``: ``make test-gpus``, on the server itself, as root.

Every figure is checked against ``nvidia-smi``, which asks the same driver by another way, and against a program whose
use of the GPU is known (``burn.c``). Nothing here changes a GPU's settings. Run it when nobody uses the server.
"""
