"""Training state in the model folder."""

from vfsearch.artefact import Artefact
from vfsearch.files import remove_file
from vfsearch.report.events import event_file, event_file_name

PREFIX = "checkpoint-"


class FileCheckpoints:
    """A new file each time, and with it the learning curves since the last one, for a TensorBoard that looks on.

    Args:
        artefact: the model that is being trained.
        columns: of the record.
        run_names: of the runs, by number.
    """

    def __init__(self, artefact: Artefact, columns: tuple[str, ...], run_names: tuple[str, ...]) -> None:
        self._artefact = artefact
        self._columns = columns
        self._run_names = run_names

    def load(self):
        """The last state saved, or None."""
        import safetensors.torch

        names = self._names()
        return safetensors.torch.load(self._artefact.read(names[-1])) if names else None

    def save(self, state) -> None:
        """Keep a state, and drop the one before."""
        import safetensors.torch

        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
        rows = [tuple(row) for row in tensors["record"].tolist()]
        old = self._names()
        for name in old:
            del self._artefact.files[name]
        self._artefact.add(f"{PREFIX}{len(rows):07d}.safetensors", safetensors.torch.save(tensors))
        self._add_events(rows)
        self._artefact.write()
        for name in old:
            remove_file(self._artefact.folder / name)

    def _add_events(self, record: list[tuple[float, ...]]) -> None:
        there = sum(facts.get("rows", 0) for name, facts in self._artefact.files.items() if "tfevents" in name)
        if there < len(record):
            data = event_file(self._columns, record[there:], self._run_names, first_step=there)
            # Named by where it ends: 0 is the file of a finished training, which is written while this one is listed.
            self._artefact.add(event_file_name(len(record)), data, rows=len(record) - there)

    def _names(self) -> list[str]:
        return [name for name in self._artefact.files if name.startswith(PREFIX)]
