#include "hrt/base/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <memory>

namespace hrt {
namespace {

spdlog::level::level_enum level_of(Verbosity verbosity) {
  switch (verbosity) {
    case Verbosity::kQuiet: return spdlog::level::err;
    case Verbosity::kVerbose: return spdlog::level::debug;
    default: return spdlog::level::info;
  }
}

bool quiet = false;

}  // namespace

bool is_quiet() { return quiet; }

void setup_logging(Verbosity verbosity) {
  quiet = verbosity == Verbosity::kQuiet;
  auto console = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  console->set_pattern("hrt: %^%v%$");
  console->set_level(level_of(verbosity));
  auto logger = std::make_shared<spdlog::logger>("hrt", console);
  logger->set_level(spdlog::level::debug);
  spdlog::set_default_logger(logger);
}

void log_to_file(const std::filesystem::path& file) {
  auto sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file.string());
  sink->set_pattern("%Y-%m-%d %H:%M:%S.%e %l %v");
  auto& sinks = spdlog::default_logger()->sinks();
  sinks.resize(1);  // a process that runs twice logs to the last run only
  sinks.push_back(sink);
  spdlog::default_logger()->flush_on(spdlog::level::info);
}

}  // namespace hrt
