#include "known_mappings.h"

#include <unistd.h>

#include <array>
#include <csignal>
#include <utility>

#include "hrt/base/error.h"
#include "hrt/base/file.h"

namespace hrt {
namespace {

// More files than a checkpoint has pieces; one that finds no place has no name in the message.
std::array<std::atomic<const KnownMapping*>, 4096> mappings{};

void say(std::string_view text) {
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
}

// A page of a mapped file lies behind the file's end now: the file was cut since it was opened, or its disk
// fails.
void on_bus_error(int signal, siginfo_t* info, void*) {
  const KnownMapping* mapping = KnownMapping::find(static_cast<const std::byte*>(info->si_addr));
  if (mapping == nullptr) {  // a fault of another kind
    std::signal(signal, SIG_DFL);
    raise(signal);
    return;
  }
  say("hrt: error: ");
  say(mapping->file());
  say(": cannot be read any more: the file is shorter than when it was opened, or its disk fails\n");
  _exit(static_cast<int>(ExitCode::kFailure));
}

}  // namespace

KnownMapping::KnownMapping(const std::byte* begin, std::size_t size, std::string file)
    : begin_(begin), size_(size), file_(std::move(file)) {
  for (auto& place : mappings) {
    const KnownMapping* none = nullptr;
    if (!place.compare_exchange_strong(none, this)) continue;
    place_ = &place;
    return;
  }
}

KnownMapping::~KnownMapping() {
  if (place_ != nullptr) *place_ = nullptr;
}

const KnownMapping* KnownMapping::find(const std::byte* address) {
  for (const auto& place : mappings) {
    const KnownMapping* mapping = place.load();
    if (mapping != nullptr && mapping->contains(address)) return mapping;
  }
  return nullptr;
}

void install_mapping_fault_handler() {
  struct sigaction action {};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO;
  sigemptyset(&action.sa_mask);
  sigaction(SIGBUS, &action, nullptr);
}

}  // namespace hrt
