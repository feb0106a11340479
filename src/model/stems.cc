#include "stems.h"

#include <iterator>
#include <utility>

namespace hrt {

Stems::Stems(std::span<const Job> jobs, std::int64_t prefix, KvCache& cache)
    : jobs_(jobs), prefix_length_(prefix), cache_(cache) {
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (!jobs[i].branch) continue;
    const Branch& branch = branch_of(i);
    std::set<std::int64_t>& layers = stems_[branch.stem].layers;
    // A branch at layer 0 starts at the embedding.
    if (branch.layer > 0) layers.insert(branch.layer);
    if (branch.layer > 0 && shares_prefix(i)) prefix_layers_.insert(branch.layer);
  }
}

void Stems::watch(const Sequence& sequence) {
  if (sequence.number == kSharedPrefix) {
    prefix_ = &sequence;
    snapshots_.want(kSharedPrefix, 0, prefix_length_, prefix_layers_);
    return;
  }
  const auto stem = stems_.find(static_cast<std::size_t>(sequence.number));
  if (stem == stems_.end()) return;
  stem->second.sequence = &sequence;
  snapshots_.want(sequence.number, prefix_length_, static_cast<std::int64_t>(sequence.prompt.size()),
                  stem->second.layers);
}

void Stems::keep(std::unique_ptr<Sequence> stem) {
  Stem& entry = stems_.at(static_cast<std::size_t>(stem->number));
  entry.kept = std::move(stem);
}

void Stems::open(const std::vector<std::size_t>& branches) {
  for (const std::size_t job : branches) {
    ++stems_.at(branch_of(job).stem).branches;
    if (!shares_prefix(job)) continue;
    Family& family = families_[branch_of(job).family];
    ++family.members;
    ++family.waiting;
  }
  end_pass();
}

void Stems::start(Sequence& branch, Pass& pass) {
  const auto job = static_cast<std::size_t>(branch.number);
  Stem& stem = stems_.at(branch_of(job).stem);
  branch.kv = shares_prefix(job) ? cache_.fork(family_prefix(job, pass).kv, prefix_length_)
                                 : cache_.branch(stem.sequence->kv, branch_of(job).token);
  add(branch, *stem.sequence, 1, pass);
  --stem.branches;
}

const Sequence& Stems::family_prefix(std::size_t job, Pass& pass) {
  Family& family = families_.at(branch_of(job).family);
  if (family.waiting == family.members) {
    family.sequence.number = static_cast<std::int64_t>(job);
    family.sequence.prompt = prefix_->prompt;
    family.sequence.kv = cache_.branch(prefix_->kv, branch_of(job).token);
    add(family.sequence, *prefix_, family.members, pass);
  }
  --family.waiting;
  return family.sequence;
}

void Stems::add(Sequence& sequence, const Sequence& source, std::int64_t jobs, Pass& pass) {
  const auto tokens = sequence.prompt.subspan(static_cast<std::size_t>(sequence.kv.length));
  if (pass.layer > 0) {
    pass.residual.push_back(snapshots_.rows(source.number, pass.layer, sequence.kv.length,
                                            static_cast<std::int64_t>(sequence.prompt.size())));
  }
  const std::int64_t rope_length = sequence.rope_length();
  pass.batch.add(cache_, sequence.kv, sequence.number, tokens, rope_length, jobs);
  const std::vector<PageCopy> pages = matching_pages(source.kv, sequence.kv);
  pass.pages.insert(pass.pages.end(), pages.begin(), pages.end());
  pass.prompt_tokens += static_cast<std::int64_t>(tokens.size());
}

void Stems::end_pass() {
  for (auto family = families_.begin(); family != families_.end();) {
    const bool needed = family->second.waiting > 0;
    if (!needed) cache_.release(family->second.sequence.kv);
    family = needed ? std::next(family) : families_.erase(family);
  }
  for (auto stem = stems_.begin(); stem != stems_.end();) {
    const bool needed = stem->second.branches > 0;
    if (!needed) let_go(stem->first, stem->second);
    stem = needed ? std::next(stem) : stems_.erase(stem);
  }
}

void Stems::let_go(std::size_t job, Stem& stem) {
  snapshots_.forget(static_cast<std::int64_t>(job));
  if (stem.kept) cache_.release(stem.kept->kv);
}

}  // namespace hrt
