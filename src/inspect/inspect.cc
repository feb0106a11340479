#include "hrt/inspect/inspect.h"

#include "hrt/base/error.h"
#include "hrt/base/hub_cache.h"
#include "hrt/base/log.h"
#include "hrt/base/output.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/stored_run.h"
#include "hrt/guard/describe.h"
#include "hrt/guard/guard_file.h"
#include "hrt/inspect/inspect_checkpoint.h"
#include "hrt/inspect/inspect_prompt.h"
#include "hrt/inspect/inspect_run.h"
#include "hrt/inspect/inspect_tensors.h"
#include "hrt/text/tokenizer_files.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

bool has(const fs::path& folder, const char* name) {
  std::error_code ignored;
  return fs::exists(folder / name, ignored);
}

void print_either(bool json, const Json& value, std::string (*page)(const Json&)) {
  put_out(json ? to_line(value) + "\n" : page(value));
}

std::vector<PromptRecord> records_of(const InspectRequest& request) {
  if (request.prompts)
    return read_prompts(
        PromptSource{.file = *request.prompts, .field = request.field, .limit = request.limit});
  PromptRecord record;
  record.id = "prompt";
  record.instruction = *request.prompt;
  return {record};
}

// A path, or ORG/NAME in the cache.
fs::path find_place(const fs::path& path) {
  std::error_code error;
  if (fs::exists(path, error)) return path;
  if (error || !is_hub_name(path.string()))
    throw InputError("{}: {}", path.string(), error ? error.message() : "no such file or folder");
  return cached_model(path.string());
}

ExitCode inspect_prompts(const InspectRequest& request) {
  const std::vector<PromptRecord> records = records_of(request);
  bool needs_text = false;
  for (const PromptRecord& record : records) needs_text = needs_text || record.tokens.empty();
  const TextSetup text = open_text(request.text, request.path, needs_text);
  if (text.disagreement) spdlog::warn("warning: {}", *text.disagreement);
  std::vector<InspectedPrompt> prompts;
  for (const PromptRecord& record : records) {
    prompts.push_back(inspect_prompt(record, text));
    if (prompts.back().prompt.doubled_bos) {
      spdlog::warn("warning: {}: the prompt begins with two BOS", escape_for_terminal(record.id));
    }
  }
  if (request.json) {
    for (const InspectedPrompt& prompt : prompts) put_out(to_line(prompt_json(prompt)) + "\n");
  } else {
    put_out(request.prompt ? token_page(prompts.front(), text) : prompts_page(prompts, text));
  }
  return ExitCode::kDone;
}

ExitCode inspect_claim(const TensorFile& file, const InspectRequest& request) {
  const ClaimCheck check = check_claim(file, *request.claim);
  if (request.learned_positions) {
    const std::string reason = "with learned positions equal tokens do not have equal rows at layer 0";
    put_out(request.json ? to_line({{"verdict", "not applicable"}, {"reason", reason}}) + "\n"
                         : fmt::format("not applicable: {}\n", reason));
    return ExitCode::kDone;
  }
  put_out(request.json ? to_line(claim_json(check)) + "\n" : claim_page(check, *request.claim));
  return check.holds() ? ExitCode::kDone : ExitCode::kCheckFailed;
}

ExitCode inspect_file(const InspectRequest& request) {
  const TensorFile file(request.path);
  if (request.claim) return inspect_claim(file, request);
  if (!request.json && !request.tensor && is_guard(file.metadata())) {
    put_out(guard_page(request.path, read_guard(request.path)));
    return ExitCode::kDone;
  }
  print_either(request.json, describe_tensors(file, request.tensor), tensors_page);
  return ExitCode::kDone;
}

ExitCode inspect_folder(const InspectRequest& request) {
  const fs::path& folder = request.path;
  if (request.claim || request.tensor)
    throw InputError("{}: expected a tensor file (.safetensors, .pt)", folder.string());
  if (has(folder, "manifest.json")) {
    const Json manifest = read_manifest(folder);
    const auto page = [&] { return request.json ? to_line(manifest) + "\n" : run_page(folder, manifest); };
    put_out(as_written(folder / "manifest.json", page));
  } else if (has(folder, "config.json")) {
    print_either(request.json, describe_checkpoint(folder, request.adapter), checkpoint_page);
  } else if (has_tokenizer(folder)) {
    print_either(request.json, describe_tokenizer_folder(folder), checkpoint_page);
  } else {
    throw InputError(
        "{}: expected a checkpoint (config.json), a tokenizer (tokenizer.json, tokenizer.model) or a "
        "run (manifest.json)",
        folder.string());
  }
  return ExitCode::kDone;
}

}  // namespace

ExitCode run_inspect(const InspectRequest& asked) {
  InspectRequest request = asked;
  request.path = find_place(asked.path);
  if (asked.adapter) request.adapter = find_place(*asked.adapter);
  if (request.adapter && !has(request.path, "config.json"))
    throw InputError("{}: expected a checkpoint (config.json), which --adapter is for",
                     request.path.string());
  if (request.prompt || request.prompts) return inspect_prompts(request);
  return fs::is_directory(request.path) ? inspect_folder(request) : inspect_file(request);
}

}  // namespace hrt
