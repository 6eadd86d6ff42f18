r"""Names in cells parted by tabs: what would break a line is written with a backslash.

`\t`, `\n`, `\r`, `\\`; any other character that text files or their readers do not bear as `\uXXXX`: NUL, half of a
surrogate pair (a byte of a file name that is no UTF-8), and a blank where a name is nothing but blanks.
"""

import re

_UNSAFE = re.compile(r"[\\\t\n\r\0\ud800-\udfff]|^\s(?=\s*\Z)")
_ESCAPED = re.compile(r"\\(?:u([0-9a-f]{4})|(.?))", re.DOTALL)
_SHORT = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_MEANT = {"\\": "\\", "t": "\t", "n": "\n", "r": "\r"}


def escape(text: str) -> str:
    r"""A name as it is written.

    Example:
        >>> print(escape("a\tb"), escape("plain"), escape(" "))
        a\tb plain \u0020
    """
    if not _UNSAFE.search(text):
        return text
    return _UNSAFE.sub(lambda found: _SHORT.get(found[0], f"\\u{ord(found[0]):04x}"), text)


def unescape(text: str) -> str:
    r"""A name as it was meant.

    Raises:
        ValueError: a backslash that `escape` does not write.
    Example:
        >>> unescape(escape("a\tb")) == "a\tb"
        True
    """
    return _ESCAPED.sub(_meant, text) if "\\" in text else text


def _meant(found: re.Match) -> str:
    code, short = found.groups()
    if code:
        return chr(int(code, 16))
    if short not in _MEANT:
        raise ValueError(f"\\{short} means nothing")
    return _MEANT[short]
