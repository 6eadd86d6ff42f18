"""How fast the kernels are: ours, what others offer, and the floor that the machine sets, measured in one run."""
