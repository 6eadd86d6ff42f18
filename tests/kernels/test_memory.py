import re

import pytest

from vfsearch.errors import DoesNotFitError
from vfsearch.kernels.memory import least_memory, require_memory


@pytest.mark.parametrize("dimension", [1, 128, 4096])
def test_what_is_needed_is_said_and_is_enough(dimension):
    with pytest.raises(DoesNotFitError, match=f"of {dimension} dimensions with: at least") as caught:
        require_memory(least_memory(dimension) - 1, dimension)
    assert caught.value.exit_code == 5
    said = int(re.search(r"raise --max-memory to (\d+)MiB", str(caught.value))[1])
    for enough in (None, least_memory(dimension), said * 2**20, 2**40):
        require_memory(enough, dimension)


@pytest.mark.parametrize("little", [0, -1, 1])
def test_nothing_is_too_little(little):
    with pytest.raises(DoesNotFitError, match=f"{little} bytes of memory are too few"):
        require_memory(little, 8)
