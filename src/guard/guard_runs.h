#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hrt/base/error.h"
#include "hrt/experiment/stored_run.h"
#include "hrt/guard/guard.h"
#include "hrt/probe/source.h"

namespace hrt {

// The prompts of complete extractions: `chosen` of them (entries as in a config; none: all).
std::unique_ptr<ProbeSource> open_prompts(const std::vector<std::string>& runs, const Json& chosen);

// Throws InputError where the run's rows are not those that the guard was made for: another width, model or
// template. Warns where prompts are templated otherwise in another way (a system text).
void check_fits(const Guard& guard, const StoredRun& run);
// The same of a checkpoint that is about to be used. `where`: what it is called in messages.
void check_model(const Guard& guard, std::int64_t hidden, const std::string& fingerprint,
                 const std::string& where);

void check_template(const Guard& guard, const std::string& name, const Json& content,
                    const std::string& where);

// How the run's prompts were templated: what a guard must do alike.
Json text_of(const StoredRun& run);

// Places of the guard's rows among `rows`. Throws InputError where one is missing.
std::vector<std::int64_t> places_of_rows(const Guard& guard, const std::vector<std::int64_t>& rows);

// A prompt's request, by which it is found again among others. 64 bits of a SHA-256, in hex.
std::string request_hash(const ProbePrompt& prompt);

// Which of `prompts` the guard was fitted to, in a sentence; empty where there are none.
std::string describe_overlap(const Guard& guard, const std::vector<ProbePrompt>& prompts);
// Throws InputError for such prompts; where they are allowed, warns.
void check_overlap(const Guard& guard, const std::vector<ProbePrompt>& prompts, bool allowed);

}  // namespace hrt
