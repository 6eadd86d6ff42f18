"""A manifest whose encoders need no media."""

import csv

HASHED = ["--voice-encoder", "id-hash-voice", "--face-encoder", "id-hash-face"]


def write_manifest(folder, identities=12, items=4):
    with (folder / "manifest.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["path", "modality", "identity", "gender", "split"])
        for number in range(identities):
            for modality in ("voice", "face"):
                for item in range(items):
                    split = "train" if item < items // 2 else "test"
                    table.writerow([f"{modality}/p{number}/{item}", modality, f"p{number}", "fm"[number % 2], split])
