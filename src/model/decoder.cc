#include "hrt/model/decoder.h"

#include <ATen/ops/mm.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <utility>

#include "kernels.h"
#include "mlp.h"
#include "weights.h"
#include "workspace.h"

namespace hrt {

namespace {

// Bytes of logits held at a time while best() looks for the largest.
constexpr std::int64_t kLogitBytes = std::int64_t{64} << 20;

// One batch on its way through the blocks.
class Pass {
 public:
  Pass(const DecoderSpec& spec, const Kernels& kernels, Workspace& workspace, Batch& batch,
       at::Tensor& residual, std::span<const Hook> hooks, std::unique_ptr<AttentionStep> attention,
       const RopeTables& ropes)
      : spec_(spec),
        kernels_(kernels),
        workspace_(workspace),
        batch_(batch),
        residual_(residual),
        hooks_(hooks),
        attention_(std::move(attention)),
        ropes_(ropes) {}

  void block(std::int64_t layer, const BlockWeights& weights, bool last) {
    visit_input(layer);
    attend(layer, weights, last);
    feed_forward(layer, weights);
  }

  // Adds what the last MLP left to add.
  void finish() {
    if (pending_.defined()) residual_.add_(pending_);
    pending_.reset();
  }

 private:
  void visit_input(std::int64_t layer) {
    const HookPoint point{layer, Site::kBlockInput};
    if (!any_wants(hooks_, point)) return;
    finish();
    run_hooks(hooks_, point, batch_.map(), residual_);
  }

  // [tokens, width]
  at::Tensor take(Workspace::Use use, std::int64_t width) {
    return workspace_.take(use, residual_.size(0), width);
  }

  // The residual stream with all that is pending, through `norm` where there is one.
  at::Tensor normed(const Norm& norm) {
    if (!norm.defined()) {
      finish();
      return residual_;
    }
    at::Tensor out = take(Workspace::Use::kNormed, spec_.hidden);
    kernels_.add_norm(residual_, pending_, norm, out);
    pending_.reset();
    return out;
  }

  at::Tensor linear(Workspace::Use use, const at::Tensor& x, const at::Tensor& weight) {
    at::Tensor out = take(use, weight.size(1));
    at::mm_out(out, x, weight);
    return out;
  }

  void attend(std::int64_t layer, const BlockWeights& weights, bool last) {
    const auto index = static_cast<std::size_t>(layer);
    at::Tensor qkv = linear(Workspace::Use::kWide, normed(weights.attention_norm), weights.qkv);
    const bool norms = weights.q_norm.defined();
    if (norms) norm_queries_and_keys(qkv, weights);
    attention_->store(qkv, norms ? at::Tensor() : weights.qkv_bias, ropes_.of(spec_.rotation[index]), layer);
    if (last) narrow(qkv);
    at::Tensor mixed = take(Workspace::Use::kInner, spec_.heads * spec_.head_dim);
    attention_->attend(qkv, layer, spec_.window[index], weights.sinks, mixed);
    at::Tensor delta = linear(Workspace::Use::kDelta, mixed, weights.o);
    if (weights.o_bias.defined()) delta.add_(weights.o_bias);
    finish_delta(delta, weights.attention_post_norm, {layer, Site::kAttentionOutput});
    pending_ = std::move(delta);
  }

  // Adds the bias, which comes before the norms.
  void norm_queries_and_keys(at::Tensor& qkv, const BlockWeights& weights) {
    if (weights.qkv_bias.defined()) qkv.add_(weights.qkv_bias);
    const auto norm = [&](std::int64_t first, std::int64_t heads, const Norm& by) {
      const at::Tensor part = qkv.narrow(1, first * spec_.head_dim, heads * spec_.head_dim);
      kernels_.norm_groups(part.view({part.size(0), -1, by.weight.size(0)}), by);
    };
    norm(0, spec_.heads, weights.q_norm);
    norm(spec_.heads, spec_.kv_heads, weights.k_norm);
  }

  void feed_forward(std::int64_t layer, const BlockWeights& weights) {
    // In a parallel block the MLP does not see what the attention is about to add.
    const at::Tensor held = spec_.parallel ? std::exchange(pending_, {}) : at::Tensor();
    const at::Tensor x = normed(weights.mlp_norm);
    at::Tensor delta =
        take(held.defined() ? Workspace::Use::kSecondDelta : Workspace::Use::kDelta, spec_.hidden);
    const Mlp mlp(spec_, kernels_, workspace_);
    weights.experts ? mlp.mix(x, *weights.experts, delta) : mlp.run(x, weights.mlp, delta);
    finish_delta(delta, weights.mlp_post_norm, {layer, Site::kMlpOutput});
    if (held.defined()) delta.add_(held);
    pending_ = std::move(delta);
  }

  // Norm and multiplier, then hooks: they see what is added to the residual stream.
  void finish_delta(at::Tensor& delta, const Norm& post_norm, const HookPoint& point) {
    if (post_norm.defined()) kernels_.norm_groups(delta.unsqueeze(1), post_norm);
    if (spec_.residual_scale != 1) delta.mul_(spec_.residual_scale);
    run_hooks(hooks_, point, batch_.map(), delta);
  }

  // From here on, only the rows that something is wanted of.
  void narrow(at::Tensor& qkv) {
    const std::vector<std::int64_t> rows = batch_.outputs();
    if (rows.empty() || std::cmp_equal(rows.size(), batch_.size())) return;
    const at::Tensor index = at::tensor(rows).to(residual_.device());
    qkv = qkv.index_select(0, index);
    residual_ = residual_.index_select(0, index);
    batch_ = batch_.only(rows);
    attention_->narrow(batch_);
  }

  const DecoderSpec& spec_;
  const Kernels& kernels_;
  Workspace& workspace_;
  Batch& batch_;
  at::Tensor& residual_;
  std::span<const Hook> hooks_;
  std::unique_ptr<AttentionStep> attention_;
  const RopeTables& ropes_;
  at::Tensor pending_;  // to be added to the residual stream by the next norm
};

}  // namespace

struct Decoder::Parts {
  DecoderWeights weights;
  std::unique_ptr<Kernels> kernels;
  Rotations rotations;
  Workspace workspace;

  // Final norm and head, in the workspace.
  at::Tensor head(const at::Tensor& residual, const DecoderSpec& spec) {
    at::Tensor stream = residual.contiguous();
    at::Tensor normed = workspace.take(Workspace::Use::kNormed, stream.size(0), stream.size(1));
    kernels->add_norm(stream, {}, weights.final_norm, normed);
    at::Tensor logits = workspace.take(Workspace::Use::kLogits, stream.size(0), weights.head.size(1));
    at::mm_out(logits, normed, weights.head);
    if (spec.logit_scale != 1) logits.mul_(spec.logit_scale);
    softcap(logits, spec.logit_softcap);
    return logits;
  }
};

at::ScalarType compute_dtype(at::ScalarType dtype, at::Device device) {
  return dtype == at::kHalf && device.is_cpu() ? at::kFloat : dtype;
}

Decoder::Decoder(const Checkpoint& checkpoint, const LoadOptions& options)
    : spec_(checkpoint.spec()), device_(options.device), dtype_(options.dtype) {
  const bool fused = device_.is_cpu() && compute_dtype() == at::kFloat;
  parts_ = std::make_unique<Parts>(
      Parts{.weights = load_weights(checkpoint, compute_dtype(), device_, options.progress),
            .kernels = fused ? make_cpu_kernels() : make_aten_kernels(),
            .rotations = Rotations(spec_),
            .workspace = Workspace(at::TensorOptions().dtype(compute_dtype()).device(device_))});
}

Decoder::Decoder(Decoder&&) noexcept = default;
Decoder::~Decoder() = default;

std::int64_t Decoder::weight_bytes() const { return parts_->weights.bytes; }

KvCache Decoder::make_cache(std::int64_t pages) const {
  return {spec_, pages, parts_->weights.embedding.options(), parts_->kernels->layout()};
}

at::Tensor Decoder::embed(const Batch& batch) const {
  const DecoderWeights& weights = parts_->weights;
  at::Tensor rows = weights.embedding.index_select(0, at::tensor(batch.tokens()).to(device_));
  // In the stream's dtype, as transformers rounds it.
  if (spec_.embedding_scale != 1) rows.mul_(at::scalar_tensor(spec_.embedding_scale, rows.options()));
  if (weights.positions.defined()) {
    rows.add_(weights.positions.index_select(0, at::tensor(batch.map().position).to(device_)));
  }
  return rows;
}

void Decoder::run(BlockRange range, Batch& batch, KvCache& cache, at::Tensor& residual,
                  std::span<const Hook> hooks) const {
  const Batch whole = batch;  // the attention step refers to it after `batch` is narrowed
  const RopeTables ropes = parts_->rotations.tables(whole, device_);
  Pass pass(spec_, *parts_->kernels, parts_->workspace, batch, residual, hooks,
            parts_->kernels->attention(spec_, whole, cache), ropes);
  for (std::int64_t layer = range.first; layer < range.last; ++layer) {
    pass.block(layer, parts_->weights.blocks[static_cast<std::size_t>(layer)], layer + 1 == range.last);
  }
  pass.finish();
}

at::Tensor Decoder::logits(const at::Tensor& residual) const { return parts_->head(residual, spec_).clone(); }

std::vector<Choice> Decoder::best(const at::Tensor& residual, const SeeLogits& see) const {
  const std::int64_t row_bytes = spec_.vocabulary * static_cast<std::int64_t>(residual.element_size());
  const std::int64_t rows = std::max<std::int64_t>(1, kLogitBytes / row_bytes);
  std::vector<Choice> choices;
  for (std::int64_t begin = 0; begin < residual.size(0); begin += rows) {
    const at::Tensor slice = residual.narrow(0, begin, std::min(rows, residual.size(0) - begin));
    const at::Tensor some = parts_->head(slice, spec_);
    if (see) see(begin, some);
    for (const Choice& choice : parts_->kernels->best(some)) choices.push_back(choice);
  }
  return choices;
}

}  // namespace hrt
