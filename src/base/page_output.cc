#include "hrt/base/page_output.h"

#include "hrt/base/output.h"
#include "hrt/base/strings.h"

namespace hrt {

void print_page(std::string_view page) {
  while (!page.empty()) {
    const std::string_view line = page.substr(0, page.find('\n'));
    const bool ended = line.size() < page.size();
    put_out(escape_for_terminal(line) + (ended ? "\n" : ""));
    page.remove_prefix(line.size() + (ended ? 1 : 0));
  }
}

}  // namespace hrt
