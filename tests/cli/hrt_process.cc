#include "hrt_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include "hrt/base/random.h"

namespace hrt::testing {
namespace {

namespace fs = std::filesystem;

// A child whose stdout and stderr go to files, so that no pipe can fill up.
class Child {
 public:
  Child(const std::vector<std::string>& command, const std::vector<std::string>& env) {
    std::vector<char*> argv;
    for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    pid_ = fork();
    if (pid_ != 0) return;
    redirect(folder_ / "out", STDOUT_FILENO);
    redirect(folder_ / "err", STDERR_FILENO);
    std::signal(SIGHUP, SIG_DFL);  // the tests may have been started by nohup
    for (const std::string& setting : env) putenv(const_cast<char*>(setting.c_str()));
    execv(argv.front(), argv.data());
    _exit(127);
  }

  bool ended() { return waitpid(pid_, &status_, WNOHANG) == pid_ ? (reaped_ = true) : false; }
  void send(int signal) const { kill(pid_, signal); }

  ProcessResult wait() {
    if (!reaped_) waitpid(pid_, &status_, 0);
    const int code = WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
    return {code, read_text(folder_ / "out"), read_text(folder_ / "err")};
  }

 private:
  static void redirect(const std::string& file, int descriptor) {
    dup2(open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), descriptor);
  }

  TemporaryFolder folder_;
  pid_t pid_ = 0;
  int status_ = 0;
  bool reaped_ = false;
};

std::vector<std::string> hrt_command(std::vector<std::string> before,
                                     const std::vector<std::string>& arguments) {
  before.emplace_back(HRT_BINARY);
  before.insert(before.end(), arguments.begin(), arguments.end());
  return before;
}

}  // namespace

ProcessResult run_hrt(const std::vector<std::string>& arguments, const std::vector<std::string>& env) {
  return Child(hrt_command({}, arguments), env).wait();
}

ProcessResult run_hrt_in_shell(const std::string& script, const std::vector<std::string>& arguments) {
  return Child(hrt_command({"/bin/sh", "-c", script, "sh"}, arguments), {}).wait();
}

ProcessResult interrupt_hrt(const std::vector<std::string>& arguments, const std::function<bool()>& ready,
                            int signal) {
  Child child(hrt_command({}, arguments), {});
  while (!ready() && !child.ended()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  child.send(signal);
  return child.wait();
}

std::filesystem::path group_file(const std::filesystem::path& run, int group) {
  return run / "work" / fmt::format("group-{:05}.safetensors", group);
}

std::string read_text(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

std::string tiny_checkpoint(const std::string& name) {
  return std::string(HRT_SOURCE_DIR "/tests/model/goldens/") + name;
}

std::string token_prompts(int count, int longest, int vocabulary, bool labels) {
  Random random(7);
  std::ostringstream lines;
  for (int i = 0; i < count; ++i) {
    lines << R"({"id": "p)" << i << R"(", "tokens": [)"
          << random.below(static_cast<std::uint64_t>(vocabulary));
    for (int t = 1; t < 1 + i % longest; ++t)
      lines << ", " << random.below(static_cast<std::uint64_t>(vocabulary));
    lines << "]";
    if (labels) lines << R"(, "label": ")" << (i % 2 == 0 ? "harmful" : "harmless") << '"';
    lines << "}\n";
  }
  return lines.str();
}

}  // namespace hrt::testing
