"""What a checkpoint of others holds, read without running anything that it holds."""

import io
import pickle
import re
import warnings

import safetensors.torch
import torch

from vfsearch.errors import InputError


def load_checkpoint(data: bytes) -> object:
    """The content of a file that torch or safetensors saved.

    torch's files are pickles, which can run any program when they are read. Only tensors, numbers, texts and
    containers are taken from one.

    Args:
        data: of the file.
    Raises:
        InputError: neither kind of file, damaged, or it holds what would have to be run.
    """
    # safetensors: the length of a JSON object, then the object
    return _safetensors(data) if data[8:9] == b"{" else _torch(data)


def _safetensors(data: bytes) -> dict[str, torch.Tensor]:
    try:
        # It gives the tensors in another order in each process.
        return dict(sorted(safetensors.torch.load(data).items()))
    except Exception as error:  # a number type that torch lacks is a KeyError, a size that does not fit a RuntimeError
        raise InputError(f"a safetensors file that cannot be read ({_brief(error)}); fetch it again") from error


def _torch(data: bytes) -> object:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # broken bytes make torch raise whatever its parts raise
        found = re.search(r"GLOBAL (\S+)", str(error)) if isinstance(error, pickle.UnpicklingError) else None
        if found is None:
            raise InputError(
                f"neither a file of torch.save nor of safetensors, or a damaged one ({type(error).__name__})"
            ) from error
        raise InputError(
            f"it holds more than tensors ({found[1]}): to read that can run any program, so it was not read; "
            "if you trust whoever made it, load it with their code and save its state_dict alone"
        ) from error


def _brief(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
