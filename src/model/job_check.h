#pragma once

#include <span>

#include "hrt/model/decoder_spec.h"
#include "hrt/model/engine.h"

namespace hrt {

// Throws InputError naming the job by its index: no tokens, ids outside the vocabulary, positions and rows
// that there are not, a rotation that would change in the middle of a reply, a branch that does not fit its
// stem.
void check_jobs(std::span<const Job> jobs, const EngineOptions& options, const DecoderSpec& spec);

}  // namespace hrt
