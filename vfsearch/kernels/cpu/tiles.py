"""Products of a few queries with a panel of rows, kept in vector registers until they have been looked at.

One tile is ROWS queries times PANEL gallery rows. Its sums stay in registers through all dimensions; then they are
compared with one threshold a query, and written down only if one of them reaches it. A product that goes to memory
first costs several times as much as the arithmetic itself.

Operands are words of 32 bits that hold one float32, two bfloat16 or four 8-bit numbers (a *kind*). A panel holds, word
by word, PANEL words of its rows side by side, after one starting value a row; queries lie row by row.

Source: the tiling is that of Goto and van de Geijn, Anatomy of high-performance matrix multiplication, 2008; the
dot-product instructions are those of Intel's instruction set reference (VPDPBUSD, VDPBF16PS).
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_I8, _I32, _I64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)
_FLOAT = ir.FloatType()


class _BFloat(ir.Type):
    """The type bfloat, which llvmlite does not name."""

    def __str__(self) -> str:
        return "bfloat"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _BFloat)

    def __hash__(self) -> int:
        return hash(_BFloat)


def _features() -> frozenset[str]:
    """What the processor that code is compiled for can do."""
    if os.environ.get("NUMBA_CPU_NAME") or os.environ.get("NUMBA_CPU_FEATURES"):
        # Somebody asked for code that runs elsewhere too: what this machine can do is no guide.
        return frozenset()
    return frozenset(name for name, has in llvmlite.binding.get_host_cpu_features().items() if has)


FEATURES = _features()
WIDE = "avx512f" in FEATURES
LANES = 16 if WIDE else 8
"""float32 numbers in one vector register."""
ROWS = 6 if WIDE else 4
"""Queries in one tile: with VECTORS, as many sums as there are registers for."""
VECTORS = 4 if WIDE else 2
PANEL = LANES * VECTORS
"""Gallery rows in one panel."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """In which numbers a product is taken.

    Args:
        name: int8, bf16 or float32.
        per_word: numbers in a word of 32 bits.
        needs: what the processor must be able to do.
    """

    name: str
    per_word: int
    needs: frozenset[str] = frozenset()

    @property
    def here(self) -> bool:
        """The processor multiplies such numbers faster than float32."""
        return self.needs <= FEATURES

    @property
    def sums(self) -> ir.Type:
        """The type of one sum."""
        return _I32 if self.name == "int8" else _FLOAT

    def words(self, dimension: int) -> int:
        """Words that a row takes."""
        return -(-dimension // self.per_word)


INT8 = Kind(name="int8", per_word=4, needs=frozenset({"avx512f", "avx512vnni"}))
BF16 = Kind(name="bf16", per_word=2, needs=frozenset({"avx512f", "avx512bf16"}))
FLOAT32 = Kind(name="float32", per_word=1)


def tile_hits(kind: Kind, rows: int = ROWS) -> Callable:
    """The compiled product that tells which queries of a tile have a sum that reaches their threshold.

    Args:
        kind: of the numbers.
        rows: queries in the tile, at most ROWS.
    Returns:
        f(queries, panel, words, thresholds, stride, out, masks) -> int32 bits, one a query; all but `words` and
        `stride` are addresses, the thresholds of one query and the next are `stride` bytes apart. If any bit is set,
        `out` gets the (rows, PANEL) sums and `masks` uint64 numbers, whose bit c tells whether the sum in column c
        reaches the threshold. panel and out begin at multiples of 64 bytes.
    """

    @intrinsic
    def hits(typing, queries, panel, words, thresholds, stride, out, masks):
        signature = types.int32(types.uintp, types.uintp, types.intp, types.uintp, types.intp, types.uintp, types.uintp)
        return signature, lambda context, builder, _, arguments: _hits(kind, rows, builder, *arguments)

    return hits


def tile_sums(kind: Kind, rows: int = ROWS) -> Callable:
    """The compiled product that writes every sum of a tile.

    Args:
        kind: of the numbers.
        rows: queries in the tile, at most ROWS.
    Returns:
        f(queries, panel, words, out, stride); out is the address of the first query's PANEL sums, a multiple of 64,
        the next query's stand `stride` bytes on.
    """

    @intrinsic
    def sums(typing, queries, panel, words, out, stride):
        signature = types.void(types.uintp, types.uintp, types.intp, types.uintp, types.intp)
        return signature, lambda context, builder, _, arguments: _sums(kind, rows, builder, *arguments)

    return sums


@intrinsic
def lowest_bit(typing, mask):
    """The place of the lowest bit that is set in a uint64 number other than 0."""

    def count(context, builder, _, arguments):
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(types.uint64), count


def _hits(
    kind: Kind, rows: int, builder: ir.IRBuilder, queries, panel, words, thresholds, stride, out, masks
) -> ir.Value:  # fmt: skip
    tile = _product(kind, rows, builder, queries, panel, words)
    reached = []
    for row in range(rows):
        address = builder.add(thresholds, builder.mul(stride, ir.Constant(_I64, row)))
        least = _spread(builder, builder.load(builder.inttoptr(address, kind.sums.as_pointer())), kind.sums)
        reached.append([_at_least(kind, builder, each, least) for each in tile[row]])
    bits = cgutils.alloca_once_value(builder, ir.Constant(_I32, 0))
    anything = _any(builder, [mask for row in reached for mask in row])
    with builder.if_then(_is_set(builder, anything), likely=False):
        _write(builder, kind, tile, out, ir.Constant(_I64, PANEL * 4))
        places = builder.inttoptr(masks, _I64.as_pointer())
        found = ir.Constant(_I32, 0)
        for row in range(rows):
            columns = _columns(builder, reached[row])
            builder.store(columns, _at(builder, places, row))
            bit = builder.zext(builder.icmp_unsigned("!=", columns, ir.Constant(_I64, 0)), _I32)
            found = builder.or_(found, builder.shl(bit, ir.Constant(_I32, row)))
        builder.store(found, bits)
    return builder.load(bits)


def _columns(builder: ir.IRBuilder, masks: list[ir.Value]) -> ir.Value:
    """The masks of one row's vectors as the bits of one number."""
    columns = ir.Constant(_I64, 0)
    for place, mask in enumerate(masks):
        part = builder.zext(builder.bitcast(mask, ir.IntType(LANES)), _I64)
        columns = builder.or_(columns, builder.shl(part, ir.Constant(_I64, place * LANES)))
    return columns


def _sums(kind: Kind, rows: int, builder: ir.IRBuilder, queries, panel, words, out, stride) -> ir.Value:
    _write(builder, kind, _product(kind, rows, builder, queries, panel, words), out, stride)
    return ir.Constant(_I32, 0)


def _product(kind: Kind, rows: int, builder: ir.IRBuilder, queries, panel, words) -> list[list[ir.Value]]:
    """The sums of one tile, a list of VECTORS vectors for each query."""
    word = _FLOAT if kind is FLOAT32 else _I32
    row_words = builder.inttoptr(queries, word.as_pointer())
    vectors = builder.inttoptr(panel, ir.VectorType(word, LANES).as_pointer())
    starts = builder.inttoptr(panel, ir.VectorType(kind.sums, LANES).as_pointer())
    first = [_load(builder, starts, place, 64) for place in range(VECTORS)]
    with _loop(builder, words) as loop:
        sums = [[loop.carried(first[place]) for place in range(VECTORS)] for _ in range(rows)]
        base = builder.mul(builder.add(loop.index, ir.Constant(_I64, 1)), ir.Constant(_I64, VECTORS))
        right = [_load(builder, vectors, builder.add(base, ir.Constant(_I64, place)), 64) for place in range(VECTORS)]
        for row in range(rows):
            place = builder.add(loop.index, builder.mul(words, ir.Constant(_I64, row)))
            left = _spread(builder, _load(builder, row_words, place, 4), word)
            for column in range(VECTORS):
                loop.carry(sums[row][column], _multiply_add(kind, builder, sums[row][column], right[column], left))
    return [[loop.after[each] for each in row] for row in sums]


def _multiply_add(kind: Kind, builder: ir.IRBuilder, total: ir.Value, right: ir.Value, left: ir.Value) -> ir.Value:
    if kind is INT8:
        return _call(builder, "llvm.x86.avx512.vpdpbusd.512", total, right, left)
    if kind is BF16:
        pairs = ir.VectorType(_BFloat(), 2 * LANES)
        left, right = builder.bitcast(left, pairs), builder.bitcast(right, pairs)
        return _call(builder, "llvm.x86.avx512bf16.dpbf16ps.512", total, right, left)
    if "fma" in FEATURES or "neon" in FEATURES:
        return _call(builder, f"llvm.fma.v{LANES}f32", right, left, total)
    # Without the instruction, a fused product would be a call for each number.
    return builder.fadd(builder.fmul(right, left), total)


def _call(builder: ir.IRBuilder, name: str, total: ir.Value, *factors: ir.Value) -> ir.Value:
    kind = ir.FunctionType(total.type, [each.type for each in (total, *factors)])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [total, *factors])


def _at_least(kind: Kind, builder: ir.IRBuilder, left: ir.Value, right: ir.Value) -> ir.Value:
    compare = builder.icmp_signed if kind is INT8 else builder.fcmp_ordered
    return compare(">=", left, right)


def _any(builder: ir.IRBuilder, masks: list[ir.Value]) -> ir.Value:
    found = masks[0]
    for mask in masks[1:]:
        found = builder.or_(found, mask)
    return found


def _is_set(builder: ir.IRBuilder, mask: ir.Value) -> ir.Value:
    bits = ir.IntType(LANES)
    return builder.icmp_unsigned("!=", builder.bitcast(mask, bits), ir.Constant(bits, 0))


def _spread(builder: ir.IRBuilder, number: ir.Value, kind: ir.Type) -> ir.Value:
    """A vector of one number."""
    vector = ir.VectorType(kind, LANES)
    nothing = ir.Constant(vector, ir.Undefined)
    single = builder.insert_element(nothing, number, ir.Constant(_I32, 0))
    return builder.shuffle_vector(single, nothing, ir.Constant(ir.VectorType(_I32, LANES), [0] * LANES))


def _write(builder: ir.IRBuilder, kind: Kind, tile: list[list[ir.Value]], out, stride) -> None:
    for row, vectors in enumerate(tile):
        address = builder.add(out, builder.mul(stride, ir.Constant(_I64, row)))
        place = builder.inttoptr(address, ir.VectorType(kind.sums, LANES).as_pointer())
        for column, vector in enumerate(vectors):
            builder.store(vector, _at(builder, place, column)).align = LANES * 4


def _at(builder: ir.IRBuilder, pointer: ir.Value, place: int | ir.Value) -> ir.Value:
    return builder.gep(pointer, [ir.Constant(_I64, place) if isinstance(place, int) else place])


def _load(builder: ir.IRBuilder, pointer: ir.Value, place: int | ir.Value, align: int) -> ir.Value:
    loaded = builder.load(_at(builder, pointer, place))
    loaded.align = min(align, LANES * 4)
    return loaded


class _Loop:
    """A counted loop that is being written, and the values that go from round to round."""

    def __init__(self, builder: ir.IRBuilder, before: ir.Block, index: ir.Value) -> None:
        self.builder, self.before, self.index = builder, before, index
        self.after: dict[ir.Value, ir.Value] = {}

    def carried(self, first: ir.Value) -> ir.Value:
        """A value that is `first` in the first round."""
        value = self.builder.phi(first.type)
        value.add_incoming(first, self.before)
        return value

    def carry(self, value: ir.Value, following: ir.Value) -> None:
        """What a carried value is in the next round, and after the last."""
        self.after[value] = following


@contextmanager
def _loop(builder: ir.IRBuilder, count: ir.Value) -> Iterator[_Loop]:
    """`count` rounds, at least one."""
    before = builder.block
    body, done = builder.append_basic_block("rounds"), builder.append_basic_block("after_rounds")
    builder.branch(body)
    builder.position_at_end(body)
    index = builder.phi(_I64)
    index.add_incoming(ir.Constant(_I64, 0), before)
    loop = _Loop(builder, before, index)
    yield loop
    following = builder.add(index, ir.Constant(_I64, 1))
    index.add_incoming(following, body)
    for value, after in loop.after.items():
        value.add_incoming(after, body)
    builder.cbranch(builder.icmp_signed("<", following, count), body, done)
    builder.position_at_end(done)
