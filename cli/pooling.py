"""What the options of pooling say."""

from vfsearch.errors import SettingsError


def chosen_pooling(flag: str, by: str | None, weight: str | None, items: int | None, seed: int):
    """The `Pooling` that was asked for; None where none was.

    Raises:
        SettingsError: further options are given without the one that says what is pooled; or are out of their range.
    """
    if by is None:
        given = [name for name, value in (("--pool-weight", weight), ("--pool-items", items)) if value is not None]
        if given:
            raise SettingsError(f"{given[0]} goes with {flag} only, for example {flag} identity")
        return None
    from vfsearch.data.pooling import pooling_by

    return pooling_by(by, weight, items, seed)


def pooled_sides(more: dict) -> dict:
    """How both sides of a query are pooled.

    Raises:
        SettingsError: as `chosen_pooling`.
    """
    sides = {name: more[name] for name in ("pool_probes", "pool_gallery")}
    if not any(sides.values()):
        chosen_pooling("--pool-probes", None, more["pool_weight"], more["pool_items"], more["seed"])
    return {
        name: by and chosen_pooling("--pool-probes", by, more["pool_weight"], more["pool_items"], more["seed"])
        for name, by in sides.items()
    }


def refuse_mixed_pooling(media, more: dict) -> None:
    """Pooling of files and pooling of the store's items are two things.

    Raises:
        SettingsError: they are asked for together, or several files without saying that they are of one person.
    """
    if more["pool_files"] and not media:
        raise SettingsError("--pool goes with --file; items of the store are pooled by --pool-probes, --pool-gallery")
    if media and any(more[name] for name in ("pool_probes", "pool_gallery", "pool_weight", "pool_items")):
        raise SettingsError(
            "--file is not of the store: several files are pooled by --pool, and templates are searched with --index "
            "of an index that was built with --pool"
        )
    if len(media) > 1 and not more["pool_files"]:
        raise SettingsError(f"{len(media)} files: give --pool if they are of one person, else ask one by one")
