"""The same work on a Ray cluster: many machines, any of which may go away."""
