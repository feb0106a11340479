#include "draw.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "gnuplot_script.h"
#include "hrt/base/error.h"

namespace hrt {
namespace {

std::string quoted_for_shell(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

}  // namespace

bool have_gnuplot() { return std::system("command -v gnuplot > /dev/null 2>&1") == 0; }

void draw(const std::vector<Figure>& figures, const std::vector<std::string>& formats,
          const std::filesystem::path& folder) {
  // gnuplot warns of labels that it would place itself; what it says matters only when it fails.
  const std::filesystem::path log = folder / "gnuplot.log";
  std::FILE* gnuplot = popen(fmt::format("gnuplot -d 2> {}", quoted_for_shell(log.string())).c_str(), "w");
  if (gnuplot == nullptr) throw RunError("gnuplot cannot be started");
  for (const Figure& figure : figures) {
    for (const std::string& format : formats) {
      const std::string script =
          gnuplot_script(figure, format, folder / fmt::format("{}.{}", figure.name, format));
      std::fwrite(script.data(), 1, script.size(), gnuplot);
    }
  }
  if (pclose(gnuplot) != 0) throw RunError("gnuplot failed; what it said is in {}", log.string());
  std::filesystem::remove(log);
}

}  // namespace hrt
