#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <vector>

#include "hrt/model/engine.h"
#include "pass.h"
#include "sequence.h"
#include "snapshots.h"

namespace hrt {

// What branches start from: the keys and values of their stems, the stems' residual stream at the branching
// layers, and, for each family, what its prompts share of their beginning. Everything is kept for as long as
// a branch needs it.
class Stems {
 public:
  // `prefix`: tokens that all prompts begin with.
  Stems(std::span<const Job> jobs, std::int64_t prefix, KvCache& cache);

  bool any() const { return !stems_.empty(); }
  bool is_needed(std::size_t job) const { return stems_.contains(job); }
  // Must run before hooks that change the stream. Refers to this object.
  Hook snapshots() { return snapshots_.hook(); }

  // A prompt, or the shared prefix, is about to be computed. A stem's sequence must stay where it is until
  // `keep`.
  void watch(const Sequence& sequence);
  // A stem that is needed has ended its reply.
  void keep(std::unique_ptr<Sequence> stem);

  // All stems' prompts are computed: these branches are to be started.
  void open(const std::vector<std::size_t>& branches);
  // Puts the rest of a branch's prompt into `pass`, which starts at its layer.
  void start(Sequence& branch, Pass& pass);
  // After a pass: lets go of what nothing needs any more.
  void end_pass();

 private:
  struct Stem {
    std::set<std::int64_t> layers;
    std::int64_t branches = 0;  // not started yet
    const Sequence* sequence = nullptr;
    std::unique_ptr<Sequence> kept;
  };
  // The beginning that a family's prompts share.
  struct Family {
    Sequence sequence;
    std::int64_t members = 0;
    std::int64_t waiting = 0;  // members not started yet
  };

  const Branch& branch_of(std::size_t job) const { return *jobs_[job].branch; }
  bool shares_prefix(std::size_t job) const { return branch_of(job).token < prefix_length_; }
  const Sequence& family_prefix(std::size_t job, Pass& pass);
  void let_go(std::size_t job, Stem& stem);
  void add(Sequence& sequence, const Sequence& source, std::int64_t jobs, Pass& pass);

  std::span<const Job> jobs_;
  std::int64_t prefix_length_;
  KvCache& cache_;
  const Sequence* prefix_ = nullptr;
  std::set<std::int64_t> prefix_layers_;
  std::map<std::size_t, Stem> stems_;  // by job
  std::map<std::int64_t, Family> families_;
  Snapshots snapshots_;
};

}  // namespace hrt
