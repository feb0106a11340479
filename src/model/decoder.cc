#include "hrt/model/decoder.h"

#include <ATen/ops/mm.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <utility>

#include "kernels.h"
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
       at::Tensor& residual, std::span<const Hook> hooks, std::unique_ptr<AttentionStep> attention)
      : spec_(spec),
        kernels_(kernels),
        workspace_(workspace),
        batch_(batch),
        residual_(residual),
        hooks_(hooks),
        attention_(std::move(attention)) {}

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

  at::Tensor norm(const at::Tensor& weight) {
    at::Tensor out = take(Workspace::Use::kNormed, spec_.hidden);
    kernels_.add_norm(residual_, pending_, weight, spec_.norm_eps, out);
    pending_.reset();
    return out;
  }

  at::Tensor linear(Workspace::Use use, const at::Tensor& x, const at::Tensor& weight) {
    at::Tensor out = take(use, weight.size(1));
    at::mm_out(out, x, weight);
    return out;
  }

  void attend(std::int64_t layer, const BlockWeights& weights, bool last) {
    at::Tensor qkv = linear(Workspace::Use::kWide, norm(weights.attention_norm), weights.qkv);
    attention_->store(qkv, weights.qkv_bias, layer);
    if (last) narrow(qkv);
    at::Tensor mixed = take(Workspace::Use::kInner, spec_.heads * spec_.head_dim);
    attention_->attend(qkv, layer, spec_.window[static_cast<std::size_t>(layer)], mixed);
    add_later(linear(Workspace::Use::kDelta, mixed, weights.o), weights.o_bias,
              {layer, Site::kAttentionOutput});
  }

  void feed_forward(std::int64_t layer, const BlockWeights& weights) {
    const at::Tensor gate_up = linear(Workspace::Use::kWide, norm(weights.mlp_norm), weights.gate_up);
    at::Tensor gated = take(Workspace::Use::kInner, spec_.intermediate);
    kernels_.gate(gate_up, weights.gate_up_bias, spec_.activation, gated);
    add_later(linear(Workspace::Use::kDelta, gated, weights.down), weights.down_bias,
              {layer, Site::kMlpOutput});
  }

  void add_later(at::Tensor delta, const at::Tensor& bias, const HookPoint& point) {
    if (bias.defined()) delta.add_(bias);
    run_hooks(hooks_, point, batch_.map(), delta);
    pending_ = std::move(delta);
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
  at::Tensor pending_;  // to be added to the residual stream by the next norm
};

}  // namespace

struct Decoder::Parts {
  DecoderWeights weights;
  std::unique_ptr<Kernels> kernels;
  Rope rope;
  Workspace workspace;

  // Final norm and head, in the workspace.
  at::Tensor head(const at::Tensor& residual, double eps) {
    at::Tensor stream = residual.contiguous();
    at::Tensor normed = workspace.take(Workspace::Use::kNormed, stream.size(0), stream.size(1));
    kernels->add_norm(stream, {}, weights.final_norm, eps, normed);
    at::Tensor logits = workspace.take(Workspace::Use::kLogits, stream.size(0), weights.head.size(1));
    return at::mm_out(logits, normed, weights.head);
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
            .rope = Rope(spec_),
            .workspace = Workspace(at::TensorOptions().dtype(compute_dtype()).device(device_))});
}

Decoder::Decoder(Decoder&&) noexcept = default;
Decoder::~Decoder() = default;

std::int64_t Decoder::weight_bytes() const { return parts_->weights.bytes; }

KvCache Decoder::make_cache(std::int64_t pages) const {
  return {spec_, pages, parts_->weights.embedding.options(), parts_->kernels->layout()};
}

at::Tensor Decoder::embed(const Batch& batch) const {
  return parts_->weights.embedding.index_select(0, at::tensor(batch.tokens()).to(device_));
}

void Decoder::run(BlockRange range, Batch& batch, KvCache& cache, at::Tensor& residual,
                  std::span<const Hook> hooks) const {
  const Batch whole = batch;  // the attention step refers to it after `batch` is narrowed
  Pass pass(spec_, *parts_->kernels, parts_->workspace, batch, residual, hooks,
            parts_->kernels->attention(spec_, whole, cache, parts_->rope.table(whole)));
  for (std::int64_t layer = range.first; layer < range.last; ++layer) {
    pass.block(layer, parts_->weights.blocks[static_cast<std::size_t>(layer)], layer + 1 == range.last);
  }
  pass.finish();
}

at::Tensor Decoder::logits(const at::Tensor& residual) const {
  return parts_->head(residual, spec_.norm_eps).clone();
}

std::vector<Choice> Decoder::best(const at::Tensor& residual, const SeeLogits& see) const {
  const std::int64_t row_bytes = spec_.vocabulary * static_cast<std::int64_t>(residual.element_size());
  const std::int64_t rows = std::max<std::int64_t>(1, kLogitBytes / row_bytes);
  std::vector<Choice> choices;
  for (std::int64_t begin = 0; begin < residual.size(0); begin += rows) {
    const at::Tensor slice = residual.narrow(0, begin, std::min(rows, residual.size(0) - begin));
    const at::Tensor some = parts_->head(slice, spec_.norm_eps);
    if (see) see(begin, some);
    for (const Choice& choice : parts_->kernels->best(some)) choices.push_back(choice);
  }
  return choices;
}

}  // namespace hrt
