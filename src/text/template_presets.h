#pragma once

#include <string>
#include <vector>

#include "hrt/text/chat_template.h"

namespace hrt {

// How a template is told by the Jinja text in a checkpoint: it holds all of `contains` and none of `lacks`.
struct TemplateSignature {
  std::vector<std::string> contains;
  std::vector<std::string> lacks;
};

struct TemplatePreset {
  TemplateSpec spec;
  TemplateSignature signature;
};

// Every built-in template, in the order in which people are shown them.
const std::vector<TemplatePreset>& template_presets();

}  // namespace hrt
