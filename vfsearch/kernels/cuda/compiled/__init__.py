"""Triton kernels: imported by functions only, after `vfsearch.kernels.cuda.places.runs_triton` has said yes."""
