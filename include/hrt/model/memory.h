#pragma once

#include <c10/core/ScalarType.h>

#include <cstdint>
#include <span>

#include "hrt/model/decoder_spec.h"
#include "hrt/model/engine.h"

namespace hrt {

// Tokens packed into one forward pass.
std::int64_t chunk_tokens(const DecoderSpec& spec, c10::ScalarType dtype);

// How run_jobs cuts its work: from the jobs' sizes and the model's, never from free memory, so that the same
// jobs give the same batches everywhere.
struct EngineSizes {
  std::int64_t batch_size = 0;    // prompts worked on at the same time
  std::int64_t chunk_tokens = 0;  // tokens packed into one forward pass, beside those being decoded
  std::int64_t prefix = 0;        // tokens that all prompts start with and that are computed once
  std::int64_t kv_pages = 0;
  std::int64_t kv_bytes = 0;         // of the KV cache
  std::int64_t workspace_bytes = 0;  // of activations, at most
};

// `dtype`: what the decoder computes in.
EngineSizes engine_sizes(const DecoderSpec& spec, c10::ScalarType dtype, std::span<const Job> jobs,
                         const EngineOptions& options);

// Bytes of the weights when loaded in `dtype`.
std::int64_t weight_bytes(const DecoderSpec& spec, c10::ScalarType dtype);

}  // namespace hrt
