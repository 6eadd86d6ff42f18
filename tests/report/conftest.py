import pytest


@pytest.fixture
def drawn(monkeypatch):
    """Calls a function that makes a figure and gives the `Figure` itself in place of its PNG bytes."""
    import matplotlib.figure

    def call(module, function, *arguments):
        def keep(draw, width_inches, height_inches):
            figure = matplotlib.figure.Figure(figsize=(width_inches, height_inches), layout="constrained")
            draw(figure)
            return figure

        monkeypatch.setattr(module, "png", keep)
        return function(*arguments)

    return call
