"""The film of a report in a browser."""

import numpy as np

from vfsearch.report.film import HEIGHT, RATE_HZ, TILE, WIDTH, Scene, write_film


def test_it_plays(visit, tmp_path):
    tone = (0.3 * np.sin(np.arange(2 * RATE_HZ) / 20)).astype(np.float32)
    tiles = [np.full((TILE, TILE, 3), (220, 30, 30), np.uint8)] * 3
    write_film(tmp_path / "film.mp4", [Scene(title="a", samples=tone, tiles=tiles, mated=[True] * 3, scores=[0.5] * 3)])
    (tmp_path / "page.html").write_text('<link rel="icon" href="data:,"><video src="film.mp4" muted></video>')
    page = visit(tmp_path / "page.html")
    found = page.evaluate(
        """async () => {
          const film = document.querySelector("video");
          await film.play();
          while (film.currentTime < 0.5) await new Promise((done) => setTimeout(done, 20));
          return [film.videoWidth, film.videoHeight, film.duration, film.error];
        }"""
    )
    assert found[:2] == [WIDTH, HEIGHT] and 2.9 <= found[2] < 3.1 and found[3] is None
