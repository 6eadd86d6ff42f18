"""The keys of the VOiCES challenge."""

from vfsearch.trials.formats.field_format import FieldFormat
from vfsearch.trials.formats.roles import layout


class Voices(FieldFormat):
    """`model sid_dev/sp3521/a.wav imp`: tgt is of one identity. DCA-PLDA spells its keys so, too."""

    name = "voices"
    summary = "model segment tgt|imp"
    source = "Nandwana et al., The VOiCES from a Distance Challenge 2019, evaluation plan"
    layouts = (layout("probe item label"),)
    labels = {"tgt": 1, "imp": 0}  # noqa: RUF012
    wanted = "model, segment and tgt or imp"
