"""SpeechBrain's files of scores."""

from vfsearch.trials.formats.field_format import FieldFormat
from vfsearch.trials.formats.roles import layout


class SpeechBrain(FieldFormat):
    """`enrol test 1 0.123456`: label, then score."""

    name = "speechbrain"
    summary = "enrol test 1|0 score"
    source = "SpeechBrain: recipes/VoxCeleb/SpeakerRec/speaker_verification_cosine.py, scores.txt"
    writes_scores = True
    layouts = (layout("probe item label score"),)
    wanted = "enrol, test, 1 or 0, and a score"
    names_tell = True
