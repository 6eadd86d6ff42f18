from vfsearch.bench.alternation import by_turns


def test_ways_take_turns():
    order, steps = [], []
    ways = [[lambda: order.append("a")], [lambda: order.append("b1"), lambda: order.append("b2")]]
    first, second = by_turns(ways, 2, lambda: order.append("|"), lambda: steps.append(len(steps)))
    assert [each for each in order if each != "|"] == ["a", "b1", "b2"] * 2
    # What the device still has to do is waited for before and after each call.
    assert order[:3] == ["|", "a", "|"] and steps == [0, 1, 2, 3]
    assert (first.calls, second.calls) == (2, 4)
    for times in (first, second):
        assert times.processor >= 0
        assert 0 <= times.least <= times.median <= times.p95 <= times.most


def test_one_call():
    [times] = by_turns([[lambda: None]], 1, lambda: None, lambda: None)
    assert times.median == times.least == times.most == times.p95
