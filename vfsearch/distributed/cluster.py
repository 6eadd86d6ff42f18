"""A Ray cluster to work on: the user's, or one of this machine alone."""

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from vfsearch.devices import cores
from vfsearch.errors import MissingExtraError, SettingsError, VfsearchError

logger = logging.getLogger(__name__)

HERE, CLIENT = "ray", "ray://"
PIP_LINE = "pip install 'vfsearch[ray]'"
ANSWER_SECONDS = 10.0
STORE_BYTES = 96 * 2**20
"""For objects on this machine: tasks and what they found out are small, rows never pass through it."""
# Ray means these for desktop systems, where it listens on no address that others reach; it looks when it is imported.
_LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0"}
# Ray would replace the `print` of the whole process, for progress bars that are not used here.
_PRINT = {"RAY_TQDM_PATCH_PRINT": "0"}


def require_address(text: str) -> str:
    """What `--on` says.

    Raises:
        SettingsError: it is neither "ray" nor "ray://HOST:PORT".
    """
    if text != HERE and not (text.startswith(CLIENT) and len(text) > len(CLIENT)):
        raise SettingsError(f"work can be done on {HERE} or {CLIENT}HOST:PORT, not on {text!r}")
    return text


@contextmanager
def cluster(address: str = HERE) -> Iterator:
    """The module `ray`, connected; what was connected before stays so.

    Args:
        address: "ray://HOST:PORT" of a running cluster; "ray": the one that RAY_ADDRESS names, else one of this machine
            alone, which listens on the loopback address, shows no dashboard and ends with the block.
    Raises:
        MissingExtraError: Ray is not installed.
        VfsearchError: the cluster cannot be reached.
    """
    require_address(address)
    alone = address == HERE and not os.environ.get("RAY_ADDRESS")
    ray = _imported(alone)
    if ray.is_initialized():
        yield ray
        return
    if not alone:
        _require_answer(os.environ["RAY_ADDRESS"] if address == HERE else address)
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        if alone:
            logger.info("starting a Ray cluster of this machine alone")
            ray.init(
                address="local", num_cpus=cores(), include_dashboard=False, object_store_memory=STORE_BYTES, **quiet
            )
        else:
            ray.init(address=None if address == HERE else address, **quiet)
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        where = os.environ.get("RAY_ADDRESS", "this machine") if address == HERE else address
        raise VfsearchError(
            f"no Ray cluster could be reached at {where}: {_first_line(error)}; is it there, of the same versions of "
            "Ray and Python? If it asks for a token, set RAY_AUTH_MODE=token (and RAY_AUTH_TOKEN, or ~/.ray/auth_token)"
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _require_answer(address: str) -> None:
    """Somebody listens there: Ray itself would try for minutes, and print what it tries."""
    host, _, port = address.removeprefix(CLIENT).rpartition(":")
    if not host or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), ANSWER_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise VfsearchError(
            f"no Ray cluster could be reached at {address}: {_first_line(error)}; is it running, and is the port open?"
        ) from error


def _imported(alone: bool):
    for name, value in (_PRINT | (_LOOPBACK if alone else {})).items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError as error:
        raise MissingExtraError(f"--on ray needs Ray; install with: {PIP_LINE}") from error
    return ray


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
