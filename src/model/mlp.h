#pragma once

#include "hrt/model/decoder_spec.h"
#include "kernels.h"
#include "weights.h"
#include "workspace.h"

namespace hrt {

// What a block's MLPs compute, of rows `x` [tokens, hidden] into `out` of the same shape.
class Mlp {
 public:
  Mlp(const DecoderSpec& spec, const Kernels& kernels, Workspace& workspace)
      : spec_(spec), kernels_(kernels), workspace_(workspace) {}

  // down(activation(gate x) * up x). `out` may be `x`.
  void run(const at::Tensor& x, const MlpWeights& weights, at::Tensor& out) const;

  // The weighed sum of each token's experts, and the shared one. An expert's rows, gathered from the whole
  // pass, go through it as one matrix.
  void mix(const at::Tensor& x, const ExpertWeights& weights, at::Tensor& out) const;

 private:
  // A choice is one expert of one token; that of rank r of token t has the number t * per_token + r.
  struct Routing {
    at::Tensor weights;                // [tokens, per_token], float32
    at::Tensor choices;                // their numbers, sorted by expert
    std::vector<std::int64_t> counts;  // of each expert's choices
  };
  Routing route(const at::Tensor& x, const ExpertWeights& weights) const;
  void add_shared(const at::Tensor& x, const ExpertWeights& weights, at::Tensor& out) const;

  const DecoderSpec& spec_;
  const Kernels& kernels_;
  Workspace& workspace_;
};

}  // namespace hrt
