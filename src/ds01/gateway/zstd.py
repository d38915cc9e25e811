"""zstd, which Python unpacks by itself from 3.14 on; the one door to the library that does it before."""

from __future__ import annotations

import sys

from ds01.domain.dockerpolicy.unpacked import Stream

if sys.version_info >= (3, 14):
    from compression.zstd import DecompressionParameter, ZstdDecompressor, ZstdError
else:
    from backports.zstd import DecompressionParameter, ZstdDecompressor, ZstdError

NEAR, FAR = 23, 27
"""How far back an archive may point, as powers of two: 8 MB, which all levels up to 19 make, and 128 MB, the most that
``zstd`` makes without being told to.
"""


class _Zstd:
    """A decompressor whose errors are those of the standard library's others."""

    def __init__(self, window: int) -> None:
        self._inner = ZstdDecompressor(options={DecompressionParameter.window_log_max: window})

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return self._inner.needs_input

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        try:
            return self._inner.decompress(data, max_length)
        except ZstdError as error:
            raise OSError("the archive is damaged") from error


def zstd(far: bool) -> Stream:
    """What unpacks one stream, of the usual ones or of all."""
    return _Zstd(FAR if far else NEAR)
