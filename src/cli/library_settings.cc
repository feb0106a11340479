#include "library_settings.h"

#include <ATen/Parallel.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace hrt {
namespace {

// The CPUs that this process may use, or fewer where Slurm says so.
int default_threads() {
  cpu_set_t mask;
  const int cpus = sched_getaffinity(0, sizeof mask, &mask) == 0 ? CPU_COUNT(&mask) : 1;
  const char* slurm = std::getenv("SLURM_CPUS_PER_TASK");
  if (slurm == nullptr) return cpus;
  const std::string_view text(slurm);
  int count = 0;
  const bool read = std::from_chars(text.data(), text.data() + text.size(), count).ec == std::errc{};
  return read && count > 0 ? std::min(count, cpus) : cpus;
}

}  // namespace

void use_threads(std::optional<std::int64_t> asked) {
  at::set_num_threads(asked ? static_cast<int>(*asked) : default_threads());
}

void use_reproducible_blas() { setenv("MKL_CBWR", "AUTO,STRICT", 0); }

void restart_with_short_spin() {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  std::ifstream cmdline("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> arguments;
  for (std::string argument; std::getline(cmdline, argument, '\0');) arguments.push_back(argument);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error || arguments.empty()) return;
  setenv("GOMP_SPINCOUNT", "10000", 0);
  execv(self.c_str(), argv.data());  // returns only where that cannot be: then all is as it was, and slower
}

}  // namespace hrt
