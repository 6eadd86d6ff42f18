"""vfsearch: embedding search that matches voices and faces, and measures how well and how fast.

One function a command, on a workspace:

    from pathlib import Path
    import vfsearch

    workspace = vfsearch.Workspace(folder=Path("."))
    vfsearch.train_model(workspace, vfsearch.TrainSettings())
    vfsearch.embed_manifest(workspace)
    vfsearch.build_indices(workspace)
    report = vfsearch.query(workspace, vfsearch.QuerySettings(probe="voice", gallery="face"))

Importing the package loads nothing heavy; each name loads what it needs when it is first used.
"""

import importlib

__version__ = "0.1.0"

_HOMES = {
    "CompareSettings": "vfsearch.pipeline.compare_runs",
    "CurveSettings": "vfsearch.pipeline.pooling_curve",
    "Decoding": "vfsearch.pipeline.decoding",
    "Embeddings": "vfsearch.data.embeddings",
    "Encoder": "vfsearch.encoders.base",
    "Encoders": "vfsearch.pipeline.encoders",
    "Encoding": "vfsearch.pipeline.encoding",
    "GeneratedCorpus": "vfsearch.corpus.generated",
    "HeadSettings": "vfsearch.networks.heads",
    "Limits": "vfsearch.media.limits",
    "ListSettings": "vfsearch.pipeline.list_query",
    "Manifest": "vfsearch.data.manifest",
    "Neighbors": "vfsearch.data.neighbors",
    "Outcome": "vfsearch.data.outcome",
    "Pooling": "vfsearch.data.pooling",
    "Preparation": "vfsearch.media.preparation",
    "Prepared": "vfsearch.media.preparation",
    "QuerySettings": "vfsearch.pipeline.query",
    "ReportSettings": "vfsearch.pipeline.reports.make",
    "Reweighting": "vfsearch.train.reweighting",
    "ScoreSettings": "vfsearch.pipeline.score_files",
    "Space": "vfsearch.data.space",
    "TrainSettings": "vfsearch.train.settings",
    "TrialsSettings": "vfsearch.trials.settings",
    "VfsearchError": "vfsearch.errors",
    "Workspace": "vfsearch.pipeline.workspace",
    "audit_trials": "vfsearch.pipeline.audit_trials",
    "build_indices": "vfsearch.pipeline.index",
    "compare_runs": "vfsearch.pipeline.compare_runs",
    "embed_manifest": "vfsearch.pipeline.embed",
    "export_model": "vfsearch.pipeline.export_model",
    "forecast": "vfsearch.pipeline.forecast",
    "generate": "vfsearch.corpus.generated",
    "import_checkpoint": "vfsearch.pipeline.import_model",
    "look_up": "vfsearch.pipeline.lookup",
    "make_report": "vfsearch.pipeline.reports.make",
    "make_trials": "vfsearch.pipeline.make_trials",
    "mate_ranks": "vfsearch.kernels.ranks",
    "open_index": "vfsearch.index.backends",
    "open_model": "vfsearch.pipeline.model",
    "open_store": "vfsearch.store.store",
    "open_trials": "vfsearch.trials.formats.catalog",
    "pair_scores": "vfsearch.kernels.pairs",
    "pooling_curve": "vfsearch.pipeline.pooling_curve",
    "query": "vfsearch.pipeline.query",
    "query_lists": "vfsearch.pipeline.list_query",
    "rank_gallery": "vfsearch.kernels.rank_gallery",
    "read_manifest": "vfsearch.data.manifest",
    "score_files": "vfsearch.pipeline.score_files",
    "search_gallery": "vfsearch.kernels.search_gallery",
    "topk": "vfsearch.kernels.topk",
    "train_model": "vfsearch.pipeline.train",
}
__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
