"""`vfsearch store import`."""

from pathlib import Path

import click
from vfsearch_cli.options import PATH, PLACE, common, option
from vfsearch_cli.terminal import table

EPILOG = """\b
Examples:
  vfsearch store import --voice voices.npy --face faces.npy --space mine --identities people.csv
  vfsearch store import --voice features_voice.pth --face features_face.pth --space released --identity-from-path
"""


@click.command("import", epilog=EPILOG)
@option("--voice", type=PATH, multiple=True, help="File of vectors of voices; more than once for more.")
@option("--face", type=PATH, multiple=True, help="File of vectors of faces; more than once for more.")
@option("--space", required=True, help="What you call the space: rows of one name and dimension are comparable.")
@option("--voice-ids", type=PATH, default=None, help="Table with a row for each row of a .npy file of voices.")
@option("--face-ids", type=PATH, default=None, help="Likewise of faces.")
@option("--identities", type=PATH, multiple=True, help="Table that says whose the ids are, for example a manifest.")
@option("--identity-from-path", is_flag=True, help="The first folder of an id is its identity, where no table says it.")
@option("--split", default=None, help="Of all rows.  [default: as a column of the file says]")
@option("--dtype", type=click.Choice(["float32", "float16"]), default="float32", show_default=True)
@option("--out", type=PLACE, default=None, help="Folder of the store.  [default: embeddings]")
@option("--overwrite", is_flag=True, help="Replace a store that is there.")
@common
def import_(terminal, workspace: Path, voice, face, voice_ids, face_ids, out, dtype, overwrite, **more):
    """Make a store of vectors that other programs wrote: .npy, .csv, .parquet, .npz, HDF5, safetensors, .pth, .pkl.

    Rows are brought to unit length; one that is zero or not finite is named in failures.csv, and the exit code is 4.
    Dictionaries of torch.save and pickle are read without running anything in them. That two files are of one space is
    your word: nothing in them can prove it.
    """
    from vfsearch.pipeline.import_store import VectorFiles, import_vectors

    more["identities"] = tuple(more["identities"])
    given = (("voice", voice, voice_ids), ("face", face, face_ids))
    files = [VectorFiles(paths=tuple(paths), modality=name, ids=ids, **more) for name, paths, ids in given if paths]
    if not files:
        raise click.UsageError("name a file of vectors with --voice or --face")
    folder = out or workspace / "embeddings"
    counts = import_vectors(files, folder, dtype, overwrite, terminal.progress)
    document = {name: {"rows": rows, "failures": failures} for name, (rows, failures) in counts.items()}
    rows = [(name, f"{rows:,}", f"{failures:,}") for name, (rows, failures) in counts.items()]
    terminal.result({"store": str(folder), **document}, table(["modality", ">rows", ">failures"], rows, str(folder)))
    return 4 if any(failures for _, failures in counts.values()) else 0
