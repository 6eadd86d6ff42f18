"""How a page of many probes is made and how it feels: time and memory, opening, scrolling, filtering.

    python benchmarks/page.py --workspace DIR [--runs NAME ...] [--probes 5000] [--chromium /usr/bin/chromium]

Takes the runs of a workspace, makes their page with `vfsearch report --parts page`, opens it in a headless Chromium
(`pip install playwright`) from its file, and scrolls through it as a person does with the wheel. Prints one Markdown
table; the one that it gave last is in page.md. The floor of opening is an empty page in the same browser; the floor of
a frame is the display's 16.7 ms. Memory is that of the process and all that it started.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from steady import tree_bytes

from vfsearch.timing import machine

WHEELS, WHEEL_PIXELS = 150, 100
FRAMES = """(count, pixels) => new Promise((done) => {
  const times = []; let last = performance.now();
  const step = (now) => { times.push(now - last); last = now; scrollBy(0, pixels);
    if (times.length < count) requestAnimationFrame(step); else done(times); };
  requestAnimationFrame(step);
})"""


def main() -> None:
    """Make it, open it, scroll it, print."""
    asked = parsed()
    with tempfile.TemporaryDirectory() as folder:
        seconds, memory = made(asked, Path(folder))
        rows = [("made in", f"{seconds:.1f} s"), ("most memory", f"{memory / 2**20:,.0f} MiB"), *size(Path(folder))]
        rows += [(name, f"{value}") for name, value in looked_at(asked, Path(folder) / "index.html")]
    about = machine()
    print(f"{about['processor']}, {about['cores']} cores; {asked.probes:,} probes a run\n\n| | |\n|---|---|")
    for name, value in rows:
        print(f"| {name} | {value} |")


def parsed() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--runs", nargs="*", default=[])
    parser.add_argument("--probes", type=int, default=5000)
    parser.add_argument("--chromium", default=shutil.which("chromium"))
    return parser.parse_args()


def made(asked: argparse.Namespace, folder: Path) -> tuple[float, int]:
    """Seconds and most bytes of memory."""
    command = [sys.executable, "-m", "vfsearch_cli.main", "report", *asked.runs, "--parts", "page"]
    command += ["--out", str(folder), "--page-probes", str(asked.probes), "--workspace", str(asked.workspace)]
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        peaks = [0]
        watcher = threading.Thread(target=watch, args=(process, peaks))
        watcher.start()
        process.wait()
        watcher.join()
    if process.returncode:
        raise SystemExit(process.returncode)
    return time.perf_counter() - start, max(peaks)


def watch(process: subprocess.Popen, peaks: list[int]) -> None:
    """Memory of a process and its children, ten times a second."""
    while process.poll() is None:
        peaks.append(tree_bytes(process.pid))
        time.sleep(0.1)


def size(folder: Path) -> list[tuple[str, str]]:
    """What lies on the disk."""
    beside = [path.stat().st_size for path in folder.glob("media/*")]
    page = (folder / "index.html").stat().st_size
    return [("page", f"{page / 2**20:.1f} MiB"), ("beside it", f"{len(beside):,} files, {sum(beside) / 2**20:.0f} MiB")]


def looked_at(asked: argparse.Namespace, page_path: Path) -> list[tuple[str, str]]:
    """What a browser says of it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=asked.chromium, args=["--no-sandbox"])
        floor = statistics.median(opened(browser, "about:blank", None)[0] for _ in range(5))
        times = [opened(browser, page_path.as_uri(), "#count:not(:empty)")[0] for _ in range(5)]
        page = opened(browser, page_path.as_uri(), "#count:not(:empty)")[1]
        page.evaluate("document.querySelector('#list').scrollIntoView()")
        frames = sorted(page.evaluate(f"({FRAMES})({WHEELS}, {WHEEL_PIXELS})"))
        drawn = page.locator(".answer").count()
        chosen = page.evaluate(
            "() => { const start = performance.now(), show = document.querySelector('#sort'); show.value = 'hardest';"
            " show.dispatchEvent(new Event('input', {bubbles: true})); return performance.now() - start; }"
        )
        heap = page.evaluate("performance.memory.usedJSHeapSize")
        browser.close()
    return [
        ("opens in (median of 5; an empty page)", f"{statistics.median(times):.2f} s ({floor:.2f} s)"),
        (f"frames while scrolling {WHEEL_PIXELS} pixels a frame: median, 95 %, longest",
         f"{frames[len(frames) // 2]:.1f}, {frames[int(0.95 * len(frames))]:.1f}, {frames[-1]:.1f} ms"),
        ("probes drawn at once", str(drawn)),
        ("sorting anew", f"{chosen:.0f} ms"),
        ("the script's memory", f"{heap / 2**20:.0f} MiB"),
    ]  # fmt: skip


def opened(browser, url: str, wanted: str | None):
    """Seconds until the answers are counted, and the page."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    start = time.perf_counter()
    page.goto(url)
    if wanted:
        page.wait_for_selector(wanted)
    return time.perf_counter() - start, page


if __name__ == "__main__":
    main()
