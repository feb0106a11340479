#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "hrt/model/decoder_spec.h"
#include "hrt/model/families.h"

namespace hrt {

// A linear map of the base model.
struct AdapterTarget {
  std::string tensor;  // in the base's files
  std::int64_t out = 0;
  std::int64_t in = 0;
  bool in_out = false;  // the files hold it [in, out]
  bool head = false;
  bool expert = false;  // of one expert of several, or of their router
};

// The base's linear maps by the names of transformers' modules, which the files may call otherwise, by one of
// the family's other prefixes: "transformer.h.0.attn.c_attn" of gpt2's "h.0.attn.c_attn.weight". A head that
// is tied to the embedding is none of them.
class AdapterTargets {
 public:
  // Under the first prefix that has one of the adapter's `modules`.
  AdapterTargets(const std::vector<std::string>& modules, const Family& family, const DecoderSpec& spec,
                 const WeightNames& names);

  const AdapterTarget* find(const std::string& module) const;  // nullptr when there is none
  const std::map<std::string, AdapterTarget>& all() const { return targets_; }

 private:
  std::map<std::string, AdapterTarget> targets_;
};

}  // namespace hrt
