"""VoxCeleb's lists of trials: the label first."""

from vfsearch.trials.formats.field_format import FieldFormat
from vfsearch.trials.formats.roles import layout


class VoxCeleb(FieldFormat):
    """`1 id10270/x6uYqmx31kE/00002.wav id10270/GWXujl-xAVM/00035.wav`: 1 is of one identity, told by the folder."""

    name = "voxceleb"
    summary = "1|0 enrol test"
    source = "Nagrani, Chung, Zisserman, VoxCeleb, 2017: veri_test.txt, veri_test2.txt, list_test_hard, list_test_all"
    layouts = (layout("label probe item"),)
    wanted = "1 or 0 and two names"
    names_tell = True
