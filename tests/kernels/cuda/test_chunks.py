import pytest
import torch

from vfsearch.kernels.cuda.chunks import chunk_maxima, chunk_rows, members


@pytest.mark.parametrize("groups", [1, 2, 4, 8])
def test_the_maximum_of_a_chunk_is_that_of_its_members(groups):
    scores = torch.rand((3, 640))
    maxima = chunk_maxima(scores, groups)
    chunks = torch.arange(maxima.shape[1])[None, :]
    rows = members(chunks, groups)
    assert torch.equal(torch.sort(rows[0]).values, torch.arange(640))
    assert torch.equal(scores[:, rows[0]].unflatten(1, (-1, chunk_rows(groups))).amax(dim=2), maxima)
