#include "hrt/base/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <memory>
#include <string_view>

#include "hrt/base/strings.h"

namespace hrt {
namespace {

spdlog::level::level_enum level_of(Verbosity verbosity) {
  switch (verbosity) {
    case Verbosity::kQuiet:
      return spdlog::level::err;
    case Verbosity::kVerbose:
      return spdlog::level::debug;
    default:
      return spdlog::level::info;
  }
}

bool quiet = false;

// "%*" in a pattern: the message, in which names and texts of others are made harmless. Nobody who logs need
// think of it.
class EscapedMessage : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    const std::string text =
        escape_for_terminal(std::string_view(message.payload.data(), message.payload.size()));
    out.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<EscapedMessage>(); }
};

void set_pattern(spdlog::sinks::sink& sink, const char* pattern) {
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<EscapedMessage>('*').set_pattern(pattern);
  sink.set_formatter(std::move(formatter));
}

}  // namespace

bool is_quiet() { return quiet; }

void setup_logging(Verbosity verbosity) {
  quiet = verbosity == Verbosity::kQuiet;
  auto console = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  set_pattern(*console, "hrt: %^%*%$");
  console->set_level(level_of(verbosity));
  auto logger = std::make_shared<spdlog::logger>("hrt", console);
  logger->set_level(spdlog::level::debug);
  spdlog::set_default_logger(logger);
}

void log_to_file(const std::filesystem::path& file) {
  auto sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file.string());
  set_pattern(*sink, "%Y-%m-%d %H:%M:%S.%e %l %*");
  auto& sinks = spdlog::default_logger()->sinks();
  sinks.resize(1);  // a process that runs twice logs to the last run only
  sinks.push_back(sink);
  spdlog::default_logger()->flush_on(spdlog::level::info);
}

}  // namespace hrt
