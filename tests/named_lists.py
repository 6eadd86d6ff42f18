"""Small lists and vectors by name, in files, with what they come to worked out by plain loops."""

from pathlib import Path

import numpy as np

PEOPLE = tuple(f"P_{number}" for number in range(8))


def clip(person: int, number: int) -> str:
    return f"id1000{person}/video{number}/0000{number}.wav"


def photo(person: int, number: int) -> str:
    return f"P_{person}/0000{number}.jpg"


def clips_and_photos(each: int = 3) -> tuple[list[str], list[str]]:
    """Names of clips and of photos, `each` of every person."""
    pairs = [(person, number) for person in range(len(PEOPLE)) for number in range(each)]
    return [clip(*pair) for pair in pairs], [photo(*pair) for pair in pairs]


def person_of(name: str) -> str:
    """Whose a clip or photo is."""
    return f"P_{name[6]}" if name.startswith("id1000") else name.partition("/")[0]


def vectors(dimension: int = 6, noise: float = 1.0, seed: int = 0) -> dict[str, np.ndarray]:
    """A direction for each person, noise for each item; unit rows."""
    random = np.random.default_rng(seed)
    centres = {person: random.normal(size=dimension) for person in PEOPLE}
    clips, photos = clips_and_photos()
    rows = {name: centres[person_of(name)] + noise * random.normal(size=dimension) for name in [*clips, *photos]}
    return {name: (row / np.linalg.norm(row)).astype(np.float32) for name, row in rows.items()}


def write_vectors(path: Path, rows: dict[str, np.ndarray]) -> Path:
    np.savez(path, names=np.array(list(rows)), vectors=np.stack(list(rows.values())))
    return path


def write_table(folder: Path, name: str = "vox1_test.csv") -> Path:
    """The table of both names of each person, as the paper's."""
    lines = [f"id1000{n},P_{n},{'mf'[n % 2]},Here,dev" for n in range(len(PEOPLE))]
    path = folder / name
    path.write_text("\r\n".join(["VoxCeleb1_ID,VGGFace1_ID,Gender,Nationality,Set", *lines, ""]))
    return path


def write_lists(folder: Path, seed: int = 1) -> dict[str, Path]:
    """A verification, a 1:3 matching and a retrieval list, voice to face, in the paper's format."""
    random = np.random.default_rng(seed)
    clips, photos = clips_and_photos()
    pairs, queries = [], []
    for name in clips:
        own = [each for each in photos if person_of(each) == person_of(name)]
        others = [each for each in photos if person_of(each) != person_of(name)]
        pairs += [(name, random.choice(own)), (name, random.choice(others))]
        queries.append((name, random.choice(own), *random.choice(others, 2, replace=False)))
    texts = {
        "verify_v2f_test": [" ".join(pair) for pair in pairs],
        "match_v2f_3_test": [" ".join(query) for query in queries],
        "reterival_v2f_test": [" ".join(clips), " ".join(photos)],
    }
    found = {}
    for name, lines in texts.items():
        found[name] = folder / f"{name}.txt"
        found[name].write_text("\n".join(lines) + "\n")
    return found


def scores_of(path: Path, rows: dict[str, np.ndarray]) -> list[tuple[str, list[str], list[float]]]:
    """Probe, items and their scores, line by line of a list."""
    found = []
    for line in path.read_text().splitlines():
        probe, *items = line.split()
        found.append((probe, items, [float(rows[probe].astype(float) @ rows[item].astype(float)) for item in items]))
    return found


def plain_auc(trials: list[tuple[str, list[str], list[float]]]) -> float:
    mated = [score for probe, (item,), (score,) in trials if person_of(probe) == person_of(item)]
    other = [score for probe, (item,), (score,) in trials if person_of(probe) != person_of(item)]
    return float(np.mean([(a > b) + (a == b) / 2 for a in mated for b in other]))


def plain_accuracy(trials: list[tuple[str, list[str], list[float]]]) -> float:
    return float(np.mean([scores[0] > max(scores[1:]) for _, _, scores in trials]))


def plain_mean_ap(path: Path, rows: dict[str, np.ndarray]) -> float:
    probes, gallery = (line.split() for line in path.read_text().splitlines())
    values = []
    for probe in probes:
        order = sorted(gallery, key=lambda item: -float(rows[probe].astype(float) @ rows[item].astype(float)))
        hits = np.array([person_of(item) == person_of(probe) for item in order])
        values.append((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean())
    return float(np.mean(values))
