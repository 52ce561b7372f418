"""Products of four-bit codes with a query of bytes, 64 items at a time: the innermost loop.

Of a block's items, each word holds eight codes (0 to 15) of one item: byte t has feature t in its
lower and feature t + 4 in its upper half. A query has the same eight features in two words, one
signed byte a feature. Sums are whole numbers and so do not depend on how they are made.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import config, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 64
_WORDS = ir.VectorType(ir.IntType(32), 16)
_PLACE = ir.IntType(64)
_STEP = LANES // 16


def _constant(byte: int) -> ir.Constant:
    return ir.Constant(_WORDS, [int.from_bytes(bytes([byte]) * 4, "little", signed=True)] * 16)


def _splat(builder: ir.IRBuilder, word: ir.Value) -> ir.Value:
    blank = ir.Constant(_WORDS, ir.Undefined)
    first = builder.insert_element(blank, word, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, blank, ir.Constant(_WORDS, [0] * 16))


def _emit(builder: ir.IRBuilder, words: Any, query: Any, out: ir.Value) -> None:
    """The loop over a block's words, in sixteen lanes of AVX-512 VNNI: four products a lane."""
    name = "llvm.x86.avx512.vpdpbusd.512"
    kind = ir.FunctionType(_WORDS, [_WORDS] * 3)
    product = cgutils.get_or_insert_function(builder.module, kind, name)  # type: ignore[no-untyped-call]
    nothing = ir.Constant(_WORDS, [0] * 16)
    sums = [cgutils.alloca_once_value(builder, nothing) for _ in range(2 * _STEP)]  # type: ignore[no-untyped-call]
    start = builder.bitcast(words.data, _WORDS.as_pointer())
    halves = builder.bitcast(query.data, ir.IntType(32).as_pointer())
    masks = _constant(0x0F), _constant(0xF0)
    steps = cgutils.unpack_tuple(builder, words.shape)[0]  # type: ignore[no-untyped-call]
    with cgutils.for_range(builder, steps) as loop:
        first = builder.mul(loop.index, ir.Constant(_PLACE, 2))
        at = [builder.add(first, ir.Constant(_PLACE, half)) for half in range(2)]
        wanted = [_splat(builder, builder.load(builder.gep(halves, [place]))) for place in at]
        first = builder.mul(loop.index, ir.Constant(_PLACE, _STEP))
        for lane in range(_STEP):
            place = builder.add(first, ir.Constant(_PLACE, lane))
            codes = builder.load(builder.gep(start, [place]), align=4)
            for half in range(2):
                total, part = sums[2 * lane + half], builder.and_(codes, masks[half])
                more = builder.call(product, [builder.load(total), part, wanted[half]])
                builder.store(more, total)
    # The upper halves were left where they are, sixteen times too large.
    for lane in range(_STEP):
        upper = builder.ashr(builder.load(sums[2 * lane + 1]), ir.Constant(_WORDS, [4] * 16))
        total = builder.add(builder.load(sums[2 * lane]), upper)
        place = builder.gep(out, [ir.Constant(_PLACE, lane)])
        builder.store(total, place, align=4)


@intrinsic
def vnni_dots(typing: Any, words: Any, query: Any, out: Any) -> Any:
    """``plain_dots`` in one instruction for 64 products; x86 with AVX-512 VNNI only."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        arrays = [
            context.make_array(kind)(context, builder, value)
            for kind, value in zip(signature.args, arguments, strict=True)
        ]
        target = builder.bitcast(arrays[2].data, _WORDS.as_pointer())
        _emit(builder, arrays[0], arrays[1], target)
        return context.get_dummy_value()

    return types.void(words, query, out), generate


@njit(cache=True, nogil=True)
def plain_dots(words, query, out):  # type: ignore[no-untyped-def]
    """Write to ``out`` (64,) the sums of code · query of ``words`` (n, 64), ``query`` (8 n,)."""
    out[:] = 0
    for n in range(len(words)):
        q0, q1, q2, q3 = query[8 * n], query[8 * n + 1], query[8 * n + 2], query[8 * n + 3]
        q4, q5, q6, q7 = query[8 * n + 4], query[8 * n + 5], query[8 * n + 6], query[8 * n + 7]
        for j in range(LANES):
            word = words[n, j]
            low = (word & 15) * q0 + (word >> 8 & 15) * q1
            low += (word >> 16 & 15) * q2 + (word >> 24 & 15) * q3
            high = (word >> 4 & 15) * q4 + (word >> 12 & 15) * q5
            high += (word >> 20 & 15) * q6 + (word >> 28 & 15) * q7
            out[j] += np.int32(low + high)


def has_vnni() -> bool:
    """Whether numba compiles for this very processor, and it has the instruction."""
    named = config.CPU_NAME or config.CPU_FEATURES  # type: ignore[attr-defined]
    return not named and bool(binding.get_host_cpu_features().get("avx512vnni"))


byte_dots: Any = vnni_dots if has_vnni() else plain_dots
