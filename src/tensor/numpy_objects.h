#pragma once

#include "pickle_value.h"

// What numpy writes into pickles, made as numpy's own functions of these names would. All throw Malformed.

namespace hrt::pickle {

Value make_dtype(const Items& arguments);   // numpy.dtype("f4", align, copy)
Value make_array(const Items& arguments);   // numpy.core.multiarray._reconstruct: empty until it is built
Value make_scalar(const Items& arguments);  // numpy.core.multiarray.scalar: an array without dimensions
Value encode_text(const Items& arguments);  // _codecs.encode(text, "latin1"): how protocol 2 spells bytes
Value make_bytes(const Items& arguments);   // bytes(): those of no length

void build_dtype(const NumpyDtype& dtype, const Value& state);
void build_array(Tensor& array, const Value& state);  // (version, shape, dtype, Fortran order, bytes)

}  // namespace hrt::pickle
