"""Arithmetic on blocks of rows: exact top-k, ranks of mates, scores of pairs; CPU and GPU behind one call.

The interface is `topk`, `mate_ranks`, `crowds` and `pair_scores`, and for a gallery that is asked again and again
`search_gallery` and `rank_gallery`; what they compute with is in `cpu` and `cuda`.
"""
