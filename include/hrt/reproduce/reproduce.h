#pragma once

#include <string>
#include <vector>

#include "hrt/base/error.h"
#include "hrt/base/json.h"
#include "hrt/experiment/config.h"

namespace hrt {

struct ReproduceOptions {
  std::string from;  // a run to do again, in the place of all experiments
  std::vector<Override>
      overrides;  // config keys for all experiments: the model, the catalog, dtype, limit, ...
  std::vector<std::string> only;  // ids; empty: all
  std::string out = {};           // default: runs/reproduce
  bool overwrite = false;
  bool strict = false;
  bool json = false;
  bool dry_run = false;
};

// `hrt reproduce`: the papers' experiments on one model, one run directory each in OUT/ID, then a scoreboard
// (docs/formats.md). What is complete is not computed again. Returns kFailure where an experiment failed,
// kCheckFailed where a run's rows were not its prompts' own or, with `strict`, a claim does not hold that the
// catalog does not list.
ExitCode run_reproduce(const ReproduceOptions& options);

// `hrt reproduce --from RUN`: runs again what the manifest of RUN says, into OUT (default: RUN.again, which
// is removed where nothing differs), and prints what differs. kCheckFailed where something differs beyond
// tolerance.
ExitCode run_again(const ReproduceOptions& options);

}  // namespace hrt
