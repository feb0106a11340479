#include "hrt/model/memory.h"

#include <algorithm>
#include <functional>
#include <set>
#include <vector>

#include "hrt/model/kv_cache.h"

namespace hrt {

namespace {

constexpr std::int64_t kMiB = std::int64_t{1} << 20;
// A decode batch reads every weight once a step: the larger, the better, up to where arithmetic takes over.
constexpr std::int64_t kMaxBatch = 256;
constexpr std::int64_t kMaxKvBytes = 1024 * kMiB;
constexpr std::int64_t kMaxChunk = 1536;
constexpr std::int64_t kMinChunk = 64;
constexpr std::int64_t kMaxWorkspaceBytes = 128 * kMiB;

// Columns of gate and up.
std::int64_t gate_width(const DecoderSpec& spec, std::int64_t intermediate) {
  return (spec.gated ? 2 : 1) * intermediate;
}

std::int64_t mlp_weights(const DecoderSpec& spec, std::int64_t intermediate) {
  const std::int64_t inner = gate_width(spec, intermediate);
  return (inner + intermediate) * spec.hidden + (spec.mlp_bias ? inner + spec.hidden : 0);
}

std::int64_t expert_weights(const DecoderSpec& spec) {
  const ExpertsSpec& experts = *spec.experts;
  std::int64_t weights = experts.count * (spec.hidden + mlp_weights(spec, experts.intermediate));
  if (experts.router_bias) weights += experts.count;
  if (experts.shared_intermediate > 0) {
    weights += spec.hidden + mlp_weights(spec, experts.shared_intermediate);
  }
  return weights;
}

std::int64_t row_width(const DecoderSpec& spec) {
  const std::int64_t attention =
      (spec.heads + 2 * spec.kv_heads) * spec.head_dim + spec.heads * spec.head_dim;
  std::int64_t mlp = gate_width(spec, spec.intermediate) + spec.intermediate;
  if (spec.experts) {
    // All tokens may choose the same expert; what each of a token's experts adds lies there twice, by expert
    // and by token.
    const std::int64_t widest = std::max(spec.experts->intermediate, spec.experts->shared_intermediate);
    const std::int64_t routed = spec.experts->per_token * spec.hidden;
    mlp = std::max(mlp, std::max(gate_width(spec, widest), routed) + widest + routed);
  }
  return (spec.parallel ? 5 : 4) * spec.hidden + std::max(attention, mlp);
}

bool all_share(std::span<const Job> jobs, std::int64_t index) {
  const auto i = static_cast<std::size_t>(index);
  return std::ranges::all_of(jobs, [&](const Job& job) { return job.tokens[i] == jobs.front().tokens[i]; });
}

// Every prompt keeps at least its last token, and whatever is captured, for itself.
std::int64_t common_prefix(const DecoderSpec& spec, std::span<const Job> jobs) {
  std::int64_t limit = static_cast<std::int64_t>(jobs.front().tokens.size());
  for (const Job& job : jobs) {
    const auto length = static_cast<std::int64_t>(job.tokens.size());
    if (rotates_by_length(spec, length)) return 0;
    limit = std::min(limit, length - 1);
    if (!job.capture.empty()) limit = std::min(limit, job.capture.front());
  }
  std::int64_t prefix = 0;
  while (prefix < limit && all_share(jobs, prefix)) ++prefix;
  return prefix;
}

// New tokens of which keys and values are kept: the last one is put through the decoder only for its rows.
std::int64_t decoded_tokens(const Job& job) {
  const auto last = static_cast<std::int64_t>(job.tokens.size()) + job.max_new_tokens - 1;
  const bool captured = !job.capture.empty() && job.capture.back() == last;
  return std::max<std::int64_t>(0, job.max_new_tokens - (captured ? 0 : 1));
}

// Pages of the jobs' own tokens, largest first.
std::vector<std::int64_t> own_pages(std::span<const Job> jobs, std::int64_t prefix) {
  std::vector<std::int64_t> pages;
  for (const Job& job : jobs) {
    const auto length = static_cast<std::int64_t>(job.tokens.size());
    pages.push_back(KvCache::pages_for(length - prefix + decoded_tokens(job)));
  }
  std::ranges::sort(pages, std::greater{});
  return pages;
}

// Pages of stems, which stay until their branches have started, and of what families share.
std::int64_t stem_pages(std::span<const Job> jobs, std::int64_t prefix, std::int64_t batch_size) {
  std::set<std::size_t> stems;
  std::set<std::int64_t> families;
  for (const Job& job : jobs) {
    if (!job.branch) continue;
    stems.insert(job.branch->stem);
    if (job.branch->token < prefix) families.insert(job.branch->family);
  }
  std::int64_t pages = 0;
  for (const std::size_t stem : stems) pages += own_pages(jobs.subspan(stem, 1), prefix).front();
  const auto at_a_time = std::min(static_cast<std::int64_t>(families.size()), batch_size);
  return pages + at_a_time * KvCache::pages_for(prefix);
}

bool any_reply(std::span<const Job> jobs) {
  return std::ranges::any_of(jobs, [](const Job& job) { return job.max_new_tokens > 0; });
}

}  // namespace

std::int64_t chunk_tokens(const DecoderSpec& spec, c10::ScalarType dtype) {
  const auto element = static_cast<std::int64_t>(c10::elementSize(dtype));
  return std::clamp(kMaxWorkspaceBytes / (row_width(spec) * element), kMinChunk, kMaxChunk);
}

EngineSizes engine_sizes(const DecoderSpec& spec, c10::ScalarType dtype, std::span<const Job> jobs,
                         const EngineOptions& options) {
  const auto element = static_cast<std::int64_t>(c10::elementSize(dtype));
  EngineSizes sizes;
  if (jobs.empty()) return sizes;
  sizes.chunk_tokens = chunk_tokens(spec, dtype);
  sizes.prefix = options.share_prefix && jobs.size() > 1 ? common_prefix(spec, jobs) : 0;
  const std::vector<std::int64_t> pages = own_pages(jobs, sizes.prefix);
  const std::int64_t fitting = kMaxKvBytes / KvCache::bytes(spec, pages.front(), element);
  sizes.batch_size =
      options.batch_size > 0 ? options.batch_size : std::clamp<std::int64_t>(fitting, 1, kMaxBatch);
  sizes.batch_size = std::min(sizes.batch_size, static_cast<std::int64_t>(jobs.size()));
  for (std::int64_t i = 0; i < sizes.batch_size; ++i) sizes.kv_pages += pages[static_cast<std::size_t>(i)];
  if (!any_reply(jobs)) {
    // Only the prompts of one pass are there at a time, and one that is cut at its end.
    const std::int64_t one_pass = KvCache::pages_for(sizes.chunk_tokens) + sizes.batch_size + pages.front();
    sizes.kv_pages = std::min(sizes.kv_pages, one_pass);
  }
  sizes.kv_pages += KvCache::pages_for(sizes.prefix) + stem_pages(jobs, sizes.prefix, sizes.batch_size);
  sizes.kv_bytes = KvCache::bytes(spec, sizes.kv_pages, element);
  sizes.workspace_bytes = (sizes.chunk_tokens + sizes.batch_size) * row_width(spec) * element;
  return sizes;
}

std::int64_t weight_bytes(const DecoderSpec& spec, c10::ScalarType dtype) {
  const std::int64_t query = spec.heads * spec.head_dim;
  const std::int64_t key = spec.kv_heads * spec.head_dim;
  const std::int64_t qkv = query + 2 * key;
  const std::int64_t norm = (spec.norm_bias ? 2 : 1) * spec.hidden;
  std::int64_t block = (qkv + query) * spec.hidden;
  if (spec.pre_norms) block += (spec.shared_norm ? 1 : 2) * norm;
  if (spec.post_norms) block += 2 * norm;
  if (spec.qk_norm == QkNorm::kHead) block += 2 * spec.head_dim;
  if (spec.qk_norm == QkNorm::kProjection) block += query + key;
  if (spec.attention_sinks) block += spec.heads;
  if (spec.qkv_bias) block += qkv;
  if (spec.output_bias) block += spec.hidden;
  const std::int64_t sparse = spec.experts ? std::ranges::count(spec.experts->layers, true) : 0;
  std::int64_t mlps = (spec.layers - sparse) * mlp_weights(spec, spec.intermediate);
  if (sparse > 0) mlps += sparse * expert_weights(spec);
  std::int64_t tables = (spec.tied_head ? 1 : 2) * spec.vocabulary * spec.hidden;
  if (spec.learned_positions) tables += spec.max_positions * spec.hidden;
  return (spec.layers * block + mlps + tables + norm) * static_cast<std::int64_t>(c10::elementSize(dtype));
}

}  // namespace hrt
