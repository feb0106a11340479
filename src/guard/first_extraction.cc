#include "first_extraction.h"

#include "guard_runs.h"
#include "hrt/base/log.h"
#include "hrt/experiment/extract.h"
#include "hrt/experiment/extraction_config.h"

namespace hrt {

FirstExtraction::FirstExtraction(const Json& config, const std::string& outcomes)
    : prompts_(Command::kExtract,
               own_extraction(config, {{"positions", {kGuardPosition}}, {"outcomes", outcomes}})) {}

void FirstExtraction::check(const Guard& guard) const {
  const Checkpoint& checkpoint = prompts_.checkpoint();
  check_model(guard, checkpoint.spec().hidden, checkpoint.fingerprint(guard.full_hash),
              checkpoint.folder().string());
  const TextSetup& text = prompts_.text();
  check_template(guard, text.chat.name(), text.template_content, "the extraction");
}

ExitCode FirstExtraction::make(const std::filesystem::path& folder, bool dry_run) const {
  spdlog::info("an extraction first, in {}", folder.string());
  RunOptions options;
  options.if_exists = IfExists::kResume;
  options.dry_run = dry_run;
  options.print = false;
  options.out = folder;
  return run_extract(prompts_, options);
}

}  // namespace hrt
