"""The process's own token, with which it calls other services when it acts for itself."""

import os


class OwnToken:
    """A bearer token in a file that somebody else renews (a projected service-account token, say)."""

    def __init__(self, path: str) -> None:
        """Reads `path` when first asked, and again whenever it changes; an empty path means no token."""
        self._path = path
        self._stamp = (0, 0)
        self._token = ""

    def get(self) -> str:
        """The token, empty if there is none.

        Raises:
            OSError: the file cannot be read.
        """
        if not self._path:
            return ""
        status = os.stat(self._path)
        stamp = (status.st_mtime_ns, status.st_ino)
        if stamp != self._stamp:
            with open(self._path, encoding="ascii") as file:
                self._token = file.read().strip()
            self._stamp = stamp
        return self._token
