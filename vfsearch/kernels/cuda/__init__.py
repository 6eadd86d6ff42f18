"""Kernels for CUDA devices, in torch and Triton. All run on tensors of a CPU too, which is how they are tested."""
